//! Storage policies and their assignments.
//!
//! An assignment's id is Box's: what it is assigned to, as `user_12` or `enterprise_34`, in Base64. So it is known
//! before there is an assignment, and stays the same while the policy changes.

use super::fields::{Field, Fields, Members};
use super::id::{self, MalformedId, Text};
use data_encoding::BASE64URL_NOPAD;
use entente_model::{EnterpriseId, PolicyId, UserId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;

/// `StoragePolicy--Mini`.
pub const STORAGE_POLICY_MINI: Fields = Fields::of(&[Field::Type, Field::Id]);
/// `StoragePolicy`.
pub const STORAGE_POLICY: Fields = STORAGE_POLICY_MINI.and(Fields::of(&[Field::Name]));
/// Longer than any id of an assignment.
const ASSIGNMENT_ID_BYTES_MAX: usize = 64;

/// A storage policy, and which members to write.
#[derive(Debug, Clone, Copy)]
pub struct StoragePolicy<'a> {
    /// What to write.
    pub fields: Fields,
    /// The policy.
    pub id: PolicyId,
    /// Its name.
    pub name: &'a str,
}

impl Serialize for StoragePolicy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = Members::new(serializer.serialize_map(None)?, self.fields);
        members.put(Field::Type, "storage_policy")?;
        members.put(Field::Id, &Text(self.id))?;
        members.put(Field::Name, self.name)?;
        members.end()
    }
}

/// What a policy is assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignedTo {
    /// A whole enterprise.
    Enterprise(EnterpriseId),
    /// One user.
    User(UserId),
}

/// The text is not one of `user` and `enterprise`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 'user' or 'enterprise'")]
pub struct UnknownKind;

impl AssignedTo {
    const KINDS: [&'static str; 2] = ["enterprise", "user"];

    /// From Box's word for the kind, and the id.
    pub fn named(kind: &str, id: &str) -> Result<Result<Self, MalformedId>, UnknownKind> {
        match kind {
            "enterprise" => Ok(id::parse(id).map(Self::Enterprise)),
            "user" => Ok(id::parse(id).map(Self::User)),
            _ => Err(UnknownKind),
        }
    }

    /// Box's word for the kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Enterprise(_) => "enterprise",
            Self::User(_) => "user",
        }
    }

    /// The id of the assignment to this: letters, digits, `-` and `_`.
    #[must_use]
    pub fn assignment_id(self) -> String {
        let [enterprise, user] = Self::KINDS;
        let text = match self {
            Self::Enterprise(id) => format!("{enterprise}_{id}"),
            Self::User(id) => format!("{user}_{id}"),
        };
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    /// Reads an assignment's id, padded or not. `None` for what is no such id.
    #[must_use]
    pub fn of_assignment_id(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('=');
        if text.len() > ASSIGNMENT_ID_BYTES_MAX {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (kind, id) = std::str::from_utf8(&bytes).ok()?.split_once('_')?;
        Self::named(kind, id).ok()?.ok()
    }
}

impl fmt::Display for AssignedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enterprise(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
        }
    }
}

impl Serialize for AssignedTo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", self.kind())?;
        map.serialize_entry("id", &Text(self))?;
        map.end()
    }
}

/// `StoragePolicyAssignment`.
#[derive(Debug, Clone, Copy)]
pub struct Assignment {
    /// The policy.
    pub policy: PolicyId,
    /// What it is assigned to.
    pub assigned_to: AssignedTo,
}

impl Serialize for Assignment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let policy = StoragePolicy { fields: STORAGE_POLICY_MINI, id: self.policy, name: "" };
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "storage_policy_assignment")?;
        map.serialize_entry("id", &self.assigned_to.assignment_id())?;
        map.serialize_entry("storage_policy", &policy)?;
        map.serialize_entry("assigned_to", &self.assigned_to)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{AssignedTo, Assignment};
    use entente_model::{EnterpriseId, PolicyId, UserId};
    use proptest::prelude::{any, proptest};

    #[test]
    fn the_id_of_an_assignment_is_as_at_box() {
        let enterprise = AssignedTo::Enterprise(EnterpriseId::new(1_234_567_890));
        // The example of Box's description.
        assert_eq!(enterprise.assignment_id(), "ZW50ZXJwcmlzZV8xMjM0NTY3ODkw");
        for assigned_to in [enterprise, AssignedTo::User(UserId::new(7)), AssignedTo::User(UserId::new(i64::MAX))] {
            let id = assigned_to.assignment_id();
            assert_eq!(AssignedTo::of_assignment_id(&id), Some(assigned_to), "{id}");
            assert_eq!(AssignedTo::of_assignment_id(&format!("{id}==")), Some(assigned_to), "{id}");
        }
        for bad in ["", "=", "12", "dXNlcg", "dXNlcl8", "dXNlcl94", "Zm9sZGVyXzc", "\u{e9}"] {
            assert_eq!(AssignedTo::of_assignment_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_assignment() {
        let assignment = Assignment { policy: PolicyId::new(3), assigned_to: AssignedTo::User(UserId::new(7)) };
        assert_eq!(
            serde_json::to_string(&assignment).expect("serializes"),
            r#"{"type":"storage_policy_assignment","id":"dXNlcl83","storage_policy":{"type":"storage_policy","id":"3"},"assigned_to":{"type":"user","id":"7"}}"#
        );
    }

    proptest! {
        #[test]
        fn no_id_is_too_odd(text in any::<String>()) {
            let _ = AssignedTo::of_assignment_id(&text);
        }
    }
}
