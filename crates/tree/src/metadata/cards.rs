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
    for (member, word) in [("skill", "service"), ("invocation", "skill_invocation")] {
        let given = card.get(member).and_then(Value::as_object);
        if given.is_none_or(|given| text(given, "id").is_none() || text(given, "type") != Some(word)) {
            return Err(format!("a card's '{member}' must have the 'type' '{word}' and an 'id'"));
        }
    }
    if card.get("created_at").is_some_and(|at| at.as_str().is_none_or(|at| at.parse::<jiff::Timestamp>().is_err())) {
        return Err("a card's 'created_at' must be a date in RFC 3339".to_owned());
    }
    if let Some(title) = card.get("skill_card_title") {
        let title = title.as_object().filter(|title| text(title, "message").is_some() && may_be_text(title, "code"));
        title.ok_or("a card's 'skill_card_title' must have a 'message'")?;
    }
    if kind == "status" {
        return check_status(card);
    }
    let has_times = matches!(kind, "timeline" | "transcript");
    if has_times && card.get("duration").is_some_and(|seconds| !is_whole(seconds)) {
        return Err("a card's 'duration' must be a number of seconds".to_owned());
    }
    let entries = card.get("entries").and_then(Value::as_array).ok_or("a card's 'entries' must be a list")?;
    let fits = |entry: &Value| entry.as_object().is_some_and(|entry| is_entry(entry, kind));
    if entries.iter().all(fits) { Ok(()) } else { Err(format!("an entry is not one of a card of type '{kind}'")) }
}

fn check_status(card: &Map<String, Value>) -> Result<(), String> {
    let status = card.get("status").and_then(Value::as_object).filter(|status| may_be_text(status, "message"));
    match status.and_then(|status| text(status, "code")) {
        Some(code) if STATUSES.contains(&code) => Ok(()),
        _ => Err(format!("the 'code' of a card's 'status' must be one of {}", STATUSES.join(", "))),
    }
}

fn is_entry(entry: &Map<String, Value>, kind: &str) -> bool {
    if !may_be_text(entry, "text") {
        return false;
    }
    // Of a keyword nobody says when it appears, and a transcript only when each text begins.
    let times: &[&str] = match kind {
        "timeline" => &["start", "end"],
        "transcript" => &["start"],
        _ => return true,
    };
    let is_time = |at: &Value| times.iter().all(|name| at.get(name).is_some_and(is_whole));
    let appears = entry.get("appears").is_none_or(|list| list.as_array().is_some_and(|list| list.iter().all(is_time)));
    appears && (kind != "timeline" || may_be_text(entry, "image_url"))
}

fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

/// Whether the member is a text, if it is there.
fn may_be_text(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).is_none_or(Value::is_string)
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
        let (skill, invocation) =
            (json!({"type": "service", "id": "s"}), json!({"type": "skill_invocation", "id": "i"}));
        let whole = |kind: &str| {
            json!({"type": "skill_card", "skill_card_type": kind, "skill": skill, "invocation": invocation,
                "entries": [], "status": {"code": "success"}})
        };
        let card = |kind: &str, name: &str, value: Value| {
            let mut card = whole(kind);
            card[name] = value;
            card
        };
        assert_eq!(checked(&json!([])), Ok(()));
        assert_eq!(checked(&json!([card("keyword", "entries", json!([{"text": "a"}]))])), Ok(()));
        assert_eq!(checked(&json!([card("status", "status", json!({"code": "success"}))])), Ok(()));
        let shown = json!([{"text": "a", "image_url": "u", "appears": [{"start": 1, "end": 2}]}]);
        let fits = [("created_at", json!("2018-04-13T13:53:23-07:00")), ("skill_card_title", json!({"message": "m"}))];
        for (name, value) in fits.into_iter().chain([("entries", shown.clone()), ("duration", json!(7))]) {
            assert_eq!(checked(&json!([card("timeline", name, value)])), Ok(()));
        }
        assert_eq!(checked(&json!([card("transcript", "entries", json!([{"appears": [{"start": 1}]}]))])), Ok(()));
        for bad in [
            card("keyword", "created_at", json!("yesterday")),
            card("keyword", "skill_card_title", json!({"code": "c"})),
            card("keyword", "skill_card_title", json!({"message": "m", "code": 7})),
            card("keyword", "invocation", skill.clone()),
            card("keyword", "entries", json!([{"text": 7}])),
            card("timeline", "entries", json!([{"appears": [{"start": 1}]}])),
            card("timeline", "entries", json!([{"image_url": 7}])),
            card("timeline", "duration", json!("long")),
            card("transcript", "entries", json!([{"appears": [{"start": 1.5}]}])),
            card("status", "status", json!({"code": "success", "message": 7})),
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
