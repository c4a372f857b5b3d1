//! What the caller last had to do with.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::steps;
use crate::wire::collection::{Collection, Page};
use crate::wire::item::{FILE, Item, TRASH_FOLDER, WEB_LINK};
use crate::wire::recent::RecentItem;
use entente_model::{Caller, ItemId, Timestamp};
use entente_tree::{ItemView, Kind, RecentAct, RecentPlace};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().marker_page()?;
    let after = wanted.marker.as_deref().map(place).transpose()?;
    // A page of none would have no marker to go on from.
    let limit = wanted.limit.max(1);
    let found = asked.tree().recents(&caller, after, limit).await?;
    let views: Vec<ItemView> = found.entries.iter().map(|recent| recent.item.clone()).collect();
    let sharing = asked.sharing(asked.fields(FILE), &views).await?;
    let look = asked.look();
    let paths: Vec<_> = views.iter().map(|view| steps(&view.path, view.state)).collect();
    let shown = found.entries.iter().zip(&paths).zip(sharing);
    let entries = shown.map(|((recent, path), sharing)| {
        let standard = match recent.item.item.kind {
            Kind::File => FILE,
            Kind::Folder => TRASH_FOLDER,
            Kind::WebLink => WEB_LINK,
        };
        RecentItem {
            item: Item { sharing, ..look.item_at(&recent.item, path, asked.fields(standard)) },
            interaction: interaction(recent.act),
            at: recent.at,
            zone: look.zone,
        }
    });
    let next = found.next.map(|next| format!("{}.{}", next.at.millis(), next.item));
    let page = Page::Marker { next };
    Ok(answer::json(StatusCode::OK, &Collection { entries: entries.collect(), limit: limit.into(), page }))
}

/// Reads a marker back.
fn place(marker: &str) -> Result<RecentPlace, Problem> {
    let place = marker.split_once('.').and_then(|(at, item)| {
        let (at, item) = (at.parse().ok()?, item.parse::<ItemId>().ok()?);
        Some(RecentPlace { at: Timestamp::from_millis(at), item })
    });
    place.ok_or_else(|| Problem::invalid("marker", "the marker is not one that a list gave"))
}

fn interaction(act: RecentAct) -> &'static str {
    match act {
        RecentAct::Previewed => "item_preview",
        RecentAct::Uploaded => "item_upload",
        RecentAct::Commented => "item_comment",
        RecentAct::Opened => "item_open",
        RecentAct::Modified => "item_modify",
    }
}
