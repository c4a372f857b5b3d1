//! Who may see pictures of a file's content.

use super::open::{Opened, opened};
use crate::grant::Preview;
use crate::view::row;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_model::{ItemId, Rights};

/// What of a file somebody may see a picture of.
#[derive(Debug, Clone)]
pub enum Previewed {
    /// Its content, as it is.
    Plain(Box<Opened>),
    /// Nothing without a watermark: it is watermarked, and who asks may not change it.
    Watermarked,
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
            if watermarked && !grant.rights().contains(Rights::EDIT) {
                return Ok(Previewed::Watermarked);
            }
            let item = row(tx, &grant)?;
            Ok(Previewed::Plain(Box::new(opened(tx, item, None)?)))
        })
    }
}
