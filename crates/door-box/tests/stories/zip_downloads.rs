use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};
use std::io::{Cursor, Read};

const DENIED: &str = "access_denied_insufficient_permissions";

fn path_of(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://files.acme.example").unwrap().to_owned()
}

fn asked(items: &[(&str, &str)]) -> Value {
    let items: Vec<_> = items.iter().map(|(kind, id)| json!({"type": kind, "id": id})).collect();
    json!({"items": items, "download_file_name": "Überblick"})
}

/// Names and contents in the order in which they stand there.
fn unpacked(answer: &Answer) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(answer.body.to_vec())).expect("an archive");
    let entries = archive.len();
    let one = |index| {
        let mut file = archive.by_index(index).expect("an entry");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        (file.name().expect("a name").into_owned(), text)
    };
    (0..entries).map(one).collect()
}

#[tokio::test]
async fn several_items_come_in_one_archive() {
    let client = Client::new().await;
    let folder = client.folder("0", "報告 2026").await;
    let inner = client.folder(&folder, "inner").await;
    client.folder(&folder, "empty").await;
    client.file(&inner, "a.txt", b"hello").await;
    let file = client.file("0", "b.txt", &vec![b'x'; 200_000]).await;
    let made = client.post("/zip_downloads", asked(&[("folder", &folder), ("file", &file)])).await.expect(202);
    assert_eq!(made["name_conflicts"], json!([]));
    let (content, status) = (path_of(&made["download_url"]), path_of(&made["status_url"]));
    client.get(&status).await.refused(404, "not_found");
    let head = client.send("HEAD", &content, &[("authorization", "")], "").await;
    assert_eq!(head.status, 200);
    let whole = client.send("GET", &content, &[("authorization", "")], "").await;
    assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, "application/zip"));
    assert_eq!(
        whole.header("content-disposition"),
        "attachment;filename=\"_berblick.zip\";filename*=UTF-8''%C3%9Cberblick.zip"
    );
    let found = unpacked(&whole);
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["報告 2026/", "報告 2026/empty/", "報告 2026/inner/", "報告 2026/inner/a.txt", "b.txt"]);
    assert_eq!((found[3].1.as_str(), found[4].1.len()), ("hello", 200_000));
    let told = client.get(&status).await.expect(200);
    let counts = json!({
        "total_file_count": 2, "downloaded_file_count": 2, "skipped_file_count": 0, "skipped_folder_count": 0,
        "state": "succeeded",
    });
    assert_eq!(told, counts);
    // Once.
    client.send("GET", &content, &[("authorization", "")], "").await.refused(404, "not_found");
    assert_eq!(client.send("HEAD", &content, &[("authorization", "")], "").await.status, 404);
}

#[tokio::test]
async fn what_is_called_alike_is_told() {
    let client = Client::new().await;
    let (one, other) = (client.folder("0", "one").await, client.folder("0", "other").await);
    let first = client.file(&one, "Report.pdf", b"1").await;
    let second = client.file(&other, "Report.pdf", b"2").await;
    let made = client.post("/zip_downloads", asked(&[("file", &first), ("file", &second)])).await.expect(202);
    let conflict = |id: &str| {
        let called = format!("Report ({id}).pdf");
        json!({"id": id, "type": "file", "original_name": "Report.pdf", "download_name": called})
    };
    assert_eq!(made["name_conflicts"], json!([[conflict(&first), conflict(&second)]]));
    let whole = client.get(&path_of(&made["download_url"])).await;
    let names: Vec<_> = unpacked(&whole).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [format!("Report ({first}).pdf"), format!("Report ({second}).pdf")]);
}

#[tokio::test]
async fn nobody_gets_more_than_they_may_have() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "a.txt", b"hello").await;
    let ben = client.stage.person("ben@acme.example", "Ben", UserRole::User).await;
    let bearer = format!("Bearer {}", client.stage.token(ben, Scopes::ALL, HOUR).await);
    let ask = |method: &'static str, path: String, body: String| {
        let (client, bearer) = (&client, &bearer);
        async move { client.send(method, &path, &[("authorization", bearer)], body).await }
    };
    let create = || ask("POST", "/box/2.0/zip_downloads".to_owned(), asked(&[("folder", &folder)]).to_string());
    create().await.refused(404, "not_found");
    let given = |role: &str| {
        let login = json!({"login": "ben@acme.example", "type": "user"});
        client.post(
            "/collaborations",
            json!({"item": {"type": "folder", "id": folder}, "accessible_by": login, "role": role}),
        )
    };
    let looks = given("previewer").await.expect(201)["id"].as_str().unwrap().to_owned();
    create().await.refused(403, DENIED);
    client.put(&format!("/collaborations/{looks}"), json!({"role": "viewer"})).await.expect(200);
    let made = create().await.expect(202);
    client.get(&path_of(&made["status_url"])).await.refused(404, "not_found");
    client.delete(&format!("/files/{file}")).await.expect(204);
    let whole = client.send("GET", &path_of(&made["download_url"]), &[("authorization", "")], "").await;
    assert_eq!(unpacked(&whole), [("folder/".to_owned(), String::new())]);
    // Theirs alone.
    client.get(&path_of(&made["status_url"])).await.refused(404, "not_found");
    ask("GET", path_of(&made["status_url"]), String::new()).await.expect(200);
}

#[tokio::test]
async fn what_came_with_a_link_comes_by_it() {
    let client = Client::new().await;
    let file = client.file("0", "a.txt", b"hello").await;
    let shared =
        client.put(&format!("/files/{file}?fields=shared_link"), json!({"shared_link": {"access": "open"}})).await;
    let link = format!("shared_link={}", shared.expect(200)["shared_link"]["url"].as_str().unwrap());
    let eve = client.stage.outsider("eve@elsewhere.example", "Eve").await;
    let bearer = format!("Bearer {}", client.stage.token(eve, Scopes::ALL, HOUR).await);
    let ask = |link: &str| {
        let headers = [("authorization".to_owned(), bearer.clone()), ("boxapi".to_owned(), link.to_owned())];
        let (client, body) = (&client, asked(&[("file", &file)]).to_string());
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            client.send("POST", "/box/2.0/zip_downloads", &headers, body).await
        }
    };
    ask("").await.refused(404, "not_found");
    let (made, late) = (ask(&link).await.expect(202), ask(&link).await.expect(202));
    let whole = client.send("GET", &path_of(&made["download_url"]), &[("authorization", "")], "").await;
    assert_eq!(unpacked(&whole), [("a.txt".to_owned(), "hello".to_owned())]);
    client.put(&format!("/files/{file}"), json!({"shared_link": null})).await.expect(200);
    let whole = client.send("GET", &path_of(&late["download_url"]), &[("authorization", "")], "").await;
    assert!(unpacked(&whole).is_empty());
}

#[tokio::test]
async fn what_cannot_be_an_archive_is_refused() {
    let client = Client::new().await;
    let file = client.file("0", "a.txt", b"hello").await;
    for body in [
        json!({}),
        json!({"items": []}),
        json!({"items": null}),
        json!({"items": [{"id": file}]}),
        json!({"items": [{"type": "file"}]}),
        json!({"items": [{"type": "web_link", "id": file}]}),
        json!({"items": [{"type": "folder", "id": "0"}]}),
        json!({"items": [{"type": "file", "id": "abc"}]}),
        json!({"items": {"type": "file", "id": file}}),
        json!({"items": [{"type": "file", "id": file}], "download_file_name": "x".repeat(300)}),
        json!({"items": [{"type": "file", "id": file}], "download_file_name": "a\r\nb"}),
    ] {
        client.post("/zip_downloads", body).await.refused(400, "bad_request");
    }
    client.post("/zip_downloads", asked(&[("folder", &file)])).await.refused(404, "not_found");
    client.post("/zip_downloads", asked(&[("file", "4711")])).await.refused(404, "not_found");
    client.get("/zip_downloads/nonsense/content").await.refused(404, "not_found");
    client.get("/zip_downloads/nonsense/status").await.refused(404, "not_found");
    let unnamed = client.post("/zip_downloads", json!({"items": [{"type": "file", "id": file}]})).await.expect(202);
    let whole = client.get(&path_of(&unnamed["download_url"])).await;
    assert!(whole.header("content-disposition").starts_with("attachment;filename=\"download.zip\""));
    let status = client.send("GET", &path_of(&unnamed["status_url"]), &[("authorization", "")], "").await;
    assert_eq!(status.status, 401);
}
