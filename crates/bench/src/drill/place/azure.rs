//! A container of Azure's blob service, with shared keys
//! (<https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>).

use super::object::{between, unescape};
use crate::{
    Bench,
    body::Body,
    client::{Appetite, Connection, drain, refuse, unexpected},
    endpoint::Endpoint,
    sigv4::escape,
};
use anyhow::{Context, Result, bail};
use aws_lc_rs::hmac;
use bytes::Bytes;
use data_encoding::BASE64;
use entente_world::World;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

const VERSION: &str = "2021-12-02";
const DATE_HEADER: HeaderName = HeaderName::from_static("x-ms-date");
const KIND_HEADER: HeaderName = HeaderName::from_static("x-ms-blob-type");
const VERSION_HEADER: HeaderName = HeaderName::from_static("x-ms-version");

pub struct Container {
    world: World,
    connection: Connection,
    account: String,
    key: hmac::Key,
    /// The path of the container, without a slash at its end.
    path: String,
}

impl Container {
    pub fn new(bench: &Bench, azure: &entente_emulators::Azure) -> Result<Self> {
        let (endpoint, base) = Endpoint::parse_base(&azure.endpoint, &bench.trust)?;
        let key = BASE64.decode(azure.key.as_bytes()).context("the account's key is not base64")?;
        Ok(Self {
            world: bench.world.clone(),
            connection: Connection::new(&bench.world, &Arc::new(endpoint), Appetite::Hungry),
            account: azure.account.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            path: format!("{base}/{}", azure.container),
        })
    }

    /// `query` holds names and plain values, sorted by name.
    fn request(&self, method: &Method, path: &str, query: &[(&str, &str)], content: Bytes) -> Result<Request<Body>> {
        let now = jiff::Timestamp::from_millisecond(self.world.now().millis()).context("the clock is far off")?;
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let length = if content.is_empty() { String::new() } else { content.len().to_string() };
        let kind = if *method == Method::PUT { format!("{KIND_HEADER}:BlockBlob\n") } else { String::new() };
        let mut resource = format!("/{}{path}", self.account);
        let mut target = path.to_owned();
        for (index, (name, value)) in query.iter().enumerate() {
            write!(resource, "\n{name}:{value}")?;
            write!(target, "{}{name}={}", if index == 0 { '?' } else { '&' }, escape(value))?;
        }
        let signed = format!(
            "{method}\n\n\n{length}\n\n\n\n\n\n\n\n\n{kind}{DATE_HEADER}:{date}\n{VERSION_HEADER}:{VERSION}\n{resource}"
        );
        let signature = BASE64.encode(hmac::sign(&self.key, signed.as_bytes()).as_ref());
        let mut request = Request::new(Body::whole(content));
        *request.method_mut() = method.clone();
        *request.uri_mut() = target.parse()?;
        let headers = request.headers_mut();
        headers.insert(DATE_HEADER, HeaderValue::from_str(&date)?);
        headers.insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
        if *method == Method::PUT {
            headers.insert(KIND_HEADER, HeaderValue::from_static("BlockBlob"));
        }
        let authorization = HeaderValue::from_str(&format!("SharedKey {}:{signature}", self.account))?;
        headers.insert(header::AUTHORIZATION, authorization);
        Ok(request)
    }

    pub async fn list(&mut self) -> Result<BTreeMap<String, u64>> {
        let mut found = BTreeMap::new();
        let mut marker = String::new();
        loop {
            let mut query = vec![("comp", "list"), ("restype", "container")];
            if !marker.is_empty() {
                query.insert(1, ("marker", &marker));
            }
            let request = self.request(&Method::GET, &self.path, &query, Bytes::new())?;
            let (status, _, answer) = self.connection.ask(request).await?;
            if status != StatusCode::OK {
                bail!("no listing: {}", unexpected(status, &answer));
            }
            let page = String::from_utf8_lossy(&answer);
            for entry in page.split("<Blob>").skip(1) {
                let name = between(entry, "<Name>", "</Name>").context("an entry without a name")?;
                let size =
                    between(entry, "<Content-Length>", "</Content-Length>").context("an entry without a size")?;
                found.insert(unescape(name), size.parse()?);
            }
            match between(&page, "<NextMarker>", "</NextMarker>").filter(|marker| !marker.is_empty()) {
                Some(next) => marker = unescape(next),
                None => return Ok(found),
            }
        }
    }

    pub async fn get(&mut self, name: &str) -> Result<Bytes> {
        let request = self.request(&Method::GET, &format!("{}/{name}", self.path), &[], Bytes::new())?;
        let (status, _, answer) = self.connection.ask(request).await?;
        if status != StatusCode::OK {
            bail!("no object: {}", unexpected(status, &answer));
        }
        Ok(answer)
    }

    pub async fn drain(&mut self, name: &str) -> Result<u64> {
        let request = self.request(&Method::GET, &format!("{}/{name}", self.path), &[], Bytes::new())?;
        let answer = self.connection.send(request).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await
    }

    pub async fn put(&mut self, name: &str, content: Bytes) -> Result<()> {
        let request = self.request(&Method::PUT, &format!("{}/{name}", self.path), &[], content)?;
        let (status, _, answer) = self.connection.ask(request).await?;
        if status != StatusCode::CREATED {
            bail!("not put: {}", unexpected(status, &answer));
        }
        Ok(())
    }

    pub async fn delete(&mut self, name: &str) -> Result<()> {
        let request = self.request(&Method::DELETE, &format!("{}/{name}", self.path), &[], Bytes::new())?;
        let (status, _, answer) = self.connection.ask(request).await?;
        if status != StatusCode::ACCEPTED {
            bail!("not deleted: {}", unexpected(status, &answer));
        }
        Ok(())
    }
}
