//! Listings, page by page.

use crate::harness::{Answer, Client};

async fn with_keys(keys: &[&str]) -> Client {
    let client = Client::with_bucket().await;
    for key in keys {
        client.put(&format!("/box/{key}"), "x").await.expect(200);
    }
    client
}

fn prefixes(answer: &Answer) -> Vec<String> {
    let text = answer.text();
    let common = text.split("<CommonPrefixes>").skip(1);
    common.map(|rest| rest.split_once("<Prefix>").unwrap().1.split_once('<').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn keys_are_in_the_order_of_their_bytes() {
    let client = with_keys(&["b", "a/b", "a", "a!", "a//c", "B", "%C3%BC"]).await;
    let listed = client.get("/box?list-type=2").await.expect(200);
    assert_eq!(listed.elements("Key"), ["B", "a", "a!", "a//c", "a/b", "b", "ü"]);
    assert_eq!(listed.element("KeyCount").as_deref(), Some("7"));
    assert_eq!(listed.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!(listed.element("Size").as_deref(), Some("1"));
    assert!(listed.elements("Owner").is_empty() && listed.element("ETag").unwrap().starts_with('"'));
    let owned = client.get("/box?list-type=2&fetch-owner=true").await.expect(200);
    assert_eq!(owned.elements("Owner").len(), 7);
    let first = client.get("/box").await.expect(200);
    assert_eq!(first.elements("Key").len(), 7);
    assert_eq!(first.elements("Owner").len(), 7);
    let spelt = client.get("/box?encoding-type=url").await.expect(200);
    assert_eq!(spelt.elements("Key").last().unwrap(), "%C3%BC");
    client.get("/box?encoding-type=morse").await.refused(400, "InvalidArgument");
    client.get("/nothing").await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn prefixes_and_delimiters_group() {
    let client = with_keys(&["a/1", "a/2/3", "b", "c-1", "c-2"]).await;
    let root = client.get("/box?list-type=2&delimiter=/").await.expect(200);
    assert_eq!(
        (root.elements("Key"), prefixes(&root)),
        (vec!["b".into(), "c-1".into(), "c-2".into()], vec!["a/".into()])
    );
    let below = client.get("/box?delimiter=/&prefix=a/").await.expect(200);
    assert_eq!((below.elements("Key"), prefixes(&below)), (vec!["a/1".into()], vec!["a/2/".into()]));
    let dashed = client.get("/box?delimiter=-&prefix=c").await.expect(200);
    assert_eq!((dashed.elements("Key").len(), prefixes(&dashed)), (0, vec!["c-".into()]));
    let none = client.get("/box?prefix=zzz").await.expect(200);
    assert!(none.elements("Key").is_empty());
    let empty = client.get("/box?delimiter=").await.expect(200);
    assert_eq!(empty.elements("Key").len(), 5);
    for listing in ["", "list-type=2&", "versions&", "uploads&"] {
        let empty = client.get(&format!("/box?{listing}delimiter=")).await.expect(200);
        assert!(!empty.text().contains("Delimiter"), "{empty:?}");
    }
}

#[tokio::test]
async fn pages_follow_one_another() {
    let keys: Vec<String> = (0..25).map(|number| format!("k{number:02}")).collect();
    let client = with_keys(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let next = if token.is_empty() { String::new() } else { format!("&continuation-token={token}") };
        let page = client.get(&format!("/box?list-type=2&max-keys=10{next}")).await.expect(200);
        found.extend(page.elements("Key"));
        match page.element("NextContinuationToken") {
            Some(next) => token = next,
            None => break,
        }
        assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    }
    assert_eq!(found, keys);
    let (mut found, mut marker) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/box?max-keys=7&marker={marker}")).await.expect(200);
        found.extend(page.elements("Key"));
        if page.element("IsTruncated").as_deref() == Some("false") {
            break;
        }
        marker = found.last().unwrap().clone();
    }
    assert_eq!(found, keys);
    let after = client.get("/box?list-type=2&start-after=k22").await.expect(200);
    assert_eq!(after.elements("Key"), ["k23", "k24"]);
    let none = client.get("/box?max-keys=0").await.expect(200);
    assert!(none.elements("Key").is_empty() && none.element("IsTruncated").as_deref() == Some("false"));
    client.get("/box?max-keys=-1").await.refused(400, "InvalidArgument");
    let odd = client.get("/box?max-keys=many").await;
    assert_eq!(odd.status, 400, "{odd:?}");
    let first = client.get("/box?list-type=2&continuation-token=").await.expect(200);
    assert_eq!(first.elements("Key"), keys);
    let is_echoed = first.element("ContinuationToken").is_some_and(|token| token.is_empty());
    assert!(is_echoed || first.text().contains("<ContinuationToken/>"), "{first:?}");
    client.get("/box?list-type=2&continuation-token=!").await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn folders_of_other_doors_are_prefixes() {
    use entente_model::{ItemName, UserRole};
    use entente_tree::{NameRule, NewFolder};
    let client = Client::with_bucket().await;
    let caller = client.stage.caller(client.user, UserRole::User);
    let bucket = client.stage.tree.bucket(&caller, "box").await.unwrap().item;
    let new = NewFolder::named(ItemName::new("empty").unwrap());
    client.stage.tree.create_folder(&caller, bucket, new, NameRule::CaseInsensitive).await.unwrap();
    let all = client.get("/box").await.expect(200);
    assert!(all.elements("Key").is_empty(), "{all:?}");
    assert_eq!(prefixes(&client.get("/box?delimiter=/").await.expect(200)), ["empty/"]);
    client.delete("/box").await.refused(409, "BucketNotEmpty");
}
