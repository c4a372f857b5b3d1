//! Headers that a signed URL has in its query, because whoever follows it can send none. They are signed like the rest of
//! it, and mean what they would mean as headers.

use crate::sign::refusal;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use s3s::{S3Error, S3ErrorCode};
use std::borrow::Cow;

/// How such a parameter begins, in whatever case.
const PREFIX: &str = "x-amz-";
/// Parameters that are of the signature, or of a body that was not known when it was made: they order nothing.
const NO_ORDERS: [&str; 11] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-content-sha256",
    "x-amz-user-agent",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
];
/// The same, however they go on. Clients compute these of an empty body.
const NO_ORDERS_BEGIN: [&str; 2] = ["x-amz-checksum-", "x-amz-sdk-"];

/// The headers in the query of a request. `InvalidArgument` for what no header can be, and for one that is there twice.
pub(crate) fn headers(parts: &Parts) -> Result<HeaderMap, S3Error> {
    let mut found = HeaderMap::new();
    for pair in parts.uri.query().unwrap_or_default().split('&') {
        let Some((name, value)) = parameter(pair) else { continue };
        if NO_ORDERS.contains(&name.as_str()) || NO_ORDERS_BEGIN.iter().any(|begin| name.starts_with(begin)) {
            continue;
        }
        let invalid = || refusal(S3ErrorCode::InvalidArgument, "A parameter of the query cannot stand for a header");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
        if parts.headers.contains_key(&name) || found.insert(name, value).is_some() {
            let message = "A header stands twice in the request, or in its query as well";
            return Err(refusal(S3ErrorCode::InvalidArgument, message));
        }
    }
    Ok(found)
}

/// Whether a query has the token of temporary credentials.
pub(crate) fn names_token(uri: &Uri) -> bool {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    pairs.any(|pair| parameter(pair).is_some_and(|(name, _)| name == "x-amz-security-token"))
}

/// What remains of a target without its signature and headers.
pub(crate) fn left(uri: &Uri) -> Option<Uri> {
    let kept = uri.query()?.split('&').filter(|pair| parameter(pair).is_none()).collect::<Vec<_>>().join("&");
    let target = if kept.is_empty() { uri.path().to_owned() } else { [uri.path(), "?", &kept].concat() };
    Some(Uri::from(PathAndQuery::from_maybe_shared(target).ok()?))
}

/// The name, in lower case, and the value of a parameter that begins so.
fn parameter(pair: &str) -> Option<(String, Cow<'_, str>)> {
    let (name, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
    let begins = name.as_bytes().get(..PREFIX.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(PREFIX.as_bytes()));
    begins.then(|| (name.to_ascii_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use super::{headers, left, names_token};
    use http::request::Parts;
    use http::{Request, Uri};

    fn parts(query: &str) -> Parts {
        let request = Request::builder().uri(format!("/b/k?{query}")).header("x-amz-acl", "private");
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn nothing_of_a_signature_is_left() {
        for (target, expected) in [
            ("/b/k%20?X-Amz-Signature=ab&versionId=1&X-Amz-Expires=5", "/b/k%20?versionId=1"),
            ("/b/k?X-Amz-Signature=ab", "/b/k"),
            ("/b/k?x-amz-meta-a=b&x%2Damz-acl=private&x-id=PutObject", "/b/k?x-id=PutObject"),
        ] {
            assert_eq!(left(&target.parse::<Uri>().unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn orders_in_a_query_are_found() {
        let found =
            headers(&parts("x-amz-meta-a=b%20c&X-Amz-Tagging=k%3Dv&x-amz-checksum-crc32=AAAAAA%3D%3D&a=b")).unwrap();
        assert_eq!(
            (found.len(), &found["x-amz-meta-a"], &found["x-amz-tagging"]),
            (2, &"b c".parse().unwrap(), &"k=v".parse().unwrap())
        );
        for odd in ["x-amz-meta-a=b%0Ac", "x-amz-meta-%20=b", "x-amz-meta-a=1&x-amz-meta-A=2", "x-amz-acl=private"] {
            assert!(headers(&parts(odd)).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_token_is_seen_however_it_is_spelt() {
        for query in ["X-Amz-Security-Token=x", "a=b&x-amz-security-token", "X%2DAmz-Security-Token=x"] {
            assert!(names_token(&parts(query).uri), "{query}");
        }
        assert!(!names_token(&parts("versionId=1").uri));
    }
}
