//! A request on its way to its handler, and what handlers ask of it.

use crate::door::OAuthDoor;
use crate::messages::{self, Messages};
use crate::page::{Cookie, Problem};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::language::Language;
use entente_door_kit::origin::BaseUrl;
use entente_door_kit::page::Page;
use entente_door_kit::{Arrival, read_bounded};
use entente_identity::{Identity, Providers, SecondFactors, WebSession, is_form_token};
use http::request::Parts;
use http::{HeaderName, header};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// What a handler answers.
pub(crate) type Outcome = Result<Response, Problem>;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Where a browser goes that came for nothing in particular.
const HOME: &str = "/";
/// What the web app shows, each with what is below.
const VIEWS: [&str; 3] = ["/files/", "/trash", "/console/"];
/// Longer places are not gone to.
const PLACE_BYTES_MAX: usize = 16 * 1_024;
/// Cookies that are looked at.
const COOKIES_MAX: usize = 100;
/// Fields of a form that are looked at.
const FIELDS_MAX: usize = 100;

pub(crate) struct Asked {
    pub(crate) door: OAuthDoor,
    pub(crate) arrival: Arrival,
    pub(crate) language: Language,
    /// Where the client reaches us.
    pub(crate) base: BaseUrl,
    pub(crate) parts: Parts,
    /// Never locked: it only makes the request shareable across awaits, which a body by itself is not.
    body: Mutex<Body>,
}

/// The fields of a form, decoded.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().take(FIELDS_MAX).collect())
    }

    /// The first of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Somebody who has signed in, and the cookie that says so.
pub(crate) struct SignedIn {
    pub(crate) session: WebSession,
    pub(crate) cookie: String,
    pub(crate) login: String,
}

impl Asked {
    pub(crate) fn new(door: OAuthDoor, arrival: Arrival, request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let base = door.options().origin.base_url(&arrival, &parts.uri, &parts.headers);
        let language = Language::of(&parts.headers);
        Self { door, arrival, language, base, parts, body: Mutex::new(body) }
    }

    pub(crate) fn identity(&self) -> &Identity {
        self.door.identity()
    }

    pub(crate) fn factors(&self) -> &SecondFactors {
        self.door.factors()
    }

    pub(crate) fn providers(&self) -> &Providers {
        self.door.providers()
    }

    pub(crate) fn messages(&self) -> &'static Messages {
        messages::messages(self.language)
    }

    pub(crate) fn query(&self) -> Fields {
        Fields::parse(self.parts.uri.query().unwrap_or("").as_bytes())
    }

    /// The body, once; empty afterwards.
    pub(crate) async fn body(&mut self) -> Result<Bytes, Problem> {
        let body = std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner));
        read_bounded(body, self.door.options().limits.json_bytes).await.map_err(|_| Problem::Body)
    }

    /// A form, whatever `Content-Type` says: nothing else is sent here.
    pub(crate) async fn form(&mut self) -> Result<Fields, Problem> {
        Ok(Fields::parse(&self.body().await?))
    }

    /// The client's address, as far as it is known.
    pub(crate) fn address(&self) -> IpAddr {
        self.door.options().origin.client_address(&self.arrival, &self.parts.headers)
    }

    pub(crate) fn program(&self) -> &str {
        self.parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The value of a cookie of ours. Two of one name are as good as none: one of them may be somebody else's.
    pub(crate) fn cookie(&self, cookie: Cookie) -> Option<String> {
        let name = cookie.name(self.base.scheme());
        let headers = self.parts.headers.get_all(header::COOKIE).iter();
        let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
        let mut found =
            pairs.take(COOKIES_MAX).filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.to_owned()),
            _ => None,
        }
    }

    /// Who has signed in in this browser, if anybody has.
    pub(crate) async fn signed_in(&self) -> Result<Option<SignedIn>, Problem> {
        let Some(cookie) = self.cookie(Cookie::Session) else { return Ok(None) };
        let Some(session) = self.identity().web_session(&cookie).await? else { return Ok(None) };
        let login = self.identity().signed_in_login(&session)?;
        Ok(Some(SignedIn { session, cookie, login }))
    }

    /// The same; who has not is sent to where one does, and comes back to `place`.
    pub(crate) async fn signed_in_or_sent(&self, place: &str) -> Result<SignedIn, Problem> {
        self.signed_in().await?.ok_or_else(|| Problem::Elsewhere(self.sign_in_url(place)))
    }

    pub(crate) fn sign_in_url(&self, place: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("continue", place);
        self.url(&format!("/oauth2/sign-in?{}", query.finish()))
    }

    /// The absolute URL of a path of ours.
    pub(crate) fn url(&self, path: &str) -> String {
        [self.base.as_str(), path].concat()
    }

    /// Whether a form that came back is one that this browser was shown.
    pub(crate) fn check_form(&self, cookie: Option<&str>, form: &Fields) -> Result<(), Problem> {
        let site = self.parts.headers.get(FETCH_SITE).map(http::HeaderValue::as_bytes);
        let is_own_site = site.is_none_or(|site| matches!(site, b"same-origin"));
        let token = form.value("form").unwrap_or("");
        if is_own_site && cookie.is_some_and(|cookie| is_form_token(cookie, token)) {
            return Ok(());
        }
        Err(Problem::StaleForm)
    }

    /// A place of ours to go on to: one of our own pages, or the way back to an app's request. Anything else is where
    /// everybody goes.
    pub(crate) fn place(text: Option<&str>) -> String {
        let known = text.filter(|text| {
            let is_plain =
                text.len() <= PLACE_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
            let is_of_web_app = VIEWS.iter().any(|view| text.starts_with(view));
            is_plain
                && (matches!(
                    *text,
                    HOME | "/oauth2/sessions" | "/oauth2/password" | "/oauth2/second-factor" | "/oauth2/passkeys"
                ) || text.starts_with("/oauth2/authorize?")
                    || is_of_web_app)
        });
        known.unwrap_or(HOME).to_owned()
    }

    pub(crate) fn page<'a>(&'a self, title: &'a str) -> Page<'a> {
        Page::new(self.language, title)
    }
}
