//! The one text that both sides make of a request.

use super::claim::{Claim, Way};
use data_encoding::HEXLOWER;
use http::header;
use http::request::Parts;
use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// What a signature says of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload<'r> {
    /// A word of S3's, or the digest, as it stands in `x-amz-content-sha256`.
    Said(&'r str),
    /// Nothing.
    Unsigned,
}

/// The canonical request of a claim, its path escaped as AWS escapes.
pub(crate) fn canonical_request(parts: &Parts, claim: &Claim<'_>, payload: Payload<'_>) -> Vec<u8> {
    request(parts, claim, payload, push_path)
}

/// The same with the path as it was sent, when that differs: some clients sign what they send.
pub(crate) fn canonical_request_as_sent(parts: &Parts, claim: &Claim<'_>, payload: Payload<'_>) -> Option<Vec<u8>> {
    let mut escaped = Vec::with_capacity(parts.uri.path().len());
    push_path(parts.uri.path(), &mut escaped);
    if escaped == parts.uri.path().as_bytes() {
        return None;
    }
    Some(request(parts, claim, payload, |path, out| out.extend_from_slice(path.as_bytes())))
}

/// A `/` that came escaped is part of the key's path all the same.
fn push_path(path: &str, out: &mut Vec<u8>) {
    for (index, segment) in decode(path, Plus::Stays).split(|byte| *byte == b'/').enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        encode(segment, out);
    }
}

fn request(
    parts: &Parts,
    claim: &Claim<'_>,
    payload: Payload<'_>,
    push_path: impl FnOnce(&str, &mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b'\n');
    push_path(parts.uri.path(), &mut out);
    out.push(b'\n');
    push_query(parts.uri.query().unwrap_or_default(), claim.way, &mut out);
    out.push(b'\n');
    for name in claim.signed_headers.split(';') {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        push_header(parts, name, &mut out);
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(claim.signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(match payload {
        Payload::Said(text) => text.as_bytes(),
        Payload::Unsigned => b"UNSIGNED-PAYLOAD",
    });
    out
}

/// Escaped anew and in order; the signature itself is not signed.
fn push_query(query: &str, way: Way, out: &mut Vec<u8>) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name, Plus::IsSpace);
        if matches!(way, Way::Query(_)) && name.as_ref() == b"X-Amz-Signature" {
            continue;
        }
        let (mut escaped_name, mut escaped_value) = (Vec::new(), Vec::new());
        encode(&name, &mut escaped_name);
        encode(&decode(value, Plus::IsSpace), &mut escaped_value);
        pairs.push((escaped_name, escaped_value));
    }
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// Its values with commas between, each without spaces around it, and runs of spaces as one.
fn push_header(parts: &Parts, name: &str, out: &mut Vec<u8>) {
    let mut is_first = true;
    for value in parts.headers.get_all(name) {
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        push_collapsed(value.as_bytes(), out);
    }
    if is_first && name == header::HOST.as_str() {
        // An absolute target needs no such header.
        let authority = parts.uri.authority().map_or("", http::uri::Authority::as_str);
        out.extend_from_slice(authority.as_bytes());
    }
}

fn push_collapsed(value: &[u8], out: &mut Vec<u8>) {
    let mut space = false;
    for byte in value.trim_ascii() {
        if *byte == b' ' {
            space = true;
            continue;
        }
        if space {
            out.push(b' ');
            space = false;
        }
        out.push(*byte);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Plus {
    Stays,
    IsSpace,
}

/// What a path stands for, its slashes among the rest.
pub(crate) fn unescaped(path: &str) -> Cow<'_, [u8]> {
    decode(path, Plus::Stays)
}

/// What a text stands for. An escape that is none stands for itself.
fn decode(text: &str, plus: Plus) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    let is_special = |byte: &u8| *byte == b'%' || (*byte == b'+' && plus == Plus::IsSpace);
    if !bytes.iter().any(is_special) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (*first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                out.push(digit(*high).unwrap_or(0) * 16 + digit(*low).unwrap_or(0));
                rest = after;
            }
            (b'+', _) if plus == Plus::IsSpace => out.push(b' '),
            (byte, _) => out.push(byte),
        }
    }
    Cow::Owned(out)
}

fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if is_unreserved(*byte) {
            out.push(*byte);
        } else {
            let (high, low) = (HEX.get(usize::from(byte >> 4)), HEX.get(usize::from(byte & 15)));
            out.extend([b'%', *high.unwrap_or(&b'0'), *low.unwrap_or(&b'0')]);
        }
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

/// The digest of a body, as it is signed.
pub(super) fn hex(digest: &[u8]) -> String {
    HEXLOWER.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::{Payload, canonical_request, canonical_request_as_sent};
    use crate::sign::{Claim, SigningKey, string_to_sign};
    use http::Request;
    use http::request::Parts;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri).header("host", "examplebucket.s3.amazonaws.com");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn verify(parts: &Parts, payload: Payload<'_>) -> bool {
        let claim = Claim::read(parts).unwrap().unwrap();
        let text = string_to_sign(&claim.moment, &claim.scope, &canonical_request(parts, &claim, payload));
        SigningKey::new(SECRET, &claim.scope).verifies(text.as_bytes(), &claim.signature)
    }

    fn authorization(headers: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders={headers},Signature={signature}"
        )
    }

    /// The examples of the page that `sign` names.
    #[test]
    fn headers_are_verified_as_published() {
        let date = ("x-amz-date", "20130524T000000Z");
        let empty = ("x-amz-content-sha256", EMPTY);
        let get = authorization(
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        );
        let headers = [("authorization", get.as_str()), ("range", "bytes=0-9"), empty, date];
        assert!(verify(&parts("GET", "/test.txt", &headers), Payload::Said(EMPTY)));
        assert!(!verify(&parts("GET", "/test.tx", &headers), Payload::Said(EMPTY)));
        let put = authorization(
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        );
        let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let headers = [
            ("authorization", put.as_str()),
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", hash),
            date,
        ];
        assert!(verify(&parts("PUT", "/test%24file.text", &headers), Payload::Said(hash)));
        assert!(verify(&parts("PUT", "/test$file.text", &headers), Payload::Said(hash)));
        let list = authorization(
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        );
        let headers = [("authorization", list.as_str()), empty, date];
        assert!(verify(&parts("GET", "/?prefix=J&max-keys=2", &headers), Payload::Said(EMPTY)));
    }

    #[test]
    fn a_query_is_verified_as_published() {
        let uri = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
                   &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                   &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                   &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(verify(&parts("GET", uri, &[]), Payload::Unsigned));
        assert!(!verify(&parts("GET", &uri.replace("86400", "86401"), &[]), Payload::Unsigned));
        assert!(!verify(&parts("PUT", uri, &[]), Payload::Unsigned));
    }

    #[test]
    fn the_text_is_canonical() {
        let put = authorization("host;x-amz-meta-a", "00");
        let headers = [
            ("authorization", put.as_str()),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-meta-a", "  one   two "),
            ("x-amz-meta-a", "three"),
        ];
        let parts = parts("PUT", "/a%2Fb//c+%c3%a9!?z=1+2&a&b=%7e", &headers);
        let claim = Claim::read(&parts).unwrap().unwrap();
        let text = canonical_request(&parts, &claim, Payload::Unsigned);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "PUT\n/a/b//c%2B%C3%A9%21\na=&b=~&z=1%202\nhost:examplebucket.s3.amazonaws.com\n\
             x-amz-meta-a:one two,three\n\nhost;x-amz-meta-a\nUNSIGNED-PAYLOAD"
        );
        let sent = canonical_request_as_sent(&parts, &claim, Payload::Unsigned).unwrap();
        assert!(sent.starts_with(b"PUT\n/a%2Fb//c+%c3%a9!\n"));
    }
}
