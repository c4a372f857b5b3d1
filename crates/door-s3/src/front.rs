//! What happens to a request before and after it is one of S3's operations: who signed it, what its body must be, what
//! an error looks like.

use crate::asked::Asked;
use crate::body::{Algorithm, BodyProblem, CheckedBody, Decoder, Hasher, Hashers, Received, Said, SaidChecksum};
use crate::door::S3Door;
use crate::error::{of_body, of_credentials};
use crate::sign::{
    ChunkSigning, Claim, Payload, SigningKey, Way, canonical_request, canonical_request_as_sent, refusal,
    string_to_sign,
};
use crate::sse::SaidKeys;
use crate::{cors, form, hoisted, render};
use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use axum::response::Response;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use entente_door_kit::Arrival;
use entente_identity::{AccessKey, Reach};
use entente_tree::Caller;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body::Body as _;
use s3s::{HttpRequest, S3Error, S3ErrorCode};
use std::sync::Arc;
use zeroize::Zeroizing;

const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const X_AMZ_DECODED_CONTENT_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const X_AMZ_TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
const X_AMZ_SDK_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-sdk-checksum-algorithm");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
/// SHA-256 of nothing.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A body that is a document, and so is held in memory whole: 10,000 parts, or 1,000 keys, fit.
pub(crate) const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// How a body was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    /// `aws-chunked`, each chunk signed or not.
    Chunked {
        signed: bool,
    },
}

/// Serves one request.
pub(crate) async fn answer(door: S3Door, request: Request<Body>) -> Response {
    let Some(arrival) = request.extensions().get::<Arrival>().copied() else {
        // The listener attaches it to whatever it lets in.
        return render::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let (parts, body) = request.into_parts();
    let context = render::Context { arrival, method: parts.method.clone(), uri: parts.uri.clone() };
    let asked_from = cors::AskedFrom::of(&door, &parts);
    let received = Arc::new(Received::default());
    let outcome = serve(&door, parts, body, arrival, &received).await;
    let outcome = match received.problem() {
        // Whatever was made of it on the way: this is why it failed.
        Some(problem) if outcome.as_ref().map_or(true, |response| !response.status().is_success()) => {
            Err(of_body(problem))
        }
        _ => outcome,
    };
    let mut response = render::response(outcome, &context);
    if let Some(asked_from) = asked_from {
        asked_from.allow(&door, response.headers_mut()).await;
    }
    response
}

async fn serve(
    door: &S3Door,
    mut parts: Parts,
    body: Body,
    arrival: Arrival,
    received: &Arc<Received>,
) -> Result<s3s::HttpResponse, S3Error> {
    if parts.method == Method::OPTIONS {
        return cors::preflight(door, &parts).await;
    }
    if let Some(boundary) = form::boundary_of(&parts) {
        return form::post(door, parts, body, &boundary, arrival, received).await;
    }
    let body = admit(door, &mut parts, body, arrival, received)?;
    let request = HttpRequest::from_parts(parts, body);
    let response = door.service().call(request).await;
    response.map_err(|error| {
        tracing::error!(request.id = %arrival.request_id, ?error, "an answer could not be encoded");
        S3Error::new(S3ErrorCode::InternalError)
    })
}

/// Finds out who asks, and says what the body must be. What remains of the request has no signature any more.
fn admit(
    door: &S3Door,
    parts: &mut Parts,
    body: Body,
    arrival: Arrival,
    received: &Arc<Received>,
) -> Result<s3s::Body, S3Error> {
    // A request without a claim is nobody's: what it may do is decided by the rules of the bucket.
    let claim = Claim::read(parts)?;
    if parts.headers.contains_key(X_AMZ_SECURITY_TOKEN) || hoisted::names_token(&parts.uri) {
        return Err(refusal(S3ErrorCode::InvalidToken, "There are no temporary credentials here"));
    }
    let now = door.auth().now();
    if let Some(claim) = &claim {
        claim.check_time(now)?;
        claim.check_cover(&parts.headers)?;
    }
    let hash = parts.headers.get(X_AMZ_CONTENT_SHA256).map(HeaderValue::to_str).transpose();
    let hash = hash.map_err(|_| hash_is_odd())?;
    let is_of_nothing = hash == Some(EMPTY_SHA256);
    let (payload, coding, sha256) = payload(hash, claim.as_ref())?;
    let signed = claim.as_ref().map(|claim| signed(door, parts, claim, payload, arrival)).transpose()?;

    let mut hashers = Hashers::default();
    let mut said = Said { size_bytes: size(&parts.headers, coding)?, sha256, ..Said::default() };
    let decoder = match coding {
        Coding::Plain => None,
        Coding::Chunked { signed: false } => Some(Decoder::new(None)),
        Coding::Chunked { signed: true } => {
            let (Some(claim), Some((_, signing_key))) = (&claim, &signed) else { return Err(hash_is_odd()) };
            let chunks = ChunkSigning::new(signing_key.clone(), &claim.moment, claim.scope.clone(), &claim.signature);
            Some(Decoder::new(Some(chunks)))
        }
    };
    let way = claim.as_ref().map(|claim| claim.way);
    let is_in_query = matches!(way, Some(Way::Query(_)));
    let hoisted = if is_in_query { hoisted::headers(parts)? } else { HeaderMap::new() };
    SaidKeys::refuse_in_query(&hoisted)?;
    parts.headers.extend(hoisted);
    let Parts { uri, headers, .. } = &mut *parts;
    let keys = SaidKeys::take(headers, |headers| door.privacy(uri, headers, &arrival))?;
    let is_content = parts.method == Method::PUT && door.names_key(parts);
    if is_content && said.size_bytes.is_none() && !parts.headers.contains_key("x-amz-copy-source") {
        return Err(refusal(S3ErrorCode::MissingContentLength, "You must provide the Content-Length HTTP header."));
    }
    if !is_content && said.size_bytes.is_some_and(|size| size > DOCUMENT_BYTES_MAX) {
        return Err(refusal(S3ErrorCode::MaxMessageLengthExceeded, "Your request was too big."));
    }
    said.md5 = announced_md5(&parts.headers)?;
    if is_content || said.md5.is_some() {
        hashers = hashers.with_md5();
    }
    if is_of_object(parts) {
        check_single(&parts.headers)?;
    } else {
        said.checksum = announced_checksum(&parts.headers)?;
    }
    hashers.checksum = said.checksum.as_ref().map(|checksum| Hasher::new(checksum.algorithm()));
    hashers.sha256 = said.sha256.map(|_| Context::new(&SHA256));

    strip(parts, is_in_query, coding, said.size_bytes);
    let (signer, reach) = match signed {
        Some((key, _)) => (Some(key.caller), key.reach),
        None => (None, Reach::All),
    };
    let asked = Asked {
        caller: signer.clone().unwrap_or(Caller::nobody()),
        signer,
        entered: None,
        reach,
        arrival,
        at: now,
        signature_at: way.map(|way| if way == Way::Header { "REST-HEADER" } else { "REST-QUERY-STRING" }),
        range: parts.headers.remove(header::RANGE),
        expires: parts.headers.remove(header::EXPIRES),
        announced: said.checksum.as_ref().map(SaidChecksum::algorithm),
        keys: Arc::new(keys),
        received: Arc::clone(received),
    };
    parts.extensions.insert(Arc::new(asked));
    if body.is_end_stream() && !is_content && decoder.is_none() && said.md5.is_none() && said.checksum.is_none() {
        // Most requests have no body.
        return match said.sha256 {
            Some(_) if !is_of_nothing => Err(of_body(BodyProblem::Sha256)),
            _ => Ok(s3s::Body::empty()),
        };
    }
    let body = CheckedBody::new(body, decoder, hashers, said, Arc::clone(received));
    Ok(s3s::Body::http_body_unsync(body))
}

/// Whose key signed a request, if it did.
fn signed(
    door: &S3Door,
    parts: &Parts,
    claim: &Claim<'_>,
    payload: Payload<'_>,
    arrival: Arrival,
) -> Result<(AccessKey, SigningKey), S3Error> {
    let key = door.access_keys().find(&claim.key).map_err(|error| of_credentials(error, arrival.request_id))?;
    let signing_key = SigningKey::new(key.secret.expose(), &claim.scope);
    verify(parts, claim, payload, &signing_key)?;
    Ok((key, signing_key))
}

/// What `x-amz-content-sha256` says.
fn payload<'h>(
    hash: Option<&'h str>,
    claim: Option<&Claim<'_>>,
) -> Result<(Payload<'h>, Coding, Option<[u8; 32]>), S3Error> {
    let Some(text) = hash else {
        return match claim.map(|claim| claim.way) {
            None | Some(Way::Query(_)) => Ok((Payload::Unsigned, Coding::Plain, None)),
            Some(Way::Header) => {
                let message = "Missing required header for this request: x-amz-content-sha256";
                Err(refusal(S3ErrorCode::InvalidRequest, message))
            }
        };
    };
    // A signed URL says nothing of a body that was not known yet, unless the header is signed too.
    let is_signed = claim.is_some_and(|claim| {
        claim.way == Way::Header || claim.signed_headers.split(';').any(|name| name == X_AMZ_CONTENT_SHA256.as_str())
    });
    let signed = if is_signed { Payload::Said(text) } else { Payload::Unsigned };
    Ok(match text {
        "UNSIGNED-PAYLOAD" => (signed, Coding::Plain, None),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => (signed, Coding::Chunked { signed: false }, None),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            (signed, Coding::Chunked { signed: true }, None)
        }
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
            return Err(refusal(S3ErrorCode::NotImplemented, "Signatures of several regions are not served"));
        }
        text => {
            let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| hash_is_odd())?;
            let bytes: [u8; 32] = bytes.try_into().map_err(|_| hash_is_odd())?;
            (signed, Coding::Plain, Some(bytes))
        }
    })
}

fn hash_is_odd() -> S3Error {
    let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                   STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
    refusal(S3ErrorCode::InvalidArgument, message)
}

fn verify(parts: &Parts, claim: &Claim<'_>, payload: Payload<'_>, key: &SigningKey) -> Result<(), S3Error> {
    let holds = |canonical: &[u8]| {
        let text = string_to_sign(&claim.moment, &claim.scope, canonical);
        key.verifies(text.as_bytes(), &claim.signature)
    };
    // What is signed may be a customer's key.
    let as_sent = || canonical_request_as_sent(parts, claim, payload).map(Zeroizing::new);
    if holds(&Zeroizing::new(canonical_request(parts, claim, payload)))
        || as_sent().is_some_and(|canonical| holds(&canonical))
    {
        return Ok(());
    }
    let message = "The request signature we calculated does not match the signature you provided. \
                   Check your key and signing method.";
    Err(refusal(S3ErrorCode::SignatureDoesNotMatch, message))
}

/// How long the body will be, once out of its coding.
fn size(headers: &HeaderMap, coding: Coding) -> Result<Option<u64>, S3Error> {
    let missing = || refusal(S3ErrorCode::MissingContentLength, "You must provide the Content-Length HTTP header.");
    let name = match coding {
        Coding::Plain => header::CONTENT_LENGTH,
        Coding::Chunked { .. } => X_AMZ_DECODED_CONTENT_LENGTH,
    };
    let Some(value) = headers.get(&name) else {
        return if coding == Coding::Plain { Ok(None) } else { Err(missing()) };
    };
    let size = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    size.map(Some).ok_or_else(|| refusal(S3ErrorCode::InvalidArgument, "the length of the body is not a number"))
}

fn announced_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(value) = headers.get(CONTENT_MD5) else { return Ok(None) };
    let md5 = BASE64.decode(value.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    md5.map(Some).ok_or_else(|| refusal(S3ErrorCode::InvalidDigest, "The Content-MD5 you specified is not valid."))
}

/// Whether checksums in headers are those of an object in the making rather than of this body.
fn is_of_object(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    let names = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    parts.method == Method::POST && (names("uploadId") || names("uploads"))
        || parts.headers.contains_key("x-amz-copy-source")
}

/// Of the checksums of an object in the making, too, there may be one.
fn check_single(headers: &HeaderMap) -> Result<(), S3Error> {
    let count = Algorithm::ALL.into_iter().map(|algorithm| headers.get_all(algorithm.header()).iter().count()).sum();
    match count {
        0_usize | 1 => Ok(()),
        _ => Err(several_checksums()),
    }
}

fn several_checksums() -> S3Error {
    let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
    refusal(S3ErrorCode::InvalidRequest, message)
}

fn announced_checksum(headers: &HeaderMap) -> Result<Option<SaidChecksum>, S3Error> {
    let invalid = |message| refusal(S3ErrorCode::InvalidRequest, message);
    let mut found: Option<SaidChecksum> = None;
    let mut note = |checksum: SaidChecksum| match &found {
        Some(_) => Err(several_checksums()),
        None => {
            found = Some(checksum);
            Ok(())
        }
    };
    for algorithm in Algorithm::ALL {
        if let Some(value) = headers.get(algorithm.header()) {
            let value = value.to_str().ok().filter(|value| algorithm.is_value(value));
            let value = value.ok_or_else(|| invalid("Value for x-amz-checksum- header is invalid."))?;
            note(SaidChecksum::Value(algorithm, value.to_owned()))?;
        }
    }
    for value in headers.get_all(X_AMZ_TRAILER) {
        for name in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            let of_name = |algorithm: &Algorithm| algorithm.header().as_str().eq_ignore_ascii_case(name);
            let algorithm = Algorithm::ALL.into_iter().find(of_name);
            let algorithm =
                algorithm.ok_or_else(|| invalid("The value specified in the x-amz-trailer header is not supported"))?;
            note(SaidChecksum::Trailer(algorithm))?;
        }
    }
    let Some(wanted) = headers.get(X_AMZ_SDK_CHECKSUM_ALGORITHM) else { return Ok(found) };
    let wanted = wanted.to_str().ok().and_then(Algorithm::parse);
    let wanted = wanted.ok_or_else(|| invalid("Value for x-amz-sdk-checksum-algorithm header is invalid."))?;
    match found {
        Some(found) if found.algorithm() != wanted => {
            Err(invalid("Value for x-amz-sdk-checksum-algorithm header is not that of the checksum."))
        }
        Some(found) => Ok(Some(found)),
        None => Ok(Some(SaidChecksum::Wanted(wanted))),
    }
}

/// Takes away what has been dealt with, so that nothing behind deals with it again.
fn strip(parts: &mut Parts, is_in_query: bool, coding: Coding, size_bytes: Option<u64>) {
    parts.headers.remove(header::AUTHORIZATION);
    if is_in_query && let Some(uri) = hoisted::left(&parts.uri) {
        parts.uri = uri;
    }
    if coding == Coding::Plain {
        return;
    }
    if let Some(size_bytes) = size_bytes {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size_bytes));
    }
    let encodings = parts.headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let kept: Vec<&str> = encodings
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    match HeaderValue::from_str(&kept.join(",")) {
        Ok(value) if !kept.is_empty() => parts.headers.insert(header::CONTENT_ENCODING, value),
        _ => parts.headers.remove(header::CONTENT_ENCODING),
    };
}

#[cfg(test)]
mod tests {
    use super::{Coding, announced_checksum, announced_md5, size, strip};
    use crate::body::{Algorithm, SaidChecksum};
    use http::{HeaderMap, HeaderName, HeaderValue, Request};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_checksum_is_announced_once() {
        let one = headers(&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-sdk-checksum-algorithm", "crc32")]);
        assert_eq!(
            announced_checksum(&one).unwrap(),
            Some(SaidChecksum::Value(Algorithm::Crc32, "y/Q5Jg==".to_owned()))
        );
        let trailer = headers(&[("x-amz-trailer", "x-amz-checksum-crc64nvme")]);
        assert_eq!(announced_checksum(&trailer).unwrap(), Some(SaidChecksum::Trailer(Algorithm::Crc64Nvme)));
        let wanted = headers(&[("x-amz-sdk-checksum-algorithm", "SHA256")]);
        assert_eq!(announced_checksum(&wanted).unwrap(), Some(SaidChecksum::Wanted(Algorithm::Sha256)));
        assert_eq!(announced_checksum(&headers(&[])).unwrap(), None);
        for odd in [
            headers(&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-trailer", "x-amz-checksum-sha1")]),
            headers(&[("x-amz-checksum-crc32", "y/Q5Jg==x")]),
            headers(&[("x-amz-checksum-sha1", "y/Q5Jg==")]),
            headers(&[("x-amz-trailer", "x-amz-meta-a")]),
            headers(&[("x-amz-sdk-checksum-algorithm", "MD4")]),
            headers(&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-sdk-checksum-algorithm", "SHA1")]),
        ] {
            assert!(announced_checksum(&odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn lengths_and_digests_are_read_strictly() {
        let coded = Coding::Chunked { signed: false };
        assert_eq!(size(&headers(&[("content-length", "12")]), Coding::Plain).unwrap(), Some(12));
        assert_eq!(size(&headers(&[]), Coding::Plain).unwrap(), None);
        assert!(size(&headers(&[("content-length", "12")]), coded).is_err());
        assert!(size(&headers(&[("x-amz-decoded-content-length", "-1")]), coded).is_err());
        assert!(announced_md5(&headers(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")])).unwrap().is_some());
        assert!(announced_md5(&headers(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCf")])).is_err());
        assert!(announced_md5(&headers(&[("content-md5", "AAAA")])).is_err());
    }

    #[test]
    fn nothing_of_a_signature_is_left() {
        let request = Request::builder().uri("/b/k").header("content-encoding", "aws-chunked, gzip");
        let mut parts = request.header("authorization", "x").body(()).unwrap().into_parts().0;
        strip(&mut parts, false, Coding::Chunked { signed: false }, Some(7));
        assert_eq!(parts.headers, headers(&[("content-encoding", "gzip"), ("content-length", "7")]));
    }
}
