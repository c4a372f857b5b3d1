//! Disks in zones, and clients that work while what is stored moves.

use crate::program::{Place, Server, files, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Three disks in two zones, and what is configured about them.
pub struct Disks {
    pub place: Place,
    config: PathBuf,
}

const ZONES: &str = r#"
[[custodian]]
name = "local"
kind = "local"
path = "keys/local.key"
[[zone]]
name = "france"
jurisdiction = "FR"
backends = ["alpha", "beta"]
custodian = "local"
[[zone]]
name = "germany"
jurisdiction = "DE"
backends = ["gamma"]
custodian = "local"
"#;
pub const ONE_COPY: &str = "[[policy]]\nname = \"fr\"\nzone = \"france\"\nprimary = \"alpha\"\ndefault = true\n\
    [[policy]]\nname = \"de\"\nzone = \"germany\"\nprimary = \"gamma\"\n";
pub const TWO_COPIES: &str = "[[policy]]\nname = \"fr\"\nzone = \"france\"\nprimary = \"alpha\"\nreplicas = [\"beta\"]\ndefault = true\n\
    [[policy]]\nname = \"de\"\nzone = \"germany\"\nprimary = \"gamma\"\n";

impl Disks {
    pub fn new(policies: &str) -> Self {
        let place = Place::new();
        let mut text = format!("data = {:?}\nlisten = \"127.0.0.1:0\"\n{ZONES}{policies}", place.data());
        for (name, law) in [("alpha", "FR"), ("beta", "FR"), ("gamma", "DE")] {
            let path = place.data().with_file_name(name);
            text.push_str(&format!(
                "[[backend]]\nname = \"{name}\"\nkind = \"fs\"\npath = {path:?}\njurisdiction = \"{law}\"\n"
            ));
        }
        let config = place.file("entente.toml", &text);
        Self { place, config }
    }

    pub fn serve(&self) -> Server {
        self.place.serve_with(&["--config", self.config.to_str().unwrap()])
    }

    /// The objects on a disk, but for its marker.
    pub fn objects(&self, name: &str) -> Vec<PathBuf> {
        let found = files(&self.place.data().with_file_name(name));
        found.into_iter().filter(|path| path.file_name().is_some_and(|name| name != "entente-store")).collect()
    }

    /// Runs `entente relocate` to its end, and answers the last thing that it says.
    pub fn relocate(&self, arguments: &[&str]) -> Value {
        let output = self.place.run(&[&["relocate", "--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        last_line(&output.stdout)
    }

    /// Orders without waiting; answers the id.
    pub fn order(&self, arguments: &[&str]) -> String {
        let ordered = self.place.json(&[&["relocate", "--detach"], arguments].concat());
        ordered["entries"][0]["id"].as_str().unwrap().to_owned()
    }

    pub fn is_undamaged(&self) -> bool {
        self.place.json(&["verify"])["undamaged"] == true
    }
}

pub fn last_line(output: &[u8]) -> Value {
    serde_json::from_str(text(output).lines().last().unwrap()).unwrap()
}

/// Downloads a file, through the redirect; answers the status and the bytes.
pub fn download(server: &Server, token: &str, file: &str) -> (u16, Vec<u8>) {
    let host = server.url().strip_prefix("http://").unwrap();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (text(&answer[..end]), answer[end + 4..].to_vec())
    };
    let (head, _) = get(&format!("/box/2.0/files/{file}/content"));
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_else(|| panic!("{head}"));
    let (head, body) = get(location.strip_prefix(server.url()).unwrap());
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

pub fn upload(server: &Server, token: &str, name: &str, content: &str) -> String {
    let answer = server.upload(token, name, content);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["entries"][0]["id"].as_str().unwrap().to_owned()
}

/// Text of its own for each number, longer than what is packed together sometimes.
pub fn content(number: u64) -> String {
    let length = if number.is_multiple_of(16) { 300_000 } else { 2_000 };
    format!("{number} ").repeat(length / 4)
}

/// Clients that upload and read until they are told to stop. Nothing may fail.
pub struct Clients {
    stop: Arc<AtomicBool>,
    known: Arc<Mutex<BTreeMap<String, u64>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Clients {
    #[expect(clippy::disallowed_methods, reason = "clients of their own")]
    pub fn start(server: &Arc<Server>, token: &str, known: BTreeMap<String, u64>) -> Self {
        let (stop, known) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(known)));
        let next = Arc::new(AtomicU64::new(1_000));
        let client = |_| {
            let (server, token) = (Arc::clone(server), token.to_owned());
            let (stop, known, next) = (Arc::clone(&stop), Arc::clone(&known), Arc::clone(&next));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let id = upload(&server, &token, &format!("{number}.txt"), &content(number));
                    known.lock().unwrap().insert(id, number);
                    let (id, number) = {
                        let known = known.lock().unwrap();
                        let at = usize::try_from(number * 7).unwrap() % known.len();
                        known.iter().nth(at).map(|(id, number)| (id.clone(), *number)).unwrap()
                    };
                    check(&server, &token, &id, number);
                }
            })
        };
        Self { threads: (0..3).map(client).collect(), stop, known }
    }

    /// Everything that was uploaded.
    pub fn end(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("no request fails");
        }
        Arc::try_unwrap(self.known).unwrap().into_inner().unwrap()
    }
}

pub fn fill(server: &Server, token: &str, count: u64) -> BTreeMap<String, u64> {
    (1..=count).map(|number| (upload(server, token, &format!("{number}.txt"), &content(number)), number)).collect()
}

pub fn check_all(server: &Server, token: &str, known: &BTreeMap<String, u64>) {
    known.iter().for_each(|(id, number)| check(server, token, id, *number));
}

/// Downloads what was uploaded under that number.
fn check(server: &Server, token: &str, id: &str, number: u64) {
    let (status, bytes) = download(server, token, id);
    assert_eq!(status, 200, "file {id}: {}", text(&bytes));
    assert!(bytes == content(number).into_bytes(), "file {id} has other bytes");
}
