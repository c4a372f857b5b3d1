//! How long it takes to find users, groups and memberships among very many of them.
//!
//!     cargo run --release -p entente-database --example many_people -- FILE-OR-URL [USERS] [GROUPS]
//!
//! A new database is filled first; one that was filled before is only measured.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a tool that measures")]

use entente_database::enterprises::{self, Enterprise};
use entente_database::groups::{self, Group, GroupAudience, GroupFilter};
use entente_database::memberships::{self, Membership, MembershipRole};
use entente_database::users::{self, NewUser, UserFilter, UsersFrom};
use entente_database::{Database, Error, Options, Tx, postgres};
use entente_model::{EnterpriseId, GroupId, MembershipId, UserId, ZoneId};
use entente_world::World;
use std::time::{Duration, Instant};

const ENTERPRISE: EnterpriseId = EnterpriseId::new(7);
const BATCH: u64 = 500;
const ROUNDS: u32 = 20;
const FIRST_NAMES: [&str; 8] = ["Anna", "Ben", "Çelik", "Dörte", "Émile", "Ferenc", "Göran", "Åsa"];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "many_people.sqlite".to_owned());
    let mut number = |default: u64| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (people, sets) = (number(1_000_000), number(100_000));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(&place, people, sets));
}

async fn run(place: &str, people: u64, sets: u64) {
    let world = World::real();
    let database = if place.contains("://") {
        Database::connect(world.clone(), &postgres::Options::parse(place).unwrap()).unwrap()
    } else {
        Database::open(world.clone(), &Options::new(place)).unwrap()
    };
    if database.read(|tx| enterprises::by_id(tx, ENTERPRISE)).unwrap().is_none() {
        fill(&world, &database, people, sets).await;
    }
    measure(&database).await;
}

async fn fill(world: &World, database: &Database, people: u64, sets: u64) {
    let began = Instant::now();
    let row = Enterprise { id: ENTERPRISE, name: "e".to_owned(), zone: ZoneId::new(1), created_at: world.now() };
    database.transact("make enterprise", move |tx| enterprises::create_enterprise(tx, &row)).await.unwrap();
    let mut made: Vec<UserId> = Vec::new();
    for first in (0..people).step_by(usize::try_from(BATCH).unwrap()) {
        let new: Vec<NewUser> = (first..people.min(first + BATCH))
            .map(|number| {
                let name = FIRST_NAMES[usize::try_from(number % 8).unwrap()];
                NewUser::new(world, ENTERPRISE, format!("user{number:07}@example.org"), format!("{name} {number}"))
            })
            .collect();
        made.extend(new.iter().map(|user| user.id));
        let write = move |tx: &mut Tx<'_>| new.iter().try_for_each(|user| users::create_user(tx, user).map(drop));
        database.transact("make users", write).await.unwrap();
    }
    println!("made {people} users in {:?}", began.elapsed());
    let began = Instant::now();
    for first in (0..sets).step_by(usize::try_from(BATCH).unwrap()) {
        let (world, made) = (world.clone(), made.clone());
        let write = move |tx: &mut Tx<'_>| {
            for number in first..sets.min(first + BATCH) {
                let group = group(&world, number);
                groups::insert(tx, &group)?;
                // The first is everybody's; the others have ten members.
                for member in 0..10 {
                    let user = made[usize::try_from((number * 10 + member) % people).unwrap()];
                    memberships::insert(tx, &membership(&world, group.id, user))?;
                }
            }
            Ok::<_, Error>(())
        };
        database.transact("make groups", write).await.unwrap();
    }
    let all = group(world, sets);
    let id = all.id;
    database.transact("make group", move |tx| groups::insert(tx, &all)).await.unwrap();
    for some in made.chunks(usize::try_from(BATCH).unwrap()) {
        let rows: Vec<Membership> = some.iter().map(|user| membership(world, id, *user)).collect();
        let write = move |tx: &mut Tx<'_>| rows.iter().try_for_each(|row| memberships::insert(tx, row));
        database.transact("make memberships", write).await.unwrap();
    }
    println!("made {sets} groups and their memberships in {:?}", began.elapsed());
}

fn group(world: &World, number: u64) -> Group {
    Group {
        id: GroupId::new(world.next_id()),
        enterprise: ENTERPRISE,
        name: format!("Group {number:06}"),
        description: String::new(),
        provenance: String::new(),
        external_id: String::new(),
        invitability: GroupAudience::AdminsOnly,
        viewability: GroupAudience::AdminsOnly,
        created_at: world.now(),
        modified_at: world.now(),
    }
}

fn membership(world: &World, group: GroupId, user: UserId) -> Membership {
    Membership {
        id: MembershipId::new(world.next_id()),
        group,
        user,
        role: MembershipRole::Member,
        permissions: None,
        created_at: world.now(),
        modified_at: world.now(),
    }
}

async fn measure(database: &Database) {
    let all = UserFilter::all(ENTERPRISE);
    let prefixed = |prefix: &str| UserFilter { prefix: prefix.to_owned(), ..all.clone() };
    let last = one(database, "the last user by offset 10,000", {
        let all = all.clone();
        move |tx| users::list(tx, &all, UsersFrom::Offset(10_000), 1)
    })
    .await;
    let user = last[0].id;
    let group = one(database, "group by name", |tx| groups::by_name(tx, ENTERPRISE, "group 050000")).await.unwrap().id;
    let everybody = database.read(|tx| memberships::of_user(tx, user, 0, 10)).unwrap().last().unwrap().group.id;
    for (what, filter) in [
        ("all users", all.clone()),
        ("users by a login of one", prefixed("user0500000@")),
        ("users by a prefix of 100", prefixed("user05000")),
        ("users by a name that an eighth have", prefixed("åsa")),
        ("users by what everybody begins with", prefixed("user")),
    ] {
        let (page, counted) = (filter.clone(), filter.clone());
        one(database, &format!("{what}: a page of 100"), move |tx| users::list(tx, &page, UsersFrom::Offset(0), 100))
            .await;
        one(database, &format!("{what}: the count"), move |tx| users::count(tx, &counted)).await;
    }
    one(database, "all users: a page of 1,000 after a marker", {
        let all = all.clone();
        move |tx| users::list(tx, &all, UsersFrom::After(Some(user)), 1_000)
    })
    .await;
    one(database, "user by login", |tx| users::by_login(tx, "USER0777777@example.org")).await;
    one(database, "role in a group", move |tx| memberships::role_of(tx, group, user)).await;
    one(database, "role in everybody's group", move |tx| memberships::role_of(tx, everybody, user)).await;
    one(database, "everybody's group: a page of 1,000 at 9,000", move |tx| {
        memberships::of_group(tx, everybody, 9_000, 1_000)
    })
    .await;
    one(database, "everybody's group: the count", move |tx| memberships::count_of_group(tx, everybody)).await;
    one(database, "groups of a user", move |tx| memberships::of_user(tx, user, 0, 100)).await;
    for prefix in ["", "group 0500"] {
        let filter = GroupFilter { enterprise: ENTERPRISE, prefix: prefix.to_owned(), external_id: String::new() };
        let counted = filter.clone();
        one(database, &format!("groups {prefix:?}: a page of 100"), move |tx| groups::list(tx, &filter, 0, 100)).await;
        one(database, &format!("groups {prefix:?}: the count"), move |tx| groups::count(tx, &counted)).await;
    }
}

/// Measures, and answers what the last round did.
async fn one<T, F>(database: &Database, what: &str, ask: F) -> T
where
    T: Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<T, Error> + Clone + Send + 'static,
{
    let (mut took, mut answer) = (Duration::ZERO, None);
    for _ in 0..ROUNDS {
        let (ask, began) = (ask.clone(), Instant::now());
        answer = Some(database.read_long(move |tx| ask(tx)).await.unwrap());
        took += began.elapsed();
    }
    println!("{what}: {:?}", took / ROUNDS);
    answer.unwrap()
}
