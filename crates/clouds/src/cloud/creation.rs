use super::CloudBackend;
use crate::{Creation, Error, ErrorKind, ObjectName};
use async_trait::async_trait;
use bytes::Bytes;

/// The largest object that is sent to a cloud, in one request. A segment is 8 MiB and a little.
pub const OBJECT_BYTES_MAX: usize = 72 * 1024 * 1024;

/// An object that is being created: held in memory as it was written, without being put together, until it is sent.
pub(super) struct CloudCreation {
    cloud: CloudBackend,
    name: ObjectName,
    held: Vec<Bytes>,
    size: usize,
}

impl CloudCreation {
    pub(super) fn new(cloud: CloudBackend, name: ObjectName) -> Self {
        Self { cloud, name, held: Vec::new(), size: 0 }
    }
}

#[async_trait]
impl Creation for CloudCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let size = self.size.saturating_add(bytes.len());
        if size > OBJECT_BYTES_MAX {
            self.held = Vec::new();
            let what = format!("an object in a cloud has at most {OBJECT_BYTES_MAX} bytes");
            return Err(Error::new(ErrorKind::Failed, "write").because(what));
        }
        self.size = size;
        if !bytes.is_empty() {
            self.held.push(bytes);
        }
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        let Self { cloud, name, held, .. } = *self;
        cloud.put(&name.to_string(), held, "commit").await
    }
}
