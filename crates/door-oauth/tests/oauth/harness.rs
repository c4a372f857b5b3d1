//! A browser without a network, and an app that it goes to.

use axum::Router;
use axum::body::Body;
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Entry, RequestId, Scheme};
use entente_door_oauth::{OAuthDoor, Options};
use entente_identity::{AppKind, CreatedApp, NewApp, Password, Providers, SecondFactors};
use entente_model::{UserId, UserRole};
use entente_testkit::Stage;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use tower_service::Service;

pub const BASE: &str = "https://files.acme.example";
pub const BACK: &str = "https://portal.example.org/back";
pub const LOGIN: &str = "anna@acme.example";
pub const PASSWORD: &str = "correct horse battery";

/// A store with somebody who has a password, and an app.
pub struct Site {
    pub stage: Stage,
    pub user: UserId,
    pub app: CreatedApp,
    pub providers: Providers,
    router: Router,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

/// A browser: what it keeps between requests.
pub struct Browser<'s> {
    site: &'s Site,
    pub cookies: RefCell<BTreeMap<String, String>>,
    language: &'static str,
}

impl Site {
    pub async fn new() -> Self {
        let stage = Stage::new().await;
        let user = stage.person(LOGIN, "Anna", UserRole::User).await;
        stage.identity.set_password(user, &Password::new(PASSWORD.to_owned()), None).await.unwrap();
        let mut new = NewApp::new(stage.enterprise, "Portal <b>", UserRole::User);
        new.redirect_uris = vec![BACK.to_owned()];
        let app = stage.identity.create_app(new).await.unwrap();
        let origin = Origin { public_url: Some(BASE.parse().unwrap()), ..Origin::default() };
        let options = Options { origin, ..Options::default() };
        let factors = SecondFactors::load(stage.identity.clone(), stage.custodian.as_ref()).await.unwrap();
        let providers = Providers::load(stage.identity.clone(), stage.custodian.as_ref()).await.unwrap();
        let router = OAuthDoor::new(stage.identity.clone(), factors, providers.clone(), options).router();
        Self { stage, user, app, providers, router }
    }

    pub async fn public_app(&self) -> CreatedApp {
        let mut new = NewApp::new(self.stage.enterprise, "Desktop", UserRole::User);
        new.kind = AppKind::Public;
        new.redirect_uris = vec!["http://127.0.0.1/back".to_owned()];
        self.stage.identity.create_app(new).await.unwrap()
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: RefCell::default(), language: "en" }
    }

    pub fn secret(&self) -> &str {
        self.app.client_secret.as_ref().unwrap().expose()
    }

    /// The path of an authorization request of the app, with more parameters.
    pub fn authorize(&self, more: &str) -> String {
        format!("/oauth2/authorize?response_type=code&client_id={}{more}", self.app.client_id)
    }

    /// An app's request for tokens.
    pub async fn token(&self, form: &str) -> Answer {
        let form = format!("{form}&client_id={}&client_secret={}", self.app.client_id, self.secret());
        self.send("POST", "/oauth2/token", &[], form).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
        request = request.header(header::HOST, "files.acme.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let arrival = Arrival {
            request_id: RequestId::random(&self.stage.world),
            peer: "192.0.2.9:4711".parse().unwrap(),
            local: "192.0.2.1:443".parse().unwrap(),
            scheme: Scheme::Https,
            entry: Entry::Path,
        };
        let request = request.extension(arrival).body(Body::from(body)).unwrap();
        let response = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Where the browser is sent.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.header("location")
    }

    /// A parameter of where the browser is sent.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(decoded)
    }

    /// The hidden fields of the first form of the page.
    pub fn fields(&self) -> Vec<(String, String)> {
        let form = self.text.split("<form").nth(1).unwrap_or_else(|| panic!("no form: {}", self.text));
        let form = form.split("</form>").next().unwrap();
        let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
        let field = |input: &str| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            let value = rest.split('"').next().unwrap();
            let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
            (name.to_owned(), value.replace("&amp;", "&"))
        };
        inputs.map(field).collect()
    }
}

impl<'s> Browser<'s> {
    pub fn german(self) -> Self {
        Self { language: "de", ..self }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, String::new(), &[]).await
    }

    /// Sends a form that was shown, with what somebody fills in.
    pub async fn submit(&self, path: &str, shown: &Answer, filled: &[(&str, &str)]) -> Answer {
        let mut pairs = shown.fields();
        pairs.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(path, &pairs).await
    }

    pub async fn post(&self, path: &str, pairs: &[(String, String)]) -> Answer {
        let form = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let form = form.collect::<Vec<_>>().join("&");
        self.send("POST", path, form, &[("sec-fetch-site", "same-origin")]).await
    }

    /// Signs in, and goes on to what was asked for.
    pub async fn sign_in(&self, path: &str) -> Answer {
        let sent = self.get(path).await;
        let page = self.get(sent.location().strip_prefix(BASE).unwrap()).await;
        let sent = self.submit("/oauth2/sign-in", &page, &[("login", LOGIN), ("password", PASSWORD)]).await;
        self.get(sent.location().strip_prefix(BASE).unwrap()).await
    }

    /// Signs in if need be, and lets the app act for its user: where the browser is sent.
    pub async fn allow(&self, path: &str) -> Answer {
        let mut page = self.get(path).await;
        if page.status == 303 {
            page = self.sign_in(path).await;
        }
        self.submit("/oauth2/authorize", &page, &[("decision", "allow")]).await
    }

    pub async fn send(&self, method: &str, path: &str, body: String, headers: &[(&str, &str)]) -> Answer {
        let cookies = self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let cookies = cookies.join("; ");
        let mut all = vec![("cookie", cookies.as_str()), ("accept-language", self.language), ("user-agent", "Fox/1")];
        all.extend(headers);
        let answer = self.site.send(method, path, &all, body).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{cookie}");
            if value.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        let is_page = answer.header("content-type").starts_with("text/html");
        assert_eq!(answer.header("cache-control"), "no-store");
        if is_page {
            let policy = answer.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; ") && policy.ends_with("; frame-ancestors 'none'"),
                "{policy}"
            );
            // The only script is ours, and then the policy lets no other run.
            let own = answer.text.matches("<script src=\"passkey.js\" defer></script>").count();
            assert_eq!((answer.text.matches("<script").count(), policy.contains("script-src")), (own, own == 1));
            assert!(!policy.contains("unsafe") && !answer.text.contains("<b>"), "{}", answer.text);
        }
        answer
    }
}

pub fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
