//! Who signed a request: AWS Signature Version 4, in headers, in a query, and over the chunks of a body
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>). Nothing here does I/O or
//! looks at a clock: bytes and the moment go in, an answer comes out.

mod canonical;
mod chunks;
mod claim;

pub(crate) use canonical::{Payload, canonical_request, canonical_request_as_sent, unescaped};
pub(crate) use chunks::ChunkSigning;
pub(crate) use claim::{Claim, Way};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use s3s::{S3Error, S3ErrorCode};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";
const TERMINATOR: &str = "aws4_request";

/// What a signature is made with, for one day, region and service.
#[derive(Clone)]
pub(crate) struct SigningKey(hmac::Key);

/// The words between which a signature holds: `20260131/eu-west-1/s3/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) date: String,
    pub(crate) region: String,
}

impl Scope {
    /// Reads what follows the key's id in a credential. The region is anybody's choice: we are in all of them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split('/');
        let (date, region, service, terminator) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let is_whole = words.next().is_none() && service == SERVICE && terminator == TERMINATOR;
        let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
        (is_whole && is_date && !region.is_empty()).then(|| Self { date: date.to_owned(), region: region.to_owned() })
    }

    fn push_to(&self, text: &mut String) {
        for word in [&self.date, "/", &self.region, "/", SERVICE, "/", TERMINATOR] {
            text.push_str(word);
        }
    }
}

impl SigningKey {
    pub(crate) fn new(secret: &str, scope: &Scope) -> Self {
        let first = first_key(["AWS4", secret].concat());
        let mut key = first;
        for word in [&scope.date, &scope.region, SERVICE, TERMINATOR] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, word.as_bytes()).as_ref());
        }
        Self(key)
    }

    /// Whether `signature`, in hexadecimal digits, is the one of `text`. In constant time.
    pub(crate) fn verifies(&self, text: &[u8], signature: &str) -> bool {
        let Ok(signature) = HEXLOWER_PERMISSIVE.decode(signature.as_bytes()) else { return false };
        hmac::verify(&self.0, text, &signature).is_ok()
    }
}

fn first_key(mut text: String) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
    // The secret is not left behind in freed memory.
    let mut bytes = std::mem::take(&mut text).into_bytes();
    bytes.fill(0);
    key
}

/// What is signed of a canonical request.
pub(crate) fn string_to_sign(moment: &str, scope: &Scope, canonical: &[u8]) -> String {
    let mut text = String::with_capacity(ALGORITHM.len() + moment.len() + 64 + 64);
    text.push_str(ALGORITHM);
    text.push('\n');
    text.push_str(moment);
    text.push('\n');
    scope.push_to(&mut text);
    text.push('\n');
    HEXLOWER.encode_append(digest(&SHA256, canonical).as_ref(), &mut text);
    text
}

/// A refusal that says why.
pub(crate) fn refusal(code: S3ErrorCode, message: &'static str) -> S3Error {
    S3Error::with_message(code, message)
}

#[cfg(test)]
mod tests {
    use super::{Scope, SigningKey, string_to_sign};

    #[test]
    fn a_scope_is_four_words() {
        let scope = Scope::parse("20130524/us-east-1/s3/aws4_request").unwrap();
        assert_eq!((scope.date.as_str(), scope.region.as_str()), ("20130524", "us-east-1"));
        for odd in [
            "",
            "20130524/us-east-1/s3",
            "2013/us-east-1/s3/aws4_request",
            "20130524//s3/aws4_request",
            "20130524/x/sts/aws4_request",
            "20130524/x/s3/aws4_request/",
        ] {
            assert_eq!(Scope::parse(odd), None, "{odd}");
        }
    }

    /// The example of the page named above.
    #[test]
    fn a_string_is_signed_as_published() {
        let scope = Scope::parse("20130524/us-east-1/s3/aws4_request").unwrap();
        let canonical = "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n\
                         x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
                         x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n\
                         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let text = string_to_sign("20130524T000000Z", &scope, canonical.as_bytes());
        let key = SigningKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &scope);
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(key.verifies(text.as_bytes(), signature));
        assert!(!key.verifies(text.as_bytes(), &signature.replace('f', "e")));
        assert!(!key.verifies(text.as_bytes(), "f0") && !key.verifies(text.as_bytes(), "x"));
    }
}
