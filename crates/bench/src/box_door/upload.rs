//! New files of one size.

use super::{
    Door, File, Uploaded,
    multipart::{Content, content_type},
    run_name,
};
use crate::{
    Bench,
    args::BoxUploadArguments,
    body::Framing,
    client::{Connection, drain, refuse},
    load::{self, Worker},
    report::Report,
};
use anyhow::{Context, Result};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is uploaded, and where to.
#[derive(Clone)]
pub struct Upload {
    door: Door,
    uri: Uri,
    content_type: HeaderValue,
    folder: String,
    content: Content,
    framing: Framing,
    run: String,
    /// Numbers names, over all workers and over warm-up and measured part alike.
    next: Arc<AtomicU64>,
}

/// What is kept of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Ids,
    Nothing,
}

/// Uploads one file after another.
pub struct Uploader {
    upload: Upload,
    connection: Connection,
    keep: Keep,
    pub files: Vec<File>,
}

impl Upload {
    pub fn new(bench: &Bench, door: &Door, folder: &str, size_bytes: u64, framing: Framing) -> Result<Self> {
        Ok(Self {
            door: door.clone(),
            uri: door.uri("/upload/2.0/files/content")?,
            content_type: content_type(),
            folder: folder.to_owned(),
            content: Content::new(bench.world.random(), size_bytes),
            framing,
            run: run_name(bench),
            next: Arc::default(),
        })
    }

    pub fn workers(&self, bench: &Bench, concurrency: usize, keep: Keep) -> Vec<Uploader> {
        let uploader =
            || Uploader { upload: self.clone(), connection: self.door.connection(bench), keep, files: Vec::new() };
        std::iter::repeat_with(uploader).take(concurrency).collect()
    }
}

impl Worker for Uploader {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, _: u64) -> Result<u64> {
        let upload = &self.upload;
        let number = upload.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("bench-{}-{number:010}.bin", upload.run);
        let mut request = upload.door.request(Method::POST, &upload.uri);
        request.headers_mut().insert(header::CONTENT_TYPE, upload.content_type.clone());
        *request.body_mut() = upload.content.form(&name, &upload.folder, number, upload.framing);
        let answer = self.connection.send(request).await?;
        if answer.status() != StatusCode::CREATED {
            return refuse(answer).await;
        }
        if self.keep == Keep::Nothing {
            drain(answer.into_body()).await?;
        } else {
            let body = answer.into_body().collect().await.context("the answer was cut short")?.to_bytes();
            let uploaded: Uploaded = serde_json::from_slice(&body).context("the answer is not an upload's")?;
            self.files.extend(uploaded.entries);
        }
        Ok(upload.content.size_bytes())
    }
}

/// Uploads files as the effort says.
///
/// # Errors
/// When the server cannot be reached.
pub async fn upload(bench: &Bench, arguments: &BoxUploadArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let mut report = Report::new(
        "box upload",
        json!({
            "url": arguments.target.url,
            "folder": arguments.folder,
            "size_bytes": arguments.size,
            "concurrency": arguments.effort.concurrency,
        }),
    );
    let upload = Upload::new(bench, &door, &arguments.folder, arguments.size, arguments.framing)?;
    let keep = if arguments.keep_ids { Keep::Ids } else { Keep::Nothing };
    let workers = upload.workers(bench, arguments.effort.concurrency, keep);
    let (outcome, workers) = load::measure(bench, &arguments.effort, workers).await?;
    report.put_all(outcome)?;
    if arguments.keep_ids {
        let files: Vec<File> = workers.into_iter().flat_map(|worker| worker.files).collect();
        report.put("files", files)?;
    }
    Ok(report)
}
