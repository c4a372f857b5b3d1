//! Versions of files.

use super::date::{Date, Zone};
use super::digest::Digest;
use super::fields::{Field, Fields, Members};
use super::id::Text;
use super::user::{UserMini, uploader};
use entente_model::{Timestamp, VersionId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// `FileVersion--Mini`.
#[derive(Debug, Clone, Copy)]
pub struct VersionMini {
    /// The version.
    pub id: VersionId,
    /// Its SHA-1.
    pub sha1: Digest,
}

impl Serialize for VersionMini {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("type", "file_version")?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("sha1", &self.sha1)?;
        map.end()
    }
}

/// A version, and which members to write.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// What to write.
    pub fields: Fields,
    /// The version.
    pub id: VersionId,
    /// Its number within the file, from 1.
    pub number: u64,
    /// Its SHA-1.
    pub sha1: Digest,
    /// The name that the file had.
    pub name: &'a str,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was made; a version never changes.
    pub created_at: Timestamp,
    /// Who made it.
    pub modified_by: UserMini<'a>,
    /// Who sent it by a file request, if it came so: the address that they gave, empty if they gave none.
    pub sender: Option<&'a str>,
    /// When it was removed from the list, if it was.
    pub trashed_at: Option<Timestamp>,
    /// Who removed it.
    pub trashed_by: Option<UserMini<'a>>,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

/// `FileVersion`, which has no etag.
pub const VERSION: Fields = Fields::of(&[
    Field::Type,
    Field::Id,
    Field::Sha1,
    Field::Name,
    Field::Size,
    Field::CreatedAt,
    Field::ModifiedAt,
    Field::ModifiedBy,
    Field::TrashedAt,
    Field::TrashedBy,
    Field::RestoredAt,
    Field::PurgedAt,
    Field::UploaderDisplayName,
]);

impl Serialize for Version<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "file_version")?;
        members.put(Field::Id, &Text(self.id))?;
        members.put(Field::Sha1, &self.sha1)?;
        members.put(Field::Name, self.name)?;
        members.put(Field::Size, &self.size_bytes)?;
        members.put_with(Field::CreatedAt, || Date { at: self.created_at, zone: self.zone })?;
        members.put_with(Field::ModifiedAt, || Date { at: self.created_at, zone: self.zone })?;
        members.put(Field::ModifiedBy, &self.modified_by)?;
        members.put_with(Field::TrashedAt, || self.trashed_at.map(|at| Date { at, zone: self.zone }))?;
        // Not nullable in Box's description: left out rather than null.
        if let Some(user) = &self.trashed_by {
            members.put(Field::TrashedBy, user)?;
        }
        members.put(Field::RestoredAt, &None::<()>)?;
        members.put(Field::PurgedAt, &None::<()>)?;
        members.put(Field::UploaderDisplayName, uploader(self.sender, &self.modified_by))?;
        members.put_with(Field::VersionNumber, || Text(self.number))?;
        members.end()
    }
}
