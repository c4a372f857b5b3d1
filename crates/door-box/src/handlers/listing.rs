//! Pages of folders and of the trash.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::{Look, steps};
use crate::wire::collection::{Collection, Direction, Order, Page as PageShown};
use crate::wire::fields::Fields;
use crate::wire::item::Item;
use crate::wire::permissions::Sharing;
use crate::wire::query::{From, PageWanted};
use entente_tree::{ListQuery, Listing, Marker, Page, SortBy, SortOrder};
use http::StatusCode;

/// What the client wants to see, in the tree's words and in Box's.
pub(super) struct Wanted {
    pub(super) query: ListQuery,
    limit: u32,
    offset: Option<u32>,
    order: [Order; 2],
}

impl Wanted {
    /// From the request's query.
    pub(super) fn of(asked: &Asked) -> Result<Self, Problem> {
        let query = asked.query();
        let PageWanted { limit, from } = query.page()?;
        let (page, offset) = match from {
            From::Offset(offset) => {
                let offset = u32::try_from(offset).unwrap_or(u32::MAX);
                (Page::Offset { offset, limit }, Some(offset))
            }
            From::Marker(marker) => {
                let marker = marker.as_deref().map(Marker::from_text).transpose();
                let marker = marker.map_err(|error| Problem::invalid("marker", error.to_string()))?;
                (Page::After { marker, limit }, None)
            }
        };
        let (by, name) = match query.value("sort").as_deref() {
            Some("id") => (SortBy::Id, "id"),
            Some("date") => (SortBy::Date, "date"),
            Some("size") => (SortBy::Size, "size"),
            _ => (SortBy::Name, "name"),
        };
        let direction = query.direction().unwrap_or(Direction::Ascending);
        let order = match direction {
            Direction::Ascending => SortOrder::Ascending,
            Direction::Descending => SortOrder::Descending,
        };
        let shown = [Order { by: "type", direction: Direction::Ascending }, Order { by: name, direction }];
        Ok(Self { query: ListQuery { order: (by, order), page }, limit, offset, order: shown })
    }

    /// A page as Box shows it, given to `then`; with how each entry is shared, as far as that is to be shown.
    pub(super) fn show<R>(
        &self,
        look: &Look<'_>,
        (listing, sharing): (&Listing, &[Sharing]),
        fields: Fields,
        then: impl FnOnce(&Collection<'_, Item<'_>>) -> R,
    ) -> R {
        // All children of one folder have one path; what others share stands among them with paths of its own.
        let paths: Vec<_> = listing
            .entries
            .chunk_by(|one, next| one.path == next.path)
            .flat_map(|some| some.first().map(|first| (some, steps(&first.path, first.state))))
            .collect();
        let entries = paths.iter().flat_map(|(some, path)| some.iter().map(|entry| look.item_at(entry, path, fields)));
        let sharing = sharing.iter().copied().chain(std::iter::repeat(Sharing::NONE));
        let entries = entries.zip(sharing).map(|(item, sharing)| Item { sharing, ..item }).collect();
        let page = match self.offset {
            Some(offset) => PageShown::Offset {
                total_count: listing.total_count.unwrap_or(0),
                offset: offset.into(),
                order: &self.order,
            },
            None => PageShown::Marker { next: listing.next.as_ref().map(Marker::to_text) },
        };
        then(&Collection { entries, limit: self.limit.into(), page })
    }

    /// The page as an answer.
    pub(super) async fn answer(&self, asked: &Asked, listing: &Listing, fields: Fields) -> Outcome {
        let sharing = asked.sharing(fields, &listing.entries).await?;
        Ok(self.show(&asked.look(), (listing, &sharing), fields, |page| answer::json(StatusCode::OK, page)))
    }
}
