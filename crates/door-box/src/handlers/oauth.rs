//! Tokens. The rules are identity's; here are only the forms.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::error::OAuthErrorBody;
use crate::wire::oauth::{AccessToken, Bearer};
use axum::response::Response;
use entente_identity::{OAuthError, OAuthErrorKind, TokenForm};
use http::{HeaderValue, StatusCode, header};

pub(crate) async fn token(mut asked: Asked) -> Outcome {
    let form = form(&mut asked).await?;
    let own_url = asked.url("/box/oauth2/token");
    let granted = asked.door.auth().identity().grant(&form, &[&own_url]).await;
    Ok(match granted {
        Ok(token) => uncached(answer::json(
            StatusCode::OK,
            &AccessToken {
                access_token: token.access_token.expose(),
                expires_in: token.expires_in_seconds,
                token_type: Bearer,
                restricted_to: [],
            },
        )),
        Err(error) => refuse(&asked, &error),
    })
}

pub(crate) async fn revoke(mut asked: Asked) -> Outcome {
    let form = form(&mut asked).await?;
    let revoked = asked.door.auth().identity().revoke_by_form(&form).await;
    Ok(revoked.map_or_else(|error| refuse(&asked, &error), |()| answer::empty(StatusCode::OK)))
}

/// A form, whatever `Content-Type` says: nothing else is sent here.
async fn form(asked: &mut Asked) -> Result<TokenForm, Problem> {
    let bytes = asked.small_body().await?;
    Ok(TokenForm::from_pairs(form_urlencoded::parse(&bytes)))
}

fn refuse(asked: &Asked, error: &OAuthError) -> Response {
    let status = if error.kind == OAuthErrorKind::ServerError {
        let request_id = asked.arrival.request_id;
        tracing::error!(request.id = %request_id, error = ?error.source, "a token could not be granted");
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        let (request_id, error) = (asked.arrival.request_id, error.to_string());
        tracing::debug!(request.id = %request_id, error, "a token was refused");
        StatusCode::BAD_REQUEST
    };
    let body = OAuthErrorBody { error: error.kind.code(), error_description: &error.description };
    uncached(answer::json(status, &body))
}

/// RFC 6749, section 5.1.
fn uncached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
