//! What the drivers of object storage services have in common. Nothing of the library behind them is seen outside.

mod connection;
mod creation;
mod explain;
mod listing;
mod transport;
pub(crate) mod wire;

use crate::{Backend, Creation, Error, ErrorKind, Listed, MARKER_BYTES_MAX, MARKER_NAME, ObjectName, Stat};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use creation::CloudCreation;
use entente_model::Timestamp;
use futures_util::TryStreamExt;
use listing::Listing;
use opendal::{Metadata, OperationContext, Operator};
use std::{ops::Range, sync::Arc};
pub(crate) use transport::ReadCode;
use transport::Transport;

pub use connection::Connection;
pub(crate) use connection::{is_private, parse_endpoint, wrong};
pub use creation::OBJECT_BYTES_MAX;
pub(crate) use explain::UNDECIDED;
pub(crate) use listing::Seek as SeekBy;

/// No service has larger objects: past this a range is not asked for, since services differ in what they make of it.
const END_MAX: u64 = 1 << 50;
/// Room that is made for a read before its bytes come; a larger one grows.
const ROOM_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a driver knows of its service.
pub(crate) struct Service {
    /// What a refusal means here in particular; `None` leaves it to the status.
    pub(crate) meaning: fn(&wire::Refusal) -> Option<wire::Meaning>,
    pub(crate) read_code: ReadCode,
    pub(crate) seek: SeekBy,
    pub(crate) creates: Creates,
    pub(crate) pages: Pages,
    /// Whether the service's refusal of `stat` says if the object or its bucket is missing.
    pub(crate) stat_tells_bucket: bool,
}

/// How a creation is told to the service to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creates {
    /// The library does it.
    ByCondition,
    /// The library would do it, but in several requests; so the condition is put into the query of every upload.
    ByQuery(&'static str),
}

/// What tells a page of a listing from anything else that may come in its place, and would pass for an empty one.
pub(crate) struct Pages {
    /// Whether a request asks for one.
    pub(crate) are_asked_by: fn(&http::Uri) -> bool,
    /// What every one of them holds.
    pub(crate) hold: &'static str,
}

/// A backend in a bucket or container of a service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CloudBackend {
    inner: Arc<Inner>,
}

struct Inner {
    operator: Operator,
    service: &'static Service,
    listing: Listing,
}

impl CloudBackend {
    /// The place that `builder` tells, on the host of `endpoint`. Asks nothing of the service yet.
    pub(crate) fn new(
        builder: impl opendal::Builder,
        endpoint: &http::Uri,
        connection: &Connection,
        service: &'static Service,
    ) -> Result<Self, Error> {
        let transport = Transport::new(connection, endpoint, service)?;
        let operator = Operator::new(builder).map_err(|_| wrong("the configuration of the bucket is not valid"))?;
        let context = OperationContext::default().with_http_transport(opendal::HttpTransporter::new(transport));
        let operator = operator.with_context(context);
        let inner = Inner { operator, service, listing: Listing::new(service.seek) };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn error(&self, error: &opendal::Error, operation: &'static str) -> Error {
        explain::explain(error, operation, self.inner.service.meaning)
    }

    async fn metadata(&self, path: &str, operation: &'static str) -> Result<Metadata, Error> {
        let absent = match self.inner.operator.stat(path).await {
            Ok(metadata) => return Ok(metadata),
            Err(error) => self.error(&error, operation),
        };
        // The answer has no body that could say so, and a missing bucket would look like the loss of every object.
        if absent.kind == ErrorKind::NotFound && !self.inner.service.stat_tells_bucket {
            self.rows(path, None, 1).await?.try_next().await.map_err(|error| self.error(&error, operation))?;
        }
        Err(absent)
    }

    async fn rows(&self, prefix: &str, after: Option<&str>, page: usize) -> Result<opendal::Lister, Error> {
        let mut rows = self.inner.operator.lister_with(prefix).recursive(true).limit(page);
        if let Some(after) = after {
            rows = rows.start_after(after);
        }
        rows.await.map_err(|error| self.error(&error, "list"))
    }

    /// The range, which is within an object that may exist and is not empty.
    async fn fetch(&self, path: &str, range: Range<u64>, operation: &'static str) -> Result<BytesMut, Error> {
        let size = range.end.saturating_sub(range.start);
        let failed = |error: opendal::Error| self.error(&error, operation);
        let reader = self.inner.operator.reader(path).await.map_err(failed)?;
        let mut pieces = reader.into_stream(range).await.map_err(failed)?;
        let mut bytes = BytesMut::with_capacity(usize::try_from(size.min(ROOM_BYTES_MAX)).unwrap_or(0));
        while let Some(pieces) = pieces.try_next().await.map_err(failed)? {
            for piece in pieces {
                bytes.extend_from_slice(&piece);
            }
        }
        if u64::try_from(bytes.len()).is_ok_and(|read| read == size) {
            return Ok(bytes);
        }
        Err(Error::new(ErrorKind::Unavailable, operation).because("the answer ended early"))
    }

    async fn put(&self, path: &str, bytes: Vec<Bytes>, operation: &'static str) -> Result<(), Error> {
        let on_condition = self.inner.service.creates == Creates::ByCondition;
        let written = self.inner.operator.write_with(path, bytes).if_not_exists(on_condition).await;
        let Err(error) = written.map_err(|error| self.error(&error, operation)) else {
            return Ok(());
        };
        // Some services say that they are busy with another creation of the same name, of which only they know the end.
        if explain::is_undecided(&error) {
            return match self.metadata(path, operation).await {
                Ok(_) => Err(Error::new(ErrorKind::AlreadyExists, operation)),
                Err(_) => Err(error),
            };
        }
        Err(error)
    }
}

/// In milliseconds, by the service's clock.
fn created_at(metadata: &Metadata) -> Option<Timestamp> {
    metadata.last_modified().map(|at| Timestamp::from_millis(at.into_inner().as_millisecond()))
}

#[async_trait]
impl Backend for CloudBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        Ok(Box::new(CloudCreation::new(self.clone(), name)))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        if range.is_empty() {
            return Err(Error::new(ErrorKind::OutOfRange, "read"));
        }
        let path = name.to_string();
        if range.end > END_MAX {
            self.metadata(&path, "read").await?;
            return Err(Error::new(ErrorKind::OutOfRange, "read"));
        }
        self.fetch(&path, range, "read").await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        let metadata = self.metadata(&name.to_string(), "stat").await?;
        let untold = || Error::new(ErrorKind::Failed, "stat").because("the service does not tell an object's age");
        Ok(Stat { size: metadata.content_length(), created_at: created_at(&metadata).ok_or_else(untold)? })
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.inner.listing.list(self, after, limit).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        match self.inner.operator.delete(&name.to_string()).await.map_err(|error| self.error(&error, "delete")) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        let size = match self.metadata(MARKER_NAME, "marker").await {
            Ok(metadata) => metadata.content_length(),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if usize::try_from(size).is_ok_and(|size| size <= MARKER_BYTES_MAX) {
            let bytes = if size == 0 { BytesMut::new() } else { self.fetch(MARKER_NAME, 0..size, "marker").await? };
            return Ok(Some(bytes.freeze()));
        }
        Err(Error::marker_too_large("marker"))
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        if bytes.len() > MARKER_BYTES_MAX {
            return Err(Error::marker_too_large("mark"));
        }
        self.put(MARKER_NAME, vec![bytes], "mark").await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        listing::foreign(self, limit).await
    }
}
