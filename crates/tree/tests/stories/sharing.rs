//! Buckets that others may use: in whose name things are done, who is remembered, and what becomes of who is in the middle
//! of something when the rules change.

use crate::desk::{Desk, body};
use crate::paths::names;
use entente_database::events;
use entente_model::{ItemId, Timestamp, UserId};
use entente_tree::acl::{Acl, Grant, Grantee, Permission};
use entente_tree::rules::{Circumstances, Deed, Deeds, Effect, Ownership, Pattern, PublicBlock, Rule, Who};
use entente_tree::{
    Caller, Entered, Error, Expect, Finished, Folders, NameRule, Path, Put, PutAt, Question, Scopes, Sight, UserRole,
    Versioning,
};

async fn shared() -> (Desk, ItemId) {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "shared").await.expect("a bucket").item;
    (desk, bucket)
}

fn rule(who: Who, deeds: &[Deed]) -> Rule {
    Rule {
        effect: Effect::Allow,
        who,
        deeds: Deeds::Some(deeds.iter().copied().collect()),
        of_bucket: true,
        keys: vec![Pattern::new("in/*")],
        when: Vec::new(),
    }
}

async fn let_in(desk: &Desk, rules: Vec<Rule>) {
    let changed = desk.tree.change_sharing(&desk.anna, "shared", move |sharing| {
        sharing.rules.clone_from(&rules);
        sharing.block = None;
        Ok(())
    });
    changed.await.expect("changed");
}

async fn enter(desk: &Desk, who: Option<&Caller>, key: &str, deeds: &[Deed]) -> Result<Entered, Error> {
    let names = names(key);
    let circumstances = || Circumstances {
        address: "192.0.2.7".parse().expect("an address"),
        is_secure: true,
        at: Timestamp::from_millis(0),
        words: Vec::new(),
    };
    let key = Some((names.as_slice(), None));
    let question = Question { who, bucket: "shared", key, deeds, circumstances: &circumstances };
    desk.tree.through_bucket(&question).await
}

async fn put(desk: &Desk, caller: &Caller, bucket: ItemId, key: &str) -> Result<Put, Error> {
    let put = PutAt {
        size_max: 1_000,
        content_created_at: None,
        content_modified_at: None,
        expected_sha1: None,
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect: Expect::Anything,
        versioning: Versioning::ByBucket,
        finish: Box::new(|| Ok(Finished::default())),
    };
    desk.tree.put_at(caller, Path { base: bucket, names: &names(key) }, put, body(b"x")).await
}

async fn doers(desk: &Desk, item: ItemId) -> Vec<UserId> {
    desk.stage.database.read_long(move |tx| events::doers(tx, item, 10)).await.expect("events")
}

#[tokio::test]
async fn a_bucket_without_rules_is_its_owners_alone() {
    let (desk, bucket) = shared().await;
    let own = enter(&desk, Some(&desk.anna), "in/a", &[Deed::WriteObject]).await.expect("anna");
    assert_eq!((own.caller, own.bucket.item, own.sight, own.ruled), (desk.anna.clone(), bucket, Sight::Whole, false));
    for who in [Some(&desk.ben), None] {
        for deeds in [&[Deed::ReadObject][..], &[]] {
            assert!(matches!(enter(&desk, who, "in/a", deeds).await, Err(Error::NotFound)));
        }
    }
}

#[tokio::test]
async fn others_act_in_the_owners_name_and_are_remembered() {
    let (desk, bucket) = shared().await;
    let ben = Who::Users([desk.ben.user].into_iter().collect());
    let_in(&desk, vec![rule(ben, &[Deed::WriteObject]), rule(Who::Everyone, &[Deed::WriteObject])]).await;
    for (who, doer) in [(Some(&desk.ben), desk.ben.user), (None, UserId::new(0))] {
        let entered = enter(&desk, who, "in/a", &[Deed::WriteObject]).await.expect("in");
        assert_eq!((entered.caller.user, entered.sight), (desk.anna.user, Sight::Blind));
        assert_eq!(entered.caller.scopes, Scopes::READ.with(Scopes::UPLOAD));
        let made = put(&desk, &entered.caller, bucket, "in/a").await.expect("put");
        assert_eq!(made.object.view.owner.id, desk.anna.user);
        assert_eq!(doers(&desk, made.object.view.item.id).await[0], doer);
        // No more than that.
        assert!(enter(&desk, who, "in/a", &[Deed::WriteObject, Deed::WriteTags]).await.is_err());
        assert!(enter(&desk, who, "out/a", &[Deed::WriteObject]).await.is_err());
    }
    let reader = Caller { scopes: Scopes::READ, ..desk.ben.clone() };
    assert!(matches!(enter(&desk, Some(&reader), "in/a", &[Deed::WriteObject]).await, Err(Error::Forbidden)));
    // Administrators are others too.
    let boss = desk.stage.person("boss@example.com", "Boss", UserRole::Admin).await;
    let boss = desk.stage.caller(boss, UserRole::Admin);
    assert!(enter(&desk, Some(&boss), "in/a", &[Deed::RemoveObject]).await.is_err());
}

#[tokio::test]
async fn whoever_is_in_the_middle_when_rules_change_does_not_finish() {
    let (desk, bucket) = shared().await;
    let_in(&desk, vec![rule(Who::Everyone, &[Deed::WriteObject])]).await;
    let entered = enter(&desk, None, "in/a", &[Deed::WriteObject]).await.expect("in");
    put(&desk, &entered.caller, bucket, "in/a").await.expect("put");
    let_in(&desk, Vec::new()).await;
    assert!(matches!(put(&desk, &entered.caller, bucket, "in/b").await, Err(Error::BusyRetry(_))));
    assert!(matches!(enter(&desk, None, "in/b", &[Deed::WriteObject]).await, Err(Error::NotFound)));
    // What says the same changes nothing, and stops nobody.
    let_in(&desk, vec![rule(Who::Everyone, &[Deed::WriteObject])]).await;
    let entered = enter(&desk, None, "in/b", &[Deed::WriteObject]).await.expect("in");
    let_in(&desk, vec![rule(Who::Everyone, &[Deed::WriteObject])]).await;
    put(&desk, &entered.caller, bucket, "in/b").await.expect("put");
}

#[tokio::test]
async fn only_users_are_named() {
    let (desk, bucket) = shared().await;
    let unknown = Who::Users([UserId::new(7)].into_iter().collect());
    let rules = vec![rule(unknown, &[Deed::ReadObject])];
    let changed = desk.tree.change_sharing(&desk.anna, "shared", move |sharing| {
        sharing.rules.clone_from(&rules);
        Ok(())
    });
    assert!(matches!(changed.await, Err(Error::Invalid(_))));
    let grant = |user| Acl {
        bucket,
        owner: None,
        grants: vec![Grant { to: Grantee::User(user), permission: Permission::Read }],
    };
    desk.tree.check_grants(&desk.anna, &grant(desk.ben.user)).await.expect("a user");
    assert!(desk.tree.check_grants(&desk.anna, &grant(UserId::new(7))).await.is_err());
    let others = desk.tree.change_sharing(&desk.ben, "shared", |_| Ok(()));
    assert!(matches!(others.await, Err(Error::NotFound)));
}

#[tokio::test]
async fn grants_of_an_object_stay_in_their_bucket() {
    let (desk, bucket) = shared().await;
    desk.tree.create_bucket(&desk.anna, "other").await.expect("a bucket");
    for name in ["shared", "other"] {
        let changed = desk.tree.change_sharing(&desk.anna, name, |sharing| {
            sharing.ownership = Some(Ownership::Writer);
            sharing.block = Some(PublicBlock::NONE);
            Ok(())
        });
        changed.await.expect("changed");
    }
    put(&desk, &desk.anna, bucket, "in/a").await.expect("put");
    let acl = Acl { bucket, owner: None, grants: vec![Grant { to: Grantee::Everyone, permission: Permission::Read }] };
    let names = names("in/a");
    let granted = desk.tree.set_facts_at(&desk.anna, (Path { base: bucket, names: &names }, None), move |facts| {
        facts.acl = Some(acl.clone());
        Ok(())
    });
    let folder = granted.await.expect("granted").view.item.parent.expect("a folder");
    enter(&desk, None, "in/a", &[Deed::ReadObject]).await.expect("everybody");
    assert!(enter(&desk, None, "in/b", &[Deed::ReadObject]).await.is_err());
    // The folder goes to another bucket, through another door, and is public there no more.
    let other = desk.tree.bucket(&desk.anna, "other").await.expect("a bucket").item;
    let moved = entente_tree::ItemChange { parent: Some(other), ..entente_tree::ItemChange::default() };
    desk.update(folder, entente_tree::Kind::Folder, moved).await.expect("moved");
    let circumstances = || Circumstances {
        address: "192.0.2.7".parse().expect("an address"),
        is_secure: true,
        at: Timestamp::from_millis(0),
        words: Vec::new(),
    };
    let key = Some((names.as_slice(), None));
    let question =
        Question { who: None, bucket: "other", key, deeds: &[Deed::ReadObject], circumstances: &circumstances };
    assert!(matches!(desk.tree.through_bucket(&question).await, Err(Error::NotFound)));
}
