//! Properties that clients set.

use crate::harness::Client;

const SET: &str = "<d:set><d:prop><x:color xmlns:x='urn:x'>red</x:color></d:prop></d:set>";

#[tokio::test]
async fn a_property_comes_back_as_it_was_set() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let fragments = [
        ("{urn:x}plain", "<p:plain xmlns:p='urn:x'>text</p:plain>"),
        ("{}bare", "<bare>none</bare>"),
        (
            "{urn:x}mixed",
            "<mixed xmlns='urn:x' a='1' xml:lang='de'> one <b xmlns='urn:y' p:c='2' xmlns:p='urn:p'/> two &lt;&amp;</mixed>",
        ),
        ("{urn:x}high", "<high xmlns='urn:x'>&#65536;\u{10FFFD} ü</high>"),
        ("{urn:x}empty", "<empty xmlns='urn:x'/>"),
        ("{DAV:}own", "<own xmlns='DAV:'><href>/x</href></own>"),
        ("{http://example.com/a b?c=&}odd-name.1", "<odd-name.1 xmlns='http://example.com/a b?c=&amp;'>x</odd-name.1>"),
    ];
    for (key, fragment) in fragments {
        let answer = client.patch("/dav/a", &format!("<d:set><d:prop>{fragment}</d:prop></d:set>")).await;
        assert_eq!(answer.said()[0].status(key), 200, "{answer:?}");
    }
    let all = client.find("/dav/a", "0", "").await;
    for (key, fragment) in fragments {
        let sent = entente_door_dav::wire::xml::parse(fragment.as_bytes()).unwrap();
        let found = all[0].element(key);
        assert_eq!(
            found.fragment(&[], 10_000).unwrap().replace("&#65536;", "\u{10000}"),
            sent.fragment(&[], 10_000).unwrap(),
            "{key}"
        );
    }
    // The language of an element above counts as its own.
    let update = "<d:set xml:lang='fr'><d:prop><l xmlns='urn:x'>mot</l></d:prop></d:set>";
    client.patch("/dav/a", update).await.expect(207);
    let said = client.ask("/dav/a", "<l xmlns='urn:x'/>").await;
    assert!(said.element("{urn:x}l").fragment(&[], 10_000).unwrap().contains("xml:lang=\"fr\""));
}

#[tokio::test]
async fn changes_are_made_in_order_and_all_or_none() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    client.patch("/dav/a", SET).await.expect(207);
    let remove = "<d:remove><d:prop><x:color xmlns:x='urn:x'/></d:prop></d:remove>";
    client.patch("/dav/a", &format!("{remove}{SET}")).await.expect(207);
    assert_eq!(client.ask("/dav/a", "<color xmlns='urn:x'/>").await.text("{urn:x}color"), "red");
    client.patch("/dav/a", &format!("{SET}{remove}")).await.expect(207);
    assert_eq!(client.ask("/dav/a", "<color xmlns='urn:x'/>").await.status("{urn:x}color"), 404);
    let protected = "<d:set><d:prop><d:getetag>x</d:getetag></d:prop></d:set>";
    let said = client.patch("/dav/a", &format!("{SET}{protected}")).await.said();
    assert_eq!((said[0].status("{DAV:}getetag"), said[0].status("{urn:x}color")), (403, 424));
    assert_eq!(client.ask("/dav/a", "<color xmlns='urn:x'/>").await.status("{urn:x}color"), 404);
    client.patch("/dav/missing", SET).await.expect(404);
    client.patch("/dav/", SET).await.expect(403);
}

#[tokio::test]
async fn properties_follow_copies_and_moves() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    client.put("/dav/f/a", "x").await;
    client.patch("/dav/f", SET).await.expect(207);
    client.patch("/dav/f/a", SET).await.expect(207);
    client.send("COPY", "/dav/f", &[("destination", "/dav/g")], "").await.expect(201);
    client.send("MOVE", "/dav/g", &[("destination", "/dav/h")], "").await.expect(201);
    client.send("COPY", "/dav/f", &[("destination", "/dav/i"), ("depth", "0")], "").await.expect(201);
    client.send("COPY", "/dav/f/a", &[("destination", "/dav/j")], "").await.expect(201);
    client.put("/dav/k", "x").await;
    client.patch("/dav/k", "<d:set><d:prop><other xmlns='urn:x'/></d:prop></d:set>").await.expect(207);
    client.send("COPY", "/dav/f/a", &[("destination", "/dav/k")], "").await.expect(204);
    for path in ["/dav/f", "/dav/f/a", "/dav/h", "/dav/h/a", "/dav/i", "/dav/j", "/dav/k"] {
        let said = client.ask(path, "<color xmlns='urn:x'/><other xmlns='urn:x'/>").await;
        assert_eq!((said.text("{urn:x}color").as_str(), said.status("{urn:x}other")), ("red", 404), "{path}");
    }
    let listed =
        client.find("/dav/", "1", "<propfind xmlns='DAV:'><prop><color xmlns='urn:x'/></prop></propfind>").await;
    let found: Vec<_> = listed.iter().map(|said| (said.href.as_str(), said.status("{urn:x}color"))).collect();
    let expected =
        [("/dav/", 404), ("/dav/f/", 200), ("/dav/h/", 200), ("/dav/i/", 200), ("/dav/j", 200), ("/dav/k", 200)];
    assert_eq!(found, expected);
    client.put("/dav/j", "another version").await;
    assert_eq!(client.ask("/dav/j", "<color xmlns='urn:x'/>").await.text("{urn:x}color"), "red");
}

#[tokio::test]
async fn there_is_a_limit_to_them() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let many = |count: usize, from: usize| -> String {
        let properties: String = (from..from + count).map(|number| format!("<p{number} xmlns='urn:x'/>")).collect();
        format!("<d:set><d:prop>{properties}</d:prop></d:set>")
    };
    client.patch("/dav/a", &many(10_000, 0)).await.expect(413);
    client.patch("/dav/a", &many(1_000, 0)).await.expect(207);
    let over = client.patch("/dav/a", &many(1, 1_000)).await;
    assert_eq!(over.said()[0].status("{urn:x}p1000"), 403);
    let large = format!("<d:set><d:prop><p0 xmlns='urn:x'>{}</p0></d:prop></d:set>", "x".repeat(300_000));
    assert_eq!(client.patch("/dav/a", &large).await.said()[0].status("{urn:x}p0"), 403);
    let huge = format!("<d:set><d:prop><p0 xmlns='urn:x'>{}</p0></d:prop></d:set>", "x".repeat(2_000_000));
    client.patch("/dav/a", &huge).await.expect(413);
}

#[tokio::test]
async fn windows_and_rclone_set_times_as_properties() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let update = "<d:set><d:prop><z:Win32LastModifiedTime xmlns:z='urn:schemas-microsoft-com:'>Sun, 06 Nov 1994 08:49:37 GMT\
        </z:Win32LastModifiedTime><z:Win32FileAttributes xmlns:z='urn:schemas-microsoft-com:'>00000020</z:Win32FileAttributes>\
        </d:prop></d:set>";
    client.patch("/dav/a", update).await.expect(207);
    let asked = "<getlastmodified/><Win32FileAttributes xmlns='urn:schemas-microsoft-com:'/>";
    let said = client.ask("/dav/a", asked).await;
    assert_eq!(said.text("{DAV:}getlastmodified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(said.text("{urn:schemas-microsoft-com:}Win32FileAttributes"), "00000020");
    client
        .patch("/dav/a", "<d:set><d:prop><d:lastmodified>1700000000</d:lastmodified></d:prop></d:set>")
        .await
        .expect(207);
    assert_eq!(client.get("/dav/a").await.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
}
