//! Whose place a bucket is: docs/formats/store-marker.md.
//!
//! A marker object keeps two installations from using one bucket, where each would take the other's objects for
//! garbage, and keeps us out of buckets that hold something else.

use crate::{Backend, Error, ErrorKind};
use bytes::Bytes;
use std::{fmt, str::FromStr};

/// Which installation it is: drawn at random when its database is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId([u8; 16]);

impl StoreId {
    /// The id that these random bytes are.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The bytes it was made of.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The text is not 32 hexadecimal digits. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a store's id is 32 hexadecimal digits")]
pub struct StoreIdError;

impl FromStr for StoreId {
    type Err = StoreIdError;
    fn from_str(text: &str) -> Result<Self, StoreIdError> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(|number| Self(number.to_be_bytes())).ok_or(StoreIdError)
    }
}

/// What to make of objects that look like ours where nothing tells whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmarked {
    /// They may be another installation's, which has lost its marker: keep away.
    Refuse,
    /// The operator says that they are ours, as after an upgrade from a version without markers.
    Adopt,
}

/// How a place came to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It was empty, and has been marked.
    Fresh,
    /// It has our mark.
    Ours,
    /// It had objects and no mark, and has been marked.
    Adopted,
}

/// Why a place is not ours. Nothing has been changed in it.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another installation has marked it.
    #[error("the bucket belongs to another installation, store {store}; give this one a bucket or prefix of its own")]
    OtherStore {
        /// Which.
        store: StoreId,
    },
    /// Another backend of this installation is in it, so copies in the two would be one copy.
    #[error("the bucket is already in use as backend {backend:?}; give each backend a bucket or prefix of its own")]
    OtherBackend {
        /// Its configured name.
        backend: String,
    },
    /// It has objects that are not ours.
    #[error(
        "the bucket holds {} that this program has not made, such as {}; give it an empty bucket or a prefix of its own",
        if *.count == FOREIGN_COUNTED_MAX { format!("{FOREIGN_COUNTED_MAX} objects or more") } else { format!("{count} objects") },
        .examples.join(", ")
    )]
    Foreign {
        /// How many were found, at most [`FOREIGN_COUNTED_MAX`].
        count: usize,
        /// Names of some.
        examples: Vec<String>,
    },
    /// It has objects that look like ours, and no marker.
    #[error(
        "the bucket has objects of an installation, but no marker that tells of which; \
         if they are this one's, say so with `adopt`"
    )]
    Unmarked,
    /// The marker cannot be read: it was written by a newer version, or is not one.
    #[error("the marker {} in the bucket is not one that this version understands", crate::MARKER_NAME)]
    Unreadable,
    /// The backend's name cannot be written down.
    #[error("a backend's name has 1 to 200 bytes and no control characters")]
    Name,
    /// The backend failed.
    #[error(transparent)]
    Cloud(#[from] Error),
}

/// The most foreign objects that are counted.
pub const FOREIGN_COUNTED_MAX: usize = 100;
const EXAMPLES: usize = 3;
const FORMAT: &str = "entente-store 1";

/// Makes sure that a place is the backend `name` of the installation `store`, and marks it if it is nobody's yet.
///
/// To be asked when a backend is opened, before anything is written to it. May be repeated, and dropped at any await.
/// Where a service cannot create without overwriting, two installations that claim a fresh place in the same moment may
/// both be told that it is theirs; the next start of the loser finds out.
pub async fn claim(backend: &dyn Backend, store: StoreId, name: &str, unmarked: Unmarked) -> Result<Claim, ClaimError> {
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(ClaimError::Name);
    }
    if let Some(marker) = backend.marker().await? {
        return Mark::parse(&marker)?.check(store, name).map(|()| Claim::Ours);
    }
    let has_objects = !backend.list(None, 1).await?.is_empty();
    if has_objects && unmarked == Unmarked::Refuse {
        return Err(ClaimError::Unmarked);
    }
    let foreign = backend.foreign(FOREIGN_COUNTED_MAX).await?;
    if !foreign.is_empty() {
        let examples = foreign.iter().take(EXAMPLES).map(|name| shown(name)).collect();
        return Err(ClaimError::Foreign { count: foreign.len(), examples });
    }
    let mark = Mark { store, backend: name.to_owned() };
    match backend.mark(Bytes::from(mark.to_string())).await {
        Err(error) if error.kind != ErrorKind::AlreadyExists => return Err(error.into()),
        // Somebody may have been faster, perhaps ourselves before an answer was lost.
        _ => {}
    }
    let marker = backend
        .marker()
        .await?
        .ok_or_else(|| Error::new(ErrorKind::Failed, "marker").because("the marker was written, but is not there"))?;
    Mark::parse(&marker)?.check(store, name)?;
    Ok(if has_objects { Claim::Adopted } else { Claim::Fresh })
}

/// What a marker says.
struct Mark {
    store: StoreId,
    backend: String,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FORMAT}\nstore {}\nbackend {}", self.store, self.backend)
    }
}

impl Mark {
    fn parse(marker: &[u8]) -> Result<Self, ClaimError> {
        let parts = std::str::from_utf8(marker).ok().and_then(|text| {
            let mut lines = text.lines();
            let format = lines.next().filter(|format| *format == FORMAT);
            let store = lines.next()?.strip_prefix("store ")?.parse().ok()?;
            let backend = lines.next()?.strip_prefix("backend ")?.to_owned();
            format.map(|_| Self { store, backend })
        });
        parts.ok_or(ClaimError::Unreadable)
    }

    fn check(self, store: StoreId, name: &str) -> Result<(), ClaimError> {
        if self.store != store {
            return Err(ClaimError::OtherStore { store: self.store });
        }
        if self.backend != name {
            return Err(ClaimError::OtherBackend { backend: self.backend });
        }
        Ok(())
    }
}

/// A name that somebody else gave, fit for a terminal.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ObjectName, memory::MemoryBackend};
    use entente_world::World;

    const STORE: StoreId = StoreId::new([0xab; 16]);
    const OTHER: StoreId = StoreId::new([0xcd; 16]);

    fn backend() -> MemoryBackend {
        MemoryBackend::new(World::real())
    }

    #[tokio::test]
    async fn a_fresh_place_is_marked_and_stays_ours() {
        let backend = backend();
        assert_eq!(claim(&backend, STORE, "local", Unmarked::Refuse).await.unwrap(), Claim::Fresh);
        backend.replace(ObjectName::new([1; 16]), Bytes::from_static(b"ours"));
        backend.leave_foreign("came later");
        assert_eq!(claim(&backend, STORE, "local", Unmarked::Refuse).await.unwrap(), Claim::Ours);
    }

    #[tokio::test]
    async fn the_marker_is_what_the_format_says() {
        let backend = backend();
        claim(&backend, STORE, "azure-fr", Unmarked::Refuse).await.unwrap();
        let golden = "entente-store 1\nstore abababababababababababababababab\nbackend azure-fr\n";
        assert_eq!(backend.marker().await.unwrap().unwrap(), golden);
    }

    #[tokio::test]
    async fn two_installations_or_backends_do_not_share_a_place() {
        let backend = backend();
        claim(&backend, STORE, "one", Unmarked::Refuse).await.unwrap();
        let other = claim(&backend, OTHER, "one", Unmarked::Adopt).await.unwrap_err();
        assert!(matches!(other, ClaimError::OtherStore { store: STORE }), "{other}");
        let twice = claim(&backend, STORE, "two", Unmarked::Adopt).await.unwrap_err();
        assert!(matches!(&twice, ClaimError::OtherBackend { backend } if backend == "one"), "{twice}");
    }

    #[tokio::test]
    async fn of_many_that_claim_at_once_one_has_it() {
        let backend = backend();
        let claims = (0..16_u8).map(|claimant| claim(&backend, StoreId::new([claimant; 16]), "x", Unmarked::Refuse));
        let claims = futures_util::future::join_all(claims.collect::<Vec<_>>()).await;
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
    }

    #[tokio::test]
    async fn a_place_with_foreign_objects_is_refused_with_examples() {
        let backend = backend();
        for number in 0..7 {
            backend.leave_foreign(format!("holiday {number}.jpg\u{1b}"));
        }
        for unmarked in [Unmarked::Refuse, Unmarked::Adopt] {
            let error = claim(&backend, STORE, "local", unmarked).await.unwrap_err().to_string();
            assert!(error.contains("holds 7 objects") && error.contains("holiday 2.jpg"), "{error}");
            assert!(!error.contains('\u{1b}'));
        }
        assert_eq!(backend.marker().await.unwrap(), None);
    }

    #[tokio::test]
    async fn objects_without_a_marker_are_adopted_only_on_demand() {
        let backend = backend();
        backend.replace(ObjectName::new([1; 16]), Bytes::from_static(b"whose?"));
        let refused = claim(&backend, STORE, "local", Unmarked::Refuse).await.unwrap_err();
        assert!(matches!(refused, ClaimError::Unmarked), "{refused}");
        assert_eq!(claim(&backend, STORE, "local", Unmarked::Adopt).await.unwrap(), Claim::Adopted);
    }

    #[tokio::test]
    async fn a_marker_of_another_kind_is_left_alone() {
        for marker in ["", "entente-store 2\nstore x\n", "entente-store 1\nstore ab\nbackend x\n", "\u{feff}"] {
            let backend = backend();
            backend.mark(Bytes::from(marker)).await.unwrap();
            let error = claim(&backend, STORE, "local", Unmarked::Adopt).await.unwrap_err();
            assert!(matches!(error, ClaimError::Unreadable), "{marker:?}: {error}");
        }
    }

    #[tokio::test]
    async fn a_name_that_would_forge_a_line_is_refused() {
        for name in ["", "a\nstore 00", &"x".repeat(201)] {
            assert!(matches!(claim(&backend(), STORE, name, Unmarked::Refuse).await, Err(ClaimError::Name)));
        }
    }

    #[test]
    fn ids_are_32_hexadecimal_digits() {
        assert_eq!(STORE.to_string().parse(), Ok(STORE));
        for odd in ["", "ab", "+bababababababababababababababab0", &"g".repeat(32)] {
            assert_eq!(odd.parse::<StoreId>(), Err(StoreIdError), "{odd}");
        }
    }
}
