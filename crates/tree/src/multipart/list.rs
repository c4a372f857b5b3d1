use super::Multipart;
use crate::grant::List;
use crate::limits::{MULTIPARTS_LOOKED_AT_MAX, PAGE_ITEMS_MAX};
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::{Tx, multipart};
use entente_model::{ItemId, MultipartId, Timestamp};

/// Uploads read at a time.
const ROWS: u32 = 200;
/// The same where most are passed over, since their keys begin alike.
const ROWS_BESIDE_PREFIXES: u32 = 20;

/// Which open uploads to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListMultiparts {
    /// Only those whose key begins with this text.
    pub prefix: String,
    /// Keys that have this after the prefix are one entry, up to there and with it.
    pub delimiter: Option<String>,
    /// The page begins after this key, and that upload of it; after all uploads of it (or below it, if it was given out as
    /// a prefix) if none is named.
    pub after: Option<(String, Option<MultipartId>)>,
    /// How many entries it has at most; `limits::PAGE_ITEMS_MAX` if more.
    pub limit: u32,
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MultipartEntry {
    /// An open upload.
    Upload(Box<Multipart>),
    /// What the keys of some uploads begin with.
    Prefix(String),
}

/// A page of open uploads below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartPage {
    /// In order of keys, by their bytes; uploads of one key in the order in which they were begun.
    pub entries: Vec<MultipartEntry>,
    /// After which the next page begins; `None` at the end. A page may be short and not be the last one.
    pub next: Option<(String, Option<MultipartId>)>,
}

impl Tree {
    /// A page of the uploads of parts that were begun below a folder, and not ended or completed: a walk along their index.
    /// `NotFound`, `Trashed` and `Forbidden` speak of the folder.
    pub async fn list_multiparts(
        &self,
        caller: &Caller,
        base: ItemId,
        list: ListMultiparts,
    ) -> Result<MultipartPage, Error> {
        let (caller, now) = (caller.clone(), self.world.now());
        self.database
            .read_long(move |tx| {
                allow::<List>(tx, &caller, base)?.of(Kind::Folder)?;
                let mut walk = Walk { page: MultipartPage { entries: Vec::new(), next: None }, list, looked_at: 0 };
                walk.run(tx, base, now)?;
                Ok(walk.page)
            })
            .await
    }
}

/// Where a walk goes on: after this upload of this key.
type At = (String, i64);

struct Walk {
    list: ListMultiparts,
    page: MultipartPage,
    looked_at: u32,
}

impl Walk {
    fn run(&mut self, tx: &mut Tx<'_>, base: ItemId, now: Timestamp) -> Result<(), Error> {
        let limit = usize::try_from(self.list.limit.min(PAGE_ITEMS_MAX)).unwrap_or(0);
        if limit == 0 {
            return Ok(());
        }
        let Some(mut at) = self.start() else { return Ok(()) };
        let wanted = if self.list.delimiter.is_some() { ROWS_BESIDE_PREFIXES } else { ROWS };
        loop {
            let rows = multipart::after(tx, base, (&at.0, at.1), wanted)?;
            let is_last = u32::try_from(rows.len()).is_ok_and(|rows| rows < wanted);
            let mut beyond = None;
            for row in rows {
                if !row.key.starts_with(&self.list.prefix) {
                    return Ok(());
                }
                self.looked_at += 1;
                at = (row.key.clone(), row.id.number());
                if row.expires_at < now {
                    continue;
                }
                let prefix = self.common_prefix(&row.key);
                if self.page.entries.len() == limit {
                    self.page.next = self.page.entries.last().map(marker);
                    return Ok(());
                }
                match prefix {
                    None => self.page.entries.push(MultipartEntry::Upload(Box::new(row))),
                    Some(prefix) => {
                        let Some(after) = first_after(&prefix) else {
                            self.page.entries.push(MultipartEntry::Prefix(prefix));
                            return Ok(());
                        };
                        self.page.entries.push(MultipartEntry::Prefix(prefix));
                        beyond = Some((after, 0));
                        break;
                    }
                }
            }
            match beyond {
                Some(beyond) => at = beyond,
                None if is_last => return Ok(()),
                None => {}
            }
            if self.looked_at >= MULTIPARTS_LOOKED_AT_MAX {
                // All that were looked at may have expired. After a prefix there is no upload to name.
                let (key, id) = at;
                let here = (key, Some(MultipartId::new(id)));
                self.page.next = self.page.entries.last().filter(|_| id == 0).map(marker).or(Some(here));
                return Ok(());
            }
        }
    }

    /// `None` when nothing can be after it.
    fn start(&self) -> Option<At> {
        let begin = (self.list.prefix.clone(), 0);
        let after = match &self.list.after {
            None => return Some(begin),
            Some((key, Some(id))) => (key.clone(), id.number()),
            Some((key, None)) if self.common_prefix(key).as_ref() == Some(key) => (first_after(key)?, 0),
            Some((key, None)) => (key.clone(), i64::MAX),
        };
        Some(after.max(begin))
    }

    /// What a key has in common with others, up to and with the delimiter.
    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.list.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(&self.list.prefix)?;
        let (before, _) = rest.split_once(delimiter)?;
        Some([&self.list.prefix, before, delimiter].concat())
    }
}

fn marker(entry: &MultipartEntry) -> (String, Option<MultipartId>) {
    match entry {
        MultipartEntry::Upload(upload) => (upload.key.clone(), Some(upload.id)),
        MultipartEntry::Prefix(prefix) => (prefix.clone(), None),
    }
}

/// The first text that comes after all that begin with this one, by bytes; `None` when there is none.
fn first_after(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // Scalar values are in the order of their bytes; those between D800 and DFFF are none.
        let next = (u32::from(last) + 1..).take(0x801).find_map(char::from_u32).filter(|_| last != char::MAX);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_after;

    #[test]
    fn what_comes_after_all_that_begin_alike() {
        for (prefix, after) in [("a/", Some("a0")), ("a\u{d7ff}", Some("a\u{e000}")), ("a\u{10ffff}", Some("b"))] {
            assert_eq!(first_after(prefix).as_deref(), after);
        }
        assert_eq!(first_after("\u{10ffff}"), None);
        assert_eq!(first_after(""), None);
    }
}
