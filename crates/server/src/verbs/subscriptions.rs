//! `entente subscriptions`

use super::open;
use crate::cli::{SubscriptionsSomeArgs, SubscriptionsVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use entente_database::deliveries::{self, Delivery, DeliveryId};
use entente_database::subscriptions::{self, Subscription};
use entente_database::{Error, Tx};
use entente_door_admin::shown::moment;
use entente_subscriptions::message;
use entente_world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Subscriptions that are read at a time.
const PAGE_MAX: u32 = 1_000;
/// Deliveries that one transaction lets be sent again.
const BATCH_ROWS_MAX: u32 = 500;

/// What is said of a delivery of which nothing else can be said.
const UNREADABLE: &str = "this release cannot read it; a later one may";

/// A target as it is shown.
struct Shown {
    name: String,
    is_configured: bool,
    due: u64,
}

pub(crate) async fn run(world: &World, verb: SubscriptionsVerb) -> Result<Exit, Failure> {
    match verb {
        SubscriptionsVerb::List(target) => list(world, &target).await,
        SubscriptionsVerb::Dead(arguments) => dead(world, &arguments).await,
        SubscriptionsVerb::Retry(arguments) => retry(world, &arguments).await,
    }
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let configured: Vec<String> = store.config.targets.iter().map(|target| target.name.clone()).collect();
    let (all, targets, dead) = store
        .database
        .read_long(move |tx| {
            let all = every(tx)?;
            let names: BTreeSet<&str> =
                configured.iter().map(String::as_str).chain(all.iter().map(|one| one.target.as_str())).collect();
            let mut targets = Vec::new();
            for name in names {
                let is_configured = configured.iter().any(|configured| configured == name);
                targets.push(Shown { name: name.to_owned(), is_configured, due: deliveries::count_due(tx, name)? });
            }
            Ok::<_, Error>((all, targets, deliveries::count_dead(tx)?))
        })
        .await?;
    let value = json!({
        "subscriptions": all.iter().map(shown).collect::<Vec<_>>(),
        "targets": targets.iter().map(|target| json!({
            "name": target.name, "configured": target.is_configured, "due": target.due,
        })).collect::<Vec<_>>(),
        "dead": dead,
    });
    print(format, &value, || {
        let mut lines: Vec<String> = targets.iter().map(target_line).collect();
        lines.extend(all.iter().map(line));
        lines.push(format!("{dead} deliveries were given up"));
        lines.join("\n")
    });
    Ok(Exit::Done)
}

async fn dead(world: &World, arguments: &SubscriptionsSomeArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let limit = arguments.limit;
    let dead = store.database.read_long(move |tx| deliveries::dead(tx, limit)).await?;
    let (some, unreadable) = (dead.deliveries, dead.unreadable);
    let value = some.iter().map(shown_dead).chain(unreadable.iter().map(|id| shown_unreadable(*id))).collect();
    print(format, &Value::Array(value), || {
        let lines: Vec<String> =
            some.iter().map(dead_line).chain(unreadable.iter().map(|id| unreadable_line(*id))).collect();
        if lines.is_empty() { "none was given up".to_owned() } else { lines.join("\n") }
    });
    Ok(Exit::Done)
}

async fn retry(world: &World, arguments: &SubscriptionsSomeArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let (mut left, mut retried, now) = (arguments.limit, 0_u32, world.now());
    while left > 0 {
        let limit = left.min(BATCH_ROWS_MAX);
        let some = move |tx: &mut Tx<'_>| deliveries::retry(tx, now, limit);
        let some = store.database.transact("retry deliveries", some).await?;
        retried = retried.saturating_add(some);
        left = if some < limit { 0 } else { left.saturating_sub(some) };
    }
    print(format, &json!({ "retried": retried }), || format!("{retried} deliveries are sent again"));
    Ok(Exit::Done)
}

fn every(tx: &mut Tx<'_>) -> Result<Vec<Subscription>, Error> {
    let mut all: Vec<Subscription> = Vec::new();
    loop {
        let page = subscriptions::after(tx, all.last().map(|last| last.id), PAGE_MAX)?;
        let is_last = page.len() < PAGE_MAX as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn shown(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id.to_string(),
        "name": subscription.name,
        "folder_id": subscription.item.to_string(),
        "target": subscription.target,
        "prefix": subscription.prefix,
        "suffix": subscription.suffix,
        "created_at": moment(subscription.created_at),
    })
}

fn shown_dead(delivery: &Delivery) -> Value {
    json!({
        "delivery": message::name(delivery.id),
        "target": delivery.target,
        "bucket": delivery.told.bucket,
        "key": delivery.told.key,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "happened_at": moment(delivery.created_at),
        "given_up_at": moment(delivery.due_at),
    })
}

fn shown_unreadable(delivery: DeliveryId) -> Value {
    json!({ "delivery": message::name(delivery), "last_error": UNREADABLE })
}

fn target_line(target: &Shown) -> String {
    let state = if target.is_configured { "" } else { "   not in the configuration: nothing is sent" };
    format!("target {}   {} to be told{state}", target.name, target.due)
}

fn line(subscription: &Subscription) -> String {
    let Subscription { id, name, item, target, prefix, suffix, .. } = subscription;
    format!("{id}  {name}  folder {item} to {target}  {prefix}…{suffix}")
}

fn dead_line(delivery: &Delivery) -> String {
    let name = message::name(delivery.id);
    format!("{name}  to {}  {} attempts  {}", delivery.target, delivery.attempts, delivery.last_error)
}

fn unreadable_line(delivery: DeliveryId) -> String {
    format!("{}  {UNREADABLE}", message::name(delivery))
}
