//! How long a decision takes: a folder 50 folders deep, 10,000 collaborations on the way to it, and callers with a role of
//! their own, or in some groups that each have a role on every folder of the way.
//!
//! `cargo run --release -p entente-tree --example access`
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement prints, and fails where it cannot go on")]

use entente_database::collaborations::{self, Collaboration, CollaborationStatus, Collaborator};
use entente_database::groups::{self, Group, GroupAudience};
use entente_database::memberships::{self, Membership, MembershipRole};
use entente_database::{Error, Tx};
use entente_model::{
    Caller, CollaborationId, EnterpriseId, GroupId, ItemId, ItemName, MembershipId, Role, Timestamp, UserId, UserRole,
};
use entente_testkit::Stage;
use entente_tree::grant::{Download, See};
use entente_tree::{Kind, NameRule, NewFolder, allow};

const DEPTH: i64 = 50;
const EACH: i64 = 200;
const GROUPS: [usize; 3] = [1, 10, 100];
const ROUNDS: usize = 20_000;

#[tokio::main]
async fn main() {
    let stage = Stage::new().await;
    let anna = stage.person("anna@example.com", "Anna", UserRole::User).await;
    let carol = stage.person("carol@example.com", "Carol", UserRole::User).await;
    let dora = stage.person("dora@example.com", "Dora", UserRole::User).await;
    let mut members = Vec::new();
    for groups in GROUPS {
        let login = format!("member{groups}@example.com");
        members.push(stage.person(&login, "Member", UserRole::User).await);
    }
    let callers: Vec<Caller> = members.iter().map(|user| stage.caller(*user, UserRole::User)).collect();
    let [anna, carol, dora] = [anna, carol, dora].map(|user| stage.caller(user, UserRole::User));
    let mut folders = vec![stage.tree.root(&anna).await.expect("a root")];
    for level in 0..DEPTH {
        let name = ItemName::new(format!("folder {level}")).expect("a name");
        let parent = *folders.last().expect("a folder");
        let made = stage.tree.create_folder(&anna, parent, NewFolder::named(name), NameRule::CaseInsensitive).await;
        folders.push(made.expect("a folder").item.id);
    }
    let deepest = *folders.last().expect("a folder");
    let (enterprise, now, direct) = (stage.enterprise, stage.world.now(), dora.user);
    let shared: Vec<ItemId> = folders.iter().skip(1).copied().collect();
    let world = stage.world.clone();
    let fill = move |tx: &mut Tx<'_>| -> Result<(), Error> {
        for group in (1..EACH).step_by(2) {
            groups::insert(tx, &group_row(enterprise, group, now))?;
        }
        let mut id = 1;
        for (groups, member) in GROUPS.into_iter().zip(&members) {
            for group in (1..).step_by(2).take(groups) {
                memberships::insert(tx, &membership_row((id, group), *member, now))?;
                id += 1;
            }
        }
        for (level, item) in shared.iter().enumerate() {
            for number in 0..EACH {
                let with = match number % 2 {
                    0 if number == 0 => Collaborator::User(direct),
                    0 => Collaborator::User(UserId::new(1_000 + number)),
                    _ => Collaborator::Group(GroupId::new(number)),
                };
                let row = Collaboration {
                    id: CollaborationId::new(world.next_id()),
                    item: *item,
                    with,
                    role: if level == 0 { Role::Viewer } else { Role::Uploader },
                    status: CollaborationStatus::Accepted,
                    sees_path: false,
                    access_only: false,
                    created_by: UserId::new(1),
                    created_at: now,
                    modified_at: now,
                    acknowledged_at: None,
                    expires_at: None,
                };
                collaborations::insert(tx, &row)?;
            }
        }
        Ok(())
    };
    stage.database.transact("fill", fill).await.expect("filled");
    println!("{} collaborations on {DEPTH} levels", DEPTH * EACH);
    let mut all = vec![
        ("the owner".to_owned(), &anna),
        ("a stranger".to_owned(), &carol),
        ("by roles of their own".to_owned(), &dora),
    ];
    all.extend(GROUPS.iter().zip(&callers).map(|(groups, caller)| (format!("a member of {groups} groups"), caller)));
    for (who, caller) in all {
        let mut spent = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let begun = stage.world.instant();
            let seen = stage.database.read(|tx| allow::<See>(tx, caller, deepest).map(drop));
            spent.push(begun.elapsed());
            drop(seen);
        }
        let may = stage
            .database
            .read(|tx| allow::<Download>(tx, caller, deepest).and_then(|found| found.of(Kind::Folder)).map(drop));
        spent.sort_unstable();
        let at = |part: usize| spent.get(ROUNDS * part / 1_000).copied().unwrap_or_default();
        println!("{who:<24} p50 {:?}, p99 {:?}, most {:?}; downloads: {}", at(500), at(990), at(999), may.is_ok());
    }
}

fn group_row(enterprise: EnterpriseId, number: i64, now: Timestamp) -> Group {
    Group {
        id: GroupId::new(number),
        enterprise,
        name: format!("group {number}"),
        description: String::new(),
        provenance: String::new(),
        external_id: String::new(),
        invitability: GroupAudience::Everybody,
        viewability: GroupAudience::Everybody,
        created_at: now,
        modified_at: now,
    }
}

fn membership_row((id, group): (i64, i64), user: UserId, now: Timestamp) -> Membership {
    Membership {
        id: MembershipId::new(id),
        group: GroupId::new(group),
        user,
        role: MembershipRole::Member,
        permissions: None,
        created_at: now,
        modified_at: now,
    }
}
