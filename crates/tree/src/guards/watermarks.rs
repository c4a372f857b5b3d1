//! Watermarks: pictures of a file's content carry the name of whoever looks at them, and who may not change the file does
//! not take its content along. That of a folder is on everything below it, too.

use crate::grant::{Change, See};
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::guards::{self, Watermark};
use entente_model::ItemId;

/// What became of the wish for a watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatermarkMade {
    /// There was none.
    New(Watermark),
    /// There was one already.
    Again(Watermark),
}

impl Tree {
    /// Watermarks a file or a folder. `NotFound`, `Trashed` and `Forbidden` speak of it; `Forbidden` for who may not change
    /// it, and for a root.
    pub async fn watermark(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<WatermarkMade, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("watermark", move |tx| {
                allow::<Change>(tx, &caller, item)?.of(kind)?;
                let before = guards::watermark_of(tx, item)?;
                let created_at = before.map_or(stamp.at, |before| before.created_at);
                let new = Watermark { item, created_at, modified_at: stamp.at };
                guards::watermark(tx, &new)?;
                if before.is_some() {
                    return Ok(WatermarkMade::Again(new));
                }
                stamp.record(tx, &caller, EventKind::Watermarked, item, None)?;
                Ok(WatermarkMade::New(new))
            })
            .await
    }

    /// The watermark of an item itself. `NotFound` also when it has none, as long as one above it does not count.
    pub async fn watermark_of(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<Watermark, Error> {
        self.database.read(|tx| {
            allow::<See>(tx, caller, item)?.of(kind)?;
            guards::watermark_of(tx, item)?.ok_or(Error::NotFound)
        })
    }

    /// Takes the watermark of an item away. Errors as for [`Tree::watermark`]; `NotFound` also when it has none.
    pub async fn remove_watermark(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove watermark", move |tx| {
                allow::<Change>(tx, &caller, item)?.of(kind)?;
                guards::watermark_of(tx, item)?.ok_or(Error::NotFound)?;
                guards::unwatermark(tx, item)?;
                stamp.record(tx, &caller, EventKind::WatermarkRemoved, item, None)
            })
            .await
    }
}
