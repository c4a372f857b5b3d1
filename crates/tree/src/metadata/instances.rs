//! Instances: what is said of an item by one template.

use super::patch::{self, PatchOperation};
use super::template::{SKILL_CARDS, Template, TemplateName};
use super::templates::{find, find_by_id};
use super::value::{self, Values};
use super::{MetadataError, cascade};
use crate::grant::{Change, Grant, See};
use crate::items::Stamp;
use crate::limits::METADATA_INSTANCES_MAX;
use crate::{Caller, Error, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::metadata::instances::{self, InstanceRow};
use entente_database::metadata::values;
use entente_database::{Tx, paths};
use entente_model::{ItemId, JobId, Rights, Scopes, TemplateId};
use serde_json::Value;

/// Which instance: a template and an item have one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InstanceId {
    /// Of what.
    pub item: ItemId,
    /// By which template.
    pub template: TemplateId,
}

/// What is said of an item by one template.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Of what.
    pub item: ItemId,
    /// What that is.
    pub kind: Kind,
    /// By which template.
    pub template: Template,
    /// How often it has changed.
    pub version: u64,
    /// The version of the template by which it was last checked.
    pub type_version: u64,
    /// What is said.
    pub values: Values,
    /// Whether the caller may change it.
    pub can_edit: bool,
}

impl Instance {
    /// Which it is.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        InstanceId { item: self.item, template: self.template.id }
    }
}

impl Tree {
    /// Everything that is said of an item, by templates that the caller may know of: at most
    /// `limits::METADATA_INSTANCES_MAX`. `NotFound`, `Trashed`.
    pub async fn metadata(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<Vec<Instance>, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let grant = allow::<See>(tx, &caller, item)?.of(kind)?;
                let mut found = Vec::new();
                for row in instances::of_item(tx, item, METADATA_INSTANCES_MAX)? {
                    match find_by_id(tx, &caller, row.template) {
                        Ok(template) => found.push(view(&caller, &grant, template, &row)?),
                        Err(Error::Metadata(MetadataError::TemplateAbsent)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(found)
            })
            .await
    }

    /// What is said of an item by a template. `NotFound`, `Trashed`; `InstanceAbsent` also when there is no such template.
    pub async fn instance(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        name: &TemplateName,
    ) -> Result<Instance, Error> {
        self.database.read(|tx| {
            let grant = allow::<See>(tx, caller, item)?.of(kind)?;
            let (template, row) = present(tx, caller, item, name)?;
            view(caller, &grant, template, &row)
        })
    }

    /// Says something of an item. `TemplateAbsent`, `Exists`, `Schema`; `NotFound`, `Trashed`, and `Forbidden` also for a
    /// root; `Invalid` when there are `limits::METADATA_INSTANCES_MAX` on it.
    pub async fn create_instance(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        (name, values): (TemplateName, Values),
    ) -> Result<Instance, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("create metadata", move |tx| create(tx, &caller, stamp, (item, kind), &name, &values))
            .await
    }

    /// Changes what is said of an item, all or nothing. `InstanceAbsent`; `Operation` says which cannot be done, also when
    /// a test fails; `Schema` when what comes of it does not fit. `NotFound`, `Trashed`, `Forbidden`.
    pub async fn patch_instance(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        (name, operations): (TemplateName, Vec<PatchOperation>),
    ) -> Result<Instance, Error> {
        let (caller, stamp, job) = (caller.clone(), self.stamp(), JobId::new(self.world.next_id()));
        self.database
            .transact("patch metadata", move |tx| {
                let grant = allow::<Change>(tx, &caller, item)?.of(kind)?;
                let (template, row) = present(tx, &caller, item, &name)?;
                let before = value::decode(&template, &row.content)?;
                let mut document = Value::Object(before.clone());
                patch::apply(&mut document, &operations)?;
                let Value::Object(after) = document else {
                    return Err(Error::internal("a patch made another thing of an object"));
                };
                if after == before {
                    return view(&caller, &grant, template, &row);
                }
                let row = write(tx, &template, &row, &after)?;
                stamp.record(tx, &caller, EventKind::MetadataChanged, item, None)?;
                cascade::changed(tx, (item, template.id), (job, stamp.at))?;
                view(&caller, &grant, template, &row)
            })
            .await
    }

    /// Takes back what is said of an item by a template, and the cascade from it with it: what that brought stays.
    /// `InstanceAbsent`; `NotFound`, `Trashed`, `Forbidden`.
    pub async fn delete_instance(
        &self,
        caller: &Caller,
        item: ItemId,
        kind: Kind,
        name: TemplateName,
    ) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("delete metadata", move |tx| {
                allow::<Change>(tx, &caller, item)?.of(kind)?;
                let (template, _) = present(tx, &caller, item, &name)?;
                instances::remove(tx, item, template.id)?;
                cascade::ended(tx, item, template.id)?;
                stamp.record(tx, &caller, EventKind::MetadataRemoved, item, None)
            })
            .await
    }
}

/// Says something of an item.
pub(super) fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    stamp: Stamp,
    (item, kind): (ItemId, Kind),
    name: &TemplateName,
    values: &Values,
) -> Result<Instance, Error> {
    let grant = allow::<Change>(tx, caller, item)?.of(kind)?;
    let template = find(tx, caller, name)?;
    if template.id == SKILL_CARDS && kind != Kind::File {
        return Err(MetadataError::TemplateAbsent.into());
    }
    if instances::by_template(tx, item, template.id)?.is_some() {
        return Err(MetadataError::Exists("the template is applied to the item already").into());
    }
    if instances::count(tx, item)? >= u64::from(METADATA_INSTANCES_MAX) {
        return Err(Error::Invalid("as much metadata is said of the item as can be"));
    }
    if grant.item().implied {
        // A folder that somebody has said something of is not there for its paths alone.
        paths::make_explicit(tx, item)?;
    }
    let encoded = value::encode(tx, &template, values, &Values::new())?;
    let row = InstanceRow {
        item,
        template: template.id,
        version: 0,
        type_version: template.version,
        cascade: None,
        content: encoded.content,
    };
    instances::insert(tx, &row)?;
    values::replace(tx, item, template.id, &encoded.indexed)?;
    stamp.record(tx, caller, EventKind::MetadataAdded, item, None)?;
    view(caller, &grant, template, &row)
}

/// Writes other values into an instance.
pub(super) fn write(
    tx: &mut Tx<'_>,
    template: &Template,
    row: &InstanceRow,
    values: &Values,
) -> Result<InstanceRow, Error> {
    let before = value::decode(template, &row.content)?;
    let encoded = value::encode(tx, template, values, &before)?;
    let version = row.version + 1;
    // What somebody has said here themselves is not a cascade's any more.
    let (item, type_version) = (row.item, template.version);
    let row =
        InstanceRow { item, template: template.id, version, type_version, cascade: None, content: encoded.content };
    instances::save(tx, &row)?;
    values::replace(tx, row.item, row.template, &encoded.indexed)?;
    Ok(row)
}

/// The instance of a template on an item, and the template.
pub(super) fn present(
    tx: &mut Tx<'_>,
    caller: &Caller,
    item: ItemId,
    name: &TemplateName,
) -> Result<(Template, InstanceRow), Error> {
    let template = find(tx, caller, name).map_err(|error| match error {
        Error::Metadata(MetadataError::TemplateAbsent) => MetadataError::InstanceAbsent.into(),
        other => other,
    })?;
    let row = instances::by_template(tx, item, template.id)?.ok_or(MetadataError::InstanceAbsent)?;
    Ok((template, row))
}

pub(super) fn view<A>(
    caller: &Caller,
    grant: &Grant<A>,
    template: Template,
    row: &InstanceRow,
) -> Result<Instance, Error> {
    Ok(Instance {
        item: row.item,
        kind: grant.item().kind,
        version: row.version,
        type_version: row.type_version,
        values: value::decode(&template, &row.content)?,
        template,
        can_edit: grant.rights().contains(Rights::EDIT) && caller.scopes.contains(Scopes::CHANGE),
    })
}

/// A copy of an item that was just made keeps what is said by templates that say so.
pub(crate) fn copied(tx: &mut Tx<'_>, from: ItemId, to: ItemId) -> Result<(), Error> {
    Ok(instances::copy(tx, from, to, SKILL_CARDS)?)
}
