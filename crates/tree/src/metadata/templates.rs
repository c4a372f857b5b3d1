//! Templates: made, found, changed and removed.

use super::edit::{self, TemplateEdit};
use super::template::{NewTemplate, PROPERTIES, SKILL_CARDS, Scope, Template, TemplateName};
use super::{InstanceId, MetadataError, TEND_METADATA_JOB, classification, taxonomy};
use crate::grant::See;
use crate::limits::{METADATA_PAGE_MAX, METADATA_TEMPLATES_MAX};
use crate::users::administers;
use crate::{Caller, Error, Tree, allow};
use entente_database::Tx;
use entente_database::jobs::{self, NewJob};
use entente_database::metadata::work::{self, Task};
use entente_database::metadata::{instances, templates};
use entente_model::{EnterpriseId, JobId, TemplateId, Timestamp};

/// A page of templates.
#[derive(Debug, Clone)]
pub struct TemplatePage {
    /// In the order in which they were made.
    pub entries: Vec<Template>,
    /// After which the next page goes on; `None` at the end.
    pub next: Option<TemplateId>,
}

impl Tree {
    /// Makes a template of the caller's enterprise. `Forbidden` for who does not administer it; `Metadata` when it cannot
    /// be what it is, there is one of that key, or there are `limits::METADATA_TEMPLATES_MAX`.
    pub async fn create_template(&self, caller: &Caller, new: NewTemplate) -> Result<Template, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        let (enterprise, id, now) = (caller.enterprise, TemplateId::new(self.world.next_id()), self.world.now());
        if new.key.as_deref() == Some(classification::CLASSIFICATION_TEMPLATE) {
            classification::check_new(&new)?;
        }
        let template = Template::new(id, enterprise, &new)?;
        self.database
            .transact("create metadata template", move |tx| {
                if templates::by_key(tx, enterprise, &template.key)?.is_some() {
                    return Err(MetadataError::Exists("a template with this key exists already").into());
                }
                if templates::count(tx, enterprise)? >= METADATA_TEMPLATES_MAX {
                    return Err(Error::Invalid("the enterprise has as many metadata templates as it can have"));
                }
                let mut template = template.clone();
                find_taxonomies(tx, enterprise, &mut template)?;
                templates::insert(tx, &template.row(enterprise)?, now)?;
                Ok(template)
            })
            .await
    }

    /// A template. `TemplateAbsent` also when it is another enterprise's.
    pub async fn template(&self, caller: &Caller, name: &TemplateName) -> Result<Template, Error> {
        self.database.read(|tx| find(tx, caller, name))
    }

    /// The template with that id. `TemplateAbsent` also when it is another enterprise's.
    pub async fn template_by_id(&self, caller: &Caller, id: TemplateId) -> Result<Template, Error> {
        self.database.read(|tx| find_by_id(tx, caller, id))
    }

    /// The template of an instance. `InstanceAbsent` also when the caller may not see the item.
    pub async fn template_of_instance(&self, caller: &Caller, id: InstanceId) -> Result<Template, Error> {
        self.database.read(|tx| {
            match allow::<See>(tx, caller, id.item) {
                Ok(_) => {}
                Err(Error::NotFound | Error::Trashed | Error::Forbidden) => {
                    return Err(MetadataError::InstanceAbsent.into());
                }
                Err(error) => return Err(error),
            }
            instances::by_template(tx, id.item, id.template)?.ok_or(MetadataError::InstanceAbsent)?;
            find_by_id(tx, caller, id.template)
        })
    }

    /// A page of templates, of at most `limit` and `limits::METADATA_PAGE_MAX`.
    pub async fn list_templates(
        &self,
        caller: &Caller,
        scope: Scope,
        after: Option<TemplateId>,
        limit: u32,
    ) -> Result<TemplatePage, Error> {
        let limit = limit.min(METADATA_PAGE_MAX);
        let mut entries = match scope {
            Scope::Global => [Template::properties(), Template::skill_cards()]
                .into_iter()
                .filter(|template| after.is_none_or(|after| template.id > after))
                .collect(),
            Scope::Enterprise(enterprise) if enterprise == caller.enterprise => {
                self.database
                    .read_long(move |tx| {
                        let rows = templates::list(tx, enterprise, after, limit + 1)?;
                        rows.into_iter().map(Template::of_row).collect::<Result<Vec<_>, Error>>()
                    })
                    .await?
            }
            Scope::Enterprise(_) => return Err(MetadataError::TemplateAbsent.into()),
        };
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        Ok(TemplatePage { next: entries.last().filter(|_| more).map(|last| last.id), entries })
    }

    /// Changes a template, all at once: what is said by it follows. `Forbidden` for who does not administer the
    /// enterprise, and of the global ones; `TemplateAbsent`; `Operation` says which cannot be done.
    pub async fn edit_template(
        &self,
        caller: &Caller,
        name: &TemplateName,
        edits: Vec<TemplateEdit>,
    ) -> Result<Template, Error> {
        let (caller, name, now) = (caller.clone(), name.clone(), self.world.now());
        self.database
            .transact("edit metadata template", move |tx| {
                let (mut template, enterprise) = find_own(tx, &caller, &name)?;
                if template.key == classification::CLASSIFICATION_TEMPLATE {
                    classification::check_edits(&edits)?;
                }
                let before = template.clone();
                edit::apply(&mut template, &edits)?;
                if template.key != before.key && templates::by_key(tx, enterprise, &template.key)?.is_some() {
                    return Err(MetadataError::Exists("a template with this key exists already").into());
                }
                if template != before {
                    find_taxonomies(tx, enterprise, &mut template)?;
                    template.version += 1;
                    templates::save(tx, &template.row(enterprise)?, now)?;
                }
                Ok(template)
            })
            .await
    }

    /// Removes a template: nobody sees it, nor what was said by it, when this returns; what was said goes soon after.
    /// `Forbidden` for who does not administer the enterprise, and of the global ones; `TemplateAbsent`.
    pub async fn delete_template(&self, caller: &Caller, name: &TemplateName) -> Result<(), Error> {
        let (caller, name, now) = (caller.clone(), name.clone(), self.world.now());
        let job = JobId::new(self.world.next_id());
        self.database
            .transact("delete metadata template", move |tx| {
                let (template, _) = find_own(tx, &caller, &name)?;
                templates::condemn(tx, template.id, now)?;
                work::ask(tx, Task::ForgetTemplate(template.id))?;
                enqueue(tx, job, now)
            })
            .await
    }
}

/// Asks for what is to be done to be begun.
pub(super) fn enqueue(tx: &mut Tx<'_>, job: JobId, now: Timestamp) -> Result<(), Error> {
    jobs::enqueue(tx, &NewJob { job, kind: TEND_METADATA_JOB, key: "", payload: "", run_at: now }, now)?;
    Ok(())
}

/// A template that the caller may know of.
pub(super) fn find(tx: &mut Tx<'_>, caller: &Caller, name: &TemplateName) -> Result<Template, Error> {
    if name.key.contains('\0') {
        // No template has such a key, and not every engine can be asked for it.
        return Err(MetadataError::TemplateAbsent.into());
    }
    match name.scope {
        Scope::Global => {
            let found = [Template::properties(), Template::skill_cards()].into_iter().find(|one| one.key == name.key);
            found.ok_or_else(|| MetadataError::TemplateAbsent.into())
        }
        Scope::Enterprise(enterprise) if enterprise == caller.enterprise => {
            let row = templates::by_key(tx, enterprise, &name.key)?.ok_or(MetadataError::TemplateAbsent)?;
            Template::of_row(row)
        }
        Scope::Enterprise(_) => Err(MetadataError::TemplateAbsent.into()),
    }
}

/// The template with that id, if the caller may know of it.
pub(super) fn find_by_id(tx: &mut Tx<'_>, caller: &Caller, id: TemplateId) -> Result<Template, Error> {
    match id {
        PROPERTIES => Ok(Template::properties()),
        SKILL_CARDS => Ok(Template::skill_cards()),
        _ => {
            let row = templates::by_id(tx, id)?.filter(|row| row.enterprise == caller.enterprise);
            Template::of_row(row.ok_or(MetadataError::TemplateAbsent)?)
        }
    }
}

/// A template that the caller may change, and its enterprise.
fn find_own(tx: &mut Tx<'_>, caller: &Caller, name: &TemplateName) -> Result<(Template, EnterpriseId), Error> {
    let template = find(tx, caller, name)?;
    match template.scope {
        Scope::Enterprise(enterprise) if administers(caller) => Ok((template, enterprise)),
        _ => Err(Error::Forbidden),
    }
}

/// Finds the taxonomies that fields take values of.
fn find_taxonomies(tx: &mut Tx<'_>, enterprise: EnterpriseId, template: &mut Template) -> Result<(), Error> {
    for field in &mut template.fields {
        if let Some(of) = field.taxonomy.as_mut().filter(|of| of.taxonomy.is_none()) {
            taxonomy::find_for_field(tx, enterprise, of)?;
        }
    }
    Ok(())
}
