//! Templates: which fields may be said of items, and how they are stored.
//!
//! A field and an option have a number that is never given to another of the same template. Instances hold numbers, so
//! that a field or an option takes another name, or goes, without a look at what was said with it.

use super::MetadataError;
use crate::Error;
use crate::limits::{METADATA_FIELDS_MAX, METADATA_NAME_CHARS_MAX, METADATA_OPTIONS_MAX, METADATA_STATIC_BYTES_MAX};
use entente_database::metadata::templates::TemplateRow;
use entente_model::{EnterpriseId, TaxonomyId, TemplateId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whose a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everybody's.
    Global,
    /// An enterprise's.
    Enterprise(EnterpriseId),
}

/// Which template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateName {
    /// Whose.
    pub scope: Scope,
    /// Its name for programs.
    pub key: String,
}

/// A template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Whose it is.
    pub scope: Scope,
    /// Its name for programs.
    pub key: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether people are not shown it.
    pub hidden: bool,
    /// Whether copies of an item keep what is said of it.
    pub copied: bool,
    /// How often its fields have changed.
    pub version: u64,
    /// What may be said, in the order in which it is shown. Empty for the global ones, which take other values.
    pub fields: Vec<Field>,
    /// The number that the next field gets.
    pub(super) next: u32,
}

/// What values a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FieldKind {
    /// A text.
    String,
    /// A number that may have a fraction.
    Float,
    /// A number without one.
    Integer,
    /// A moment, as RFC 3339 writes it.
    Date,
    /// One of the options.
    Enum,
    /// Some of the options.
    MultiSelect,
    /// Values of a taxonomy.
    Taxonomy,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Never another field's of the template.
    pub number: u32,
    /// Its name for programs; unique within the template.
    pub key: String,
    /// Its name for people.
    pub display_name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether people are not shown it.
    #[serde(default)]
    pub hidden: bool,
    /// What values it takes.
    pub kind: FieldKind,
    /// Of which it takes values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
    /// The number that the next option gets.
    #[serde(default)]
    pub(super) next_option: u32,
    /// Of which it takes values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxonomy: Option<FieldTaxonomy>,
}

/// An option of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldOption {
    /// Never another option's of the field.
    pub number: u32,
    /// What it is called, by programs and people.
    pub key: String,
    /// What programs keep with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_config: Option<Value>,
}

/// Of which taxonomy a field takes values, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldTaxonomy {
    /// The taxonomy; `None` until it has been found by its key.
    pub taxonomy: Option<TaxonomyId>,
    /// Its name for programs.
    pub key: String,
    /// Whether more than one value at a time.
    pub multi_select: bool,
    /// The levels of which values may be taken, from 1. Empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<u32>,
}

/// An option that is to be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewOption {
    /// What it is called.
    pub key: String,
    /// What programs keep with it.
    pub static_config: Option<Value>,
}

/// A field that is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewField {
    /// Its name for programs; made of the other one if not given.
    pub key: Option<String>,
    /// Its name for people.
    pub display_name: String,
    /// For people.
    pub description: Option<String>,
    /// Whether people are not shown it.
    pub hidden: bool,
    /// What values it takes.
    pub kind: FieldKind,
    /// Of which it takes values.
    pub options: Vec<NewOption>,
    /// Of which taxonomy it takes values, for [`FieldKind::Taxonomy`].
    pub taxonomy: Option<FieldTaxonomy>,
}

/// A template that is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTemplate {
    /// Its name for programs; made of the other one if not given.
    pub key: Option<String>,
    /// Its name for people.
    pub display_name: String,
    /// Whether people are not shown it.
    pub hidden: bool,
    /// Whether copies of an item keep what is said of it.
    pub copied: bool,
    /// What may be said.
    pub fields: Vec<NewField>,
}

/// How the fields of a template are stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The form of what follows.
    form: u32,
    next: u32,
    fields: Vec<Field>,
}

const FORM: u32 = 1;

impl Template {
    /// What values of any name are said by.
    #[must_use]
    pub fn properties() -> Self {
        Self::global(PROPERTIES, "properties", "Custom Metadata")
    }

    /// What programs that look at files say by.
    #[must_use]
    pub fn skill_cards() -> Self {
        Self::global(SKILL_CARDS, "boxSkillsCards", "Box Skills Cards")
    }

    fn global(id: TemplateId, key: &str, display_name: &str) -> Self {
        Self {
            id,
            scope: Scope::Global,
            key: key.to_owned(),
            display_name: display_name.to_owned(),
            hidden: true,
            copied: true,
            version: 0,
            fields: Vec::new(),
            next: 1,
        }
    }

    /// Which it is.
    #[must_use]
    pub fn name(&self) -> TemplateName {
        TemplateName { scope: self.scope, key: self.key.clone() }
    }

    /// The field of that key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    pub(super) fn of_row(row: TemplateRow) -> Result<Self, Error> {
        let stored: Stored = serde_json::from_str(&row.fields).map_err(|error| Error::Damaged(error.into()))?;
        if stored.form != FORM {
            return Err(Error::internal("the fields of a metadata template are in a form of a newer version"));
        }
        Ok(Self {
            id: row.id,
            scope: Scope::Enterprise(row.enterprise),
            key: row.key,
            display_name: row.display_name,
            hidden: row.hidden,
            copied: row.copied,
            version: row.version,
            fields: stored.fields,
            next: stored.next,
        })
    }

    pub(super) fn row(&self, enterprise: EnterpriseId) -> Result<TemplateRow, Error> {
        let stored = Stored { form: FORM, next: self.next, fields: self.fields.clone() };
        Ok(TemplateRow {
            id: self.id,
            enterprise,
            key: self.key.clone(),
            display_name: self.display_name.clone(),
            hidden: self.hidden,
            copied: self.copied,
            version: self.version,
            fields: serde_json::to_string(&stored).map_err(|error| Error::Internal(error.into()))?,
        })
    }

    pub(super) fn new(id: TemplateId, enterprise: EnterpriseId, new: &NewTemplate) -> Result<Self, MetadataError> {
        let key = match &new.key {
            Some(key) => key.clone(),
            None => derived_key(&new.display_name)
                .ok_or_else(|| definition("no key can be made of the name; give a 'templateKey'"))?,
        };
        check_template_key(&key)?;
        check_text("displayName", &new.display_name)?;
        let mut template = Self {
            id,
            scope: Scope::Enterprise(enterprise),
            key,
            display_name: new.display_name.clone(),
            hidden: new.hidden,
            copied: new.copied,
            version: 0,
            fields: Vec::new(),
            next: 1,
        };
        for field in &new.fields {
            template.add_field(field)?;
        }
        Ok(template)
    }

    pub(super) fn add_field(&mut self, new: &NewField) -> Result<(), MetadataError> {
        let key = match &new.key {
            Some(key) => key.clone(),
            None => derived_key(&new.display_name)
                .ok_or_else(|| definition("no key can be made of the field's name; give a 'key'"))?,
        };
        self.check_field_key(&key)?;
        check_text("displayName", &new.display_name)?;
        check_description(new.description.as_deref())?;
        if self.fields.len() >= METADATA_FIELDS_MAX {
            return Err(definition("the template would have too many fields"));
        }
        let mut field = Field {
            number: self.next,
            key,
            display_name: new.display_name.clone(),
            description: new.description.clone(),
            hidden: new.hidden,
            kind: new.kind,
            options: Vec::new(),
            next_option: 1,
            taxonomy: new.taxonomy.clone().filter(|_| new.kind == FieldKind::Taxonomy),
        };
        if new.kind == FieldKind::Taxonomy && field.taxonomy.is_none() {
            return Err(definition("a field of type 'taxonomy' names its taxonomy"));
        }
        if !field.takes_options() && !new.options.is_empty() {
            return Err(definition("only fields of type 'enum' and 'multiSelect' have options"));
        }
        for option in &new.options {
            field.add_option(option)?;
        }
        self.next += 1;
        self.fields.push(field);
        self.check_options()
    }

    pub(super) fn check_field_key(&self, key: &str) -> Result<(), MetadataError> {
        let fits = (1..=256).contains(&key.len()) && !key.starts_with('$') && !key.chars().any(char::is_control);
        if !fits {
            return Err(definition(
                "a field's key has 1 to 256 bytes, no control character, and does not begin with '$'",
            ));
        }
        if self.field(key).is_some() {
            return Err(definition(&format!("two fields have the key '{key}'")));
        }
        Ok(())
    }

    pub(super) fn check_options(&self) -> Result<(), MetadataError> {
        let count: usize = self.fields.iter().map(|field| field.options.len()).sum();
        if count > METADATA_OPTIONS_MAX { Err(definition("the template would have too many options")) } else { Ok(()) }
    }
}

impl Field {
    pub(super) const fn takes_options(&self) -> bool {
        matches!(self.kind, FieldKind::Enum | FieldKind::MultiSelect)
    }

    /// The option of that key.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&FieldOption> {
        self.options.iter().find(|option| option.key == key)
    }

    pub(super) fn add_option(&mut self, new: &NewOption) -> Result<(), MetadataError> {
        self.check_option(new, None)?;
        let NewOption { key, static_config } = new.clone();
        self.options.push(FieldOption { number: self.next_option, key, static_config });
        self.next_option += 1;
        Ok(())
    }

    pub(super) fn check_option(&self, new: &NewOption, except: Option<u32>) -> Result<(), MetadataError> {
        check_text("key", &new.key)?;
        let taken = self.options.iter().any(|option| option.key == new.key && Some(option.number) != except);
        if taken {
            return Err(definition(&format!("two options of the field '{}' have the key '{}'", self.key, new.key)));
        }
        let config = new.static_config.as_ref().map_or(0, |config| config.to_string().len());
        if config > METADATA_STATIC_BYTES_MAX {
            return Err(definition("the 'staticConfig' of an option is too long"));
        }
        Ok(())
    }
}

/// The id of [`Template::properties`].
pub(super) const PROPERTIES: TemplateId = TemplateId::new(1);
/// The id of [`Template::skill_cards`]. No enterprise's template has one as small.
pub(super) const SKILL_CARDS: TemplateId = TemplateId::new(2);

pub(super) fn definition(what: &str) -> MetadataError {
    MetadataError::Definition(what.to_owned())
}

pub(super) fn check_template_key(key: &str) -> Result<(), MetadataError> {
    let begins = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if begins && goes_on && key.len() <= 64 {
        Ok(())
    } else {
        Err(definition("a template's key is 1 to 64 letters, digits, '-' and '_', and begins with a letter or '_'"))
    }
}

pub(super) fn check_text(name: &str, text: &str) -> Result<(), MetadataError> {
    let fits = !text.trim().is_empty() && text.chars().count() <= METADATA_NAME_CHARS_MAX && !text.contains('\0');
    if fits { Ok(()) } else { Err(definition(&format!("'{name}' is empty or too long"))) }
}

pub(super) fn check_description(text: Option<&str>) -> Result<(), MetadataError> {
    let fits = text.is_none_or(|text| text.chars().count() <= METADATA_NAME_CHARS_MAX && !text.contains('\0'));
    if fits { Ok(()) } else { Err(definition("'description' is too long")) }
}

/// A key made of a name for people: its letters and digits, each word but the first with a capital.
pub(super) fn derived_key(name: &str) -> Option<String> {
    let mut key = String::new();
    for word in name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        if key.is_empty() {
            key.push_str(&first.to_ascii_lowercase());
        } else {
            key.push_str(&first.to_ascii_uppercase());
        }
        key.push_str(rest);
    }
    key.truncate(64);
    key.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_of_names() {
        assert_eq!(derived_key("Customer Info").as_deref(), Some("customerInfo"));
        assert_eq!(derived_key("  year-to-date (EUR)").as_deref(), Some("yearToDateEUR"));
        assert_eq!(derived_key("\u{6771}\u{4eac}"), None);
        assert_eq!(derived_key("7 Dwarfs"), None);
        assert_eq!(derived_key(&"x".repeat(99)).map(|key| key.len()), Some(64));
    }

    #[test]
    fn keys_of_templates() {
        for good in ["a", "_", "aB-9_", "securityClassification-6VMVochwUWo"] {
            assert_eq!(check_template_key(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "9a", "a b", "\u{e4}", "a/b", &"x".repeat(65)] {
            assert!(check_template_key(bad).is_err(), "{bad}");
        }
    }
}
