//! The form that Box's SDKs upload a file with: a part `attributes`, then a part `file`.

use crate::body::{Body, Framing};
use bytes::{Bytes, BytesMut};
use http::HeaderValue;

const BOUNDARY: &str = "entente-bench-7d1f0c5e9a3b4c62";
/// Up to this size a file is sent as one piece with its form; a larger one in blocks of this size.
const BLOCK_BYTES: usize = 1 << 20;
/// The first bytes of every file are its number, so that no two files are equal.
const STAMP_BYTES: usize = 16;

/// Content to upload, prepared once for all files of one size.
#[derive(Debug, Clone)]
pub struct Content {
    block: Bytes,
    size_bytes: u64,
}

impl Content {
    /// Random content of that size; beyond a mebibyte it repeats.
    pub fn new(random: &entente_world::Random, size_bytes: u64) -> Self {
        let mut block = vec![0; usize::try_from(size_bytes).map_or(BLOCK_BYTES, |size| size.min(BLOCK_BYTES))];
        random.fill(&mut block);
        Self { block: Bytes::from(block), size_bytes }
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The body that uploads one file. The name and the id must need no escape in JSON.
    pub fn form(&self, name: &str, folder: &str, number: u64, framing: Framing) -> Body {
        let mut head = BytesMut::with_capacity(512 + self.block.len().min(BLOCK_BYTES / 16));
        head.extend_from_slice(b"--");
        head.extend_from_slice(BOUNDARY.as_bytes());
        head.extend_from_slice(b"\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n{\"name\":\"");
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b"\",\"parent\":{\"id\":\"");
        head.extend_from_slice(folder.as_bytes());
        head.extend_from_slice(b"\"}}\r\n--");
        head.extend_from_slice(BOUNDARY.as_bytes());
        head.extend_from_slice(b"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"");
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b"\"\r\nContent-Type: application/octet-stream\r\n\r\n");
        let stamp = format!("{number:0STAMP_BYTES$x}");
        let stamp = stamp.as_bytes().get(..self.block.len().min(STAMP_BYTES)).unwrap_or_default();
        head.extend_from_slice(stamp);
        let left_bytes = self.size_bytes - stamp.len() as u64;
        if self.size_bytes <= (BLOCK_BYTES / 16) as u64 {
            head.extend_from_slice(self.block.get(stamp.len()..).unwrap_or_default());
            head.extend_from_slice(b"\r\n--");
            head.extend_from_slice(BOUNDARY.as_bytes());
            head.extend_from_slice(b"--\r\n");
            return Body::repeated(head.freeze(), Bytes::new(), 0, Bytes::new(), framing);
        }
        let tail = Bytes::from_owner(format!("\r\n--{BOUNDARY}--\r\n"));
        Body::repeated(head.freeze(), self.block.clone(), left_bytes, tail, framing)
    }
}

/// The body that uploads one file whose content is at hand. `attributes` is JSON; empty for a new version.
pub fn form_of(attributes: &str, content: &[u8]) -> Bytes {
    let mut form = BytesMut::with_capacity(512 + attributes.len() + content.len());
    form.extend_from_slice(
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n").as_bytes(),
    );
    form.extend_from_slice(attributes.as_bytes());
    let file = format!(
        "\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    form.extend_from_slice(file.as_bytes());
    form.extend_from_slice(content);
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    form.freeze()
}

/// What the `Content-Type` header of such a form says.
pub fn content_type() -> HeaderValue {
    HeaderValue::try_from(format!("multipart/form-data; boundary={BOUNDARY}"))
        .unwrap_or_else(|_| HeaderValue::from_static("multipart/form-data"))
}

#[cfg(test)]
mod tests {
    use super::{BOUNDARY, Content};
    use crate::body::{Body, Framing};
    use entente_world::World;
    use http_body_util::BodyExt;

    async fn sent(body: Body) -> Vec<u8> {
        body.collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn forms_of_every_size_have_the_content_between_the_parts() {
        let random = World::real();
        for size_bytes in [0, 5, 16, 17, 4096, 65_536, 65_537, (1 << 20) + 3] {
            let content = Content::new(random.random(), size_bytes);
            let body = content.form("a.bin", "42", 7, Framing::Length);
            let length = http_body::Body::size_hint(&body).exact();
            let sent = sent(body).await;
            assert_eq!(length, Some(sent.len() as u64));
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n\
                 {{\"name\":\"a.bin\",\"parent\":{{\"id\":\"42\"}}}}\r\n--{BOUNDARY}\r\n\
                 Content-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            let tail = format!("\r\n--{BOUNDARY}--\r\n");
            assert!(sent.starts_with(head.as_bytes()) && sent.ends_with(tail.as_bytes()));
            let file = &sent[head.len()..sent.len() - tail.len()];
            assert_eq!(file.len() as u64, size_bytes);
            let stamp = usize::try_from(size_bytes).unwrap().min(16);
            assert_eq!(file[..stamp], b"0000000000000007"[..stamp]);
        }
    }
}
