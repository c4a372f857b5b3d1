//! The workers that make pictures and read documents, as the server starts them.

use bytes::Bytes;
use entente_model::ContentId;
use entente_pictures::{Documents, Format, Kind, Maker, Outcome, Program, Source, What, Wish};
use entente_world::World;
use image::{DynamicImage, ImageFormat, RgbImage};
use std::io::Cursor;
use std::process::{Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_entente");
const LONG: Duration = Duration::from_secs(60);

fn program(verb: &str) -> Program {
    Program { path: PROGRAM.into(), arguments: vec![verb.to_owned()], time: LONG }
}

fn maker() -> Maker {
    Maker::new(World::real(), program("picture-worker"), Some(Documents::found(program("document-worker"))))
}

fn source(kind: Kind, bytes: Vec<u8>) -> Source {
    let content: ContentId = "1".parse().unwrap();
    Source { content, kind, read: Box::pin(async { Ok(Bytes::from(bytes)) }) }
}

async fn made(bytes: Vec<u8>) -> Outcome {
    maker().make(source(Kind::Image, bytes), What::Picture(Wish::new(Format::Png, 64)), LONG).await
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

/// A PDF of so many pages, each with a line of large text on it.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (page, text) in pages.iter().enumerate() {
        let drawn = format!("BT /F1 40 Tf 50 700 Td ({text}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()));
    }
    let (mut written, mut places) = ("%PDF-1.4\n".to_owned(), Vec::new());
    for (number, object) in objects.iter().enumerate() {
        places.push(written.len());
        written += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = written.len();
    written += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        written += &format!("{place:010} 00000 n \n");
    }
    written += &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    written.into_bytes()
}

fn shown(outcome: &Outcome, format: ImageFormat) -> DynamicImage {
    let Outcome::Made(picture) = outcome else { panic!("no picture: {outcome:?}") };
    image::load_from_memory_with_format(picture, format).unwrap()
}

/// The share of pixels that are not white.
fn inked(image: &DynamicImage) -> f64 {
    let image = image.to_luma8();
    let inked = image.pixels().filter(|pixel| pixel.0[0] < 128).count();
    inked as f64 / f64::from(image.width() * image.height())
}

#[tokio::test]
async fn a_pdf_has_pages_and_text() {
    let maker = maker();
    let source = || source(Kind::Pdf, pdf(&["first page", "much more on another page"]));
    let page = |page, watermark: Option<&str>| {
        What::Picture(Wish { page, watermark: watermark.map(Into::into), ..Wish::new(Format::Jpeg, 320) })
    };
    let first = shown(&maker.make(source(), page(1, None), LONG).await, ImageFormat::Jpeg);
    assert_eq!((first.width(), first.height()), (240, 320));
    let second = shown(&maker.make(source(), page(2, None), LONG).await, ImageFormat::Jpeg);
    assert!(0.002 < inked(&first) && inked(&first) < inked(&second), "{} {}", inked(&first), inked(&second));
    assert_eq!(maker.make(source(), page(3, None), LONG).await, Outcome::None);
    let marked = shown(&maker.make(source(), page(1, Some("anna@example.com")), LONG).await, ImageFormat::Jpeg);
    let differ = first
        .to_luma8()
        .pixels()
        .zip(marked.to_luma8().pixels())
        .filter(|(one, other)| one.0[0].abs_diff(other.0[0]) > 32)
        .count();
    assert!(differ > 1_000, "{differ}");
    let Outcome::Made(text) = maker.make(source(), What::Text, LONG).await else { panic!("no text") };
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains("first page") && text.contains("more on another"), "{text}");
}

#[tokio::test]
async fn an_office_file_becomes_a_pdf_and_that_a_picture() {
    let maker = maker();
    let letter = || source(Kind::Office("rtf"), br"{\rtf1\ansi\fs72 A letter in large type}".to_vec());
    let Outcome::Made(pdf) = maker.make(letter(), What::Pdf, LONG).await else { panic!("no PDF") };
    assert!(pdf.starts_with(b"%PDF-"));
    let picture =
        shown(&maker.make(letter(), What::Picture(Wish::new(Format::Png, 256)), LONG).await, ImageFormat::Png);
    assert_eq!(picture.height(), 256);
    assert!(inked(&picture) > 0.002, "{}", inked(&picture));
    let Outcome::Made(text) = maker.make(letter(), What::Text, LONG).await else { panic!("no text") };
    assert!(String::from_utf8_lossy(&text).contains("A letter in large type"));
}

#[tokio::test]
async fn documents_that_are_none_have_no_picture() {
    let picture = || What::Picture(Wish::new(Format::Png, 64));
    let whole = pdf(&["page"]);
    for torn in [b"%PDF-1.7".to_vec(), whole[..60].to_vec(), b"%PDF-1.4\n".repeat(1_000)] {
        assert_eq!(maker().make(source(Kind::Pdf, torn), picture(), LONG).await, Outcome::None);
    }
    let zip = source(Kind::Office("docx"), b"PK\x03\x04 and nothing that follows".to_vec());
    assert_eq!(maker().make(zip, picture(), LONG).await, Outcome::None);
}

/// What a process has started.
fn children(process: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// The first that there is within a minute.
async fn child(process: u32) -> u32 {
    for _ in 0..6_000 {
        if let Some(child) = children(process).first() {
            return *child;
        }
        World::real().sleep(Duration::from_millis(10)).await;
    }
    panic!("{process} started nothing")
}

#[tokio::test]
async fn who_reads_a_document_is_shut_in_and_does_not_outlive_who_asked() {
    let mut command = Command::new(PROGRAM);
    command.args(["document-worker", "outside", "page", "1"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut outside = command.spawn().unwrap();
    // Which waits for its document, since nothing comes.
    let reader = child(child(outside.id()).await).await;
    while !std::fs::read_to_string(format!("/proc/{reader}/comm")).unwrap().starts_with("pdftoppm") {
        std::thread::yield_now();
    }
    let of = |process: &str, file: &str| format!("/proc/{process}/{file}");
    let reader = reader.to_string();
    for space in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let id = |process: &str| std::fs::read_link(of(process, &format!("ns/{space}"))).unwrap();
        assert_ne!(id(&reader), id("self"), "{space}");
    }
    let read = |file: &str| std::fs::read_to_string(of(&reader, file)).unwrap();
    let status = read("status");
    assert!(status.contains("NoNewPrivs:\t1"));
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(status.contains(&format!("{capabilities}:\t0000000000000000")), "{status}");
    }
    let limits = read("limits");
    for (name, expected) in [
        ("Max address space", "4294967296 4294967296 bytes"),
        ("Max cpu time", "60 60 seconds"),
        ("Max file size", "134217728 134217728 bytes"),
        ("Max core file size", "0 0 bytes"),
        ("Max processes", "256 256 processes"),
        ("Max open files", "256 256 files"),
    ] {
        assert_eq!(limit(&limits, name), expected);
    }
    assert_eq!(read("oom_score_adj").trim(), "1000");
    // Nothing but programs and fonts, none of it to be written.
    let there = std::fs::read_dir(of(&reader, "root")).unwrap();
    let mut there: Vec<String> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.retain(|name| !["lib64", "var"].contains(&name.as_str()));
    there.sort();
    assert_eq!(there, ["bin", "dev", "etc", "lib", "proc", "tmp", "usr", "work"]);
    let etc: Vec<_> =
        std::fs::read_dir(of(&reader, "root/etc")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        etc.iter().all(|name| ["fonts", "ld.so.cache", "libreoffice"].iter().any(|known| name == known)),
        "{etc:?}"
    );
    for line in read("mountinfo").lines() {
        let mut fields = line.split(' ').skip(4);
        let (place, options) = (fields.next().unwrap(), fields.next().unwrap());
        let is_own = ["/", "/proc"].contains(&place) || place.starts_with("/dev/");
        assert!(is_own || options.split(',').any(|option| option == "ro"), "{line}");
    }
    let devices = std::fs::read_to_string(of(&reader, "net/dev")).unwrap();
    assert_eq!(devices.lines().skip(2).filter(|line| !line.trim_start().starts_with("lo:")).count(), 0, "{devices}");
    outside.kill().unwrap();
    outside.wait().unwrap();
    for _ in 0..6_000 {
        let status = std::fs::read_to_string(of(&reader, "status")).unwrap_or_default();
        if status.is_empty() || status.contains("State:\tZ") || status.contains("State:\tX") {
            return;
        }
        World::real().sleep(Duration::from_millis(10)).await;
    }
    panic!("it goes on reading");
}

#[test]
fn a_reader_that_is_told_nonsense_reads_nothing() {
    for arguments in [["outside", "pdf", "exe"], ["outside", "page", "0"], ["beside", "text", ""], ["outside", "x", ""]]
    {
        let status = Command::new(PROGRAM).arg("document-worker").args(arguments).stdin(Stdio::null()).status();
        assert_eq!(status.unwrap().code(), Some(2), "{arguments:?}");
    }
}
