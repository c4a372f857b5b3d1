//! `entente migrate-database`

use super::{configuration, format};
use crate::cli::{EngineFrom, EngineTo, MigrateDatabaseArgs};
use crate::data::{DataDirectory, Metadata};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::progress::Bar;
use crate::store::server_options;
use anyhow::Context;
use entente_database::transfer::{self, Moved, Progress};
use entente_database::{ErrorKind, Options};
use entente_world::{Shutdown, World};
use serde_json::json;
use std::ops::ControlFlow;

pub(crate) async fn run(world: &World, arguments: MigrateDatabaseArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let MigrateDatabaseArgs { target, from: EngineFrom::Sqlite, to: EngineTo::Postgres, url } = arguments;
    let config = configuration(&target)?;
    let url = url.or_else(|| config.database.url.clone());
    let url =
        url.ok_or_else(|| Failure::new(Exit::Usage, "where to? say --url, or url under [database] of --config"))?;
    let to = server_options(&url, &config.database)?;
    let data = DataDirectory::existing(&config.data, Metadata::Here)?;
    // No server may run on it, and none may start.
    let _lock = data.lock(world).await?;
    let from = Options::new(data.database());
    let inner = world.clone();
    let moving = move || {
        let mut bar = Bar::new();
        transfer::to_server(&inner, &from, &to, &mut |progress| {
            draw(&mut bar, progress);
            if shutdown.is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    };
    let moved = match world.blocking(moving).await.context("the move was interrupted")? {
        Err(error) if error.kind == ErrorKind::Stopping => return Ok(Exit::Interrupted),
        moved => moved.context("cannot move the database")?,
    };
    let value = json!({
        "file": data.database(),
        "tables": moved.iter().map(|Moved { table, rows, checksum }| {
            json!({ "table": table, "rows": rows, "checksum": checksum })
        }).collect::<Vec<_>>(),
    });
    print(format(target.json), &value, || text(&moved));
    Ok(Exit::Done)
}

fn draw(bar: &mut Bar, progress: &Progress<'_>) {
    // Copied first, then compared: two halves of one way.
    let small = |rows: u64| f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
    let half = if progress.of == 0 { 0.5 } else { small(progress.rows) / small(progress.of) / 2.0 };
    let (verb, share) = if progress.compares { ("comparing", 0.5 + half) } else { ("copying", half) };
    bar.draw(&format!("{verb} {}", progress.table), share, &format!("{} of {} rows", progress.rows, progress.of));
}

fn text(moved: &[Moved]) -> String {
    if moved.is_empty() {
        return "an earlier move was complete but for its last step, which is done now".to_owned();
    }
    let mut lines: Vec<_> =
        moved.iter().map(|Moved { table, rows, checksum }| format!("{rows:>12}  {checksum}  {table}")).collect();
    lines.push("moved, read back and compared; the file in the data directory is not used any more".to_owned());
    lines.push("every node now needs the database's url under [database] in its configuration".to_owned());
    lines.join("\n")
}
