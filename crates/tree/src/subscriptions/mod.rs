//! Wishes to be told of changes below a bucket, whichever door they come through.
//!
//! What is to be told is written in the transaction of the change, and sent by somebody else. Whether anybody wants to be
//! told of a bucket is read with the way to each item, so that changes of which nobody is told cost nothing more.

mod below;
mod tell;

pub use below::{TELL_BELOW_JOB, Telling};
pub(crate) use tell::{changed, gone, moved, put, restored, version_gone};

use crate::buckets::find;
use crate::grant::{Change, See};
use crate::limits::{BUCKET_SETTING_BYTES_MAX, SUBSCRIPTIONS_MAX};
use crate::{Caller, Error, Tree};
use entente_database::deliveries::{self, Happening, NewDelivery, Told, Wording};
use entente_database::subscriptions::{self, Happenings, Subscription};
use entente_database::{Tx, buckets};
use entente_model::{EventId, SubscriptionId, Timestamp};
use md5::{Digest, Md5};

/// A wish to be told of changes below a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What whoever makes it calls it.
    pub name: String,
    /// To whom it is told: the name of a target.
    pub target: String,
    /// What is told.
    pub happenings: Happenings,
    /// How the paths begin of which it is told; empty for all.
    pub prefix: String,
    /// How they end; empty for all.
    pub suffix: String,
}

/// All wishes of one wording for a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// In whose words it is told.
    pub wording: Wording,
    /// They. Those that there are already stay as they are, and all others go.
    pub wishes: Vec<Wish>,
    /// The setting of the bucket that says so in the client's words.
    pub setting: &'static str,
    /// Its value; nothing when there are no wishes.
    pub value: Option<String>,
}

impl Tree {
    /// Sets what is told of changes below a bucket, and tells each target that it will be: a trial. What is still to be told
    /// by a wish that goes is told.
    ///
    /// `NotFound`; `Forbidden`; `Invalid` beyond `limits::SUBSCRIPTIONS_MAX` and `limits::BUCKET_SETTING_BYTES_MAX`.
    pub async fn set_wishes(&self, caller: &Caller, bucket: &str, set: Wishes) -> Result<(), Error> {
        if set.wishes.len() > SUBSCRIPTIONS_MAX as usize {
            return Err(Error::Invalid("a bucket cannot have so many subscriptions"));
        }
        if set.value.as_ref().is_some_and(|value| value.len() > BUCKET_SETTING_BYTES_MAX) {
            return Err(Error::Invalid("the setting of a bucket is too long"));
        }
        let (caller, bucket, stamp) = (caller.clone(), bucket.to_owned(), self.stamp());
        let ids: Vec<_> = set.wishes.iter().map(|_| SubscriptionId::new(self.world.next_id())).collect();
        self.database
            .transact("set subscriptions", move |tx| {
                let (grant, item) = find::<Change>(tx, &caller, &bucket)?;
                let before = subscriptions::of_item(tx, item.id, SUBSCRIPTIONS_MAX)?;
                let (mut before, others): (Vec<_>, Vec<_>) =
                    before.into_iter().partition(|wish| wish.wording == set.wording);
                let mut after = Vec::with_capacity(set.wishes.len());
                for (wish, id) in set.wishes.iter().zip(&ids) {
                    if let Some(at) = before.iter().position(|there| is_same(there, wish)) {
                        after.push(before.swap_remove(at));
                        continue;
                    }
                    let Wish { name, target, happenings, prefix, suffix } = wish.clone();
                    let (enterprise, wording) = (caller.enterprise, set.wording);
                    let (id, item, created_at) = (*id, item.id, stamp.at);
                    let new = Subscription {
                        id,
                        enterprise,
                        item,
                        wording,
                        name,
                        target,
                        happenings,
                        prefix,
                        suffix,
                        created_at,
                    };
                    subscriptions::insert(tx, &new)?;
                    after.push(new);
                }
                for gone in before {
                    subscriptions::remove(tx, gone.id)?;
                }
                if after.is_empty() && others.is_empty() {
                    subscriptions::leave(tx, item.id)?;
                } else {
                    subscriptions::watch(tx, item.id)?;
                }
                match &set.value {
                    Some(value) => buckets::set_setting(tx, item.id, set.setting, value, stamp.at)?,
                    None => buckets::remove_setting(tx, item.id, set.setting)?,
                }
                let told = Told {
                    bucket: bucket.clone(),
                    owner: grant.owner().number(),
                    user: caller.doer().number(),
                    at: stamp.at.millis(),
                    ..Told::default()
                };
                for wish in &after {
                    enqueue(tx, wish, (Happening::Trial, stamp.event), &told, stamp.at)?;
                }
                Ok(())
            })
            .await
    }

    /// The wishes to be told of changes below a bucket. `NotFound`.
    pub async fn wishes(&self, caller: &Caller, bucket: &str) -> Result<Vec<Subscription>, Error> {
        self.database.read(|tx| {
            let (_, item) = find::<See>(tx, caller, bucket)?;
            Ok(subscriptions::of_item(tx, item.id, SUBSCRIPTIONS_MAX)?)
        })
    }
}

fn is_same(there: &Subscription, wish: &Wish) -> bool {
    there.name == wish.name
        && there.target == wish.target
        && there.happenings == wish.happenings
        && there.prefix == wish.prefix
        && there.suffix == wish.suffix
}

fn enqueue(
    tx: &mut Tx<'_>,
    wish: &Subscription,
    (happening, event): (Happening, EventId),
    told: &Told,
    at: Timestamp,
) -> Result<(), Error> {
    let told = Told { name: wish.name.clone(), ..told.clone() };
    Ok(deliveries::enqueue(tx, &delivery(wish, (happening, event), &told, at))?)
}

fn delivery<'d>(
    wish: &'d Subscription,
    (happening, event): (Happening, EventId),
    told: &'d Told,
    at: Timestamp,
) -> NewDelivery<'d> {
    NewDelivery {
        subscription: wish.id,
        topic: topic(&told.key),
        wording: wish.wording,
        target: &wish.target,
        happening,
        told,
        event,
        at,
    }
}

/// By what deliveries of one path are known. Two paths that share it only wait for one another.
fn topic(key: &str) -> i64 {
    let digest: [u8; 16] = Md5::digest(key.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a & 0x7f, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn a_topic_is_stored_and_never_changes() {
        // The first 63 bits of the MD5.
        assert_eq!(topic(""), 0x541d_8cd9_8f00_b204);
        assert_ne!(topic("a"), topic("b"));
    }
}
