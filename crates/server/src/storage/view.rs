//! How backends, zones and policies look: to the operator interface and on the command line.

use super::{OpenBackend, Storage};
use crate::config::kind;
use crate::output::size;
use entente_clouds::guard::HealthState;
use entente_database::backends::{self, Backend, Holdings, Standing};
use entente_database::{Error, policies};
use entente_door_admin::shown::moment;
use entente_model::{BackendId, PolicyId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Storage {
    /// Every backend with how it is and what it holds; those that are no longer configured, as long as they hold anything.
    pub(crate) async fn backends(&self) -> Result<Value, Error> {
        let rows = self.inner.database.read_long(held).await?;
        let in_force = self.in_force();
        let mut shown = Vec::new();
        for (row, holdings) in rows {
            let open = in_force.backends.get(&row.name).filter(|_| row.standing == Standing::Configured);
            let zone = in_force.config.storage.zone_of(&row.name).map(|zone| zone.name.as_str());
            match open {
                Some(open) => shown.push(backend(&row, open, zone, &holdings)),
                None if holdings == Holdings::default() => {}
                None => shown.push(json!({
                    "id": row.id.to_string(), "name": row.name, "configured": false, "holdings": holds(&holdings),
                })),
            }
        }
        Ok(Value::Array(shown))
    }

    /// Every configured zone.
    pub(crate) fn zones(&self) -> Value {
        let in_force = self.in_force();
        let storage = &in_force.config.storage;
        let shown = storage.zones.iter().map(|zone| {
            let policies = storage.policies.iter().filter(|policy| policy.zone == zone.name);
            json!({
                "id": in_force.names.zones.get(&zone.name).map(ToString::to_string),
                "name": zone.name,
                "jurisdiction": zone.jurisdiction,
                "backends": zone.backends,
                "custodian": zone.custodian,
                "policies": policies.map(|policy| policy.name.as_str()).collect::<Vec<_>>(),
            })
        });
        Value::Array(shown.collect())
    }

    /// Every configured policy, with what relocations in force make of it, and what is stored under it.
    pub(crate) async fn policies(&self) -> Result<Value, Error> {
        let in_force = self.in_force();
        let ids: Vec<PolicyId> = in_force.names.policies.values().copied().collect();
        let held = self.inner.database.read_long(move |tx| {
            let each = ids.into_iter().map(|id| Ok((id, (policies::holds(tx, id)?, policies::assigned(tx, id)?))));
            each.collect::<Result<BTreeMap<_, _>, Error>>()
        });
        let held = held.await?;
        let topology = in_force.topology();
        let name = |id: &BackendId| in_force.backend_name(*id).unwrap_or_default().to_owned();
        let shown = in_force.config.storage.policies.iter().map(|policy| {
            let id = in_force.names.policies.get(&policy.name);
            let meant = id
                .and_then(|id| topology.policies.get(id))
                .map(|meant| std::iter::once(&meant.primary).chain(&meant.replicas).map(name).collect::<Vec<_>>());
            let (holds, assigned) = id.and_then(|id| held.get(id)).copied().unwrap_or_default();
            let more = json!({
                "id": id.map(ToString::to_string),
                "meant": meant,
                "assignments": assigned,
                "segments": holds.segments,
                "bytes": holds.bytes,
            });
            let mut shown = policy.to_json();
            if let (Some(fields), Value::Object(more)) = (shown.as_object_mut(), more) {
                fields.extend(more);
            }
            shown
        });
        Ok(Value::Array(shown.collect()))
    }

    /// Whether content can be read: for each policy in use one of its backends at least must answer. Answers what does not,
    /// though nobody need notice; or else which policy cannot be read.
    pub(crate) async fn readable(&self) -> Result<Vec<String>, String> {
        let in_force = self.in_force();
        let down: Vec<&str> =
            in_force.backends.iter().filter(|(_, open)| !open.is_readable()).map(|(name, _)| name.as_str()).collect();
        let behind = (!self.is_newest()).then(|| "another node has applied a newer storage configuration".to_owned());
        if down.is_empty() {
            return Ok(behind.into_iter().collect());
        }
        let topology = in_force.topology();
        for policy in &in_force.config.storage.policies {
            let Some(id) = in_force.names.policies.get(&policy.name).copied() else { continue };
            let meant = topology.policies.get(&id).into_iter().flat_map(|meant| {
                std::iter::once(&meant.primary).chain(&meant.replicas).filter_map(|id| in_force.backend_name(*id))
            });
            let all_down = meant.chain(policy.backends().map(String::as_str)).all(|name| down.contains(&name));
            let is_used = policy.is_default || {
                let assigned = self.inner.database.read_long(move |tx| policies::assigned(tx, id)).await;
                assigned.map_err(|_| "the database does not answer".to_owned())? > 0
            };
            if all_down && is_used {
                return Err(format!("no backend of the storage policy {} answers", policy.name));
            }
        }
        let down = down.iter().map(|name| format!("the backend {name} does not answer"));
        Ok(down.chain(behind).collect())
    }
}

fn held(tx: &mut entente_database::Tx<'_>) -> Result<Vec<(Backend, Holdings)>, Error> {
    let mut rows = Vec::new();
    for row in backends::all(tx)? {
        let holdings = backends::holdings(tx, row.id)?;
        rows.push((row, holdings));
    }
    Ok(rows)
}

fn holds(holdings: &Holdings) -> Value {
    json!({
        "segments": holdings.durable,
        "bytes": holdings.durable_bytes,
        "intended": holdings.intended,
        "damaged": holdings.damaged,
        "leaving": holdings.leaving,
        "condemned": holdings.condemned,
        "not_durable": holdings.intended + holdings.damaged,
    })
}

fn backend(row: &Backend, open: &OpenBackend, zone: Option<&str>, holdings: &Holdings) -> Value {
    let report = open.health.report();
    let state = if open.is_readable() { report.state } else { HealthState::Down };
    json!({
        "id": row.id.to_string(),
        "name": row.name,
        "configured": true,
        "kind": kind(&open.config.place),
        "zone": zone,
        "provider": open.config.provider,
        "provider_home": open.config.provider_home,
        "jurisdiction": open.config.jurisdiction,
        "rank": open.config.rank,
        "health": {
            "state": state.as_str(),
            "since": moment(report.since),
            "latency_ms": report.latency_ms,
            "succeeded": report.succeeded,
            "failed": report.failed,
            "refused": report.refused,
            "failures_in_row": report.failures_in_row,
            "last_failure": report.last_failure,
            "waits_for": open.closed_because(),
        },
        "holdings": holds(holdings),
    })
}

/// A table of texts, each column as wide as it must be.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|title| title.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.into_iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = std::iter::once(line(head.to_vec()));
    head.chain(rows.iter().map(|row| line(row.iter().map(String::as_str).collect()))).collect::<Vec<_>>().join("\n")
}

/// A field of an answer as a cell of a table.
pub(crate) fn cell(value: &Value, field: &str) -> String {
    let found = field.split('.').try_fold(value, |value, part| value.get(part));
    match found {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Number(number)) if field.ends_with("bytes") => size(number.as_u64().unwrap_or_default()),
        Some(other) => other.to_string(),
    }
}
