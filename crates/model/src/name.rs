//! Names of items. The tree is liberal: any text without `/` and NUL. Each door is strict in its own way.

use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// The longest name that the tree stores, in bytes of UTF-8 (the length of an S3 key). Doors allow less.
pub const NAME_BYTES_MAX: usize = 1024;

/// Why a text cannot be the name of an item. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has a `/`.
    #[error("a name cannot contain '/'")]
    Slash,
    /// The name has a NUL.
    #[error("a name cannot contain NUL")]
    Nul,
    /// The name is longer than [`NAME_BYTES_MAX`].
    #[error("a name cannot be longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
}

/// The name of an item: no `/`, no NUL, at most [`NAME_BYTES_MAX`] bytes; may be empty (S3 allows `a//b`).
///
/// It has no `Display` on purpose: names of items do not belong in logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemName(String);

impl ItemName {
    /// Checks the text once; afterwards the name is trusted.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        if text.contains('/') {
            return Err(NameError::Slash);
        }
        if text.contains('\0') {
            return Err(NameError::Nul);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        Ok(Self(text))
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which case-insensitive doors compare names (see [`fold`]).
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }

    /// The text, without a copy.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemName({} bytes)", self.0.len())
    }
}

/// Lower case of the composed form (Unicode NFC, then lower-casing by Unicode's mapping, then NFC again):
/// two names that fold to the same text are one name for a case-insensitive door.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_neither_slash_nor_nul_nor_more_than_its_limit() {
        assert_eq!(ItemName::new("a/b"), Err(NameError::Slash));
        assert_eq!(ItemName::new("a\0"), Err(NameError::Nul));
        assert_eq!(ItemName::new("x".repeat(1025)), Err(NameError::TooLong));
        assert!(ItemName::new("x".repeat(1024)).is_ok());
        assert!(ItemName::new("").is_ok());
    }

    #[test]
    fn folding_joins_case_and_composition() {
        assert_eq!(fold("README.TXT"), "readme.txt");
        assert_eq!(fold("E\u{301}TE\u{301}"), fold("\u{e9}t\u{e9}"));
        assert_eq!(fold("ΟΔΟΣ"), fold("οδοσ"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_folded_stays_as_it_is(text in "\\PC{0,40}") {
            let folded = fold(&text);
            proptest::prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn upper_case_letters_fold_like_lower_case_ones(text in "[a-zA-Zäöüéñßσ0-9 ._-]{0,40}") {
            proptest::prop_assert_eq!(fold(&text.to_lowercase()), fold(&text));
        }
    }

    #[test]
    fn a_name_is_not_printed() {
        assert!(!format!("{:?}", ItemName::new("secret").expect("valid")).contains("secret"));
    }
}
