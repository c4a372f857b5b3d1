//! JSON Patch (RFC 6902) on the values of an instance, all or nothing.

use super::MetadataError;
use crate::limits::{METADATA_INSTANCE_BYTES_MAX, METADATA_PATCH_MAX};
use serde_json::Value;

/// One operation of a patch. Paths are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq)]
pub enum PatchOperation {
    /// Puts a value where none, or another, is.
    Add {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Puts a value where another is.
    Replace {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value away.
    Remove {
        /// From where.
        path: String,
    },
    /// Goes on only if the value is this.
    Test {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value away and puts it elsewhere.
    Move {
        /// From where.
        from: String,
        /// To where.
        path: String,
    },
    /// Puts a value elsewhere, too.
    Copy {
        /// From where.
        from: String,
        /// To where.
        path: String,
    },
}

/// Does the operations in their order.
pub(super) fn apply(document: &mut Value, operations: &[PatchOperation]) -> Result<(), MetadataError> {
    if operations.len() > METADATA_PATCH_MAX {
        return Err(MetadataError::Definition("the patch has too many operations".to_owned()));
    }
    for (index, operation) in operations.iter().enumerate() {
        let done = apply_one(document, operation);
        done.map_err(|what| MetadataError::Operation { index, what: what.to_owned() })?;
    }
    Ok(())
}

fn apply_one(document: &mut Value, operation: &PatchOperation) -> Result<(), &'static str> {
    match operation {
        PatchOperation::Add { path, value } => add(document, &tokens(path)?, value.clone()),
        PatchOperation::Replace { path, value } => {
            let found = document.pointer_mut(checked(path)?).ok_or(ABSENT)?;
            *found = value.clone();
            Ok(())
        }
        PatchOperation::Remove { path } => remove(document, &tokens(path)?).map(drop),
        PatchOperation::Test { path, value } => {
            let found = document.pointer(checked(path)?).ok_or(ABSENT)?;
            if is_same(found, value) { Ok(()) } else { Err("the value at the path is not the one tested for") }
        }
        PatchOperation::Move { from, path } => {
            let (from, path) = (tokens(from)?, tokens(path)?);
            if path.len() > from.len() && path.starts_with(&from) {
                return Err("a value cannot be moved into itself");
            }
            let value = remove(document, &from)?;
            add(document, &path, value)
        }
        PatchOperation::Copy { from, path } => {
            let value = document.pointer(checked(from)?).ok_or(ABSENT)?.clone();
            add(document, &tokens(path)?, value)?;
            // Copies of copies grow fast.
            if size(document) > 2 * METADATA_INSTANCE_BYTES_MAX { Err("the values would be too large") } else { Ok(()) }
        }
    }
}

const ABSENT: &str = "there is nothing at the path";

/// A pointer to something within the document, and to nothing that it says of itself.
fn checked(path: &str) -> Result<&str, &'static str> {
    if !path.starts_with('/') {
        return Err("a path begins with '/'");
    }
    if path.starts_with("/$") {
        return Err("what begins with '$' cannot be changed");
    }
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('~') {
        if !after.starts_with(['0', '1']) {
            return Err("in a path '~' is followed by '0' or '1'");
        }
        rest = after;
    }
    Ok(path)
}

fn tokens(path: &str) -> Result<Vec<String>, &'static str> {
    let path = checked(path)?;
    Ok(path.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

/// What is above the last step of a path, and that step.
fn parent<'d, 't>(document: &'d mut Value, path: &'t [String]) -> Result<(&'d mut Value, &'t str), &'static str> {
    let (last, above) = path.split_last().ok_or(ABSENT)?;
    let mut at = document;
    for token in above {
        at = match at {
            Value::Object(members) => members.get_mut(token).ok_or(ABSENT)?,
            Value::Array(entries) => {
                let place = place(token).ok_or(ABSENT)?;
                entries.get_mut(place).ok_or(ABSENT)?
            }
            _ => return Err(ABSENT),
        };
    }
    Ok((at, last))
}

fn place(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    if canonical && token.bytes().all(|byte| byte.is_ascii_digit()) { token.parse().ok() } else { None }
}

fn add(document: &mut Value, path: &[String], value: Value) -> Result<(), &'static str> {
    match parent(document, path)? {
        (Value::Object(members), last) => {
            members.insert(last.to_owned(), value);
            Ok(())
        }
        (Value::Array(entries), last) => {
            let at = if last == "-" { Some(entries.len()) } else { place(last) };
            let at = at.filter(|at| *at <= entries.len()).ok_or("a list has no such place")?;
            entries.insert(at, value);
            Ok(())
        }
        _ => Err(ABSENT),
    }
}

fn remove(document: &mut Value, path: &[String]) -> Result<Value, &'static str> {
    match parent(document, path)? {
        (Value::Object(members), last) => members.remove(last).ok_or(ABSENT),
        (Value::Array(entries), last) => {
            let at = place(last).filter(|at| *at < entries.len()).ok_or(ABSENT)?;
            Ok(entries.remove(at))
        }
        _ => Err(ABSENT),
    }
}

/// Numbers are the same if they are as numbers: 1 and 1.0.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        _ => one == other,
    }
}

/// About how many bytes a value has.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(entries) => entries.iter().map(|entry| size(entry) + 1).sum::<usize>() + 2,
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + size(value) + 4).sum::<usize>() + 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    fn patched(operations: &[PatchOperation]) -> Result<Value, MetadataError> {
        let mut document = json!({"a": "1", "b/c": 2, "t~u": true, "list": ["x", "y"]});
        apply(&mut document, operations).map(|()| document)
    }

    fn add(path: &str, value: Value) -> PatchOperation {
        PatchOperation::Add { path: path.to_owned(), value }
    }

    #[test]
    fn operations_follow_the_rfc() {
        let done = patched(&[
            add("/list/1", json!("z")),
            add("/list/-", json!("last")),
            PatchOperation::Test { path: "/b~1c".to_owned(), value: json!(2.0) },
            PatchOperation::Replace { path: "/t~0u".to_owned(), value: json!(false) },
            PatchOperation::Move { from: "/a".to_owned(), path: "/d".to_owned() },
            PatchOperation::Copy { from: "/d".to_owned(), path: "/e".to_owned() },
            PatchOperation::Remove { path: "/list/0".to_owned() },
        ]);
        let expected = json!({"b/c": 2, "t~u": false, "list": ["z", "y", "last"], "d": "1", "e": "1"});
        assert_eq!(done, Ok(expected));
    }

    #[test]
    fn nonsense_is_refused_and_named() {
        let remove = |path: &str| PatchOperation::Remove { path: path.to_owned() };
        let replace = |path: &str| PatchOperation::Replace { path: path.to_owned(), value: json!(1) };
        let test = |path: &str| PatchOperation::Test { path: path.to_owned(), value: json!("?") };
        let shift = |from: &str, path: &str| PatchOperation::Move { from: from.to_owned(), path: path.to_owned() };
        for bad in [
            remove("/none"),
            remove(""),
            remove("a"),
            remove("/list/2"),
            remove("/list/00"),
            remove("/list/-"),
            remove("/a/b"),
            remove("/$version"),
            replace("/none"),
            replace("/t~2u"),
            replace("/t~"),
            add("/list/3", json!(1)),
            add("/list/-1", json!(1)),
            add("/none/x", json!(1)),
            add("", json!({})),
            add("/$id", json!("x")),
            test("/a"),
            test("/none"),
            shift("/list", "/list/0"),
            shift("/none", "/x"),
        ] {
            let outcome = patched(&[add("/ok", json!(1)), bad.clone()]);
            assert!(matches!(outcome, Err(MetadataError::Operation { index: 1, .. })), "{bad:?} {outcome:?}");
        }
    }

    #[test]
    fn copies_of_copies_do_not_explode() {
        let double = PatchOperation::Copy { from: "/list".to_owned(), path: "/list/-".to_owned() };
        assert!(patched(&vec![double.clone(); 100]).is_err());
        assert!(patched(&vec![add("/x", json!(1)); METADATA_PATCH_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn no_path_is_too_odd(path in any::<String>(), from in any::<String>()) {
            let _ = patched(&[add(&path, json!(1))]);
            let _ = patched(&[PatchOperation::Move { from: format!("/{from}"), path: format!("/{path}") }]);
            let _ = patched(&[PatchOperation::Remove { path: format!("/{path}") }]);
        }
    }
}
