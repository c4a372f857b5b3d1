//! Cascades: what is said of a folder by a template goes to everything below it.
//!
//! Whatever comes into the folder, or below it, has it at once; what is there already has it by a job, and what changes in
//! the folder goes the same way. What others have said of an item by the same template stays, unless somebody asks for it
//! to give way once.

use super::MetadataError;
use super::instances::present;
use super::template::TemplateName;
use super::templates::{enqueue, find};
use crate::grant::{Change, Grant, See, Upload};
use crate::limits::METADATA_INSTANCES_MAX;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::metadata::cascades::{self, Cascade};
use entente_database::metadata::instances::{self, InstanceRow};
use entente_database::metadata::values;
use entente_database::metadata::work::{self, Others, Task};
use entente_database::{Tx, counts, items};
use entente_model::{CascadeId, ItemId, JobId, TemplateId, Timestamp};

/// What becomes of what others have said of an item when a cascade is applied anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// It stays.
    Keep,
    /// It gives way.
    Overwrite,
}

impl Tree {
    /// Begins a cascade of what is said of a folder by a template. `NotFound`, `Trashed`; `Forbidden` also for a root;
    /// `TemplateAbsent` also when nothing is said of the folder by it; `Exists`.
    pub async fn create_cascade(
        &self,
        caller: &Caller,
        folder: ItemId,
        name: TemplateName,
    ) -> Result<(Cascade, TemplateName), Error> {
        let (caller, now) = (caller.clone(), self.world.now());
        let (id, job) = (CascadeId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        self.database
            .transact("create cascade", move |tx| {
                allow::<Change>(tx, &caller, folder)?.of(Kind::Folder)?;
                let template = find(tx, &caller, &name)?;
                instances::by_template(tx, folder, template.id)?.ok_or(MetadataError::TemplateAbsent)?;
                if cascades::by_template(tx, folder, template.id)?.is_some() {
                    return Err(MetadataError::Exists("the template cascades from this folder already").into());
                }
                let cascade = Cascade { id, enterprise: caller.enterprise, folder, template: template.id };
                cascades::insert(tx, &cascade, now)?;
                work::ask(tx, Task::Cascade { cascade: id, folder, others: Others::Stay })?;
                enqueue(tx, job, now)?;
                Ok((cascade, template.name()))
            })
            .await
    }

    /// The cascades from a folder, each with the name of its template: at most `limits::METADATA_INSTANCES_MAX`.
    /// `NotFound`, `Trashed`.
    pub async fn list_cascades(&self, caller: &Caller, folder: ItemId) -> Result<Vec<(Cascade, TemplateName)>, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                allow::<See>(tx, &caller, folder)?.of(Kind::Folder)?;
                let mut found = Vec::new();
                for cascade in cascades::of_folder(tx, folder, METADATA_INSTANCES_MAX)? {
                    if let Some(name) = name_of(tx, &caller, &cascade)? {
                        found.push((cascade, name));
                    }
                }
                Ok(found)
            })
            .await
    }

    /// A cascade. `InstanceAbsent` also when the caller may not see its folder.
    pub async fn cascade(&self, caller: &Caller, id: CascadeId) -> Result<(Cascade, TemplateName), Error> {
        self.database.read(|tx| {
            let (cascade, name) = known(tx, caller, id)?;
            Ok((cascade, name))
        })
    }

    /// Ends a cascade. What it brought stays. `InstanceAbsent`; `Forbidden`.
    pub async fn delete_cascade(&self, caller: &Caller, id: CascadeId) -> Result<(), Error> {
        let caller = caller.clone();
        self.database
            .transact("delete cascade", move |tx| {
                let (cascade, _) = known(tx, &caller, id)?;
                allow::<Change>(tx, &caller, cascade.folder)?;
                Ok(cascades::remove(tx, id)?)
            })
            .await
    }

    /// Applies a cascade anew to everything below its folder, by a job. `InstanceAbsent`; `Forbidden`.
    pub async fn apply_cascade(&self, caller: &Caller, id: CascadeId, conflicts: Conflicts) -> Result<(), Error> {
        let (caller, now, job) = (caller.clone(), self.world.now(), JobId::new(self.world.next_id()));
        let others = match conflicts {
            Conflicts::Keep => Others::Stay,
            Conflicts::Overwrite => Others::GiveWay,
        };
        self.database
            .transact("apply cascade", move |tx| {
                let (cascade, _) = known(tx, &caller, id)?;
                allow::<Change>(tx, &caller, cascade.folder)?;
                work::ask(tx, Task::Cascade { cascade: id, folder: cascade.folder, others })?;
                enqueue(tx, job, now)
            })
            .await
    }
}

/// A cascade from a folder that the caller may see, and the name of its template.
fn known(tx: &mut Tx<'_>, caller: &Caller, id: CascadeId) -> Result<(Cascade, TemplateName), Error> {
    let cascade = cascades::by_id(tx, id)?.ok_or(MetadataError::InstanceAbsent)?;
    match allow::<See>(tx, caller, cascade.folder) {
        Ok(_) => {}
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) => return Err(MetadataError::InstanceAbsent.into()),
        Err(error) => return Err(error),
    }
    let name = name_of(tx, caller, &cascade)?.ok_or(MetadataError::InstanceAbsent)?;
    Ok((cascade, name))
}

/// The name of a cascade's template, if the caller may know of it and it is still there.
fn name_of(tx: &mut Tx<'_>, caller: &Caller, cascade: &Cascade) -> Result<Option<TemplateName>, Error> {
    match super::templates::find_by_id(tx, caller, cascade.template) {
        // What was said has to be there, too.
        Ok(template) => match present(tx, caller, cascade.folder, &template.name()) {
            Ok(_) => Ok(Some(template.name())),
            Err(Error::Metadata(MetadataError::InstanceAbsent)) => Ok(None),
            Err(error) => Err(error),
        },
        Err(Error::Metadata(MetadataError::TemplateAbsent)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is said of an item by a template has changed: it goes to what is below, if it goes there at all.
pub(super) fn changed(
    tx: &mut Tx<'_>,
    (item, template): (ItemId, TemplateId),
    (job, at): (JobId, Timestamp),
) -> Result<(), Error> {
    let Some(cascade) = cascades::by_template(tx, item, template)? else { return Ok(()) };
    work::ask(tx, Task::Cascade { cascade: cascade.id, folder: item, others: Others::Stay })?;
    enqueue(tx, job, at)
}

/// Nothing is said of an item by a template any more.
pub(super) fn ended(tx: &mut Tx<'_>, item: ItemId, template: TemplateId) -> Result<(), Error> {
    match cascades::by_template(tx, item, template)? {
        Some(cascade) => Ok(cascades::remove(tx, cascade.id)?),
        None => Ok(()),
    }
}

/// An item has come into a folder: what goes from there, and from above, goes to it at once, and to what is in it by the
/// job. The nearest folder comes first.
pub(crate) fn settled(tx: &mut Tx<'_>, folder: &Grant<Upload>, child: ItemId) -> Result<(), Error> {
    // More than an item can have instances need not be looked at.
    let mut left = METADATA_INSTANCES_MAX;
    for step in std::iter::once(folder.item()).chain(folder.above()).filter(|step| step.cascades) {
        let found = cascades::of_folder(tx, step.id, left)?;
        left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if !found.is_empty() && items::by_id(tx, child)?.is_some_and(|item| item.kind == Kind::WebLink) {
            // Of web links nothing is said.
            return Ok(());
        }
        for cascade in found {
            let Some(source) = source(tx, &cascade)? else { continue };
            bring(tx, (&cascade, &source), child, Others::Stay)?;
            if counts::children(tx, child)? > 0 {
                work::ask(tx, Task::Cascade { cascade: cascade.id, folder: child, others: Others::Stay })?;
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

/// What a cascade brings, if it is still said.
pub(super) fn source(tx: &mut Tx<'_>, cascade: &Cascade) -> Result<Option<InstanceRow>, Error> {
    Ok(instances::by_template(tx, cascade.folder, cascade.template)?)
}

/// Brings what is said of a cascade's folder to an item.
pub(super) fn bring(
    tx: &mut Tx<'_>,
    (cascade, source): (&Cascade, &InstanceRow),
    item: ItemId,
    others: Others,
) -> Result<(), Error> {
    let new = InstanceRow { item, cascade: Some(cascade.id), ..source.clone() };
    match instances::by_template(tx, item, cascade.template)? {
        None if instances::count(tx, item)? >= u64::from(METADATA_INSTANCES_MAX) => return Ok(()),
        None => instances::insert(tx, &InstanceRow { version: 0, ..new })?,
        Some(found) if found.cascade == new.cascade && found.content == new.content => return Ok(()),
        Some(found) if found.cascade == new.cascade || others == Others::GiveWay => {
            instances::save(tx, &InstanceRow { version: found.version + 1, ..new })?;
        }
        Some(_) => return Ok(()),
    }
    Ok(values::copy(tx, source.item, item, cascade.template)?)
}
