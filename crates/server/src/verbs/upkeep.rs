//! `entente verify`, `collect` and `repack`

use super::open;
use crate::cli::{CollectArgs, RepackArgs, VerifyArgs};
use crate::exit::{Exit, Failure};
use crate::output::{print, size};
use crate::progress::Progress;
use entente_vault::Limits;
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::repack::Choice;
use entente_vault::upkeep::safety::{COLLECT_GRACE_BESIDE_A_SERVER, REPACK_LIVE_SHARE_MAX};
use entente_vault::upkeep::verify::{Depth, Finding, Verified, summary};
use entente_world::{Shutdown, World};
use serde_json::{Value, json};

pub(crate) async fn verify(world: &World, arguments: VerifyArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let opened = store.vault(Limits::default()).await?;
    let depth = if arguments.quick { Depth::Structure } else { Depth::Bytes };
    let verified = {
        let mut progress = Progress::new(world, shutdown);
        opened.vault.verify(depth, &mut progress).await.map_err(anyhow::Error::from)?
    };
    let findings: Vec<_> = verified.findings.iter().map(shown).collect();
    let value = json!({
        "clean": verified.is_clean(),
        "undamaged": verified.is_undamaged(),
        "contents": verified.contents,
        "chunks": verified.chunks,
        "pieces": verified.pieces,
        "opened_bytes": verified.opened_bytes,
        "customers_contents": verified.customers,
        "sealed_bytes": verified.sealed_bytes,
        "segments": verified.segments,
        "reserved_segments": verified.reserved,
        "objects": verified.objects,
        "damaged": verified.damaged,
        "reduced": verified.reduced,
        "orphans": verified.orphans,
        "unlisted_backends": verified.unlisted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "findings": findings,
        "summary": summary(&verified.findings),
        "stopped": verified.stopped,
    });
    print(format, &value, || report(&verified));
    Ok(if verified.stopped {
        Exit::Interrupted
    } else if verified.is_undamaged() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn report(verified: &Verified) -> String {
    let mut lines: Vec<_> = verified.findings.iter().map(sentence).collect();
    let found = verified.damaged + verified.reduced + verified.orphans;
    let more = found.saturating_sub(verified.findings.len() as u64);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines.push(format!(
        "looked at {} contents in {} chunks ({} opened), {} segments, {} objects",
        verified.contents,
        verified.chunks,
        size(verified.opened_bytes),
        verified.segments,
        verified.objects,
    ));
    let mut beside = String::new();
    if verified.customers > 0 {
        beside += &format!(
            "; {} contents are sealed with customers' own keys, and {} of them were compared as they are sealed",
            verified.customers,
            size(verified.sealed_bytes)
        );
    }
    if verified.reduced > 0 {
        beside += &format!(
            "; {} replicas are missing or wrong where another one is good, and are repaired by and by",
            verified.reduced
        );
    }
    if verified.orphans > 0 {
        beside += &format!("; {} objects are garbage, which `entente collect` removes", verified.orphans);
    }
    if !verified.unlisted.is_empty() {
        beside += &format!("; {} backends could not be listed", verified.unlisted.len());
    }
    lines.push(match (verified.stopped, verified.damaged) {
        (true, damaged) => format!("interrupted: what was looked at has {damaged} findings of damage{beside}"),
        (false, 0) => format!("nothing is damaged{beside}"),
        (false, damaged) => format!("DAMAGED: {damaged} findings{beside}"),
    });
    lines.join("\n")
}

fn sentence(finding: &Finding) -> String {
    match finding {
        Finding::Unreadable { content, chunk, segment } => {
            format!("unreadable: chunk {chunk} of content {content} in segment {segment}")
        }
        Finding::Incomplete { content, expected, found } => {
            format!("incomplete: content {content} must have {expected} chunks and has {found}")
        }
        Finding::Pieces { content, at } => {
            format!("pieces: those of content {content} do not make it up from byte {at} on")
        }
        Finding::NoKey { content } => format!("no key: the data key of content {content} does not unwrap"),
        Finding::Nowhere { segment } => format!("nowhere: segment {segment} has no good replica"),
        Finding::Missing { segment, backend, name } => {
            format!("missing: segment {segment} has no object {name} on backend {backend}")
        }
        Finding::WrongSize { segment, backend, expected, found } => {
            format!(
                "wrong size: segment {segment} was written with {expected} bytes and has {found} on backend {backend}"
            )
        }
        Finding::Doubted { segment, backend, name } => {
            format!("doubted: object {name} of segment {segment} on backend {backend} waits for repair")
        }
        Finding::Unanswered { segment, backend } => {
            format!("unanswered: backend {backend} could not tell whether it has segment {segment}")
        }
        Finding::Miscounted { segment, counted, sum } => {
            format!("miscounted: segment {segment} counts {counted} live bytes, and its chunks have {sum}")
        }
        Finding::Orphan { backend, name, size } => {
            format!("garbage: object {name} of {size} bytes on backend {backend}")
        }
    }
}

fn shown(finding: &Finding) -> Value {
    match finding {
        Finding::Unreadable { content, chunk, segment } => json!({
            "kind": "unreadable", "content_id": content.to_string(), "chunk": chunk, "segment_id": segment.to_string(),
        }),
        Finding::Incomplete { content, expected, found } => json!({
            "kind": "incomplete", "content_id": content.to_string(), "expected": expected, "found": found,
        }),
        Finding::Pieces { content, at } => {
            json!({ "kind": "pieces", "content_id": content.to_string(), "at_bytes": at })
        }
        Finding::NoKey { content } => json!({ "kind": "no key", "content_id": content.to_string() }),
        Finding::Nowhere { segment } => json!({ "kind": "nowhere", "segment_id": segment.to_string() }),
        Finding::Missing { segment, backend, name } => json!({
            "kind": "missing", "segment_id": segment.to_string(), "backend_id": backend.to_string(),
            "object": name.to_string(),
        }),
        Finding::WrongSize { segment, backend, expected, found } => json!({
            "kind": "wrong size", "segment_id": segment.to_string(), "backend_id": backend.to_string(),
            "expected": expected, "found": found,
        }),
        Finding::Doubted { segment, backend, name } => json!({
            "kind": "doubted", "segment_id": segment.to_string(), "backend_id": backend.to_string(),
            "object": name.to_string(),
        }),
        Finding::Unanswered { segment, backend } => json!({
            "kind": "unanswered", "segment_id": segment.to_string(), "backend_id": backend.to_string(),
        }),
        Finding::Miscounted { segment, counted, sum } => json!({
            "kind": "miscounted", "segment_id": segment.to_string(), "counted": counted, "sum": sum,
        }),
        Finding::Orphan { backend, name, size } => json!({
            "kind": "orphan", "backend_id": backend.to_string(), "object": name.to_string(), "size_bytes": size,
        }),
    }
}

pub(crate) async fn collect(world: &World, arguments: CollectArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let opened = store.vault(Limits::default()).await?;
    // Of a database on a server nobody here knows who else uses it.
    let is_alone = store.data.server().is_none() && store.config.database.url.is_none();
    let least = if is_alone { std::time::Duration::ZERO } else { COLLECT_GRACE_BESIDE_A_SERVER };
    let grace = arguments.grace.0.max(least);
    let collected = {
        let mut progress = Progress::new(world, shutdown);
        let collecting = opened.vault.collect(Grace { segments: grace, orphans: grace }, &mut progress);
        collecting.await.map_err(anyhow::Error::from)?
    };
    let value = json!({
        "grace_seconds": grace.as_secs(),
        "segments": collected.segments,
        "segment_bytes": collected.segment_bytes,
        "orphans": collected.orphans,
        "orphan_bytes": collected.orphan_bytes,
        "young_orphans": collected.young_orphans,
        "failed": collected.failed,
        "last_error": collected.last_error,
        "stopped": collected.stopped,
    });
    print(format, &value, || {
        let left = match collected.young_orphans {
            0 => String::new(),
            young => format!("; {young} unknown objects are too young to remove"),
        };
        format!(
            "removed {} segments ({}) and {} unknown objects ({}){left}{}{}",
            collected.segments,
            size(collected.segment_bytes),
            collected.orphans,
            size(collected.orphan_bytes),
            failures(collected.failed, collected.last_error.as_deref()),
            if collected.stopped { "; interrupted" } else { "" },
        )
    });
    Ok(match (collected.stopped, collected.failed) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Failed,
    })
}

pub(crate) async fn repack(world: &World, arguments: RepackArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let live_share_max = arguments.live_share.unwrap_or(REPACK_LIVE_SHARE_MAX);
    if !(0.0..=1.0).contains(&live_share_max) {
        return Err(Failure::new(Exit::Usage, "--live-share is a number from 0 to 1"));
    }
    let (store, format) = open(world, &arguments.target)?;
    let opened = store.vault(Limits::default()).await?;
    let choice = Choice { live_share_max, age_min: arguments.age.0 };
    let repacked = {
        let mut progress = Progress::new(world, shutdown);
        opened.vault.repack(choice, &mut progress).await.map_err(anyhow::Error::from)?
    };
    let value = json!({
        "segments": repacked.segments,
        "chunks": repacked.chunks,
        "moved_bytes": repacked.moved_bytes,
        "unreadable": repacked.unreadable,
        "failed": repacked.failed,
        "last_error": repacked.last_error,
        "stopped": repacked.stopped,
    });
    print(format, &value, || {
        format!(
            "moved {} chunks ({}) out of {} segments{}{}{}",
            repacked.chunks,
            size(repacked.moved_bytes),
            repacked.segments,
            if repacked.unreadable > 0 { "; some chunks cannot be read: run `entente verify`" } else { "" },
            failures(repacked.failed, repacked.last_error.as_deref()),
            if repacked.stopped { "; interrupted" } else { "" },
        )
    });
    Ok(if repacked.stopped {
        Exit::Interrupted
    } else if repacked.unreadable + repacked.failed > 0 {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn failures(failed: u64, last_error: Option<&str>) -> String {
    match failed {
        0 => String::new(),
        _ => format!("; {failed} failed, to be done next time ({})", last_error.unwrap_or_default()),
    }
}
