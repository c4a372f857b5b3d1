//! A folder's pages.

use super::{Door, File, ask_json};
use crate::{
    Bench,
    args::ListArguments,
    client::Connection,
    histogram::{Histogram, Latency},
    process::Watch,
    report::Report,
};
use anyhow::{Result, bail};
use http::Method;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;

/// What a walk over a folder asks of each item.
const WALK_FIELDS: &str = "id,type,size,sha1";
const WALK_LIMIT: u64 = 1000;

#[derive(Deserialize)]
struct Page<T> {
    entries: Vec<T>,
    #[serde(default)]
    next_marker: Option<String>,
}

/// An item of a listing that may be a folder or a web link as well.
#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    file: File,
}

#[derive(Serialize)]
struct Pages {
    pages: u64,
    items: u64,
    latency_ms: Latency,
}

/// Builds the path of a page; a marker is sent back as it came, escaped for a query.
fn page_path(folder: &str, limit: u64, fields: Option<&str>, marker: Option<&str>) -> String {
    let mut path = format!("/2.0/folders/{folder}/items?usemarker=true&limit={limit}");
    if let Some(fields) = fields {
        path.push_str("&fields=");
        path.push_str(fields);
    }
    if let Some(marker) = marker {
        path.push_str("&marker=");
        path.push_str(&crate::sigv4::escape(marker));
    }
    path
}

/// The first files of a folder, at most `files_max`.
pub async fn walk(door: &Door, connection: &mut Connection, folder: &str, files_max: usize) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let uri = door.uri(&page_path(folder, WALK_LIMIT, Some(WALK_FIELDS), marker.as_deref()))?;
        let page: Page<Item> = ask_json(connection, door.request(Method::GET, &uri)).await?;
        files.extend(page.entries.into_iter().filter(|item| item.kind == "file").map(|item| item.file));
        marker = page.next_marker.filter(|marker| !marker.is_empty());
        if files.len() >= files_max || marker.is_none() {
            files.truncate(files_max);
            return Ok(files);
        }
    }
}

/// Asks for the first page again and again, then for every later page.
///
/// # Errors
/// When the server cannot be reached or refuses a page.
pub async fn list(bench: &Bench, arguments: &ListArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let mut connection = door.connection(bench);
    connection.open().await?;
    let mut report = Report::new(
        "box list",
        json!({
            "url": arguments.target.url,
            "folder": arguments.folder,
            "limit": arguments.limit,
            "fields": arguments.fields,
        }),
    );
    let watch = if bench.server.is_empty() { None } else { Some(Watch::start(&bench.world, &bench.server)?) };
    let (mut first, mut later) = (Histogram::default(), Histogram::default());
    let (mut first_items, mut later_items) = (0, 0);
    let mut marker = None;
    for _ in 0..arguments.repeats.max(1) {
        (first_items, marker) = page(bench, &door, &mut connection, arguments, None, &mut first).await?;
    }
    while let Some(at) = marker.take().filter(|_| later.count() < arguments.pages) {
        let (items, next) = page(bench, &door, &mut connection, arguments, Some(&at), &mut later).await?;
        if next.as_ref() == Some(&at) {
            bail!("the listing does not end: a page names itself as the next one");
        }
        later_items += items;
        marker = next;
    }
    report.put("first_page", Pages { pages: first.count(), items: first_items, latency_ms: first.latency() })?;
    report.put("later_pages", Pages { pages: later.count(), items: later_items, latency_ms: later.latency() })?;
    if let Some(watch) = watch {
        report.put("server", watch.stop(first.count() + later.count())?.0)?;
    }
    Ok(report)
}

/// Asks for one page, and tells how many items it has and where the next one begins. Reading the JSON is not measured.
async fn page(
    bench: &Bench,
    door: &Door,
    connection: &mut Connection,
    arguments: &ListArguments,
    marker: Option<&str>,
    spans: &mut Histogram,
) -> Result<(u64, Option<String>)> {
    let uri = door.uri(&page_path(&arguments.folder, arguments.limit, arguments.fields.as_deref(), marker))?;
    let request = door.request(Method::GET, &uri);
    let asked = bench.world.instant();
    let (status, _, answer) = connection.ask(request).await?;
    spans.record(asked.elapsed());
    if !status.is_success() {
        bail!("{}", crate::client::unexpected(status, &answer));
    }
    let page: Page<IgnoredAny> = serde_json::from_slice(&answer)?;
    // An empty marker would be wrong, and would make us walk for ever.
    Ok((page.entries.len() as u64, page.next_marker.filter(|marker| !marker.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::page_path;

    #[test]
    fn a_marker_is_escaped() {
        assert_eq!(
            page_path("7", 1000, Some("id,name"), Some("a+b/c==")),
            "/2.0/folders/7/items?usemarker=true&limit=1000&fields=id,name&marker=a%2Bb%2Fc%3D%3D"
        );
        assert_eq!(page_path("0", 5, None, None), "/2.0/folders/0/items?usemarker=true&limit=5");
    }
}
