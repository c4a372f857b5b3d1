//! Orders by more than one field: items that are alike in the first are put in the order of the others, before any of them
//! is shown.

use super::judge::{Condition, Constant, in_order, key};
use super::{BATCH, FoundPage, Query, Sort, Walk, seen, show};
use crate::grant::{Grant, See};
use crate::limits::{QUERY_LOOKED_AT_MAX, QUERY_PAGE_MAX};
use crate::metadata::template::Template;
use crate::{Caller, Error, SortOrder};
use data_encoding::BASE64URL_NOPAD;
use entente_database::Tx;
use entente_database::metadata::values::Indexed;
use entente_model::ItemId;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Items that are alike in the first field. Of more than `QUERY_LOOKED_AT_MAX` instances, as many make a group, and the
/// others the next.
struct Group {
    /// The value that they have; none without one.
    value: Option<Indexed>,
    /// Where it begins, as a marker says it.
    start: String,
    looked_at: u32,
    members: Vec<Member>,
}

struct Member {
    /// The values of all fields.
    keys: Vec<Option<Constant>>,
    item: ItemId,
    grant: Grant<See>,
}

pub(super) fn run(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (query, sort): (&Query, &Sort),
    template: &Template,
    (condition, mut walk): (Option<&Condition>, Walk),
) -> Result<FoundPage, Error> {
    let limit = query.limit.min(QUERY_PAGE_MAX) as usize;
    let fields: Vec<_> = sort.fields.iter().filter_map(|key| template.field(key)).collect();
    let mut page = FoundPage { entries: Vec::new(), next: None };
    let (mut group, mut left) = (None::<Group>, QUERY_LOOKED_AT_MAX);
    loop {
        let batch = walk.read(tx, template.id, BATCH)?;
        let is_end = batch.is_empty();
        for (at, instance) in batch {
            let goes_on = |group: &Group| group.value == at.0 && group.looked_at < QUERY_LOOKED_AT_MAX;
            if !group.as_ref().is_some_and(goes_on) {
                let ended = group.take();
                if flush(tx, caller, (query, sort), ended, (&mut walk, &mut page))? {
                    return Ok(page);
                }
                if left == 0 || page.entries.len() >= limit {
                    page.next = Some(walk.marker());
                    return Ok(page);
                }
            }
            let ((value, item), start) = (at.clone(), walk.text());
            let group = group.get_or_insert_with(|| Group { value, start, looked_at: 0, members: Vec::new() });
            group.looked_at += 1;
            left = left.saturating_sub(1);
            walk.at(at);
            let Some(instance) = instance else { continue };
            let stored: Map<String, Value> =
                serde_json::from_str(&instance.content).map_err(|error| Error::Damaged(error.into()))?;
            if !walk.wants(&stored, condition) {
                continue;
            }
            if let Some(grant) = seen(tx, caller, item, query.ancestor)? {
                let keys = fields.iter().map(|field| key(field, &stored)).collect();
                group.members.push(Member { keys, item, grant });
            }
        }
        if is_end && (flush(tx, caller, (query, sort), group.take(), (&mut walk, &mut page))? || !walk.goes_on()) {
            return Ok(page);
        }
    }
}

/// Shows a group, but for those of it that an earlier page has shown. Whether the page is full before its end.
fn flush(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (query, sort): (&Query, &Sort),
    group: Option<Group>,
    (walk, page): (&mut Walk, &mut FoundPage),
) -> Result<bool, Error> {
    let Some(mut group) = group else { return Ok(false) };
    group.members.sort_by(|one, other| {
        let orders = one.keys.iter().zip(&other.keys);
        let orders = orders.map(|(one, other)| compare(one.as_ref(), other.as_ref(), sort.order));
        orders.fold(Ordering::Equal, Ordering::then).then(one.item.cmp(&other.item))
    });
    let limit = query.limit.min(QUERY_PAGE_MAX) as usize;
    let skipped = std::mem::take(&mut walk.skip);
    for (place, member) in group.members.iter().enumerate().skip(skipped) {
        if page.entries.len() >= limit {
            page.next = Some(BASE64URL_NOPAD.encode(format!("g{place} {}", group.start).as_bytes()));
            return Ok(true);
        }
        page.entries.push(show(tx, caller, &member.grant, query)?);
    }
    Ok(false)
}

/// What is not said comes last, whichever way.
fn compare(one: Option<&Constant>, other: Option<&Constant>, order: SortOrder) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => {
            let upwards = in_order(one, other).unwrap_or(Ordering::Equal);
            if order == SortOrder::Descending { upwards.reverse() } else { upwards }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
