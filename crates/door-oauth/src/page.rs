//! Pages: their frame, their security, and the answers that are none.

use crate::language::Language;
use crate::messages::Messages;
use axum::body::Body;
use axum::response::Response;
use entente_door_kit::{RequestId, Scheme};
use entente_identity::{Error, OAuthError, OAuthErrorKind, SignInError};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::fmt::{self, Write};

const FRAME_OPTIONS: HeaderName = HeaderName::from_static("x-frame-options");
/// The longest session that a cookie may outlive in a browser: nothing is worth anything after it.
const COOKIE_SECONDS: u32 = 30 * 24 * 60 * 60;

/// A text as it stands in a page, whatever is in it.
pub(crate) struct Escaped<'t>(pub(crate) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // What turns the direction of text around would make one name look like another.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                letter if letter.is_control() => f.write_char('\u{fffd}')?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// A message with what is put in, escaped.
pub(crate) fn with(message: &str, values: &[&str]) -> String {
    let mut text = String::with_capacity(message.len() + 32);
    let mut values = values.iter();
    for (index, part) in message.split("{}").enumerate() {
        if index > 0
            && let Some(value) = values.next()
        {
            let _ = write!(text, "{}", Escaped(value));
        }
        text.push_str(part);
    }
    text
}

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

/// A page being written.
pub(crate) struct Page<'a> {
    language: Language,
    title: &'a str,
    body: String,
    status: StatusCode,
    form_places: String,
}

impl<'a> Page<'a> {
    pub(crate) fn new(language: Language, title: &'a str) -> Self {
        Self { language, title, body: String::new(), status: StatusCode::OK, form_places: String::new() }
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Markup, as it is.
    pub(crate) fn raw(mut self, markup: &str) -> Self {
        self.body.push_str(markup);
        self
    }

    /// A paragraph of text that has been escaped already.
    pub(crate) fn paragraph(self, text: &str) -> Self {
        self.raw("<p>").raw(text).raw("</p>\n")
    }

    /// Something that did not work.
    pub(crate) fn problem(self, text: &str) -> Self {
        self.raw("<p class=\"problem\" role=\"alert\">").raw(text).raw("</p>\n")
    }

    /// Something that did.
    pub(crate) fn said(self, text: &str) -> Self {
        self.raw("<p class=\"said\" role=\"status\">").raw(text).raw("</p>\n")
    }

    /// Lets forms on the page lead to one other place, too: browsers hold the policy against redirects after a form. The
    /// place must be an origin or a scheme, as `Back::origin` gives it.
    pub(crate) fn forms_may_lead_to(mut self, origin: &str) -> Self {
        if origin.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\'' | b'"')) {
            self.form_places = format!(" {origin}");
        }
        self
    }

    pub(crate) fn finish(self) -> Response {
        let Self { language, title, body, status, form_places } = self;
        let title = Escaped(title);
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"style.css\">\n<h1>{title}</h1>\n{body}</html>\n",
            language.tag(),
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self'{form_places}; base-uri 'none'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        // Not `no-referrer`: browsers would then hide from us where our own forms come from.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        uncached(response)
    }
}

/// Not to be kept by anybody (RFC 6749, 5.1), and to be taken for nothing but what it says it is.
pub(crate) fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
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
        let messages = language.messages();
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

#[cfg(test)]
mod tests {
    use super::{Escaped, with};

    #[test]
    fn nothing_gets_out_of_a_text() {
        let escaped = Escaped("<a href='x'>\"&\"\u{202e}\r\n").to_string();
        assert_eq!(escaped, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn values_are_put_in_in_order() {
        assert_eq!(with("from {}, since {}", &["<a>", "{}"]), "from &lt;a&gt;, since {}");
        assert_eq!(with("nothing", &["a"]), "nothing");
    }
}
