//! Thumbnails, with workers that do as they are told; real ones are in the server's tests.

use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::json;

/// The first bytes of a PNG, which is all that the door looks at.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nwhatever";
const TELL: &str = "cat > /dev/null; printf \"$1 $2 $3\"";
const DENIED: &str = "access_denied_insufficient_permissions";

#[tokio::test]
async fn a_picture_of_the_size_that_was_asked_for() {
    let client = Client::with_pictures(TELL).await;
    let file = client.file("0", "no-extension", PNG).await;
    let path = |rest: &str| format!("/files/{file}/thumbnail.{rest}");
    for (rest, media_type, body) in [
        ("png", "image/png", "png 256 0"),
        ("png?min_height=32&min_width=32&max_height=64&max_width=320", "image/png", "png 64 0"),
        ("jpg", "image/jpeg", "jpg 320 0"),
        ("jpg?min_width=100", "image/jpeg", "jpg 160 0"),
    ] {
        let answer = client.get(&path(rest)).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, body.as_bytes()), "{rest}");
        assert_eq!(answer.header("content-type"), media_type);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "private, no-cache");
    }
    for bad in [
        "png?max_width=31",
        "jpg?min_height=321",
        "png?min_height=200&max_width=100",
        "jpg?min_width=170&max_width=300",
    ] {
        client.get(&path(bad)).await.refused(400, "requested_preview_unavailable");
    }
    client.get(&path("png?max_width=wide")).await.refused(400, "bad_request");
    client.get(&path("gif")).await.refused(404, "not_found");
    client.get("/files/12/thumbnail.png").await.refused(404, "not_found");
    let folder = client.folder("0", "folder").await;
    client.get(&format!("/files/{folder}/thumbnail.png")).await.refused(404, "not_found");
    client
        .send("GET", &format!("/box/2.0{}", path("png")), &[("authorization", "")], "")
        .await
        .refused(401, "unauthorized");
    client.delete(&format!("/files/{file}")).await.expect(204);
    client.get(&path("png")).await.refused(404, "trashed");
}

#[tokio::test]
async fn what_has_no_picture_has_a_placeholder() {
    let client = Client::with_pictures("exit 1").await;
    let letter = client.file("0", "letter.png", b"dear reader").await;
    let empty = client.file("0", "empty.png", b"").await;
    for file in [&letter, &empty] {
        let answer = client.get(&format!("/files/{file}/thumbnail.png")).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (302, 0));
        let shown = client.send("GET", &answer.target(), &[("authorization", "")], "").await;
        assert_eq!((shown.status.as_u16(), shown.header("content-type")), (200, "image/png"));
        assert!(shown.body.starts_with(b"\x89PNG"));
    }
    // It looks like an image and is none.
    let broken = client.file("0", "broken.png", PNG).await;
    client.get(&format!("/files/{broken}/thumbnail.png")).await.refused(404, "preview_cannot_be_generated");
    // Nobody makes any here.
    let client = Client::new().await;
    let file = client.file("0", "image.png", PNG).await;
    assert_eq!(client.get(&format!("/files/{file}/thumbnail.jpg")).await.status, 302);
}

#[tokio::test]
async fn what_takes_long_is_there_later_and_what_fails_is_tried_again() {
    let place = std::env::temp_dir().join(format!("thumbnail-{}", std::process::id()));
    let script = format!("while ! test -e {}; do sleep 0.05; done; printf made", place.display());
    let client = Client::with_pictures(&script).await;
    let file = client.file("0", "image.png", PNG).await;
    let path = format!("/files/{file}/thumbnail.png");
    let answer = client.get(&path).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (202, "2"));
    assert_eq!(answer.target(), "/box/placeholders/file.png");
    std::fs::write(&place, b"").unwrap();
    let mut answer = client.get(&path).await;
    while answer.status == 202 {
        answer = client.get(&path).await;
    }
    std::fs::remove_file(&place).unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"made"[..]));

    let client = Client::with_pictures("exit 2").await;
    let file = client.file("0", "image.png", PNG).await;
    client.get(&format!("/files/{file}/thumbnail.png")).await.refused(503, "unavailable");
}

#[tokio::test]
async fn who_may_not_look_inside_sees_no_picture() {
    let client = Client::with_pictures(TELL).await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "image.png", PNG).await;
    let path = format!("/box/2.0/files/{file}/thumbnail.png");
    // It is there already: who asks is asked about each time.
    assert_eq!(client.send("GET", &path, &[], "").await.status, 200);
    let mut tokens = Vec::new();
    for (login, role) in [("stranger", None), ("uploader", Some("uploader")), ("viewer", Some("viewer"))] {
        let login = format!("{login}@acme.example");
        let user = client.stage.person(&login, "Somebody", UserRole::User).await;
        tokens.push(format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await));
        if let Some(role) = role {
            let item = json!({"type": "folder", "id": folder});
            let invited =
                json!({"item": item, "accessible_by": {"type": "user", "id": user.to_string()}, "role": role});
            client.post("/collaborations", invited).await.expect(201);
        }
    }
    let ask = async |token: &String| client.send("GET", &path, &[("authorization", token.as_str())], "").await;
    ask(&tokens[0]).await.refused(404, "not_found");
    ask(&tokens[1]).await.refused(403, DENIED);
    assert_eq!(ask(&tokens[2]).await.status, 200);
    // A watermark is on everything that viewers see: theirs is another picture.
    let watermark = json!({"watermark": {"imprint": "default"}});
    client.put(&format!("/folders/{folder}/watermark"), watermark).await.expect(201);
    let marked = ask(&tokens[2]).await;
    assert_eq!((marked.status.as_u16(), &marked.body[..]), (200, &b"png 256 33"[..]));
    ask(&tokens[1]).await.refused(403, DENIED);
    assert_eq!(client.send("GET", &path, &[], "").await.status, 200);
}
