//! Texts in which `*` stands for any characters, and `?` for one.

use serde::{Deserialize, Serialize};

/// Such a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Every text is one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it was made.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is a `*` or a `?` in it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    /// Whether a text is one of those that it stands for. Takes at most as many steps as the two lengths multiplied, and
    /// goes back to the last `*` alone.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.0.chars(), text.chars());
        // What follows the last star that was met, and where what it stands for may end next.
        let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let mut rest = pattern.clone();
            match rest.next() {
                Some('*') => {
                    retry = Some((rest.clone(), text.clone()));
                    pattern = rest;
                    continue;
                }
                Some(wanted) => {
                    let mut left = text.clone();
                    if left.next().is_some_and(|found| wanted == '?' || wanted == found) {
                        (pattern, text) = (rest, left);
                        continue;
                    }
                }
                None if text.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after_star, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            pattern = after_star.clone();
            text = from.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_is_anything_and_a_question_mark_one_character() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b/c", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1c2b", false),
            ("a?c", "aüc", true),
            ("a?c", "ac", false),
            ("?", "", false),
            ("**a**", "a", true),
            ("home/*/x?", "home/ada/deep/x1", true),
            ("A", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), expected, "{pattern} {text}");
        }
    }

    /// What makes others go back and forth for ever ends here after few steps.
    #[test]
    fn nothing_takes_long() {
        let text = "a".repeat(1_024);
        let pattern = "a*".repeat(200) + "b";
        assert!(!Pattern::new(pattern).fits(&text));
        assert!(Pattern::new("*?".repeat(500)).fits(&text));
    }
}
