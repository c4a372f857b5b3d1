//! `[upkeep]`: what a server does when nobody asks.

use super::reader::Section;
use crate::span::Span;
use entente_tree::limits::TRASH_LIFETIME;
use entente_vault::upkeep::safety::{COLLECT_GRACE, COLLECT_GRACE_BESIDE_A_SERVER, LEAVE_GRACE};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Nothing is worth doing more often.
const OFTEN_MAX: Duration = Duration::from_secs(60);
/// Objects that are copied or read at a time, when nobody says.
const PARALLEL: usize = 8;

#[derive(Debug, Clone)]
pub(crate) struct UpkeepConfig {
    /// How often garbage is collected.
    pub(crate) collect: Span,
    /// How old garbage must be.
    pub(crate) grace: Span,
    /// How often mostly dead segments are repacked.
    pub(crate) repack: Span,
    /// How often what has expired is removed.
    pub(crate) expire: Span,
    /// How long the trash keeps what is in it, and versions that were removed, or overwritten where none are kept.
    pub(crate) trash: Span,
    /// How long events are kept.
    pub(crate) events: Span,
    /// Within how long each backend is scrubbed once.
    pub(crate) scrub: Span,
    /// What a scrub reads in a second, of each backend.
    pub(crate) scrub_bytes_per_second: u64,
    /// How long a copy that is not wanted any more stays. An order to relocate has one of its own.
    pub(crate) leave_grace: Span,
    /// What copying between backends may move in a second, unless an order says otherwise; as much as it can, if not given.
    pub(crate) bytes_per_second: Option<u64>,
    /// Objects that are copied or read at a time.
    pub(crate) parallel: usize,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        Self {
            collect: Span(6 * HOUR),
            grace: Span(COLLECT_GRACE),
            repack: Span(6 * HOUR),
            expire: Span(HOUR / 6),
            trash: Span(TRASH_LIFETIME),
            events: Span(365 * 24 * HOUR),
            scrub: Span(30 * 24 * HOUR),
            scrub_bytes_per_second: 32 << 20,
            leave_grace: Span(LEAVE_GRACE),
            bytes_per_second: None,
            parallel: PARALLEL,
        }
    }
}

impl UpkeepConfig {
    pub(super) fn take(mut section: Section<'_, '_>) -> Self {
        let usual = Self::default();
        let grace = section.parsed::<Span>("grace");
        if let Some(short) = grace.as_ref().filter(|span| span.value.0 < COLLECT_GRACE_BESIDE_A_SERVER) {
            section.note(short.line, "grace", "must be at least 1h, so that uploads under way are not made to fail");
        }
        let mut every = |field: &'static str, usual: Span| {
            let span = section.parsed::<Span>(field);
            if let Some(short) = span.as_ref().filter(|span| span.value.0 < OFTEN_MAX) {
                section.note(short.line, field, "must be at least 1m");
            }
            span.map_or(usual, |at| at.value)
        };
        let (collect, repack) = (every("collect", usual.collect), every("repack", usual.repack));
        let (expire, scrub) = (every("expire", usual.expire), every("scrub", usual.scrub));
        let (trash, events) = (every("trash", usual.trash), every("events", usual.events));
        let rate = section.number("scrub_bytes_per_second", 1 << 10..=1 << 40);
        let leave_grace = section.parsed::<Span>("leave_grace");
        let bytes_per_second = section.number("bytes_per_second", 1 << 10..=1 << 40);
        let parallel = section.number("parallel", 1..=256);
        section.finish();
        Self {
            collect,
            grace: grace.map_or(usual.grace, |at| at.value),
            repack,
            expire,
            trash,
            events,
            scrub,
            scrub_bytes_per_second: rate.map_or(usual.scrub_bytes_per_second, |at| at.value),
            leave_grace: leave_grace.map_or(usual.leave_grace, |at| at.value),
            bytes_per_second: bytes_per_second.map(|at| at.value),
            parallel: parallel.map_or(usual.parallel, |at| usize::try_from(at.value).unwrap_or(PARALLEL)),
        }
    }
}
