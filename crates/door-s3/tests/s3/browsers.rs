//! Browsers of other sites.

use crate::harness::{Client, HOST};
use axum::body::Body;

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example</AllowedOrigin>\
                     <AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
                     <AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
                     <MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";

fn asking(origin: &str, method: &str, headers: &str) -> Vec<(String, String)> {
    [
        ("host", HOST),
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    ]
    .iter()
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect()
}

#[tokio::test]
async fn a_bucket_says_which_sites_may_ask() {
    let client = Client::with_bucket().await;
    let ask = async |origin: &str, method: &str, headers: &str| {
        client.raw("OPTIONS", "/box/a", &asking(origin, method, headers), Body::empty()).await
    };
    ask("https://a.example", "PUT", "").await.refused(403, "AccessForbidden");
    client.put("/box?cors", RULES).await.expect(200);
    let told = client.get("/box?cors").await.expect(200);
    assert_eq!(told.elements("AllowedMethod"), ["PUT", "GET"]);
    let allowed = ask("https://a.example", "PUT", "X-Amz-Meta-A").await.expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://a.example");
    assert_eq!(allowed.header("access-control-allow-methods"), "PUT, GET");
    assert_eq!(allowed.header("access-control-allow-headers"), "x-amz-meta-a");
    assert_eq!(allowed.header("access-control-max-age"), "60");
    ask("https://a.other", "PUT", "").await.refused(403, "AccessForbidden");
    ask("https://a.example", "DELETE", "").await.refused(403, "AccessForbidden");
    ask("https://a.example", "PUT", "authorization").await.refused(403, "AccessForbidden");
    ask("https://a.example", "TRACE", "").await.refused(400, "BadRequest");
    let put = client.ask("PUT", "/box/a").header("origin", "https://a.example").body("x").send().await.expect(200);
    assert_eq!(put.header("access-control-allow-origin"), "https://a.example");
    assert_eq!(put.header("access-control-expose-headers"), "ETag");
    let other = client.ask("GET", "/box/a").header("origin", "https://a.other").send().await.expect(200);
    assert_eq!(other.header("access-control-allow-origin"), "");
    client.delete("/box?cors").await.expect(204);
    ask("https://a.example", "PUT", "").await.refused(403, "AccessForbidden");
    client.put("/box?cors", RULES.replace("PUT", "PATCH")).await.refused(400, "InvalidRequest");
    client.put("/box?cors", "<CORSConfiguration></CORSConfiguration>").await.refused(400, "MalformedXML");
}
