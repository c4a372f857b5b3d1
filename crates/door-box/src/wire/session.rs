//! Upload sessions and their parts.

use super::date::{Date, Zone};
use super::id::Text;
use entente_model::{Sha1, Timestamp, UploadSessionId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The smallest file that Box takes in parts, in bytes.
pub const SESSION_SIZE_MIN_BYTES: u64 = 20_000_000;

/// `UploadSession`.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// The session.
    pub id: UploadSessionId,
    /// Until when parts are taken.
    pub expires_at: Timestamp,
    /// The size of every part but the last, in bytes.
    pub part_size_bytes: u64,
    /// How many parts the file has.
    pub total_parts: u64,
    /// How many are there.
    pub parts_processed: u64,
    /// The absolute URL that the session's own begin with: `…/2.0/files/upload_sessions/`, ending in `/`.
    pub base_url: &'a str,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

impl Serialize for Session<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("type", "upload_session")?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("session_expires_at", &Date { at: self.expires_at, zone: self.zone })?;
        map.serialize_entry("part_size", &self.part_size_bytes)?;
        map.serialize_entry("total_parts", &self.total_parts)?;
        map.serialize_entry("num_parts_processed", &self.parts_processed)?;
        map.serialize_entry("session_endpoints", &Endpoints { base_url: self.base_url, id: self.id })?;
        map.end()
    }
}

struct Endpoints<'a> {
    base_url: &'a str,
    id: UploadSessionId,
}

impl Serialize for Endpoints<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { base_url, id } = self;
        let mut map = serializer.serialize_map(Some(7))?;
        for name in ["upload_part", "status", "abort"] {
            map.serialize_entry(name, &format_args!("{base_url}{id}"))?;
        }
        map.serialize_entry("commit", &format_args!("{base_url}{id}/commit"))?;
        map.serialize_entry("list_parts", &format_args!("{base_url}{id}/parts"))?;
        map.serialize_entry("log_event", &format_args!("{base_url}{id}/log"))?;
        // Not in Box's description; newer official clients ask it which parts are still wanted.
        map.serialize_entry("plan", &format_args!("{base_url}{id}/plan"))?;
        map.end()
    }
}

/// `UploadPart`.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its first byte within the file.
    pub offset: u64,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its SHA-1.
    pub sha1: Sha1,
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("part_id", self.id)?;
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("size", &self.size_bytes)?;
        map.serialize_entry("sha1", &Text(self.sha1))?;
        map.end()
    }
}

/// `UploadedPart`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct UploadedPart<'a> {
    /// The part.
    pub part: Part<'a>,
}

/// `UploadUrl`: what a preflight answers. `upload_token` is left out, as there is none.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct UploadUrl<'a> {
    /// Where the form goes; clients append their own query.
    pub upload_url: &'a str,
}

/// What a session's `plan` answers: every part is still wanted.
#[derive(Debug, Serialize)]
pub struct PlanAnswer<'a> {
    upload_session_id: Text<UploadSessionId>,
    hits: [(); 0],
    misses: &'a [serde_json::Value],
}

impl<'a> PlanAnswer<'a> {
    /// Of the session, about these parts.
    #[must_use]
    pub fn all_missing(session: UploadSessionId, parts: &'a [serde_json::Value]) -> Self {
        Self { upload_session_id: Text(session), hits: [], misses: parts }
    }
}
