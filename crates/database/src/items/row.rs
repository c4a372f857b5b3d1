use crate::Error;
use crate::guards::Guard;
use crate::tx::Row;
use entente_model::{ItemId, ItemName, Timestamp, UserId, VersionId};

/// What an item is. Their order is the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Holds items.
    Folder,
    /// Holds versions.
    File,
    /// Holds a URL.
    WebLink,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Folder, Self::File, Self::WebLink];

    /// How it is stored.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Folder => 0,
            Self::File => 1,
            Self::WebLink => 2,
        }
    }

    /// Reads what [`Kind::number`] gave.
    pub fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Folder),
            1 => Ok(Self::File),
            2 => Ok(Self::WebLink),
            _ => Err(Error::damaged("an item's kind")),
        }
    }
}

/// Whether an item stands on top, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Top {
    /// It has a parent.
    Ordinary,
    /// A user's root folder.
    Root,
    /// A user's trash.
    Trash,
    /// In nobody's sight: not yet attached, or waiting to be removed.
    Limbo,
}

impl Top {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Ordinary => 0,
            Self::Root => 1,
            Self::Trash => 2,
            Self::Limbo => 3,
        }
    }

    pub(super) fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Ordinary),
            1 => Ok(Self::Root),
            2 => Ok(Self::Trash),
            3 => Ok(Self::Limbo),
            _ => Err(Error::damaged("where an item stands")),
        }
    }
}

/// An item as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What it is.
    pub kind: Kind,
    /// The folder that it is in; `None` on top.
    pub parent: Option<ItemId>,
    /// Whether it stands on top.
    pub top: Top,
    /// Whose root, trash or limbo it is; `None` for ordinary items.
    pub top_user: Option<UserId>,
    /// Its name.
    pub name: ItemName,
    /// How often it has changed.
    pub sequence: u64,
    /// The current version of a file.
    pub version: Option<VersionId>,
    /// No folder has more levels of folders below it than this; 0 for others.
    pub height: u32,
    /// May be empty.
    pub description: String,
    /// None is empty or has a control character.
    pub tags: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: UserId,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// Who last changed it.
    pub modified_by: UserId,
    /// When its content was made, as clients say.
    pub content_created_at: Timestamp,
    /// When its content was last changed, as clients say.
    pub content_modified_at: Timestamp,
    /// When it was put into the trash; `None` unless it is there itself.
    pub trashed_at: Option<Timestamp>,
    /// Who put it there.
    pub trashed_by: Option<UserId>,
    /// Where it was before.
    pub trashed_from: Option<ItemId>,
    /// Whether it is a folder that only paths below it need.
    pub implied: bool,
    /// How it looks among the versions of its path while it is in the trash itself.
    pub mark: Mark,
    /// Whether it has, or had, a shared link. Written by [`crate::shared_links`] alone.
    pub linked: bool,
    /// How many comments it has. Written by [`crate::comments`] alone.
    pub comments: u64,
    /// What stands in the way of changes. Written by [`crate::guards`] alone.
    pub guard: Guard,
    /// Where a web link leads; empty for others.
    pub url: String,
}

/// How something in the trash looks among the versions of the path that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mark {
    /// As a delete marker.
    pub marker: bool,
    /// The marker was made while the bucket kept no versions.
    pub plain: bool,
    /// Its versions are shown.
    pub versions: bool,
}

impl Mark {
    /// It is not shown at all.
    pub const HIDDEN: Self = Self { marker: false, plain: false, versions: false };
    /// A delete marker, and the versions behind it.
    pub const MARKER: Self = Self { marker: true, plain: false, versions: true };

    pub(super) fn number(self) -> i64 {
        i64::from(self.marker) + 2 * i64::from(self.plain) + 4 * i64::from(self.versions)
    }

    pub(super) fn from_number(number: i64) -> Result<Self, Error> {
        if !(0..8).contains(&number) {
            return Err(Error::damaged("how something in the trash is shown"));
        }
        Ok(Self { marker: number & 1 != 0, plain: number & 2 != 0, versions: number & 4 != 0 })
    }

    /// Whether anything of it is shown.
    #[must_use]
    pub const fn is_shown(self) -> bool {
        self.marker || self.versions
    }
}

impl Item {
    /// An ordinary item that nobody has put anywhere yet, with every time set to `at`.
    #[must_use]
    pub fn new(id: ItemId, kind: Kind, name: ItemName, by: UserId, at: Timestamp) -> Self {
        Self {
            id,
            kind,
            parent: None,
            top: Top::Ordinary,
            top_user: None,
            name,
            sequence: 0,
            version: None,
            height: 0,
            description: String::new(),
            tags: Vec::new(),
            created_at: at,
            created_by: by,
            modified_at: at,
            modified_by: by,
            content_created_at: at,
            content_modified_at: at,
            trashed_at: None,
            trashed_by: None,
            trashed_from: None,
            implied: false,
            mark: Mark::HIDDEN,
            linked: false,
            comments: 0,
            guard: Guard::NONE,
            url: String::new(),
        }
    }

    /// What siblings are sorted by where paths are read: see [`sort_name`].
    #[must_use]
    pub fn sort_name(&self) -> String {
        sort_name(self.kind, &self.name)
    }

    /// Records that `by` changed it `at` that moment. A folder that somebody changes is no longer one that only paths need.
    pub fn touch(&mut self, by: UserId, at: Timestamp) {
        self.sequence += 1;
        self.implied = false;
        self.modified_by = by;
        self.modified_at = at;
    }
}

/// The name; of a folder the name and a slash. By its bytes siblings are in the order of the keys of S3.
#[must_use]
pub fn sort_name(kind: Kind, name: &ItemName) -> String {
    match kind {
        Kind::Folder => format!("{}/", name.as_str()),
        Kind::File | Kind::WebLink => name.as_str().to_owned(),
    }
}

/// The columns of [`read`], of a table called `i`.
macro_rules! columns {
    () => {
        "i.id, i.kind, i.parent_id, i.top, i.top_user_id, i.name, i.sequence, i.version_id, i.height, i.description,
         i.tags, i.created_at, i.created_by, i.modified_at, i.modified_by, i.content_created_at, i.content_modified_at,
         i.trashed_at, i.trashed_by, i.trashed_from, i.implied, i.mark, i.linked, i.comments, i.guard, i.url"
    };
}
pub(crate) use columns;

/// How many columns [`read`] reads.
pub(crate) const COLUMNS: usize = 26;

/// Reads an item whose first column is at `start`.
pub(crate) fn read(row: &Row<'_>, start: usize) -> Result<Item, Error> {
    let user = |column: usize| Ok::<_, Error>(UserId::new(row.int(start + column)?));
    let time = |column: usize| Ok::<_, Error>(Timestamp::from_millis(row.int(start + column)?));
    Ok(Item {
        id: ItemId::new(row.int(start)?),
        kind: Kind::from_number(row.int(start + 1)?)?,
        parent: row.int_or_null(start + 2)?.map(ItemId::new),
        top: Top::from_number(row.int(start + 3)?)?,
        top_user: row.int_or_null(start + 4)?.map(UserId::new),
        name: name(row.text(start + 5)?)?,
        sequence: row.size(start + 6)?,
        version: row.int_or_null(start + 7)?.map(VersionId::new),
        height: row.number(start + 8)?,
        description: row.text(start + 9)?,
        tags: split_tags(&row.text(start + 10)?),
        created_at: time(11)?,
        created_by: user(12)?,
        modified_at: time(13)?,
        modified_by: user(14)?,
        content_created_at: time(15)?,
        content_modified_at: time(16)?,
        trashed_at: row.int_or_null(start + 17)?.map(Timestamp::from_millis),
        trashed_by: row.int_or_null(start + 18)?.map(UserId::new),
        trashed_from: row.int_or_null(start + 19)?.map(ItemId::new),
        implied: row.int(start + 20)? != 0,
        mark: Mark::from_number(row.int(start + 21)?)?,
        linked: row.int(start + 22)? != 0,
        comments: row.size(start + 23)?,
        guard: Guard::from_number(row.int(start + 24)?),
        url: row.text(start + 25)?,
    })
}

pub(crate) fn name(text: String) -> Result<ItemName, Error> {
    ItemName::new(text).map_err(|_| Error::damaged("a name"))
}

/// Tags are stored a line each.
pub(super) fn join_tags(tags: &[String]) -> String {
    tags.join("\n")
}

fn split_tags(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
