//! Pages for people: their frame, their security, and texts that stay texts.

use crate::language::Language;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::fmt::{self, Write};

const FRAME_OPTIONS: HeaderName = HeaderName::from_static("x-frame-options");
const STYLE: &str = include_str!("style.css");

/// A text as it stands in a page, whatever is in it.
pub struct Escaped<'t>(
    /// The text.
    pub &'t str,
);

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
#[must_use]
pub fn with(message: &str, values: &[&str]) -> String {
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

/// A page being written.
#[must_use]
pub struct Page<'a> {
    language: Language,
    title: &'a str,
    body: String,
    status: StatusCode,
    form_places: String,
    script: Option<&'static str>,
}

impl<'a> Page<'a> {
    /// One with that title.
    pub fn new(language: Language, title: &'a str) -> Self {
        Self { language, title, body: String::new(), status: StatusCode::OK, form_places: String::new(), script: None }
    }

    /// With another status than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Markup, as it is.
    pub fn raw(mut self, markup: &str) -> Self {
        self.body.push_str(markup);
        self
    }

    /// A paragraph of text that has been escaped already.
    pub fn paragraph(self, text: &str) -> Self {
        self.raw("<p>").raw(text).raw("</p>\n")
    }

    /// Something that did not work.
    pub fn problem(self, text: &str) -> Self {
        self.raw("<p class=\"problem\" role=\"alert\">").raw(text).raw("</p>\n")
    }

    /// Something that did.
    pub fn said(self, text: &str) -> Self {
        self.raw("<p class=\"said\" role=\"status\">").raw(text).raw("</p>\n")
    }

    /// With a script of ours, which stands beside it; nothing else runs.
    pub fn script(mut self, name: &'static str) -> Self {
        self.script = Some(name);
        self
    }

    /// Lets forms on the page lead to one other place, too: browsers hold the policy against redirects after a form. The
    /// place must be an origin or a scheme, as `Back::origin` gives it.
    pub fn forms_may_lead_to(mut self, origin: &str) -> Self {
        if origin.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\'' | b'"')) {
            self.form_places = format!(" {origin}");
        }
        self
    }

    /// The answer. It expects `style.css` beside it ([`style`]).
    #[must_use]
    pub fn finish(self) -> Response {
        let Self { language, title, body, status, form_places, script } = self;
        let title = Escaped(title);
        let (script, may_run) = match script {
            Some(name) => (format!("<script src=\"{name}\" defer></script>\n"), " script-src 'self';"),
            None => (String::new(), ""),
        };
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"style.css\">\n{script}<main>\n<h1>{title}</h1>\n{body}</main>\n</html>\n",
            language.tag(),
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        let policy = format!(
            "default-src 'none'; style-src 'self';{may_run} form-action 'self'{form_places}; base-uri 'none'; frame-ancestors 'none'"
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
#[must_use]
pub fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// How pages look: what `style.css` beside each of them answers.
#[must_use]
pub fn style() -> Response {
    let mut response = Response::new(STYLE.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
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
