//! Comments.

use super::date::{Date, Zone};
use super::fields::{Field, Fields, Members};
use super::id::Text;
use super::request::TypedReference;
use super::user::UserMini;
use entente_model::{CommentId, ItemId, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

/// A comment, and which of its members to write.
#[derive(Debug, Clone, Copy)]
pub struct Comment<'a> {
    /// What to write.
    pub fields: Fields,
    /// Its id.
    pub id: CommentId,
    /// Of which file.
    pub item: ItemId,
    /// Whether it answers another.
    pub is_reply: bool,
    /// What it says, with names in the place of mentions.
    pub message: &'a str,
    /// The same with mentions; empty if there are none.
    pub tagged_message: &'a str,
    /// Who made it.
    pub created_by: UserMini<'a>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// `Comment`.
pub const COMMENT: Fields = Fields::of(&[
    Field::Type,
    Field::Id,
    Field::IsReplyComment,
    Field::Message,
    Field::CreatedBy,
    Field::CreatedAt,
    Field::ModifiedAt,
    Field::Item,
]);

/// What a comment is on.
#[derive(Debug, Clone, Copy, Serialize)]
struct On {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Text<ItemId>,
}

impl Serialize for Comment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let date = |at| Date { at, zone: self.zone };
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "comment")?;
        members.put_with(Field::Id, || Text(self.id))?;
        members.put(Field::IsReplyComment, &self.is_reply)?;
        members.put(Field::Message, self.message)?;
        members.put(Field::TaggedMessage, self.tagged_message)?;
        members.put(Field::CreatedBy, &self.created_by)?;
        members.put_with(Field::CreatedAt, || date(self.created_at))?;
        members.put_with(Field::ModifiedAt, || date(self.modified_at))?;
        members.put_with(Field::Item, || On { kind: "file", id: Text(self.item) })?;
        members.end()
    }
}

/// What makes a comment, or changes one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CommentAsked {
    /// What it says.
    pub message: Option<String>,
    /// The same with mentions: if there is one, it counts.
    pub tagged_message: Option<String>,
    /// On what; only for a new one.
    pub item: Option<TypedReference>,
}
