//! What of pages is sign-in's own: cookies, forms, and the answers that are none.

use crate::messages::{Messages, messages};
use axum::body::Body;
use axum::response::Response;
use entente_door_kit::language::Language;
use entente_door_kit::page::{Escaped, Page, uncached};
use entente_door_kit::{RequestId, Scheme};
use entente_identity::{Error, OAuthError, OAuthErrorKind, SignInError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::fmt::Write;

/// The longest session that a cookie may outlive in a browser: nothing is worth anything after it.
const COOKIE_SECONDS: u32 = 30 * 24 * 60 * 60;

/// The cookies that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Says who has signed in.
    Session,
    /// Belongs to the form with which somebody signs in.
    Form,
    /// Says who has shown a password, and not yet a code.
    Begun,
    /// Says who was sent to a provider, and is not back.
    Away,
}

impl Cookie {
    /// Over TLS, a name that no other host and no plain connection can set (RFC 6265bis, 4.1.3.2).
    pub(crate) const fn name(self, scheme: Scheme) -> &'static str {
        match (self, scheme) {
            (Self::Session, Scheme::Https) => "__Host-entente",
            (Self::Session, Scheme::Http) => "entente",
            (Self::Form, Scheme::Https) => "__Host-entente-form",
            (Self::Form, Scheme::Http) => "entente-form",
            (Self::Begun, Scheme::Https) => "__Host-entente-begun",
            (Self::Begun, Scheme::Http) => "entente-begun",
            (Self::Away, Scheme::Https) => "__Host-entente-away",
            (Self::Away, Scheme::Http) => "entente-away",
        }
    }

    /// Sets it; an empty value takes it away.
    pub(crate) fn set(self, scheme: Scheme, value: &str, headers: &mut HeaderMap) {
        let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
        let age = match self {
            _ if value.is_empty() => "; Max-Age=0".to_owned(),
            Self::Session => format!("; Max-Age={COOKIE_SECONDS}"),
            Self::Form | Self::Begun | Self::Away => String::new(),
        };
        let name = self.name(scheme);
        if let Ok(value) =
            HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
        {
            headers.append(header::SET_COOKIE, value);
        }
    }
}

/// Sends the browser on, with a GET whatever it came with.
pub(crate) fn elsewhere(url: &str) -> Response {
    let mut response = Response::new(Body::empty());
    match HeaderValue::from_str(url) {
        Ok(url) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, url);
        }
        // Our own paths and registered places are plain text.
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    uncached(response)
}

/// A button that sends a form of hidden fields, whose values are escaped here.
pub(crate) fn button(action: &str, fields: &[(&str, &str)], label: &str) -> String {
    let mut markup = format!("<form method=\"post\" action=\"{action}\">");
    for (name, value) in fields {
        markup.push_str(&hidden(name, value));
    }
    let _ = writeln!(markup, "<button>{label}</button></form>");
    markup
}

pub(crate) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", Escaped(value))
}

/// Why a page is not what was asked for.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The body cannot be read.
    Body,
    /// The form is not one that this browser was shown.
    StaleForm,
    /// Somewhere else first.
    Elsewhere(String),
    /// An app has made a mistake, and nobody is sent back to it.
    App(OAuthError),
    /// Nobody can tell now.
    Failed(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        Self::App(error)
    }
}

impl Problem {
    pub(crate) fn of_sign_in(error: SignInError) -> Result<SignInError, Self> {
        match error {
            SignInError::Failed(error) => Err(Self::Failed(error)),
            other => Ok(other),
        }
    }

    pub(crate) fn into_response(self, request_id: RequestId, language: Language, scheme: Scheme) -> Response {
        let messages = messages(language);
        match self {
            Self::Elsewhere(url) => elsewhere(&url),
            Self::StaleForm => {
                let page = Page::new(language, messages.bad_request).status(StatusCode::FORBIDDEN);
                let mut response = page.problem(messages.stale_form).finish();
                Cookie::Form.set(scheme, "", response.headers_mut());
                response
            }
            Self::Body => Page::new(language, messages.bad_request).status(StatusCode::BAD_REQUEST).finish(),
            Self::App(OAuthError { kind: OAuthErrorKind::ServerError, source, .. }) => {
                tracing::error!(request.id = %request_id, error = ?source, "an app's request could not be followed");
                unavailable(language, messages)
            }
            Self::App(error) => {
                let page = Page::new(language, messages.bad_request).status(StatusCode::BAD_REQUEST);
                let said = format!("<code>{}: {}</code>", error.kind.code(), Escaped(&error.description));
                page.problem(messages.bad_request_text).paragraph(&said).finish()
            }
            Self::Failed(error) => {
                tracing::error!(request.id = %request_id, %error, "a page could not be made");
                unavailable(language, messages)
            }
        }
    }
}

fn unavailable(language: Language, messages: &Messages) -> Response {
    let page = Page::new(language, messages.unavailable).status(StatusCode::SERVICE_UNAVAILABLE);
    page.problem(messages.unavailable_text).finish()
}
