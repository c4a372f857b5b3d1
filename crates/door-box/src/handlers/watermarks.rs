//! Watermarks of files and folders.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::date::Date;
use crate::wire::lock::{NewWatermark, Times, Watermark};
use axum::response::Response;
use entente_model::{Caller, ItemId};
use entente_tree::{Kind, Watermark as Row, WatermarkMade};
use http::StatusCode;

pub(crate) async fn of_file(asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    show(&asked, &caller, (file, Kind::File)).await
}

pub(crate) async fn of_folder(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.folder_id(&caller).await?;
    show(&asked, &caller, (folder, Kind::Folder)).await
}

pub(crate) async fn set_on_file(asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    set(asked, &caller, (file, Kind::File)).await
}

pub(crate) async fn set_on_folder(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.folder_id(&caller).await?;
    set(asked, &caller, (folder, Kind::Folder)).await
}

pub(crate) async fn delete_of_file(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_watermark(&caller, asked.id("file_id")?, Kind::File).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete_of_folder(asked: Asked, caller: Caller) -> Outcome {
    let folder = asked.folder_id(&caller).await?;
    asked.tree().remove_watermark(&caller, folder, Kind::Folder).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

async fn show(asked: &Asked, caller: &Caller, (item, kind): (ItemId, Kind)) -> Outcome {
    let found = asked.tree().watermark_of(caller, item, kind).await?;
    Ok(answer(asked, StatusCode::OK, &found))
}

async fn set(mut asked: Asked, caller: &Caller, (item, kind): (ItemId, Kind)) -> Outcome {
    let new: NewWatermark = asked.json().await?;
    let imprint = new.watermark.ok_or_else(|| Problem::missing("watermark"))?.imprint;
    match imprint.as_deref() {
        Some("default") => {}
        Some(_) => return Err(Problem::invalid("watermark.imprint", "'watermark.imprint' must be 'default'")),
        None => return Err(Problem::missing("watermark.imprint")),
    }
    Ok(match asked.tree().watermark(caller, item, kind).await? {
        WatermarkMade::New(made) => answer(&asked, StatusCode::CREATED, &made),
        WatermarkMade::Again(found) => answer(&asked, StatusCode::OK, &found),
    })
}

fn answer(asked: &Asked, status: StatusCode, row: &Row) -> Response {
    let date = |at| Date { at, zone: asked.door.look().zone };
    let times = Times { created_at: date(row.created_at), modified_at: date(row.modified_at) };
    answer::json(status, &Watermark { watermark: times })
}
