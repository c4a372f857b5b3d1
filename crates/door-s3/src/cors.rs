//! Which sites' browsers may ask what: a bucket's rules, the question before a request, and the word in its answer.

use crate::door::S3Door;
use crate::error::{custom, error};
use crate::handlers::CORS_SETTING;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use s3s::dto::CORSRule;
use s3s::{Body, HttpResponse, S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};

/// Rules of a bucket, and patterns of a rule.
const RULES_MAX: usize = 100;
const PATTERNS_MAX: usize = 100;
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
/// What an answer depends on.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// The rules of a bucket; the first that fits counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rules(Vec<Rule>);

/// One rule. Each pattern has at most one `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    origins: Vec<String>,
    methods: Vec<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    exposed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<i32>,
}

impl Rules {
    pub(crate) fn of_document(rules: Vec<CORSRule>) -> S3Result<Self> {
        let malformed = || {
            let message = "The XML you provided was not well-formed or did not validate against our published schema";
            error(S3ErrorCode::MalformedXML, message)
        };
        if rules.is_empty() || rules.len() > RULES_MAX {
            return Err(malformed());
        }
        let rule = |rule: CORSRule| {
            let (headers, exposed) =
                (rule.allowed_headers.unwrap_or_default(), rule.expose_headers.unwrap_or_default());
            let (origins, methods) = (rule.allowed_origins, rule.allowed_methods);
            let lists = [&origins, &methods, &headers, &exposed];
            if origins.is_empty() || methods.is_empty() || lists.iter().any(|list| list.len() > PATTERNS_MAX) {
                return Err(malformed());
            }
            if !methods.iter().all(|method| METHODS.contains(&method.as_str())) {
                let message = "Found unsupported HTTP method in CORS config. It is one of GET, PUT, POST, DELETE, HEAD";
                return Err(error(S3ErrorCode::InvalidRequest, message));
            }
            if origins.iter().chain(&headers).any(|pattern| pattern.matches('*').count() > 1) {
                let message = "An AllowedOrigin or AllowedHeader can not have more than one wildcard.";
                return Err(error(S3ErrorCode::InvalidRequest, message));
            }
            if exposed.iter().any(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
                return Err(error(S3ErrorCode::InvalidRequest, "An ExposeHeader is not the name of a header."));
            }
            Ok(Rule { id: rule.id, origins, methods, headers, exposed, max_age_seconds: rule.max_age_seconds })
        };
        rules.into_iter().map(rule).collect::<S3Result<_>>().map(Self)
    }

    pub(crate) fn into_document(self) -> Vec<CORSRule> {
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let rule = |rule: Rule| CORSRule {
            allowed_headers: some(rule.headers),
            allowed_methods: rule.methods,
            allowed_origins: rule.origins,
            expose_headers: some(rule.exposed),
            id: rule.id,
            max_age_seconds: rule.max_age_seconds,
        };
        self.0.into_iter().map(rule).collect()
    }

    /// The first rule by which a browser may ask so.
    fn find(&self, origin: &str, method: &str, headers: &[&str]) -> Option<&Rule> {
        self.0.iter().find(|rule| {
            let allows = |header: &&str| rule.headers.iter().any(|pattern| fits_any_case(pattern, header));
            rule.origins.iter().any(|pattern| fits(pattern, origin))
                && rule.methods.iter().any(|allowed| allowed == method)
                && headers.iter().all(allows)
        })
    }
}

impl Rule {
    /// Says in an answer what this rule allows.
    fn allow(&self, origin: &str, headers: &mut HeaderMap) {
        let is_anybody = self.origins.iter().any(|pattern| pattern == "*");
        let told = if is_anybody { "*" } else { origin };
        insert(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, told);
        if !is_anybody {
            insert(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        insert(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(", "));
        if !self.exposed.is_empty() {
            insert(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed.join(", "));
        }
        if let Some(seconds) = self.max_age_seconds {
            insert(headers, header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
        insert(headers, header::VARY, VARY);
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether a text is what a pattern says, in which a `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
        }
    }
}

fn fits_any_case(pattern: &str, text: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// The rules of a bucket, whoever asks for them.
fn rules(door: &S3Door, bucket: &str) -> Option<Rules> {
    match door.tree().told_bucket_setting(bucket, CORS_SETTING) {
        Ok(text) => serde_json::from_str(&text?).ok(),
        Err(error) => {
            tracing::warn!(%error, "the rules of a bucket for browsers cannot be read");
            None
        }
    }
}

/// A browser's request, on behalf of a site.
pub(crate) struct AskedFrom {
    origin: String,
    method: String,
    bucket: String,
}

impl AskedFrom {
    /// `None` for everybody else's.
    pub(crate) fn of(door: &S3Door, parts: &Parts) -> Option<Self> {
        let origin = parts.headers.get(header::ORIGIN)?.to_str().ok()?.to_owned();
        Some(Self { origin, method: parts.method.as_str().to_owned(), bucket: door.bucket_of(parts)? })
    }

    /// Says in its answer that the site may see it, if the bucket's rules say so.
    pub(crate) async fn allow(self, door: &S3Door, headers: &mut HeaderMap) {
        if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        let rules = rules(door, &self.bucket);
        if let Some(rule) = rules.as_ref().and_then(|rules| rules.find(&self.origin, &self.method, &[])) {
            rule.allow(&self.origin, headers);
        }
    }
}

/// Answers a browser that asks whether it may ask.
pub(crate) async fn preflight(door: &S3Door, parts: &Parts) -> Result<HttpResponse, S3Error> {
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let bad = |message| custom("BadRequest", StatusCode::BAD_REQUEST, message);
    let origin = text(&header::ORIGIN).ok_or_else(|| bad("Insufficient information. Origin request header needed."))?;
    let method = text(&header::ACCESS_CONTROL_REQUEST_METHOD).filter(|method| METHODS.contains(method));
    let method = method.ok_or_else(|| bad("Invalid Access-Control-Request-Method"))?;
    let asked = text(&header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let headers: Vec<&str> = asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let rules = door.bucket_of(parts).and_then(|bucket| rules(door, &bucket));
    let Some(rules) = rules else {
        return Err(custom(
            "AccessForbidden",
            StatusCode::FORBIDDEN,
            "CORSResponse: CORS is not enabled for this bucket.",
        ));
    };
    let Some(rule) = rules.find(origin, method, &headers) else {
        let message = "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, \
                       request method / Access-Control-Request-Method or Access-Control-Request-Headers are not \
                       whitelisted by the resource's CORS spec.";
        return Err(custom("AccessForbidden", StatusCode::FORBIDDEN, message));
    };
    let mut response = HttpResponse::new(Body::empty());
    rule.allow(origin, response.headers_mut());
    if !headers.is_empty() {
        let allowed = headers.join(", ").to_ascii_lowercase();
        insert(response.headers_mut(), header::ACCESS_CONTROL_ALLOW_HEADERS, &allowed);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::{Rules, fits};
    use s3s::dto::CORSRule;

    fn rule(origins: &[&str], methods: &[&str], headers: &[&str]) -> CORSRule {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        CORSRule {
            allowed_headers: Some(list(headers)),
            allowed_methods: list(methods),
            allowed_origins: list(origins),
            ..CORSRule::default()
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("*", "https://a.example", true),
            ("https://*.example", "https://a.b.example", true),
            ("https://*.example", "https://.example", true),
            ("https://*.example", "http://a.example", false),
            ("ab*ba", "aba", false),
            ("a", "a", true),
            ("a", "b", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let document = vec![rule(&["https://a.example"], &["PUT"], &["x-amz-*"]), rule(&["*"], &["GET"], &[])];
        let rules = Rules::of_document(document.clone()).unwrap();
        assert!(rules.find("https://a.example", "PUT", &["X-Amz-Meta-A"]).is_some());
        assert!(rules.find("https://a.example", "PUT", &["content-type"]).is_none());
        assert!(rules.find("https://b.example", "PUT", &[]).is_none());
        assert!(rules.find("https://b.example", "GET", &[]).is_some());
        let text = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
        assert_eq!(rules.into_document()[0], document[0]);
    }

    #[test]
    fn rules_are_checked() {
        assert!(Rules::of_document(vec![]).is_err());
        assert!(Rules::of_document(vec![rule(&["*"], &["PATCH"], &[])]).is_err());
        assert!(Rules::of_document(vec![rule(&["*.*"], &["GET"], &[])]).is_err());
        assert!(Rules::of_document(vec![rule(&[], &["GET"], &[])]).is_err());
        assert!(Rules::of_document(vec![rule(&["*"], &["GET"], &[]); 101]).is_err());
    }
}
