//! Lists of grants: canned, by headers, and as documents, of buckets and of objects.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>

use super::shown::{owner, wanted};
use super::{Operations, Place};
use crate::asked::Asked;
use crate::error::{About, error, not_served};
use crate::gate::denied;
use entente_model::{ItemId, UserId};
use entente_tree::Error as TreeError;
use entente_tree::acl::{Acl, Grant, Grantee, Permission};
use entente_tree::rules::{Ownership, Sharing};
use http::{HeaderMap, HeaderValue};
use s3s::dto::{
    self, AccessControlPolicy, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput,
    PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput, PutObjectAclOutput, Type,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const X_AMZ_ACL: &str = "x-amz-acl";
const GRANTS: [(&str, Permission); 5] = [
    ("x-amz-grant-full-control", Permission::Full),
    ("x-amz-grant-read", Permission::Read),
    ("x-amz-grant-write", Permission::Write),
    ("x-amz-grant-read-acp", Permission::ReadAcl),
    ("x-amz-grant-write-acp", Permission::WriteAcl),
];

/// What grants are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Bucket,
    Object,
}

/// Whose grants are made.
#[derive(Debug, Clone, Copy)]
struct Owners {
    bucket: ItemId,
    /// Whose the bucket is.
    of_bucket: UserId,
    /// Whose the thing is.
    of_thing: UserId,
}

impl Operations {
    /// Who else may use the bucket that the request has come into.
    pub(super) async fn sharing(&self, asked: &Asked, bucket: &str) -> S3Result<Sharing> {
        self.bucket(asked, bucket).await?;
        let Some(entered) = &asked.entered else { return Err(denied()) };
        self.tree.sharing_through(entered).await.map_err(asked.told_about(About::Bucket))
    }
}

/// Every bucket is owned as S3 calls BucketOwnerEnforced, until its owner says otherwise.
pub(super) fn no_acl() -> S3Error {
    error(S3ErrorCode::AccessControlListNotSupported, "The bucket does not allow ACLs")
}

/// Whether somebody besides whose it is has a right.
pub(super) fn gives_others(acl: &Acl) -> bool {
    acl.grants.iter().any(|grant| match grant.to {
        Grantee::User(user) => acl.owner != Some(user),
        Grantee::Users | Grantee::Everyone => true,
    })
}

/// The grants that an object is to have which a request makes. `None` when only the bucket's owner has any.
pub(crate) async fn of_new_object(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    headers: &HeaderMap,
) -> S3Result<Option<Acl>> {
    let sharing = operations.sharing(asked, &place.bucket.name).await?;
    let canned = headers.get(X_AMZ_ACL).map(HeaderValue::as_bytes);
    let of_bucket = place.bucket.owner;
    let signer = asked.signer.as_ref().map_or(of_bucket, |signer| signer.user);
    let of_thing = match sharing.owned() {
        Ownership::Enforced => of_bucket,
        Ownership::Preferred if canned == Some(b"bucket-owner-full-control") => of_bucket,
        Ownership::Preferred | Ownership::Writer => signer,
    };
    let owners = Owners { bucket: place.bucket.item, of_bucket, of_thing };
    let acl = of_headers(headers, &owners, Of::Object)?;
    if sharing.owned() == Ownership::Enforced {
        return check_nothing(acl.as_ref(), &owners).map(|()| None);
    }
    let acl = match acl {
        Some(acl) => acl,
        None if of_thing == of_bucket => return Ok(None),
        None => owners.private(),
    };
    check(operations, asked, &sharing, &acl).await?;
    Ok(Some(acl))
}

/// What a bucket that is made is to be given.
pub(super) fn of_new_bucket(headers: &HeaderMap, bucket: ItemId, user: UserId) -> S3Result<Option<Acl>> {
    of_headers(headers, &Owners { bucket, of_bucket: user, of_thing: user }, Of::Bucket)
}

/// Whether a list gives nobody anything that they do not have anyway. `AccessControlListNotSupported` otherwise.
fn check_nothing(acl: Option<&Acl>, owners: &Owners) -> S3Result<()> {
    let is_own = |grant: &Grant| grant.to == Grantee::User(owners.of_bucket) && grant.permission == Permission::Full;
    if acl.is_none_or(|acl| acl.grants.iter().all(is_own)) { Ok(()) } else { Err(no_acl()) }
}

async fn check(operations: &Operations, asked: &Asked, sharing: &Sharing, acl: &Acl) -> S3Result<()> {
    if sharing.blocked().block_public_acls && acl.is_public() {
        return Err(denied());
    }
    operations.tree.check_grants(&asked.caller, acl).await.map_err(asked.told_about(About::Bucket))
}

impl Owners {
    fn private(&self) -> Acl {
        let grants = vec![Grant { to: Grantee::User(self.of_thing), permission: Permission::Full }];
        Acl { bucket: self.bucket, owner: Some(self.of_thing), grants }
    }

    fn canned(&self, name: &str, of: Of) -> S3Result<Acl> {
        let mut acl = self.private();
        let mut give = |to: Grantee, permission: Permission| {
            let grant = Grant { to, permission };
            if !acl.grants.contains(&grant) {
                acl.grants.push(grant);
            }
        };
        match (name, of) {
            ("private", _) => {}
            ("public-read", _) => give(Grantee::Everyone, Permission::Read),
            ("public-read-write", _) => {
                give(Grantee::Everyone, Permission::Read);
                give(Grantee::Everyone, Permission::Write);
            }
            ("authenticated-read", _) => give(Grantee::Users, Permission::Read),
            ("bucket-owner-read", Of::Object) if self.of_bucket != self.of_thing => {
                give(Grantee::User(self.of_bucket), Permission::Read);
            }
            ("bucket-owner-full-control", Of::Object) => give(Grantee::User(self.of_bucket), Permission::Full),
            ("bucket-owner-read", Of::Object) => {}
            ("aws-exec-read" | "log-delivery-write", _) => {
                return Err(not_served("There is nobody to whom this canned ACL gives anything"));
            }
            _ => return Err(error(S3ErrorCode::InvalidArgument, "This is not the name of a canned ACL")),
        }
        Ok(acl)
    }
}

/// The grants that headers make; `None` when they make none.
fn of_headers(headers: &HeaderMap, owners: &Owners, of: Of) -> S3Result<Option<Acl>> {
    let text = |value: &HeaderValue| {
        let invalid = |_| error(S3ErrorCode::InvalidArgument, "The header of a grant is not text");
        value.to_str().map(str::to_owned).map_err(invalid)
    };
    let canned = headers.get(X_AMZ_ACL).map(text).transpose()?;
    let mut grants = Vec::new();
    for (name, permission) in GRANTS {
        for value in headers.get_all(name) {
            for grantee in text(value)?.split(',') {
                grants.push(Grant { to: grantee_of_header(grantee.trim())?, permission });
            }
        }
    }
    match (canned, grants.is_empty()) {
        (None, true) => Ok(None),
        (Some(name), true) => owners.canned(&name, of).map(Some),
        (None, false) => Ok(Some(Acl { bucket: owners.bucket, owner: Some(owners.of_thing), grants })),
        (Some(_), false) => {
            let message = "Specifying both Canned ACLs and Header Grants is not allowed";
            Err(error(S3ErrorCode::InvalidRequest, message))
        }
    }
}

/// `id="7"` or `uri="http://…"`.
fn grantee_of_header(text: &str) -> S3Result<Grantee> {
    let invalid = || error(S3ErrorCode::InvalidArgument, "Argument format not recognized");
    let (kind, value) = text.split_once('=').ok_or_else(invalid)?;
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        "id" => user(value).map(Grantee::User),
        "uri" => group(value),
        "emailAddress" => Err(unresolvable()),
        _ => Err(invalid()),
    }
}

fn user(id: &str) -> S3Result<UserId> {
    id.parse().map_err(|_| error(S3ErrorCode::InvalidArgument, "Invalid id"))
}

fn group(uri: &str) -> S3Result<Grantee> {
    match uri {
        EVERYONE => Ok(Grantee::Everyone),
        USERS => Ok(Grantee::Users),
        _ => Err(error(S3ErrorCode::InvalidArgument, "Invalid group uri")),
    }
}

fn unresolvable() -> S3Error {
    error(S3ErrorCode::UnresolvableGrantByEmailAddress, "Users are named by their ids here, not by e-mail addresses")
}

/// The grants of a document.
fn of_document(document: AccessControlPolicy, owners: &Owners) -> S3Result<Acl> {
    let malformed = || {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        error(S3ErrorCode::MalformedACLError, message)
    };
    // Whose it is stays as it is.
    let named = document.owner.and_then(|owner| owner.id);
    if named.is_some_and(|id| id != owners.of_thing.to_string()) {
        return Err(denied());
    }
    let mut grants = Vec::new();
    for grant in document.grants.unwrap_or_default() {
        let (grantee, permission) = (grant.grantee.ok_or_else(malformed)?, grant.permission.ok_or_else(malformed)?);
        let to = match (grantee.type_.as_str(), grantee.id, grantee.uri) {
            (Type::CANONICAL_USER, Some(id), _) => Grantee::User(user(&id)?),
            (Type::GROUP, _, Some(uri)) => group(&uri)?,
            (Type::AMAZON_CUSTOMER_BY_EMAIL, ..) => return Err(unresolvable()),
            _ => return Err(malformed()),
        };
        let permission = match permission.as_str() {
            dto::Permission::READ => Permission::Read,
            dto::Permission::WRITE => Permission::Write,
            dto::Permission::READ_ACP => Permission::ReadAcl,
            dto::Permission::WRITE_ACP => Permission::WriteAcl,
            dto::Permission::FULL_CONTROL => Permission::Full,
            _ => return Err(malformed()),
        };
        grants.push(Grant { to, permission });
    }
    Ok(Acl { bucket: owners.bucket, owner: Some(owners.of_thing), grants })
}

/// The other way.
fn to_document(grants: &[Grant]) -> Vec<dto::Grant> {
    let shown = |grant: &Grant| {
        let (type_, id, uri) = match grant.to {
            Grantee::User(user) => (Type::CANONICAL_USER, Some(user.to_string()), None),
            Grantee::Users => (Type::GROUP, None, Some(USERS.to_owned())),
            Grantee::Everyone => (Type::GROUP, None, Some(EVERYONE.to_owned())),
        };
        let permission = match grant.permission {
            Permission::Read => dto::Permission::READ,
            Permission::Write => dto::Permission::WRITE,
            Permission::ReadAcl => dto::Permission::READ_ACP,
            Permission::WriteAcl => dto::Permission::WRITE_ACP,
            Permission::Full => dto::Permission::FULL_CONTROL,
        };
        let type_ = Type::from_static(type_);
        let grantee = dto::Grantee { display_name: id.clone(), id, email_address: None, type_, uri };
        dto::Grant { grantee: Some(grantee), permission: Some(dto::Permission::from_static(permission)) }
    };
    grants.iter().map(shown).collect()
}

/// The list that a request to set one names: by a canned name, by headers or as a document, and only by one of them.
fn named(document: Option<AccessControlPolicy>, headers: &HeaderMap, owners: &Owners, of: Of) -> S3Result<Acl> {
    match (document, of_headers(headers, owners, of)?) {
        (Some(document), None) => of_document(document, owners),
        (None, Some(acl)) => Ok(acl),
        (Some(_), Some(_)) => {
            Err(error(S3ErrorCode::UnexpectedContent, "This request does not support content besides headers"))
        }
        (None, None) => {
            let message = "Your request was missing a required header: x-amz-acl, a grant or a document";
            Err(error(S3ErrorCode::MissingSecurityHeader, message))
        }
    }
}

pub(super) async fn bucket(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    let bucket = operations.bucket(asked, &request.input.bucket).await?;
    let sharing = operations.sharing(asked, &request.input.bucket).await?;
    let owners = Owners { bucket: bucket.item, of_bucket: bucket.owner, of_thing: bucket.owner };
    let acl = sharing.acl.clone().filter(|_| sharing.has_grants()).unwrap_or_else(|| owners.private());
    Ok(S3Response::new(GetBucketAclOutput { grants: Some(to_document(&acl.grants)), owner: Some(owner(bucket.owner)) }))
}

pub(super) async fn set_bucket(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let S3Request { input, headers, .. } = request;
    let bucket = operations.bucket(asked, &input.bucket).await?;
    let owners = Owners { bucket: bucket.item, of_bucket: bucket.owner, of_thing: bucket.owner };
    let acl = named(input.access_control_policy, &headers, &owners, Of::Bucket)?;
    keep_of_bucket(operations, asked, &bucket.name, (acl, owners)).await?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

async fn keep_of_bucket(
    operations: &Operations,
    asked: &Asked,
    bucket: &str,
    (acl, owners): (Acl, Owners),
) -> S3Result<()> {
    let sharing = operations.sharing(asked, bucket).await?;
    if !sharing.has_grants() {
        return check_nothing(Some(&acl), &owners);
    }
    check(operations, asked, &sharing, &acl).await?;
    let changed = operations.tree.change_sharing(&asked.caller, bucket, move |sharing| {
        if sharing.blocked().block_public_acls && acl.is_public() {
            return Err(TreeError::Forbidden);
        }
        sharing.acl = Some(acl.clone());
        Ok(())
    });
    changed.await.map(|_| ()).map_err(asked.told_about(About::Bucket))
}

pub(super) async fn object(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let input = request.input;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let (owners, acl) = found(operations, asked, &place, input.version_id.as_deref()).await?;
    let sharing = operations.sharing(asked, &input.bucket).await?;
    let acl = acl.filter(|_| sharing.has_grants()).unwrap_or_else(|| owners.private());
    Ok(S3Response::new(GetObjectAclOutput {
        grants: Some(to_document(&acl.grants)),
        owner: Some(owner(acl.owner.unwrap_or(owners.of_bucket))),
        ..GetObjectAclOutput::default()
    }))
}

pub(super) async fn set_object(
    operations: &Operations,
    asked: &Asked,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let S3Request { input, headers, .. } = request;
    let place = operations.place(asked, &input.bucket, &input.key).await?;
    let (owners, _) = found(operations, asked, &place, input.version_id.as_deref()).await?;
    let acl = named(input.access_control_policy, &headers, &owners, Of::Object)?;
    let sharing = operations.sharing(asked, &input.bucket).await?;
    if !sharing.has_grants() {
        check_nothing(Some(&acl), &owners)?;
        return Ok(S3Response::new(PutObjectAclOutput::default()));
    }
    check(operations, asked, &sharing, &acl).await?;
    let version = wanted(input.version_id.as_deref())?;
    let changed = operations.tree.set_facts_at(&asked.caller, (place.path(), version), move |facts| {
        facts.acl = Some(acl.clone());
        Ok(())
    });
    changed.await.map_err(asked.told_about(about(input.version_id.as_deref())))?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

/// Whose an object is, and its grants in this bucket.
async fn found(
    operations: &Operations,
    asked: &Asked,
    place: &Place,
    version: Option<&str>,
) -> S3Result<(Owners, Option<Acl>)> {
    let object = operations.tree.version_at(&asked.caller, place.path(), wanted(version)?).await;
    let object = object.map_err(asked.told_about(about(version)))?;
    let acl = object.facts.and_then(|facts| facts.acl).filter(|acl| acl.bucket == place.bucket.item);
    let of_bucket = place.bucket.owner;
    let of_thing = acl.as_ref().and_then(|acl| acl.owner).unwrap_or(of_bucket);
    Ok((Owners { bucket: place.bucket.item, of_bucket, of_thing }, acl))
}

fn about(version: Option<&str>) -> About {
    if version.is_some() { About::Version } else { About::Key }
}

#[cfg(test)]
mod tests {
    use super::{Of, Owners, check_nothing, gives_others, of_headers, to_document};
    use entente_model::{ItemId, UserId};
    use entente_tree::acl::{Grantee, Permission};
    use http::{HeaderMap, HeaderName, HeaderValue};

    const OWNERS: Owners = Owners { bucket: ItemId::new(5), of_bucket: UserId::new(1), of_thing: UserId::new(2) };

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn headers_make_grants() {
        let of = |pairs: &[(&'static str, &'static str)]| of_headers(&headers(pairs), &OWNERS, Of::Object);
        assert!(of(&[]).unwrap().is_none());
        let private = of(&[("x-amz-acl", "private")]).unwrap().unwrap();
        assert!(!gives_others(&private) && !private.is_public() && private.grants.len() == 1);
        let shared = of(&[("x-amz-acl", "bucket-owner-full-control")]).unwrap().unwrap();
        assert!(gives_others(&shared) && !shared.is_public());
        assert!(of(&[("x-amz-acl", "public-read")]).unwrap().unwrap().is_public());
        let granted = of(&[
            ("x-amz-grant-read", "id=\"7\", uri=\"http://acs.amazonaws.com/groups/global/AllUsers\""),
            ("x-amz-grant-write-acp", "id=8"),
        ]);
        let granted = granted.unwrap().unwrap();
        assert_eq!(granted.grants.len(), 3);
        assert_eq!(
            (granted.grants[0].to, granted.grants[2].permission),
            (Grantee::User(UserId::new(7)), Permission::WriteAcl)
        );
        assert_eq!(to_document(&granted.grants).len(), 3);
        for odd in [
            &[("x-amz-acl", "public")][..],
            &[("x-amz-acl", "aws-exec-read")],
            &[("x-amz-acl", "private"), ("x-amz-grant-read", "id=7")],
            &[("x-amz-grant-read", "7")],
            &[("x-amz-grant-read", "id=ada")],
            &[("x-amz-grant-read", "")],
            &[("x-amz-grant-read", "emailAddress=a@b.example")],
            &[("x-amz-grant-read", "uri=http://acs.amazonaws.com/groups/s3/LogDelivery")],
        ] {
            assert!(of(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn where_no_grants_count_none_may_be_made() {
        let owners = Owners { of_thing: UserId::new(1), ..OWNERS };
        let check = |pairs: &[(&'static str, &'static str)]| {
            check_nothing(of_headers(&headers(pairs), &owners, Of::Object).unwrap().as_ref(), &owners)
        };
        for fine in [
            &[][..],
            &[("x-amz-acl", "private")],
            &[("x-amz-acl", "bucket-owner-full-control")],
            &[("x-amz-grant-full-control", "id=1")],
        ] {
            assert!(check(fine).is_ok(), "{fine:?}");
        }
        for refused in [&[("x-amz-acl", "public-read")][..], &[("x-amz-grant-read", "id=1")]] {
            assert_eq!(check(refused).unwrap_err().code().as_str(), "AccessControlListNotSupported");
        }
    }
}
