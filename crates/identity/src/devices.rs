//! Devices on which apps of people are signed in, as far as the apps say so: an authorization that knows its device.

use crate::{Error, Identity};
use entente_database::authorizations::{self, Pin};
use entente_database::items::SortOrder;
use entente_database::users;
use entente_model::{AuthorizationId, Caller, Scopes, UserRole};

/// Pins on a page.
pub const DEVICE_PINS_PAGE_MAX: u32 = 1_000;

impl Identity {
    /// A page of the devices of the users of the caller's enterprise, after `offset` others, in the order of their ids.
    /// `Forbidden` for who does not administer users.
    pub async fn device_pins(
        &self,
        caller: &Caller,
        order: SortOrder,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Pin>, Error> {
        check(caller)?;
        let (enterprise, limit) = (caller.enterprise, limit.min(DEVICE_PINS_PAGE_MAX));
        let pins = self.database.read_long(move |tx| authorizations::pins(tx, enterprise, order, offset, limit));
        Ok(pins.await?)
    }

    /// A device of a user of the caller's enterprise; `None` if there is none of that id. `Forbidden` for who does not
    /// administer users.
    pub fn device_pin(&self, caller: &Caller, id: AuthorizationId) -> Result<Option<Pin>, Error> {
        check(caller)?;
        Ok(self.database.read(|tx| authorizations::pin_by_id(tx, caller.enterprise, id))?)
    }

    /// Ends what the app on that device may do: it has to be let in again. `false` if there is none of that id. `Forbidden`
    /// for who does not administer users, and for a device of somebody above them.
    pub async fn remove_device_pin(&self, caller: &Caller, id: AuthorizationId) -> Result<bool, Error> {
        check(caller)?;
        let caller = caller.clone();
        self.database
            .transact("remove device pin", move |tx| {
                let Some(pin) = authorizations::pin_by_id(tx, caller.enterprise, id)? else { return Ok(false) };
                let owner = users::by_id(tx, pin.user.id)?;
                if caller.role != UserRole::Admin && owner.is_some_and(|owner| owner.role == UserRole::Admin) {
                    return Err(Error::Forbidden);
                }
                Ok(authorizations::end(tx, id)?)
            })
            .await
    }
}

fn check(caller: &Caller) -> Result<(), Error> {
    let may = caller.role.administers() && caller.scopes.contains(Scopes::ADMINISTER);
    if may { Ok(()) } else { Err(Error::Forbidden) }
}
