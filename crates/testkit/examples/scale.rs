//! Whether what everybody does many times a day costs as much among very many people and items as among few: signing in,
//! listing a folder, deciding who may, asking for events.
//!
//!     cargo run --release -p entente-testkit --example scale -- [USERS…]
//!
//! For each number of users a store is filled: ten items, a collaboration and a token each, and an event an item. Then the
//! same is asked for of users drawn at random. With `ENTENTE_TEST_DATABASE=postgres`, on the test server.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement prints, and fails where it cannot go on")]

use aws_lc_rs::digest::{SHA256, digest};
use entente_database::collaborations::{self, Collaboration, CollaborationStatus, Collaborator};
use entente_database::events::{self, EventKind, NewEvent, Placing};
use entente_database::items::{self, Item};
use entente_database::tokens::{self, Token};
use entente_database::users::{self, NewUser};
use entente_database::versions::{self, Version};
use entente_database::{Error, Tx, counts};
use entente_identity::Password;
use entente_model::{
    CollaborationId, ContentId, EventId, ItemId, ItemName, Role, Scopes, Sha1, Sha256, Timestamp, TokenId, UserId,
    UserRole, VersionId,
};
use entente_testkit::Stage;
use entente_tree::grant::{Download, See};
use entente_tree::{EventQuery, Kind, ListQuery, Page, allow};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Items of each user: a folder, and files in the root.
const ITEMS: u64 = 10;
/// Items in the one big folder of each measured user's neighbour.
const BIG: u64 = 1_000;
/// Users in a transaction.
const BATCH: u64 = 500;
const ROUNDS: u64 = 10_000;
const SIGN_INS: u64 = 100;
const PASSWORD: &str = "correct horse battery";

/// Who was made, by number.
struct Made {
    user: UserId,
    root: ItemId,
    /// An item that is shared with the next user.
    shared: ItemId,
}

#[tokio::main]
async fn main() {
    let sizes: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().expect("a number of users")).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 1_000_000] } else { sizes };
    for users in sizes {
        let stage = Stage::new().await;
        let begun = stage.world.instant();
        let made = fill(&stage, users).await;
        println!("{users} users, {} items: filled in {:.0?}", users * ITEMS, begun.elapsed());
        measure(&stage, &made).await;
    }
}

async fn fill(stage: &Stage, users: u64) -> Vec<Made> {
    let mut made: Vec<Made> = Vec::new();
    let mut last_root = None;
    for first in (0..users).step_by(usize::try_from(BATCH).expect("a step")) {
        let (world, enterprise) = (stage.world.clone(), stage.enterprise);
        let write = move |tx: &mut Tx<'_>| -> Result<Vec<Made>, Error> {
            let (mut made, mut shared_before, mut placing) = (Vec::new(), last_root, Vec::new());
            for number in first..users.min(first + BATCH) {
                let login = format!("user{number:07}@example.org");
                let new = NewUser::new(&world, enterprise, login, format!("User {number}"));
                let now = new.at;
                let user = users::create_user(tx, &new)?;
                tokens::add(tx, &token(&user.id, number, now, world.next_id()))?;
                let mut shared = user.root;
                for at in 0..ITEMS {
                    let kind = if at == 0 { Kind::Folder } else { Kind::File };
                    let id = add(tx, &world, (kind, user.root), user.id, &format!("item {at} of {number}"), now)?;
                    let event = NewEvent {
                        id: EventId::new(world.next_id()),
                        enterprise,
                        user: user.id,
                        kind: EventKind::Created,
                        item: id,
                        version: None,
                        at: now,
                    };
                    events::record(tx, &event)?;
                    placing.push(Placing { id: event.id, owner: user.id, enterprise });
                    shared = if at == 0 { id } else { shared };
                }
                if let Some(before) = shared_before {
                    let role = collaboration(world.next_id(), before, user.id, now);
                    collaborations::insert(tx, &role)?;
                }
                shared_before = Some(shared);
                made.push(Made { user: user.id, root: user.root, shared });
            }
            let last = events::last(tx)?;
            events::place(tx, last, &placing)?;
            Ok(made)
        };
        made.extend(stage.database.transact("fill", write).await.expect("filled"));
        last_root = made.last().map(|one| one.shared);
    }
    made
}

/// Adds an item; a file with a version.
fn add(
    tx: &mut Tx<'_>,
    world: &entente_world::World,
    (kind, parent): (Kind, ItemId),
    user: UserId,
    name: &str,
    now: Timestamp,
) -> Result<ItemId, Error> {
    let name = ItemName::new(name).expect("a name");
    let mut item = Item::new(ItemId::new(world.next_id()), kind, name.clone(), user, now);
    item.parent = Some(parent);
    if kind == Kind::File {
        let version = Version {
            id: VersionId::new(world.next_id()),
            item: item.id,
            number: 1,
            content: ContentId::new(1),
            size: 1_000,
            sha1: Some(Sha1([7; 20])),
            name,
            created_at: now,
            created_by: user,
            trashed_at: None,
            trashed_by: None,
            plain: false,
            sender: None,
        };
        versions::insert(tx, &version)?;
        item.version = Some(version.id);
    }
    items::insert(tx, &item)?;
    counts::gained(tx, parent, item.id)?;
    Ok(item.id)
}

/// What a user of that number shows.
fn secret(number: u64) -> String {
    format!("{number:043}")
}

fn token(user: &UserId, number: u64, now: Timestamp, id: i64) -> Token {
    let sum = digest(&SHA256, secret(number).as_bytes());
    Token {
        sha256: Sha256::from_slice(sum.as_ref()).expect("32 bytes"),
        token: TokenId::new(id),
        user: *user,
        app: None,
        scopes: Scopes::ALL,
        confined: None,
        authorization: None,
        source: None,
        issued_at: now,
        expires_at: now.after(Duration::from_secs(24 * 60 * 60)),
    }
}

fn collaboration(id: i64, item: ItemId, user: UserId, now: Timestamp) -> Collaboration {
    Collaboration {
        id: CollaborationId::new(id),
        item,
        with: Collaborator::User(user),
        role: Role::Viewer,
        status: CollaborationStatus::Accepted,
        sees_path: false,
        access_only: false,
        created_by: user,
        created_at: now,
        modified_at: now,
        acknowledged_at: None,
        expires_at: None,
    }
}

async fn measure(stage: &Stage, made: &[Made]) {
    let count = u64::try_from(made.len()).expect("a number");
    // The same draw in every size and run.
    let draw = |round: u64| {
        let number = round.wrapping_mul(0x9E37_79B9_7F4A_7C15) % count.saturating_sub(1).max(1);
        usize::try_from(number).expect("an index")
    };
    let of = |round: u64| made.get(draw(round)).expect("a user");
    let caller = |user: UserId| stage.caller(user, UserRole::User);
    let busy = of(1).user;
    let folder = big_folder(stage, of(1)).await;

    let mut spent = Spent::default();
    for round in 0..SIGN_INS {
        let login = format!("user{:07}@example.org", draw(round));
        stage.identity.set_password(of(round).user, &password(), None).await.expect("a password");
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let begun = stage.world.instant();
        stage.identity.prove_password(&login, &password(), address).await.expect("signed in");
        spent.add(begun.elapsed());
    }
    spent.tell("sign-in by password");
    for round in 0..ROUNDS {
        let secret = secret(u64::try_from(draw(round)).expect("a number"));
        let begun = stage.world.instant();
        stage.identity.authenticate(&secret).expect("a caller");
        spent.add(begun.elapsed());
    }
    spent.tell("a token");
    for (what, rounds) in [("listing a root of 10", ROUNDS), ("100 of a folder of 1,000", ROUNDS / 10)] {
        for round in 0..rounds {
            let (caller, folder) =
                if rounds == ROUNDS { (caller(of(round).user), of(round).root) } else { (caller(busy), folder) };
            let begun = stage.world.instant();
            let query = ListQuery::by_name(Page::Offset { offset: 0, limit: 100 });
            let listed = stage.tree.list(&caller, folder, query).await.expect("a listing");
            spent.add(begun.elapsed());
            assert!(listed.entries.len() >= 10, "all are listed");
        }
        spent.tell(what);
    }
    for (what, shift) in [("may the owner", 0), ("may a collaborator", 1), ("may a stranger", 2)] {
        for round in 0..ROUNDS {
            let number = draw(round);
            let Some(user) = made.get(number + shift) else { continue };
            let (caller, item) = (caller(user.user), of(round).shared);
            let begun = stage.world.instant();
            let may = stage.database.read(|tx| allow::<See>(tx, &caller, item).map(drop));
            spent.add(begun.elapsed());
            assert_eq!(may.is_ok(), shift < 2, "{what}");
        }
        spent.tell(what);
    }
    let may = stage.database.read(|tx| allow::<Download>(tx, &caller(busy), folder).map(drop));
    assert!(may.is_ok(), "the owner may");
    let head = stage.tree.last_event().await.expect("a position");
    for (what, after) in [("events: nothing new", head), ("events: from the first on", 0)] {
        for round in 0..ROUNDS {
            let caller = caller(of(round).user);
            let begun = stage.world.instant();
            let query = EventQuery { after, limit: 100, wants: |_| true };
            let page = stage.tree.events(&caller, query).await.expect("events");
            spent.add(begun.elapsed());
            assert_eq!(page.entries.is_empty(), after > 0, "{what}");
        }
        spent.tell(what);
    }
}

async fn big_folder(stage: &Stage, owner: &Made) -> ItemId {
    let (world, user, root) = (stage.world.clone(), owner.user, owner.root);
    let write = move |tx: &mut Tx<'_>| -> Result<ItemId, Error> {
        let now = world.now();
        let folder = add(tx, &world, (Kind::Folder, root), user, "big", now)?;
        for number in 0..BIG {
            add(tx, &world, (Kind::File, folder), user, &format!("file {number}"), now)?;
        }
        Ok(folder)
    };
    stage.database.transact("fill a folder", write).await.expect("a folder")
}

fn password() -> Password {
    Password::new(PASSWORD.to_owned())
}

/// How long it took, each time.
#[derive(Default)]
struct Spent(Vec<Duration>);

impl Spent {
    fn add(&mut self, span: Duration) {
        self.0.push(span);
    }

    /// Prints the first half's and the last hundredth's bounds, and forgets all.
    fn tell(&mut self, what: &str) {
        self.0.sort_unstable();
        let at = |part: usize| self.0.get(self.0.len() * part / 100).copied().unwrap_or_default();
        println!("  {what:<28} p50 {:>9.1?}  p99 {:>9.1?}", at(50), at(99));
        self.0.clear();
    }
}
