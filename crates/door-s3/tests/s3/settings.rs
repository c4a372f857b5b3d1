//! Settings of buckets.

use crate::harness::Client;

#[tokio::test]
async fn what_is_kept_is_given_back() {
    let client = Client::with_bucket().await;
    client.get("/box?tagging").await.refused(404, "NoSuchTagSet");
    let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    client.put("/box?tagging", tags).await.expect(200);
    assert_eq!(client.get("/box?tagging").await.expect(200).element("Value").as_deref(), Some("v"));
    client.delete("/box?tagging").await.expect(204);
    client.get("/box?tagging").await.refused(404, "NoSuchTagSet");

    let first = client.get("/box?publicAccessBlock").await.expect(200);
    assert_eq!(first.element("RestrictPublicBuckets").as_deref(), Some("true"));
    let block =
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    client.put("/box?publicAccessBlock", block).await.expect(200);
    let told = client.get("/box?publicAccessBlock").await.expect(200);
    assert_eq!(told.element("BlockPublicAcls").as_deref(), Some("true"));
    assert_eq!(told.element("IgnorePublicAcls").as_deref(), Some("false"));
    client.delete("/box?publicAccessBlock").await.expect(204);
    client.get("/box?publicAccessBlock").await.refused(404, "NoSuchPublicAccessBlockConfiguration");
    client.get("/nothing?tagging").await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn what_is_always_so_is_told() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    let user = client.user.to_string();
    for target in ["/box?acl", "/box/a?acl"] {
        let acl = client.get(target).await.expect(200);
        assert_eq!(acl.elements("Permission"), ["FULL_CONTROL"]);
        assert_eq!(acl.elements("ID"), [user.clone(), user.clone()]);
        let own = format!(
            "<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xsi:type=\"CanonicalUser\"><ID>{user}</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>\
             </AccessControlList><Owner><ID>{user}</ID></Owner></AccessControlPolicy>"
        );
        client.put(target, &own).await.expect(200);
        client.put(target, own.replace("FULL_CONTROL", "READ")).await.refused(400, "AccessControlListNotSupported");
        client.ask("PUT", target).header("x-amz-acl", "private").send().await.expect(200);
        let public = client.ask("PUT", target).header("x-amz-acl", "public-read").send().await;
        public.refused(400, "AccessControlListNotSupported");
    }
    let encryption = client.get("/box?encryption").await.expect(200);
    assert_eq!(encryption.element("SSEAlgorithm").as_deref(), Some("AES256"));
    let kms = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
               <SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>\
               </ServerSideEncryptionConfiguration>";
    client.put("/box?encryption", kms).await.refused(501, "NotImplemented");
    client.put("/box?encryption", kms.replace("aws:kms", "AES256")).await.expect(200);
    let ownership = client.get("/box?ownershipControls").await.expect(200);
    assert_eq!(ownership.element("ObjectOwnership").as_deref(), Some("BucketOwnerEnforced"));
    assert_eq!(client.get("/box?requestPayment").await.expect(200).element("Payer").as_deref(), Some("BucketOwner"));
    for (what, code) in [
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("cors", "NoSuchCORSConfiguration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("replication", "ReplicationConfigurationNotFoundError"),
    ] {
        client.get(&format!("/box?{what}")).await.refused(404, code);
    }
    for what in ["notification", "logging", "accelerate"] {
        client.get(&format!("/box?{what}")).await.expect(200);
    }
}
