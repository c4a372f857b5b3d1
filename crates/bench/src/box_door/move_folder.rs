//! A folder renamed, and moved to another parent and back.

use super::{Door, ask_json, run_name};
use crate::{Bench, args::MoveFolderArguments, client::Connection, histogram::Histogram, report::Report};
use anyhow::{Context, Result};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Folder {
    name: String,
    parent: Option<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    id: String,
}

/// Renames the folder, then moves it between its parent and a new folder beside it, and leaves everything as it was.
///
/// # Errors
/// When the server cannot be reached or refuses a change; the folder may then have another name or parent.
pub async fn move_folder(bench: &Bench, arguments: &MoveFolderArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let mut connection = door.connection(bench);
    let uri = door.uri(&format!("/2.0/folders/{}", arguments.folder))?;
    let before: Folder = ask_json(&mut connection, door.request(Method::GET, &uri)).await?;
    let home = before.parent.context("the root folder cannot be renamed or moved; name another one")?.id;
    let elsewhere = format!("bench-elsewhere-{}", run_name(bench));
    let elsewhere = door.create_folder(&mut connection, &home, &elsewhere).await?;

    let names = |number: u64| json!({ "name": format!("{}-{number}", before.name) });
    let renames = changes(bench, &door, &mut connection, arguments, names).await?;
    change(&door, &mut connection, arguments, &json!({ "name": before.name })).await?;
    let parents = |number: u64| {
        let parent = if number.is_multiple_of(2) { &elsewhere } else { &home };
        json!({ "parent": { "id": parent } })
    };
    let moves = changes(bench, &door, &mut connection, arguments, parents).await?;
    change(&door, &mut connection, arguments, &json!({ "parent": { "id": home } })).await?;
    door.delete_folder(&mut connection, &elsewhere).await?;

    let mut report =
        Report::new("box move-folder", json!({ "url": arguments.target.url, "repeats": arguments.repeats }));
    report.put("rename", json!({ "latency_ms": renames.latency() }))?;
    report.put("move", json!({ "latency_ms": moves.latency() }))?;
    Ok(report)
}

async fn changes(
    bench: &Bench,
    door: &Door,
    connection: &mut Connection,
    arguments: &MoveFolderArguments,
    wish: impl Fn(u64) -> Value,
) -> Result<Histogram> {
    let mut spans = Histogram::default();
    for number in 0..arguments.repeats {
        let asked = bench.world.instant();
        change(door, connection, arguments, &wish(number)).await?;
        spans.record(asked.elapsed());
    }
    Ok(spans)
}

async fn change(door: &Door, connection: &mut Connection, arguments: &MoveFolderArguments, wish: &Value) -> Result<()> {
    let uri = door.uri(&format!("/2.0/folders/{}", arguments.folder))?;
    let _: Folder = ask_json(connection, door.json_request(Method::PUT, &uri, wish)).await?;
    Ok(())
}
