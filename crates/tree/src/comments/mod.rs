//! What people say of files. Who may comment on a file reads its comments, too.

mod mention;

pub use entente_database::comments::Comment;

use crate::grant::{self, Act, Grant, See};
use crate::limits::{COMMENT_CHARS_MAX, COMMENTS_MAX, MENTIONS_MAX, PAGE_ITEMS_MAX};
use crate::view::Minis;
use crate::{Caller, Error, Kind, Tree, UserMini, allow};
use entente_database::events::EventKind;
use entente_database::users::{self, UserStatus};
use entente_database::{Tx, comments, items};
use entente_model::{CommentId, EnterpriseId, ItemId, Rights, Scopes, UserId};
use mention::{mentioned, without_mentions};
use std::sync::Arc;

/// What somebody wants to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Just that.
    Plain(String),
    /// With `@[ID:NAME]` for users.
    Tagged(String),
}

/// What a comment is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentOn {
    /// A file.
    File(ItemId),
    /// Another comment, which it answers.
    Comment(CommentId),
}

/// A comment, and who made it.
#[derive(Debug, Clone)]
pub struct CommentView {
    /// Its row.
    pub comment: Comment,
    /// Who made it.
    pub created_by: Arc<UserMini>,
}

impl CommentView {
    /// What it says, with names in the place of mentions.
    #[must_use]
    pub fn message(&self) -> String {
        plain_message(&self.comment)
    }

    /// The same with mentions; empty if there are none.
    #[must_use]
    pub fn tagged_message(&self) -> &str {
        if self.comment.is_tagged { &self.comment.message } else { "" }
    }
}

/// What a comment says, with names in the place of mentions.
pub(crate) fn plain_message(comment: &Comment) -> String {
    if comment.is_tagged { without_mentions(&comment.message) } else { comment.message.clone() }
}

/// Some comments of a file.
#[derive(Debug, Clone)]
pub struct CommentPage {
    /// They, the first one first.
    pub entries: Vec<CommentView>,
    /// How many the file has.
    pub total_count: u64,
}

impl Tree {
    /// Says something of a file.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the file; `NotFound` also of the comment that is answered. `Invalid`
    /// for a message that is empty or has more than `limits::COMMENT_CHARS_MAX` characters, for mentions of more than
    /// `limits::MENTIONS_MAX` users or of somebody whom the caller may not know, and once the file has
    /// `limits::COMMENTS_MAX` comments.
    pub async fn comment(&self, caller: &Caller, on: CommentOn, message: Message) -> Result<CommentView, Error> {
        let (is_tagged, message) = checked(message)?;
        let (caller, stamp, id) = (caller.clone(), self.stamp(), CommentId::new(self.world.next_id()));
        self.database
            .transact("comment", move |tx| {
                let (item, is_reply) = match on {
                    CommentOn::File(file) => (file, false),
                    // Whether the caller may know of that comment is decided by its file.
                    CommentOn::Comment(other) => (comments::by_id(tx, other)?.ok_or(Error::NotFound)?.item, true),
                };
                let grant = allow::<grant::Comment>(tx, &caller, item)?.of(Kind::File)?;
                check_mentions(tx, &caller, &grant, is_tagged, &message)?;
                if items::by_id(tx, item)?.ok_or(Error::NotFound)?.comments >= COMMENTS_MAX {
                    return Err(Error::Invalid("the file has as many comments as it can have"));
                }
                let comment = Comment {
                    id,
                    item,
                    is_reply,
                    is_tagged,
                    message: message.clone(),
                    created_by: caller.user,
                    created_at: stamp.at,
                    modified_at: stamp.at,
                };
                comments::insert(tx, &comment)?;
                stamp.record(tx, &caller, EventKind::Commented, item, None)?;
                view(tx, &mut Minis::default(), comment)
            })
            .await
    }

    /// A comment. `NotFound` if there is none that the caller may know of; `Trashed` and `Forbidden` speak of its file.
    pub async fn comment_by_id(&self, caller: &Caller, id: CommentId) -> Result<CommentView, Error> {
        self.database.read(|tx| {
            let (comment, _) = known::<See>(tx, caller, id)?;
            view(tx, &mut Minis::default(), comment)
        })
    }

    /// Says something else: whoever made the comment. Errors as for [`Tree::comment`]; `Forbidden` for anybody else.
    pub async fn change_comment(
        &self,
        caller: &Caller,
        id: CommentId,
        message: Option<Message>,
    ) -> Result<CommentView, Error> {
        let message = message.map(checked).transpose()?;
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change comment", move |tx| {
                let (mut comment, grant) = known::<grant::Comment>(tx, &caller, id)?;
                if comment.created_by != caller.user {
                    return Err(Error::Forbidden);
                }
                let Some((is_tagged, message)) = &message else { return view(tx, &mut Minis::default(), comment) };
                check_mentions(tx, &caller, &grant, *is_tagged, message)?;
                if (comment.is_tagged, &comment.message) != (*is_tagged, message) {
                    comment.message.clone_from(message);
                    comment.is_tagged = *is_tagged;
                    comment.modified_at = stamp.at;
                    comments::update(tx, &comment)?;
                    stamp.record(tx, &caller, EventKind::CommentChanged, comment.item, None)?;
                }
                view(tx, &mut Minis::default(), comment)
            })
            .await
    }

    /// Removes a comment: whoever made it, and whoever manages the file. `NotFound` as for [`Tree::comment_by_id`];
    /// `Forbidden` for anybody else.
    pub async fn remove_comment(&self, caller: &Caller, id: CommentId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove comment", move |tx| {
                let (comment, grant) = known::<grant::Comment>(tx, &caller, id)?;
                if comment.created_by != caller.user && !grant.rights().contains(Rights::MANAGE) {
                    return Err(Error::Forbidden);
                }
                if comments::remove(tx, &comment)? {
                    stamp.record(tx, &caller, EventKind::CommentRemoved, comment.item, None)?;
                }
                Ok(())
            })
            .await
    }

    /// A page of a file's comments, `limits::PAGE_ITEMS_MAX` at most. `NotFound`, `Trashed` and `Forbidden` speak of the
    /// file.
    pub async fn comments(&self, caller: &Caller, file: ItemId, offset: u32, limit: u32) -> Result<CommentPage, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                check_reads(&allow::<See>(tx, &caller, file)?.of(Kind::File)?)?;
                let total_count = items::by_id(tx, file)?.ok_or(Error::NotFound)?.comments;
                let mut minis = Minis::default();
                let found = comments::of_item(tx, file, offset, limit.min(PAGE_ITEMS_MAX))?;
                let entries = found.into_iter().map(|one| view(tx, &mut minis, one)).collect::<Result<_, _>>()?;
                Ok(CommentPage { entries, total_count })
            })
            .await
    }
}

/// The comment with that id, if the caller may know of it and do `A` with its file.
fn known<A: Act>(tx: &mut Tx<'_>, caller: &Caller, id: CommentId) -> Result<(Comment, Grant<A>), Error> {
    let comment = comments::by_id(tx, id)?.ok_or(Error::NotFound)?;
    let grant = allow::<A>(tx, caller, comment.item)?;
    check_reads(&grant)?;
    Ok((comment, grant))
}

/// `Forbidden` unless the caller may know what is said of the file.
pub(crate) fn check_reads<A>(grant: &Grant<A>) -> Result<(), Error> {
    if grant.rights().contains(Rights::COMMENT) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Whether it mentions users, and what it says.
fn checked(message: Message) -> Result<(bool, String), Error> {
    let (is_tagged, text) = match message {
        Message::Plain(text) => (false, text),
        Message::Tagged(text) => (true, text),
    };
    check_text(&text)?;
    if text.trim().is_empty() {
        return Err(Error::Invalid("a comment must say something"));
    }
    Ok((is_tagged, text))
}

/// `Invalid` for a message that is too long, or has a character that no message has.
pub(crate) fn check_text(text: &str) -> Result<(), Error> {
    if text.chars().take(COMMENT_CHARS_MAX + 1).count() > COMMENT_CHARS_MAX {
        return Err(Error::Invalid("a message has 10,000 characters at most"));
    }
    if text.contains('\0') {
        return Err(Error::Invalid("a message has no character with the number 0"));
    }
    Ok(())
}

/// `Invalid` unless the caller may know of all who are mentioned: users of the enterprise, and whoever sees the file.
fn check_mentions(
    tx: &mut Tx<'_>,
    caller: &Caller,
    grant: &Grant<grant::Comment>,
    is_tagged: bool,
    message: &str,
) -> Result<(), Error> {
    let named = if is_tagged { mentioned(message) } else { Vec::new() };
    if named.len() > MENTIONS_MAX {
        return Err(Error::Invalid("a comment mentions 100 users at most"));
    }
    for user in named {
        let found = users::by_id(tx, user)?.filter(|user| user.status != UserStatus::Inactive);
        let is_known = match found {
            Some(found) => found.enterprise == caller.enterprise || sees(tx, found.id, found.enterprise, grant)?,
            None => false,
        };
        if !is_known {
            return Err(Error::Invalid("somebody who is mentioned is not a user"));
        }
    }
    Ok(())
}

/// Whether a user may read what is said of the item of a grant.
pub(crate) fn sees<A>(
    tx: &mut Tx<'_>,
    user: UserId,
    enterprise: EnterpriseId,
    grant: &Grant<A>,
) -> Result<bool, Error> {
    let other = Caller {
        user,
        enterprise,
        role: crate::UserRole::User,
        app: None,
        scopes: Scopes::READ,
        confined: None,
        through: None,
        link: None,
    };
    match allow::<See>(tx, &other, grant.item().id) {
        Ok(theirs) => Ok(theirs.rights().contains(Rights::COMMENT)),
        Err(Error::NotFound | Error::Forbidden | Error::Trashed) => Ok(false),
        Err(error) => Err(error),
    }
}

fn view(tx: &mut Tx<'_>, minis: &mut Minis, comment: Comment) -> Result<CommentView, Error> {
    Ok(CommentView { created_by: minis.find(tx, comment.created_by)?, comment })
}
