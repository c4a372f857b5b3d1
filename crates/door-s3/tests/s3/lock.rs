//! Objects that may not be deleted.

use crate::harness::Client;

const DATE: &str = "2099-01-01T00:00:00.000Z";
const EARLIER: &str = "2098-01-01T00:00:00.000Z";

async fn locked() -> Client {
    let client = Client::with_bucket().await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client.put("/box?versioning", versioning).await.expect(200);
    client.put("/box?object-lock", configuration("")).await.expect(200);
    client
}

fn configuration(rule: &str) -> String {
    format!("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>")
}

fn rule(mode: &str, period: &str) -> String {
    configuration(&format!("<Rule><DefaultRetention><Mode>{mode}</Mode>{period}</DefaultRetention></Rule>"))
}

fn retention(mode: &str, date: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{date}</RetainUntilDate></Retention>")
}

async fn put(client: &Client, key: &str) -> String {
    client.put(&format!("/box/{key}"), "x").await.expect(200).header("x-amz-version-id").to_owned()
}

#[tokio::test]
async fn a_bucket_is_made_for_it_or_told_later() {
    let client = Client::with_bucket().await;
    client.get("/box?object-lock").await.refused(404, "ObjectLockConfigurationNotFoundError");
    client.put("/box?object-lock", configuration("")).await.refused(409, "InvalidBucketState");
    let made = client.ask("PUT", "/locked").header("x-amz-bucket-object-lock-enabled", "true").send().await;
    made.expect(200);
    let told = client.get("/locked?object-lock").await.expect(200);
    assert_eq!(told.element("ObjectLockEnabled").as_deref(), Some("Enabled"));
    assert_eq!(told.element("Mode"), None);
    assert_eq!(client.get("/locked?versioning").await.expect(200).element("Status").as_deref(), Some("Enabled"));
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    client.put("/locked?versioning", suspended).await.refused(409, "InvalidBucketState");
    client.put("/locked?object-lock", rule("COMPLIANCE", "<Years>2</Years>")).await.expect(200);
    let told = client.get("/locked?object-lock").await.expect(200);
    assert_eq!(told.element("Mode").as_deref(), Some("COMPLIANCE"));
    assert_eq!((told.element("Years").as_deref(), told.element("Days")), (Some("2"), None));
    for (body, status, code) in [
        (rule("COMPLIANCE", "<Years>1</Years><Days>1</Days>"), 400, "MalformedXML"),
        (rule("SOMETIMES", "<Days>1</Days>"), 400, "MalformedXML"),
        (rule("GOVERNANCE", "<Days>0</Days>"), 400, "InvalidRetentionPeriod"),
        (rule("GOVERNANCE", "<Years>-1</Years>"), 400, "InvalidRetentionPeriod"),
        (configuration("").replace("Enabled</", "Disabled</"), 400, "MalformedXML"),
        (String::new(), 400, "MalformedXML"),
    ] {
        client.put("/locked?object-lock", body).await.refused(status, code);
    }
}

#[tokio::test]
async fn compliance_gives_way_to_nobody() {
    let client = locked().await;
    let version = put(&client, "a").await;
    client.get("/box/a?retention").await.refused(404, "NoSuchObjectLockConfiguration");
    client.put("/box/a?retention", retention("COMPLIANCE", DATE)).await.expect(200);
    let told = client.get("/box/a?retention").await.expect(200);
    assert_eq!(told.element("Mode").as_deref(), Some("COMPLIANCE"));
    assert_eq!(told.element("RetainUntilDate").as_deref(), Some(DATE));
    let head = client.send("HEAD", "/box/a").await.expect(200);
    assert_eq!(head.header("x-amz-object-lock-mode"), "COMPLIANCE");
    assert_eq!(head.header("x-amz-object-lock-retain-until-date"), DATE);
    let target = format!("/box/a?versionId={version}");
    for bypass in ["false", "true"] {
        let bypassing =
            |method: &str, target: &str| client.ask(method, target).header("x-amz-bypass-governance-retention", bypass);
        bypassing("DELETE", &target).send().await.refused(403, "AccessDenied");
        for shorter in [retention("COMPLIANCE", EARLIER), retention("GOVERNANCE", DATE), "<Retention/>".to_owned()] {
            bypassing("PUT", "/box/a?retention").body(shorter).send().await.refused(403, "AccessDenied");
        }
    }
    // A delete marker takes nothing away.
    let marker = client.delete("/box/a").await.expect(204).header("x-amz-version-id").to_owned();
    client.delete(&target).await.refused(403, "AccessDenied");
    client.delete(&format!("/box/a?versionId={marker}")).await.expect(204);
    assert_eq!(client.get(&target).await.expect(200).body, "x");
    client.delete("/box").await.refused(409, "BucketNotEmpty");
    let longer = "2100-06-01T00:00:00.000Z";
    client.put("/box/a?retention", retention("COMPLIANCE", longer)).await.expect(200);
    assert_eq!(client.get("/box/a?retention").await.expect(200).element("RetainUntilDate").as_deref(), Some(longer));
}

#[tokio::test]
async fn governance_gives_way_to_a_header() {
    let client = locked().await;
    let version = put(&client, "a").await;
    client.put("/box/a?retention", retention("GOVERNANCE", DATE)).await.expect(200);
    let target = format!("/box/a?versionId={version}");
    client.delete(&target).await.refused(403, "AccessDenied");
    client.put("/box/a?retention", retention("GOVERNANCE", EARLIER)).await.refused(403, "AccessDenied");
    let bypassing =
        |method: &str, target: &str| client.ask(method, target).header("x-amz-bypass-governance-retention", "true");
    bypassing("PUT", "/box/a?retention").body(retention("GOVERNANCE", EARLIER)).send().await.expect(200);
    let many = format!("<Delete><Object><Key>a</Key><VersionId>{version}</VersionId></Object></Delete>");
    let refused = client.ask("POST", "/box?delete").body(many.clone()).send().await.expect(200);
    assert_eq!(refused.element("Code").as_deref(), Some("AccessDenied"));
    let deleted = bypassing("POST", "/box?delete").body(many).send().await.expect(200);
    assert_eq!((deleted.element("Code"), deleted.element("Key").as_deref()), (None, Some("a")));
    client.get(&target).await.refused(404, "NoSuchVersion");
}

#[tokio::test]
async fn a_hold_ends_when_somebody_says_so() {
    let client = locked().await;
    let version = put(&client, "a").await;
    let hold = |status: &str| format!("<LegalHold><Status>{status}</Status></LegalHold>");
    client.get("/box/a?legal-hold").await.refused(404, "NoSuchObjectLockConfiguration");
    client.put("/box/a?legal-hold", hold("on")).await.refused(400, "MalformedXML");
    client.put("/box/a?legal-hold", hold("ON")).await.expect(200);
    assert_eq!(client.get("/box/a?legal-hold").await.expect(200).element("Status").as_deref(), Some("ON"));
    assert_eq!(client.send("HEAD", "/box/a").await.expect(200).header("x-amz-object-lock-legal-hold"), "ON");
    let target = format!("/box/a?versionId={version}");
    let bypassing = client.ask("DELETE", &target).header("x-amz-bypass-governance-retention", "true");
    bypassing.send().await.refused(403, "AccessDenied");
    client.put("/box/a?legal-hold", hold("OFF")).await.expect(200);
    assert_eq!(client.get("/box/a?legal-hold").await.expect(200).element("Status").as_deref(), Some("OFF"));
    client.delete(&target).await.expect(204);
}

#[tokio::test]
async fn what_is_put_says_how_it_is_kept() {
    let client = locked().await;
    let with = |method: &str, target: &str| {
        let asked = client.ask(method, target).header("x-amz-object-lock-mode", "GOVERNANCE");
        asked.header("x-amz-object-lock-retain-until-date", DATE).header("x-amz-object-lock-legal-hold", "ON")
    };
    let is_kept = async |key: &str| {
        let head = client.send("HEAD", &format!("/box/{key}")).await.expect(200);
        let told = (head.header("x-amz-object-lock-mode"), head.header("x-amz-object-lock-legal-hold"));
        told == ("GOVERNANCE", "ON")
    };
    with("PUT", "/box/a").body("x").send().await.expect(200);
    assert!(is_kept("a").await);
    // A copy is kept as it is asked for itself.
    client.ask("PUT", "/box/b").header("x-amz-copy-source", "/box/a").send().await.expect(200);
    assert!(!is_kept("b").await);
    with("PUT", "/box/b").header("x-amz-copy-source", "/box/a").send().await.expect(200);
    assert!(is_kept("b").await);
    let upload = with("POST", "/box/c?uploads").send().await.expect(200).element("UploadId").unwrap();
    let etag = client.put(&format!("/box/c?partNumber=1&uploadId={upload}"), "x").await.expect(200);
    let parts = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        etag.header("etag").trim_matches('"')
    );
    client.ask("POST", &format!("/box/c?uploadId={upload}")).body(parts).send().await.expect(200);
    assert!(is_kept("c").await);
    // The default, for what says nothing.
    client.put("/box?object-lock", rule("COMPLIANCE", "<Days>1</Days>")).await.expect(200);
    put(&client, "d").await;
    let head = client.send("HEAD", "/box/d").await.expect(200);
    assert_eq!(
        (head.header("x-amz-object-lock-mode"), head.header("x-amz-object-lock-legal-hold")),
        ("COMPLIANCE", "")
    );
    for (name, value) in [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", DATE),
        ("x-amz-object-lock-legal-hold", "perhaps"),
    ] {
        let put = client.ask("PUT", "/box/e").header(name, value).body("x").send().await;
        put.refused(400, "InvalidArgument");
    }
    let late = client.ask("PUT", "/box/e").header("x-amz-object-lock-mode", "GOVERNANCE");
    let late = late.header("x-amz-object-lock-retain-until-date", "2001-01-01T00:00:00Z").body("x").send().await;
    late.refused(400, "InvalidArgument");
    client.get("/box/e").await.refused(404, "NoSuchKey");
    client
        .put("/box/d?retention", retention("GOVERNANCE", "2001-01-01T00:00:00Z"))
        .await
        .refused(400, "InvalidArgument");
    for odd in [retention("SOMETIMES", DATE), "<Retention><Mode>GOVERNANCE</Mode></Retention>".to_owned()] {
        client.put("/box/d?retention", odd).await.refused(400, "MalformedXML");
    }
}

#[tokio::test]
async fn elsewhere_nothing_is_kept() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    client.put("/box/a?retention", retention("GOVERNANCE", DATE)).await.refused(400, "InvalidRequest");
    client.get("/box/a?retention").await.refused(400, "InvalidRequest");
    client.put("/box/a?legal-hold", "<LegalHold><Status>ON</Status></LegalHold>").await.refused(400, "InvalidRequest");
    client.get("/box/a?legal-hold").await.refused(400, "InvalidRequest");
    let put = client.ask("PUT", "/box/b").header("x-amz-object-lock-legal-hold", "ON").body("x").send().await;
    put.refused(400, "InvalidRequest");
    client.get("/box/b").await.refused(404, "NoSuchKey");
}
