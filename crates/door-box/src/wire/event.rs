//! Events: what has happened, to what, and by whom.

use super::date::{Date, Zone};
use super::id::Text;
use super::item::Item;
use super::user::UserMini;
use entente_model::{EventId, GroupId, ItemId, Timestamp};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// `Event`, borrowed from wherever it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Its id.
    pub id: EventId,
    /// Box's word for what has happened.
    pub word: &'static str,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: UserMini<'a>,
    /// To what.
    pub source: Source<'a>,
    /// Of which group it made somebody a member, or the like.
    pub more: Option<InGroup<'a>>,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// A group that an event of a user is about.
#[derive(Debug, Clone, Copy)]
pub struct InGroup<'a> {
    /// Its id.
    pub id: GroupId,
    /// What it is called.
    pub name: &'a str,
}

impl Serialize for InGroup<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("group_id", &Text(self.id))?;
        map.serialize_entry("group_name", self.name)?;
        map.end()
    }
}

/// What an event happened to.
#[expect(clippy::large_enum_variant, reason = "it lives as long as it takes to write it")]
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// An item that is there.
    Item(Item<'a>),
    /// One that is gone.
    Gone(GoneItem<'a>),
    /// An item as events of an enterprise show it: `EventSource`.
    Brief {
        /// What it was when it happened.
        item: GoneItem<'a>,
        /// Whose content it is.
        owned_by: UserMini<'a>,
    },
    /// A user, a group or an application, as it was then.
    Other {
        /// Which of these.
        kind: &'static str,
        /// Its id.
        id: i64,
        /// What it was called.
        name: &'a str,
        /// A user's login.
        login: Option<&'a str>,
    },
}

/// What is known of an item that may be gone.
#[derive(Debug, Clone, Copy)]
pub struct GoneItem<'a> {
    /// `file`, `folder` or `web_link`.
    pub kind: &'static str,
    /// Its id.
    pub id: ItemId,
    /// What it was called.
    pub name: &'a str,
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let date = Date { at: self.at, zone: self.zone };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "event")?;
        map.serialize_entry("event_id", &Text(self.id))?;
        map.serialize_entry("event_type", self.word)?;
        map.serialize_entry("created_at", &date)?;
        map.serialize_entry("recorded_at", &date)?;
        map.serialize_entry("created_by", &self.by)?;
        map.serialize_entry("source", &self.source)?;
        if let Some(more) = &self.more {
            map.serialize_entry("additional_details", more)?;
        }
        map.end()
    }
}

impl Serialize for Source<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Item(item) => item.serialize(serializer),
            Self::Gone(item) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("type", item.kind)?;
                map.serialize_entry("id", &Text(item.id))?;
                map.serialize_entry("sequence_id", &None::<()>)?;
                map.serialize_entry("etag", &None::<()>)?;
                map.serialize_entry("name", item.name)?;
                map.serialize_entry("item_status", "deleted")?;
                map.end()
            }
            Self::Other { kind, id, name, login } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("type", kind)?;
                map.serialize_entry("id", &Text(id))?;
                map.serialize_entry("name", name)?;
                if let Some(login) = login {
                    map.serialize_entry("login", login)?;
                }
                map.end()
            }
            Self::Brief { item, owned_by } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("item_type", item.kind)?;
                map.serialize_entry("item_id", &Text(item.id))?;
                map.serialize_entry("item_name", item.name)?;
                map.serialize_entry("owned_by", owned_by)?;
                map.end()
            }
        }
    }
}

/// `Events`. The position is a number: a client reads nothing else.
#[derive(Debug, Clone, Serialize)]
pub struct Events<'a> {
    chunk_size: usize,
    next_stream_position: i64,
    entries: Vec<Event<'a>>,
}

impl<'a> Events<'a> {
    /// Some events, and where to go on.
    #[must_use]
    pub fn new(entries: Vec<Event<'a>>, next_stream_position: i64) -> Self {
        Self { chunk_size: entries.len(), next_stream_position, entries }
    }
}

/// `RealtimeServers`, of which there is one.
#[derive(Debug, Clone, Copy)]
pub struct RealtimeServers<'a> {
    /// Where to wait for news.
    pub url: &'a str,
    /// How long a request is held, in seconds.
    pub retry_timeout: u64,
}

impl Serialize for RealtimeServers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Server<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            url: &'a str,
            ttl: &'static str,
            max_retries: &'static str,
            retry_timeout: u64,
        }
        let server = Server {
            kind: "realtime_server",
            url: self.url,
            ttl: "10",
            max_retries: "10",
            retry_timeout: self.retry_timeout,
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("chunk_size", &1)?;
        map.serialize_entry("entries", &[server])?;
        map.end()
    }
}

/// What a request that waits is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Realtime {
    /// `new_change` or `reconnect`.
    pub message: &'static str,
}

/// Where a stream is to be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamPosition {
    /// Only what is still to come.
    Now,
    /// After that position.
    After(i64),
}

/// A text that is no position of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("'stream_position' must be 'now' or a number that a stream gave")]
pub struct MalformedPosition;

impl StreamPosition {
    /// Reads the parameter; everything that is kept without it.
    pub fn parse(text: Option<&str>) -> Result<Self, MalformedPosition> {
        match text {
            None | Some("") => Ok(Self::After(0)),
            Some("now") => Ok(Self::Now),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map(Self::After).map_err(|_| MalformedPosition)
            }
            Some(_) => Err(MalformedPosition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MalformedPosition, StreamPosition};

    #[test]
    fn a_position_is_a_number_or_now() {
        assert_eq!(StreamPosition::parse(None), Ok(StreamPosition::After(0)));
        assert_eq!(StreamPosition::parse(Some("0")), Ok(StreamPosition::After(0)));
        assert_eq!(StreamPosition::parse(Some("17")), Ok(StreamPosition::After(17)));
        assert_eq!(StreamPosition::parse(Some("now")), Ok(StreamPosition::Now));
        for bad in ["-1", "+1", "NOW", "1.5", "99999999999999999999", "١"] {
            assert_eq!(StreamPosition::parse(Some(bad)), Err(MalformedPosition), "{bad}");
        }
    }
}
