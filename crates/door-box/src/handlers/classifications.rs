//! The classification of files and folders: metadata by one template.

use super::metadata_instances::{create, delete, show, update};
use super::metadata_templates::classifications;
use crate::asked::{Asked, Outcome};
use entente_model::Caller;
use entente_tree::Kind;

pub(crate) async fn show_of_file(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    show(asked, caller, Kind::File, name).await
}

pub(crate) async fn create_on_file(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    create(asked, caller, Kind::File, name).await
}

pub(crate) async fn update_of_file(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    update(asked, caller, Kind::File, name).await
}

pub(crate) async fn delete_of_file(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    delete(asked, caller, Kind::File, name).await
}

pub(crate) async fn show_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    show(asked, caller, Kind::Folder, name).await
}

pub(crate) async fn create_on_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    create(asked, caller, Kind::Folder, name).await
}

pub(crate) async fn update_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    update(asked, caller, Kind::Folder, name).await
}

pub(crate) async fn delete_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    delete(asked, caller, Kind::Folder, name).await
}
