//! An app gets tokens, and gives them back.

use crate::asked::{Asked, Outcome};
use axum::body::Body;
use axum::response::Response;
use data_encoding::BASE64;
use entente_door_kit::page::uncached;
use entente_identity::{OAuthError, OAuthErrorKind, TokenForm};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// The longest header that is looked at.
const BASIC_BYTES_MAX: usize = 1_024;

pub(crate) async fn grant(mut asked: Asked) -> Outcome {
    let (form, by_header) = match form(&mut asked).await {
        Ok(form) => form,
        Err(error) => return Ok(refuse(&asked, &error, false)),
    };
    let urls = [asked.url("/oauth2/token"), asked.url("/box/oauth2/token")];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    Ok(match asked.identity().grant(&form, &urls).await {
        Err(error) => refuse(&asked, &error, by_header),
        Ok(answer) => {
            let mut value = json!({
                "access_token": answer.access_token.expose(),
                "token_type": "Bearer",
                "expires_in": answer.expires_in_seconds,
                "scope": answer.scopes.to_string(),
            });
            if let Some(members) = value.as_object_mut() {
                let refresh_token = answer.refresh_token.as_ref().map(|token| json!(token.expose()));
                members.extend(refresh_token.map(|token| ("refresh_token".to_owned(), token)));
                let kind = answer.exchanged.map(|_| json!("urn:ietf:params:oauth:token-type:access_token"));
                members.extend(kind.map(|kind| ("issued_token_type".to_owned(), kind)));
            }
            json(StatusCode::OK, &value)
        }
    })
}

pub(crate) async fn revoke(mut asked: Asked) -> Outcome {
    let (form, by_header) = match form(&mut asked).await {
        Ok(form) => form,
        Err(error) => return Ok(refuse(&asked, &error, false)),
    };
    Ok(match asked.identity().revoke_by_form(&form).await {
        Ok(()) => uncached(Response::new(Body::empty())),
        Err(error) => refuse(&asked, &error, by_header),
    })
}

/// The form, with who the client says it is in a header (RFC 6749, 2.3.1), and whether it says so there.
async fn form(asked: &mut Asked) -> Result<(TokenForm, bool), OAuthError> {
    let malformed = |message: &str| OAuthError::new(OAuthErrorKind::InvalidRequest, message);
    let bytes = asked.body().await.map_err(|_| malformed("The body cannot be read"))?;
    let basic = match asked.parts.headers.get(header::AUTHORIZATION) {
        None => None,
        Some(value) => Some(basic(value).ok_or_else(|| malformed("The Authorization header is malformed"))?),
    };
    let by_header = basic.is_some();
    let named =
        basic.into_iter().flat_map(|(id, secret)| [("client_id".to_owned(), id), ("client_secret".to_owned(), secret)]);
    Ok((TokenForm::from_pairs(named.chain(form_urlencoded::parse(&bytes).into_owned())), by_header))
}

fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok().filter(|text| text.len() <= BASIC_BYTES_MAX)?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Each is encoded as a form encodes it; parsed as a name without a value.
    let decode = |text: &str| {
        let (name, _) = form_urlencoded::parse(text.as_bytes()).next()?;
        Some(name.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

fn refuse(asked: &Asked, error: &OAuthError, by_header: bool) -> Response {
    let request_id = asked.arrival.request_id;
    let status = match error.kind {
        OAuthErrorKind::ServerError => {
            tracing::error!(request.id = %request_id, error = ?error.source, "a token request could not be answered");
            StatusCode::SERVICE_UNAVAILABLE
        }
        // RFC 6749, 5.2.
        OAuthErrorKind::InvalidClient if by_header => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = json(status, &json!({ "error": error.kind.code(), "error_description": error.description }));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"oauth2\""));
    }
    response
}

fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    uncached(response)
}
