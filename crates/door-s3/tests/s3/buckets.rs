//! Buckets, and what they are at other doors.

use crate::harness::Client;
use entente_model::UserRole;

#[tokio::test]
async fn buckets_come_and_go() {
    let client = Client::new().await;
    assert!(client.get("/").await.expect(200).elements("Name").is_empty());
    let made = client.send("PUT", "/photos").await.expect(200);
    assert_eq!(made.header("location"), "/photos");
    client.send("PUT", "/logs.2026").await.expect(200);
    client.send("PUT", "/photos").await.refused(409, "BucketAlreadyOwnedByYou");
    let listed = client.get("/").await.expect(200);
    assert_eq!(listed.elements("Name"), ["logs.2026", "photos"]);
    assert_eq!(client.get("/?prefix=p").await.expect(200).elements("Name"), ["photos"]);
    let first = client.get("/?max-buckets=1").await.expect(200);
    let token = first.element("ContinuationToken").unwrap();
    let next = client.get(&format!("/?continuation-token={token}")).await.expect(200);
    assert_eq!(next.elements("Name"), ["photos"]);
    client.send("HEAD", "/photos").await.expect(200);
    client.send("HEAD", "/other").await.expect(404);
    assert!(client.get("/photos?location").await.expect(200).text().contains("LocationConstraint"));
    client.delete("/photos").await.expect(204);
    client.delete("/photos").await.refused(404, "NoSuchBucket");
    client.send("PUT", "/photos").await.expect(200);
}

#[tokio::test]
async fn names_have_rules() {
    let client = Client::new().await;
    for name in ["ab", "Photos", "photos_2026", "-photos", "photos-", "a..b", "192.168.0.1"] {
        client.send("PUT", &format!("/{name}")).await.refused(400, "InvalidBucketName");
    }
    let long = "x".repeat(64);
    client.send("PUT", &format!("/{long}")).await.refused(400, "InvalidBucketName");
    let placed =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    client.put("/photos", placed).await.expect(200);
}

#[tokio::test]
async fn a_folder_at_the_root_is_a_bucket() {
    use entente_model::ItemName;
    use entente_tree::{NameRule, NewFile, NewFolder};
    let client = Client::new().await;
    let (tree, caller) = (&client.stage.tree, client.stage.caller(client.user, UserRole::User));
    let root = tree.root(&caller).await.unwrap();
    let new = NewFolder::named(ItemName::new("reports").unwrap());
    let folder = tree.create_folder(&caller, root, new, NameRule::CaseInsensitive).await.unwrap().item.id;
    let file = NewFile {
        name: ItemName::new("May.pdf").unwrap(),
        content_created_at: None,
        content_modified_at: None,
        size_max: 1 << 20,
        expected_sha1: None,
    };
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"pdf"))]);
    tree.upload(&caller, folder, file, NameRule::CaseInsensitive, body).await.unwrap();
    assert_eq!(client.get("/").await.expect(200).elements("Name"), ["reports"]);
    let got = client.get("/reports/May.pdf").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("content-type")), (b"pdf".as_slice(), "application/pdf"));
    assert!(got.header("etag").ends_with("-1\""), "no client takes it for an MD5: {got:?}");
    client.put("/reports/June.pdf", "june").await.expect(200);
    let children = tree.children(&caller, folder, None, 10).await.unwrap();
    let names: Vec<_> = children.iter().map(|child| child.view.item.name.as_str()).collect();
    assert_eq!(names, ["June.pdf", "May.pdf"]);
    client.delete("/reports").await.refused(409, "BucketNotEmpty");
}
