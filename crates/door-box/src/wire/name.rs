//! Box's rules for the names of files and folders, as its reference states them for `name`.

use entente_model::ItemName;

/// Box's limit, which clients expect in characters; here it holds for bytes as well, as file systems have it.
pub const NAME_LENGTH_MAX: usize = 255;

/// Why a text cannot be a name at Box. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, `.`, `..`, ends in a space, or has `/`, `\` or a control character.
    #[error("a name cannot be empty, '.' or '..', end with a space, or contain '/', '\\' or control characters")]
    Invalid,
    /// Longer than [`NAME_LENGTH_MAX`].
    #[error("a name cannot be longer than {NAME_LENGTH_MAX} bytes")]
    TooLong,
}

/// Checks the text.
pub fn parse(text: &str) -> Result<ItemName, NameError> {
    let forbidden = |c: char| c == '/' || c == '\\' || c.is_control();
    if text.is_empty() || text == "." || text == ".." || text.ends_with(' ') || text.contains(forbidden) {
        return Err(NameError::Invalid);
    }
    if text.len() > NAME_LENGTH_MAX {
        return Err(NameError::TooLong);
    }
    ItemName::new(text).map_err(|_| NameError::Invalid)
}

/// A name for a web link that came without one: where it leads, without the scheme, with `_` for what a name cannot have.
#[must_use]
pub fn of_url(url: &str) -> String {
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    let address = address.trim_end_matches(['/', '\\']);
    let mut name = String::new();
    for c in address.chars() {
        let c = if c == '/' || c == '\\' || c.is_control() { '_' } else { c };
        if name.len() + c.len_utf8() > NAME_LENGTH_MAX {
            break;
        }
        name.push(c);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{NameError, of_url, parse};
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn the_rules_hold() {
        for good in ["a", "a b", " a", ".a", "...", "naïve.txt", "\u{1f600}", "CON"] {
            assert!(parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", ".", "..", "a ", "a/b", "a\\b", "a\0b", "a\nb", "\u{7f}", "\u{85}"] {
            assert_eq!(parse(bad), Err(NameError::Invalid), "{bad:?}");
        }
        assert!(parse(&"x".repeat(255)).is_ok());
        assert_eq!(parse(&"x".repeat(256)), Err(NameError::TooLong));
        assert_eq!(parse(&"é".repeat(128)), Err(NameError::TooLong));
    }

    #[test]
    fn a_web_link_is_called_after_where_it_leads() {
        assert_eq!(of_url("https://example.com/a/b?c=d"), "example.com_a_b?c=d");
        assert_eq!(of_url("HTTP://example.com//"), "example.com");
        assert_eq!(of_url(&format!("https://{}é", "x".repeat(254))), "x".repeat(254));
    }

    proptest! {
        #[test]
        fn a_name_is_never_changed(text in any::<String>()) {
            if let Ok(name) = parse(&text) {
                prop_assert!(name.as_str() == text);
            }
        }
    }
}
