//! Versions and delete markers.

use crate::harness::Client;

async fn versioned() -> Client {
    let client = Client::with_bucket().await;
    set(&client, "Enabled").await;
    client
}

async fn set(client: &Client, status: &str) {
    let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    client.put("/box?versioning", body).await.expect(200);
}

#[tokio::test]
async fn versioning_is_told() {
    let client = Client::with_bucket().await;
    assert_eq!(client.get("/box?versioning").await.expect(200).element("Status"), None);
    let put = client.put("/box/a", "x").await.expect(200);
    assert_eq!(put.header("x-amz-version-id"), "");
    set(&client, "Enabled").await;
    assert_eq!(client.get("/box?versioning").await.expect(200).element("Status").as_deref(), Some("Enabled"));
    set(&client, "Suspended").await;
    assert_eq!(client.get("/box?versioning").await.expect(200).element("Status").as_deref(), Some("Suspended"));
    let odd = "<VersioningConfiguration><Status>Sometimes</Status></VersioningConfiguration>";
    client.put("/box?versioning", odd).await.refused(400, "IllegalVersioningConfigurationException");
    let mfa =
        "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>";
    client.put("/box?versioning", mfa).await.refused(501, "NotImplemented");
}

#[tokio::test]
async fn versions_stay() {
    let client = versioned().await;
    let first = client.put("/box/a", "one").await.expect(200).header("x-amz-version-id").to_owned();
    let second = client.put("/box/a", "two").await.expect(200).header("x-amz-version-id").to_owned();
    assert!(!first.is_empty() && first != second);
    let got = client.get("/box/a").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("x-amz-version-id")), (b"two".as_slice(), second.as_str()));
    assert_eq!(client.get(&format!("/box/a?versionId={first}")).await.expect(200).body, "one");
    client.get("/box/a?versionId=12345").await.refused(404, "NoSuchVersion");
    for target in ["/box/a?versionId=nonsense", "/box/a?tagging&versionId=nonsense", "/box/a?versionId="] {
        client.get(target).await.refused(400, "InvalidArgument");
    }
    client.send("HEAD", "/box/a?versionId=nonsense").await.expect(400);
    let listed = client.get("/box?versions").await.expect(200);
    assert_eq!(listed.elements("VersionId"), [second.clone(), first.clone()]);
    assert_eq!(listed.elements("IsLatest"), ["true", "false"]);
    let page = client.get("/box?versions&max-keys=1").await.expect(200);
    let (key, version) = (page.element("NextKeyMarker").unwrap(), page.element("NextVersionIdMarker").unwrap());
    let next = client.get(&format!("/box?versions&key-marker={key}&version-id-marker={version}")).await.expect(200);
    assert_eq!(next.elements("VersionId").last(), Some(&first));
    client.delete(&format!("/box/a?versionId={second}")).await.expect(204);
    assert_eq!(client.get("/box/a").await.expect(200).body, "one");
}

#[tokio::test]
async fn deleting_leaves_a_marker() {
    let client = versioned().await;
    let version = client.put("/box/a", "one").await.expect(200).header("x-amz-version-id").to_owned();
    let deleted = client.delete("/box/a").await.expect(204);
    assert_eq!(deleted.header("x-amz-delete-marker"), "true");
    let marker = deleted.header("x-amz-version-id").to_owned();
    let gone = client.get("/box/a").await.refused(404, "NoSuchKey");
    assert_eq!((gone.header("x-amz-delete-marker"), gone.header("x-amz-version-id")), ("true", marker.as_str()));
    assert_eq!(client.get(&format!("/box/a?versionId={version}")).await.expect(200).body, "one");
    let refused = client.get(&format!("/box/a?versionId={marker}")).await.refused(405, "MethodNotAllowed");
    assert_eq!(refused.header("x-amz-delete-marker"), "true");
    assert!(client.get("/box").await.expect(200).elements("Key").is_empty());
    let listed = client.get("/box?versions").await.expect(200);
    assert_eq!((listed.elements("DeleteMarker").len(), listed.elements("Version").len()), (1, 1));
    client.delete("/box").await.refused(409, "BucketNotEmpty");
    let taken = client.delete(&format!("/box/a?versionId={marker}")).await.expect(204);
    assert_eq!(taken.header("x-amz-delete-marker"), "true");
    assert_eq!(client.get("/box/a").await.expect(200).body, "one");
}

#[tokio::test]
async fn while_suspended_there_is_one_null_version() {
    let client = versioned().await;
    let kept = client.put("/box/a", "one").await.expect(200).header("x-amz-version-id").to_owned();
    set(&client, "Suspended").await;
    for body in ["two", "three"] {
        assert_eq!(client.put("/box/a", body).await.expect(200).header("x-amz-version-id"), "null");
    }
    assert_eq!(client.get("/box/a?versionId=null").await.expect(200).body, "three");
    assert_eq!(client.get("/box?versions").await.expect(200).elements("VersionId"), ["null".to_owned(), kept.clone()]);
    client.delete("/box/a?versionId=null").await.expect(204);
    assert_eq!(client.get("/box/a").await.expect(200).header("x-amz-version-id"), kept);
}

#[tokio::test]
async fn tags_and_copies_know_versions() {
    let client = versioned().await;
    let first = client.put("/box/a", "one").await.expect(200).header("x-amz-version-id").to_owned();
    client.put("/box/a", "two").await.expect(200);
    let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    client.put(&format!("/box/a?tagging&versionId={first}"), tags).await.expect(200);
    assert!(client.get("/box/a?tagging").await.expect(200).elements("Tag").is_empty());
    assert_eq!(client.get(&format!("/box/a?tagging&versionId={first}")).await.expect(200).elements("Tag").len(), 1);
    let source = format!("/box/a?versionId={first}");
    let copy = client.ask("PUT", "/box/a").header("x-amz-copy-source", &source).send().await.expect(200);
    assert_eq!(copy.header("x-amz-copy-source-version-id"), first);
    assert_eq!(client.get("/box/a").await.expect(200).body, "one");
}

#[tokio::test]
async fn deleting_what_is_not_there_leaves_a_marker_too() {
    let client = versioned().await;
    let first = client.delete("/box/a/b").await.expect(204);
    assert_eq!(first.header("x-amz-delete-marker"), "true");
    let second = client.delete("/box/a/b").await.expect(204).header("x-amz-version-id").to_owned();
    let first = first.header("x-amz-version-id").to_owned();
    assert_ne!(first, second);
    let listed = client.get("/box?versions").await.expect(200);
    assert_eq!(listed.elements("VersionId"), [second.clone(), first.clone()]);
    assert_eq!(listed.elements("IsLatest"), ["true", "false"]);
    let missing = client.get("/box/a/b").await.refused(404, "NoSuchKey");
    assert_eq!(missing.header("x-amz-version-id"), second);
    assert!(client.get("/box").await.expect(200).elements("Key").is_empty());
    client.delete("/box").await.refused(409, "BucketNotEmpty");
    for marker in [first, second] {
        let gone = client.delete(&format!("/box/a/b?versionId={marker}")).await.expect(204);
        assert_eq!(gone.header("x-amz-delete-marker"), "true");
    }
    assert!(client.get("/box?versions").await.expect(200).elements("VersionId").is_empty());
    // While that is suspended one that bears no id is enough.
    set(&client, "Suspended").await;
    for _ in 0..2 {
        let deleted = client.delete("/box/c").await.expect(204);
        assert_eq!((deleted.header("x-amz-delete-marker"), deleted.header("x-amz-version-id")), ("true", "null"));
    }
    assert_eq!(client.get("/box?versions").await.expect(200).elements("VersionId"), ["null"]);
    client.delete("/box/c?versionId=null").await.expect(204);
    client.delete("/box").await.expect(204);
}
