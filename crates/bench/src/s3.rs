//! The same scenarios against an S3 endpoint, path style, for comparison.

use crate::{
    Bench,
    args::{Payload, S3DownloadArguments, S3ListArguments, S3Target, S3UploadArguments},
    body::{Body, Framing},
    client::{Appetite, Connection, drain, refuse, unexpected},
    endpoint::Endpoint,
    histogram::Histogram,
    load::{self, Outcome, Plan, Worker},
    process::Watch,
    report::Report,
    sigv4::{Signed, Signer, escape, sha256_hex},
};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use entente_world::World;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const HASH_HEADER: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE_HEADER: HeaderName = HeaderName::from_static("x-amz-date");
/// Objects are prepared whole in memory, since their hash is signed; all are equal.
const SIZE_BYTES_MAX: u64 = 1 << 30;
const PAGE_KEYS: u64 = 1000;

/// Where the bucket is, and who asks.
#[derive(Clone)]
pub struct Bucket {
    world: World,
    endpoint: Arc<Endpoint>,
    /// The path of the bucket, without a slash at its end.
    path: String,
    signer: Signer,
}

pub struct Object {
    pub key: String,
    pub size_bytes: u64,
}

impl Bucket {
    fn new(bench: &Bench, target: &S3Target) -> Result<Self> {
        Self::at(bench, &target.url, &target.bucket, (&target.access_key, &target.secret_key, &target.region))
    }

    /// The key is an access key's id, its secret, and the region to sign for.
    ///
    /// # Errors
    /// When the URL is not one that can be reached.
    pub fn at(bench: &Bench, url: &str, bucket: &str, (id, secret, region): (&str, &str, &str)) -> Result<Self> {
        let (endpoint, base) = Endpoint::parse_base(url, &bench.trust)?;
        Ok(Self {
            world: bench.world.clone(),
            endpoint: Arc::new(endpoint),
            path: format!("{base}/{}", escape(bucket)),
            signer: Signer::new(id, secret, region),
        })
    }

    pub fn connection(&self) -> Connection {
        Connection::new(&self.world, &self.endpoint, Appetite::Hungry)
    }

    fn key_path(&self, key: &str) -> String {
        let key: Vec<_> = key.split('/').map(escape).collect();
        format!("{}/{}", self.path, key.join("/"))
    }

    /// A signed request. The query's names must be sorted, and everything escaped.
    fn request(
        &self,
        method: Method,
        path: &str,
        query: &str,
        payload_hash: &str,
        body: Body,
    ) -> Result<Request<Body>> {
        let now = jiff::Timestamp::from_millisecond(self.world.now().millis()).context("the clock is far off")?;
        let date_time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let host = self.endpoint.authority.to_str()?;
        let authorization = self.signer.authorization(&Signed {
            method: method.as_str(),
            path,
            query,
            headers: &[("host", host), (HASH_HEADER.as_str(), payload_hash), (DATE_HEADER.as_str(), &date_time)],
            payload_hash,
            date_time: &date_time,
        });
        let uri: Uri = if query.is_empty() { path.parse()? } else { format!("{path}?{query}").parse()? };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(HASH_HEADER, HeaderValue::from_str(payload_hash)?);
        headers.insert(DATE_HEADER, HeaderValue::from_str(&date_time)?);
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&authorization)?);
        Ok(request)
    }

    /// Makes the bucket; one that is there already is fine.
    async fn create(&self, connection: &mut Connection) -> Result<()> {
        let request = self.request(Method::PUT, &self.path, "", &sha256_hex(b""), Body::empty())?;
        let (status, _, answer) = connection.ask(request).await?;
        if status != StatusCode::OK && status != StatusCode::CONFLICT {
            bail!("the bucket could not be made: {}", unexpected(status, &answer));
        }
        Ok(())
    }

    /// Fetches one object.
    ///
    /// # Errors
    /// When the server cannot be reached or does not have it.
    pub async fn get(&self, connection: &mut Connection, key: &str) -> Result<Bytes> {
        let request = self.request(Method::GET, &self.key_path(key), "", UNSIGNED, Body::empty())?;
        let (status, _, answer) = connection.ask(request).await?;
        if status != StatusCode::OK {
            bail!("no object: {}", unexpected(status, &answer));
        }
        Ok(answer)
    }

    /// Reads one object without keeping it, and tells its size.
    ///
    /// # Errors
    /// When the server cannot be reached or does not have it.
    pub async fn drain(&self, connection: &mut Connection, key: &str) -> Result<u64> {
        let request = self.request(Method::GET, &self.key_path(key), "", UNSIGNED, Body::empty())?;
        let answer = connection.send(request).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await
    }

    /// Stores one object.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses it.
    pub async fn put(&self, connection: &mut Connection, key: &str, content: Bytes) -> Result<()> {
        let request = self.request(Method::PUT, &self.key_path(key), "", UNSIGNED, Body::whole(content))?;
        let (status, _, answer) = connection.ask(request).await?;
        if status != StatusCode::OK {
            bail!("not put: {}", unexpected(status, &answer));
        }
        Ok(())
    }

    /// Removes one object.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn delete(&self, connection: &mut Connection, key: &str) -> Result<()> {
        let request = self.request(Method::DELETE, &self.key_path(key), "", UNSIGNED, Body::empty())?;
        let (status, _, answer) = connection.ask(request).await?;
        if status != StatusCode::NO_CONTENT {
            bail!("not deleted: {}", unexpected(status, &answer));
        }
        Ok(())
    }

    /// The first objects whose keys begin with the prefix.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn list(&self, connection: &mut Connection, prefix: &str, objects_max: usize) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.page(connection, prefix, PAGE_KEYS, token.as_deref()).await?;
            objects.extend(objects_in(&page));
            token = next_token(&page);
            if objects.len() >= objects_max || token.is_none() {
                objects.truncate(objects_max);
                return Ok(objects);
            }
        }
    }

    /// One page of a listing, as XML.
    async fn page(
        &self,
        connection: &mut Connection,
        prefix: &str,
        keys_max: u64,
        token: Option<&str>,
    ) -> Result<String> {
        let continued = token.map_or_else(String::new, |token| format!("continuation-token={}&", escape(token)));
        let query = format!("{continued}list-type=2&max-keys={keys_max}&prefix={}", escape(prefix));
        let request = self.request(Method::GET, &self.path, &query, &sha256_hex(b""), Body::empty())?;
        let (status, _, answer) = connection.ask(request).await?;
        if status != StatusCode::OK {
            bail!("the bucket could not be listed: {}", unexpected(status, &answer));
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

fn next_token(page: &str) -> Option<String> {
    between(page, "<NextContinuationToken>", "</NextContinuationToken>").map(unescape)
}

/// The objects on a page of a listing.
fn objects_in(page: &str) -> impl Iterator<Item = Object> {
    page.split("<Contents>").skip(1).filter_map(|entry| {
        let key = unescape(between(entry, "<Key>", "</Key>")?);
        Some(Object { key, size_bytes: between(entry, "<Size>", "</Size>")?.parse().ok()? })
    })
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}

/// Undoes what XML does to the five characters that it reserves.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

struct Putter {
    bucket: Bucket,
    connection: Connection,
    prefix: String,
    content: Bytes,
    payload_hash: String,
    next: Arc<AtomicU64>,
}

impl Worker for Putter {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, _: u64) -> Result<u64> {
        let key = format!("{}{:010}.bin", self.prefix, self.next.fetch_add(1, Ordering::Relaxed));
        let length = self.content.len() as u64;
        let body = Body::repeated(Bytes::new(), self.content.clone(), length, Bytes::new(), Framing::Length);
        let path = self.bucket.key_path(&key);
        let request = self.bucket.request(Method::PUT, &path, "", &self.payload_hash, body)?;
        let answer = self.connection.send(request).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await?;
        Ok(length)
    }
}

/// Puts objects of `size_bytes` until the plan is done, over that many connections, and makes the bucket before if it is
/// missing. Their keys begin with `prefix`; none is put twice.
///
/// # Errors
/// When the server cannot be reached or refuses the bucket.
pub async fn put_objects(
    bench: &Bench,
    bucket: &Bucket,
    (prefix, size_bytes, payload): (&str, u64, Payload),
    (concurrency, plan): (usize, Plan),
) -> Result<Outcome> {
    bucket.create(&mut bucket.connection()).await?;
    Ok(load::run(bench, plan, putters(bench, bucket, (prefix, size_bytes, payload), concurrency)?).await?.0)
}

/// Gets objects of the bucket until the plan is done, over that many connections.
///
/// # Errors
/// When the server cannot be reached, or there is no object.
pub async fn fetch_objects(
    bench: &Bench,
    bucket: &Bucket,
    (prefix, objects_max): (&str, usize),
    (concurrency, plan): (usize, Plan),
) -> Result<Outcome> {
    let objects = bucket.list(&mut bucket.connection(), prefix, objects_max).await?;
    Ok(load::run(bench, plan, getters(bucket, objects, concurrency)?).await?.0)
}

fn putters(
    bench: &Bench,
    bucket: &Bucket,
    (prefix, size_bytes, payload): (&str, u64, Payload),
    concurrency: usize,
) -> Result<Vec<Putter>> {
    let mut content = vec![0; usize::try_from(size_bytes)?];
    bench.world.random().fill(&mut content);
    let payload_hash = match payload {
        Payload::Signed => sha256_hex(&content),
        Payload::Unsigned => UNSIGNED.to_owned(),
    };
    let run = data_encoding::HEXLOWER.encode(&bench.world.random().bytes::<4>());
    let (content, next) = (Bytes::from(content), Arc::default());
    let putter = || Putter {
        connection: bucket.connection(),
        bucket: bucket.clone(),
        prefix: format!("{prefix}bench-{run}-"),
        content: content.clone(),
        payload_hash: payload_hash.clone(),
        next: Arc::clone(&next),
    };
    Ok(std::iter::repeat_with(putter).take(concurrency).collect())
}

fn getters(bucket: &Bucket, objects: Vec<Object>, concurrency: usize) -> Result<Vec<ObjectGetter>> {
    if objects.is_empty() {
        bail!("there is no object to get");
    }
    let objects = Arc::new(objects);
    let getter =
        || ObjectGetter { connection: bucket.connection(), bucket: bucket.clone(), objects: Arc::clone(&objects) };
    Ok(std::iter::repeat_with(getter).take(concurrency).collect())
}

struct ObjectGetter {
    bucket: Bucket,
    connection: Connection,
    objects: Arc<Vec<Object>>,
}

impl Worker for ObjectGetter {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, number: u64) -> Result<u64> {
        let index = number.checked_rem(self.objects.len() as u64).and_then(|index| usize::try_from(index).ok());
        let object = index.and_then(|index| self.objects.get(index)).context("there is no object to get")?;
        let length = self.bucket.drain(&mut self.connection, &object.key).await?;
        if length != object.size_bytes {
            bail!("{} came with {length} bytes, not {}", object.key, object.size_bytes);
        }
        Ok(length)
    }
}

/// Puts objects as the effort says, into a bucket that is made if it is missing.
///
/// # Errors
/// When the server cannot be reached or refuses the bucket, or the size is over 1 GiB.
pub async fn upload(bench: &Bench, arguments: &S3UploadArguments) -> Result<Report> {
    if arguments.size > SIZE_BYTES_MAX {
        bail!("objects of more than 1 GiB are not supported");
    }
    let bucket = Bucket::new(bench, &arguments.target)?;
    bucket.create(&mut bucket.connection()).await?;
    let what = (arguments.prefix.as_str(), arguments.size, arguments.payload);
    let workers = putters(bench, &bucket, what, arguments.effort.concurrency)?;
    let mut report = Report::new(
        "s3 upload",
        json!({
            "url": arguments.target.url,
            "size_bytes": arguments.size,
            "concurrency": arguments.effort.concurrency,
        }),
    );
    report.put_all(load::measure(bench, &arguments.effort, workers).await?.0)?;
    Ok(report)
}

/// Lists the bucket, and gets its objects as the effort says.
///
/// # Errors
/// When the server cannot be reached or refuses the listing, or there is no object.
pub async fn download(bench: &Bench, arguments: &S3DownloadArguments) -> Result<Report> {
    let bucket = Bucket::new(bench, &arguments.target)?;
    let objects = bucket.list(&mut bucket.connection(), &arguments.prefix, arguments.files).await?;
    let mut report = Report::new(
        "s3 download",
        json!({
            "url": arguments.target.url,
            "files": objects.len(),
            "size_bytes": objects.first().map(|object| object.size_bytes),
            "concurrency": arguments.effort.concurrency,
        }),
    );
    let workers = getters(&bucket, objects, arguments.effort.concurrency)?;
    report.put_all(load::measure(bench, &arguments.effort, workers).await?.0)?;
    Ok(report)
}

/// Asks for the first page again and again, then for every page up to a number of keys.
///
/// # Errors
/// When the server cannot be reached or refuses a page, or a listing does not end.
pub async fn list(bench: &Bench, arguments: &S3ListArguments) -> Result<Report> {
    let bucket = Bucket::new(bench, &arguments.target)?;
    let mut connection = bucket.connection();
    connection.open().await?;
    let watch = if bench.server.is_empty() { None } else { Some(Watch::start(&bench.world, &bench.server)?) };
    let (mut first, mut all) = (Histogram::default(), Histogram::default());
    for _ in 0..arguments.repeats.max(1) {
        let asked = bench.world.instant();
        bucket.page(&mut connection, &arguments.prefix, arguments.limit, None).await?;
        first.record(asked.elapsed());
    }
    let (mut keys, mut token) = (0, None);
    let began = bench.world.instant();
    loop {
        let asked = bench.world.instant();
        let page = bucket.page(&mut connection, &arguments.prefix, arguments.limit, token.as_deref()).await?;
        all.record(asked.elapsed());
        keys += page.matches("<Contents>").count() as u64;
        let next = next_token(&page);
        if next.is_some() && next == token {
            bail!("the listing does not end: a page names itself as the next one");
        }
        token = next;
        if token.is_none() || keys >= arguments.keys {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let mut report = Report::new(
        "s3 list",
        json!({
            "url": arguments.target.url,
            "bucket": arguments.target.bucket,
            "prefix": arguments.prefix,
            "limit": arguments.limit,
        }),
    );
    report.put("first_page", json!({ "latency_ms": first.latency() }))?;
    report.put("keys", keys)?;
    report.put("pages", json!({ "count": all.count(), "latency_ms": all.latency() }))?;
    report.put("seconds", seconds)?;
    if let Some(watch) = watch {
        report.put("server", watch.stop(first.count() + all.count())?.0)?;
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::{between, objects_in, unescape};

    #[test]
    fn a_listing_is_read() {
        let page = "<ListBucketResult><NextContinuationToken>a&amp;b</NextContinuationToken>\
                    <Contents><Key>x &lt;1&gt;</Key><Size>4096</Size></Contents>\
                    <Contents><Key>y</Key><Size>0</Size></Contents></ListBucketResult>";
        let found: Vec<_> = objects_in(page).map(|object| (object.key, object.size_bytes)).collect();
        assert_eq!(found, [("x <1>".to_owned(), 4096), ("y".to_owned(), 0)]);
        assert_eq!(
            between(page, "<NextContinuationToken>", "</NextContinuationToken>").map(unescape).as_deref(),
            Some("a&b")
        );
    }
}
