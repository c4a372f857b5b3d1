//! A bucket of Google's JSON interface, without credentials
//! (<https://cloud.google.com/storage/docs/json_api/v1/objects>).

use crate::{
    Bench,
    body::Body,
    client::{Appetite, Connection, bare, drain, refuse, unexpected},
    endpoint::Endpoint,
    sigv4::escape,
};
use anyhow::{Result, bail};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

pub struct Bucket {
    connection: Connection,
    base: String,
    bucket: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    items: Vec<Item>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    /// A number as text.
    size: String,
}

impl Bucket {
    pub fn new(bench: &Bench, gcs: &entente_emulators::Gcs) -> Result<Self> {
        let (endpoint, base) = Endpoint::parse_base(&gcs.endpoint, &bench.trust)?;
        let connection = Connection::new(&bench.world, &Arc::new(endpoint), Appetite::Hungry);
        Ok(Self { connection, base, bucket: gcs.bucket.clone() })
    }

    pub async fn list(&mut self) -> Result<BTreeMap<String, u64>> {
        let mut found = BTreeMap::new();
        let mut token = String::new();
        loop {
            let target =
                format!("{}/storage/v1/b/{}/o?maxResults=1000&pageToken={}", self.base, self.bucket, escape(&token));
            let (status, _, answer) = self.connection.ask(bare(Method::GET, &target.parse()?)).await?;
            if status != StatusCode::OK {
                bail!("no listing: {}", unexpected(status, &answer));
            }
            let page: Page = serde_json::from_slice(&answer)?;
            for item in page.items {
                found.insert(item.name, item.size.parse()?);
            }
            match page.next_page_token.filter(|token| !token.is_empty()) {
                Some(next) => token = next,
                None => return Ok(found),
            }
        }
    }

    pub async fn get(&mut self, name: &str) -> Result<Bytes> {
        let target = format!("{}/storage/v1/b/{}/o/{}?alt=media", self.base, self.bucket, escape(name));
        let (status, _, answer) = self.connection.ask(bare(Method::GET, &target.parse()?)).await?;
        if status != StatusCode::OK {
            bail!("no object: {}", unexpected(status, &answer));
        }
        Ok(answer)
    }

    pub async fn drain(&mut self, name: &str) -> Result<u64> {
        let target = format!("{}/storage/v1/b/{}/o/{}?alt=media", self.base, self.bucket, escape(name));
        let answer = self.connection.send(bare(Method::GET, &target.parse()?)).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await
    }

    pub async fn put(&mut self, name: &str, content: Bytes) -> Result<()> {
        let target =
            format!("{}/upload/storage/v1/b/{}/o?uploadType=media&name={}", self.base, self.bucket, escape(name));
        let mut request = bare(Method::POST, &target.parse()?);
        *request.body_mut() = Body::whole(content);
        let (status, _, answer) = self.connection.ask(request).await?;
        if status != StatusCode::OK {
            bail!("not put: {}", unexpected(status, &answer));
        }
        Ok(())
    }

    pub async fn delete(&mut self, name: &str) -> Result<()> {
        let target = format!("{}/storage/v1/b/{}/o/{}", self.base, self.bucket, escape(name));
        let (status, _, answer) = self.connection.ask(bare(Method::DELETE, &target.parse()?)).await?;
        if !status.is_success() {
            bail!("not deleted: {}", unexpected(status, &answer));
        }
        Ok(())
    }
}
