//! A key of a bucket, opened.

use super::{Bucket, bucket, find};
use crate::grant::See;
use crate::paths::open;
use crate::{Caller, Content, Error, Object, Path, Tree, WantedVersion};
use entente_database::buckets;
use entente_model::ItemName;

/// What there is at a key, and what reading it needs.
pub type OpenedKey = Result<(Object, Content), Error>;

impl Tree {
    /// [`Tree::bucket`] and [`Tree::open_at`] below it, as both are at one moment: one trip to the database for the two.
    /// The outer error speaks of the bucket, the inner one of the key. A few lookups, inline.
    pub async fn open_key(
        &self,
        caller: &Caller,
        name: &str,
        names: &[ItemName],
        version: Option<WantedVersion>,
    ) -> Result<(Bucket, OpenedKey), Error> {
        self.database.read(|tx| {
            let (grant, item) = find::<See>(tx, caller, name)?;
            let versioning = buckets::versioning(tx, item.id)?;
            let found = bucket(&item, grant.owner(), versioning);
            let opened = open(tx, caller, Path { base: found.item, names }, version);
            Ok((found, opened))
        })
    }
}
