//! Locks.

use crate::harness::Client;
use axum::body::Body;
use bytes::Bytes;
use futures_util::future::join;
use futures_util::{StreamExt, stream};

fn named(token: &str) -> String {
    format!("({token})")
}

#[tokio::test]
async fn who_holds_a_lock_may_write_and_nobody_else() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let locked = client.lock("/dav/a", "exclusive", &[("timeout", "Second-120")]).await;
    locked.expect(200);
    let token = locked.token();
    let body = String::from_utf8_lossy(&locked.body).into_owned();
    for part in ["<D:timeout>Second-120<", "<d:owner", ">Ada<", "<D:href>/dav/a<", "<D:exclusive/>"] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let held = named(&token);
    let updates =
        "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><x xmlns='urn:x'/></d:prop></d:set></d:propertyupdate>";
    for (method, headers, content) in [
        ("PUT", vec![], "y"),
        ("PROPPATCH", vec![], updates),
        ("DELETE", vec![], ""),
        ("MOVE", vec![("destination", "/dav/b")], ""),
    ] {
        let refused = client.send(method, "/dav/a", &headers, content).await;
        let submitted = refused.refused(423, "lock-token-submitted");
        assert_eq!(submitted.dav("href").unwrap().text(), "/dav/a", "{method}");
    }
    client.send("COPY", "/dav/a", &[("destination", "/dav/b")], "").await.expect(201);
    client.send("COPY", "/dav/b", &[("destination", "/dav/a")], "").await.expect(423);
    client.send("PUT", "/dav/a", &[("if", &held)], "y").await.expect(204);
    client.send("PROPPATCH", "/dav/a", &[("if", &held)], updates).await.expect(207);
    client.lock("/dav/a", "exclusive", &[]).await.refused(423, "no-conflicting-lock");
    client.lock("/dav/a", "shared", &[]).await.expect(423);
    let said = client.ask("/dav/a", "<lockdiscovery/><supportedlock/>").await;
    assert!(said.element("{DAV:}lockdiscovery").dav("activelock").unwrap().dav("lockroot").is_some());
    client.send("UNLOCK", "/dav/a", &[("lock-token", "<urn:uuid:other>")], "").await.expect(409);
    client.send("UNLOCK", "/dav/a", &[], "").await.expect(400);
    client.send("UNLOCK", "/dav/a", &[("lock-token", &token)], "").await.expect(204);
    client.send("UNLOCK", "/dav/a", &[("lock-token", &token)], "").await.expect(409);
    client.send("PUT", "/dav/a", &[], "z").await.expect(204);
}

#[tokio::test]
async fn conditions_speak_of_locks() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let token = client.lock("/dav/a", "exclusive", &[]).await.token();
    let etag = client.get("/dav/a").await.header("etag").to_owned();
    let put = |header: String| {
        let client = &client;
        async move { client.send("PUT", "/dav/a", &[("if", &header)], "y").await.status.as_u16() }
    };
    assert_eq!(put(format!("({token} [\"other\"])")).await, 412);
    assert_eq!(put(format!("(<DAV:no-lock> [{etag}])")).await, 412);
    assert_eq!(put(format!("(<urn:uuid:invalid> [{etag}]) (Not <DAV:no-lock>)")).await, 423);
    assert_eq!(put(format!("({token} [{etag}]) (Not <DAV:no-lock> [{etag}])")).await, 204);
    assert_eq!(put(format!("({token}) (Not <DAV:no-lock>)")).await, 204);
    assert_eq!(put(format!("</dav/a> ({token})")).await, 204);
    assert_eq!(put(format!("</dav/a/> ({token})")).await, 204);
}

#[tokio::test]
async fn shares_stand_side_by_side() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let one = client.lock("/dav/a", "shared", &[]).await.token();
    let two = client.lock("/dav/a", "shared", &[]).await.token();
    client.lock("/dav/a", "exclusive", &[]).await.expect(423);
    client.send("PUT", "/dav/a", &[], "y").await.expect(423);
    for token in [&one, &two] {
        client.send("PUT", "/dav/a", &[("if", &named(token))], "y").await.expect(204);
        client.send("UNLOCK", "/dav/a", &[("lock-token", token)], "").await.expect(204);
    }
    client.send("PUT", "/dav/a", &[], "y").await.expect(204);
}

#[tokio::test]
async fn a_url_without_an_item_is_locked_by_making_one() {
    let client = Client::new().await;
    let locked = client.lock("/dav/new", "exclusive", &[]).await;
    locked.expect(201);
    let got = client.get("/dav/new").await;
    assert_eq!((got.status.as_u16(), got.body.len()), (200, 0));
    client.send("PUT", "/dav/new", &[], "x").await.expect(423);
    client.send("PUT", "/dav/new", &[("if", &named(&locked.token()))], "x").await.expect(204);
    client.lock("/dav/missing/new", "exclusive", &[]).await.expect(409);
}

#[tokio::test]
async fn a_file_is_made_with_its_lock_or_not_at_all() {
    let client = Client::new().await;
    let mut refused = 0;
    for round in 0..100 {
        let folder = format!("/dav/{round}");
        client.mkcol(&folder).await;
        let file = format!("{folder}/new");
        let of_folder = client.lock(&folder, "exclusive", &[("depth", "infinity")]);
        let (of_folder, of_file) = join(of_folder, client.lock(&file, "exclusive", &[])).await;
        let there = client.get(&file).await.status.as_u16();
        match (of_folder.status.as_u16(), of_file.status.as_u16()) {
            (200, 423) => assert_eq!(there, 404, "round {round}"),
            (423, 201) => assert_eq!(there, 200, "round {round}"),
            others => panic!("round {round}: {others:?}"),
        }
        refused += usize::from(of_file.status == 423);
    }
    assert!(refused > 0, "the folder's lock never came first");
}

#[tokio::test]
async fn a_folders_lock_covers_what_is_below_it_and_its_list() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    client.mkcol("/dav/f/g").await;
    client.put("/dav/f/g/a", "x").await;
    let token = client.lock("/dav/f/", "exclusive", &[("depth", "infinity")]).await.token();
    let held = format!("</dav/f/> ({token})");
    client.send("PUT", "/dav/f/g/a", &[], "y").await.expect(423);
    client.send("PUT", "/dav/f/g/new", &[], "y").await.expect(423);
    client.send("MKCOL", "/dav/f/h", &[], "").await.expect(423);
    client.send("DELETE", "/dav/f", &[], "").await.expect(423);
    client.send("MOVE", "/dav/f/g/a", &[("destination", "/dav/b")], "").await.expect(423);
    client.lock("/dav/f/g/a", "exclusive", &[]).await.expect(423);
    client.send("PUT", "/dav/f/g/a", &[("if", &held)], "y").await.expect(204);
    client.send("MKCOL", "/dav/f/h", &[("if", &held)], "").await.expect(201);
    // It lives on when it is named at what it covers.
    client.send("LOCK", "/dav/f/g/a", &[("if", &named(&token)), ("timeout", "Second-77")], "").await.expect(200);
    let listed =
        client.find("/dav/f", "infinity", "<propfind xmlns='DAV:'><prop><lockdiscovery/></prop></propfind>").await;
    assert_eq!(listed.len(), 4);
    for said in listed {
        let root = said.element("{DAV:}lockdiscovery").dav("activelock").unwrap().dav("lockroot").unwrap();
        assert_eq!(root.dav("href").unwrap().text(), "/dav/f/", "{}", said.href);
    }
    client.send("UNLOCK", "/dav/f/g/a", &[("lock-token", &token)], "").await.expect(204);
    // One without depth covers the list of children, and not what is below them.
    let token = client.lock("/dav/f", "exclusive", &[("depth", "0")]).await.token();
    client.send("PUT", "/dav/f/g/a", &[], "z").await.expect(204);
    client.send("PUT", "/dav/f/new", &[], "z").await.expect(423);
    client.send("DELETE", "/dav/f/h", &[], "").await.expect(423);
    client.send("PUT", "/dav/f/new", &[("if", &format!("</dav/f> ({token})"))], "z").await.expect(201);
}

#[tokio::test]
async fn what_is_locked_below_holds_a_folder_back() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    client.put("/dav/f/a", "x").await;
    client.put("/dav/b", "x").await;
    let token = client.lock("/dav/f/a", "exclusive", &[]).await.token();
    let refused = client.send("DELETE", "/dav/f", &[], "").await.refused(423, "lock-token-submitted");
    assert_eq!(refused.dav("href").unwrap().text(), "/dav/f/a");
    client.send("MOVE", "/dav/f", &[("destination", "/dav/g")], "").await.expect(423);
    client.send("MOVE", "/dav/b", &[("destination", "/dav/f")], "").await.expect(423);
    client.lock("/dav/f", "exclusive", &[]).await.refused(423, "no-conflicting-lock");
    client.lock("/dav/f", "exclusive", &[("depth", "0")]).await.expect(200);
    let held = format!("</dav/f/a> ({token})");
    client.send("DELETE", "/dav/f", &[("if", &held)], "").await.expect(423);
}

#[tokio::test]
async fn a_lock_ends_with_what_it_locks() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let token = client.lock("/dav/a", "exclusive", &[]).await.token();
    client.send("MOVE", "/dav/a", &[("destination", "/dav/b"), ("if", &named(&token))], "").await.expect(201);
    client.send("PUT", "/dav/b", &[], "y").await.expect(204);
    let token = client.lock("/dav/b", "exclusive", &[]).await.token();
    client.send("DELETE", "/dav/b", &[("if", &named(&token))], "").await.expect(204);
    client.send("PUT", "/dav/b", &[], "y").await.expect(201);
    let said = client.ask("/dav/b", "<lockdiscovery/>").await;
    assert!(said.element("{DAV:}lockdiscovery").dav("activelock").is_none());
}

#[tokio::test]
async fn time_runs_out() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let forever = client.lock("/dav/a", "exclusive", &[("timeout", "Infinite")]).await;
    assert!(String::from_utf8_lossy(&forever.body).contains("Second-86400"), "{forever:?}");
    client.send("UNLOCK", "/dav/a", &[("lock-token", &forever.token())], "").await.expect(204);
    let over = client.lock("/dav/a", "exclusive", &[("timeout", "Second-0")]).await;
    over.expect(200);
    client.send("PUT", "/dav/a", &[], "y").await.expect(204);
    client.send("LOCK", "/dav/a", &[("if", &named(&over.token()))], "").await.expect(412);
    client.send("LOCK", "/dav/a", &[], "").await.expect(400);
    client.lock("/dav/a", "exclusive", &[("depth", "1")]).await.expect(400);
}

#[tokio::test]
async fn a_lock_that_is_granted_while_a_body_arrives_counts() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let (first, last) = (Bytes::from_static(b"new "), Bytes::from_static(b"content"));
    let (granted, waits) = tokio::sync::oneshot::channel::<()>();
    let last = stream::once(async move {
        let _ = waits.await;
        Ok::<_, std::io::Error>(last)
    });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(last));
    let put = client.send("PUT", "/dav/a", &[], body);
    let lock = async {
        // The upload is under way once it has been asked for its body.
        tokio::task::yield_now().await;
        let locked = client.lock("/dav/a", "exclusive", &[]).await;
        let _ = granted.send(());
        locked
    };
    let (put, locked) = tokio::join!(put, lock);
    locked.expect(200);
    put.refused(423, "lock-token-submitted");
    assert_eq!(client.get("/dav/a").await.body, "x");
}

#[tokio::test]
async fn of_many_who_want_it_alone_one_gets_it() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    client.put("/dav/f/a", "x").await;
    let paths = ["/dav/f", "/dav/f/a", "/dav/f/new", "/dav/f/a", "/dav/f/new", "/dav/f"];
    let wishes = paths.map(|path| client.lock(path, "exclusive", &[]));
    let answers = futures_util::future::join_all(wishes).await;
    let granted: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    let folder_was_granted = granted.iter().any(|answer| String::from_utf8_lossy(&answer.body).contains(">/dav/f/<"));
    // The folder's covers the others; without it each file has one.
    assert_eq!(granted.len(), if folder_was_granted { 1 } else { 2 }, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status.is_success() || answer.status == 423), "{answers:?}");
}

#[tokio::test]
async fn of_many_who_make_one_file_one_makes_it() {
    let client = Client::new().await;
    let puts = ["0", "1", "2", "3", "4", "5", "6", "7"]
        .map(|content| client.send("PUT", "/dav/one", &[("if-none-match", "*")], content));
    let answers = futures_util::future::join_all(puts).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.status == 412), "{answers:?}");
}

#[tokio::test]
async fn few_locks_cover_one_item() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    client.mkcol("/dav/f/g").await;
    client.put("/dav/f/g/a", "x").await;
    for path in ["/dav/f/g/a", "/dav/f/g"] {
        for _ in 0..15 {
            client.lock(path, "shared", &[]).await.expect(200);
        }
    }
    client.lock("/dav/f", "shared", &[]).await.expect(200);
    client.lock("/dav/f", "shared", &[]).await.expect(200);
    // The file has 32 by now, and the folder above it has not.
    client.lock("/dav/f/g/a", "shared", &[]).await.refused(423, "no-conflicting-lock");
    client.lock("/dav/f/g", "shared", &[]).await.refused(423, "no-conflicting-lock");
    client.lock("/dav/f", "shared", &[]).await.refused(423, "no-conflicting-lock");
    client.lock("/dav/f", "shared", &[("depth", "0")]).await.expect(200);
    let body = "<propfind xmlns='DAV:'><prop><lockdiscovery/></prop></propfind>";
    let counts: Vec<_> = client.find("/dav/f", "infinity", body).await.iter().map(locks_of).collect();
    assert_eq!(counts, [3, 17, 32]);
    assert_eq!(locks_of(&client.find("/dav/f/g/a", "0", body).await[0]), 32);
    let said = client.find("/dav/f/g", "1", body).await;
    let roots: Vec<_> = said[1]
        .element("{DAV:}lockdiscovery")
        .elements()
        .map(|lock| lock.dav("lockroot").unwrap().dav("href").unwrap().text())
        .collect();
    for (root, count) in [("/dav/f/g/a", 15), ("/dav/f/g/", 15), ("/dav/f/", 2)] {
        assert_eq!(roots.iter().filter(|found| *found == root).count(), count, "{root}");
    }
}

fn locks_of(said: &crate::harness::Said) -> usize {
    said.element("{DAV:}lockdiscovery").elements().count()
}

#[tokio::test]
async fn a_lock_that_is_refused_leaves_no_file_behind() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    let token = client.lock("/dav/f", "exclusive", &[]).await.token();
    let held = [("if", format!("</dav/f/> ({token})"))];
    let held = held.each_ref().map(|(name, value)| (*name, value.as_str()));
    client.lock("/dav/f/new", "exclusive", &held).await.refused(423, "no-conflicting-lock");
    client.get("/dav/f/new").await.expect(404);
    let long = format!(
        "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype>\
         <d:owner>{}</d:owner></d:lockinfo>",
        "o".repeat(1_024)
    );
    client.send("LOCK", "/dav/long", &[], long).await.expect(400);
    client.get("/dav/long").await.expect(404);
}
