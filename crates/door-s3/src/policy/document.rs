//! The shape of a document, read strictly: no member twice, none unknown, no value of another kind.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// The versions of the language.
const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

/// A document.
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    #[serde(rename = "Version", default)]
    version: Option<String>,
    #[serde(rename = "Id", default)]
    _id: Option<String>,
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

/// A statement.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    #[serde(rename = "Sid", default)]
    _sid: Option<String>,
    #[serde(rename = "Effect")]
    pub(super) effect: String,
    #[serde(rename = "Principal")]
    pub(super) principal: Principal,
    #[serde(rename = "Action")]
    pub(super) action: OneOrMany<String>,
    #[serde(rename = "Resource")]
    pub(super) resource: OneOrMany<String>,
    #[serde(rename = "Condition", default)]
    pub(super) condition: Pairs<Pairs<OneOrMany<Word>>>,
}

/// Of whom a statement speaks.
pub(super) enum Principal {
    /// `"*"`, or another text.
    Text(String),
    /// Of each kind, who.
    Kinds(Pairs<OneOrMany<String>>),
}

/// A text, or a number or a truth value as a text.
pub(super) struct Word(pub(super) String);

/// One value, or a list of at least one.
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

/// An object whose members may have any names, each once.
pub(super) struct Pairs<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let outer: Outer = serde_json::from_str(text).map_err(|error| format!("Invalid policy syntax: {error}"))?;
        if outer.version.is_some_and(|version| !VERSIONS.contains(&version.as_str())) {
            return Err("The policy must contain a valid version string".to_owned());
        }
        Ok(Self { statements: outer.statements.0 })
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> ListVisitor<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<OneOrMany<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        if values.is_empty() { Err(A::Error::custom("a list is empty")) } else { Ok(OneOrMany(values)) }
    }
}

impl<'de> Visitor<'de> for ListVisitor<String> {
    type Value = OneOrMany<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(OneOrMany(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Self::list(list)
    }
}

impl<'de> Deserialize<'de> for OneOrMany<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor::<String>(PhantomData))
    }
}

impl<'de> Visitor<'de> for ListVisitor<Word> {
    type Value = OneOrMany<Word>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a truth value, or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(OneOrMany(vec![Word(text.to_owned())]))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(OneOrMany(vec![Word(value.to_string())]))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(OneOrMany(vec![Word(value.to_string())]))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(OneOrMany(vec![Word(value.to_string())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Self::list(list)
    }
}

impl<'de> Deserialize<'de> for OneOrMany<Word> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor::<Word>(PhantomData))
    }
}

struct WordVisitor;

impl Visitor<'_> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a truth value")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(text.to_owned()))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Word, E> {
        Ok(Word(value.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Word, E> {
        Ok(Word(value.to_string()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Word, E> {
        Ok(Word(value.to_string()))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

impl<'de> Visitor<'de> for ListVisitor<Statement> {
    type Value = OneOrMany<Statement>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a statement or a list of statements")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        let statement = Statement::deserialize(serde::de::value::MapAccessDeserializer::new(members))?;
        Ok(OneOrMany(vec![statement]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Self::list(list)
    }
}

impl<'de> Deserialize<'de> for OneOrMany<Statement> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor::<Statement>(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(String, T)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom("a member stands twice"));
            }
            pairs.push((name, members.next_value()?));
        }
        Ok(Pairs(pairs))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PrincipalVisitor;

impl<'de> Visitor<'de> for PrincipalVisitor {
    type Value = Principal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a principal")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Principal, E> {
        Ok(Principal::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Principal, A::Error> {
        Ok(Principal::Kinds(PairsVisitor(PhantomData).visit_map(members)?))
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PrincipalVisitor)
    }
}
