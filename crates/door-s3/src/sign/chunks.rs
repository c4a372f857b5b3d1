//! Signatures of the chunks of a body, each over the one before
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>).

use super::canonical::hex;
use super::{ALGORITHM, Scope, SigningKey};
use aws_lc_rs::digest::{Context, SHA256, digest};

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Verifies the chunks of one body in their order.
pub(crate) struct ChunkSigning {
    key: SigningKey,
    moment: String,
    scope: Scope,
    /// The signature of what came before.
    previous: String,
    /// Of the chunk that is arriving.
    digest: Context,
}

impl ChunkSigning {
    /// After the request's own signature.
    pub(crate) fn new(key: SigningKey, moment: &str, scope: Scope, seed: &str) -> Self {
        Self {
            key,
            moment: moment.to_owned(),
            scope,
            previous: seed.to_ascii_lowercase(),
            digest: Context::new(&SHA256),
        }
    }

    /// More of the chunk that is arriving.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.digest.update(data);
    }

    /// Whether the chunk that has arrived bears this signature.
    pub(crate) fn verifies_chunk(&mut self, signature: &str) -> bool {
        let digest = std::mem::replace(&mut self.digest, Context::new(&SHA256)).finish();
        let text = self.text("-PAYLOAD", &format!("{EMPTY}\n{}", hex(digest.as_ref())));
        self.verifies(&text, signature)
    }

    /// Whether the trailers, a line `name:value\n` each, bear this signature.
    pub(crate) fn verifies_trailers(&mut self, trailers: &str, signature: &str) -> bool {
        let text = self.text("-TRAILER", &hex(digest(&SHA256, trailers.as_bytes()).as_ref()));
        self.verifies(&text, signature)
    }

    fn text(&self, kind: &str, last: &str) -> String {
        let mut text = format!("{ALGORITHM}{kind}\n{}\n", self.moment);
        self.scope.push_to(&mut text);
        text.push('\n');
        text.push_str(&self.previous);
        text.push('\n');
        text.push_str(last);
        text
    }

    fn verifies(&mut self, text: &str, signature: &str) -> bool {
        let verifies = self.key.verifies(text.as_bytes(), signature);
        self.previous = signature.to_ascii_lowercase();
        verifies
    }
}

#[cfg(test)]
mod tests {
    use super::ChunkSigning;
    use crate::sign::{Scope, SigningKey};

    /// The example of the page named above: 65 KiB and 1 KiB of `a`.
    #[test]
    fn chunks_are_verified_as_published() {
        let scope = Scope::parse("20130524/us-east-1/s3/aws4_request").unwrap();
        let key = SigningKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &scope);
        let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
        let mut signing = ChunkSigning::new(key, "20130524T000000Z", scope, seed);
        signing.update(&[b'a'; 60_000]);
        signing.update(&[b'a'; 5_536]);
        assert!(signing.verifies_chunk("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"));
        signing.update(&[b'a'; 1_024]);
        assert!(signing.verifies_chunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
        assert!(signing.verifies_chunk("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
        assert!(!signing.verifies_chunk("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
    }
}
