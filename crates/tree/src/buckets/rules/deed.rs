//! What one may be let do through a bucket.

use entente_model::Scopes;
use serde::{Deserialize, Serialize};

/// What a deed is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoneTo {
    /// The bucket as a whole.
    Bucket,
    /// One key of it.
    Key,
}

macro_rules! deeds {
    ($($(#[doc = $doc:literal])* $name:ident $to:ident [$($scope:ident)*];)*) => {
        /// One thing that one may be let do. The names are stored: never give one another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Deed {
            $($(#[doc = $doc])* $name,)*
        }

        impl Deed {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What it is done to.
            #[must_use]
            pub const fn done_to(self) -> DoneTo {
                match self {
                    $(Self::$name => DoneTo::$to,)*
                }
            }

            /// What a credential needs for it, and no more.
            #[must_use]
            pub const fn scopes(self) -> Scopes {
                match self {
                    $(Self::$name => Scopes::NONE$(.with(Scopes::$scope))*,)*
                }
            }
        }
    };
}

deeds! {
    /// List the keys.
    ListKeys Bucket [READ];
    /// List versions and delete markers.
    ListVersions Bucket [READ];
    /// List uploads that are not complete.
    ListUploads Bucket [READ];
    /// Be told where the bucket is.
    SeeLocation Bucket [READ];
    /// Remove the bucket.
    RemoveBucket Bucket [READ DELETE];

    /// Read an object.
    ReadObject Key [READ DOWNLOAD];
    /// Read a version of an object by its id.
    ReadVersion Key [READ DOWNLOAD];
    /// Be told of what an object is made.
    ReadAttributes Key [READ];
    /// The same of a version by its id.
    ReadVersionAttributes Key [READ];
    /// Put an object, in one request or in parts.
    WriteObject Key [READ UPLOAD];
    /// Delete an object.
    RemoveObject Key [READ DELETE];
    /// Delete a version of an object by its id, or a delete marker.
    RemoveVersion Key [READ DELETE];
    /// End an upload that is not complete.
    AbortUpload Key [READ UPLOAD];
    /// List the parts of an upload.
    ListParts Key [READ UPLOAD];
    /// Read the tags of an object.
    ReadTags Key [READ];
    /// The same of a version by its id.
    ReadVersionTags Key [READ];
    /// Change the tags of an object.
    WriteTags Key [READ CHANGE];
    /// The same of a version by its id.
    WriteVersionTags Key [READ CHANGE];
    /// Take an object's tags away.
    RemoveTags Key [READ CHANGE];
    /// The same of a version by its id.
    RemoveVersionTags Key [READ CHANGE];
    /// Read the grants of an object.
    ReadAcl Key [READ];
    /// The same of a version by its id.
    ReadVersionAcl Key [READ];
    /// Change the grants of an object.
    WriteAcl Key [READ CHANGE];
    /// The same of a version by its id.
    WriteVersionAcl Key [READ CHANGE];
    /// Read until when a version is retained.
    ReadRetention Key [READ];
    /// Retain a version.
    WriteRetention Key [READ CHANGE];
    /// Read whether a version is held.
    ReadHold Key [READ];
    /// Hold a version, or let it go.
    WriteHold Key [READ CHANGE];
    /// Do away with a retention that may be done away with.
    BypassRetention Key [READ];

    /// Read whether the bucket keeps versions.
    ReadVersioning Bucket [READ];
    /// Change that.
    WriteVersioning Bucket [READ CHANGE];
    /// Read who else may use the bucket.
    ReadPolicy Bucket [READ];
    /// Change that.
    WritePolicy Bucket [READ CHANGE];
    /// Take it away.
    RemovePolicy Bucket [READ CHANGE];
    /// Read whether everybody may use the bucket.
    ReadPolicyStatus Bucket [READ];
    /// Read the grants of the bucket.
    ReadBucketAcl Bucket [READ];
    /// Change them.
    WriteBucketAcl Bucket [READ CHANGE];
    /// Read what shall not be public.
    ReadPublicBlock Bucket [READ];
    /// Change that.
    WritePublicBlock Bucket [READ CHANGE];
    /// Read whose the objects are.
    ReadOwnership Bucket [READ];
    /// Change that.
    WriteOwnership Bucket [READ CHANGE];
    /// Read which sites' browsers may ask.
    ReadCors Bucket [READ];
    /// Change that.
    WriteCors Bucket [READ CHANGE];
    /// Read the bucket's tags.
    ReadBucketTags Bucket [READ];
    /// Change them.
    WriteBucketTags Bucket [READ CHANGE];
    /// Read how everything is sealed.
    ReadEncryption Bucket [READ];
    /// Change that.
    WriteEncryption Bucket [READ CHANGE];
    /// Read what goes by itself.
    ReadLifecycle Bucket [READ];
    /// Change that.
    WriteLifecycle Bucket [READ CHANGE];
    /// Read who is told of changes.
    ReadNotifications Bucket [READ];
    /// Change that.
    WriteNotifications Bucket [READ CHANGE];
    /// Read how long everything is retained.
    ReadObjectLock Bucket [READ];
    /// Change that.
    WriteObjectLock Bucket [READ CHANGE];
    /// Read who pays.
    ReadRequestPayment Bucket [READ];
    /// Read where requests are written down.
    ReadLogging Bucket [READ];
    /// Read how the bucket is a site.
    ReadWebsite Bucket [READ];
    /// Read where the bucket is copied to.
    ReadReplication Bucket [READ];
    /// Read whether the bucket is accelerated.
    ReadAcceleration Bucket [READ];
}

/// A set of deeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deeds {
    /// Whatever one can do, today and later.
    All,
    /// These.
    Some(std::collections::BTreeSet<Deed>),
}

impl Deeds {
    /// Whether a deed is among them.
    #[must_use]
    pub fn contains(&self, deed: Deed) -> bool {
        match self {
            Self::All => true,
            Self::Some(deeds) => deeds.contains(&deed),
        }
    }

    /// Whether any of them is done to that.
    #[must_use]
    pub fn any_to(&self, what: DoneTo) -> bool {
        match self {
            Self::All => true,
            Self::Some(deeds) => deeds.iter().any(|deed| deed.done_to() == what),
        }
    }
}
