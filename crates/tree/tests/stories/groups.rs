//! Groups, and who is in them.

use crate::desk::Desk;
use entente_model::{Caller, GroupId, MembershipId, Role, Scopes, UserId, UserRole};
use entente_tree::{
    Error, GroupAudience, GroupChange, GroupPermissions, GroupQuery, Invitee, Kind, MembershipChange, MembershipRole,
    NewCollaboration, NewMembership, PURGE_GROUP_JOB, Seat, UserChange, UserKind,
};

async fn boss(desk: &Desk) -> Caller {
    desk.stage.caller(desk.stage.person("boss@example.com", "Boss", UserRole::Admin).await, UserRole::Admin)
}

fn named(name: &str) -> GroupChange {
    GroupChange { name: Some(name.to_owned()), ..GroupChange::default() }
}

async fn add(
    desk: &Desk,
    by: &Caller,
    group: GroupId,
    user: UserId,
    role: MembershipRole,
) -> Result<MembershipId, Error> {
    let new = NewMembership { group, user, role, permissions: None };
    Ok(desk.tree.add_member(by, new).await?.membership.id)
}

#[tokio::test]
async fn groups_are_made_found_changed_and_removed() {
    let desk = Desk::new().await;
    let (tree, admin) = (&desk.tree, boss(&desk).await);
    let made = tree.create_group(&admin, named("  Ingenieure ")).await.expect("made").group;
    assert_eq!(made.name, "Ingenieure");
    for taken in ["INGENIEURE", "ingenieure"] {
        let outcome = tree.create_group(&admin, named(taken)).await;
        assert!(matches!(outcome, Err(Error::AlreadyExists(_))), "{taken}");
    }
    let other = GroupChange { external_id: Some("ad-1".to_owned()), ..named("Ärzte") };
    let other = tree.create_group(&admin, other).await.expect("made").group;
    let outcome = tree.update_group(&admin, other.id, named("ingenieurE")).await;
    assert!(matches!(outcome, Err(Error::AlreadyExists(_))));
    tree.update_group(&admin, made.id, named("INGENIEURE")).await.expect("its own name in other letters");
    for bad in ["", "  ", "a\nb", "a\r", "a\u{202e}b", "\0", &"x".repeat(256)] {
        assert!(matches!(tree.create_group(&admin, named(bad)).await, Err(Error::Invalid(_))), "{bad:?}");
    }
    let find = async |prefix: &str, external_id: &str| {
        let (prefix, external_id) = (prefix.to_owned(), external_id.to_owned());
        let page = tree.list_groups(&admin, GroupQuery { prefix, external_id, offset: 0, limit: 10 }).await;
        let page = page.expect("a page");
        assert_eq!(page.total_count, page.entries.len() as u64);
        page.entries.into_iter().map(|view| view.group.id).collect::<Vec<_>>()
    };
    assert_eq!(find("", "").await, [made.id, other.id]);
    assert_eq!(find("ing", "").await, [made.id]);
    assert_eq!(find("A\u{308}R", "").await, [other.id]);
    assert_eq!(find("", "ad-1").await, [other.id]);
    assert_eq!(find("", "ad").await, []);
    tree.delete_group(&admin, made.id).await.expect("removed");
    assert!(matches!(tree.group(&admin, made.id).await, Err(Error::NotFound)));
    assert!(matches!(tree.delete_group(&admin, made.id).await, Err(Error::NotFound)));
    assert_eq!(find("", "").await, [other.id]);
    tree.create_group(&admin, named("ingenieure")).await.expect("the name is free");
    while !tree.purge_group_batch(made.id).await.expect("a batch") {}
}

#[tokio::test]
async fn who_may_know_of_and_manage_a_group() {
    let desk = Desk::new().await;
    let (tree, admin) = (&desk.tree, boss(&desk).await);
    let group = tree.create_group(&admin, named("Group")).await.expect("made").group.id;
    for outcome in [
        tree.group(&desk.anna, group).await.map(|_| ()),
        tree.update_group(&desk.anna, group, named("X")).await.map(|_| ()),
        tree.delete_group(&desk.anna, group).await,
        tree.members_of_group(&desk.anna, group, 0, 10).await.map(|_| ()),
        add(&desk, &desk.anna, group, desk.anna.user, MembershipRole::Admin).await.map(|_| ()),
    ] {
        assert!(matches!(outcome, Err(Error::NotFound)), "a stranger: {outcome:?}");
    }
    for outcome in [
        tree.create_group(&desk.anna, named("Mine")).await.map(|_| ()),
        tree.list_groups(&desk.anna, GroupQuery::default()).await.map(|_| ()),
    ] {
        assert!(matches!(outcome, Err(Error::Forbidden)));
    }
    let reads = Caller { scopes: Scopes::READ, ..admin.clone() };
    assert!(matches!(tree.create_group(&reads, named("Mine")).await, Err(Error::Forbidden)));

    let membership = add(&desk, &admin, group, desk.anna.user, MembershipRole::Member).await.expect("added");
    let again = add(&desk, &admin, group, desk.anna.user, MembershipRole::Member).await;
    assert!(matches!(again, Err(Error::AlreadyExists(_))));
    assert!(!tree.group(&desk.anna, group).await.expect("a member").can_invite);
    tree.membership(&desk.anna, membership).await.expect("one's own");
    assert!(matches!(tree.membership(&desk.ben, membership).await, Err(Error::NotFound)));
    assert!(matches!(tree.members_of_group(&desk.anna, group, 0, 10).await, Err(Error::Forbidden)));
    assert!(matches!(tree.update_group(&desk.anna, group, named("X")).await, Err(Error::Forbidden)));
    assert!(matches!(tree.remove_membership(&desk.anna, membership).await, Err(Error::Forbidden)));
    let shows = GroupChange {
        viewability: Some(GroupAudience::Members),
        invitability: Some(GroupAudience::Members),
        ..GroupChange::default()
    };
    tree.update_group(&admin, group, shows).await.expect("changed");
    assert_eq!(tree.members_of_group(&desk.anna, group, 0, 10).await.expect("seen").total_count, 1);
    assert!(tree.group(&desk.anna, group).await.expect("a member").can_invite);
    assert!(matches!(tree.group(&desk.ben, group).await, Err(Error::NotFound)));

    let raise = MembershipChange {
        role: Some(MembershipRole::Admin),
        permissions: Some(GroupPermissions::ALL.without(GroupPermissions::RUN_REPORTS)),
    };
    let raised = tree.update_membership(&admin, membership, raise).await.expect("changed").membership;
    assert_eq!((raised.role, raised.permissions), (MembershipRole::Admin, raise.permissions));
    let ben = add(&desk, &desk.anna, group, desk.ben.user, MembershipRole::Member).await.expect("by its admin");
    assert!(matches!(tree.delete_group(&desk.anna, group).await, Err(Error::Forbidden)));
    tree.remove_membership(&desk.anna, ben).await.expect("removed");
    assert!(matches!(tree.remove_membership(&desk.anna, ben).await, Err(Error::NotFound)));

    let open = GroupChange { invitability: Some(GroupAudience::Everybody), ..GroupChange::default() };
    tree.update_group(&admin, group, open).await.expect("changed");
    assert!(tree.group(&desk.ben, group).await.expect("a colleague").can_invite);
    assert!(matches!(tree.members_of_group(&desk.ben, group, 0, 10).await, Err(Error::Forbidden)));
    let frontline = UserChange { seat: Some(Seat::Frontline), ..UserChange::default() };
    tree.update_user(&admin, desk.ben.user, frontline).await.expect("changed");
    assert!(!tree.group(&desk.ben, group).await.expect("a colleague").can_invite);
    let out = UserChange { kind: Some(UserKind::External), ..UserChange::default() };
    tree.update_user(&admin, desk.ben.user, out).await.expect("rolled out");
    assert!(matches!(tree.group(&desk.ben, group).await, Err(Error::NotFound)), "from outside");
    let outside = add(&desk, &admin, group, desk.ben.user, MembershipRole::Member).await;
    assert!(matches!(outside, Err(Error::Invalid(_))));
    let nobody = add(&desk, &admin, group, UserId::new(7), MembershipRole::Member).await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

#[tokio::test]
async fn pages_of_memberships() {
    let desk = Desk::new().await;
    let (tree, admin) = (&desk.tree, boss(&desk).await);
    let mut groups = Vec::new();
    for number in 0..3 {
        let group = tree.create_group(&admin, named(&format!("g{number}"))).await.expect("made").group.id;
        add(&desk, &admin, group, desk.anna.user, MembershipRole::Member).await.expect("added");
        groups.push(group);
    }
    let page = tree.memberships_of_user(&desk.anna, desk.anna.user, 1, 1).await.expect("a page");
    assert_eq!((page.entries.len(), page.total_count), (1, 3));
    assert_eq!(page.entries[0].group.id, groups[1]);
    assert!(matches!(tree.memberships_of_user(&desk.ben, desk.anna.user, 0, 1).await, Err(Error::NotFound)));
    let page = tree.memberships_of_user(&admin, desk.anna.user, 3, 1).await.expect("a page");
    assert!(page.entries.is_empty());
}

#[tokio::test]
async fn what_a_group_was_given_ends_with_it() {
    let desk = Desk::new().await;
    let (tree, admin) = (&desk.tree, boss(&desk).await);
    let open = GroupChange { invitability: Some(GroupAudience::Everybody), ..named("Group") };
    let group = tree.create_group(&admin, open).await.expect("made").group.id;
    add(&desk, &admin, group, desk.ben.user, MembershipRole::Member).await.expect("added");
    let folder = desk.folder(desk.root, "folder").await;
    let shared = NewCollaboration {
        item: folder,
        invitee: Invitee::Group(group),
        role: Role::Viewer,
        sees_path: false,
        access_only: false,
        expires_at: None,
    };
    tree.invite(&desk.anna, shared.clone()).await.expect("invited");
    tree.item(&desk.ben, folder, Kind::Folder).await.expect("seen");
    tree.delete_group(&admin, group).await.expect("removed");
    assert!(matches!(tree.item(&desk.ben, folder, Kind::Folder).await, Err(Error::NotFound)));
    assert!(matches!(tree.invite(&desk.anna, shared).await, Err(Error::NotFound)));
    let key = group.to_string();
    let queued = desk.stage.database.read(|tx| entente_database::jobs::is_queued(tx, PURGE_GROUP_JOB, &key));
    assert!(queued.expect("read"));
    while !tree.purge_group_batch(group).await.expect("a batch") {}
    assert_eq!(tree.memberships_of_user(&admin, desk.ben.user, 0, 10).await.expect("a page").total_count, 0);
}
