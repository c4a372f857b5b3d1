//! `/`: says what this is, until the web interface stands here.

use axum::Router;
use axum::response::Html;
use axum::routing::get;

const PAGE: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Entente</title>\n",
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>\n",
    "<h1>Entente</h1>\n<p>This is Entente ",
    env!("CARGO_PKG_VERSION"),
    ", an enterprise content platform. Clients made for Box come in at <code>/box</code>: point their base URL there. WebDAV clients connect to <code>/dav/</code>.</p>\n",
    "<p>For operators: <a href=\"/healthz\">/healthz</a>, <a href=\"/readyz\">/readyz</a>, ",
    "<a href=\"/metrics\">/metrics</a>.</p>\n</html>\n"
);

pub(crate) fn router() -> Router {
    // Windows asks the root of a host what it is before it connects to anything below.
    Router::new().route("/", get(|| async { Html(PAGE) }).options(|| async { entente_door_dav::options() }))
}
