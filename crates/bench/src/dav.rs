//! The same scenarios against a WebDAV endpoint, and how long its listings take.

use crate::{
    Bench,
    args::{DavDownloadArguments, DavPropfindArguments, DavTarget, DavUploadArguments},
    body::{Body, Framing},
    client::{Appetite, Connection, bare, drain, refuse},
    endpoint::Endpoint,
    histogram::Histogram,
    load::{self, Outcome, Plan, Worker},
    process::Watch,
    report::Report,
    sigv4::escape,
};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use entente_world::World;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use memchr::memmem;
use serde_json::json;
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

const DEPTH: HeaderName = HeaderName::from_static("depth");
/// What rclone asks of each item.
const PROPERTIES: &[u8] = b"<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\"><d:prop><d:displayname/>\
    <d:getlastmodified/><d:getcontentlength/><d:resourcetype/><d:getcontenttype/></d:prop></d:propfind>";

/// A collection, and who asks for it.
#[derive(Clone)]
pub struct Collection {
    world: World,
    endpoint: Arc<Endpoint>,
    /// Its path, with a slash at its end.
    path: String,
    authorization: HeaderValue,
}

impl Collection {
    fn new(bench: &Bench, target: &DavTarget) -> Result<Self> {
        let token = match (&target.token, &target.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => {
                fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
            }
            (None, None) => bail!("give --token or --token-file"),
        };
        Self::at(bench, &target.url, &target.folder, &token)
    }

    /// # Errors
    /// When the URL is not one that can be reached, or the token cannot be sent.
    pub fn at(bench: &Bench, url: &str, folder: &str, token: &str) -> Result<Self> {
        let (endpoint, base) = Endpoint::parse_base(url, &bench.trust)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.trim()))?;
        authorization.set_sensitive(true);
        let folder = folder.split('/').filter(|name| !name.is_empty()).map(escape);
        let path = folder.fold(format!("{base}/"), |path, name| format!("{path}{name}/"));
        Ok(Self { world: bench.world.clone(), endpoint: Arc::new(endpoint), path, authorization })
    }

    fn connection(&self) -> Connection {
        Connection::new(&self.world, &self.endpoint, Appetite::Hungry)
    }

    fn request(&self, method: Method, uri: &Uri) -> Request<Body> {
        let mut request = bare(method, uri);
        request.headers_mut().insert(header::AUTHORIZATION, self.authorization.clone());
        request
    }

    /// The path of a file in it, whose name needs no escaping.
    fn file(&self, name: &str) -> Result<Uri> {
        Ok(format!("{}{name}", self.path).parse()?)
    }

    /// Makes it; one that is there already is fine. Its parent must be there.
    async fn create(&self, connection: &mut Connection) -> Result<()> {
        let method = Method::from_bytes(b"MKCOL")?;
        let answer = connection.send(self.request(method, &self.path.parse()?)).await?;
        if answer.status() != StatusCode::CREATED && answer.status() != StatusCode::METHOD_NOT_ALLOWED {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await?;
        Ok(())
    }

    fn propfind(&self) -> Result<Request<Body>> {
        let mut request = self.request(Method::from_bytes(b"PROPFIND")?, &self.path.parse()?);
        request.headers_mut().insert(DEPTH, HeaderValue::from_static("1"));
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        *request.body_mut() = Body::whole(Bytes::from_static(PROPERTIES));
        Ok(request)
    }
}

struct Putter {
    collection: Collection,
    connection: Connection,
    run: String,
    content: Bytes,
    next: Arc<AtomicU64>,
}

impl Worker for Putter {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, _: u64) -> Result<u64> {
        let uri = self.collection.file(&format!(
            "bench-{}-{:010}.bin",
            self.run,
            self.next.fetch_add(1, Ordering::Relaxed)
        ))?;
        let length = self.content.len() as u64;
        let mut request = self.collection.request(Method::PUT, &uri);
        *request.body_mut() = Body::repeated(Bytes::new(), self.content.clone(), length, Bytes::new(), Framing::Length);
        let answer = self.connection.send(request).await?;
        if answer.status() != StatusCode::CREATED {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await?;
        Ok(length)
    }
}

/// Puts files of `size_bytes` until the plan is done, over that many connections, into a collection that is made before if it
/// is missing.
///
/// # Errors
/// When the server cannot be reached or refuses the collection.
pub async fn put_files(
    bench: &Bench,
    collection: &Collection,
    size_bytes: u64,
    (concurrency, plan): (usize, Plan),
) -> Result<Outcome> {
    collection.create(&mut collection.connection()).await?;
    Ok(load::run(bench, plan, putters(bench, collection, size_bytes, concurrency)?).await?.0)
}

fn putters(bench: &Bench, collection: &Collection, size_bytes: u64, concurrency: usize) -> Result<Vec<Putter>> {
    let mut content = vec![0; usize::try_from(size_bytes)?];
    bench.world.random().fill(&mut content);
    let run = data_encoding::HEXLOWER.encode(&bench.world.random().bytes::<4>());
    let (content, next) = (Bytes::from(content), Arc::default());
    let putter = || Putter {
        connection: collection.connection(),
        collection: collection.clone(),
        run: run.clone(),
        content: content.clone(),
        next: Arc::clone(&next),
    };
    Ok(std::iter::repeat_with(putter).take(concurrency).collect())
}

struct Getter {
    collection: Collection,
    connection: Connection,
    files: Arc<Vec<Uri>>,
}

impl Worker for Getter {
    async fn open(&mut self) -> Result<()> {
        self.connection.open().await
    }

    async fn operate(&mut self, number: u64) -> Result<u64> {
        let index = number.checked_rem(self.files.len() as u64).and_then(|index| usize::try_from(index).ok());
        let uri = index.and_then(|index| self.files.get(index)).context("there is no file to get")?;
        let answer = self.connection.send(self.collection.request(Method::GET, uri)).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        drain(answer.into_body()).await
    }
}

/// Puts files as the effort says, into a collection that is made if it is missing.
///
/// # Errors
/// When the server cannot be reached or refuses the collection.
pub async fn upload(bench: &Bench, arguments: &DavUploadArguments) -> Result<Report> {
    let collection = Collection::new(bench, &arguments.target)?;
    collection.create(&mut collection.connection()).await?;
    let workers = putters(bench, &collection, arguments.size, arguments.effort.concurrency)?;
    let mut report = Report::new(
        "dav upload",
        json!({
            "url": arguments.target.url,
            "size_bytes": arguments.size,
            "concurrency": arguments.effort.concurrency,
        }),
    );
    report.put_all(load::measure(bench, &arguments.effort, workers).await?.0)?;
    Ok(report)
}

/// Lists the collection, and gets its files as the effort says.
///
/// # Errors
/// When the server cannot be reached or refuses the listing, or there is no file.
pub async fn download(bench: &Bench, arguments: &DavDownloadArguments) -> Result<Report> {
    let collection = Collection::new(bench, &arguments.target)?;
    let (status, _, answer) = collection.connection().ask(collection.propfind()?).await?;
    if status != StatusCode::MULTI_STATUS {
        bail!("the collection could not be listed: {}", crate::client::unexpected(status, &answer));
    }
    let answer = String::from_utf8_lossy(&answer);
    let files: Result<Vec<Uri>, _> =
        hrefs(&answer).filter(|href| !href.ends_with('/')).take(arguments.files).map(str::parse).collect();
    let files = Arc::new(files.context("a path of the listing is none")?);
    if files.is_empty() {
        bail!("there is no file to get");
    }
    let mut report = Report::new(
        "dav download",
        json!({
            "url": arguments.target.url,
            "files": files.len(),
            "concurrency": arguments.effort.concurrency,
        }),
    );
    let getter =
        || Getter { connection: collection.connection(), collection: collection.clone(), files: Arc::clone(&files) };
    let workers = std::iter::repeat_with(getter).take(arguments.effort.concurrency).collect();
    report.put_all(load::measure(bench, &arguments.effort, workers).await?.0)?;
    Ok(report)
}

/// Lists the collection (depth 1) again and again: how long until the first byte of the body, and until the last one.
///
/// # Errors
/// When the server cannot be reached or refuses the listing.
pub async fn propfind(bench: &Bench, arguments: &DavPropfindArguments) -> Result<Report> {
    let collection = Collection::new(bench, &arguments.target)?;
    let mut connection = collection.connection();
    connection.open().await?;
    let watch = if bench.server.is_empty() { None } else { Some(Watch::start(&bench.world, &bench.server)?) };
    let (mut first, mut last) = (Histogram::default(), Histogram::default());
    let (mut items, mut bytes) = (0, 0);
    for _ in 0..arguments.repeats.max(1) {
        let asked = bench.world.instant();
        let answer = connection.send(collection.propfind()?).await?;
        if answer.status() != StatusCode::MULTI_STATUS {
            return refuse(answer).await;
        }
        let mut body = answer.into_body();
        let mut counted = Counter::default();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.context("the listing was cut short")?.into_data() {
                if counted.bytes == 0 {
                    first.record(asked.elapsed());
                }
                counted.take(&data);
            }
        }
        last.record(asked.elapsed());
        // The collection itself is one of them.
        (items, bytes) = (counted.responses().saturating_sub(1), counted.bytes);
    }
    let mut report = Report::new("dav propfind", json!({ "url": arguments.target.url, "repeats": arguments.repeats }));
    report.put("items", items)?;
    report.put("body_bytes", bytes)?;
    report.put("first_byte", json!({ "latency_ms": first.latency() }))?;
    report.put("whole", json!({ "latency_ms": last.latency() }))?;
    if let Some(watch) = watch {
        report.put("server", watch.stop(last.count())?.0)?;
    }
    Ok(report)
}

/// Counts the responses of a listing as it comes, whatever the pieces.
#[derive(Default)]
struct Counter {
    bytes: u64,
    /// Opening and closing tags together.
    tags: u64,
    /// The end of the piece before, for a tag that is cut there.
    tail: Vec<u8>,
}

impl Counter {
    /// The end of a response's tags, whatever the prefix of their name.
    const END: &'static [u8] = b"response>";

    fn take(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let overlap = Self::END.len() - 1;
        // What spans the cut; neither side is long enough to hold a tag's end by itself.
        self.tail.extend_from_slice(piece.get(..overlap).unwrap_or(piece));
        let found = memmem::find_iter(&self.tail, Self::END).count() + memmem::find_iter(piece, Self::END).count();
        self.tags += found as u64;
        if piece.len() > overlap {
            self.tail.clear();
            self.tail.extend_from_slice(piece.get(piece.len() - overlap..).unwrap_or_default());
        } else {
            self.tail.drain(..self.tail.len().saturating_sub(overlap));
        }
    }

    fn responses(&self) -> u64 {
        self.tags / 2
    }
}

/// The paths of a listing.
fn hrefs(answer: &str) -> impl Iterator<Item = &str> {
    answer.split("href>").skip(1).step_by(2).filter_map(|rest| rest.split_once("</").map(|(href, _)| href))
}

#[cfg(test)]
mod tests {
    use super::{Counter, hrefs};

    const LISTING: &str = "<D:multistatus><D:response><D:href>/dav/a/</D:href></D:response>\
        <D:response><D:href>/dav/a/b%20c</D:href></D:response></D:multistatus>";

    #[test]
    fn responses_are_counted_wherever_pieces_are_cut() {
        for length in 1..LISTING.len() {
            let mut counter = Counter::default();
            LISTING.as_bytes().chunks(length).for_each(|piece| counter.take(piece));
            assert_eq!((counter.responses(), counter.bytes), (2, LISTING.len() as u64), "pieces of {length}");
        }
    }

    #[test]
    fn paths_are_found() {
        assert_eq!(hrefs(LISTING).collect::<Vec<_>>(), ["/dav/a/", "/dav/a/b%20c"]);
    }
}
