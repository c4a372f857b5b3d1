//! What follows from changes of metadata, a batch at a time.

use super::cascade::{bring, source};
use crate::limits::METADATA_BATCH_MAX;
use crate::{Error, Kind, Top, Tree};
use entente_database::Tx;
use entente_database::items::{self, Position};
use entente_database::metadata::work::{self, Others, Task, Work};
use entente_database::metadata::{cascades, instances, taxonomies, templates};
use entente_model::{CascadeId, ItemId, TemplateId};

/// The kind of the job that calls [`Tree::tend_metadata`] until there is nothing to be done. It is queued by whatever
/// gives it something to do, save moves, which wait for its schedule.
pub const TEND_METADATA_JOB: &str = "tend metadata";

impl Tree {
    /// Does a batch of what follows from changes of metadata: cascades go on, and what was said by removed templates goes.
    /// Whether there may be more.
    pub async fn tend_metadata(&self) -> Result<bool, Error> {
        if self.database.read(work::next)?.is_none() {
            return Ok(false);
        }
        self.database
            .transact("tend metadata", move |tx| {
                let Some(Work { task, after }) = work::next(tx)? else { return Ok(false) };
                match task {
                    Task::Cascade { cascade, folder, others } => go_on(tx, (cascade, folder, others), after.as_ref())?,
                    Task::ForgetTemplate(template) => forget(tx, template)?,
                    Task::ForgetTaxonomy(taxonomy) => {
                        if taxonomies::forget(tx, taxonomy, METADATA_BATCH_MAX)? {
                            work::done(tx, task)?;
                        }
                    }
                }
                Ok(true)
            })
            .await
    }
}

/// Brings what a cascade brings to some children of a folder.
fn go_on(
    tx: &mut Tx<'_>,
    (id, folder, others): (CascadeId, ItemId, Others),
    after: Option<&Position>,
) -> Result<(), Error> {
    let task = Task::Cascade { cascade: id, folder, others };
    let Some(cascade) = cascades::by_id(tx, id)? else { return Ok(work::done(tx, task)?) };
    let Some(source) = source(tx, &cascade)? else { return Ok(work::done(tx, task)?) };
    let way = items::ancestors(tx, folder)?;
    let within = way.iter().any(|step| step.id == cascade.folder) && way.last().is_some_and(|top| top.top == Top::Root);
    if !within {
        // It was moved away, or into the trash. Should it come back, it is asked for again.
        return Ok(work::done(tx, task)?);
    }
    let page = items::page_after(tx, folder, after, METADATA_BATCH_MAX)?;
    for (item, _) in page.iter().filter(|(item, _)| item.kind != Kind::WebLink) {
        bring(tx, (&cascade, &source), item.id, others)?;
        if item.kind == Kind::Folder {
            work::ask(tx, Task::Cascade { cascade: id, folder: item.id, others })?;
        }
    }
    match page.last().filter(|_| page.len() >= METADATA_BATCH_MAX as usize) {
        Some((last, _)) => Ok(work::keep(tx, task, &Position::of(last))?),
        None => Ok(work::done(tx, task)?),
    }
}

/// Removes some of what was said by a template that was removed.
fn forget(tx: &mut Tx<'_>, template: TemplateId) -> Result<(), Error> {
    let full = METADATA_BATCH_MAX as usize;
    if instances::remove_some(tx, template, METADATA_BATCH_MAX)? >= full
        || cascades::remove_some(tx, template, METADATA_BATCH_MAX)? >= full
    {
        return Ok(());
    }
    templates::forget(tx, template)?;
    Ok(work::done(tx, Task::ForgetTemplate(template))?)
}
