//! Changes of a template, one after the other, all or none.

use super::MetadataError;
use super::template::{
    FieldKind, FieldOption, NewField, NewOption, Template, check_description, check_template_key, check_text,
    definition,
};

/// A change of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateEdit {
    /// Of the template itself; `None` stays as it is.
    Template {
        /// Another name for programs.
        key: Option<String>,
        /// Another name for people.
        display_name: Option<String>,
        /// Whether people are not shown it.
        hidden: Option<bool>,
        /// Whether copies of an item keep what is said of it.
        copied: Option<bool>,
    },
    /// One more field.
    AddField(NewField),
    /// Of a field; `None` stays as it is.
    Field {
        /// Its key so far.
        field: String,
        /// Another name for programs.
        key: Option<String>,
        /// Another name for people.
        display_name: Option<String>,
        /// Another description.
        description: Option<String>,
        /// Whether people are not shown it.
        hidden: Option<bool>,
    },
    /// One field less: what was said with it is gone.
    RemoveField {
        /// Its key.
        field: String,
    },
    /// All fields in another order.
    ReorderFields(Vec<String>),
    /// One more option.
    AddOption(OfField, NewOption),
    /// An option takes another key, and is that where it was said already.
    Option(OfField, String, NewOption),
    /// One option less: where it was said, it is gone.
    RemoveOption(OfField, String),
    /// All options of a field in another order.
    ReorderOptions(OfField, Vec<String>),
}

/// Of which field an option is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfField {
    /// Its key.
    pub field: String,
    /// Of which kind it must be.
    pub kind: FieldKind,
}

/// Makes the changes in their order.
pub(super) fn apply(template: &mut Template, edits: &[TemplateEdit]) -> Result<(), MetadataError> {
    for (index, edit) in edits.iter().enumerate() {
        apply_one(template, edit).map_err(|error| match error {
            MetadataError::Definition(what) => MetadataError::Operation { index, what },
            other => other,
        })?;
    }
    Ok(())
}

fn apply_one(template: &mut Template, edit: &TemplateEdit) -> Result<(), MetadataError> {
    match edit {
        TemplateEdit::Template { key, display_name, hidden, copied } => {
            if let Some(key) = key {
                check_template_key(key)?;
                template.key.clone_from(key);
            }
            if let Some(name) = display_name {
                check_text("displayName", name)?;
                template.display_name.clone_from(name);
            }
            template.hidden = hidden.unwrap_or(template.hidden);
            template.copied = copied.unwrap_or(template.copied);
            Ok(())
        }
        TemplateEdit::AddField(new) => template.add_field(new),
        TemplateEdit::Field { field, key, display_name, description, hidden } => {
            if let Some(key) = key.as_ref().filter(|key| *key != field) {
                template.check_field_key(key)?;
            }
            let found = field_of(template, field)?;
            if let Some(name) = display_name {
                check_text("displayName", name)?;
                found.display_name.clone_from(name);
            }
            if let Some(description) = description {
                check_description(Some(description))?;
                found.description = Some(description.clone());
            }
            found.hidden = hidden.unwrap_or(found.hidden);
            if let Some(key) = key {
                found.key.clone_from(key);
            }
            Ok(())
        }
        TemplateEdit::RemoveField { field } => {
            field_of(template, field)?;
            template.fields.retain(|found| found.key != *field);
            Ok(())
        }
        TemplateEdit::ReorderFields(keys) => reorder(&mut template.fields, keys, |field| &field.key),
        TemplateEdit::AddOption(of, new) => {
            option_field(template, of)?.add_option(new)?;
            template.check_options()
        }
        TemplateEdit::Option(of, key, new) => {
            let field = option_field(template, of)?;
            let number = field.option(key).ok_or_else(|| no_option(key))?.number;
            field.check_option(new, Some(number))?;
            if let Some(option) = field.options.iter_mut().find(|option| option.number == number) {
                option.key.clone_from(&new.key);
                if new.static_config.is_some() {
                    option.static_config.clone_from(&new.static_config);
                }
            }
            Ok(())
        }
        TemplateEdit::RemoveOption(of, key) => {
            let field = option_field(template, of)?;
            field.option(key).ok_or_else(|| no_option(key))?;
            field.options.retain(|option| option.key != *key);
            Ok(())
        }
        TemplateEdit::ReorderOptions(of, keys) => {
            let field = option_field(template, of)?;
            reorder(&mut field.options, keys, |option: &FieldOption| &option.key)
        }
    }
}

fn field_of<'t>(template: &'t mut Template, key: &str) -> Result<&'t mut super::template::Field, MetadataError> {
    let found = template.fields.iter_mut().find(|field| field.key == key);
    found.ok_or_else(|| definition(&format!("the template has no field '{key}'")))
}

fn option_field<'t>(template: &'t mut Template, of: &OfField) -> Result<&'t mut super::template::Field, MetadataError> {
    let field = field_of(template, &of.field)?;
    if field.kind == of.kind { Ok(field) } else { Err(definition("the field is of another type")) }
}

fn no_option(key: &str) -> MetadataError {
    definition(&format!("the field has no option '{key}'"))
}

/// Puts what has these keys in their order. Each must be named once, and none be left out.
fn reorder<T>(entries: &mut [T], keys: &[String], key_of: impl Fn(&T) -> &String) -> Result<(), MetadataError> {
    let place = |entry: &T| keys.iter().position(|key| key == key_of(entry));
    if entries.len() != keys.len() || entries.iter().any(|entry| place(entry).is_none()) {
        return Err(definition("a new order names everything that there is, once"));
    }
    entries.sort_by_cached_key(|entry| place(entry).unwrap_or(usize::MAX));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_model::{EnterpriseId, TemplateId};

    fn template() -> Template {
        let field = |key: &str, kind, options: &[&str]| super::super::template::NewField {
            key: Some(key.to_owned()),
            display_name: key.to_owned(),
            description: None,
            hidden: false,
            kind,
            options: options.iter().map(|key| NewOption { key: (*key).to_owned(), static_config: None }).collect(),
            taxonomy: None,
        };
        let new = super::super::template::NewTemplate {
            key: None,
            display_name: "Test".to_owned(),
            hidden: false,
            copied: false,
            fields: vec![
                field("text", FieldKind::String, &[]),
                field("one", FieldKind::Enum, &["a", "b"]),
                field("some", FieldKind::MultiSelect, &["x", "y", "z"]),
            ],
        };
        Template::new(TemplateId::new(9), EnterpriseId::new(1), &new).unwrap()
    }

    fn of(field: &str, kind: FieldKind) -> OfField {
        OfField { field: field.to_owned(), kind }
    }

    #[test]
    fn numbers_are_never_given_twice() {
        let mut changed = template();
        let remove = TemplateEdit::RemoveOption(of("one", FieldKind::Enum), "b".to_owned());
        let add = |key: &str| {
            let new = NewOption { key: key.to_owned(), static_config: None };
            TemplateEdit::AddOption(of("one", FieldKind::Enum), new)
        };
        apply(&mut changed, &[remove, add("c"), add("b")]).unwrap();
        let numbers: Vec<_> = changed.fields[1].options.iter().map(|option| (option.number, &*option.key)).collect();
        assert_eq!(numbers, [(1, "a"), (3, "c"), (4, "b")]);
    }

    #[test]
    fn what_fails_says_which_operation() {
        let edits = [
            TemplateEdit::RemoveField { field: "text".to_owned() },
            TemplateEdit::RemoveField { field: "text".to_owned() },
        ];
        let what = "the template has no field 'text'".to_owned();
        assert_eq!(apply(&mut template(), &edits), Err(MetadataError::Operation { index: 1, what }));
        let wrong = TemplateEdit::RemoveOption(of("some", FieldKind::Enum), "x".to_owned());
        assert!(matches!(apply(&mut template(), &[wrong]), Err(MetadataError::Operation { index: 0, .. })));
    }

    #[test]
    fn an_order_names_everything_once() {
        let mut changed = template();
        let order = |keys: &[&str]| TemplateEdit::ReorderFields(keys.iter().map(|key| (*key).to_owned()).collect());
        apply(&mut changed, &[order(&["some", "text", "one"])]).unwrap();
        let keys: Vec<_> = changed.fields.iter().map(|field| &*field.key).collect();
        assert_eq!(keys, ["some", "text", "one"]);
        for bad in [&["some", "text"][..], &["some", "text", "text"], &["some", "text", "one", "one"], &[]] {
            assert!(apply(&mut changed, &[order(bad)]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn another_key_must_be_free() {
        let rename = |from: &str, to: &str| TemplateEdit::Field {
            field: from.to_owned(),
            key: Some(to.to_owned()),
            display_name: None,
            description: None,
            hidden: None,
        };
        assert!(apply(&mut template(), &[rename("text", "one")]).is_err());
        assert!(apply(&mut template(), &[rename("text", "text"), rename("text", "note")]).is_ok());
    }
}
