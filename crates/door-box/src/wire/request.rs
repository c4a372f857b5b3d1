//! JSON bodies of requests. `null` for a member means that it is not given, as official clients send it so.

use super::date::DateText;
use super::lock::FileLockAsked;
use super::shared_link::SharedLinkAsked;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;

/// The body is no JSON object of the wanted shape. The text says where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entity body is not correct: {0}")]
pub struct MalformedBody(pub String);

/// Reads a body. An empty one counts as `{}`: clients send none when they have nothing to say.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, MalformedBody> {
    let body = match body.trim_ascii_start().first() {
        Some(b'{') => body,
        None => b"{}",
        // A list would be taken for the members in their order.
        Some(_) => return Err(MalformedBody("it is not a JSON object".to_owned())),
    };
    serde_json::from_slice(body).map_err(|error| MalformedBody(error.to_string()))
}

/// An id: a text, or a number as some clients send it. Not yet known to be well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdText(pub String);

impl<'de> Deserialize<'de> for IdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = IdText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<IdText, E> {
                Ok(IdText(text.to_owned()))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<IdText, E> {
                Ok(IdText(number.to_string()))
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}

/// `{"id": …}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// The id.
    pub id: Option<IdText>,
}

/// `{"type": …, "id": …}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TypedReference {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The id.
    pub id: Option<IdText>,
}

/// What assigns a storage policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewAssignment {
    /// The policy.
    pub storage_policy: Option<TypedReference>,
    /// A user or an enterprise.
    pub assigned_to: Option<TypedReference>,
}

/// What changes the assignment of a storage policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AssignmentChange {
    /// The new policy.
    pub storage_policy: Option<TypedReference>,
}

/// What creates a folder, and the `attributes` of an upload and of a preflight.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NewItem {
    /// Its name.
    pub name: Option<String>,
    /// The folder that it goes into.
    pub parent: Option<Reference>,
    /// How large it will be; negative numbers are an error that the handler words.
    pub size: Option<i64>,
    /// When its content was made.
    pub content_created_at: Option<DateText>,
    /// When its content was changed.
    pub content_modified_at: Option<DateText>,
}

/// What creates a web link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewWebLink {
    /// Where it leads.
    pub url: Option<String>,
    /// The folder that it goes into.
    pub parent: Option<Reference>,
    /// Its name; made of the URL, if not given.
    pub name: Option<String>,
    /// What is said of it.
    pub description: Option<String>,
}

/// What changes a file, a folder or a web link.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Change {
    /// The new name.
    pub name: Option<String>,
    /// The new parent.
    pub parent: Option<Reference>,
    /// Of a web link: where it leads from then on.
    pub url: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new tags, instead of all old ones.
    pub tags: Option<Vec<String>>,
    /// Of a folder: whether editors may invite others.
    pub can_non_owners_invite: Option<bool>,
    /// Of a folder: whether collaborators who do not manage it see who else there is.
    pub can_non_owners_view_collaborators: Option<bool>,
    /// Of a folder: whether only users of the enterprise may be invited.
    pub is_collaboration_restricted_to_enterprise: Option<bool>,
    /// When the content was made.
    pub content_created_at: Option<DateText>,
    /// When the content was changed.
    pub content_modified_at: Option<DateText>,
    /// Of a file: its lock; `Some(None)` for `null`, which takes it away.
    #[serde(deserialize_with = "object")]
    pub lock: Option<Option<FileLockAsked>>,
    /// The collections that it is to be in; `Some(None)` for `null`: in none.
    #[serde(deserialize_with = "given")]
    pub collections: Option<Option<Vec<Reference>>>,
    /// What its shared link is to be; `Some(None)` for `null`, which takes it away.
    #[serde(deserialize_with = "object")]
    pub shared_link: Option<Option<SharedLinkAsked>>,
}

/// What copies or restores an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// The new name.
    pub name: Option<String>,
    /// The new parent.
    pub parent: Option<Reference>,
    /// Which version of a file to copy.
    pub version: Option<IdText>,
}

/// What makes an old version the current one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Promotion {
    /// The version.
    pub id: Option<IdText>,
}

/// What changes a version: only whether it is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct VersionChange {
    /// `Some(None)` for `null`, which puts the version back into the list.
    #[serde(deserialize_with = "given")]
    pub trashed_at: Option<Option<String>>,
}

/// Tells `null` from nothing.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The same of an object: a list would be taken for its members in their order.
pub(super) fn object<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let members: Option<Map<String, Value>> = Option::deserialize(deserializer)?;
    let read = members.map(|members| serde_json::from_value(Value::Object(members)));
    read.transpose().map(Some).map_err(D::Error::custom)
}

/// What opens an upload session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewSession {
    /// The folder that a new file goes into.
    pub folder_id: Option<IdText>,
    /// The size of the whole file in bytes.
    pub file_size: Option<i64>,
    /// Its name.
    pub file_name: Option<String>,
}

/// What commits an upload session.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// The parts, in any order.
    pub parts: Option<Vec<PartNamed>>,
    /// What the file gets besides its content.
    pub attributes: Option<NewItem>,
}

/// A part, as a client names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PartNamed {
    /// Its id.
    pub part_id: String,
    /// Its first byte within the file.
    pub offset: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// What a client asks of a session's `plan`: which of these parts are still wanted.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The parts, as the client describes them.
    pub parts: Vec<serde_json::Value>,
}

/// What creates or changes a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserChange {
    /// Their name.
    pub name: Option<String>,
    /// What they log in with.
    pub login: Option<String>,
    /// `user` or `coadmin`.
    pub role: Option<String>,
    /// Two letters.
    pub language: Option<String>,
    /// A name of the IANA time zone database.
    pub timezone: Option<String>,
    /// How much they may store, in bytes; negative for any amount.
    pub space_amount: Option<i64>,
    /// `active` or `inactive`.
    pub status: Option<String>,
    /// What they do.
    pub job_title: Option<String>,
    /// Their telephone.
    pub phone: Option<String>,
    /// Their postal address.
    pub address: Option<String>,
    /// Whether it is to be an app's own user, without a login.
    pub is_platform_access_only: Option<bool>,
    /// What an app calls it.
    pub external_app_user_id: Option<String>,
    /// `Some(None)` for `null`, which rolls the user out of the enterprise. Other values are of no meaning.
    #[serde(deserialize_with = "given")]
    pub enterprise: Option<Option<IdText>>,
    /// `Some(None)` for `null`, which removes it.
    #[serde(deserialize_with = "given")]
    pub notification_email: Option<Option<NotificationEmail>>,
    /// By what the enterprise counts it; all that it has from then on.
    pub tracking_codes: Option<Vec<TrackingCode>>,
    /// Whether it sees the other users of the enterprise.
    pub can_see_managed_users: Option<bool>,
    /// Whether it synchronises.
    pub is_sync_enabled: Option<bool>,
    /// Whether it shares with nobody outside the enterprise.
    pub is_external_collab_restricted: Option<bool>,
    /// Whether it uses as many devices as it likes.
    pub is_exempt_from_device_limits: Option<bool>,
    /// Whether it needs no second factor.
    pub is_exempt_from_login_verification: Option<bool>,
    /// Whether it has to choose another password.
    pub is_password_reset_required: Option<bool>,
}

/// Where a user is told of things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NotificationEmail {
    /// The address.
    pub email: Option<String>,
}

/// By what an enterprise counts a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TrackingCode {
    /// What is counted by.
    pub name: Option<String>,
    /// Under which of it.
    pub value: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Change, Commit, IdText, NewItem, parse};
    use proptest::prelude::{any, proptest};

    #[test]
    fn nothing_and_null_are_not_given() {
        assert!(parse::<Change>(b"") == Ok(Change::default()));
        assert!(parse::<Change>(br#"{"name":null,"parent":null}"#) == Ok(Change::default()));
    }

    #[test]
    fn an_id_may_be_a_number() {
        let new: NewItem = parse(br#"{"name":"a","parent":{"id":12}}"#).expect("is correct");
        assert_eq!(new.parent.and_then(|parent| parent.id), Some(IdText("12".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = parse::<NewItem>(br#"{"name":5}"#).expect_err("is wrong");
        assert!(error.to_string().contains("expected a string"), "{error}");
        assert!(parse::<NewItem>(b"[]").is_err());
        assert!(parse::<NewItem>(b"{\"name\":\"\xff\"}").is_err());
        assert!(parse::<NewItem>(br#"{"content_modified_at":"yesterday"}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_body_is_too_odd(body in any::<Vec<u8>>()) {
            let _ = parse::<NewItem>(&body);
            let _ = parse::<Commit>(&body);
        }
    }
}
