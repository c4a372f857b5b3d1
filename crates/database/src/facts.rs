//! What is remembered of a version besides its bytes: a row each, and none where there is nothing.

use crate::acl::Acl;
use crate::retention::Retention;
use crate::{Error, Tx};
use entente_model::VersionId;
use serde::{Deserialize, Serialize};

/// What S3 remembers of a version besides its bytes. Stored as JSON, each member left out when it is empty: a member is
/// never given another meaning.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The entity tag, where it is not the MD5: of an upload in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The sizes of the parts that it came in, in order; empty if it came in one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
    /// Its content type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Headers that are given back as they came: names in lower case, and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// What the client wants to be remembered: names in lower case, and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<(String, String)>,
    /// Tags: keys and values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// A checksum that the client sent or asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// The storage class that the client named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Who else may do what with it, where its bucket lets that count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
    /// What is to keep it from being removed. Only of an upload that is not complete: of a version it is kept apart, and
    /// here in what its readers are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// A checksum of a version's bytes, or of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// By which algorithm, as S3 names it.
    pub algorithm: String,
    /// In base64.
    pub value: String,
    /// Of what.
    pub kind: ChecksumKind,
}

/// What a checksum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// All bytes.
    FullObject,
    /// The checksums of the parts.
    Composite,
}

impl Facts {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The form in which they are stored.
    pub fn to_text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error::damaged("facts that are not to be written"))
    }

    /// Reads what [`Facts::to_text`] gave.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|_| Error::damaged("the facts of a version"))
    }
}

/// Remembers the facts of a version that has none yet. Nothing is stored when they are empty.
pub fn insert(tx: &mut Tx<'_>, version: VersionId, facts: &Facts) -> Result<(), Error> {
    if facts.is_empty() {
        return Ok(());
    }
    let text = facts.to_text()?;
    tx.put("INSERT INTO version_facts (version_id, facts) VALUES (?1, ?2)", &[version.into(), text.as_str().into()])
}

/// Remembers other facts of a version.
pub fn replace(tx: &mut Tx<'_>, version: VersionId, facts: &Facts) -> Result<(), Error> {
    if facts.is_empty() {
        return remove(tx, version);
    }
    let text = facts.to_text()?;
    tx.put(
        "INSERT INTO version_facts (version_id, facts) VALUES (?1, ?2)
         ON CONFLICT (version_id) DO UPDATE SET facts = excluded.facts",
        &[version.into(), text.as_str().into()],
    )
}

/// Gives a version the facts that another has, if that has any.
pub fn copy(tx: &mut Tx<'_>, from: VersionId, to: VersionId) -> Result<(), Error> {
    tx.put(
        "INSERT INTO version_facts (version_id, facts) SELECT ?2, f.facts FROM version_facts f WHERE f.version_id = ?1",
        &[from.into(), to.into()],
    )
}

/// The facts of a version, if there are any.
pub fn of_version(tx: &mut Tx<'_>, version: VersionId) -> Result<Option<Facts>, Error> {
    let sql = "SELECT facts FROM version_facts WHERE version_id = ?1";
    tx.query_one(sql, &[version.into()], |row| Facts::from_text(&row.text(0)?))
}

/// Forgets the facts of a version.
pub fn remove(tx: &mut Tx<'_>, version: VersionId) -> Result<(), Error> {
    tx.put("DELETE FROM version_facts WHERE version_id = ?1", &[version.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_go_to_text_and_back_and_what_is_empty_is_left_out() {
        assert_eq!(Facts::default().to_text().expect("text"), "{}");
        assert!(Facts::from_text("{}").expect("facts").is_empty());
        let facts = Facts {
            content_type: Some("text/plain".to_owned()),
            metadata: vec![("näme".to_owned(), "värde".to_owned())],
            checksum: Some(Checksum {
                algorithm: "CRC32C".to_owned(),
                value: "AAAAAA==".to_owned(),
                kind: ChecksumKind::Composite,
            }),
            ..Facts::default()
        };
        let text = facts.to_text().expect("text");
        assert!(!text.contains("tags"), "{text}");
        assert_eq!(Facts::from_text(&text).expect("facts"), facts);
        assert!(Facts::from_text("7").is_err());
    }
}
