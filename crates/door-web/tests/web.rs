//! What browsers are told of the page and of what it loads, whether or not the web app was built.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests know their answers")]

use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower_service::Service;

async fn get(path: &str) -> Response<Body> {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, "br, gzip").body(Body::empty()).unwrap();
    entente_door_web::router().call(request).await.unwrap()
}

#[tokio::test]
async fn the_page_may_do_little() {
    for view in ["/", "/files/0", "/files/123", "/trash", "/console/zones"] {
        let answer = get(view).await;
        assert_eq!(answer.status(), StatusCode::OK, "{view}");
        let headers = answer.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        assert!(!answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test]
async fn there_is_nothing_else() {
    for path in ["/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/", "/index.html"] {
        assert_eq!(get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
