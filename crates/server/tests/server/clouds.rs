//! Rivals' clouds behind one server: content on three of them, one that goes away, and configurations that are wrong.

use crate::program::{Place, Server, entente, text};
use entente_emulators::{Azure, Fault, Gcs, Proxy, S3, azure, gcs, s3};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::PathBuf;

struct Clouds {
    place: Place,
    config: PathBuf,
    s3: S3,
    azure: Azure,
    gcs: Gcs,
    /// Before Azure.
    proxy: Proxy,
}

impl Clouds {
    fn new() -> Self {
        let (s3, azure, gcs) = (s3(), azure(), gcs());
        let proxy = Proxy::before(&azure.endpoint);
        let place = Place::new();
        let clouds = Self { config: place.file("entente.toml", ""), place, s3, azure, gcs, proxy };
        clouds.place.file("access-key", &clouds.s3.access_key);
        clouds.place.file("secret-key", &clouds.s3.secret_key);
        clouds.place.file("account-key", &clouds.azure.key);
        std::fs::write(&clouds.config, clouds.text()).unwrap();
        clouds
    }

    fn text(&self) -> String {
        let Self { s3, azure, gcs, .. } = self;
        let secret = |name: &str| self.config.with_file_name(name).display().to_string();
        format!(
            r#"
            [health]
            probe_after = "200ms"
            probe_after_max = "500ms"
            [[custodian]]
            name = "local"
            kind = "local"
            path = "keys/local.key"
            [[backend]]
            name = "azure-fr"
            kind = "azure"
            account = "{account}"
            container = "{container}"
            endpoint = "{azure_endpoint}"
            account_key_file = "{account_key}"
            jurisdiction = "FR"
            provider_home = "US"
            [[backend]]
            name = "gcs-fr"
            kind = "gcs"
            bucket = "{gcs_bucket}"
            endpoint = "{gcs_endpoint}"
            anonymous = true
            jurisdiction = "FR"
            provider_home = "US"
            [[backend]]
            name = "s3-fr"
            kind = "s3"
            bucket = "{s3_bucket}"
            region = "{region}"
            endpoint = "{s3_endpoint}"
            access_key_id_file = "{access_key}"
            secret_access_key_file = "{secret_key}"
            provider = "ours"
            jurisdiction = "FR"
            [[zone]]
            name = "france"
            jurisdiction = "FR"
            backends = ["azure-fr", "gcs-fr", "s3-fr"]
            custodian = "local"
            [[policy]]
            name = "twice"
            zone = "france"
            primary = "azure-fr"
            replicas = ["gcs-fr", "s3-fr"]
            durable = 2
            providers_min = 3
            no_foreign_holder = true
            default = true
            "#,
            account = azure.account,
            container = azure.container,
            azure_endpoint = self.proxy.url(),
            account_key = secret("account-key"),
            gcs_bucket = gcs.bucket,
            gcs_endpoint = gcs.endpoint,
            s3_bucket = s3.bucket,
            region = s3.region,
            s3_endpoint = s3.endpoint,
            access_key = secret("access-key"),
            secret_key = secret("secret-key"),
        )
    }

    fn serve(&self) -> Server {
        self.place.serve_with(&["--listen", "127.0.0.1:0", "--config", self.config.to_str().unwrap()])
    }

    fn refused(&self, config: &str) -> (Option<i32>, String) {
        std::fs::write(&self.config, config).unwrap();
        let mut command = entente(&["serve", "--listen", "127.0.0.1:0", "--config"]);
        let output = command.arg(&self.config).arg("--data").arg(self.place.data()).output().unwrap();
        (output.status.code(), text(&output.stderr))
    }

    fn backend(&self, name: &str) -> Value {
        let list = self.place.json(&["backend", "list"]);
        list.as_array().unwrap().iter().find(|backend| backend["name"] == name).cloned().unwrap_or_default()
    }
}

fn upload(server: &Server, token: &str, name: &str) {
    let uploaded = server.upload(token, name, &"content ".repeat(300));
    assert_eq!(uploaded.status, 201, "{}", uploaded.body);
}

#[test]
fn a_cloud_goes_away_and_nobody_notices() {
    let clouds = Clouds::new();
    let server = clouds.serve();
    let token = clouds.place.token();
    upload(&server, &token, "before.txt");
    clouds.proxy.set(Fault::Refuse);
    upload(&server, &token, "at first.txt");
    upload(&server, &token, "during.txt");
    while clouds.backend("azure-fr")["health"]["state"] != "down" {}
    let ready = server.request("GET", "/readyz", &[], "");
    assert_eq!((ready.status, ready.body.contains("azure-fr does not answer")), (200, true), "{}", ready.body);
    let items = server.get("/box/2.0/folders/0/items", &token).json();
    for entry in items["entries"].as_array().unwrap() {
        let file = entry["id"].as_str().unwrap();
        assert_eq!(server.get(&format!("/box/2.0/files/{file}/content"), &token).status, 302);
    }
    assert_eq!(server.stop(Signal::TERM).0, Some(0));

    // Nor does it stop a start.
    let server = clouds.serve();
    upload(&server, &token, "after.txt");
    clouds.proxy.set(Fault::Pass);
    while clouds.backend("azure-fr")["health"]["state"] != "healthy" {}
    while clouds.backend("azure-fr")["holdings"]["not_durable"] != 0 {}
    assert_eq!(clouds.place.json(&["verify"])["undamaged"], true);
    let (gcs, s3) = (clouds.backend("gcs-fr"), clouds.backend("s3-fr"));
    assert_eq!((&gcs["provider"], &s3["provider"]), (&json!("gcs"), &json!("ours")));
    assert!(gcs["holdings"]["segments"].as_u64().unwrap() >= 4, "{gcs}");
    let (code, log) = server.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(!log.contains(&clouds.azure.key) && !log.contains(&clouds.s3.secret_key), "{log}");
}

#[test]
fn wrong_credentials_and_missing_buckets_are_told_at_the_start() {
    let clouds = Clouds::new();
    clouds.place.file("wrong-key", "bm90IHRoZSBrZXk=");
    let good = clouds.text();
    let cases = [
        ("/account-key\"", "/wrong-key\"", ["azure-fr", "refuses the credential"]),
        ("/secret-key\"", "/wrong-key\"", ["s3-fr", "refuses the credential"]),
        ("/secret-key\"", "/no-key\"", ["s3-fr", "no-key cannot be read"]),
        ("bucket = \"", "bucket = \"no-such-", ["gcs-fr", "no such bucket"]),
    ];
    for (from, to, says) in cases {
        let (code, message) = clouds.refused(&good.replacen(from, to, 1));
        assert_eq!(code, Some(2), "{to}: {message}");
        for word in says {
            assert!(message.contains(word), "{to}: {message}");
        }
        assert!(!message.contains("bm90IHRoZSBrZXk="), "{message}");
    }
    let (code, message) =
        clouds.refused(&good.replace("/account-key\"", "/wrong-key\"").replace("/secret-key\"", "/wrong-key\""));
    assert!(code == Some(2) && message.contains("azure-fr") && message.contains("s3-fr"), "all at once: {message}");
}

#[test]
fn a_secret_that_was_changed_is_read_by_a_reload() {
    let clouds = Clouds::new();
    let server = clouds.serve();
    clouds.place.file("secret-key", "bm90IHRoZSBrZXk=, and longer");
    let output = clouds.place.run(&["config", "reload"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("s3-fr") && message.contains("refuses the credential"), "{message}");
    upload(&server, &clouds.place.token(), "a.txt");
    clouds.place.file("secret-key", &clouds.s3.secret_key);
    assert_eq!(clouds.place.run(&["config", "reload"]).status.code(), Some(0));
    assert_eq!(clouds.backend("s3-fr")["health"]["state"], "healthy");
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}
