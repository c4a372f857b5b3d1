//! JSON in which no name is given twice: values whose names are not known beforehand.

use super::request::MalformedBody;
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads a body of any shape. One that is nested more than 128 levels deep, or gives a name twice, is malformed.
pub fn parse(body: &[u8]) -> Result<Value, MalformedBody> {
    let strict: Strict = serde_json::from_slice(body).map_err(|error| MalformedBody(error.to_string()))?;
    Ok(strict.0)
}

/// Reads a value of a known shape.
pub fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, MalformedBody> {
    serde_json::from_value(value).map_err(|error| MalformedBody(error.to_string()))
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is none"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(entry)) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("the name '{name}' is given twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    #[test]
    fn a_name_is_given_once() {
        let good = parse(br#"{"a": [1, -2, 3.5, "x", null, true], "b": {"a": {}}}"#);
        assert_eq!(good, Ok(json!({"a": [1, -2, 3.5, "x", null, true], "b": {"a": {}}})));
        for bad in [&br#"{"a": 1, "a": 1}"#[..], br#"[{"b": {"a": 1, "c": 2, "a": 3}}]"#, b"", b"{", b"1e999", b"[1,]"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_deep_body_is_refused() {
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_body_is_too_odd(body in vec(any::<u8>(), 0..64)) {
            let _ = parse(&body);
        }
    }
}
