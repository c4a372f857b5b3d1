//! An OpenID provider: a process of its own for each test, which ends with it.

use crate::http::{Request, parts, send};
use crate::servers::root;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = "tests/servers/oidc/provider.mjs";
const MODULES: &str = "target/test-tools/oidc";
/// A sign-in takes three steps.
const STEPS_MAX: usize = 10;

/// A provider that runs. Its clients are `entente` (with [`SECRET`](Self::SECRET)), `posting` (`another secret`, in the body),
/// `public` and `elliptic` (no secret; the latter gets ES256).
pub struct Oidc {
    /// By which it calls itself.
    pub issuer: String,
    process: Child,
}

impl Oidc {
    /// The secret of the client `entente`, with letters that must be escaped.
    pub const SECRET: &str = "a secret: of 100%";

    /// Where the provider sends a browser whose user is `hint`: a subject, `~` and a verified mail address; or a subject,
    /// `?` and one that is not; or `nobody`, who refuses.
    #[must_use]
    pub fn visit(&self, url: &str, hint: &str) -> String {
        let hint = hint.replace('~', "%7E").replace('?', "%3F").replace('@', "%40");
        let mut place = format!("{url}&login_hint={hint}");
        let mut cookies = BTreeMap::new();
        for _ in 0..STEPS_MAX {
            if !place.starts_with(&self.issuer) {
                return place;
            }
            let cookie = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let headers = [("cookie", cookie)];
            let request = Request { method: "GET", target: parts(&place).1, headers: &headers, body: b"" };
            let answer = send(&self.issuer, &request).expect(&[302, 303], "visit the provider");
            for (name, value) in &answer.headers {
                if name == "set-cookie"
                    && let Some((name, value)) = value.split(';').next().and_then(|pair| pair.split_once('='))
                {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            let next = answer.headers.into_iter().find(|(name, _)| name == "location").expect("a redirect").1;
            place = if next.starts_with('/') { format!("{}{next}", self.issuer) } else { next };
        }
        panic!("the provider sends the browser around in circles")
    }
}

impl Drop for Oidc {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A provider that sends browsers back to that place and no other.
pub fn oidc(redirect_uri: &str) -> Oidc {
    let root = root();
    let modules = root.join(MODULES);
    assert!(modules.join("node_modules").is_dir(), "no {MODULES}: run scripts/install-test-tools.sh servers");
    let mut process = Command::new("node")
        .arg(root.join(PROGRAM))
        .arg(&modules)
        .arg(redirect_uri)
        // It ends when this end of the pipe is closed, however this process ends.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("start node");
    let mut issuer = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut issuer).expect("read its issuer");
    assert!(issuer.starts_with("http"), "the provider did not start; try `node {PROGRAM} {MODULES} {redirect_uri}`");
    Oidc { issuer: issuer.trim().to_owned(), process }
}
