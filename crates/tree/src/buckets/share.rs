//! Changing who else may use a bucket.

use super::rules::{SETTING, Sharing};
use super::through::{is_user, named_in, sharing_of};
use super::{bucket, find, free_name, row};
use crate::grant::{Change, See};
use crate::limits::{SHARING_BYTES_MAX, SHARING_USERS_MAX};
use crate::{BucketVersioning, Caller, Error, Tree};
use entente_database::acl::Acl;
use entente_database::buckets;
use entente_model::UserId;
use std::collections::BTreeSet;

/// Why it is not as it was wished, when somebody is named who is no user.
const UNKNOWN_USER: &str = "somebody is named who is no user of the enterprise";

impl Tree {
    /// Changes who else may use the caller's bucket of that name. `change` may be called more than once, each time with what
    /// is so then. Answers what is so from then on.
    ///
    /// `NotFound`; `Invalid` when a rule or a grant that is new names somebody who is no user, or it all has become too long
    /// (`limits::SHARING_BYTES_MAX`, `limits::SHARING_USERS_MAX`); `BucketTaken` when the folder was not made through S3,
    /// and its name is taken; what `change` answers.
    pub async fn change_sharing<F>(&self, caller: &Caller, name: &str, mut change: F) -> Result<Sharing, Error>
    where
        F: FnMut(&mut Sharing) -> Result<(), Error> + Send + 'static,
    {
        let (caller, name, now) = (caller.clone(), name.to_owned(), self.world.now());
        self.database
            .transact("change sharing", move |tx| {
                super::through::check_still_ruled(tx, &caller)?;
                let (grant, item) = find::<Change>(tx, &caller, &name)?;
                let before = sharing_of(tx, item.id)?;
                let mut after = before.clone();
                change(&mut after)?;
                if after == before {
                    return Ok(after);
                }
                let known: BTreeSet<UserId> = users(&before);
                let named = users(&after);
                if named.len() > SHARING_USERS_MAX {
                    return Err(Error::Invalid("too many users are named"));
                }
                for user in named.difference(&known) {
                    if !is_user(tx, &caller, *user)? {
                        return Err(Error::Invalid(UNKNOWN_USER));
                    }
                }
                let text = after.to_text()?;
                if text.len() > SHARING_BYTES_MAX {
                    return Err(Error::Invalid("what is said of who else may use the bucket is too long"));
                }
                if buckets::by_item(tx, item.id)?.is_none() {
                    free_name(tx, &caller, &name, Some(item.id))?;
                    let bucket = bucket(&item, grant.owner(), BucketVersioning::Never);
                    buckets::insert(tx, &row(&caller, &bucket))?;
                }
                buckets::set_setting(tx, item.id, SETTING, &text, now)?;
                buckets::rules_changed(tx, item.id)?;
                Ok(after)
            })
            .await
    }

    /// Checks grants that are to be made: `Invalid` when one is to somebody who is no user of the caller's enterprise, or
    /// there are more than `limits::GRANTS_MAX`.
    pub async fn check_grants(&self, caller: &Caller, acl: &Acl) -> Result<(), Error> {
        if acl.grants.len() > crate::limits::GRANTS_MAX {
            return Err(Error::Invalid("there are too many grants"));
        }
        let named: BTreeSet<UserId> = named_in(acl).filter(|user| *user != caller.user).collect();
        if named.is_empty() {
            return Ok(());
        }
        self.database.read(|tx| {
            for user in &named {
                if !is_user(tx, caller, *user)? {
                    return Err(Error::Invalid(UNKNOWN_USER));
                }
            }
            Ok(())
        })
    }

    /// Who else may use a bucket into which somebody has come, by its rules as they are now. Nothing is decided here.
    pub async fn sharing_through(&self, entered: &super::through::Entered) -> Result<Sharing, Error> {
        if !entered.ruled {
            return Ok(Sharing::default());
        }
        self.database.read(|tx| {
            let caller = Caller { scopes: entered.caller.scopes.with(crate::Scopes::READ), ..entered.caller.clone() };
            let (_, item) = find::<See>(tx, &caller, &entered.bucket.name)?;
            sharing_of(tx, item.id)
        })
    }
}

fn users(sharing: &Sharing) -> BTreeSet<UserId> {
    sharing.named().chain(sharing.acl.iter().flat_map(named_in)).collect()
}
