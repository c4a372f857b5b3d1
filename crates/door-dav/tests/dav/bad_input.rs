//! What no client should send.

use crate::harness::Client;

#[tokio::test]
async fn odd_paths_lead_nowhere() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    for path in ["/dav/%2e%2e/a", "/dav/..%2Fa", "/dav/a%2Fb", "/dav/%c0%af", "/dav/%ff", "/dav/%", "/dav/a%00"] {
        client.get(path).await.expect(400);
        client.send("PUT", path, &[], "x").await.expect(400);
    }
    client.get(&format!("/dav{}", "/a".repeat(1_500))).await.expect(414);
    let long = format!("/dav/{}", "n".repeat(1_025));
    client.send("PUT", &long, &[], "x").await.expect(400);
    assert_eq!(client.hrefs("/dav/", "1").await, ["/dav/", "/dav/a"]);
}

#[tokio::test]
async fn odd_xml_is_refused() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let bomb = "<?xml version='1.0'?><!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>\
        <propfind xmlns='DAV:'><prop><x>&b;</x></prop></propfind>";
    let file = "<!DOCTYPE b [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><propfind xmlns='DAV:'><prop><x>&f;</x></prop></propfind>";
    let deep = format!("<propfind xmlns='DAV:'>{}", "<prop>".repeat(50_000));
    let wide = format!("<propfind xmlns='DAV:'><prop>{}</prop></propfind>", "<a/>".repeat(30_000));
    let namespace = format!("<propfind xmlns='{}'>{}</propfind>", "n".repeat(700_000), "<a/>".repeat(19_000));
    for (body, status) in [
        (bomb, 400),
        (file, 400),
        (deep.as_str(), 413),
        (wide.as_str(), 413),
        (namespace.as_str(), 400),
        ("<propfind xmlns='DAV:'><prop><bar:foo xmlns:bar=''/></prop></propfind>", 400),
        ("<propfind", 400),
        ("{}", 400),
    ] {
        for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
            let answer = client.send(method, "/dav/a", &[("depth", "0")], body.to_owned()).await;
            assert_eq!(answer.status, status, "{method} {answer:?}");
        }
    }
    client.send("PROPFIND", "/dav/a", &[("depth", "0")], vec![0xff, 0xfe, 0x3c, 0]).await.expect(415);
    client.send("PROPFIND", "/dav/a", &[("depth", "0")], vec![b' '; 2_000_000]).await.expect(413);
}

#[tokio::test]
async fn odd_headers_are_refused() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let absurd = "(<urn:uuid:00000000-0000-4000-8000-000000000000>)".repeat(1_000);
    client.send("PUT", "/dav/a", &[("if", &absurd)], "y").await.expect(431);
    for (name, value) in [("if", "nonsense"), ("if", "(<a>"), ("if", "()")] {
        client.send("PUT", "/dav/a", &[(name, value)], "y").await.expect(400);
    }
    client.send("PUT", "/dav/a", &[("x-expected-entity-length", "-1")], "y").await.expect(400);
    assert_eq!(client.get("/dav/a").await.body, "x");
}

#[tokio::test]
async fn names_that_would_be_told_of_every_item_are_short_together() {
    let client = Client::new().await;
    let names: String = (0..40).map(|number| format!("<p{number}/>")).collect();
    let find = |bytes: usize| {
        let namespace = "n".repeat(bytes);
        format!("<d:propfind xmlns:d='DAV:'><d:prop xmlns='{namespace}'>{names}</d:prop></d:propfind>")
    };
    client.send("PROPFIND", "/dav/", &[("depth", "0")], find(1_000)).await.expect(400);
    client.send("PROPFIND", "/dav/", &[("depth", "0")], find(700)).await.expect(207);
}
