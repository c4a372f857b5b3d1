//! Texts to words: what is written alike in other letters is alike.
//!
//! Upper and lower case, compatibility forms and accents are folded away. Where scripts put no spaces between words, each
//! character is a word of its own, so that any part of a text is found as a run of them.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;

/// A word goes on as another after so many characters.
const WORD_CHARS_MAX: usize = 64;

/// A text as it is compared.
fn folded(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    let mut out = String::with_capacity(text.len());
    for c in plain.flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'đ' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            'ς' => out.push('σ'),
            // What lowering a letter has left beside it.
            '\u{300}'..='\u{36f}' => {}
            other => out.push(other),
        }
    }
    out.nfc().collect()
}

/// Whether a script puts no spaces between words, or hangs particles to them.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x3130..=0x318F | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF
        | 0x20000..=0x3FFFF)
}

/// The words of a text, in their order.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let (mut found, mut word, mut chars) = (Vec::new(), String::new(), 0);
    for c in folded(text).chars() {
        let alone = stands_alone(c);
        let goes_on =
            !alone && (c.is_alphanumeric() || (chars > 0 && unicode_normalization::char::is_combining_mark(c)));
        if chars > 0 && (!goes_on || chars >= WORD_CHARS_MAX) {
            found.push(std::mem::take(&mut word));
            chars = 0;
        }
        if alone {
            found.push(c.to_string());
        } else if goes_on {
            word.push(c);
            chars += 1;
        }
    }
    if chars > 0 {
        found.push(word);
    }
    found
}

/// The ends of a word from its second character on: who looks for what begins with any of these finds what is within.
fn ends(word: &str) -> impl Iterator<Item = &str> {
    let last = word.char_indices().next_back().map_or(0, |(at, _)| at);
    word.char_indices().skip(1).filter(move |(at, _)| *at < last).filter_map(|(at, _)| word.get(at..))
}

/// Words as the index takes them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Words {
    /// Each word at its place.
    Whole,
    /// The ends of words.
    Ends,
}

/// Those of one text.
pub(crate) struct Stream {
    tokens: std::vec::IntoIter<Token>,
    current: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Stream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream {
        let mut tokens = Vec::new();
        for (position, word) in words(text).into_iter().enumerate() {
            let token = |text: &str| Token {
                offset_from: 0,
                offset_to: 0,
                position,
                text: text.to_owned(),
                position_length: 1,
            };
            match self {
                Self::Whole => tokens.push(token(&word)),
                Self::Ends => tokens.extend(ends(&word).map(token)),
            }
        }
        Stream { tokens: tokens.into_iter(), current: Token::default() }
    }
}

impl TokenStream for Stream {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some(token) => {
                self.current = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

#[cfg(test)]
mod tests {
    use super::{ends, words};
    use proptest::prelude::{any, proptest};

    #[test]
    fn what_is_written_alike_is_alike() {
        assert_eq!(words("Blue-Box_2024.PDF"), ["blue", "box", "2024", "pdf"]);
        assert_eq!(words("Über STRASSE"), words("u\u{308}ber straße"));
        assert_eq!(words("Café ﬁle Ⅳ Ａ"), ["cafe", "file", "iv", "a"]);
        assert_eq!(words("İstanbul ΟΔΟΣ"), ["istanbul", "οδοσ"]);
        assert_eq!(words("会議録2024年"), ["会", "議", "録", "2024", "年"]);
        assert_eq!(words("ｶﾞｲﾄﾞ"), words("ガイド"));
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn ends_of_words() {
        assert_eq!(ends("report").collect::<Vec<_>>(), ["eport", "port", "ort", "rt"]);
        assert_eq!(ends("a").count() + ends("ab").count() + ends("").count(), 0);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            for word in words(&text) {
                assert!(!word.is_empty());
                let _ = ends(&word).count();
            }
        }
    }
}
