//! Skill cards: what programs have found in a file, shown beside it.

use super::value::Values;
use crate::limits::{METADATA_CARDS_MAX, METADATA_DEPTH_MAX};
use serde_json::{Map, Value};

/// The only member of an instance.
pub(super) const CARDS: &str = "cards";

const KINDS: [&str; 4] = ["keyword", "timeline", "transcript", "status"];
const STATUSES: [&str; 5] = ["invoked", "processing", "success", "transient_failure", "permanent_failure"];

/// Checks the values of an instance; says what does not fit.
pub(super) fn check(values: &Values) -> Result<(), String> {
    if let Some(other) = values.keys().find(|key| *key != CARDS) {
        return Err(format!("skill cards have no field '{other}'"));
    }
    let cards = values.get(CARDS).and_then(Value::as_array).ok_or("'cards' must be a list of cards")?;
    if cards.len() > METADATA_CARDS_MAX {
        return Err(format!("there are more than {METADATA_CARDS_MAX} cards"));
    }
    cards.iter().try_for_each(check_card)
}

fn check_card(card: &Value) -> Result<(), String> {
    if depth(card) > METADATA_DEPTH_MAX {
        return Err("a card is nested too deep".to_owned());
    }
    let card = card.as_object().ok_or("a card must be an object")?;
    if text(card, "type") != Some("skill_card") {
        return Err("a card's 'type' must be 'skill_card'".to_owned());
    }
    let kind = text(card, "skill_card_type").filter(|kind| KINDS.contains(kind));
    let kind = kind.ok_or_else(|| format!("a card's 'skill_card_type' must be one of {}", KINDS.join(", ")))?;
    for member in ["skill", "invocation"] {
        let given = card.get(member).and_then(Value::as_object);
        if given.is_none_or(|given| text(given, "id").is_none() || text(given, "type").is_none()) {
            return Err(format!("a card's '{member}' must have a 'type' and an 'id'"));
        }
    }
    if kind == "status" {
        let status = card.get("status").and_then(Value::as_object).and_then(|status| text(status, "code"));
        if status.is_none_or(|status| !STATUSES.contains(&status)) {
            return Err(format!("the 'code' of a card's 'status' must be one of {}", STATUSES.join(", ")));
        }
    } else if card.get("entries").and_then(Value::as_array).is_none_or(|entries| !entries.iter().all(Value::is_object))
    {
        return Err("a card's 'entries' must be a list of objects".to_owned());
    }
    Ok(())
}

fn text<'o>(object: &'o Map<String, Value>, name: &str) -> Option<&'o str> {
    object.get(name).and_then(Value::as_str)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(cards: &Value) -> Result<(), String> {
        check(json!({"cards": cards}).as_object().unwrap())
    }

    #[test]
    fn cards_are_what_they_say() {
        let named = json!({"type": "service", "id": "s"});
        let card = |kind: &str, name: &str, value: Value| {
            let mut card = json!({"type": "skill_card", "skill_card_type": kind, "skill": named, "invocation": named});
            card[name] = value;
            card
        };
        assert_eq!(checked(&json!([])), Ok(()));
        assert_eq!(checked(&json!([card("keyword", "entries", json!([{"text": "a"}]))])), Ok(()));
        assert_eq!(checked(&json!([card("status", "status", json!({"code": "success"}))])), Ok(()));
        for bad in [
            card("keyword", "entries", json!("a")),
            card("keyword", "entries", json!(["a"])),
            card("status", "status", json!({"code": "perhaps"})),
            card("other", "entries", json!([])),
            card("keyword", "skill", json!("s")),
            json!({"type": "skill_card"}),
            json!("card"),
        ] {
            assert!(checked(&json!([bad])).is_err(), "{bad}");
        }
        let mut deep = json!([]);
        for _ in 0..METADATA_DEPTH_MAX {
            deep = json!([deep]);
        }
        assert!(checked(&json!([card("keyword", "entries", json!([{"text": deep}]))])).is_err());
        assert!(check(json!({"cards": [], "other": 1}).as_object().unwrap()).is_err());
        assert!(check(json!({}).as_object().unwrap()).is_err());
    }
}
