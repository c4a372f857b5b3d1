//! Filters (RFC 7644, 3.4.2.2): attributes that equal something, with `and` between them. Nothing else is served.

use crate::error::Problem;
use serde_json::Value;

/// Longer filters are not looked at.
const BYTES_MAX: usize = 4 * 1_024;
/// Conditions that one filter has at most.
const CONDITIONS_MAX: usize = 8;

/// That an attribute equals a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// The attribute's path, in small letters and without its schema.
    pub(crate) path: String,
    pub(crate) value: Value,
}

impl Condition {
    /// The value, if it is a text.
    pub(crate) fn text(&self) -> Option<&str> {
        self.value.as_str()
    }
}

/// Reads a filter. `invalidFilter` for anything but `path eq value`, joined by `and`.
pub(crate) fn parse(text: &str) -> Result<Vec<Condition>, Problem> {
    let wrong = || Problem::Invalid("invalidFilter", "a filter is `attribute eq value`, with `and` between".to_owned());
    if text.len() > BYTES_MAX {
        return Err(wrong());
    }
    let mut conditions = Vec::new();
    let mut rest = text.trim();
    loop {
        let (path, after) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let (operator, after) = after.trim_start().split_once(char::is_whitespace).ok_or_else(wrong)?;
        if !operator.eq_ignore_ascii_case("eq") || conditions.len() >= CONDITIONS_MAX {
            return Err(wrong());
        }
        let (value, after) = value(after.trim_start()).ok_or_else(wrong)?;
        conditions.push(Condition { path: attribute(path).ok_or_else(wrong)?, value });
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(conditions);
        }
        let (joint, after) = after.split_once(char::is_whitespace).ok_or_else(wrong)?;
        if !joint.eq_ignore_ascii_case("and") {
            return Err(wrong());
        }
        rest = after.trim_start();
    }
}

/// A path in small letters, without the schema that it may begin with. `None` when it cannot be one.
pub(crate) fn attribute(path: &str) -> Option<String> {
    let bare = match path.to_ascii_lowercase() {
        path if path.starts_with("urn:") => path.rsplit(':').next()?.to_owned(),
        path => path,
    };
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'$');
    (!bare.is_empty() && bare.bytes().all(fit)).then_some(bare)
}

/// A JSON value at the start of a text, and what follows it.
fn value(text: &str) -> Option<(Value, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok().filter(|value| !value.is_array() && !value.is_object())?;
    Some((value, text.get(values.byte_offset()..)?))
}

#[cfg(test)]
mod tests {
    use super::{attribute, parse};
    use serde_json::json;

    #[test]
    fn conditions_are_read() {
        let read = |text: &str| {
            let found = parse(text).unwrap();
            found.into_iter().map(|condition| (condition.path, condition.value)).collect::<Vec<_>>()
        };
        assert_eq!(read("userName eq \"a@b.c\""), [("username".to_owned(), json!("a@b.c"))]);
        assert_eq!(
            read("  externalId EQ \"x \\\"and\\\" y\"  AND active eq true "),
            [("externalid".to_owned(), json!("x \"and\" y")), ("active".to_owned(), json!(true))]
        );
        let schema = "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ü\"";
        assert_eq!(read(schema), [("username".to_owned(), json!("ü"))]);
    }

    #[test]
    fn other_filters_are_refused() {
        for bad in [
            "",
            " ",
            "userName",
            "userName eq",
            "userName eq ",
            "userName co \"x\"",
            "userName eq x",
            "userName eq \"x",
            "userName eq [1]",
            "userName pr",
            "not (userName eq \"x\")",
            "userName eq \"x\" or active eq true",
            "userName eq \"x\" and",
            "emails[type eq \"work\"].value eq \"x\"",
            &"a eq 1 and ".repeat(20),
            &format!("a eq \"{}\"", "x".repeat(5_000)),
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(attribute("name.givenName").as_deref(), Some("name.givenname"));
        assert!(attribute("urn:").is_none());
    }
}
