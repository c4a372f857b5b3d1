//! Runs the program, and speaks to it over HTTP.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// A folder for a data directory, gone with the test.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A server on the data directory, once it accepts requests.
    pub fn serve(&self) -> Server {
        self.serve_with(&["--listen", "127.0.0.1:0"])
    }

    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        let mut command = entente(&["serve", "--json", "--data"]);
        command.arg(self.data()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let ready = serde_json::Deserializer::from_reader(&mut stdout).into_iter().next();
        let Some(Ok(ready)) = ready else {
            panic!("the server did not start: {}", text(&child.wait_with_output().unwrap().stderr));
        };
        Server { child, ready, _stdout: stdout }
    }

    /// A server that must not start.
    pub fn refused(&self) -> Output {
        let mut command = entente(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(self.data()).output().unwrap()
    }

    /// A verb on the data directory.
    pub fn run(&self, verb: &[&str]) -> Output {
        entente(verb).arg("--data").arg(self.data()).output().unwrap()
    }

    /// A verb that must succeed, with `--json`.
    pub fn json(&self, verb: &[&str]) -> Value {
        let output = entente(verb).arg("--json").arg("--data").arg(self.data()).output().unwrap();
        assert!(output.status.success(), "{verb:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn token(&self) -> String {
        let output = self.run(&["token", "issue", "--login", "admin@entente.local"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }
}

pub fn entente(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
    command.args(arguments).env_remove("ENTENTE_LOG").stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub struct Server {
    child: Child,
    pub ready: Value,
    _stdout: ChildStdout,
}

impl Server {
    pub fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Asks it to stop; answers its exit status and what it logged.
    pub fn stop(mut self, signal: Signal) -> (Option<i32>, String) {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code(), log)
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let address = self.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = text(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, body: body.to_owned() }
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    pub fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        self.request("POST", path, &[("authorization", &authorization), ("content-type", "application/json")], body)
    }

    /// Uploads a small file to the root folder through the Box door.
    pub fn upload(&self, token: &str, name: &str, content: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"attributes\"\r\n\r\n\
             {{\"name\":\"{name}\",\"parent\":{{\"id\":\"0\"}}}}\r\n\
             --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n{content}\r\n--x--\r\n"
        );
        let headers = [("authorization", authorization.as_str()), ("content-type", "multipart/form-data; boundary=x")];
        self.request("POST", "/box/upload/2.0/files/content", &headers, &body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed half way leaves no server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking()
            && let Some(stderr) = &mut self.child.stderr
        {
            let mut log = String::new();
            let _ = stderr.read_to_string(&mut log);
            eprintln!("the server said:\n{log}");
        }
    }
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
