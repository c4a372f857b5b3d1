use super::*;
use crate::conformance;
use bytes::Bytes;
use futures_util::FutureExt;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const NAME: ObjectName = ObjectName::new([0xab; 16]);
const EVERY_WAY: [Temporaries; 2] = [Temporaries::Unnamed, Temporaries::Named];

fn open(root: &Path, temporaries: Temporaries) -> FsBackend {
    FsBackend::open_with(World::real(), root, temporaries).unwrap()
}

/// Every file below the root, also those that no listing shows.
fn files(root: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(root).unwrap().map(|folder| folder.unwrap().path());
    folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect()
}

async fn create(backend: &FsBackend, name: ObjectName, bytes: &'static [u8]) {
    let mut creation = backend.create(name).await.unwrap();
    creation.write(Bytes::from_static(bytes)).await.unwrap();
    creation.commit().await.unwrap();
}

fn large() -> Bytes {
    Bytes::from(vec![7; 3 * 1024 * 1024])
}

#[tokio::test]
async fn it_conforms_and_leaves_no_file_behind() {
    for temporaries in EVERY_WAY {
        let root = tempfile::tempdir().unwrap();
        let backend = open(root.path(), temporaries);
        assert_eq!(backend.inner.layout.temporaries, temporaries);
        conformance::run(&backend, &World::real()).await.unwrap();
        assert_eq!(files(root.path()), Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn it_conforms_without_reads_that_refuse_to_wait() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    backend.inner.reads_inline.store(false, Ordering::Relaxed);
    conformance::run(&backend, &World::real()).await.unwrap();
}

#[tokio::test]
async fn it_conforms_without_direct_writes() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    backend.inner.writes_directly.store(false, Ordering::Relaxed);
    conformance::run(&backend, &World::real()).await.unwrap();
}

#[tokio::test]
async fn large_objects_of_every_alignment_are_whole() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    let mebibyte = 1024 * 1024;
    let sizes = [mebibyte, mebibyte + 1, 2 * mebibyte - 1, 2 * mebibyte, 2 * mebibyte + 4096, 2 * mebibyte + 4097];
    for (number, size) in (0..).zip(sizes) {
        let name = ObjectName::new([number; 16]);
        let mut bytes = vec![0; size];
        World::real().random().fill(&mut bytes);
        let mut rest = Bytes::from(bytes.clone());
        let mut creation = backend.create(name).await.unwrap();
        while !rest.is_empty() {
            creation.write(rest.split_to(rest.len().min(65_552))).await.unwrap();
        }
        creation.commit().await.unwrap();
        assert!(fs::read(root.path().join(format!("{number:02x}/{name}"))).unwrap() == bytes, "{size} bytes");
    }
}

#[tokio::test]
async fn objects_are_where_the_format_says() {
    let above = tempfile::tempdir().unwrap();
    let root = above.path().join("made/on the way");
    create(&open(&root, Temporaries::Unnamed), NAME, b"hello").await;
    let file = root.join("ab").join("ab".repeat(16));
    assert_eq!(fs::read(file).unwrap(), b"hello");
    // And another opening finds them.
    let backend = FsBackend::open(World::real(), root).unwrap();
    assert_eq!(backend.read(NAME, 1..5).await.unwrap(), "ello");
}

#[tokio::test]
async fn foreign_files_are_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    create(&backend, NAME, b"hello").await;
    let folder = root.path().join("ab");
    for foreign in ["lost+found", "AB", &"cd".repeat(16), &format!("{NAME}.bak")] {
        fs::write(folder.join(foreign), "foreign").unwrap();
    }
    fs::create_dir(folder.join(format!("{}00", "ab".repeat(15)))).unwrap();
    let listed = backend.list(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|row| (row.name, row.size)).collect::<Vec<_>>(), [(NAME, 5)]);
}

#[tokio::test]
async fn a_folder_in_the_place_of_an_object_is_not_one() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    fs::create_dir(root.path().join("ab").join(NAME.to_string())).unwrap();
    assert_eq!(backend.stat(NAME).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(backend.read(NAME, 0..1).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_cut_short_is_out_of_range_even_while_it_is_open() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    create(&backend, NAME, b"hello").await;
    assert_eq!(backend.read(NAME, 0..5).await.unwrap(), "hello");
    let file = fs::OpenOptions::new().write(true).open(root.path().join("ab").join(NAME.to_string())).unwrap();
    file.set_len(2).unwrap();
    assert_eq!(backend.read(NAME, 0..2).await.unwrap(), "he");
    assert_eq!(backend.read(NAME, 0..5).await.unwrap_err().kind, ErrorKind::OutOfRange);
}

#[tokio::test]
async fn a_deleted_object_is_forgotten_and_its_space_given_back() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    create(&backend, NAME, b"hello").await;
    assert_eq!(backend.read(NAME, 0..5).await.unwrap(), "hello");
    assert_eq!(backend.inner.open_files.len(), 1);
    backend.delete(NAME).await.unwrap();
    assert_eq!(backend.inner.open_files.len(), 0);
    assert_eq!(backend.read(NAME, 0..5).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_opened_before_its_deletion_is_not_kept_after_it() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    create(&backend, NAME, b"hello").await;
    let opened_before = backend.inner.layout.open_object(NAME).unwrap();
    backend.delete(NAME).await.unwrap();
    assert_eq!(backend.inner.keep_open(NAME, opened_before).err(), Some(Errno::NOENT));
    assert_eq!(backend.inner.open_files.len(), 0);
}

#[tokio::test]
async fn more_objects_are_read_than_files_are_kept_open() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    for number in 0..=u8::MAX {
        let folder = root.path().join(format!("{number:02x}"));
        for last in [1, 2] {
            let mut name = [number; 16];
            name[15] = last;
            fs::write(folder.join(ObjectName::new(name).to_string()), [number, last]).unwrap();
        }
    }
    for listed in backend.list(None, 1000).await.unwrap() {
        let bytes = listed.name.as_bytes();
        assert_eq!(backend.read(listed.name, 0..2).await.unwrap(), [bytes[0], bytes[15]][..]);
    }
    assert_eq!(backend.inner.open_files.len(), OPEN_FILES_MAX);
}

#[tokio::test]
async fn an_object_being_created_survives_another_opening_of_the_folder() {
    for temporaries in EVERY_WAY {
        let root = tempfile::tempdir().unwrap();
        let backend = open(root.path(), temporaries);
        let mut creation = backend.create(NAME).await.unwrap();
        creation.write(large()).await.unwrap();
        open(root.path(), temporaries);
        creation.commit().await.unwrap();
        assert_eq!(backend.stat(NAME).await.unwrap().size, 3 * 1024 * 1024);
    }
}

#[test]
fn an_object_whose_write_was_dropped_half_way_cannot_be_committed() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        // The one thread is held up until the write has been dropped.
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let world = World::real();
        let mut holding_up = Box::pin(world.blocking(move || wait.recv()));
        assert!((&mut holding_up).now_or_never().is_none());
        let mut creation = backend.create(NAME).await.unwrap();
        assert!(creation.write(large()).now_or_never().is_none());
        drop(go_on);
        assert_eq!(creation.commit().await.unwrap_err().kind, ErrorKind::Failed);
        assert_eq!(backend.stat(NAME).await.unwrap_err().kind, ErrorKind::NotFound);
    });
}

#[tokio::test]
async fn a_missing_folder_is_damage_and_not_a_missing_object() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    fs::remove_dir(root.path().join("ab")).unwrap();
    assert_eq!(backend.create(NAME).await.unwrap().commit().await.unwrap_err().kind, ErrorKind::Failed);
}

#[test]
fn a_file_in_the_place_of_the_root_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(FsBackend::open(World::real(), file.path()).err().unwrap().kind, ErrorKind::Failed);
}

/// What tells the child below that it is one, and where to write.
const CHILD_ROOT: &str = "ENTENTE_TEST_KILLED_ROOT";

/// Not a test of its own: `nothing_is_left_of_a_killed_process` runs it in a process that it kills.
#[tokio::test]
async fn killed_child() {
    #[expect(clippy::disallowed_methods, reason = "the way to tell a child process of this test from a run of its own")]
    let Some(root) = std::env::var_os(CHILD_ROOT) else {
        return;
    };
    let mut creations = Vec::new();
    for (number, temporaries) in (1..).zip(EVERY_WAY) {
        let mut creation = open(Path::new(&root), temporaries).create(ObjectName::new([number; 16])).await.unwrap();
        creation.write(large()).await.unwrap();
        creations.push(creation);
    }
    println!("\nwritten");
    // Until it is killed.
    std::future::pending::<()>().await;
}

#[test]
fn nothing_is_left_of_a_killed_process() {
    let root = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "fs::tests::killed_child"])
        .env(CHILD_ROOT, root.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "written"));
    child.kill().unwrap();
    child.wait().unwrap();
    // Of the unnamed one nothing at all; the named one goes at the next start.
    assert_eq!(files(root.path()).len(), 1);
    open(root.path(), Temporaries::Unnamed);
    assert_eq!(files(root.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_marker_is_a_file_that_is_made_once() {
    for temporaries in EVERY_WAY {
        let root = tempfile::tempdir().unwrap();
        let backend = open(root.path(), temporaries);
        assert_eq!(backend.marker().await.unwrap(), None);
        backend.mark(Bytes::from_static(b"ours")).await.unwrap();
        assert_eq!(fs::read(root.path().join("entente-store")).unwrap(), b"ours");
        assert_eq!(backend.mark(Bytes::from_static(b"theirs")).await.unwrap_err().kind, ErrorKind::AlreadyExists);
        assert_eq!(backend.marker().await.unwrap().unwrap(), "ours");
        conformance::Check::Marker.run(&backend, &World::real()).await.unwrap();
        // No temporary file is left, and it is no object.
        assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0);
        assert_eq!(backend.list(None, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_marker_that_is_too_large_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    fs::write(root.path().join("entente-store"), vec![b'x'; MARKER_BYTES_MAX]).unwrap();
    assert_eq!(backend.marker().await.unwrap().unwrap().len(), MARKER_BYTES_MAX);
    fs::write(root.path().join("entente-store"), vec![b'x'; MARKER_BYTES_MAX + 1]).unwrap();
    assert_eq!(backend.marker().await.unwrap_err().kind, ErrorKind::Failed);
}

#[tokio::test]
async fn foreign_files_are_told() {
    let root = tempfile::tempdir().unwrap();
    let backend = open(root.path(), Temporaries::Unnamed);
    create(&backend, NAME, b"hello").await;
    backend.mark(Bytes::from_static(b"ours")).await.unwrap();
    fs::create_dir(root.path().join("lost+found")).unwrap();
    assert_eq!(backend.foreign(10).await.unwrap(), Vec::<String>::new());
    fs::write(root.path().join("holiday.jpg"), "foreign").unwrap();
    fs::write(root.path().join("ab").join(format!("{NAME}.bak")), "foreign").unwrap();
    let mut foreign = backend.foreign(10).await.unwrap();
    foreign.sort_unstable();
    assert_eq!(foreign, [format!("ab/{NAME}.bak"), "holiday.jpg".to_owned()]);
    assert_eq!(backend.foreign(1).await.unwrap().len(), 1);
}
