//! Files, fetched from where their redirects point.

use super::{Door, File, list::walk};
use crate::{
    Bench,
    args::BoxDownloadArguments,
    client::{Appetite, Connection, bare, drain, drain_hashing, refuse},
    endpoint::Endpoint,
    load::{self, Worker},
    report::Report,
};
use anyhow::{Context, Result, bail};
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::json;
use std::{fs, path::Path, sync::Arc};

/// A file, and where its content is.
pub struct Found {
    pub file: File,
    pub endpoint: Arc<Endpoint>,
    pub uri: Uri,
}

/// Whether every byte is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Length,
    Content,
}

/// Downloads one file after another.
pub struct Downloader {
    pub found: Arc<Vec<Found>>,
    pub connection: Connection,
    pub check: Check,
}

#[derive(Deserialize)]
struct UploadReport {
    results: UploadResults,
}

#[derive(Deserialize)]
struct UploadResults {
    #[serde(default)]
    files: Vec<File>,
}

impl Worker for Downloader {
    async fn open(&mut self) -> Result<()> {
        if let Some(first) = self.found.first() {
            self.connection.turn_to(&first.endpoint);
        }
        self.connection.open().await
    }

    async fn operate(&mut self, number: u64) -> Result<u64> {
        let index = number.checked_rem(self.found.len() as u64).and_then(|index| usize::try_from(index).ok());
        let found = index.and_then(|index| self.found.get(index)).context("there is no file to download")?;
        self.connection.turn_to(&found.endpoint);
        let answer = self.connection.send(bare(Method::GET, &found.uri)).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        let length = match self.check {
            Check::Length => drain(answer.into_body()).await?,
            Check::Content => {
                let (length, sha1) = drain_hashing(answer.into_body()).await?;
                if sha1 != found.file.sha1 {
                    bail!("file {} has SHA-1 {sha1}, not {}", found.file.id, found.file.sha1);
                }
                length
            }
        };
        if length != found.file.size {
            bail!("file {} came with {length} bytes, not {}", found.file.id, found.file.size);
        }
        Ok(length)
    }
}

/// Finds the files, resolves their redirects, and then downloads them as the effort says.
///
/// # Errors
/// When the server cannot be reached, or there is nothing to download.
pub async fn download(bench: &Bench, arguments: &BoxDownloadArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let mut connection = door.connection(bench);
    let files = match (&arguments.folder, &arguments.from) {
        (_, Some(path)) => kept(path, arguments.files)?,
        (Some(folder), None) => walk(&door, &mut connection, folder, arguments.files).await?,
        (None, None) => bail!("say what to download with --folder or --from"),
    };
    if files.is_empty() {
        bail!("there is no file to download");
    }
    let mut report = Report::new(
        "box download",
        json!({
            "url": arguments.target.url,
            "files": files.len(),
            "size_bytes": files.first().map(|file| file.size),
            "concurrency": arguments.effort.concurrency,
            "check": if arguments.verify { "content" } else { "length" },
        }),
    );
    let found = Arc::new(resolve_all(&door, &mut connection, files).await?);
    let check = if arguments.verify { Check::Content } else { Check::Length };
    let workers = downloaders(bench, &door, &found, arguments.effort.concurrency, check);
    let (outcome, _) = load::measure(bench, &arguments.effort, workers).await?;
    report.put_all(outcome)?;
    Ok(report)
}

/// Asks for every file's redirect, one after the other.
pub async fn resolve_all(door: &Door, connection: &mut Connection, files: Vec<File>) -> Result<Vec<Found>> {
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let (endpoint, uri) = door.resolve(connection, &file.id).await?;
        all.push(Found { file, endpoint, uri });
    }
    Ok(all)
}

pub fn downloaders(
    bench: &Bench,
    door: &Door,
    found: &Arc<Vec<Found>>,
    concurrency: usize,
    check: Check,
) -> Vec<Downloader> {
    let downloader = || Downloader {
        found: Arc::clone(found),
        connection: Connection::new(&bench.world, &door.endpoint, Appetite::Hungry),
        check,
    };
    std::iter::repeat_with(downloader).take(concurrency).collect()
}

fn kept(path: &Path, files_max: usize) -> Result<Vec<File>> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: UploadReport =
        serde_json::from_slice(&text).with_context(|| format!("{} is not the JSON of an upload", path.display()))?;
    let mut files = report.results.files;
    if files.is_empty() {
        bail!("{} holds no files; upload with --keep-ids", path.display());
    }
    files.truncate(files_max);
    Ok(files)
}
