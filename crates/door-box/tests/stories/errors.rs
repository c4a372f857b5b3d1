use crate::harness::Client;
use insta::assert_json_snapshot;

#[tokio::test]
async fn what_is_not_served_is_never_a_server_error() {
    let client = Client::new().await;
    assert_json_snapshot!("an unknown path", client.get("/ai/ask").await.tame());
    assert_json_snapshot!("a wrong method", client.send("PATCH", "/box/2.0/files/12", &[], "").await.tame());
    for (method, path) in
        [("GET", "/box"), ("GET", "/box/2.0"), ("POST", "/box/2.0/nothing"), ("GET", "/box/2.0/files/1/nothing")]
    {
        client.send(method, path, &[], "").await.refused(404, "not_found");
    }
    client.send("GET", "/box/2.0/files/content", &[], "").await.refused(405, "method_not_allowed");
    client.send("DELETE", "/box/2.0/users/me", &[], "").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn a_malformed_id_is_a_wrong_method() {
    let client = Client::new().await;
    for path in [
        "/files/abc",
        "/files/-1",
        "/folders/trash",
        "/folders/0x1/items",
        "/files/1.5/content",
        "/users/a",
        "/files/%FF",
    ] {
        client.get(path).await.refused(405, "method_not_allowed");
    }
    for path in ["/files/12", "/files/99999999999999999999999999", "/folders/012/items", "/files/12/versions"] {
        client.get(path).await.refused(404, "not_found");
    }
}
