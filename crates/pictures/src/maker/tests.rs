//! With programs that behave as workers may.

use super::{Maker, Outcome, Source, SourceError};
use crate::document::Documents;
use crate::process::Program;
use crate::{Format, Kind, What, Wish};
use bytes::Bytes;
use entente_model::ContentId;
use entente_world::World;
use std::path::Path;
use std::time::Duration;

const WISH: What = What::Picture(Wish::new(Format::Png, 32));
const PATIENT: Duration = Duration::from_secs(60);

fn program(script: &str, time: Duration) -> Program {
    let arguments = vec!["-c".to_owned(), script.to_owned(), "worker".to_owned()];
    Program { path: "/bin/sh".into(), arguments, time }
}

fn maker(script: &str, time: Duration) -> Maker {
    Maker::new(World::real(), program(script, time), None)
}

/// One of those that read documents says what it is told and what it is given.
fn reader(script: &str) -> Maker {
    let documents = Documents { program: program(script, PATIENT), pdf: true, office: true };
    Maker::new(World::real(), program("printf 'picture %s %s of [%s]' $1 $2 \"$(cat)\"", PATIENT), Some(documents))
}

fn source(number: u32, kind: Kind) -> Source {
    Source { content: content(number), kind, read: Box::pin(async { Ok(Bytes::from_static(b"source")) }) }
}

fn content(number: u32) -> ContentId {
    number.to_string().parse().unwrap()
}

fn unreadable() -> Source {
    Source { content: content(1), kind: Kind::Image, read: Box::pin(async { Err(SourceError) }) }
}

async fn ask(maker: &Maker, number: u32, patience: Duration) -> Outcome {
    maker.make(source(number, Kind::Image), WISH, patience).await
}

#[tokio::test]
async fn a_picture_is_made_once_and_the_worker_knows_nothing_but_its_task() {
    let marks = tempfile::tempdir().unwrap();
    let marks = marks.path().display();
    let maker = maker(&format!("mktemp -p {marks} >&2; echo \"$1 $2 $3 $(cat) $HOME\""), PATIENT);
    let (first, second) = tokio::join!(ask(&maker, 1, PATIENT), ask(&maker, 1, PATIENT));
    assert_eq!(first, Outcome::Made(Bytes::from_static(b"png 32 0 source \n")));
    assert_eq!(second, first);
    assert_eq!(maker.make(unreadable(), WISH, PATIENT).await, first);
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
    assert_eq!(ask(&Maker::new(World::real(), gone, None), 1, PATIENT).await, Outcome::Failed);
    let maker = maker("echo made", PATIENT);
    assert_eq!(maker.make(unreadable(), WISH, PATIENT).await, Outcome::Failed);
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

#[tokio::test]
async fn a_document_takes_steps_that_are_kept() {
    let marks = tempfile::tempdir().unwrap();
    let path = marks.path().display();
    let maker = reader(&format!("mktemp -p {path} >&2; printf '%s %s of (%s)' \"$2\" \"$3\" \"$(cat)\""));
    let steps = || std::fs::read_dir(marks.path()).unwrap().count();
    let text = |outcome| match outcome {
        Outcome::Made(made) => String::from_utf8(made.to_vec()).unwrap(),
        other => format!("{other:?}"),
    };
    let office = || source(1, Kind::Office("odt"));
    let (one, other) = tokio::join!(
        maker.make(office(), WISH, PATIENT),
        maker.make(office(), What::Picture(Wish::new(Format::Jpeg, 160)), PATIENT)
    );
    assert_eq!(text(one), "picture png 32 of [page 1 of (pdf odt of (source))]");
    assert_eq!(text(other), "picture jpg 160 of [page 1 of (pdf odt of (source))]");
    assert_eq!(steps(), 2);
    let second = What::Picture(Wish { page: 2, ..Wish::new(Format::Png, 32) });
    assert_eq!(
        text(maker.make(office(), second, PATIENT).await),
        "picture png 32 of [page 2 of (pdf odt of (source))]"
    );
    assert_eq!(steps(), 3);
    assert_eq!(text(maker.make(office(), What::Text, PATIENT).await), "text  of (pdf odt of (source))");
    assert_eq!(text(maker.make(office(), What::Pdf, PATIENT).await), "pdf odt of (source)");
    let pdf = || source(2, Kind::Pdf);
    assert_eq!(text(maker.make(pdf(), WISH, PATIENT).await), "picture png 32 of [page 1 of (source)]");
    assert_eq!(text(maker.make(pdf(), What::Text, PATIENT).await), "text  of (source)");
    assert_eq!(text(maker.make(pdf(), What::Pdf, PATIENT).await), "source");
    assert_eq!(steps(), 6);
    for nothing in [What::Text, What::Pdf, What::Page(1)] {
        assert_eq!(maker.make(source(3, Kind::Image), nothing, PATIENT).await, Outcome::None);
    }
}

#[tokio::test]
async fn a_watermark_is_told_before_the_content_and_makes_another_picture() {
    let maker = maker("printf \"$3 $(cat)\"", PATIENT);
    let marked = |text: &str| What::Picture(Wish { watermark: Some(text.into()), ..Wish::new(Format::Png, 32) });
    for (wish, made) in [(marked("anna"), "4 annasource"), (marked("otto@"), "5 otto@source"), (WISH, "0 source")] {
        let made = Outcome::Made(Bytes::from(made));
        assert_eq!(maker.make(source(1, Kind::Image), wish, PATIENT).await, made);
    }
}

#[tokio::test]
async fn documents_are_read_where_there_are_programs_and_a_sandbox() {
    let none = maker("printf made", PATIENT);
    assert!(none.reads(Kind::Image) && !none.reads(Kind::Pdf));
    assert_eq!(none.make(source(1, Kind::Pdf), WISH, PATIENT).await, Outcome::Unread);
    let documents = Documents { program: program("printf page", PATIENT), pdf: true, office: false };
    let no_office = Maker::new(World::real(), program("cat", PATIENT), Some(documents));
    assert!(no_office.reads(Kind::Pdf) && !no_office.reads(Kind::Office("doc")));
    let shut = reader("exit 3");
    assert!(shut.reads(Kind::Pdf));
    assert_eq!(shut.make(source(1, Kind::Pdf), WISH, PATIENT).await, Outcome::Unread);
    assert!(!shut.reads(Kind::Pdf) && shut.reads(Kind::Image));
}
