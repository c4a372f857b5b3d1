//! A key of a bucket, opened.

use super::through::{Entered, Question, enter};
use crate::paths::open;
use crate::retention::with_retention;
use crate::{Content, Error, Object, Path, Retains, Tree};

/// What there is at a key, and what reading it needs.
pub type OpenedKey = Result<(Object, Content), Error>;

impl Tree {
    /// [`Tree::through_bucket`] and [`Tree::open_at`] below it, as both are at one moment: one trip to the database for the
    /// two. The outer error speaks of the bucket, the inner one of the key; `Invalid` for a question without a key. A few
    /// lookups, inline.
    pub async fn open_key(&self, question: &Question<'_>) -> Result<(Entered, OpenedKey), Error> {
        let (names, version) = question.key.ok_or(Error::Invalid("a key is needed"))?;
        self.database.read(|tx| {
            let entered = enter(tx, question)?;
            let opened = open(tx, &entered.caller, Path { base: entered.bucket.item, names }, version);
            let opened = if entered.bucket.retains == Retains::Never { opened } else { with_retention(tx, opened) };
            Ok((entered, opened))
        })
    }
}
