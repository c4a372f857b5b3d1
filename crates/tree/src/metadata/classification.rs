//! Classifications: a template of the enterprise with one field, whose options say how sensitive content is.

use super::MetadataError;
use super::edit::TemplateEdit;
use super::template::{FieldKind, NewOption, NewTemplate, definition};
use serde_json::Value;

/// The key of the template of classifications.
pub const CLASSIFICATION_TEMPLATE: &str = "securityClassification-6VMVochwUWo";
/// The key of its field.
pub const CLASSIFICATION_FIELD: &str = "Box__Security__Classification__Key";

const NAME: &str = "Classification";
const COLORS: std::ops::RangeInclusive<i64> = 0..=7;
const OPTIONS_MAX: usize = 250;

/// What the template of classifications must be when it is made.
pub(super) fn check_new(new: &NewTemplate) -> Result<(), MetadataError> {
    let [field] = new.fields.as_slice() else {
        return Err(definition("the template of classifications has one field"));
    };
    let fits = new.display_name == NAME
        && field.key.as_deref() == Some(CLASSIFICATION_FIELD)
        && field.display_name == NAME
        && field.kind == FieldKind::Enum;
    if !fits {
        return Err(definition("the template of classifications and its field are named as Box names them"));
    }
    if field.options.len() > OPTIONS_MAX {
        return Err(definition("there are too many classifications"));
    }
    field.options.iter().try_for_each(check_option)
}

/// What may change of it.
pub(super) fn check_edits(edits: &[TemplateEdit]) -> Result<(), MetadataError> {
    for (index, edit) in edits.iter().enumerate() {
        let wrong = |what: &str| MetadataError::Operation { index, what: what.to_owned() };
        match edit {
            TemplateEdit::AddOption(_, option) | TemplateEdit::Option(_, _, option) => {
                check_option(option).map_err(|error| wrong(&error.to_string()))?;
            }
            TemplateEdit::RemoveOption(..) | TemplateEdit::ReorderOptions(..) => {}
            TemplateEdit::Template { key: None, display_name: None, .. } => {}
            _ => return Err(wrong("of the template of classifications only the options may change")),
        }
    }
    Ok(())
}

fn check_option(option: &NewOption) -> Result<(), MetadataError> {
    let Some(config) = &option.static_config else { return Ok(()) };
    let members = |value: &Value, allowed: &[&str]| {
        value.as_object().is_some_and(|members| members.keys().all(|name| allowed.contains(&name.as_str())))
    };
    if !members(config, &["classification"]) {
        return Err(definition("'staticConfig' may only have a 'classification'"));
    }
    let Some(about) = config.get("classification") else { return Ok(()) };
    if !members(about, &["classificationDefinition", "colorID"]) {
        return Err(definition("a classification may only have 'classificationDefinition' and 'colorID'"));
    }
    if about.get("classificationDefinition").is_some_and(|text| !text.is_string()) {
        return Err(definition("'classificationDefinition' must be a text"));
    }
    if about.get("colorID").is_some_and(|color| !color.as_i64().is_some_and(|color| COLORS.contains(&color))) {
        return Err(definition("'colorID' must be a number from 0 to 7"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn options_say_what_classifications_may() {
        let option = |config: Value| NewOption { key: "Secret".to_owned(), static_config: Some(config) };
        for good in [
            json!({}),
            json!({"classification": {}}),
            json!({"classification": {"classificationDefinition": "Not for all", "colorID": 7}}),
        ] {
            assert_eq!(check_option(&option(good.clone())), Ok(()), "{good}");
        }
        for bad in [
            json!("x"),
            json!({"other": 1}),
            json!({"classification": {"colorID": 8}}),
            json!({"classification": {"colorID": "7"}}),
            json!({"classification": {"classificationDefinition": 1}}),
            json!({"classification": {"more": 1}}),
        ] {
            assert!(check_option(&option(bad.clone())).is_err(), "{bad}");
        }
    }
}
