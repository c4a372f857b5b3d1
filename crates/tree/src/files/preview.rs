//! Who may see pictures of a file's content.

use super::open::{Opened, opened};
use crate::grant::Preview;
use crate::view::row;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::users;
use entente_model::{ItemId, Rights};

/// What of a file somebody may see pictures of.
#[derive(Debug, Clone)]
pub struct Previewed {
    /// Its content.
    pub opened: Opened,
    /// Whose login must be written all over the pictures, where only such may be shown: the file is watermarked, and who
    /// asks may not change it.
    pub watermark: Option<String>,
}

impl Tree {
    /// Decides whether the caller may see a picture of a file's current version. A lock that prevents downloads does not
    /// prevent that.
    ///
    /// `NotFound` and `Trashed` speak of the file; `Forbidden` for who may know of it and not look inside.
    pub async fn preview(&self, caller: &Caller, file: ItemId) -> Result<Previewed, Error> {
        self.database.read(|tx| {
            let grant = allow::<Preview>(tx, caller, file)?.of(Kind::File)?;
            let watermarked = grant.way().iter().any(|step| step.guard.watermarked);
            let watermark = if watermarked && !grant.rights().contains(Rights::EDIT) {
                // Of somebody who is gone by now, the number: there is never none.
                let looks = users::mini(tx, caller.doer())?.map(|user| user.login).filter(|login| !login.is_empty());
                Some(looks.unwrap_or_else(|| caller.doer().to_string()))
            } else {
                None
            };
            let item = row(tx, &grant)?;
            Ok(Previewed { opened: opened(tx, item, None)?, watermark })
        })
    }
}
