//! What people type into a search box: words, phrases in quotes, and AND, OR and NOT in capitals.
//!
//! AND binds closer than OR, and stands between words when nothing does. Nothing that is typed is wrong: an operator with
//! nothing to stand between is left out. Whoever asks for more than is bounded is refused.

use crate::words::words;

/// Bytes of a query at most.
pub const QUERY_BYTES_MAX: usize = 4_096;
/// Words of a query at most.
pub const QUERY_WORDS_MAX: usize = 64;

/// A query: one of these must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask(pub(crate) Vec<All>);

/// All of these must hold.
pub(crate) type All = Vec<Term>;

/// Words that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) words: Vec<String>,
    /// In quotes: the last word is whole, too.
    pub(crate) exact: bool,
    /// It must not hold.
    pub(crate) not: bool,
}

/// A query has more than is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a query has at most {QUERY_BYTES_MAX} bytes and {QUERY_WORDS_MAX} words")]
pub struct TooMuch;

impl Ask {
    /// Reads what was typed. `None` when there is no word in it.
    pub fn parse(text: &str) -> Result<Option<Self>, TooMuch> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(TooMuch);
        }
        let (mut any, mut all, mut not, mut count) = (Vec::new(), All::new(), false, 0);
        for (piece, exact) in pieces(text) {
            match (piece, exact) {
                ("AND", false) => {}
                ("OR", false) => any.push(std::mem::take(&mut all)),
                ("NOT", false) => not = true,
                _ => {
                    let words = words(piece);
                    if words.is_empty() {
                        continue;
                    }
                    count += words.len();
                    all.push(Term { words, exact, not: std::mem::take(&mut not) });
                }
            }
        }
        any.push(all);
        any.retain(|all| !all.is_empty());
        if count > QUERY_WORDS_MAX {
            return Err(TooMuch);
        }
        Ok(Some(Self(any)).filter(|ask| !ask.0.is_empty()))
    }
}

/// What stands in quotes, and what stands between spaces. A quote that is not closed goes on to the end.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    for (number, part) in text.split('"').enumerate() {
        if number % 2 == 1 {
            found.push((part, true));
        } else {
            found.extend(part.split(|c: char| c.is_whitespace() || c == '(' || c == ')').map(|piece| (piece, false)));
        }
    }
    found.retain(|(piece, _)| !piece.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::{Ask, TooMuch};
    use proptest::prelude::{any, proptest};

    fn shown(text: &str) -> String {
        let Some(Ask(any)) = Ask::parse(text).unwrap() else { return "nothing".to_owned() };
        let all = any.iter().map(|all| {
            let terms = all.iter().map(|term| {
                let words = term.words.join(" ");
                let text = if term.exact { format!("\"{words}\"") } else { words };
                if term.not { format!("-{text}") } else { text }
            });
            terms.collect::<Vec<_>>().join(" & ")
        });
        all.collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn the_language() {
        assert_eq!(shown("marketing BoxWorks"), "marketing & boxworks");
        assert_eq!(
            shown("marketing AND BoxWorks OR \"Blue-Box\" NOT draft"),
            "marketing & boxworks | \"blue box\" & -draft"
        );
        assert_eq!(shown("marketing and or not"), "marketing & and & or & not");
        assert_eq!(shown("OR a AND NOT OR"), "a");
        assert_eq!(shown("\"open end"), "\"open end\"");
        assert_eq!(shown("a.b (c)"), "a b & c");
        assert_eq!(shown(" \"\" -- AND"), "nothing");
        assert_eq!(Ask::parse(&"a ".repeat(65)), Err(TooMuch));
        assert_eq!(Ask::parse(&"a".repeat(5_000)), Err(TooMuch));
    }

    proptest! {
        #[test]
        fn no_query_is_too_odd(text in any::<String>(), more in "[ANDORT \"()a-]{0,80}") {
            let _ = Ask::parse(&text);
            let _ = Ask::parse(&more);
        }
    }
}
