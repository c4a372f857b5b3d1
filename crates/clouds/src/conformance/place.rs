use super::{Outcome, trial::Trial};
use crate::{ErrorKind, MARKER_BYTES_MAX, MARKER_NAME};
use bytes::Bytes;

/// Within which requests are signed with any service, and objects' ages are good enough.
const CLOCKS_DIFFER_MAX_MS: i64 = 5 * 60 * 1000;
/// A listing may tell whole seconds only.
const ROUNDING_MS: i64 = 2000;

pub(super) async fn marker(trial: &Trial<'_>) -> Outcome {
    let too_large = Bytes::from(vec![b'x'; MARKER_BYTES_MAX + 1]);
    trial.expect_error(trial.backend.mark(too_large).await, ErrorKind::Failed)?;
    let Some(marker) = trial.ok(trial.backend.marker().await)? else {
        // It is not for a check to mark a place: that would claim it.
        return Ok(());
    };
    // The same bytes, so that nothing is lost with a service that overwrites after all.
    trial.expect_error(trial.backend.mark(marker.clone()).await, ErrorKind::AlreadyExists)?;
    let found = trial.ok(trial.backend.marker().await)?;
    trial.expect(found == Some(marker), || "the marker has changed".to_owned())
}

pub(super) async fn foreign(trial: &Trial<'_>) -> Outcome {
    let name = trial.fresh_name();
    trial.create(name, &trial.content(10), 10).await?;
    let foreign = trial.ok(trial.backend.foreign(1000).await)?;
    let ours = foreign.iter().find(|found| found.contains(&name.to_string()) || *found == MARKER_NAME);
    trial.expect(ours.is_none(), || format!("{ours:?} is ours, but told as foreign"))?;
    let none = trial.ok(trial.backend.foreign(0).await)?;
    trial.expect(none.is_empty(), || "more foreign objects are told than were asked for".to_owned())
}

pub(super) async fn clock(trial: &Trial<'_>) -> Outcome {
    let name = trial.fresh_name();
    trial.create(name, &trial.content(10), 10).await?;
    let now = trial.world.now().millis();
    let stat = trial.ok(trial.backend.stat(name).await)?;
    let differ_ms = stat.created_at.millis().saturating_sub(now);
    trial.expect(differ_ms.saturating_abs() < CLOCKS_DIFFER_MAX_MS, || {
        format!("an object made just now is {} s away from our clock", differ_ms / 1000)
    })?;
    let rows = trial.ok(trial.backend.list(Some(super::trial::just_before(name)), 1).await)?;
    let listed = rows.first().and_then(|row| row.created_at).unwrap_or(stat.created_at);
    let apart_ms = listed.millis().saturating_sub(stat.created_at.millis()).saturating_abs();
    trial.expect(apart_ms < ROUNDING_MS, || format!("the listing tells another time, {apart_ms} ms apart"))
}
