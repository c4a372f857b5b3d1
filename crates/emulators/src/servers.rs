//! Where the servers are; starts them when they are not there.

use serde::Deserialize;
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

const SCRIPT: &str = "scripts/test-servers.sh";
const STATE: &str = "target/test-servers";
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// A set may be stopped between finding it and asking it.
const STARTS_MAX: usize = 3;

/// What `endpoints.json` tells. The script that writes it belongs to the same commit.
#[derive(Deserialize)]
pub struct Endpoints {
    pub s3: S3Endpoint,
    pub azure: AzureEndpoint,
    pub gcs: GcsEndpoint,
    pub postgres: PostgresEndpoint,
}

#[derive(Deserialize)]
pub struct S3Endpoint {
    pub endpoint: String,
    pub port: u16,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
}

#[derive(Deserialize)]
pub struct AzureEndpoint {
    pub endpoint: String,
    pub port: u16,
    pub account: String,
    pub key: String,
}

#[derive(Deserialize)]
pub struct GcsEndpoint {
    pub endpoint: String,
    pub port: u16,
}

#[derive(Deserialize)]
pub struct PostgresEndpoint {
    pub url: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub socket_folder: PathBuf,
    pub programs: PathBuf,
}

/// The running servers, the same for the life of the process.
pub fn endpoints() -> &'static Endpoints {
    static FOUND: OnceLock<(Endpoints, File)> = OnceLock::new();
    let (endpoints, _used) = FOUND.get_or_init(|| {
        let root = root();
        // Held as long as the process lives: it keeps `test-servers.sh release` from stopping what we use.
        let used = use_servers(&root.join(STATE));
        for _ in 0..STARTS_MAX {
            if let Some(endpoints) = running(&root.join(STATE)) {
                return (endpoints, used);
            }
            start(&root);
        }
        panic!("the test servers do not stay up; see {STATE}/logs, and try `{SCRIPT} stop`");
    });
    endpoints
}

/// The checkout that this crate was built from.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(root.join(SCRIPT).is_file(), "no {SCRIPT} in {}: run the tests where they were built", root.display());
    root
}

fn use_servers(state: &Path) -> File {
    fs::create_dir_all(state).expect("make the folder of the test servers");
    let users = File::options().create(true).append(true).open(state.join("users")).expect("open the file of users");
    users.lock_shared().expect("lock the file of users");
    users
}

/// The set that runs and accepts connections, if there is one.
fn running(state: &Path) -> Option<Endpoints> {
    let text = fs::read(state.join("endpoints.json")).ok()?;
    let endpoints: Endpoints = serde_json::from_slice(&text).ok()?;
    let ports = [endpoints.s3.port, endpoints.azure.port, endpoints.gcs.port, endpoints.postgres.port];
    let accepts =
        |port| TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), CONNECT_MAX).is_ok();
    if !ports.into_iter().all(accepts) {
        return None;
    }
    // Whoever watches the servers sees that they are wanted.
    if let Ok(asked) = File::options().create(true).append(true).open(state.join("asked")) {
        let _ = asked.set_modified(SystemTime::now());
    }
    Some(endpoints)
}

fn start(root: &Path) {
    let started = Command::new(root.join(SCRIPT)).arg("start").stdin(Stdio::null()).output();
    let started = started.expect("run the script of the test servers");
    assert!(
        started.status.success(),
        "the test servers could not be started:\n{}\n`make test-servers` installs and starts them",
        String::from_utf8_lossy(&started.stderr).trim_end()
    );
}

/// A name that nobody has used: lower-case letters and digits, at most 40 characters, valid for a bucket, a container
/// and a database. It tells which test process asked.
pub fn fresh_name() -> String {
    let random = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect::<String>().to_lowercase();
    format!("t{}x{random}", std::process::id())
}
