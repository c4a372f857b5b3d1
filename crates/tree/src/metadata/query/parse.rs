//! The language of queries: comparisons of fields, put together by AND, OR and NOT, as in the WHERE of SQL.
//!
//! ```text
//! expression = and *( OR and )            and = not *( AND not )          not = [ NOT ] ( "(" expression ")" / test )
//! test = field ( "=" / "<>" / "!=" / "<" / "<=" / ">" / ">=" ) ( value / ANY "(" values ")" )
//!      / value "=" ANY "(" field ")"
//!      / field [ NOT ] ( LIKE / ILIKE ) value
//!      / field [ NOT ] ( IN / HASANY / HASALL ) "(" values ")"
//!      / field IS [ NOT ] NULL
//! value = ":" name / number / "'" text "'"     field = name / '"' text '"'
//! ```

use super::MetadataError;
use crate::limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_TESTS_MAX, QUERY_VALUES_MAX};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Whether letters of another case are other letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Folded,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    /// What a parameter of this name is.
    Parameter(String),
    /// A number, as its digits.
    Number(String),
    Text(String),
}

/// What a query says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(String, Compare, Written),
    Like(String, Case, Written),
    /// Has one of the values.
    In(String, Vec<Written>),
    HasAll(String, Vec<Written>),
    IsNull(String),
}

/// Reads a query. `Query` says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Expression, MetadataError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(wrong("the query is too long"));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, tests: 0 };
    let expression = parser.expression(0)?;
    if parser.at < parser.tokens.len() {
        Err(wrong("there is more behind the end of the query"))
    } else {
        Ok(expression)
    }
}

fn wrong(what: &str) -> MetadataError {
    MetadataError::Query(what.to_owned())
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name or a word of the language.
    Word(String),
    /// A name in quotes.
    Quoted(String),
    Parameter(String),
    Number(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 10] = ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<Token>, MetadataError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), rest.get(sign.len()..).unwrap_or_default())
        } else if first == '\'' {
            let (text, after) = quoted(rest, '\'')?;
            (Token::Text(text), after)
        } else if first == '"' {
            let (text, after) = quoted(rest, '"')?;
            (Token::Quoted(text), after)
        } else if let Some(named) = rest.strip_prefix(':') {
            let (name, after) = word(named);
            if name.is_empty() {
                return Err(wrong("a parameter has a name"));
            }
            (Token::Parameter(name.to_owned()), after)
        } else if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.');
            let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            (Token::Number(number.to_owned()), after)
        } else {
            let (name, after) = word(rest);
            if name.is_empty() {
                return Err(wrong(&format!("'{first}' means nothing in a query")));
            }
            (Token::Word(name.to_owned()), after)
        };
        found.push(token);
        rest = after.trim_start();
    }
    Ok(found)
}

fn word(text: &str) -> (&str, &str) {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '$');
    text.split_at(text.find(|letter| !is_part(letter)).unwrap_or(text.len()))
}

/// What is in quotes; two of them within stand for one.
fn quoted(text: &str, quote: char) -> Result<(String, &str), MetadataError> {
    let mut inner = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            inner.push(letter);
            continue;
        }
        if letters.next_if(|(_, next)| *next == quote).is_none() {
            return Ok((inner, text.get(at + quote.len_utf8()..).unwrap_or_default()));
        }
        inner.push(quote);
    }
    Err(wrong("a quote is not closed"))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    tests: usize,
}

impl Parser {
    fn expression(&mut self, depth: usize) -> Result<Expression, MetadataError> {
        if depth > QUERY_DEPTH_MAX {
            return Err(wrong("the query is nested too deep"));
        }
        let mut left = self.and(depth)?;
        while self.is_word("OR") {
            left = Expression::Or(Box::new(left), Box::new(self.and(depth)?));
        }
        Ok(left)
    }

    fn and(&mut self, depth: usize) -> Result<Expression, MetadataError> {
        let mut left = self.not(depth)?;
        while self.is_word("AND") {
            left = Expression::And(Box::new(left), Box::new(self.not(depth)?));
        }
        Ok(left)
    }

    fn not(&mut self, depth: usize) -> Result<Expression, MetadataError> {
        if depth > QUERY_DEPTH_MAX {
            return Err(wrong("the query is nested too deep"));
        }
        if self.is_word("NOT") {
            return Ok(Expression::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.is_sign("(") {
            let inner = self.expression(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Expression, MetadataError> {
        self.tests += 1;
        if self.tests > QUERY_TESTS_MAX {
            return Err(wrong("the query has too many comparisons"));
        }
        if let Some(Token::Parameter(_) | Token::Number(_) | Token::Text(_)) = self.tokens.get(self.at) {
            let value = self.value()?;
            self.expect("=")?;
            self.expect_word("ANY")?;
            self.expect("(")?;
            let field = self.field()?;
            self.expect(")")?;
            return Ok(Expression::In(field, vec![value]));
        }
        let field = self.field()?;
        if self.is_word("IS") {
            let negated = self.is_word("NOT");
            self.expect_word("NULL")?;
            return Ok(negate(Expression::IsNull(field), negated));
        }
        let negated = self.is_word("NOT");
        let tested = if self.is_word("LIKE") {
            Expression::Like(field, Case::Matters, self.value()?)
        } else if self.is_word("ILIKE") {
            Expression::Like(field, Case::Folded, self.value()?)
        } else if self.is_word("IN") || self.is_word("HASANY") {
            Expression::In(field, self.values()?)
        } else if self.is_word("HASALL") {
            Expression::HasAll(field, self.values()?)
        } else if negated {
            return Err(wrong("behind NOT comes LIKE, ILIKE, IN, HASANY or HASALL"));
        } else {
            let compare = self.compare()?;
            if compare == Compare::Equal && self.is_word("ANY") {
                return Ok(Expression::In(field, self.values()?));
            }
            return Ok(Expression::Compare(field, compare, self.value()?));
        };
        Ok(negate(tested, negated))
    }

    fn compare(&mut self) -> Result<Compare, MetadataError> {
        let signs = [
            ("=", Compare::Equal),
            ("<>", Compare::Unequal),
            ("!=", Compare::Unequal),
            ("<=", Compare::LessOrEqual),
            ("<", Compare::Less),
            (">=", Compare::GreaterOrEqual),
            (">", Compare::Greater),
        ];
        let found = signs.iter().find(|(sign, _)| self.is_sign(sign)).map(|(_, compare)| *compare);
        found.ok_or_else(|| wrong("behind a field comes a comparison"))
    }

    fn field(&mut self) -> Result<String, MetadataError> {
        match self.tokens.get(self.at) {
            Some(Token::Word(name)) if !is_reserved(name) => {
                self.at += 1;
                Ok(name.clone())
            }
            Some(Token::Quoted(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => Err(wrong("a field was expected")),
        }
    }

    fn value(&mut self) -> Result<Written, MetadataError> {
        let value = match self.tokens.get(self.at) {
            Some(Token::Parameter(name)) => Written::Parameter(name.clone()),
            Some(Token::Number(digits)) => Written::Number(digits.clone()),
            Some(Token::Text(text)) => Written::Text(text.clone()),
            _ => return Err(wrong("a value was expected: a parameter, a number, or a text in quotes")),
        };
        self.at += 1;
        Ok(value)
    }

    fn values(&mut self) -> Result<Vec<Written>, MetadataError> {
        self.expect("(")?;
        let mut values = vec![self.value()?];
        while self.is_sign(",") {
            values.push(self.value()?);
            if values.len() > QUERY_VALUES_MAX {
                return Err(wrong("a list has too many values"));
            }
        }
        self.expect(")")?;
        Ok(values)
    }

    /// Takes the word if it comes next.
    fn is_word(&mut self, wanted: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes the sign if it comes next.
    fn is_sign(&mut self, wanted: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), MetadataError> {
        if self.is_sign(sign) { Ok(()) } else { Err(wrong(&format!("'{sign}' was expected"))) }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), MetadataError> {
        if self.is_word(word) { Ok(()) } else { Err(wrong(&format!("'{word}' was expected"))) }
    }
}

fn negate(expression: Expression, negated: bool) -> Expression {
    if negated { Expression::Not(Box::new(expression)) } else { expression }
}

fn is_reserved(word: &str) -> bool {
    const WORDS: [&str; 11] = ["AND", "OR", "NOT", "IS", "NULL", "IN", "LIKE", "ILIKE", "ANY", "HASANY", "HASALL"];
    WORDS.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn parameter(name: &str) -> Written {
        Written::Parameter(name.to_owned())
    }

    fn equal(field: &str, value: Written) -> Expression {
        Expression::Compare(field.to_owned(), Compare::Equal, value)
    }

    #[test]
    fn and_binds_more_than_or() {
        let (a, b, c) = (equal("a", parameter("x")), equal("b", parameter("y")), equal("c", parameter("z")));
        let both = Expression::And(Box::new(b), Box::new(c));
        let expected = Expression::Or(Box::new(a), Box::new(both));
        assert_eq!(parse("a = :x or b=:y And c = :z"), Ok(expected));
    }

    #[test]
    fn every_test_is_read() {
        for good in [
            "a = 'it''s'",
            "\"a field\" <> -1.5e3",
            "a != :p",
            "a < 1 AND a <= 1 AND a > 1 AND a >= 1",
            "a LIKE '%x_' AND a NOT ILIKE :p",
            "a IN (:p, 'x', 3) AND a NOT IN (:q)",
            "a IS NULL AND a IS NOT NULL",
            "a HASANY ('x', :y) OR a NOT HASALL (:z)",
            ":p = ANY(a) AND a = ANY (:q)",
            "NOT (NOT a = 1)",
        ] {
            assert!(parse(good).is_ok(), "{good} {:?}", parse(good));
        }
        assert_eq!(parse("a = 'it''s'"), Ok(equal("a", Written::Text("it's".to_owned()))));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "a",
            "a =",
            "= 1",
            "a = b",
            "a == 1",
            "a = 1 AND",
            "AND a = 1",
            "(a = 1",
            "a = 1)",
            "a = 'x",
            "a = :",
            "a IN ()",
            "a IN (1",
            "a IS 1",
            "a NOT = 1",
            "a; DROP TABLE items",
            "a = 1 -- x",
            "a = 1 b = 2",
            "select = 1 x",
        ] {
            assert!(matches!(parse(bad), Err(MetadataError::Query(_))), "{bad}");
        }
    }

    #[test]
    fn everything_has_a_limit() {
        let deep = format!("{}a = 1{}", "(".repeat(1_000), ")".repeat(1_000));
        assert!(parse(&deep).is_err());
        assert!(parse(&format!("{}a = 1", "NOT ".repeat(1_000))).is_err());
        assert!(parse(&vec!["a = 1"; QUERY_TESTS_MAX + 1].join(" AND ")).is_err());
        assert!(parse(&vec!["a = 1"; QUERY_TESTS_MAX].join(" AND ")).is_ok());
        assert!(parse(&format!("a IN ({})", vec!["1"; QUERY_VALUES_MAX + 1].join(","))).is_err());
        assert!(parse(&format!("a = '{}'", "x".repeat(QUERY_BYTES_MAX))).is_err());
    }

    proptest! {
        #[test]
        fn no_query_is_too_odd(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn no_row_of_words_is_too_odd(text in "(a|AND|OR|NOT|IN|LIKE|IS|NULL|ANY|\\(|\\)|,|=|<|'x'|:p|1| ){0,24}") {
            let _ = parse(&text);
        }
    }
}
