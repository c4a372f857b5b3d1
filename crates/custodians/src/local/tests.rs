use super::*;
use crate::conformance;
use entente_model::{EnterpriseId, EpochId, Timestamp, ZoneId};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(7), zone: ZoneId::new(8), epoch: EpochId::new(9) };
/// The file of the key whose bytes are 0 to 31, as docs/formats/local-key.md shows it.
const GOLDEN_FILE: &str =
    "entente local key encryption key 1\nid = 9383a129\nkey = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    (folder, path)
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Why the file is refused. The message must name it.
fn refusal(path: &Path) -> String {
    let error = LocalCustodian::open(path, World::real()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Misconfigured);
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    message
}

#[tokio::test]
async fn it_conforms() {
    let (_folder, path) = folder();
    let world = World::real();
    conformance::run(&LocalCustodian::in_memory(world.clone()), &world).await.unwrap();
    conformance::run(&LocalCustodian::create(&path, world.clone()).unwrap(), &world).await.unwrap();
}

#[tokio::test]
async fn a_key_wrapped_before_a_restart_unwraps_after_it() {
    let (_folder, path) = folder();
    let world = World::real();
    let before = LocalCustodian::create(&path, world.clone()).unwrap();
    let key = SecretKey::random(world.random());
    let wrapped = before.wrap(CONTEXT, &key).await.unwrap();
    let after = LocalCustodian::open(&path, world).unwrap();
    assert_eq!(before.current_key(), after.current_key());
    assert_eq!(after.unwrap(CONTEXT, &wrapped).await.ok().unwrap().expose(), key.expose());
}

#[tokio::test(start_paused = true)]
async fn a_simulation_repeats() {
    let wrapped = || async {
        let custodian = LocalCustodian::in_memory(World::simulated(42, Timestamp::from_millis(0)));
        custodian.wrap(CONTEXT, &SecretKey::new([1; 32])).await.unwrap()
    };
    assert_eq!(wrapped().await, wrapped().await);
}

#[tokio::test]
async fn another_key_is_refused_with_both_names() {
    let (_folder, path) = folder();
    let world = World::real();
    let other = LocalCustodian::in_memory(world.clone());
    let wrapped = other.wrap(CONTEXT, &SecretKey::new([1; 32])).await.unwrap();
    let custodian = LocalCustodian::create(&path, world).unwrap();
    let error = custodian.unwrap(CONTEXT, &wrapped).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    for part in [other.current_key(), custodian.current_key(), path.display().to_string()] {
        assert!(error.message.contains(&part), "{} does not name {part}", error.message);
    }
}

#[test]
fn the_file_is_as_the_format_says() {
    let (_folder, path) = folder();
    let bytes = std::array::from_fn(|place| u8::try_from(place).unwrap());
    file::create(&path, &SecretKey::new(bytes)).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), GOLDEN_FILE);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(LocalCustodian::open(&path, World::real()).ok().unwrap().current_key(), "local:9383a129");
}

#[tokio::test]
async fn keys_wrapped_by_the_first_release_unwrap() {
    let (_folder, path) = folder();
    write(&path, GOLDEN_FILE);
    let custodian = LocalCustodian::open(&path, World::real()).unwrap();
    let bytes = data_encoding::HEXLOWER.decode(GOLDEN_WRAPPED.as_bytes()).unwrap();
    let wrapped = WrappedKey { key_encryption_key: "local:9383a129".to_owned(), bytes };
    assert_eq!(custodian.unwrap(CONTEXT, &wrapped).await.ok().unwrap().expose(), &[0x55; 32]);
}

/// 32 bytes of 0x55, wrapped for `CONTEXT`.
const GOLDEN_WRAPPED: &str = "016465666768696a6b6c6d6e6f1d4e8b332cbc03cb6b370abd8f303fa81797535fde39a627f284f9\
    1daef6f01da5929e19a2b9f15a608a507b4f3d0d07";

#[test]
fn an_existing_file_is_not_overwritten() {
    let (_folder, path) = folder();
    write(&path, "precious");
    let error = LocalCustodian::create(&path, World::real()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Misconfigured);
    assert!(error.message.contains("exists already"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_folder_that_is_missing_is_said_so() {
    let (folder, _) = folder();
    let path = folder.path().join("nowhere/key");
    let error = LocalCustodian::create(&path, World::real()).err().unwrap();
    assert!(error.message.contains("cannot be written"), "{error}");
}

#[test]
fn a_missing_file_is_refused() {
    let (_folder, path) = folder();
    assert!(refusal(&path).contains("is missing"));
}

#[test]
fn a_file_open_to_others_is_refused() {
    let (_folder, path) = folder();
    for mode in [0o640, 0o604, 0o620, 0o666] {
        write(&path, GOLDEN_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let message = refusal(&path);
        assert!(message.contains(&format!("mode {mode:o}")) && message.contains("chmod 600"), "{message}");
    }
}

#[test]
fn something_that_is_no_file_is_refused() {
    let (folder, _) = folder();
    assert!(refusal(folder.path()).contains("not a regular file"));
}

#[test]
fn malformed_files_are_refused() {
    let (_folder, path) = folder();
    let malformed = [
        String::new(),
        "\u{fffd}".repeat(2000),
        GOLDEN_FILE.replace("key 1", "key 2"),
        GOLDEN_FILE.replace("id = ", "id: "),
        GOLDEN_FILE.replace("9383a129", "9383a12a"),
        GOLDEN_FILE.replace("AAEC", "AAED"),
        GOLDEN_FILE.replace("AAEC", ""),
        GOLDEN_FILE.replace("AAEC", "!!!!"),
        GOLDEN_FILE.replace("key = AAEC", "key: AAEC"),
        format!("{GOLDEN_FILE}more"),
        GOLDEN_FILE.trim_end().trim_end_matches('=').to_owned(),
        GOLDEN_FILE.lines().take(2).collect::<Vec<_>>().join("\n"),
    ];
    for text in malformed {
        write(&path, &text);
        let message = refusal(&path);
        assert!(message.contains("malformed"), "{text:?}: {message}");
        // Nothing of the key may get into a log.
        assert!(!message.contains("AwQFBgcI"), "{message}");
    }
    write(&path, [0xff, 0xfe]);
    assert!(refusal(&path).contains("malformed"));
}
