//! How versions and delete markers of a path are called.

use entente_model::{ItemId, VersionId};
use std::{fmt, str::FromStr};

/// A delete marker: an item in the trash, as it was put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MarkerId {
    /// The item.
    pub item: ItemId,
    /// How often it had changed then.
    pub sequence: u64,
}

/// What of a path's history is meant. As text: the id of a version in decimal, `null`, or `d`, the item's id, a dot and
/// the sequence number for a delete marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WantedVersion {
    /// This version.
    Id(VersionId),
    /// The newest that was made while the bucket kept no versions: a version, or a delete marker.
    Plain,
    /// This delete marker.
    Marker(MarkerId),
}

/// The text names no version. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is called by its number, by null, or by the name of a delete marker")]
pub struct WantedVersionError;

impl fmt::Display for WantedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(version) => version.fmt(f),
            Self::Plain => f.write_str("null"),
            Self::Marker(MarkerId { item, sequence }) => write!(f, "d{item}.{sequence}"),
        }
    }
}

impl FromStr for WantedVersion {
    type Err = WantedVersionError;
    fn from_str(text: &str) -> Result<Self, WantedVersionError> {
        if text == "null" {
            return Ok(Self::Plain);
        }
        if let Some(marker) = text.strip_prefix('d') {
            let (item, sequence) = marker.split_once('.').ok_or(WantedVersionError)?;
            let item = item.parse().map_err(|_| WantedVersionError)?;
            let number: u64 = sequence.parse().map_err(|_| WantedVersionError)?;
            if number.to_string() != sequence {
                return Err(WantedVersionError);
            }
            return Ok(Self::Marker(MarkerId { item, sequence: number }));
        }
        text.parse().map(Self::Id).map_err(|_| WantedVersionError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_versions_go_to_text_and_back() {
        let marker = MarkerId { item: ItemId::new(7), sequence: 0 };
        for wanted in [WantedVersion::Id(VersionId::new(12)), WantedVersion::Plain, WantedVersion::Marker(marker)] {
            assert_eq!(wanted.to_string().parse(), Ok(wanted));
        }
        for bad in ["", "0", "nul", "d", "d7", "d7.", "d7.01", "d7.+1", "d.1", "d07.1", "x7", "-1"] {
            assert_eq!(bad.parse::<WantedVersion>(), Err(WantedVersionError), "{bad}");
        }
    }
}
