//! One plain URL, fetched again and again: what a web server does with a file.

use crate::{
    Bench,
    args::HttpGetArguments,
    client::{Appetite, Connection, bare, drain, refuse},
    endpoint::Endpoint,
    load::{self, Worker},
    report::Report,
};
use anyhow::Result;
use http::{Method, StatusCode, Uri};
use serde_json::json;
use std::sync::Arc;

struct Getter {
    connection: Connection,
    uri: Uri,
}

impl Worker for Getter {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, _: u64) -> Result<u64> {
        let answer = self.connection.send(bare(Method::GET, &self.uri)).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await
    }
}

/// Fetches the URL as the effort says.
///
/// # Errors
/// When the server cannot be reached.
pub async fn get(bench: &Bench, arguments: &HttpGetArguments) -> Result<Report> {
    let (endpoint, uri) = Endpoint::parse(&arguments.url, &bench.trust)?;
    let endpoint = Arc::new(endpoint);
    let mut report =
        Report::new("http get", json!({ "url": arguments.url, "concurrency": arguments.effort.concurrency }));
    let getter = || Getter { connection: Connection::new(&bench.world, &endpoint, Appetite::Hungry), uri: uri.clone() };
    let workers = std::iter::repeat_with(getter).take(arguments.effort.concurrency).collect();
    let (outcome, _) = load::measure(bench, &arguments.effort, workers).await?;
    report.put_all(outcome)?;
    Ok(report)
}
