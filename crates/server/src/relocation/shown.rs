//! How relocations look: as JSON, in the admin API and with `--json`, and on a line for people.

use super::Names;
use crate::output::size;
use entente_database::relocations::{Moved, Relocation, State};
use entente_door_admin::shown::moment;
use serde_json::{Value, json};

/// As JSON. Names are what the configuration says; ids are text.
pub(crate) fn shown(relocation: &Relocation, names: &Names) -> Value {
    let progress = &relocation.progress;
    let mut value = json!({
        "id": relocation.id.to_string(),
        "state": state(relocation),
        "in_force": relocation.in_force,
        "rate_bytes_per_second": relocation.rate,
        "grace_seconds": relocation.grace.as_secs_f64(),
        "passes": progress.passes,
        "bytes_total": progress.bytes_total,
        "bytes_done": progress.bytes_done,
        "share_done": share(relocation),
        "bytes_per_second": speed(relocation),
        "objects_removed": progress.removed,
        "failures": progress.failures,
        "last_error": Some(&progress.last_error).filter(|error| !error.is_empty()),
        "waiting": waiting(relocation),
        "created_at": moment(relocation.created_at),
        "modified_at": moment(relocation.modified_at),
        "ended_at": relocation.ended_at.map(moment),
    });
    let of_kind = match relocation.moved {
        Moved::Backend { from, to, policy } => json!({
            "kind": "backend",
            "from": names.of_backend(from),
            "to": names.of_backend(to),
            "policy": policy.map(|policy| names.of_policy(policy)),
            "segments_total": progress.pieces_total,
            "segments_done": progress.pieces_done,
        }),
        Moved::User { user, policy } => json!({
            "kind": "user",
            "user_id": user.to_string(),
            "to_policy": names.of_policy(policy),
            "contents_total": progress.pieces_total,
            "contents_done": progress.pieces_done,
        }),
        Moved::Folder { folder, policy } => json!({
            "kind": "folder",
            "folder_id": folder.to_string(),
            "to_policy": names.of_policy(policy),
            "contents_total": progress.pieces_total,
            "contents_done": progress.pieces_done,
        }),
    };
    if let (Some(fields), Value::Object(more)) = (value.as_object_mut(), of_kind) {
        fields.extend(more);
    }
    value
}

/// The word for its state.
pub(crate) const fn state(relocation: &Relocation) -> &'static str {
    match (relocation.state, relocation.ended_at) {
        (State::Running, _) => "running",
        (State::Paused, _) => "paused",
        (State::Done, _) => "done",
        // What it had moved is on its way back.
        (State::Cancelled, None) => "cancelling",
        (State::Cancelled, Some(_)) => "cancelled",
    }
}

/// For what a relocation waits that can do nothing else.
fn waiting(relocation: &Relocation) -> Option<String> {
    let progress = &relocation.progress;
    let is_waiting = relocation.is_open() && relocation.state != State::Paused && progress.barren > 0;
    let pieces = if matches!(relocation.moved, Moved::Backend { .. }) { "segments" } else { "contents" };
    let error = if progress.last_error.is_empty() { "no copy is good" } else { &progress.last_error };
    (is_waiting && progress.position.is_none())
        .then(|| format!("{} {pieces} cannot be read: {error}", progress.unreadable))
}

/// From where to where, of a relocation as shown.
pub(crate) fn what(shown: &Value) -> String {
    let text = |field: &str| shown[field].as_str().unwrap_or("?").to_owned();
    match shown["kind"].as_str() {
        Some("user") => format!("user {} -> policy {}", text("user_id"), text("to_policy")),
        Some("folder") => format!("folder {} -> policy {}", text("folder_id"), text("to_policy")),
        _ => {
            let of = shown["policy"].as_str().map_or_else(String::new, |policy| format!(" (policy {policy})"));
            format!("{} -> {}{of}", text("from"), text("to"))
        }
    }
}

/// How far a relocation as shown is.
pub(crate) fn progress(shown: &Value) -> String {
    let number = |field: &str| shown[field].as_u64().unwrap_or(0);
    let failed = match (shown["ended_at"].is_null(), number("failures")) {
        (false, _) | (_, 0) => String::new(),
        (true, failures) => match shown["waiting"].as_str() {
            Some(waiting) => format!(", waiting: {waiting}"),
            None => format!(", {failures} failures, the last: {}", shown["last_error"].as_str().unwrap_or("unknown")),
        },
    };
    format!(
        "{} of {}, {:.0} %{failed}",
        size(number("bytes_done")),
        size(number("bytes_total").max(number("bytes_done"))),
        shown["share_done"].as_f64().unwrap_or(0.0) * 100.0,
    )
}

/// A relocation as shown, on a line.
pub(crate) fn line(shown: &Value) -> String {
    let text = |field: &str| shown[field].as_str().unwrap_or("?");
    format!("{}  {:<10} {}: {}", text("id"), text("state"), what(shown), progress(shown))
}

/// How much of it is done, from 0 to 1, as far as is known now.
fn share(relocation: &Relocation) -> f64 {
    let progress = &relocation.progress;
    if relocation.state == State::Done {
        return 1.0;
    }
    let (done, total) = match progress.bytes_total {
        0 => (progress.pieces_done, progress.pieces_total),
        total => (progress.bytes_done, total),
    };
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with three digits")]
    let share = done as f64 / total.max(1) as f64;
    share.min(1.0)
}

/// Bytes a second, from its order to its last change, pauses and all.
fn speed(relocation: &Relocation) -> u64 {
    let span_ms = relocation.modified_at.millis().saturating_sub(relocation.created_at.millis());
    let span_ms = u64::try_from(span_ms).unwrap_or(0).max(1);
    relocation.progress.bytes_done.saturating_mul(1_000) / span_ms
}

#[cfg(test)]
mod tests {
    use super::{line, share, shown};
    use crate::relocation::Names;
    use entente_database::relocations::{Moved, Progress, Relocation, State};
    use entente_model::{BackendId, RelocationId, Timestamp};
    use std::time::Duration;

    fn relocation(state: State) -> Relocation {
        Relocation {
            id: RelocationId::new(7),
            moved: Moved::Backend { from: BackendId::new(1), to: BackendId::new(2), policy: None },
            state,
            in_force: true,
            rate: Some(1_000),
            grace: Duration::from_millis(1_500),
            progress: Progress {
                bytes_total: 4_096,
                bytes_done: 1_024,
                pieces_total: 4,
                pieces_done: 1,
                ..Default::default()
            },
            created_at: Timestamp::from_millis(1_000),
            modified_at: Timestamp::from_millis(3_000),
            ended_at: None,
        }
    }

    #[test]
    fn a_relocation_is_shown_with_its_progress() {
        let (running, names) = (relocation(State::Running), Names::default());
        let value = shown(&running, &names);
        assert_eq!((&value["from"], &value["to"], &value["state"]), (&"1".into(), &"2".into(), &"running".into()));
        assert_eq!((&value["bytes_per_second"], &value["grace_seconds"]), (&512.into(), &1.5.into()));
        assert_eq!(value["last_error"], serde_json::Value::Null);
        assert_eq!(line(&value), "7  running    1 -> 2: 1.0 KiB of 4.0 KiB, 25 %");
        assert!((share(&relocation(State::Done)) - 1.0).abs() < f64::EPSILON);
        assert_eq!(shown(&relocation(State::Cancelled), &names)["state"], "cancelling");
    }

    #[test]
    fn a_relocation_says_for_what_it_waits() {
        let mut stuck = relocation(State::Running);
        let told = Progress { unreadable: 3, failures: 9, last_error: "gone".to_owned(), ..stuck.progress.clone() };
        stuck.progress = Progress { barren: 2, ..told };
        let value = shown(&stuck, &Names::default());
        assert_eq!(value["waiting"], "3 segments cannot be read: gone");
        assert!(line(&value).ends_with(", waiting: 3 segments cannot be read: gone"), "{}", line(&value));
        // In the middle of the next pass it does something.
        stuck.progress.position = Some(vec![1]);
        assert_eq!(shown(&stuck, &Names::default())["waiting"], serde_json::Value::Null);
    }
}
