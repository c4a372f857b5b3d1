//! With programs that behave as workers may.

use super::{Maker, Outcome, SourceError};
use crate::process::Program;
use crate::{Format, Wish};
use bytes::Bytes;
use entente_model::ContentId;
use entente_world::World;
use std::path::Path;
use std::time::Duration;

const WISH: Wish = Wish { format: Format::Png, side_max: 32 };
const PATIENT: Duration = Duration::from_secs(60);

fn maker(script: &str, time: Duration) -> Maker {
    let arguments = vec!["-c".to_owned(), script.to_owned(), "worker".to_owned()];
    Maker::new(World::real(), Program { path: "/bin/sh".into(), arguments, time })
}

fn content(number: u32) -> ContentId {
    number.to_string().parse().unwrap()
}

async fn ask(maker: &Maker, number: u32, patience: Duration) -> Outcome {
    maker.picture(content(number), WISH, patience, async { Ok(Bytes::from_static(b"source")) }).await
}

#[tokio::test]
async fn a_picture_is_made_once_and_the_worker_knows_nothing_but_its_task() {
    let marks = tempfile::tempdir().unwrap();
    let marks = marks.path().display();
    let maker = maker(&format!("mktemp -p {marks} >&2; echo \"$1 $2 $(cat) $HOME\""), PATIENT);
    let (first, second) = tokio::join!(ask(&maker, 1, PATIENT), ask(&maker, 1, PATIENT));
    assert_eq!(first, Outcome::Made(Bytes::from_static(b"png 32 source \n")));
    assert_eq!(second, first);
    let unread = async { Err(SourceError) };
    assert_eq!(maker.picture(content(1), WISH, PATIENT, unread).await, first);
    let started = || std::fs::read_dir(marks.to_string()).unwrap().count();
    assert_eq!(started(), 1);
    ask(&maker, 2, PATIENT).await;
    assert_eq!(started(), 2);
}

#[tokio::test]
async fn what_no_picture_can_be_made_of_is_remembered() {
    let marks = tempfile::tempdir().unwrap();
    let path = marks.path().display();
    let maker = maker(&format!("mktemp -p {path} >&2; exit 1"), PATIENT);
    assert_eq!(ask(&maker, 1, PATIENT).await, Outcome::None);
    assert_eq!(ask(&maker, 1, PATIENT).await, Outcome::None);
    assert_eq!(std::fs::read_dir(marks.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_fails_by_itself_is_tried_again() {
    let broken = maker("exit 2", PATIENT);
    assert_eq!(ask(&broken, 1, PATIENT).await, Outcome::Failed);
    let gone = Program { path: "/nowhere/at/all".into(), arguments: Vec::new(), time: PATIENT };
    assert_eq!(ask(&Maker::new(World::real(), gone), 1, PATIENT).await, Outcome::Failed);
    let maker = maker("echo made", PATIENT);
    assert_eq!(maker.picture(content(1), WISH, PATIENT, async { Err(SourceError) }).await, Outcome::Failed);
    assert!(matches!(ask(&maker, 1, PATIENT).await, Outcome::Made(_)));
}

#[tokio::test]
async fn who_takes_too_long_is_killed_with_all_that_it_started() {
    let marks = tempfile::tempdir().unwrap();
    let file = marks.path().join("processes");
    let script = format!("sleep 600 & echo $! $$ > {}; wait", file.display());
    let maker = maker(&script, Duration::from_secs(2));
    assert_eq!(ask(&maker, 1, PATIENT).await, Outcome::None);
    for process in std::fs::read_to_string(file).unwrap().split_whitespace() {
        // Killed, whether or not somebody has taken note of it; which takes the moment until it is its turn to die.
        let status = || std::fs::read_to_string(Path::new("/proc").join(process).join("status")).unwrap_or_default();
        let is_dead = |status: &str| ["State:\tZ", "State:\tX"].iter().any(|dead| status.contains(dead));
        for _ in 0..500 {
            if status().is_empty() || is_dead(&status()) {
                break;
            }
            World::real().sleep(Duration::from_millis(10)).await;
        }
        let status = status();
        assert!(status.is_empty() || is_dead(&status), "{status}");
    }
}

#[tokio::test]
async fn a_flood_is_no_picture() {
    let maker = maker("cat > /dev/null; while :; do head -c 1000000 /dev/zero; done", PATIENT);
    assert_eq!(ask(&maker, 1, PATIENT).await, Outcome::None);
}

#[tokio::test]
async fn who_does_not_wait_finds_it_later_and_no_more_than_that_many_are_under_way() {
    let marks = tempfile::tempdir().unwrap();
    let go = marks.path().join("go");
    let script = format!("while ! test -e {}; do sleep 0.05; done; echo made", go.display());
    let maker = maker(&script, PATIENT);
    let short = Duration::from_millis(1);
    for number in 1..=100 {
        assert_eq!(ask(&maker, number, short).await, Outcome::Later);
    }
    let table = || maker.0.table.lock().unwrap().under_way.len();
    assert_eq!(table(), super::UNDER_WAY_MAX);
    std::fs::write(go, b"").unwrap();
    // Each of them: one that still waited for the mark when it goes with the test would wait for ever.
    for number in 1..=65 {
        assert!(matches!(ask(&maker, number, PATIENT).await, Outcome::Made(_)), "{number}");
    }
}
