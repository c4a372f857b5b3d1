//! What happens to users and groups, for those who administer an enterprise.

use crate::items::Stamp;
use crate::{Caller, Error, User};
use entente_database::Tx;
use entente_database::events::{self, EventKind, NewOtherEvent};
use entente_database::groups::Group;
use entente_model::UserId;

impl Stamp {
    /// Records what a caller has done to a user.
    pub(crate) fn record_user(
        self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        kind: EventKind,
        user: &User,
    ) -> Result<(), Error> {
        let event = NewOtherEvent {
            id: self.event,
            enterprise: user.enterprise,
            user: caller.doer(),
            kind,
            subject: user.id.number(),
            name: &user.name,
            other: Some((UserId::new(0), &user.login)),
            at: self.at,
        };
        Ok(events::record_other(tx, &event)?)
    }

    /// Records what a caller has done to a group, or to one of its members.
    pub(crate) fn record_group(
        self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        kind: EventKind,
        (group, member): (&Group, Option<(UserId, &str)>),
    ) -> Result<(), Error> {
        let event = NewOtherEvent {
            id: self.event,
            enterprise: group.enterprise,
            user: caller.doer(),
            kind,
            subject: group.id.number(),
            name: &group.name,
            other: member,
            at: self.at,
        };
        Ok(events::record_other(tx, &event)?)
    }
}
