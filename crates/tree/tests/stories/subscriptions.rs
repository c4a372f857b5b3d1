//! Who is told of what changes below a bucket, whichever way it changes.

use crate::desk::{Desk, RULE, body, name, new_file, renamed};
use crate::paths::{names, s3, s3_remove};
use entente_database::Tx;
use entente_database::deliveries::{self, Delivery};
use entente_model::{ItemId, Md5};
use entente_tree::{
    BucketVersioning, CopyTo, Error, Facts, Finished, Happening, Happenings, ItemChange, Kind, Manner, Path, Prune,
    PutAt, RestoreTo, Subscription, TELL_BELOW_JOB, Want, WantedVersion, Wish, Wishes, Wording,
};
use futures_util::future::{join, join_all};
use std::time::Duration;

const SETTING: &str = "notification";

fn wish(target: &str, happenings: &[Happening], prefix: &str) -> Wish {
    Wish {
        name: format!("for {target}"),
        target: target.to_owned(),
        happenings: happenings.iter().copied().collect(),
        prefix: prefix.to_owned(),
        suffix: String::new(),
    }
}

fn wishes(wishes: Vec<Wish>) -> Wishes {
    let value = (!wishes.is_empty()).then(|| "as it was said".to_owned());
    Wishes { wording: Wording::S3, wishes, setting: SETTING, value }
}

/// A desk with a bucket of which `here` is told everything.
async fn watched() -> (Desk, ItemId) {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    let everything = wish("here", &Happening::ALL, "");
    desk.tree.set_wishes(&desk.anna, "bucket", wishes(vec![everything])).await.expect("wishes");
    assert_eq!(told(&desk, "here").await, [(Happening::Trial, String::new())]);
    (desk, bucket)
}

/// Takes what is to be told, one by one of each path, until nothing is left.
async fn deliveries_of(desk: &Desk, target: &'static str) -> Vec<Delivery> {
    let mut all = Vec::new();
    loop {
        let (now, until) = (desk.stage.world.now(), desk.stage.world.now());
        let take = move |tx: &mut Tx<'_>| {
            let taken = deliveries::take(tx, target, now, until, 100)?;
            let taken = taken.deliveries;
            for delivery in &taken {
                assert!(deliveries::told(tx, delivery, now)?);
            }
            Ok::<_, entente_database::Error>(taken)
        };
        let taken = desk.stage.database.transact("take all", take).await.expect("taken");
        if taken.is_empty() {
            // A move is one event at two paths.
            all.sort_by_key(|delivery: &Delivery| (delivery.id.number, delivery.happening != Happening::Removed));
            return all;
        }
        all.extend(taken);
    }
}

async fn told(desk: &Desk, target: &'static str) -> Vec<(Happening, String)> {
    deliveries_of(desk, target).await.into_iter().map(|delivery| (delivery.happening, delivery.told.key)).collect()
}

/// Does what the jobs would do that tell of folders.
async fn tell_of_folders(desk: &Desk) {
    loop {
        let now = desk.stage.world.now();
        let take = move |tx: &mut Tx<'_>| entente_database::jobs::take(tx, now, now, 100);
        let jobs = desk.stage.database.transact("take jobs", take).await.expect("jobs");
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            if job.kind == TELL_BELOW_JOB {
                // Twice: a job may run again.
                for _ in 0..2 {
                    let mut telling = Some(desk.tree.begin_telling(&job.payload).expect("a telling"));
                    while let Some(begun) = telling {
                        telling = desk.tree.tell_below(&job.payload, begun).await.expect("told");
                    }
                }
            }
            let complete = move |tx: &mut Tx<'_>| entente_database::jobs::complete(tx, &job);
            desk.stage.database.transact("complete job", complete).await.expect("complete");
        }
    }
}

fn with_facts(tags: &[(&str, &str)]) -> PutAt {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let facts = Facts { tags, ..Facts::default() };
    PutAt { finish: Box::new(move || Ok(Finished { md5: Some(Md5([7; 16])), facts })), ..s3() }
}

#[tokio::test]
async fn changes_by_path_are_told_with_what_is_there() {
    let (desk, bucket) = watched().await;
    let key = names("a/b");
    let path = Path { base: bucket, names: &key };
    desk.tree.put_at(&desk.anna, path, with_facts(&[]), body(b"hello")).await.expect("put");
    let form = desk.tree.in_manner(Manner::Form);
    form.put_at(&desk.anna, path, with_facts(&[]), body(b"posted")).await.expect("posted");
    let retag = |facts: &mut Facts| {
        facts.tags = vec![("colour".to_owned(), "blue".to_owned())];
        Ok(())
    };
    desk.tree.set_facts_at(&desk.anna, (path, None), retag).await.expect("tagged");
    let untag = |facts: &mut Facts| {
        facts.tags.clear();
        Ok(())
    };
    desk.tree.set_facts_at(&desk.anna, (path, None), untag).await.expect("untagged");
    desk.tree.remove_at(&desk.anna, path, Want::File, s3_remove()).await.expect("removed");
    let all = deliveries_of(&desk, "here").await;
    let what: Vec<_> = all.iter().map(|delivery| delivery.happening).collect();
    let expected = [Happening::Put, Happening::Posted, Happening::Tagged, Happening::Untagged, Happening::Removed];
    assert_eq!(what, expected);
    assert!(all.iter().all(|delivery| delivery.told.key == "a/b" && delivery.told.bucket == "bucket"));
    let put = &all[0].told;
    assert_eq!((put.size, put.etag.as_deref(), &put.version), (Some(5), Some("07".repeat(16).as_str()), &None));
    assert_eq!((put.name.as_str(), put.user), ("for here", desk.anna.user.number()));
}

#[tokio::test]
async fn in_a_bucket_that_keeps_versions_they_are_named() {
    let (desk, bucket) = watched().await;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("versions");
    let key = names("k");
    let path = Path { base: bucket, names: &key };
    let put = desk.tree.put_at(&desk.anna, path, s3(), body(b"1")).await.expect("put");
    let version = put.object.view.version.expect("a version").id;
    let expiring = desk.tree.in_manner(Manner::Expiry);
    let removed = expiring.remove_at(&desk.anna, path, Want::File, s3_remove()).await.expect("removed");
    let marker = removed.marker.expect("a marker");
    desk.tree.remove_version_at(&desk.anna, path, marker, Prune::Implied).await.expect("back");
    let id = WantedVersion::Id(version);
    desk.tree.remove_version_at(&desk.anna, path, id, Prune::Implied).await.expect("gone");
    let all = deliveries_of(&desk, "here").await;
    let what: Vec<_> = all.into_iter().map(|delivery| (delivery.happening, delivery.told.version)).collect();
    let expected = [
        (Happening::Put, Some(id.to_string())),
        (Happening::ExpiryMarked, Some(marker.to_string())),
        (Happening::Removed, Some(marker.to_string())),
        (Happening::Removed, Some(id.to_string())),
    ];
    assert_eq!(what, expected);
}

#[tokio::test]
async fn changes_by_id_are_told_by_the_paths_that_they_mean() {
    let (desk, bucket) = watched().await;
    let outside = desk.folder(desk.root, "elsewhere").await;
    let file = desk.file(bucket, "one", b"1").await.item.id;
    desk.version(file, b"22").await;
    desk.update(file, Kind::File, renamed("two")).await.expect("renamed");
    let to = CopyTo { parent: bucket, name: Some(name("three")), version: None };
    desk.tree.copy(&desk.anna, file, Kind::File, to, RULE).await.expect("a copy");
    let away = ItemChange { parent: Some(outside), ..ItemChange::default() };
    desk.update(file, Kind::File, away).await.expect("moved away");
    let again = ItemChange { parent: Some(bucket), ..ItemChange::default() };
    desk.update(file, Kind::File, again).await.expect("moved back");
    desk.trash(file, Kind::File).await;
    desk.tree.restore(&desk.anna, file, Kind::File, RestoreTo::default(), RULE).await.expect("restored");
    let expected = [
        (Happening::Put, "one"),
        (Happening::Put, "one"),
        (Happening::Removed, "one"),
        (Happening::Copied, "two"),
        (Happening::Copied, "three"),
        (Happening::Removed, "two"),
        (Happening::Copied, "two"),
        (Happening::Removed, "two"),
        (Happening::Put, "two"),
    ];
    assert_eq!(told(&desk, "here").await, expected.map(|(what, key)| (what, key.to_owned())));
    // What is described, and what is elsewhere, concerns nobody.
    desk.update(file, Kind::File, ItemChange { description: Some("x".to_owned()), ..ItemChange::default() })
        .await
        .expect("described");
    desk.file(outside, "nobody's", b"x").await;
    assert_eq!(told(&desk, "here").await, []);
}

#[tokio::test]
async fn of_a_folder_each_file_below_it_is_told() {
    let (desk, bucket) = watched().await;
    let folder = desk.folder(bucket, "f").await;
    let deeper = desk.folder(folder, "g").await;
    desk.file(folder, "a", b"a").await;
    desk.file(deeper, "b", b"bb").await;
    desk.folder(deeper, "empty").await;
    told(&desk, "here").await;
    desk.update(folder, Kind::Folder, renamed("r")).await.expect("renamed");
    tell_of_folders(&desk).await;
    let sorted = async || {
        let mut all = told(&desk, "here").await;
        all.sort_by(|one, other| (&one.1, format!("{:?}", one.0)).cmp(&(&other.1, format!("{:?}", other.0))));
        all
    };
    let all = |some: [(Happening, &str); 4]| some.map(|(what, key)| (what, key.to_owned()));
    let moved = [
        (Happening::Removed, "f/a"),
        (Happening::Removed, "f/g/b"),
        (Happening::Copied, "r/a"),
        (Happening::Copied, "r/g/b"),
    ];
    assert_eq!(sorted().await, all(moved));
    desk.trash(folder, Kind::Folder).await;
    tell_of_folders(&desk).await;
    desk.tree.restore(&desk.anna, folder, Kind::Folder, RestoreTo::default(), RULE).await.expect("restored");
    tell_of_folders(&desk).await;
    let back = [
        (Happening::Put, "r/a"),
        (Happening::Removed, "r/a"),
        (Happening::Put, "r/g/b"),
        (Happening::Removed, "r/g/b"),
    ];
    assert_eq!(sorted().await, all(back));
    let to = CopyTo { parent: bucket, name: Some(name("c")), version: None };
    desk.tree.copy(&desk.anna, folder, Kind::Folder, to, RULE).await.expect("a copy");
    tell_of_folders(&desk).await;
    let copied = [(Happening::Copied, "c/a".to_owned()), (Happening::Copied, "c/g/b".to_owned())];
    assert_eq!(sorted().await, copied);
}

#[tokio::test]
async fn what_happened_since_is_not_undone_by_what_is_told_late() {
    let (desk, bucket) = watched().await;
    let folder = desk.folder(bucket, "f").await;
    desk.file(folder, "a", b"old").await;
    desk.trash(folder, Kind::Folder).await;
    let key = names("f/a");
    desk.tree.put_at(&desk.anna, Path { base: bucket, names: &key }, s3(), body(b"new")).await.expect("put");
    tell_of_folders(&desk).await;
    let expected = [(Happening::Put, "f/a".to_owned()), (Happening::Put, "f/a".to_owned())];
    assert_eq!(told(&desk, "here").await, expected);
}

#[tokio::test]
async fn a_folder_that_is_purged_at_once_is_told_all_the_same() {
    let (desk, bucket) = watched().await;
    let outer = desk.folder(bucket, "o").await;
    let folder = desk.folder(outer, "f").await;
    desk.file(folder, "a", b"a").await;
    told(&desk, "here").await;
    desk.update(folder, Kind::Folder, renamed("r")).await.expect("renamed");
    desk.trash(outer, Kind::Folder).await;
    desk.tree.purge(&desk.anna, outer, Kind::Folder).await.expect("purged");
    for item in [outer, folder] {
        assert!(desk.tree.is_to_be_told(item).expect("whether"));
    }
    assert!(!desk.tree.purge_batch(outer, 500).await.expect("a batch"), "it is still to be told of");
    tell_of_folders(&desk).await;
    assert!(desk.tree.purge_batch(outer, 500).await.expect("a batch"));
    let all = told(&desk, "here").await;
    for key in ["o/f/a", "o/r/a"] {
        assert!(all.contains(&(Happening::Removed, key.to_owned())), "{key} is not in {all:?}");
    }
}

#[tokio::test]
async fn each_is_told_what_it_asked_for_and_nothing_more_when_it_does_not_ask_any_more() {
    let (desk, bucket) = watched().await;
    let some = vec![
        wish("photos", &[Happening::Put], "photos/"),
        wish("gone", &[Happening::Removed], ""),
        wish("here", &Happening::ALL, ""),
    ];
    let before = desk.tree.wishes(&desk.anna, "bucket").await.expect("wishes");
    desk.tree.set_wishes(&desk.anna, "bucket", wishes(some)).await.expect("wishes");
    let after = desk.tree.wishes(&desk.anna, "bucket").await.expect("wishes");
    let ids = |wishes: &[Subscription]| wishes.iter().map(|wish| wish.id).collect::<Vec<_>>();
    assert_eq!(ids(&after)[..1], ids(&before)[..], "what was there stays");
    for target in ["photos", "gone"] {
        assert_eq!(told(&desk, target).await, [(Happening::Trial, String::new())]);
    }
    let folder = desk.folder(bucket, "photos").await;
    let file = desk.file(folder, "a", b"a").await.item.id;
    desk.file(bucket, "b", b"b").await;
    desk.trash(file, Kind::File).await;
    assert_eq!(told(&desk, "photos").await, [(Happening::Put, "photos/a".to_owned())]);
    assert_eq!(told(&desk, "gone").await, [(Happening::Removed, "photos/a".to_owned())]);
    desk.tree.set_wishes(&desk.anna, "bucket", wishes(Vec::new())).await.expect("no wishes");
    assert_eq!(desk.tree.bucket_setting(&desk.anna, "bucket", SETTING).await.expect("a bucket"), None);
    told(&desk, "here").await;
    desk.file(bucket, "c", b"c").await;
    assert_eq!(told(&desk, "here").await, []);
}

#[tokio::test]
async fn wishes_are_the_owners_and_bounded() {
    let (desk, _) = watched().await;
    let refused = desk.tree.set_wishes(&desk.ben, "bucket", wishes(Vec::new())).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    let many = (0..101).map(|number| wish(&format!("t{number}"), &[Happening::Put], "")).collect();
    assert!(matches!(desk.tree.set_wishes(&desk.anna, "bucket", wishes(many)).await, Err(Error::Invalid(_))));
    assert_eq!(desk.tree.wishes(&desk.anna, "bucket").await.expect("wishes").len(), 1);
    assert!(!Happenings::default().has(Happening::Put));
}

#[tokio::test]
async fn a_change_that_fails_is_not_told() {
    let (desk, bucket) = watched().await;
    desk.file(bucket, "one", b"1").await;
    told(&desk, "here").await;
    let refused = desk.tree.upload(&desk.anna, bucket, new_file("ONE"), RULE, body(b"2")).await;
    assert!(matches!(refused, Err(Error::NameInUse { .. })));
    let key = names("k");
    let path = Path { base: bucket, names: &key };
    let finish = || Err(Error::Invalid("as it turned out"));
    let put = PutAt { finish: Box::new(finish), ..s3() };
    assert!(desk.tree.put_at(&desk.anna, path, put, body(b"3")).await.is_err());
    assert_eq!(told(&desk, "here").await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_happens_at_once_at_one_path_is_told_wholly_and_in_an_order() {
    const PUTS: usize = 24;
    let (desk, bucket) = watched().await;
    let key = names("k");
    let puts = (0..PUTS).map(|number| {
        let (desk, key) = (&desk, &key);
        async move {
            let path = Path { base: bucket, names: key };
            desk.tree.put_at(&desk.anna, path, s3(), body(format!("{number}").as_bytes())).await.expect("put");
        }
    });
    let telling = async {
        let mut all = Vec::new();
        let give_up = desk.stage.world.instant() + Duration::from_secs(60);
        while all.len() < PUTS {
            assert!(desk.stage.world.instant() < give_up, "{} of {PUTS} were told", all.len());
            let taken = deliveries_of(&desk, "here").await;
            all.extend(taken.into_iter().map(|delivery| delivery.id.number));
            tokio::task::yield_now().await;
        }
        all
    };
    let (_, all) = join(join_all(puts), telling).await;
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
}
