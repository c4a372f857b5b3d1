use crate::harness::{Answer, Client, sha1};
use data_encoding::BASE64;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

const PART: usize = 8 * 1024 * 1024;
const SIZE: usize = 20_000_001;

/// A file of three parts.
fn content() -> Vec<u8> {
    (0..SIZE).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

fn digest(content: &[u8]) -> String {
    format!("sha={}", BASE64.encode(&sha1(content).0))
}

async fn put(client: &Client, session: &str, offset: usize, bytes: &[u8], headers: &[(&str, &str)]) -> Answer {
    let (digest, range) = (digest(bytes), format!("bytes {offset}-{}/{SIZE}", offset + bytes.len() - 1));
    let usual = [("digest", digest.as_str()), ("content-range", range.as_str())];
    let usual = usual.into_iter().filter(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    let headers: Vec<_> = headers.iter().copied().chain(usual).collect();
    let path = format!("/box/upload/2.0/files/upload_sessions/{session}");
    client.send("PUT", &path, &headers, bytes.to_vec()).await
}

async fn commit(client: &Client, session: &str, parts: &[Value], digest: &str) -> Answer {
    let body = json!({"parts": parts, "attributes": {"content_modified_at": "2012-12-12T10:53:43Z"}}).to_string();
    let path = format!("/box/upload/2.0/files/upload_sessions/{session}/commit");
    client.send("POST", &path, &[("Digest", digest)], body).await
}

#[tokio::test]
async fn a_large_file_comes_in_parts() {
    let client = Client::new().await;
    let content = content();
    let opened =
        client.post("/files/upload_sessions", json!({"folder_id": "0", "file_size": SIZE, "file_name": "large"})).await;
    assert_json_snapshot!("a new session", opened.tame());
    let session = opened.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/files/upload_sessions/{session}");
    let asked = json!({"parts": [{"offset": 0, "size": PART, "sha512": "00"}]});
    assert_json_snapshot!("a plan", client.post(&format!("{path}/plan"), asked).await.tame());

    let mut parts = Vec::new();
    // In any order, and twice.
    for offset in [PART, 0, 0, 2 * PART] {
        let bytes = &content[offset..SIZE.min(offset + PART)];
        let part = put(&client, &session, offset, bytes, &[]).await.expect(200)["part"].clone();
        assert_eq!((&part["offset"], &part["size"]), (&json!(offset), &json!(bytes.len())));
        assert_eq!(part["sha1"], sha1(bytes).to_string());
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    assert_eq!(parts.len(), 3);
    put(&client, &session, 0, &vec![1; PART], &[]).await.refused(409, "conflict");
    assert_eq!(client.get(&path).await.expect(200)["num_parts_processed"], 3);
    let listed = client.get(&format!("{path}/parts?limit=2&offset=1")).await.expect(200);
    assert_eq!((&listed["total_count"], listed["entries"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!(listed["entries"][0]["offset"], PART);

    let whole = digest(&content);
    commit(&client, &session, &parts[..2], &whole).await.refused(400, "parts_mismatch");
    commit(&client, &session, &parts, &digest(b"other")).await.refused(412, "precondition_failed");
    let made = commit(&client, &session, &parts, &whole.replace("sha", "SHA")).await;
    assert_json_snapshot!("a committed session", made.tame());
    // Sent again, as after an answer that got lost.
    let again = commit(&client, &session, &parts, &whole).await.expect(201);
    assert_eq!(again["entries"][0]["id"], made.value()["entries"][0]["id"]);
    let file = made.value()["entries"][0]["id"].as_str().unwrap().to_owned();
    assert!(client.download(&format!("/files/{file}/content")).await.body == content);
    client.delete(&path).await.expect(204);
    put(&client, &session, 0, &content[..PART], &[]).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_part_has_to_fit() {
    let client = Client::new().await;
    let content = content();
    let file = client.file("0", "a.txt", b"hello").await;
    let opened = client.post(&format!("/files/{file}/upload_sessions"), json!({"file_size": SIZE})).await.expect(201);
    let session = opened["id"].as_str().unwrap();
    let first = &content[..PART];
    let put = |offset: usize, bytes: Vec<u8>, headers: Vec<(&'static str, String)>| {
        let client = &client;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            put(client, session, offset, &bytes, &headers).await
        }
    };
    put(1, first.to_vec(), vec![]).await.refused(416, "range_not_satisfiable");
    put(0, first[1..].to_vec(), vec![]).await.refused(416, "range_not_satisfiable");
    put(3 * PART, first.to_vec(), vec![]).await.refused(416, "range_not_satisfiable");
    let other_size = format!("bytes 0-{}/{}", PART - 1, SIZE + 1);
    put(0, first.to_vec(), vec![("content-range", other_size)]).await.refused(416, "range_not_satisfiable");
    put(0, first.to_vec(), vec![("content-range", "nonsense".to_owned())]).await.refused(416, "range_not_satisfiable");
    put(0, first.to_vec(), vec![("content-range", String::new())]).await.refused(400, "bad_request");
    put(0, first.to_vec(), vec![("digest", digest(b"other"))]).await.refused(412, "precondition_failed");
    put(0, first.to_vec(), vec![("digest", "md5=AAAA".to_owned())]).await.refused(400, "bad_request");
    put(0, first.to_vec(), vec![("digest", String::new())]).await.refused(400, "bad_request");
    let range = format!("bytes 0-{}/{SIZE}", PART - 1);
    put(0, first[1..].to_vec(), vec![("content-range", range.clone())]).await.refused(400, "bad_request");
    put(0, content[..=PART].to_vec(), vec![("content-range", range)]).await.refused(400, "bad_request");
    let path = format!("/files/upload_sessions/{session}");
    assert_eq!(client.get(&format!("{path}/parts")).await.expect(200)["total_count"], 0);

    // The whole as a new version of the file.
    let mut parts = Vec::new();
    for (index, bytes) in content.chunks(PART).enumerate() {
        parts.push(put(index * PART, bytes.to_vec(), vec![]).await.expect(200)["part"].clone());
    }
    let made = commit(&client, session, &parts, &digest(&content)).await.expect(201);
    assert_eq!((&made["entries"][0]["id"], &made["entries"][0]["etag"]), (&json!(file), &json!("1")));
    assert_eq!(client.get(&format!("/files/{file}/versions")).await.expect(200)["total_count"], 1);
}

#[tokio::test]
async fn a_session_needs_all_it_needs() {
    let client = Client::new().await;
    let open = |body: Value| {
        let client = &client;
        async move { client.post("/files/upload_sessions", body).await }
    };
    let good = json!({"folder_id": "0", "file_size": SIZE, "file_name": "large"});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    open(with("folder_id", Value::Null)).await.refused(400, "missing_destination");
    open(with("folder_id", json!("x"))).await.refused(400, "invalid_folder_id");
    open(with("folder_id", json!("12"))).await.refused(404, "not_found");
    open(with("file_size", Value::Null)).await.refused(400, "missing_file_size");
    open(with("file_size", json!(-1))).await.refused(400, "invalid_file_size");
    open(with("file_size", json!(19_999_999))).await.refused(400, "file_size_too_small");
    open(with("file_size", json!(1_u64 << 50))).await.refused(413, "file_size_limit_exceeded");
    open(with("file_name", Value::Null)).await.refused(400, "missing_file_name");
    open(with("file_name", json!("a/b"))).await.refused(400, "item_name_invalid");
    client.file("0", "LARGE", b"hello").await;
    assert!(open(good).await.refused(409, "item_name_in_use")["context_info"]["conflicts"].is_object());
}

#[tokio::test]
async fn an_aborted_session_is_gone() {
    let client = Client::new().await;
    let opened =
        client.post("/files/upload_sessions", json!({"folder_id": "0", "file_size": SIZE, "file_name": "large"})).await;
    let session = opened.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/files/upload_sessions/{session}");
    put(&client, &session, 0, &content()[..PART], &[]).await.expect(200);
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "not_found");
    client.get("/files/upload_sessions/12").await.refused(404, "not_found");
    client.get("/files/upload_sessions/F00D").await.refused(404, "not_found");
    assert_eq!(client.get("/folders/0/items").await.expect(200)["total_count"], 0);
}
