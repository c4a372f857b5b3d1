//! The worker that makes pictures, as the server starts it.

use bytes::Bytes;
use entente_model::ContentId;
use entente_pictures::{Format, Maker, Outcome, Program, Wish};
use entente_world::World;
use image::{DynamicImage, ImageFormat, RgbImage};
use std::io::Cursor;
use std::process::{Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_entente");
const LONG: Duration = Duration::from_secs(60);

async fn made(source: Vec<u8>) -> Outcome {
    let program = Program { path: PROGRAM.into(), arguments: vec!["picture-worker".to_owned()], time: LONG };
    let content: ContentId = "1".parse().unwrap();
    let wish = Wish { format: Format::Png, side_max: 64 };
    Maker::new(World::real(), program).picture(content, wish, LONG, async { Ok(Bytes::from(source)) }).await
}

fn image() -> Vec<u8> {
    let mut written = Cursor::new(Vec::new());
    let image =
        RgbImage::from_fn(300, 150, |x, y| image::Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y).unwrap(), 9]));
    DynamicImage::from(image).write_to(&mut written, ImageFormat::Png).unwrap();
    written.into_inner()
}

/// A PNG whose first chunk says how large it is; the checksum of that is made to fit.
fn resized(mut png: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = checksum(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[tokio::test]
async fn an_image_becomes_a_small_one() {
    let Outcome::Made(picture) = made(image()).await else { panic!("no picture") };
    let picture = image::load_from_memory_with_format(&picture, ImageFormat::Png).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 32));
}

#[tokio::test]
async fn bombs_and_damage_make_none() {
    let whole = image();
    // The same size again, so that the checksum is known to be right.
    assert_eq!(resized(whole.clone(), 300, 150), whole);
    assert_eq!(made(resized(whole.clone(), 50_000, 50_000)).await, Outcome::None);
    assert_eq!(made(resized(whole.clone(), 16_000, 16_000)).await, Outcome::None);
    assert_eq!(made(whole[..whole.len() / 2].to_vec()).await, Outcome::None);
    assert_eq!(made(b"a letter".to_vec()).await, Outcome::None);
}

#[test]
fn the_worker_has_given_up_what_it_could_do_harm_with_before_it_reads() {
    let mut command = Command::new(PROGRAM);
    command.args(["picture-worker", "png", "64"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let process = child.id();
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
    // The last limit that is set says that all are.
    while !limit(&read("limits"), "Max open files").starts_with("3 ") {
        assert!(child.try_wait().unwrap().is_none(), "it could not limit itself");
        std::thread::yield_now();
    }
    let limits = read("limits");
    for (name, expected) in [
        ("Max address space", "2147483648 2147483648 bytes"),
        ("Max cpu time", "10 10 seconds"),
        ("Max file size", "0 0 bytes"),
        ("Max core file size", "0 0 bytes"),
        ("Max processes", "0 0 processes"),
    ] {
        assert_eq!(limit(&limits, name), expected);
    }
    assert!(read("status").contains("NoNewPrivs:\t1"));
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

fn limit(limits: &str, name: &str) -> String {
    let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_worker_that_is_told_nonsense_reads_nothing() {
    for arguments in [["gif", "64"], ["png", "0"], ["png", "60000"]] {
        let status = Command::new(PROGRAM).arg("picture-worker").args(arguments).stdin(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(2), "{arguments:?}");
    }
}
