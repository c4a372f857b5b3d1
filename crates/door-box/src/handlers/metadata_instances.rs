//! Metadata of files and folders.

use super::metadata_shapes::{instance, list_body, object_body, template_asked};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::metadata::{Instances, PatchBody};
use entente_model::{Caller, ItemId};
use entente_tree::Kind;
use entente_tree::limits::{METADATA_INSTANCES_MAX, METADATA_PATCH_MAX};
use entente_tree::metadata::{Instance, MetadataError, PatchOperation, TemplateName};
use http::StatusCode;

pub(crate) async fn list_of_file(asked: Asked, caller: Caller) -> Outcome {
    list(asked, caller, Kind::File).await
}

pub(crate) async fn list_of_folder(asked: Asked, caller: Caller) -> Outcome {
    list(asked, caller, Kind::Folder).await
}

pub(crate) async fn show_of_file(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    show(asked, caller, Kind::File, name).await
}

pub(crate) async fn show_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    show(asked, caller, Kind::Folder, name).await
}

pub(crate) async fn create_on_file(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    create(asked, caller, Kind::File, name).await
}

pub(crate) async fn create_on_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    create(asked, caller, Kind::Folder, name).await
}

pub(crate) async fn update_of_file(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    update(asked, caller, Kind::File, name).await
}

pub(crate) async fn update_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    update(asked, caller, Kind::Folder, name).await
}

pub(crate) async fn delete_of_file(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    delete(asked, caller, Kind::File, name).await
}

pub(crate) async fn delete_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    delete(asked, caller, Kind::Folder, name).await
}

async fn list(asked: Asked, caller: Caller, kind: Kind) -> Outcome {
    let item = item(&asked, &caller, kind).await?;
    let found = asked.tree().metadata(&caller, item, kind).await?;
    let entries = found.iter().map(instance).collect();
    Ok(answer::json(StatusCode::OK, &Instances { entries, limit: METADATA_INSTANCES_MAX }))
}

pub(super) async fn show(asked: Asked, caller: Caller, kind: Kind, name: TemplateName) -> Outcome {
    let item = item(&asked, &caller, kind).await?;
    let found = asked.tree().instance(&caller, item, kind, &name).await?;
    // Box describes 201, and answers 200.
    Ok(shown(StatusCode::OK, &found))
}

pub(super) async fn create(mut asked: Asked, caller: Caller, kind: Kind, name: TemplateName) -> Outcome {
    let values = object_body(&mut asked).await?;
    let item = item(&asked, &caller, kind).await?;
    let made = asked.tree().create_instance(&caller, item, kind, (name, values)).await?;
    Ok(shown(StatusCode::CREATED, &made))
}

pub(super) async fn update(mut asked: Asked, caller: Caller, kind: Kind, name: TemplateName) -> Outcome {
    let bodies: Vec<PatchBody> = list_body(&mut asked, METADATA_PATCH_MAX).await?;
    let operations = bodies.into_iter().enumerate().map(|(index, body)| {
        operation(body).map_err(|what| Problem::from(MetadataError::Operation { index, what: what.to_owned() }))
    });
    let operations = operations.collect::<Result<_, _>>()?;
    let item = item(&asked, &caller, kind).await?;
    let changed = asked.tree().patch_instance(&caller, item, kind, (name, operations)).await?;
    Ok(shown(StatusCode::OK, &changed))
}

pub(super) async fn delete(asked: Asked, caller: Caller, kind: Kind, name: TemplateName) -> Outcome {
    let item = item(&asked, &caller, kind).await?;
    asked.tree().delete_instance(&caller, item, kind, name).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

async fn item(asked: &Asked, caller: &Caller, kind: Kind) -> Result<ItemId, Problem> {
    if kind == Kind::Folder { asked.folder_id(caller).await } else { asked.id("file_id") }
}

fn shown(status: StatusCode, found: &Instance) -> axum::response::Response {
    answer::json(status, &instance(found))
}

fn operation(body: PatchBody) -> Result<PatchOperation, &'static str> {
    let path = body.path.ok_or("'path' is required");
    let value = body.value.ok_or("'value' is required");
    let from = body.from.ok_or("'from' is required");
    Ok(match body.op.as_deref() {
        Some("add") => PatchOperation::Add { path: path?, value: value? },
        Some("replace") => PatchOperation::Replace { path: path?, value: value? },
        Some("remove") => PatchOperation::Remove { path: path? },
        Some("test") => PatchOperation::Test { path: path?, value: value? },
        Some("move") => PatchOperation::Move { from: from?, path: path? },
        Some("copy") => PatchOperation::Copy { from: from?, path: path? },
        _ => return Err("'op' must be one of add, replace, remove, test, move, copy"),
    })
}
