//! Objects that browsers send as forms
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>): fields first, the file last, and a policy that
//! says in whose name and within which bounds.

mod fields;
mod policy;

use crate::asked::Asked;
use crate::body::{BodyProblem, Hashers, Received};
use crate::door::S3Door;
use crate::error::{error, not_served, of_body, of_credentials};
use crate::gate;
use crate::handlers::{Operations, facts_of_form, headers_of_form, names, store_form};
use crate::sign::{Scope, SigningKey, refusal};
use crate::sse::SaidKeys;
use axum::body::Body;
use bytes::Bytes;
use entente_door_kit::{Arrival, multipart};
use entente_identity::Reach;
use entente_tree::{BoxError, Caller};
use fields::{Fields, Form};
use futures_util::{Stream, stream};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use policy::{Bounds, Policy};
use s3s::{HttpResponse, S3Error, S3ErrorCode, S3Result};
use std::sync::Arc;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The boundary of a form.
pub(crate) fn boundary_of(parts: &Parts) -> Option<String> {
    if parts.method != Method::POST {
        return None;
    }
    let content_type = parts.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    multipart::boundary(content_type).map(str::to_owned)
}

/// Puts the file of a form where its fields say.
pub(crate) async fn post(
    door: &S3Door,
    parts: Parts,
    body: Body,
    boundary: &str,
    arrival: Arrival,
    received: &Arc<Received>,
) -> Result<HttpResponse, S3Error> {
    if door.names_key(&parts) {
        let message = "The specified method is not allowed against this resource.";
        return Err(error(S3ErrorCode::MethodNotAllowed, message));
    }
    let bucket =
        door.bucket_of(&parts).ok_or_else(|| error(S3ErrorCode::InvalidRequest, "A form is sent to a bucket"))?;
    let mut form = Form::new(body, boundary);
    let fields = form.fields().await?;
    let key = fields.value("key").ok_or_else(|| {
        error(
            S3ErrorCode::InvalidArgument,
            "Bucket POST must contain a field named 'key'.  If it is specified, please \
                                             check the order of the fields.",
        )
    })?;
    let key = key.replace("${filename}", form.file_name().unwrap_or_default());
    if key.is_empty() {
        return Err(error(S3ErrorCode::InvalidArgument, "User key must have a length greater than 0."));
    }
    // Before any of the file is read.
    names(&key)?;
    let (mut asked, policy) = admit(door, &fields, arrival, received)?;
    let privacy = || door.privacy(&parts.uri, &parts.headers, &arrival);
    asked.keys = Arc::new(SaidKeys::of_form(|name| fields.value(name), privacy)?);
    let bounds = match &policy {
        Some(policy) => policy.check(&fields, &bucket, &key, asked.at)?,
        None => Bounds { least_bytes: 0, most_bytes: u64::MAX },
    };
    if fields.value("tagging").is_some() {
        return Err(not_served("Tags in forms are not served"));
    }
    let facts = facts_of_form(fields.all())?;
    let operations: &Operations = door.operations();
    let mut headers = headers_of_form(fields.all())?;
    for name in [header::REFERER, header::USER_AGENT] {
        headers.extend(parts.headers.get(&name).map(|value| (name.clone(), value.clone())));
    }
    let asked = gate::put(operations, &asked, (&bucket, &key), &headers).await?;
    let content = content(form, bounds, Arc::clone(received));
    let etag = store_form(operations, &asked, (&bucket, &key), (facts, &headers), content).await?;
    answer(&fields, &bucket, &key, &etag)
}

/// Who sends the form, and within which bounds. One without a policy is nobody's, and the bucket's rules decide.
fn admit(
    door: &S3Door,
    fields: &Fields,
    arrival: Arrival,
    received: &Arc<Received>,
) -> S3Result<(Asked, Option<Policy>)> {
    let at = door.auth().now();
    let asked = |signer: Option<Caller>, reach: Reach| Asked {
        caller: signer.clone().unwrap_or(Caller::nobody()),
        signature_at: signer.as_ref().map(|_| "POST"),
        signer,
        entered: None,
        reach,
        arrival,
        at,
        range: None,
        expires: None,
        announced: None,
        keys: Arc::default(),
        received: Arc::clone(received),
    };
    let Some(policy) = fields.value("policy") else { return Ok((asked(None, Reach::All), None)) };
    if fields.value("signature").is_some() {
        let message = "Signature version 2 is not accepted. Please use AWS4-HMAC-SHA256";
        return Err(refusal(S3ErrorCode::InvalidRequest, message));
    }
    if fields.value("x-amz-security-token").is_some() {
        return Err(refusal(S3ErrorCode::InvalidToken, "There are no temporary credentials here"));
    }
    let needed = |name: &'static str| {
        let missing = || error(S3ErrorCode::InvalidArgument, "Bucket POST must contain the fields of its signature");
        fields.value(name).ok_or_else(missing)
    };
    if needed("x-amz-algorithm")? != ALGORITHM {
        return Err(refusal(S3ErrorCode::InvalidArgument, "X-Amz-Algorithm only supports AWS4-HMAC-SHA256"));
    }
    let (date, signature) = (needed("x-amz-date")?, needed("x-amz-signature")?);
    let malformed = || refusal(S3ErrorCode::InvalidArgument, "The credential is malformed");
    let (id, scope) = needed("x-amz-credential")?.split_once('/').ok_or_else(malformed)?;
    let scope = Scope::parse(scope).filter(|scope| date.starts_with(&scope.date)).ok_or_else(malformed)?;
    let key = door.access_keys().find(id).map_err(|error| of_credentials(error, arrival.request_id))?;
    if !SigningKey::new(key.secret.expose(), &scope).verifies(policy.as_bytes(), signature) {
        let message = "The request signature we calculated does not match the signature you provided. \
                       Check your key and signing method.";
        return Err(refusal(S3ErrorCode::SignatureDoesNotMatch, message));
    }
    let policy = Policy::parse(policy)?;
    Ok((asked(Some(key.caller), key.reach), Some(policy)))
}

/// The bytes of the file. The stream ends well only if the whole form came well, and the file is within its bounds.
fn content(form: Form, bounds: Bounds, received: Arc<Received>) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let start = (form, Hashers::default().with_md5(), received);
    stream::try_unfold(start, move |(mut form, mut hashers, received)| async move {
        let failed = |problem: BodyProblem| -> BoxError {
            received.set(Err(problem));
            problem.into()
        };
        match form.data().await {
            Ok(Some(data)) => {
                hashers.update(&data);
                if hashers.size_bytes() > bounds.most_bytes {
                    return Err(failed(BodyProblem::TooLarge));
                }
                Ok(Some((data, (form, hashers, received))))
            }
            Ok(None) if hashers.size_bytes() < bounds.least_bytes => Err(failed(BodyProblem::TooSmall)),
            Ok(None) => match hashers.finish(None) {
                Ok(found) => {
                    received.set(Ok(found));
                    Ok(None)
                }
                Err(problem) => Err(failed(problem)),
            },
            Err(problem) => Err(failed(problem)),
        }
    })
}

/// What the browser is shown next, as the form wishes.
fn answer(fields: &Fields, bucket: &str, key: &str, etag: &str) -> S3Result<HttpResponse> {
    let mut response = HttpResponse::new(s3s::Body::empty());
    let quoted = ["\"", etag, "\""].concat();
    let location = format!("/{bucket}/{key}");
    let insert = |response: &mut HttpResponse, name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(name, value);
        }
    };
    insert(&mut response, header::ETAG, &quoted);
    let redirect = fields.value("success_action_redirect").or_else(|| fields.value("redirect"));
    if let Some(target) = redirect.filter(|target| target.starts_with("http://") || target.starts_with("https://")) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("bucket", bucket).append_pair("key", key).append_pair("etag", &quoted);
        let joint = if target.contains('?') { '&' } else { '?' };
        insert(&mut response, header::LOCATION, &format!("{target}{joint}{}", query.finish()));
        *response.status_mut() = StatusCode::SEE_OTHER;
        return Ok(response);
    }
    *response.status_mut() = match fields.value("success_action_status") {
        Some("200") => StatusCode::OK,
        Some("201") => StatusCode::CREATED,
        _ => StatusCode::NO_CONTENT,
    };
    if response.status() == StatusCode::CREATED {
        let text = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><PostResponse><Location>{}</Location><Bucket>{}</Bucket>\
             <Key>{}</Key><ETag>{}</ETag></PostResponse>",
            text(&location),
            text(bucket),
            text(key),
            quoted.replace('"', "&quot;")
        );
        insert(&mut response, header::CONTENT_TYPE, "application/xml");
        *response.body_mut() = s3s::Body::from(document);
    }
    Ok(response)
}

/// A form that cannot be read on.
pub(crate) fn unreadable(problem: BodyProblem) -> S3Error {
    of_body(problem)
}
