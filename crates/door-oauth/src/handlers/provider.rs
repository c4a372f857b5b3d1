//! To the enterprise's OpenID provider, and back from it.

use super::sign_in;
use crate::asked::{Asked, Outcome};
use crate::page::{Cookie, Problem, elsewhere};
use entente_door_kit::page::{Escaped, with};
use entente_identity::{ProviderBack, ProviderError, SignInError, form_token};
use entente_model::EnterpriseId;
use http::StatusCode;
use std::fmt::Write;

/// Where providers send browsers back to.
const BACK: &str = "/oauth2/provider-back";

/// A way to each provider, for the page of sign-in. Links rather than forms: browsers hold the policy of a page against
/// where its forms lead in the end. What they carry besides keeps other sites from sending people on this way.
pub(crate) fn links(asked: &Asked, place: &str, cookie: &str) -> Result<String, Problem> {
    let mut markup = String::new();
    for provider in asked.identity().providers()? {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("enterprise", &provider.enterprise.to_string());
        query.append_pair("continue", place);
        query.append_pair("form", &form_token(cookie));
        let label = with(asked.messages().sign_in_with, &[&provider.name]);
        let _ = writeln!(markup, "<p><a href=\"provider?{}\">{label}</a></p>", Escaped(&query.finish()));
    }
    Ok(markup)
}

pub(crate) async fn leave(asked: Asked) -> Outcome {
    let query = asked.query();
    asked.check_form(asked.cookie(Cookie::Form).as_deref(), &query)?;
    let place = Asked::place(query.value("continue"));
    let enterprise = query.value("enterprise").and_then(|text| text.parse().ok()).map(EnterpriseId::new);
    let begun = match enterprise {
        Some(enterprise) => asked.providers().begin(enterprise, asked.url(BACK), place).await,
        None => Err(ProviderError::Unknown),
    };
    match begun {
        Ok(sent) => {
            let mut response = elsewhere(&sent.url);
            Cookie::Away.set(asked.base.scheme(), sent.cookie.expose(), response.headers_mut());
            Ok(response)
        }
        Err(error) => refused(&asked, &error),
    }
}

pub(crate) async fn come_back(asked: Asked) -> Outcome {
    let query = asked.query();
    let cookie = asked.cookie(Cookie::Away).unwrap_or_default();
    let back = ProviderBack { code: query.value("code"), state: query.value("state"), issuer: query.value("iss") };
    let mut response = match asked.providers().finish(&cookie, back).await {
        Ok(arrived) => sign_in::go_on(&asked, &arrived.proven, &arrived.place).await?,
        Err(error) => refused(&asked, &error)?,
    };
    if !cookie.is_empty() {
        Cookie::Away.set(asked.base.scheme(), "", response.headers_mut());
    }
    Ok(response)
}

/// Nobody learns from the page whether there is somebody; the log says why.
fn refused(asked: &Asked, error: &ProviderError) -> Outcome {
    let messages = asked.messages();
    let (status, said) = match error {
        ProviderError::Stale => (StatusCode::FORBIDDEN, messages.provider_stale),
        ProviderError::Unknown => (StatusCode::NOT_FOUND, messages.provider_refused),
        ProviderError::Refused(_) | ProviderError::NotMeant(_) => (StatusCode::FORBIDDEN, messages.provider_refused),
        ProviderError::Failed(SignInError::Busy) => (StatusCode::SERVICE_UNAVAILABLE, messages.busy),
        ProviderError::Unavailable(_) | ProviderError::Setting(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, messages.provider_unavailable)
        }
        ProviderError::Failed(_) => (StatusCode::SERVICE_UNAVAILABLE, messages.unavailable_text),
    };
    tracing::warn!(request.id = %asked.arrival.request_id, %error, "nobody was signed in by a provider");
    let again = format!("<a href=\"sign-in\">{}</a>", messages.sign_in_again);
    Ok(asked.page(messages.sign_in).status(status).problem(said).paragraph(&again).finish())
}
