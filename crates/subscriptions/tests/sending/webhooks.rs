//! What webhooks are told: where each says, signed with its application's keys.

use crate::desk::Desk;
use crate::receiver::Receiver;
use entente_database::Tx;
use entente_database::deliveries::{self, Happening, NewDelivery, Told, WEBHOOKS, Wording};
use entente_model::{EventId, SubscriptionId, WebhookId};
use entente_subscriptions::{BoxError, Reach, Settings, WebhookTarget, Webhooks, signature};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Webhooks that are known, by their numbers: address and keys.
struct Known(BTreeMap<i64, (String, Option<&'static str>, Option<&'static str>)>);

impl Webhooks for Known {
    fn target(&self, id: WebhookId) -> Result<Option<WebhookTarget>, BoxError> {
        let key = |text: &Option<&str>| text.map(|text| Zeroizing::new(text.as_bytes().to_vec()));
        let found = self.0.get(&id.number());
        Ok(found.map(|(address, primary, secondary)| WebhookTarget {
            address: address.clone(),
            primary: key(primary),
            secondary: key(secondary),
        }))
    }
}

async fn happens(desk: &Desk, webhook: i64, body: &str) {
    let told = Told { body: Some(body.to_owned()), ..Told::default() };
    let (event, at) = (EventId::new(desk.world.next_id()), desk.world.now());
    let queue = move |tx: &mut Tx<'_>| {
        let new = NewDelivery {
            subscription: SubscriptionId::new(webhook),
            topic: 1,
            wording: Wording::Box,
            target: WEBHOOKS,
            happening: Happening::Other,
            told: &told,
            event,
            at,
        };
        deliveries::enqueue(tx, &new)
    };
    desk.database.transact("happens", queue).await.unwrap();
}

fn settings(known: Known, reach: Reach) -> Settings {
    Settings::default().with_webhooks(Arc::new(known), reach)
}

fn address(receiver: &Receiver) -> String {
    format!("http://127.0.0.1:{}/hook", receiver.port)
}

#[tokio::test]
async fn each_webhook_is_told_at_its_address_signed_with_both_keys() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&["HTTP/1.1 500 Oh\r\n"]).await);
    let keys = (Some("first key"), Some("second key"));
    let known = Known([(9, (address(&receiver), keys.0, keys.1))].into());
    happens(&desk, 9, r#"{"trigger":"FILE.UPLOADED","name":"grüße"}"#).await;
    let running = desk.send(settings(known, Reach::Anywhere));
    let (failed, arrived) = (receiver.next().await, receiver.next().await);
    assert_eq!(failed.header("box-delivery-id"), arrived.header("box-delivery-id"));
    assert!(arrived.head.starts_with("POST /hook HTTP/1.1\r\n"), "{}", arrived.head);
    assert_eq!(arrived.header("content-type"), "application/json");
    assert_eq!(arrived.header("box-signature-version"), "1");
    assert_eq!(arrived.header("box-signature-algorithm"), "HmacSHA256");
    let sent_at = arrived.header("box-delivery-timestamp");
    assert!(sent_at.len() == 25 && sent_at.ends_with("+00:00"), "{sent_at}");
    let signed = |key: &str| signature::sign_as_box(key.as_bytes(), sent_at, &arrived.body);
    assert_eq!(arrived.header("box-signature-primary"), signed("first key"));
    assert_eq!(arrived.header("box-signature-secondary"), signed("second key"));
    assert_eq!(arrived.body, r#"{"trigger":"FILE.UPLOADED","name":"grüße"}"#.as_bytes());
    desk.until(async || desk.database.read(|tx| deliveries::next_due(tx, WEBHOOKS)).unwrap().is_none()).await;
    running.stop().await;
    assert!(receiver.is_quiet() && desk.dead().await.is_empty());
}

#[tokio::test]
async fn without_keys_nothing_is_signed_and_of_what_is_gone_nothing_is_told() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    let known = Known([(9, (address(&receiver), None, None))].into());
    happens(&desk, 8, "{}").await;
    happens(&desk, 9, "{}").await;
    let running = desk.send(settings(known, Reach::Anywhere));
    let arrived = receiver.next().await;
    assert_eq!(arrived.header("box-signature-version"), "");
    assert_eq!(arrived.header("box-signature-primary"), "");
    assert!(!arrived.header("box-delivery-timestamp").is_empty());
    desk.until(async || desk.database.read(|tx| deliveries::next_due(tx, WEBHOOKS)).unwrap().is_none()).await;
    running.stop().await;
    assert!(receiver.is_quiet() && desk.dead().await.is_empty());
}

#[tokio::test]
async fn a_webhook_cannot_make_us_ask_our_neighbours() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    let by_name = format!("http://localhost:{}/", receiver.port);
    let known = Known([(9, (address(&receiver), None, None)), (10, (by_name, None, None))].into());
    for webhook in [9, 10] {
        happens(&desk, webhook, "{}").await;
    }
    let running = desk.send(settings(known, Reach::Public));
    let tried = async || {
        desk.database.read(|tx| deliveries::next_due(tx, WEBHOOKS)).unwrap().is_some_and(|due| due > desk.world.now())
    };
    desk.until(tried).await;
    running.stop().await;
    assert!(receiver.is_quiet());
    let due = desk.database.read(|tx| deliveries::count_due(tx, WEBHOOKS)).unwrap();
    assert_eq!(due, 2, "both are still to be told");
}
