//! Where a file's bytes are.

use crate::grant::See;
use crate::view::row;
use crate::{Caller, Error, Kind, Tree, Whereabouts, allow};
use entente_database::{versions, whereabouts};
use entente_model::ItemId;

impl Tree {
    /// Where the current version of a file is stored, to who may see the file. `Trashed` and `NotFound` as for the file.
    pub async fn whereabouts(&self, caller: &Caller, file: ItemId) -> Result<Whereabouts, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let grant = allow::<See>(tx, &caller, file)?.of(Kind::File)?;
                let version = row(tx, &grant)?.version.ok_or(Error::internal("a file has no current version"))?;
                let version = versions::by_id(tx, version)?.ok_or(Error::internal("a current version is not there"))?;
                whereabouts::of(tx, version.content)?.ok_or(Error::NotFound)
            })
            .await
    }
}
