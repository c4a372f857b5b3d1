//! What anybody may be told of a bucket.

use crate::{Error, Top, Tree};
use entente_database::{buckets, enterprises, items};

impl Tree {
    /// A setting of the bucket of that name, whoever asks and without saying who: only for settings that are made to be told
    /// to everybody, such as which sites' browsers may ask. `None` when there is no such bucket, or it was never a bucket to
    /// S3, or the setting is not set; the three are not told apart. A few lookups, inline.
    pub fn told_bucket_setting(&self, name: &str, kind: &str) -> Result<Option<String>, Error> {
        self.database.read(|tx| {
            let Some(enterprise) = enterprises::first(tx)? else { return Ok(None) };
            let Some(row) = buckets::by_name(tx, enterprise.id, name)? else { return Ok(None) };
            match items::ancestors(tx, row.item)?.as_slice() {
                [folder, top] if top.top == Top::Root && folder.name.as_str() == name => {
                    Ok(buckets::setting(tx, row.item, kind)?)
                }
                _ => Ok(None),
            }
        })
    }
}
