use crate::desk::{Desk, KEY, here, target};
use crate::receiver::Receiver;
use entente_database::deliveries;
use entente_model::Timestamp;
use entente_subscriptions::{Reach, Secret, Settings, message, remove_ended, signature};
use std::collections::BTreeSet;

#[tokio::test]
async fn what_happens_is_told_signed_and_once_it_has_arrived_forgotten() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    desk.happens("here", "a b").await;
    let running = desk.send(Settings::new(vec![here(&receiver)]));
    let arrived = receiver.next().await;
    assert!(arrived.head.starts_with("POST /told?by=us HTTP/1.1\r\n"), "{}", arrived.head);
    assert_eq!(arrived.header("content-type"), "application/json");
    assert_eq!(arrived.key(), "a+b");
    let signed = arrived.header(signature::HEADER);
    let seconds: i64 = signed.split([',', '=']).nth(1).unwrap().parse().unwrap();
    let at = Timestamp::from_millis(seconds * 1_000);
    assert_eq!(signed, signature::sign(&Secret::new(KEY.to_vec()).unwrap(), at, &arrived.body));
    assert!(arrived.header("x-entente-delivery").starts_with("7-"));
    desk.until(async || desk.database.read(|tx| deliveries::next_due(tx, "here")).unwrap().is_none()).await;
    running.stop().await;
    assert!(receiver.is_quiet());
    assert!(desk.dead().await.is_empty());
    assert!(remove_ended(&desk.world, &desk.database, &["here".to_owned()]).await.unwrap());
}

#[tokio::test]
async fn what_does_not_arrive_is_told_again_and_what_happened_later_waits_for_it() {
    let desk = Desk::new();
    let mut receiver = Receiver::open(&["HTTP/1.1 500 Oh\r\n", "HTTP/1.1 503 No\r\n"]).await;
    for _ in 0..3 {
        desk.happens("here", "same").await;
    }
    let running = desk.send(Settings::new(vec![here(&receiver)]));
    let mut names = Vec::new();
    for _ in 0..5 {
        names.push(receiver.next().await.header("x-entente-delivery").to_owned());
    }
    running.stop().await;
    assert!(receiver.is_through());
    let [first, again, third, second, last] = <[String; 5]>::try_from(names).unwrap();
    assert_eq!((&first, &first), (&again, &third), "the first is told until it has arrived");
    assert!(first < second && second < last, "then the others, in order");
}

#[tokio::test]
async fn redirects_are_not_followed_and_what_cannot_be_told_is_given_up_and_kept() {
    let desk = Desk::new();
    let mut other = Receiver::open(&[]).await;
    let elsewhere = format!("HTTP/1.1 307 There\r\nlocation: http://127.0.0.1:{}/\r\n", other.port);
    let mut receiver = Receiver::open(&[&elsewhere]).await;
    desk.happens("here", "one").await;
    desk.happens("here", "one").await;
    let running = desk.send(Settings::new(vec![here(&receiver).give_up_after(1)]));
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_ne!(first.header("x-entente-delivery"), second.header("x-entente-delivery"));
    desk.until(async || desk.dead().await.len() == 1).await;
    let dead = desk.dead().await;
    assert_eq!(message::name(dead[0].id), first.header("x-entente-delivery"));
    assert_eq!(dead[0].last_error, "answered 307");
    assert!(other.is_quiet());
    // Whoever has seen to the receiver has it told again.
    let now = desk.world.now();
    assert_eq!(desk.database.transact("retry", move |tx| deliveries::retry(tx, now, 10)).await.unwrap(), 1);
    assert_eq!(receiver.next().await.header("x-entente-delivery"), first.header("x-entente-delivery"));
    running.stop().await;
    assert!(desk.dead().await.is_empty());
}

#[tokio::test]
async fn private_addresses_are_not_asked_unless_the_operator_says_so() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    let port = receiver.port;
    let hosts = [("a", "127.0.0.1"), ("b", "localhost"), ("c", "[::ffff:127.0.0.1]"), ("d", "0x7f000001")];
    let public = |name, host| target(name, &format!("http://{host}:{port}/"), Reach::Public).give_up_after(1);
    let targets = hosts.map(|(name, host)| public(name, host));
    let running = desk.send(Settings::new(targets.into()));
    for name in ["a", "b", "c", "d"] {
        desk.happens(name, "key").await;
        desk.until(async || desk.dead().await.iter().any(|dead| dead.target == name)).await;
    }
    running.stop().await;
    for dead in desk.dead().await {
        assert!(dead.last_error.contains("private address"), "{}", dead.last_error);
    }
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_target_that_does_not_answer_keeps_no_other_waiting() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    for number in 0..20 {
        let key: &'static str = Box::leak(format!("key-{number}").into_boxed_str());
        desk.happens("silent", key).await;
    }
    desk.happens("here", "mine").await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let targets = vec![target("silent", &silent, Reach::Anywhere), target("here", &url, Reach::Anywhere)];
    let running = desk.send(Settings::new(targets));
    assert_eq!(receiver.next().await.key(), "mine");
    running.task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_share_the_work() {
    const KEYS: usize = 60;
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    let nodes = [desk.send(Settings::new(vec![here(&receiver)])), desk.send(Settings::new(vec![here(&receiver)]))];
    for number in 0..KEYS {
        desk.happens("here", &format!("key-{number}")).await;
    }
    let mut names = BTreeSet::new();
    for _ in 0..KEYS {
        names.insert(receiver.next().await.header("x-entente-delivery").to_owned());
    }
    for node in nodes {
        node.stop().await;
    }
    assert_eq!(names.len(), KEYS, "none was told twice");
    assert!(receiver.is_quiet());
}
