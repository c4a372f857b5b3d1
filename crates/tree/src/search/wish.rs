//! What somebody looks for, and gets.

use super::{MetadataFilter, Within};
use crate::{ItemView, Kind};
use entente_model::{ItemId, Timestamp, UserId};

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchPlace {
    /// In names.
    Name,
    /// In descriptions.
    Description,
    /// In tags.
    Tags,
    /// In comments.
    Comments,
    /// In contents. Nothing is known of these yet.
    Content,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchOrder {
    /// What fits best.
    #[default]
    Relevance,
    /// What changed last.
    LatestFirst,
    /// What has not changed for longest.
    EarliestFirst,
}

/// Whether what is in the trash is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchTrash {
    /// It is not.
    #[default]
    Without,
    /// Nothing else is.
    Only,
    /// Both are.
    With,
}

/// What is looked for. An empty list, and an end of a range that is not there, leave the choice open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Words, as `entente_search::grammar` reads them. Empty for all that fits otherwise.
    pub text: String,
    /// Where the words are looked for: everywhere, and in what metadata says, if it does not say.
    pub places: Vec<SearchPlace>,
    /// Of which kind.
    pub kind: Option<Kind>,
    /// Files with one of these extensions, in whatever case.
    pub extensions: Vec<String>,
    /// Made within.
    pub created: Within<Timestamp>,
    /// Last changed within.
    pub modified: Within<Timestamp>,
    /// So large, in bytes.
    pub size: Within<u64>,
    /// Owned by one of these.
    pub owners: Vec<UserId>,
    /// Changed by one of these, as far as the last ten versions tell.
    pub updaters: Vec<UserId>,
    /// In one of these folders, at any depth.
    pub ancestors: Vec<ItemId>,
    /// Whether from the trash.
    pub trash: SearchTrash,
    /// Put into the trash by one of these.
    pub trashers: Vec<UserId>,
    /// Put into the trash within.
    pub trashed: Within<Timestamp>,
    /// What metadata says.
    pub metadata: Option<MetadataFilter>,
    /// In which order.
    pub order: SearchOrder,
    /// After how many.
    pub offset: u32,
    /// How many at most, and `limits::SEARCH_PAGE_MAX`.
    pub limit: u32,
}

/// Some of what was found.
#[derive(Debug, Clone)]
pub struct SearchPage {
    /// In their order.
    pub entries: Vec<ItemView>,
    /// How many there are in all, of those that the caller sees and that were looked at: at least one more than what has been
    /// shown if there is more.
    pub total: u64,
}
