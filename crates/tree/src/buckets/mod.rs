//! Buckets: folders at a root, as S3 sees them. Whatever its maker meant it for, a folder whose name can be a bucket's is
//! one; what only S3 knows of it is kept beside it.

pub(crate) mod lifecycle;
mod open;
pub mod rules;
mod share;
mod through;
mod told;

pub use open::OpenedKey;
pub use through::{Entered, Question, Sight};
pub(crate) use through::{check_still_ruled, sharing_of};

use crate::grant::{Change, Delete, Grant, List, See, Upload, allow_way};
use crate::items::place::{check_depth, settle};
use crate::items::trash::into_trash;
use crate::limits::{BATCH_ROWS_MAX, BUCKET_SETTING_BYTES_MAX, BUCKETS_MAX, CLEAR_TURNS_MAX, PAGE_ITEMS_MAX};
use crate::{Caller, Error, Item, Kind, Top, Tree, allow};
use entente_database::buckets::{self, BucketRow, BucketVersioning, Traits};
use entente_database::events::EventKind;
use entente_database::items::{self, Ancestor};
use entente_database::paths::{self, From};
use entente_database::retention::{self, Retains};
use entente_database::{Tx, counts, users};
use entente_model::{ItemId, ItemName, Timestamp, UserId};
use std::net::Ipv4Addr;

/// Begins the name of a bucket whose own name somebody else has taken since it was given another: no bucket's name does.
const PLACEHOLDER: char = '~';

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The folder.
    pub item: ItemId,
    /// Its name.
    pub name: String,
    /// At whose root it is.
    pub owner: UserId,
    /// When the folder was made.
    pub created_at: Timestamp,
    /// Whether it keeps versions.
    pub versioning: BucketVersioning,
    /// Whether it has rules by which keys go. Only where somebody comes to it by its name; else it says no.
    pub expires: bool,
    /// Whether its versions may be retained. Only where somebody comes to it by its name; else it says no.
    pub retains: Retains,
}

/// Whether a folder of this name at a root is a bucket: 3 to 63 lower-case letters, digits, dots and hyphens, a letter or
/// digit at either end, no two dots in a row, and not the form of an IP address.
#[must_use]
pub fn is_bucket_name(name: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        && is_end(bytes.first())
        && is_end(bytes.last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
}

impl Tree {
    /// The caller's buckets in order of their names, at most `limits::BUCKETS_MAX`.
    pub async fn buckets(&self, caller: &Caller) -> Result<Vec<Bucket>, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let root = users::tops(tx, caller.user)?.ok_or(Error::NotFound)?.root;
                let grant = allow::<List>(tx, &caller, root)?;
                let (mut found, mut from) = (Vec::new(), From::At(String::new()));
                loop {
                    let page = paths::page(tx, root, &from, PAGE_ITEMS_MAX)?;
                    let Some(last) = page.last() else { return Ok(found) };
                    from = From::After(last.item.sort_name());
                    for child in page {
                        let item = child.item;
                        if item.kind == Kind::Folder && is_bucket_name(item.name.as_str()) {
                            let versioning = buckets::versioning(tx, item.id)?;
                            found.push(bucket(&item, grant.owner(), versioning));
                        }
                        if found.len() >= BUCKETS_MAX {
                            return Ok(found);
                        }
                    }
                }
            })
            .await
    }

    /// The caller's bucket of that name. `NotFound`. A few lookups, inline.
    pub async fn bucket(&self, caller: &Caller, name: &str) -> Result<Bucket, Error> {
        self.database.read(|tx| {
            let (grant, item) = find::<See>(tx, caller, name)?;
            let traits = buckets::traits(tx, item.id)?;
            let Traits { expires, retains, .. } = traits;
            Ok(Bucket { expires, retains, ..bucket(&item, grant.owner(), traits.versioning) })
        })
    }

    /// Makes a bucket: a folder at the caller's root. `Invalid` for a name that no bucket can have; `BucketYours` when
    /// there is such a folder; `BucketTaken` when somebody else of the enterprise has a bucket of that name.
    pub async fn create_bucket(&self, caller: &Caller, name: &str) -> Result<Bucket, Error> {
        self.make_bucket(caller, name, Retains::Never).await
    }

    /// The same, keeping versions if they may be retained.
    pub(crate) async fn make_bucket(&self, caller: &Caller, name: &str, retains: Retains) -> Result<Bucket, Error> {
        if !is_bucket_name(name) {
            return Err(Error::Invalid("this cannot be the name of a bucket"));
        }
        let name = ItemName::new(name)?;
        let (caller, stamp, id) = (caller.clone(), self.stamp(), ItemId::new(self.world.next_id()));
        self.database
            .transact("create bucket", move |tx| {
                let root = users::tops(tx, caller.user)?.ok_or(Error::NotFound)?.root;
                let folder = allow::<Upload>(tx, &caller, root)?;
                if paths::folder_named(tx, root, &name)?.is_some() {
                    return Err(Error::BucketYours);
                }
                free_name(tx, &caller, name.as_str(), None)?;
                check_depth(&folder, 1)?;
                let mut item = Item::new(id, Kind::Folder, name.clone(), caller.user, stamp.at);
                item.parent = Some(root);
                items::insert(tx, &item)?;
                settle(tx, &folder, id, 1)?;
                let keeps = if retains == Retains::Never { BucketVersioning::Never } else { BucketVersioning::On };
                let bucket = Bucket { retains, ..bucket(&item, folder.owner(), keeps) };
                buckets::insert(tx, &row(&caller, &bucket))?;
                retention::set_of_bucket(tx, id, retains)?;
                stamp.record(tx, &caller, EventKind::Created, id, None)?;
                Ok(bucket)
            })
            .await
    }

    /// Puts a bucket in which nothing is into the trash; its name is free then. Folders that only paths needed are
    /// nothing: they are removed first, in several transactions when there are many, which is not undone when it is
    /// refused. `NotFound`; `FolderNotEmpty`, also for versions and delete markers; `BusyRetry` when there are more of
    /// them than `limits::CLEAR_TURNS_MAX` batches: those are gone then.
    pub async fn delete_bucket(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        for _ in 0..CLEAR_TURNS_MAX {
            let (caller, name, stamp) = (caller.clone(), name.to_owned(), self.stamp());
            let cleared = self
                .database
                .transact("delete bucket", move |tx| {
                    let (grant, item) = find::<Delete>(tx, &caller, &name)?;
                    let id = item.id;
                    match clear(tx, id)? {
                        Cleared::Occupied => return Err(Error::FolderNotEmpty),
                        Cleared::InPart => return Ok(Cleared::InPart),
                        Cleared::Wholly => {}
                    }
                    if buckets::by_item(tx, id)?.is_some() {
                        buckets::rename(tx, id, &placeholder(id))?;
                    }
                    into_trash(tx, &grant, item, &caller, stamp)?;
                    Ok(Cleared::Wholly)
                })
                .await?;
            if cleared == Cleared::Wholly {
                return Ok(());
            }
        }
        Err(Error::BusyRetry("the bucket had very many folders in which nothing was".into()))
    }

    /// Sets whether a bucket keeps versions. `NotFound`; `Invalid` for [`BucketVersioning::Never`], which no bucket
    /// returns to, and for anything but [`BucketVersioning::On`] where versions may be retained; `BucketTaken` when the folder was not made through S3, and its name is taken.
    pub async fn set_versioning(
        &self,
        caller: &Caller,
        name: &str,
        versioning: BucketVersioning,
    ) -> Result<Bucket, Error> {
        if versioning == BucketVersioning::Never {
            return Err(Error::Invalid("a bucket that has kept versions can only be suspended"));
        }
        let (caller, name) = (caller.clone(), name.to_owned());
        self.database
            .transact("set versioning", move |tx| {
                let (grant, item) = find::<Change>(tx, &caller, &name)?;
                let bucket = bucket(&item, grant.owner(), versioning);
                if versioning != BucketVersioning::On && buckets::traits(tx, item.id)?.retains != Retains::Never {
                    return Err(Error::Invalid("a bucket that retains versions goes on keeping them"));
                }
                if buckets::by_item(tx, item.id)?.is_some() {
                    buckets::set_versioning(tx, item.id, versioning)?;
                } else {
                    free_name(tx, &caller, &name, Some(item.id))?;
                    buckets::insert(tx, &row(&caller, &bucket))?;
                }
                Ok(bucket)
            })
            .await
    }

    /// A setting of a bucket, if it is set. `NotFound` when there is no such bucket.
    pub async fn bucket_setting(&self, caller: &Caller, name: &str, kind: &str) -> Result<Option<String>, Error> {
        self.database.read(|tx| {
            let (_, item) = find::<See>(tx, caller, name)?;
            Ok(buckets::setting(tx, item.id, kind)?)
        })
    }

    /// Sets a setting of a bucket. The tree makes nothing of it. `NotFound`; `Invalid` beyond
    /// `limits::BUCKET_SETTING_BYTES_MAX`.
    pub async fn set_bucket_setting(
        &self,
        caller: &Caller,
        name: &str,
        kind: &'static str,
        value: String,
    ) -> Result<(), Error> {
        if value.len() > BUCKET_SETTING_BYTES_MAX {
            return Err(Error::Invalid("the setting of a bucket is too long"));
        }
        let (caller, name, now) = (caller.clone(), name.to_owned(), self.world.now());
        self.database
            .transact("set bucket setting", move |tx| {
                let (_, item) = find::<Change>(tx, &caller, &name)?;
                Ok(buckets::set_setting(tx, item.id, kind, &value, now)?)
            })
            .await
    }

    /// Removes a setting of a bucket; one that is not set is success. `NotFound` when there is no such bucket.
    pub async fn remove_bucket_setting(&self, caller: &Caller, name: &str, kind: &'static str) -> Result<(), Error> {
        let (caller, name) = (caller.clone(), name.to_owned());
        self.database
            .transact("remove bucket setting", move |tx| {
                let (_, item) = find::<Change>(tx, &caller, &name)?;
                Ok(buckets::remove_setting(tx, item.id, kind)?)
            })
            .await
    }
}

pub(crate) fn find<A: crate::grant::Act>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    name: &str,
) -> Result<(Grant<A>, Item), Error> {
    if !is_bucket_name(name) {
        return Err(Error::NotFound);
    }
    let root = users::tops(tx, caller.user)?.ok_or(Error::NotFound)?.root;
    let found = paths::child(tx, root, &ItemName::new(name)?, Some(Kind::Folder))?.ok_or(Error::NotFound)?;
    let root = items::ancestors(tx, root)?;
    let way = [Ancestor::of(&found.item)].into_iter().chain(root).collect();
    through::check_still_there(tx, caller, found.item.id)?;
    Ok((allow_way::<A>(caller, way)?, found.item))
}

fn bucket(item: &Item, owner: UserId, versioning: BucketVersioning) -> Bucket {
    let (name, created_at) = (item.name.as_str().to_owned(), item.created_at);
    Bucket { item: item.id, name, owner, created_at, versioning, expires: false, retains: Retains::Never }
}

fn row(caller: &Caller, bucket: &Bucket) -> BucketRow {
    BucketRow {
        item: bucket.item,
        enterprise: caller.enterprise,
        name: bucket.name.clone(),
        owner: bucket.owner,
        versioning: bucket.versioning,
        created_at: bucket.created_at,
    }
}

fn placeholder(item: ItemId) -> String {
    format!("{PLACEHOLDER}{item}")
}

/// Sees to it that the name may be given to a bucket. A row that has it though its folder is called otherwise, or is gone,
/// does not stand in the way. `BucketTaken`; `BucketYours`.
fn free_name(tx: &mut Tx<'_>, caller: &Caller, name: &str, except: Option<ItemId>) -> Result<(), Error> {
    let taken = buckets::by_name(tx, caller.enterprise, name)?.filter(|row| Some(row.item) != except);
    let Some(BucketRow { item, owner, .. }) = taken else { return Ok(()) };
    let way = items::ancestors(tx, item)?;
    match way.as_slice() {
        [] => Ok(buckets::remove(tx, item)?),
        [folder, top] if top.top == Top::Root && folder.name.as_str() == name => {
            Err(if owner == caller.user { Error::BucketYours } else { Error::BucketTaken })
        }
        _ => Ok(buckets::rename(tx, item, &placeholder(item))?),
    }
}

/// What became of the folders in one that is to be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cleared {
    /// Nothing is left.
    Wholly,
    /// There are more than one transaction removes.
    InPart,
    /// There is something that may not be removed.
    Occupied,
}

/// Removes folders below this one that only paths needed, at most `limits::BATCH_ROWS_MAX` of them.
fn clear(tx: &mut Tx<'_>, folder: ItemId) -> Result<Cleared, Error> {
    if paths::has_shown_in_trash(tx, folder)? {
        return Ok(Cleared::Occupied);
    }
    let (mut way, mut left) = (vec![folder], BATCH_ROWS_MAX);
    while let Some(last) = way.last().copied() {
        match paths::first_child(tx, last)? {
            Some((child, is_implied)) if is_implied && !paths::has_shown_in_trash(tx, child)? => way.push(child),
            Some(_) => return Ok(Cleared::Occupied),
            None if way.len() == 1 => return Ok(Cleared::Wholly),
            None if left == 0 => return Ok(Cleared::InPart),
            None => {
                way.pop();
                counts::remove(tx, last)?;
                items::remove(tx, last)?;
                if let Some(parent) = way.last() {
                    counts::lost(tx, *parent, last)?;
                }
                left -= 1;
            }
        }
    }
    Ok(Cleared::Wholly)
}

#[cfg(test)]
mod tests {
    use super::is_bucket_name;

    #[test]
    fn names_of_buckets_are_those_of_hosts() {
        for good in ["abc", "a.b-c", "0-9", &"x".repeat(63), "1.2.3.4.5", "192.168.0"] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in
            ["", "ab", "-abc", "abc-", ".abc", "abc.", "a..b", "Abc", "a_b", "192.168.0.1", "a/b", &"x".repeat(64)]
        {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }
}
