//! Objects in order of names, from services that may know no other beginning of a listing than its first object.

use super::{CloudBackend, created_at};
use crate::{Error, ErrorKind, FOREIGN_LOOKED_MAX, Listed, MARKER_NAME, ObjectName};
use futures_util::TryStreamExt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows that a page of a listing asks for, at most; a service may give fewer.
const PAGE_ROWS_MAX: usize = 1000;
/// The same where rows that nobody wants have to be passed over: as many as Azure gives.
const SEEK_ROWS_MAX: usize = 5000;
/// Hexadecimal digits in a name.
const DIGITS: usize = 32;
/// Rows of others that one listing passes over before it gives up.
const PASSED_OVER_MAX: usize = 1_000_000;

/// How a listing is made to begin in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seek {
    /// The service is told after which name.
    StartAfter,
    /// The service is asked for names that begin with so many digits that few come before the wanted ones.
    Prefix,
}

/// Lists, and remembers what it learned about how many objects there are.
pub(super) struct Listing {
    seek: Seek,
    /// So many digits have been found to select about a page of names. Any number is right, some are slow.
    digits: AtomicUsize,
}

/// What came of a listing of the names with one prefix.
enum Walk {
    /// As many rows as were wanted.
    Enough,
    /// All there are. `passed_over` of them came before the wanted ones.
    Ended { passed_over: usize },
    /// A whole page came before the wanted ones, so a longer prefix would do better.
    TooFarBack,
}

impl Listing {
    pub(super) fn new(seek: Seek) -> Self {
        Self { seek, digits: AtomicUsize::new(0) }
    }

    pub(super) async fn list(
        &self,
        cloud: &CloudBackend,
        after: Option<ObjectName>,
        limit: usize,
    ) -> Result<Vec<Listed>, Error> {
        let mut rows = Rows { after, limit, listed: Vec::new() };
        match (after, self.seek) {
            _ if limit == 0 => {}
            (Some(after), Seek::Prefix) => self.list_by_prefix(cloud, after, &mut rows).await?,
            (Some(after), Seek::StartAfter) => {
                rows.walk(cloud, "", Some(&after.to_string()), usize::MAX).await?;
            }
            (None, _) => {
                rows.walk(cloud, "", None, usize::MAX).await?;
            }
        }
        Ok(rows.listed)
    }

    /// First the names that share `digits` digits with `after`, then the next ones that share one fewer, and so on.
    async fn list_by_prefix(&self, cloud: &CloudBackend, after: ObjectName, rows: &mut Rows) -> Result<(), Error> {
        let text = after.to_string();
        let mut digits = self.digits.load(Ordering::Relaxed).min(DIGITS);
        loop {
            let passed_over_max = if digits < DIGITS { SEEK_ROWS_MAX } else { usize::MAX };
            match rows.walk(cloud, first(&text, digits), None, passed_over_max).await? {
                Walk::Enough => break,
                Walk::TooFarBack => digits = digits.saturating_add(1),
                Walk::Ended { passed_over } => {
                    // So few that one digit fewer would not have selected a page either.
                    let few = passed_over.saturating_add(rows.listed.len()) < SEEK_ROWS_MAX / 32;
                    self.digits.store(if few { digits.saturating_sub(1) } else { digits }, Ordering::Relaxed);
                    return self.list_what_follows(cloud, &text, digits, rows).await;
                }
            }
        }
        self.digits.store(digits, Ordering::Relaxed);
        Ok(())
    }

    /// The names after all those that begin with the first `digits` digits of `text`.
    async fn list_what_follows(
        &self,
        cloud: &CloudBackend,
        text: &str,
        digits: usize,
        rows: &mut Rows,
    ) -> Result<(), Error> {
        for shared in (0..digits).rev() {
            let prefix = first(text, shared);
            let digit = text.get(shared..).and_then(|rest| rest.chars().next()).and_then(|digit| digit.to_digit(16));
            for next in digit.map_or(16, |digit| digit.saturating_add(1))..16 {
                if let Walk::Enough = rows.walk(cloud, &format!("{prefix}{next:x}"), None, usize::MAX).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn first(text: &str, digits: usize) -> &str {
    text.get(..digits).unwrap_or(text)
}

struct Rows {
    after: Option<ObjectName>,
    limit: usize,
    listed: Vec<Listed>,
}

impl Rows {
    /// Takes the wanted rows among the names that begin with `prefix`, and checks that they come in order.
    async fn walk(
        &mut self,
        cloud: &CloudBackend,
        prefix: &str,
        start_after: Option<&str>,
        passed_over_max: usize,
    ) -> Result<Walk, Error> {
        let wanted = self.limit.saturating_sub(self.listed.len());
        // One more, so that the page that ends the listing is known to end it.
        let page =
            if passed_over_max == usize::MAX { wanted.saturating_add(1).min(PAGE_ROWS_MAX) } else { SEEK_ROWS_MAX };
        let mut objects = cloud.rows(prefix, start_after, page).await?;
        let (mut previous, mut passed_over) = (None, 0_usize);
        while self.listed.len() < self.limit {
            let Some(entry) = objects.try_next().await.map_err(|error| cloud.error(&error, "list"))? else {
                return Ok(Walk::Ended { passed_over });
            };
            let name = entry.path().parse::<ObjectName>().ok();
            if let Some(name) = name {
                if previous.is_some_and(|previous| name <= previous) {
                    return Err(out_of_order());
                }
                previous = Some(name);
            }
            match name.filter(|name| self.after.is_none_or(|after| *name > after)) {
                Some(name) => {
                    let (size, created_at) = (entry.metadata().content_length(), created_at(entry.metadata()));
                    self.listed.push(Listed { name, size, created_at });
                }
                None => passed_over = passed_over.saturating_add(1),
            }
            if self.listed.is_empty() && passed_over >= passed_over_max {
                return Ok(Walk::TooFarBack);
            }
            if passed_over > PASSED_OVER_MAX {
                let what = "there are too many objects of others; give the backend a bucket or prefix of its own";
                return Err(Error::new(ErrorKind::Failed, "list").because(what));
            }
        }
        Ok(Walk::Enough)
    }
}

/// What was listed so far cannot be trusted either: something may have been left out.
fn out_of_order() -> Error {
    let what = "the listing repeats names or is out of order, so it may be incomplete; the service cannot be used";
    Error::new(ErrorKind::Failed, "list").because(what)
}

pub(super) async fn foreign(cloud: &CloudBackend, limit: usize) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    let mut objects = cloud.rows("", None, PAGE_ROWS_MAX).await?;
    for _ in 0..FOREIGN_LOOKED_MAX {
        let Some(entry) = objects.try_next().await.map_err(|error| cloud.error(&error, "foreign"))? else {
            break;
        };
        // Some consoles make an empty object of the prefix itself.
        let path = entry.path().trim_matches('/');
        let ours = path.is_empty() || path == MARKER_NAME || entry.path().parse::<ObjectName>().is_ok();
        if !ours {
            found.push(entry.path().to_owned());
            if found.len() >= limit {
                break;
            }
        }
    }
    Ok(found)
}
