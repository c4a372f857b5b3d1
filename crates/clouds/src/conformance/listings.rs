use super::{
    Outcome,
    trial::{Trial, just_before, size},
};
use crate::{Listed, ObjectName};
use bytes::Bytes;
use std::collections::BTreeMap;

/// More than any service gives in one page.
const MANY: usize = 1200;
/// Pages of a long listing; the backend may hold more than we made.
const PAGES_MAX: usize = 10_000;

pub(super) async fn paged(trial: &Trial<'_>) -> Outcome {
    // Alike but for the last byte, so that no other object of a backend in use comes between them.
    let mut alike = *trial.fresh_name().as_bytes();
    let names: Vec<ObjectName> = (1..=9_u8)
        .map(|number| {
            alike[15] = number * 20;
            ObjectName::new(alike)
        })
        .collect();
    alike[15] = 0;
    let before = ObjectName::new(alike);
    for (name, size) in names.iter().rev().zip(1..) {
        trial.create(*name, &trial.content(size), size).await?;
    }
    for limit in 1..=names.len() {
        let (mut seen, mut after) = (Vec::new(), before);
        while seen.len() < names.len() {
            let page = page(trial, Some(after), limit).await?;
            let last = page.last().ok_or_else(|| trial.failure(format!("a page after {after} is empty")))?;
            after = last.name;
            seen.extend(page);
        }
        seen.truncate(names.len());
        let listed: Vec<ObjectName> = seen.iter().map(|row| row.name).collect();
        trial.expect(listed == names, || format!("pages of {limit} show {listed:?} in place of {names:?}"))?;
        for (row, size) in seen.iter().rev().zip(1..) {
            trial.expect(row.size == size, || format!("a row says {} bytes in place of {size}", row.size))?;
        }
    }
    across(trial).await?;
    let none = trial.ok(trial.backend.list(Some(ObjectName::new([0xff; 16])), 10).await)?;
    trial.expect(none.is_empty(), || "there is something after the last name".to_owned())?;
    let none = trial.ok(trial.backend.list(None, 0).await)?;
    trial.expect(none.is_empty(), || "a page of nothing has rows".to_owned())
}

/// Objects with names from all over are each where the listing should have them.
async fn across(trial: &Trial<'_>) -> Outcome {
    let mut names: Vec<ObjectName> = (0..8).map(|_| trial.fresh_name()).collect();
    names.sort_unstable();
    for name in &names {
        trial.create(*name, &trial.content(10), 10).await?;
    }
    for name in &names {
        let row = page(trial, Some(just_before(*name)), 1).await?;
        trial.expect(row.first().is_some_and(|row| row.name == *name), || format!("{name} is not listed"))?;
    }
    Ok(())
}

pub(super) async fn long(trial: &Trial<'_>) -> Outcome {
    // Alike in their first two bytes, so that few objects of a backend in use come between them.
    let [first, second, ..] = *trial.fresh_name().as_bytes();
    let alike = |rest: [u8; 14]| {
        let mut name = [0; 16];
        name.iter_mut().zip([first, second].into_iter().chain(rest)).for_each(|(to, from)| *to = from);
        ObjectName::new(name)
    };
    let made: Vec<(ObjectName, Bytes)> =
        (0..MANY).map(|number| (alike(trial.world.random().bytes()), Bytes::from(vec![7; number % 50]))).collect();
    trial.create_all(&made).await?;
    let end = alike([0xff; 14]);
    // A page of a few, of a service's usual page and a row more, and of all.
    for limit in [97, 1001, MANY + 1] {
        let mut missing: BTreeMap<ObjectName, u64> = made.iter().map(|(name, bytes)| (*name, size(bytes))).collect();
        let mut after = just_before(alike([0; 14]));
        for pages in 0.. {
            trial.expect(pages < PAGES_MAX, || "a listing does not end".to_owned())?;
            let rows = page(trial, Some(after), limit).await?;
            for row in &rows {
                trial.expect(missing.remove(&row.name).is_none_or(|size| size == row.size), || {
                    format!("a row says {} bytes of {}", row.size, row.name)
                })?;
            }
            let Some(last) = rows.last().filter(|last| rows.len() == limit && last.name < end) else {
                break;
            };
            after = last.name;
        }
        let some = missing.keys().next();
        trial.expect(missing.is_empty(), || {
            format!("pages of {limit} leave out {} of {MANY} objects, such as {some:?}", missing.len())
        })?;
    }
    Ok(())
}

/// A page that is in order, after where it should be, and no longer than it may be.
async fn page(trial: &Trial<'_>, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, super::Failure> {
    let rows = trial.ok(trial.backend.list(after, limit).await)?;
    trial.expect(rows.len() <= limit, || format!("{} rows for a limit of {limit}", rows.len()))?;
    let ordered = rows.is_sorted_by(|one, next| one.name < next.name);
    let behind = rows.first().is_none_or(|row| after.is_none_or(|after| row.name > after));
    trial.expect(ordered && behind, || format!("a page after {after:?} is not in order"))?;
    Ok(rows)
}
