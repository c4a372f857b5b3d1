//! Metadata: templates, instances, cascades.

use super::id::Text;
use entente_model::{CascadeId, EnterpriseId, ItemId, TemplateId};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;

/// Whose a template is: `global` or `enterprise_12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Global,
    /// The caller's enterprise's, as `enterprise` alone says.
    Own,
    /// An enterprise's.
    Enterprise(EnterpriseId),
}

impl Scope {
    /// Reads one. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "global" => Some(Self::Global),
            "enterprise" => Some(Self::Own),
            _ => text.strip_prefix("enterprise_")?.parse().ok().map(Self::Enterprise),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Own => f.write_str("enterprise"),
            Self::Enterprise(id) => write!(f, "enterprise_{id}"),
        }
    }
}

/// `$id` of an instance: the numbers of its item and its template, written as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceUuid {
    /// The item.
    pub item: ItemId,
    /// The template.
    pub template: TemplateId,
}

impl fmt::Display for InstanceUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = (self.item.number(), self.template.number());
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }
}

impl InstanceUuid {
    /// Reads one. `None` for what is no such id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 {
            return None;
        }
        let digits: String = text.chars().filter(|letter| *letter != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u128::from_str_radix(&digits, 16).ok()?;
        let half = |bits: u128| i64::try_from(bits & u128::from(u64::MAX)).ok().filter(|id| *id > 0);
        let found = Self { item: ItemId::new(half(number >> 64)?), template: TemplateId::new(half(number)?) };
        (found.to_string() == text.to_ascii_lowercase()).then_some(found)
    }
}

/// `MetadataTemplate`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Template<'a> {
    /// Its id.
    pub id: Text<TemplateId>,
    /// `metadata_template`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whose it is.
    #[serde(serialize_with = "as_text")]
    pub scope: Scope,
    /// Its name for programs.
    pub template_key: &'a str,
    /// Its name for people.
    pub display_name: &'a str,
    /// Whether people are not shown it.
    pub hidden: bool,
    /// What may be said.
    pub fields: Vec<Field<'a>>,
    /// Whether copies keep what is said.
    pub copy_instance_on_item_copy: bool,
}

/// A field of a template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field<'a> {
    /// Its id.
    pub id: String,
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its name for programs.
    pub key: &'a str,
    /// Its name for people.
    pub display_name: &'a str,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// Whether people are not shown it.
    pub hidden: bool,
    /// Of which it takes values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<FieldOption<'a>>>,
    /// The taxonomy of which it takes values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taxonomy_key: Option<&'a str>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taxonomy_id: Option<String>,
    /// Where that belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Which of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options_rules: Option<OptionsRules>,
}

/// An option of a field.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldOption<'a> {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub key: &'a str,
    /// What programs keep with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub static_config: Option<&'a Value>,
}

/// Which values of a taxonomy a field takes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OptionsRules {
    /// Whether more than one at a time.
    pub multi_select: Option<bool>,
    /// Of which levels.
    pub selectable_levels: Option<Vec<u32>>,
}

/// An instance: its values, and what is said of them with names that begin with `$`.
#[derive(Debug)]
pub struct Instance<'a> {
    /// Of what: `file` or `folder`.
    pub parent_kind: &'static str,
    /// Its id.
    pub id: InstanceUuid,
    /// The key of its template.
    pub template: &'a str,
    /// Whose that is.
    pub scope: Scope,
    /// How often it has changed.
    pub version: u64,
    /// By which version of its template it was checked.
    pub type_version: u64,
    /// Whether the caller may change it.
    pub can_edit: bool,
    /// What is said.
    pub values: &'a Map<String, Value>,
    /// Which of that is shown; all if it does not say.
    pub only: Option<&'a [String]>,
}

impl Serialize for Instance<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.values {
            if self.only.is_none_or(|only| only.contains(name)) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("$id", &Text(self.id))?;
        map.serialize_entry("$type", &format!("{}-{}", self.template, self.id.template))?;
        map.serialize_entry("$parent", &format!("{}_{}", self.parent_kind, self.id.item))?;
        map.serialize_entry("$template", self.template)?;
        map.serialize_entry("$scope", &Text(self.scope))?;
        map.serialize_entry("$version", &self.version)?;
        map.serialize_entry("$typeVersion", &self.type_version)?;
        map.serialize_entry("$canEdit", &self.can_edit)?;
        map.end()
    }
}

/// `Metadatas`.
#[derive(Debug, Serialize)]
pub struct Instances<'a> {
    /// All of them.
    pub entries: Vec<Instance<'a>>,
    /// How many there can be.
    pub limit: u32,
}

/// `MetadataCascadePolicy`.
#[derive(Debug, Clone, Copy)]
pub struct CascadePolicy<'a> {
    /// Its id.
    pub id: CascadeId,
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// From where.
    pub folder: ItemId,
    /// Whose template.
    pub scope: Scope,
    /// Its key.
    pub template: &'a str,
}

impl Serialize for CascadePolicy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Reference<I: fmt::Display> {
            #[serde(rename = "type")]
            kind: &'static str,
            id: Text<I>,
        }
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("id", &Text(self.id))?;
        map.serialize_entry("type", "metadata_cascade_policy")?;
        map.serialize_entry("owner_enterprise", &Reference { kind: "enterprise", id: Text(self.enterprise) })?;
        map.serialize_entry("parent", &Reference { kind: "folder", id: Text(self.folder) })?;
        map.serialize_entry("scope", &Text(self.scope))?;
        map.serialize_entry("templateKey", self.template)?;
        map.end()
    }
}

/// A page as lists of metadata have it, with both ways on.
#[derive(Debug, Serialize)]
pub struct Listed<E> {
    /// What is on it.
    pub entries: Vec<E>,
    /// How much there could be.
    pub limit: u32,
    /// What to ask for next; none at the end.
    pub next_marker: Option<String>,
    /// Never one: no client needs the way back.
    pub prev_marker: Option<String>,
}

impl<E> Listed<E> {
    /// A page.
    #[must_use]
    pub fn new(entries: Vec<E>, limit: u32, next_marker: Option<String>) -> Self {
        Self { entries, limit, next_marker, prev_marker: None }
    }
}

/// What creates a template.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateBody {
    /// Whose.
    pub scope: Option<String>,
    /// Its name for programs.
    pub template_key: Option<String>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Whether people are not shown it.
    pub hidden: Option<bool>,
    /// What may be said.
    pub fields: Option<Vec<FieldBody>>,
    /// Whether copies keep what is said.
    pub copy_instance_on_item_copy: Option<bool>,
}

/// A field that is to be, or what of one is to change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FieldBody {
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its name for programs.
    pub key: Option<String>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Whether people are not shown it.
    pub hidden: Option<bool>,
    /// Of which it takes values.
    pub options: Option<Vec<OptionBody>>,
    /// The taxonomy of which it takes values.
    pub taxonomy_key: Option<String>,
    /// Where that belongs.
    pub namespace: Option<String>,
    /// Which of its values.
    pub options_rules: Option<OptionsRules>,
}

/// An option that is to be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OptionBody {
    /// What it is called.
    pub key: Option<String>,
    /// What programs keep with it.
    pub static_config: Option<Value>,
}

/// One of the operations that change a template.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EditBody {
    /// Which.
    pub op: Option<String>,
    /// To what.
    pub data: Option<Value>,
    /// Of which field.
    pub field_key: Option<String>,
    /// Of all fields.
    pub field_keys: Option<Vec<String>>,
    /// Of which option.
    pub enum_option_key: Option<String>,
    /// Of all options.
    pub enum_option_keys: Option<Vec<String>>,
    /// Of which option.
    pub multi_select_option_key: Option<String>,
    /// Of all options.
    pub multi_select_option_keys: Option<Vec<String>>,
}

/// One of the operations of a JSON Patch.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PatchBody {
    /// Which.
    pub op: Option<String>,
    /// Where.
    pub path: Option<String>,
    /// What.
    pub value: Option<Value>,
    /// From where.
    pub from: Option<String>,
}

/// What begins a cascade.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CascadeBody {
    /// From which folder.
    pub folder_id: Option<super::request::IdText>,
    /// Whose template.
    pub scope: Option<String>,
    /// Its key.
    #[serde(rename = "templateKey")]
    pub template_key: Option<String>,
}

/// What applies a cascade anew.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ApplyBody {
    /// `none` or `overwrite`.
    pub conflict_resolution: Option<String>,
}

/// What a program reports that looked at a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SkillBody {
    /// How far it is.
    pub status: Option<String>,
    /// What it has found.
    pub metadata: Option<Map<String, Value>>,
    /// In which file.
    pub file: Option<super::request::Reference>,
}

/// A query of metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct QueryBody {
    /// A scope, a dot, and a template's key.
    pub from: Option<String>,
    /// What it asks for.
    pub query: Option<String>,
    /// What it names.
    pub query_params: Option<Map<String, Value>>,
    /// In which folder; `0` for everywhere.
    pub ancestor_folder_id: Option<super::request::IdText>,
    /// In which order.
    pub order_by: Option<Vec<OrderBody>>,
    /// How many at most.
    pub limit: Option<i64>,
    /// From where on.
    pub marker: Option<String>,
    /// What to show.
    pub fields: Option<Vec<String>>,
}

/// What a query is sorted by.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OrderBody {
    /// A field.
    pub field_key: Option<String>,
    /// `asc` or `desc`.
    pub direction: Option<String>,
}

/// `MetadataQueryResults`.
#[derive(Debug, Serialize)]
pub struct QueryResults {
    /// Files and folders.
    pub entries: Vec<Value>,
    /// How many there could be.
    pub limit: u32,
    /// What to ask for next; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::{InstanceUuid, Scope};
    use entente_model::{EnterpriseId, ItemId, TemplateId};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn scopes() {
        assert_eq!(Scope::parse("global"), Some(Scope::Global));
        assert_eq!(Scope::parse("enterprise"), Some(Scope::Own));
        assert_eq!(Scope::parse("enterprise_12"), Some(Scope::Enterprise(EnterpriseId::new(12))));
        for bad in ["", "enterprise_", "enterprise_x", "enterprise_012", "Global", "user_1"] {
            assert_eq!(Scope::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_id_of_an_instance_comes_back(item in 1..i64::MAX, template in 1..i64::MAX) {
            let id = InstanceUuid { item: ItemId::new(item), template: TemplateId::new(template) };
            let text = id.to_string();
            prop_assert_eq!(text.len(), 36);
            prop_assert_eq!(InstanceUuid::parse(&text), Some(id));
        }

        #[test]
        fn no_id_is_too_odd(text in any::<String>()) {
            let _ = InstanceUuid::parse(&text);
            let _ = Scope::parse(&text);
        }
    }
}
