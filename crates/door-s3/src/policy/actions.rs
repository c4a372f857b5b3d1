//! What may be done, by the names that S3 gives it.

use entente_tree::rules::{Deed, Deeds, Pattern};
use std::collections::BTreeSet;

/// Every action that is served, and the deed that it is. The one list of both.
const ACTIONS: &[(&str, Deed)] = &[
    ("s3:ListBucket", Deed::ListKeys),
    ("s3:ListBucketVersions", Deed::ListVersions),
    ("s3:ListBucketMultipartUploads", Deed::ListUploads),
    ("s3:GetBucketLocation", Deed::SeeLocation),
    ("s3:DeleteBucket", Deed::RemoveBucket),
    ("s3:GetObject", Deed::ReadObject),
    ("s3:GetObjectVersion", Deed::ReadVersion),
    ("s3:GetObjectAttributes", Deed::ReadAttributes),
    ("s3:GetObjectVersionAttributes", Deed::ReadVersionAttributes),
    ("s3:PutObject", Deed::WriteObject),
    ("s3:DeleteObject", Deed::RemoveObject),
    ("s3:DeleteObjectVersion", Deed::RemoveVersion),
    ("s3:AbortMultipartUpload", Deed::AbortUpload),
    ("s3:ListMultipartUploadParts", Deed::ListParts),
    ("s3:GetObjectTagging", Deed::ReadTags),
    ("s3:GetObjectVersionTagging", Deed::ReadVersionTags),
    ("s3:PutObjectTagging", Deed::WriteTags),
    ("s3:PutObjectVersionTagging", Deed::WriteVersionTags),
    ("s3:DeleteObjectTagging", Deed::RemoveTags),
    ("s3:DeleteObjectVersionTagging", Deed::RemoveVersionTags),
    ("s3:GetObjectAcl", Deed::ReadAcl),
    ("s3:GetObjectVersionAcl", Deed::ReadVersionAcl),
    ("s3:PutObjectAcl", Deed::WriteAcl),
    ("s3:PutObjectVersionAcl", Deed::WriteVersionAcl),
    ("s3:GetObjectRetention", Deed::ReadRetention),
    ("s3:PutObjectRetention", Deed::WriteRetention),
    ("s3:GetObjectLegalHold", Deed::ReadHold),
    ("s3:PutObjectLegalHold", Deed::WriteHold),
    ("s3:BypassGovernanceRetention", Deed::BypassRetention),
    ("s3:GetBucketVersioning", Deed::ReadVersioning),
    ("s3:PutBucketVersioning", Deed::WriteVersioning),
    ("s3:GetBucketPolicy", Deed::ReadPolicy),
    ("s3:PutBucketPolicy", Deed::WritePolicy),
    ("s3:DeleteBucketPolicy", Deed::RemovePolicy),
    ("s3:GetBucketPolicyStatus", Deed::ReadPolicyStatus),
    ("s3:GetBucketAcl", Deed::ReadBucketAcl),
    ("s3:PutBucketAcl", Deed::WriteBucketAcl),
    ("s3:GetBucketPublicAccessBlock", Deed::ReadPublicBlock),
    ("s3:PutBucketPublicAccessBlock", Deed::WritePublicBlock),
    ("s3:GetBucketOwnershipControls", Deed::ReadOwnership),
    ("s3:PutBucketOwnershipControls", Deed::WriteOwnership),
    ("s3:GetBucketCORS", Deed::ReadCors),
    ("s3:PutBucketCORS", Deed::WriteCors),
    ("s3:GetBucketTagging", Deed::ReadBucketTags),
    ("s3:PutBucketTagging", Deed::WriteBucketTags),
    ("s3:GetEncryptionConfiguration", Deed::ReadEncryption),
    ("s3:PutEncryptionConfiguration", Deed::WriteEncryption),
    ("s3:GetLifecycleConfiguration", Deed::ReadLifecycle),
    ("s3:PutLifecycleConfiguration", Deed::WriteLifecycle),
    ("s3:GetBucketNotification", Deed::ReadNotifications),
    ("s3:PutBucketNotification", Deed::WriteNotifications),
    ("s3:GetBucketObjectLockConfiguration", Deed::ReadObjectLock),
    ("s3:PutBucketObjectLockConfiguration", Deed::WriteObjectLock),
    ("s3:GetBucketRequestPayment", Deed::ReadRequestPayment),
    ("s3:GetBucketLogging", Deed::ReadLogging),
    ("s3:GetBucketWebsite", Deed::ReadWebsite),
    ("s3:GetReplicationConfiguration", Deed::ReadReplication),
    ("s3:GetAccelerateConfiguration", Deed::ReadAcceleration),
];

/// The deeds that actions are, in whatever case; `*` and `?` stand for any and one character.
pub(super) fn deeds_of(actions: &[String]) -> Result<Deeds, String> {
    let mut deeds = BTreeSet::new();
    for action in actions {
        let action = action.to_ascii_lowercase();
        if action == "*" || action == "s3:*" {
            return Ok(Deeds::All);
        }
        let pattern = Pattern::new(action);
        let mut found = ACTIONS.iter().filter(|(name, _)| pattern.fits(&name.to_ascii_lowercase())).peekable();
        if found.peek().is_none() {
            return Err("Policy has invalid action".to_owned());
        }
        deeds.extend(found.map(|(_, deed)| *deed));
    }
    Ok(Deeds::Some(deeds))
}

#[cfg(test)]
mod tests {
    use super::{ACTIONS, deeds_of};
    use entente_tree::rules::{Deed, Deeds};

    #[test]
    fn each_deed_has_one_action() {
        for deed in Deed::ALL {
            assert_eq!(ACTIONS.iter().filter(|(_, of)| of == deed).count(), 1, "{deed:?}");
        }
    }

    #[test]
    fn actions_are_deeds_in_any_case() {
        let of = |action: &str| deeds_of(&[action.to_owned()]);
        let read = |deeds: &[Deed]| Ok(Deeds::Some(deeds.iter().copied().collect()));
        assert_eq!(of("s3:getobject"), read(&[Deed::ReadObject]));
        assert_eq!(of("S3:GetObject?"), Err("Policy has invalid action".to_owned()));
        assert_eq!(of("s3:*ObjectVersion"), read(&[Deed::ReadVersion, Deed::RemoveVersion]));
        assert_eq!(of("s3:*"), Ok(Deeds::All));
        assert!(of("s3:CreateBucket").is_err() && of("").is_err());
    }
}
