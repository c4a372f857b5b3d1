//! Tokens. The rules are identity's; here are only the forms.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::error::OAuthErrorBody;
use crate::wire::item::ITEM_MINI;
use crate::wire::oauth::{ACCESS_TOKEN, AccessToken, Bearer, Restriction};
use axum::response::Response;
use entente_identity::{OAuthError, OAuthErrorKind, Resource, ResourceKind, Secret, TokenAnswer, TokenForm};
use entente_tree::{Error as TreeError, ItemView, Kind};
use http::{HeaderValue, StatusCode, header};

/// Where people are asked, whichever door their app came to.
pub(crate) async fn authorize(asked: Asked) -> Outcome {
    let origin = &asked.door.options().origin;
    let base = origin.base_url(&asked.arrival, &asked.parts.uri, asked.headers());
    let query = asked.parts.uri.query().unwrap_or("");
    let place = HeaderValue::from_str(&format!("{base}/oauth2/authorize?{query}"));
    let place = place.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "bad_request", "The query is malformed"))?;
    let mut response = answer::empty(StatusCode::FOUND);
    response.headers_mut().insert(header::LOCATION, place);
    Ok(uncached(response))
}

pub(crate) async fn token(mut asked: Asked) -> Outcome {
    let form = form(&mut asked).await?;
    let own_urls = [asked.url("/box/oauth2/token"), asked.url("/oauth2/token")];
    let own_urls: Vec<&str> = own_urls.iter().map(String::as_str).collect();
    let granted = asked.door.auth().identity().grant(&form, &own_urls).await;
    let granted = match granted {
        Ok(token) => limited(&asked, &token).await.map(|view| (token, view)),
        Err(error) => Err(error),
    };
    Ok(match granted {
        Ok((token, view)) => shown(&asked, &token, view.as_ref()),
        Err(error) => refuse(&asked, &error),
    })
}

/// The item that a token is limited to, as its holder sees it. One that may not be known of is refused as one that is not
/// there, and so is the token.
async fn limited(asked: &Asked, token: &TokenAnswer) -> Result<Option<ItemView>, OAuthError> {
    let Some(Resource { kind, item }) = token.exchanged.as_ref().and_then(|exchanged| exchanged.resource) else {
        return Ok(None);
    };
    let kind = match kind {
        ResourceKind::File => Kind::File,
        ResourceKind::Folder => Kind::Folder,
    };
    let identity = asked.door.auth().identity();
    let later = || OAuthError::new(OAuthErrorKind::ServerError, "The server cannot answer now; try again");
    let caller = identity.authenticate(token.access_token.expose()).map_err(|_| later())?;
    let error = match asked.tree().item(&caller, item, kind).await {
        Ok(view) => return Ok(Some(view)),
        Err(TreeError::NotFound | TreeError::Trashed | TreeError::Forbidden) => {
            OAuthError::new(OAuthErrorKind::InvalidTarget, "The resource is not there")
        }
        Err(error) => {
            tracing::error!(%error, "the resource of a token could not be looked up");
            later()
        }
    };
    identity.revoke(token.access_token.expose()).await?;
    Err(error)
}

fn shown(asked: &Asked, token: &TokenAnswer, view: Option<&ItemView>) -> Response {
    let exchanged = token.exchanged.as_ref();
    let answer = |restricted_to: Vec<Restriction<'_>>| {
        let body = AccessToken {
            access_token: token.access_token.expose(),
            expires_in: token.expires_in_seconds,
            token_type: Bearer,
            restricted_to,
            refresh_token: token.refresh_token.as_ref().map(Secret::expose),
            issued_token_type: exchanged.map(|_| ACCESS_TOKEN),
        };
        uncached(answer::json(StatusCode::OK, &body))
    };
    let (Some(exchanged), Some(view)) = (exchanged, view) else { return answer(Vec::new()) };
    let scopes = exchanged.scope.split(' ');
    let look = asked.look();
    look.item(view, ITEM_MINI, |object| answer(scopes.map(|scope| Restriction { scope, object }).collect()))
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
