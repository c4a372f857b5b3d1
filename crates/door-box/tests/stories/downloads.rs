use crate::harness::Client;
use http::header;

#[tokio::test]
async fn a_download_is_a_redirect_that_needs_no_credential() {
    let client = Client::new().await;
    let file = client.file("0", "Übersicht.pdf", b"hello").await;
    let redirect = client.get(&format!("/files/{file}/content")).await;
    assert_eq!(redirect.status, 302);
    assert!(redirect.body.is_empty());
    let target = redirect.target();
    let whole = client.send("GET", &target, &[("authorization", "")], "").await;
    assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, &b"hello"[..]));
    assert_eq!(whole.header("content-type"), "application/pdf");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("content-security-policy"), "sandbox");
    assert_eq!(
        whole.header("content-disposition"),
        "attachment;filename=\"_bersicht.pdf\";filename*=UTF-8''%C3%9Cbersicht.pdf"
    );
    // Clients send a stale or foreign Authorization along.
    assert_eq!(client.send("GET", &target, &[("authorization", "Bearer nonsense")], "").await.status, 200);
    assert_eq!(client.send("HEAD", &target, &[("authorization", "")], "").await.status, 200);
    let forged = format!("{}A", &target[..target.len() - 1]);
    if forged != target {
        client.send("GET", &forged, &[], "").await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn ranges_and_conditions() {
    let client = Client::new().await;
    let file = client.file("0", "a.txt", b"0123456789").await;
    let target = client.get(&format!("/files/{file}/content")).await.target();
    let get = |headers: Vec<(&'static str, String)>| {
        let (client, target) = (&client, &target);
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            client.send("GET", target, &headers, "").await
        }
    };
    let part = get(vec![("range", "bytes=2-4".to_owned())]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"234"[..]));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    assert_eq!(get(vec![("range", "bytes=-3".to_owned())]).await.body, "789");
    assert_eq!(get(vec![("range", "bytes=7-".to_owned())]).await.body, "789");
    let beyond = get(vec![("range", "bytes=10-".to_owned())]).await;
    beyond.refused(416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), "bytes */10");
    let etag = part.headers.get(header::ETAG).unwrap().to_str().unwrap().to_owned();
    assert_eq!(get(vec![("if-none-match", etag.clone())]).await.status, 304);
    let same = get(vec![("range", "bytes=2-4".to_owned()), ("if-range", etag)]).await;
    assert_eq!(same.status, 206);
    let other = get(vec![("range", "bytes=2-4".to_owned()), ("if-range", "\"other\"".to_owned())]).await;
    assert_eq!((other.status.as_u16(), other.body.len()), (200, 10));
}

#[tokio::test]
async fn a_large_and_an_empty_file_come_back() {
    let client = Client::new().await;
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = client.file("0", "large", &content).await;
    assert!(client.download(&format!("/files/{file}/content")).await.body == content);
    let file = client.file("0", "empty", b"").await;
    let empty = client.download(&format!("/files/{file}/content")).await;
    assert_eq!((empty.status.as_u16(), empty.body.len()), (200, 0));
    assert_eq!(empty.header("content-type"), "application/octet-stream");
}

#[tokio::test]
async fn versions_tokens_and_those_who_may_not() {
    let client = Client::new().await;
    let made = client.upload("0", "a.txt", b"one").await.expect(201);
    let (file, version) = (&made["entries"][0]["id"], &made["entries"][0]["file_version"]["id"]);
    let (file, version) = (file.as_str().unwrap(), version.as_str().unwrap());
    let path = format!("/files/{file}/content");
    client.form(&path, &[], &[("attributes", b"{}"), ("file", b"two")]).await.expect(200);
    assert_eq!(client.download(&path).await.body, "two");
    assert_eq!(client.download(&format!("{path}?version={version}")).await.body, "one");
    client.get(&format!("{path}?version=12")).await.refused(404, "not_found");
    let by_query = format!("/box/2.0{path}?access_token={}", client.token);
    assert_eq!(client.send("GET", &by_query, &[("authorization", "")], "").await.status, 302);
    client
        .send("GET", &format!("/box/2.0{path}?access_token=x"), &[("authorization", "")], "")
        .await
        .refused(401, "unauthorized");
    client.send("GET", &format!("/box/2.0{path}"), &[("authorization", "")], "").await.refused(401, "unauthorized");
    client.get("/files/12/content").await.refused(404, "not_found");
}

/// Changes a byte in the middle of every stored object.
fn damage(client: &Client) {
    let backend = &client.stage.backend;
    for name in backend.names() {
        let mut bytes = backend.raw(name).unwrap().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        backend.replace(name, bytes.into());
    }
}

#[tokio::test]
async fn what_is_damaged_is_never_sent() {
    let client = Client::new().await;
    let file = client.file("0", "small", &[7; 5_000]).await;
    let target = client.get(&format!("/files/{file}/content")).await.target();
    damage(&client);
    client.send("GET", &target, &[], "").await.refused(500, "internal_server_error");
    let content: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = client.file("0", "large", &content).await;
    let target = client.get(&format!("/files/{file}/content")).await.target();
    damage(&client);
    let (status, sent) = client.torn("GET", &target).await;
    assert_eq!(status, 200);
    assert!(sent.len() < content.len() && content.starts_with(&sent), "{} bytes", sent.len());
    let at_the_damage = format!("bytes={}-", content.len() / 2 - 100_000);
    client.send("GET", &target, &[("range", &at_the_damage)], "").await.refused(500, "internal_server_error");
}
