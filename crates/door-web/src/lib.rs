//! The web app: a page, its scripts and its styles, which are in the program. It speaks the Box door and the operator
//! interface like any other client; what is here knows nothing but files.
//!
//! | Path | What |
//! |---|---|
//! | `/`, `/files/…`, `/trash`, … | the page, whatever it shows then |
//! | `/assets/…` | what the page loads; a name never means something else later |
//!
//! The page may load from here and ask here, and nowhere else; nobody may frame it.

mod files;
mod negotiate;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use files::File;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// Where the page itself answers: it shows one of these itself.
const VIEWS: [&str; 4] = ["/", "/files/{*rest}", "/trash", "/console/{*rest}"];
/// What the page may do. Styles of single elements are set by scripts, which the policy does not forbid; markup that came
/// in otherwise may neither run nor load anything.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; \
     font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);
const POLICY_OF_FEATURES: HeaderName = HeaderName::from_static("permissions-policy");
const NO_FEATURES: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// Serves the page wherever it shows something, and what it loads.
pub fn router() -> Router {
    let views = VIEWS.iter().fold(Router::new(), |router, view| router.route(view, get(page)));
    views.route("/assets/{*path}", get(asset)).route("/favicon.svg", get(icon))
}

async fn page(headers: HeaderMap) -> Response {
    let mut response = match files::find("index.html") {
        Some(file) => file_response(file, &headers, "no-cache"),
        None => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], files::NOT_BUILT).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(POLICY_OF_FEATURES, NO_FEATURES);
    headers.insert(OPENER_POLICY, SAME_ORIGIN);
    response
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match files::find(&format!("assets/{path}")) {
        Some(file) => file_response(file, &headers, "public, max-age=31536000, immutable"),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn icon(headers: HeaderMap) -> Response {
    match files::find("favicon.svg") {
        Some(file) => file_response(file, &headers, "public, max-age=86400"),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file_response(file: &'static File, asked: &HeaderMap, cached: &'static str) -> Response {
    let (content, encoding) = negotiate::choose(file, asked.get(header::ACCEPT_ENCODING));
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(files::media_type(file.path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, SAME_ORIGIN);
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}
