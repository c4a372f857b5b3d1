//! How many files a database takes a second: the transaction that ends an upload, without the upload.
//!
//!     cargo run --release -p entente-database --example create_files -- FILE-OR-URL [CALLERS] [SECONDS] [FOLDERS] [WRITERS]
//!
//! Everybody writes for one user into one folder; with more FOLDERS, each of them belongs to a user of its own. The
//! database must be a new one.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a tool that measures")]

use entente_database::counts;
use entente_database::enterprises::{Enterprise, create_enterprise};
use entente_database::events::{self, EventKind, NewEvent};
use entente_database::items::{self, Item, Kind};
use entente_database::users::{self, NewUser};
use entente_database::versions::{self, Version};
use entente_database::{Database, Error, Options, Tx, postgres};
use entente_model::{ContentId, EnterpriseId, EventId, ItemId, ItemName, Sha1, UserId, VersionId, ZoneId};
use entente_world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| "create_files.sqlite".to_owned());
    let mut number = |default: u64| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (callers, seconds, folders, writers) = (number(32), number(5), number(1), number(4));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(&place, callers, seconds, folders, writers));
}

async fn run(place: &str, callers: u64, seconds: u64, folders: u64, writers: u64) {
    let world = World::real();
    let database = if place.contains("://") {
        let writers = usize::try_from(writers).unwrap();
        let options = postgres::Options { writers, ..postgres::Options::parse(place).unwrap() };
        Database::connect(world.clone(), &options).unwrap()
    } else {
        Database::open(world.clone(), &Options::new(place)).unwrap()
    };
    let mut tops = Vec::new();
    for _ in 0..folders {
        tops.push(make_user(&world, &database).await);
    }
    let (done, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let (world, database, done) = (world.clone(), database.clone(), Arc::clone(&done));
        let (user, folder) = tops[usize::try_from(caller % folders).unwrap()];
        tasks.push(tokio::spawn(async move {
            let mut waits = Vec::new();
            while began.elapsed() < Duration::from_secs(seconds) {
                let one = Instant::now();
                match create(&world, &database, user, folder).await {
                    Ok(()) => done.fetch_add(1, Ordering::Relaxed),
                    Err(error) => {
                        println!("refused after {:?}: {error}", one.elapsed());
                        continue;
                    }
                };
                waits.push(one.elapsed());
            }
            waits
        }));
    }
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.unwrap());
    }
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() - 1) * share / 100];
    let rate = f64::from(u32::try_from(done.load(Ordering::Relaxed)).unwrap()) / began.elapsed().as_secs_f64();
    println!("{callers} callers, {folders} folders: {rate:.0} files/s, p50 {:?}, p99 {:?}", at(50), at(99));
}

async fn make_user(world: &World, database: &Database) -> (UserId, ItemId) {
    let (enterprise, zone) = (EnterpriseId::new(world.next_id()), ZoneId::new(1));
    let row = Enterprise { id: enterprise, name: "e".to_owned(), zone, created_at: world.now() };
    let new = NewUser::new(world, enterprise, format!("{enterprise}@example.org"), "Anna");
    let made = (new.id, new.root);
    database
        .transact("make user", move |tx| {
            create_enterprise(tx, &row)?;
            users::create_user(tx, &new).map(drop)
        })
        .await
        .unwrap();
    made
}

async fn create(world: &World, database: &Database, user: UserId, folder: ItemId) -> Result<(), Error> {
    let (id, now) = (ItemId::new(world.next_id()), world.now());
    let (version, content, event) = (world.next_id(), world.next_id(), world.next_id());
    let name = ItemName::new(format!("file {id}.txt")).unwrap();
    let command = move |tx: &mut Tx<'_>| {
        let above = items::ancestors(tx, folder)?;
        assert!(!above.is_empty() && items::named(tx, folder, &name.folded(), None)?.is_none());
        assert!(users::take_space(tx, user, 1_000)?);
        let mut item = Item::new(id, Kind::File, name.clone(), user, now);
        item.parent = Some(folder);
        item.version = Some(VersionId::new(version));
        items::insert(tx, &item)?;
        let row = Version {
            id: VersionId::new(version),
            item: id,
            number: 1,
            content: ContentId::new(content),
            size: 1_000,
            sha1: Some(Sha1([7; 20])),
            name: name.clone(),
            created_at: now,
            created_by: user,
            trashed_at: None,
            trashed_by: None,
            plain: false,
            sender: None,
        };
        versions::insert(tx, &row)?;
        counts::gained(tx, folder, id)?;
        let (kind, version) = (EventKind::Created, Some(VersionId::new(version)));
        let id = EventId::new(event);
        events::record(
            tx,
            &NewEvent { id, enterprise: EnterpriseId::new(1), user, kind, item: item.id, version, at: now },
        )
    };
    database.transact("create file", command).await
}
