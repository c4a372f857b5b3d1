//! The program under test: a real server process, and its verbs.

use super::place::Place;
use crate::Bench;
use anyhow::{Context, Result, bail};
use entente_world::World;
use serde::Deserialize;
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// A debug build that waits for emulators takes its time.
const READY_MAX: Duration = Duration::from_secs(60);
const END_MAX: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);
/// Below the ports that the system gives to outgoing connections, so that a server can come back on its own.
const PORTS: std::ops::Range<u64> = 20_000..32_000;
const PORTS_TRIED_MAX: usize = 1000;
/// Whom the first start makes.
pub const ADMIN: &str = "admin@entente.local";

/// One installation: where its data are, how it is configured, and the process that serves it, if one does.
pub struct Program {
    world: World,
    program: PathBuf,
    config: PathBuf,
    data: PathBuf,
    address: SocketAddr,
    public_url: Option<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    s3_url: Option<String>,
    child: Option<Child>,
}

/// What `ready.json` says, as far as it matters here.
#[derive(Deserialize)]
struct Ready {
    pid: u32,
    s3_url: Option<String>,
}

impl Program {
    /// An installation in a folder that is made for it, with that configuration. Nothing is started.
    pub fn new(bench: &Bench, program: &Path, folder: &Path, config: &str, places: &[&Place]) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let program = std::path::absolute(program)?;
        if !program.is_file() {
            bail!("there is no program at {}; build it, or say where it is with --program", program.display());
        }
        let config_path = folder.join("entente.toml");
        fs::write(&config_path, config)?;
        Ok(Self {
            world: bench.world.clone(),
            program,
            config: config_path,
            data: folder.join("data"),
            address: free_address(&bench.world)?,
            public_url: None,
            environment: places.iter().flat_map(|place| place.environment()).collect(),
            log: folder.join("server.log"),
            s3_url: None,
            child: None,
        })
    }

    /// Tells clients to come by another URL.
    pub fn known_as(mut self, public_url: &str) -> Self {
        self.public_url = Some(public_url.to_owned());
        self
    }

    /// Tells it something by its environment.
    pub fn told(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What it is told by its environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    /// The file of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its S3 door is, while it runs.
    pub fn s3_url(&self) -> Option<&str> {
        self.s3_url.as_deref()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process's id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts the server and waits until it accepts requests.
    pub async fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.arg("serve").arg("--config").arg(&self.config).arg("--data").arg(&self.data);
        command.arg("--listen").arg(self.address.to_string()).args(["--s3-listen", "127.0.0.1:0"]);
        if let Some(url) = &self.public_url {
            command.args(["--public-url", url]);
        }
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let pid = child.id();
        self.child = Some(child);
        let begun = self.world.instant();
        while begun.elapsed() < READY_MAX {
            let ready = fs::read(self.data.join("ready.json")).ok();
            let ready: Option<Ready> = ready.and_then(|text| serde_json::from_slice(&text).ok());
            // One that was killed leaves its file behind.
            if let Some(ready) = ready.filter(|ready| ready.pid == pid) {
                self.s3_url = ready.s3_url;
                return Ok(());
            }
            if let Some(status) = self.ended()? {
                bail!("the server ended before it was ready ({status}): {}", self.last_words());
            }
            self.world.sleep(PAUSE).await;
        }
        self.kill()?;
        bail!("the server was not ready within {} s: {}", READY_MAX.as_secs(), self.last_words())
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else { bail!("no server was started") };
        let status = child.try_wait()?;
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }

    /// Ends it as a power cut would, as far as the process is concerned.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Asks it to end, and insists that it ends well.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).context("an odd process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let begun = self.world.instant();
        while begun.elapsed() < END_MAX {
            if let Some(status) = self.ended()? {
                if !status.success() {
                    bail!("the server ended with {status}: {}", self.last_words());
                }
                return Ok(());
            }
            self.world.sleep(PAUSE).await;
        }
        self.kill()?;
        bail!("the server did not end within {} s of SIGTERM", END_MAX.as_secs())
    }

    /// The last lines of its log.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    /// Runs a verb to its end and answers what it printed.
    ///
    /// # Errors
    /// When it ends with another status than 0; what it said is in the error.
    pub async fn verb(&self, words: &[&str]) -> Result<String> {
        let output = self.run(words).await?;
        if !output.status.success() {
            let (said, printed) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
            bail!("`entente {}` ended with {}: {} {}", words.join(" "), output.status, said.trim(), printed.trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn run(&self, words: &[&str]) -> Result<std::process::Output> {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--config").arg(&self.config).arg("--data").arg(&self.data);
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null());
        let output = self.world.blocking(move || command.output()).await?;
        output.with_context(|| format!("cannot start {}", self.program.display()))
    }

    /// A bearer token for somebody.
    pub async fn token(&self, login: &str) -> Result<String> {
        Ok(self.verb(&["token", "issue", "--login", login]).await?.trim().to_owned())
    }
}

impl Drop for Program {
    /// Whatever went wrong: no process stays behind.
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("entente-bench: the server could not be ended: {error:#}");
        }
    }
}

/// An address that nobody listens on.
pub fn free_address(world: &World) -> Result<SocketAddr> {
    for _ in 0..PORTS_TRIED_MAX {
        let port = PORTS.start + world.random().below(PORTS.end - PORTS.start);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port)?));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port is free")
}
