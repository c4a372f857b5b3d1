//! AWS signature version 4, as far as S3 requests with a whole body need it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use std::fmt::Write as _;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";

/// Signs as one access key in one region.
#[derive(Clone)]
pub struct Signer {
    access_key: String,
    secret_key: String,
    region: String,
}

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// The path, escaped as it is sent.
    pub path: &'a str,
    /// The query, escaped as it is sent and sorted by name; empty if there is none.
    pub query: &'a str,
    /// Names in lower case, sorted.
    pub headers: &'a [(&'a str, &'a str)],
    /// Hex SHA-256 of the body, or `UNSIGNED-PAYLOAD`.
    pub payload_hash: &'a str,
    /// `YYYYMMDDTHHMMSSZ`, as in the header `x-amz-date`.
    pub date_time: &'a str,
}

impl Signer {
    pub fn new(access_key: &str, secret_key: &str, region: &str) -> Self {
        Self { access_key: access_key.to_owned(), secret_key: secret_key.to_owned(), region: region.to_owned() }
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self, signed: &Signed<'_>) -> String {
        let date = signed.date_time.get(..8).unwrap_or(signed.date_time);
        let scope = format!("{date}/{}/{SERVICE}/aws4_request", self.region);
        let canonical = sha256_hex(canonical_request(signed).as_bytes());
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{canonical}", signed.date_time);
        let signature = HEXLOWER.encode(mac(self.key(date).as_ref(), &to_sign).as_ref());
        let names = header_names(signed.headers);
        format!("{ALGORITHM} Credential={}/{scope},SignedHeaders={names},Signature={signature}", self.access_key)
    }

    fn key(&self, date: &str) -> hmac::Tag {
        let date_key = mac(format!("AWS4{}", self.secret_key).as_bytes(), date);
        let region_key = mac(date_key.as_ref(), &self.region);
        let service_key = mac(region_key.as_ref(), SERVICE);
        mac(service_key.as_ref(), "aws4_request")
    }
}

fn canonical_request(signed: &Signed<'_>) -> String {
    let mut text = format!("{}\n{}\n{}\n", signed.method, signed.path, signed.query);
    for (name, value) in signed.headers {
        let _ = writeln!(text, "{name}:{}", value.trim());
    }
    let _ = write!(text, "\n{}\n{}", header_names(signed.headers), signed.payload_hash);
    text
}

fn header_names(headers: &[(&str, &str)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// Hex SHA-256.
pub fn sha256_hex(content: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, content).as_ref())
}

/// Escapes everything but the unreserved characters of RFC 3986, section 2.3.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Signed, Signer, escape, sha256_hex};

    /// The examples of the page named above, with its keys, bucket and date.
    const DATE_TIME: &str = "20130524T000000Z";
    const HOST: &str = "examplebucket.s3.amazonaws.com";

    fn signature(method: &str, path: &str, query: &str, extra: &[(&str, &str)], body: &[u8]) -> String {
        let signer = Signer::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
        let payload_hash = sha256_hex(body);
        let mut headers =
            vec![("host", HOST), ("x-amz-content-sha256", payload_hash.as_str()), ("x-amz-date", DATE_TIME)];
        headers.extend_from_slice(extra);
        headers.sort_unstable();
        let signed =
            Signed { method, path, query, headers: &headers, payload_hash: &payload_hash, date_time: DATE_TIME };
        let authorization = signer.authorization(&signed);
        assert!(authorization.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
        ));
        authorization.rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn a_ranged_get_is_signed_as_published() {
        assert_eq!(
            signature("GET", "/test.txt", "", &[("range", "bytes=0-9")], b""),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }

    #[test]
    fn a_put_is_signed_as_published() {
        let extra = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        assert_eq!(
            signature("PUT", "/test%24file.text", "", &extra, b"Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
    }

    #[test]
    fn queries_are_signed_as_published() {
        assert_eq!(
            signature("GET", "/", "lifecycle=", &[], b""),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature("GET", "/", "max-keys=2&prefix=J", &[], b""),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        assert_eq!(escape("a-b._~9/é $"), "a-b._~9%2F%C3%A9%20%24");
    }
}
