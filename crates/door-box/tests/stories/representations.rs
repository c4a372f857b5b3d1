//! Representations, with workers that do as they are told; real ones are in the server's tests.

use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

/// The first bytes of a PNG, which is all that the door looks at.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nwhatever";
const TELL: &str = "cat > /dev/null; printf \"$1 $2\"";

async fn asked(client: &Client, file: &str, hints: &str) -> Answer {
    let path = format!("/box/2.0/files/{file}?fields=representations");
    client.send("GET", &path, &[("x-rep-hints", hints)], "").await
}

async fn entries(client: &Client, file: &str, hints: &str) -> Vec<Value> {
    asked(client, file, hints).await.expect(200)["representations"]["entries"].as_array().unwrap().clone()
}

fn path(url: &Value) -> String {
    let url = url.as_str().unwrap().strip_suffix("{+asset_path}").unwrap_or(url.as_str().unwrap());
    url.strip_prefix("https://files.acme.example").unwrap().to_owned()
}

#[tokio::test]
async fn an_image_has_pictures_that_are_made_when_they_are_asked_for() {
    let client = Client::with_pictures(TELL).await;
    let file = client.file("0", "image", PNG).await;
    let found = entries(&client, &file, "[jpg?dimensions=320x320&paged=false][png?dimensions=2048x2048][pdf]").await;
    assert_eq!(found.len(), 2);
    let shown = client.get(&format!("/files/{file}")).await.expect(200);
    let version = shown["file_version"]["id"].as_str().unwrap();
    let url = format!(
        "https://files.acme.example/box/2.0/internal_files/{file}/versions/{version}/representations/jpg_thumb_320x320"
    );
    let expected = json!({
        "representation": "jpg",
        "properties": {"dimensions": "320x320", "paged": "false", "thumb": "true"},
        "info": {"url": url},
        "status": {"state": "none"},
        "content": {"url_template": format!("{url}/content/{{+asset_path}}")},
    });
    assert_eq!(found[0], expected);
    assert_eq!((&found[1]["representation"], &found[1]["properties"]["thumb"]), (&json!("png"), &json!("false")));

    let info = client.get(&path(&found[0]["info"]["url"])).await.expect(200);
    assert_eq!(info["status"]["state"], "success");
    assert_eq!(entries(&client, &file, "[jpg?dimensions=320x320]").await, [info]);
    let picture = client.get(&path(&found[0]["content"]["url_template"])).await;
    assert_eq!((picture.status.as_u16(), &picture.body[..]), (200, &b"jpg 320"[..]));
    assert_eq!(picture.header("content-type"), "image/jpeg");
    assert_eq!(picture.header("content-disposition"), "");
    let more = "?set_content_disposition_type=attachment&set_content_disposition_filename=a%0D%0Ab.png";
    let picture = client.get(&format!("{}{more}", path(&found[1]["content"]["url_template"]))).await;
    assert_eq!((picture.status.as_u16(), &picture.body[..]), (200, &b"png 2048"[..]));
    assert_eq!(picture.header("content-disposition"), "attachment;filename=\"ab.png\";filename*=UTF-8''ab.png");
    // All that there are, when nobody says.
    let all = client.get(&format!("/files/{file}?fields=representations")).await.expect(200);
    assert_eq!(all["representations"]["entries"].as_array().unwrap().len(), 8);
    for bad in ["jpg", "[jpg", "[jpg?dimensions=wide]"] {
        asked(&client, &file, bad).await.refused(400, "bad_request");
    }
    // Nobody else's business, and not that of a version which is none any more.
    let info = path(&found[0]["info"]["url"]);
    let otto = client.stage.person("otto@acme.example", "Otto", UserRole::User).await;
    let otto = format!("Bearer {}", client.stage.token(otto, Scopes::ALL, HOUR).await);
    for path in [info.clone(), format!("{info}/content/")] {
        client.send("GET", &path, &[("authorization", &otto)], "").await.refused(404, "not_found");
        client.send("GET", &path, &[("authorization", "")], "").await.refused(401, "unauthorized");
    }
    client.get(&info.replace("jpg_thumb_320x320", "jpg_thumb_33x33")).await.refused(404, "not_found");
    client.get(&info.replace(version, "17")).await.refused(404, "not_found");
    client.get(&format!("{info}/content/1.jpg")).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_has_no_picture_has_no_representation() {
    let client = Client::with_pictures("exit 1").await;
    let letter = client.file("0", "letter.txt", b"dear reader").await;
    assert_eq!(entries(&client, &letter, "[jpg?dimensions=320x320]").await, [Value::Null; 0]);
    // It looks like an image and is none: that is known once somebody has asked for it.
    let broken = client.file("0", "broken.png", PNG).await;
    let found = entries(&client, &broken, "[jpg?dimensions=32x32]").await;
    assert_eq!(found[0]["status"]["state"], "none");
    client.get(&path(&found[0]["info"]["url"])).await.refused(404, "preview_cannot_be_generated");
    assert_eq!(entries(&client, &broken, "[jpg?dimensions=32x32]").await, [Value::Null; 0]);
    let folder = client.folder("0", "folder").await;
    let shown = client.get(&format!("/folders/{folder}?fields=representations")).await.expect(200);
    assert_eq!(shown.get("representations"), None);
}

#[tokio::test]
async fn a_document_has_pages_a_pdf_and_text() {
    let client = Client::with_pictures("printf \"$1 $2 $3 of \"; cat").await;
    let letter = client.file("0", "Letter.RTF", b"{\\rtf1 dear}").await;
    let all = client.get(&format!("/files/{letter}?fields=representations")).await.expect(200);
    assert_eq!(all["representations"]["entries"].as_array().unwrap().len(), 14);
    let found = entries(&client, &letter, "[png?dimensions=1024x1024&paged=true][pdf][extracted_text]").await;
    assert_eq!(found[0]["properties"], json!({"dimensions": "1024x1024", "paged": "true", "thumb": "false"}));
    assert_eq!((&found[1]["representation"], &found[1]["properties"]), (&json!("pdf"), &json!({})));
    assert_eq!(found[2]["representation"], "extracted_text");
    for entry in &found {
        assert_eq!(client.get(&path(&entry["info"]["url"])).await.expect(200)["status"]["state"], "success");
    }
    let pdf = "outside pdf rtf of {\\rtf1 dear}";
    for (entry, asset, media_type, made) in [
        (&found[0], "1.png", "image/png", format!("png 1024 0 of outside page 1 of {pdf}")),
        (&found[0], "7.png", "image/png", format!("png 1024 0 of outside page 7 of {pdf}")),
        (&found[1], "", "application/pdf", pdf.to_owned()),
        (&found[2], "", "text/plain; charset=utf-8", format!("outside text  of {pdf}")),
    ] {
        let url = format!("{}{asset}", path(&entry["content"]["url_template"]));
        let answer = client.get(&url).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, made.as_bytes()), "{url}");
        assert_eq!(answer.header("content-type"), media_type);
        assert_eq!(answer.header("content-security-policy"), "sandbox");
    }
    let pages = path(&found[0]["content"]["url_template"]);
    for none in ["", "0.png", "1.jpg", "x.png"] {
        client.get(&format!("{pages}{none}")).await.refused(404, "not_found");
    }
    let text = format!("{}?set_content_disposition_type=attachment", path(&found[2]["content"]["url_template"]));
    let text = client.get(&text).await;
    assert_eq!(
        text.header("content-disposition"),
        "attachment;filename=\"Letter.RTF.txt\";filename*=UTF-8''Letter.RTF.txt"
    );
    // A thumbnail is one of the first page.
    let thumbnail = client.get(&format!("/files/{letter}/thumbnail.png")).await;
    assert_eq!(thumbnail.body, format!("png 256 0 of outside page 1 of {pdf}").as_bytes());
    // An image has no pages and no text.
    let image = client.file("0", "image.png", PNG).await;
    assert_eq!(entries(&client, &image, "[png?paged=true][pdf][extracted_text]").await, [Value::Null; 0]);
    let shown = client.get(&format!("/files/{image}")).await.expect(200);
    let version = shown["file_version"]["id"].as_str().unwrap();
    let url = format!("/box/2.0/internal_files/{image}/versions/{version}/representations/extracted_text");
    client.get(&url).await.refused(404, "not_found");
}

#[tokio::test]
async fn who_must_see_a_watermark_sees_pictures_with_their_login_and_nothing_else() {
    let client = Client::with_pictures("printf \"$1 $2 $3 of \"; cat").await;
    let folder = client.folder("0", "shared").await;
    let file = client.file(&folder, "report.pdf", b"%PDF-1.7").await;
    let hints = "[jpg?dimensions=32x32][pdf][extracted_text]";
    let found = entries(&client, &file, hints).await;
    let otto = client.stage.person("otto@acme.example", "Otto", UserRole::User).await;
    let token = format!("Bearer {}", client.stage.token(otto, Scopes::ALL, HOUR).await);
    let invite = json!({"item": {"type": "folder", "id": folder}, "role": "viewer",
        "accessible_by": {"type": "user", "id": otto.to_string()}});
    client.post("/collaborations", invite).await.expect(201);
    let path_of = format!("/box/2.0/files/{file}?fields=representations");
    let headers = [("authorization", token.as_str()), ("x-rep-hints", hints)];
    let theirs =
        async || client.send("GET", &path_of, &headers, "").await.expect(200)["representations"]["entries"].clone();
    let theirs_of = async |url: &str| client.send("GET", url, &headers, "").await;
    assert_eq!(theirs().await.as_array().unwrap().len(), 3);
    let (picture, pdf) = (path(&found[0]["content"]["url_template"]), path(&found[1]["content"]["url_template"]));
    assert_eq!(theirs_of(&pdf).await.status, 200);
    client.put(&format!("/folders/{folder}/watermark"), json!({"watermark": {"imprint": "default"}})).await.expect(201);
    assert_eq!(theirs().await, json!([found[0]]));
    theirs_of(&pdf).await.refused(404, "not_found");
    let page = "outside page 1 of %PDF-1.7";
    let text = |answer: Answer| String::from_utf8(answer.body.to_vec()).unwrap();
    // Who, and the day; how long that is comes first.
    let marked = text(theirs_of(&picture).await);
    let (told, rest) = marked.split_once(" of otto@acme.example \u{b7} ").unwrap_or_else(|| panic!("{marked}"));
    assert_eq!((told, rest.len(), &rest[10..]), ("jpg 32 31", 10 + page.len(), page));
    let thumbnail = text(theirs_of(&format!("/box/2.0/files/{file}/thumbnail.png")).await);
    assert!(thumbnail.starts_with("png 256 31 of otto@acme.example \u{b7} "), "{thumbnail}");
    // Its owner sees it as it is.
    assert_eq!(text(client.get(&picture).await), format!("jpg 32 0 of {page}"));
    assert_eq!(client.get(&pdf).await.status, 200);
}
