use super::Config;
use std::path::Path;

/// What is wrong with a file, one mistake a line.
fn mistakes(text: &str) -> String {
    let (_, mistakes) = Config::parse(text, Some(Path::new("/srv/data")));
    mistakes.to_text(Path::new("entente.toml"))
}

fn config(text: &str) -> Config {
    let (config, mistakes) = Config::parse(text, Some(Path::new("/srv/data")));
    assert!(mistakes.is_empty(), "{}", mistakes.to_text(Path::new("entente.toml")));
    config
}

#[test]
fn a_full_file_is_read() {
    let config = config(
        r#"
        data = "/srv/entente"
        listen = "0.0.0.0:8443"
        public_url = "https://files.example.org"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        [tls]
        certificate = "/etc/tls/cert.pem"
        key = "/etc/tls/key.pem"
        [limits]
        connections = 100
        file_bytes = 1000
        upload_budget_bytes = 67108864
        drain = "5s"
        [upkeep]
        collect = "1h"
        grace = "2d"
        repack = "3h"
        expire = "1m"
        trash = "90d"
        events = "30d"
        scrub = "7d"
        scrub_bytes_per_second = 1000000
        [database]
        url = "postgres://entente@db.example/entente"
        password_file = "/run/secrets/db"
        [reads]
        hedge_after = "80ms"
        [writes]
        failover_after = "1s"
        [health]
        failures_max = 5
        probe_after = "1s"
        probe_after_max = "1m"
        slow_from = "500ms"
        "#,
    );
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.limits.connections, Some(100));
    assert_eq!(config.upkeep.grace.0.as_secs(), 172_800);
    assert_eq!(config.upkeep.trash.0.as_secs(), 7_776_000);
    assert_eq!(config.upkeep.events.0.as_secs(), 2_592_000);
    assert_eq!(config.data, Path::new("/srv/data"), "the command line counts more");
    assert!(!config.declares_storage);
    assert_eq!(config.storage.backends.len(), 1);
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, says) in [
        ("\n\nlisten = 5", "line 3: listen: must be text"),
        ("listen = \"1.2.3.4\"", "line 1: listen"),
        ("[limits]\nconnections = -1", "line 2: [limits], connections"),
        ("public_url = \"ftp://x\"", "absolute URL"),
        ("trusted_proxies = [\n\"10.0.0.0/99\"]", "line 2: trusted_proxies"),
        ("[upkeep]\ncollect = \"often\"", "90s"),
        ("[upkeep", "line 1"),
        ("[upkeep]\ngrace = \"1m\"", "at least 1h"),
        ("[upkeep]\nrepack = \"0s\"", "repack: must be"),
        ("[tls]\nself_signed = true\nkey = \"k\"", "one or the other"),
        ("[tls]\nkey = \"k\"", "together with key"),
        ("limitz = 5", "line 1: limitz: is not known here; known are data, listen"),
        ("[limitz]\na = 1", "[limitz] is not known"),
        ("[reads]\nhedge_after = \"0s\"", "at least 1ms"),
        ("[database]\nurl = \"mysql://x\"", "line 2: [database], url"),
        ("[backend]\nname = \"x\"", "[[backend]]"),
    ] {
        let found = mistakes(text);
        assert!(found.contains(says), "{text:?} says {found}");
    }
}

/// Two zones, three backends of different providers.
const GOOD: &str = r#"
[[custodian]]
name = "local"
kind = "local"
path = "keys/local.key"

[[backend]]
name = "azure-fr"
kind = "azure"
account = "company"
container = "content"
jurisdiction = "FR"
provider_home = "US"

[[backend]]
name = "own-fr"
kind = "fs"
path = "copies"
jurisdiction = "FR"

[[backend]]
name = "s3-de"
kind = "s3"
bucket = "content"
endpoint = "https://s3.example:9000"
access_key_id_env = "S3_ID"
secret_access_key_file = "/run/secrets/s3"
jurisdiction = "DE"
provider = "hetzner"

[[zone]]
name = "france"
jurisdiction = "FR"
backends = ["azure-fr", "own-fr"]
custodian = "local"

[[zone]]
name = "germany"
jurisdiction = "DE"
backends = ["s3-de"]
custodian = "local"

[[policy]]
name = "france-twice"
zone = "france"
primary = "azure-fr"
replicas = ["own-fr"]
durable = 1
providers_min = 2
no_foreign_holder = true
default = true

[[policy]]
name = "germany-once"
zone = "germany"
primary = "s3-de"
on_primary_down = "refuse"
"#;

#[test]
fn zones_and_policies_are_read() {
    let config = config(GOOD);
    assert!(config.declares_storage);
    assert_eq!(config.storage.default_policy().unwrap().name, "france-twice");
    assert_eq!(config.storage.zone_of("s3-de").unwrap().name, "germany");
    let azure = config.storage.backend("azure-fr").unwrap();
    assert_eq!((azure.provider.as_str(), azure.provider_home.as_str()), ("azure", "US"));
    let shown = config.to_json();
    assert_eq!(shown["backends"][1]["place"]["path"], "/srv/data/copies");
    assert_eq!(shown["backends"][2]["place"]["credential"]["access_key_id"]["env"], "S3_ID");
    assert_eq!(shown["policies"][1]["on_primary_down"], "refuse");
}

/// Each line: what is replaced in the good file, by what, and what must be said then.
#[test]
fn what_does_not_fit_together_is_named() {
    let cases = [
        ("primary = \"s3-de\"", "primary = \"s3-it\"", "[[policy]] \"germany-once\", primary: there is no [[backend]]"),
        ("[\"s3-de\"]", "[\"s3-de\", \"s3-it\"]", "[[zone]] \"germany\", backends: there is no [[backend]] \"s3-it\""),
        ("zone = \"germany\"", "zone = \"spain\"", "zone: there is no [[zone]] \"spain\""),
        ("backends = [\"s3-de\"]\n", "", "[[zone]] \"germany\", backends: is missing"),
        ("backends = [\"s3-de\"]", "backends = []", "must name one backend at least"),
        ("custodian = \"local\"\n\n[[zone]]", "\n[[zone]]", "[[zone]] \"france\", custodian: is missing"),
        ("custodian = \"local\"\n\n[[zone]]", "custodian = \"kms\"\n\n[[zone]]", "there is no [[custodian]] \"kms\""),
        ("[\"s3-de\"]", "[\"s3-de\", \"own-fr\"]", "\"own-fr\" is in [[zone]] \"france\" already"),
        ("[\"azure-fr\", \"own-fr\"]", "[\"azure-fr\"]", "[[backend]] \"own-fr\": is in no zone"),
        ("name = \"own-fr\"", "name = \"azure-fr\"", "name: there is a backend of that name on line"),
        ("jurisdiction = \"DE\"\nprovider", "jurisdiction = \"US\"\nprovider", "is \"US\", and that of its [[zone]]"),
        ("durable = 1", "durable = 3", "asks for 3 durable copies, and there are 2 copies"),
        ("[\"own-fr\"]", "[\"own-fr\", \"a\", \"b\", \"c\"]", "asks for 5 copies, and 4 is the most"),
        ("replicas = [\"own-fr\"]", "replicas = [\"azure-fr\"]", "names \"azure-fr\" twice"),
        ("replicas = [\"own-fr\"]", "replicas = [\"s3-de\"]", "\"s3-de\" is not in [[zone]] \"france\""),
        ("providers_min = 2", "providers_min = 3", "asks for 3 providers, and its copies are with 2: azure, own"),
        (
            "replicas = [\"own-fr\"]\ndurable = 1\nproviders_min = 2",
            "",
            "provider \"azure\", at home in \"US\" and not in \"FR\", would be the only one to hold the copies",
        ),
        ("kind = \"local\"", "kind = \"local\"\nprovider = \"azure\"", "would hold a copy and the key"),
        ("default = true", "", "none is the default"),
        ("on_primary_down = \"refuse\"", "default = true", "\"france-twice\" is the default already"),
        ("\"https://s3.example:9000\"", "\"s3.example\"", "endpoint: must begin with http"),
        ("https://s3.example:9000", "https://me:hush@s3.example", "endpoint: may not hold a password"),
        ("https://s3.example:9000", "https://s3.example/?sig=hush", "may not have a `?`"),
        ("secret_access_key_file = \"/run/secrets/s3\"", "secret_access_key = \"hush\"", "secret_access_key_file = "),
        ("secret_access_key_file = \"/run/secrets/s3\"", "", "an access key has two parts"),
        ("container = \"content\"", "container = \"content\"\naccount_key = \"hush\"", "does not belong in this file"),
        ("container = \"content\"", "container = \"content\"\nclient_secret = \"hush\"", "looks like a secret"),
        ("container = \"content\"", "container = \"content\"\ncolour = \"red\"", "colour: is not known here"),
        ("path = \"copies\"", "path = \"../data\"", "is the data directory or above it"),
        ("kind = \"fs\"\npath", "kind = \"ftp\"\npath", "must be one of fs, s3, azure, gcs"),
        ("name = \"s3-de\"\n", "", "[[backend]], name: is missing"),
        ("name = \"s3-de\"", "name = \"s3 de\"", "must be made of 1 to 64 letters"),
        ("on_primary_down = \"refuse\"", "on_primary_down = \"wait\"", "must be one of use_replica, refuse"),
    ];
    for (from, to, says) in cases {
        assert!(GOOD.contains(from), "{from}");
        let found = mistakes(&GOOD.replacen(from, to, 1));
        assert!(found.contains(says), "{to:?} says:\n{found}");
        assert!(!found.contains("hush"), "a secret is not repeated: {found}");
        assert!(found.lines().all(|line| line.starts_with("entente.toml: ")), "{found}");
    }
}

#[test]
fn a_folder_within_another_is_refused() {
    let text = GOOD.replace(
        "[[zone]]\nname = \"germany\"",
        "[[backend]]\nname = \"inner\"\nkind = \"fs\"\njurisdiction = \"DE\"\npath = \"copies/./inner\"\n\n\
         [[zone]]\nname = \"germany\"",
    );
    let found = mistakes(&text.replace("[\"s3-de\"]", "[\"s3-de\", \"inner\"]"));
    assert!(found.contains("[[backend]] \"inner\", path: is the place of [[backend]] \"own-fr\""), "{found}");
}

#[test]
fn two_prefixes_of_one_bucket_are_two_places_unless_one_is_within_the_other() {
    let second = |prefix: &str| {
        let other = format!(
            "[[backend]]\nname = \"other\"\nkind = \"s3\"\nbucket = \"content\"\nendpoint = \"https://s3.example:9000/\"\n\
             jurisdiction = \"DE\"\nprovider = \"hetzner\"\nprefix = \"{prefix}\"\n\n[[zone]]\nname = \"germany\""
        );
        let text =
            GOOD.replace("[[zone]]\nname = \"germany\"", &other).replace("[\"s3-de\"]", "[\"s3-de\", \"other\"]");
        let first = "bucket = \"content\"\nprefix = \"one\"\nendpoint";
        mistakes(&text.replacen("bucket = \"content\"\nendpoint", first, 1))
    };
    assert!(second("one").contains("is the place of"), "{}", second("one"));
    assert!(second("one/two").contains("is the place of"));
    assert_eq!(second("one-two"), "");
}

#[test]
fn every_mistake_is_told_at_once_in_order() {
    let text = GOOD.replace("durable = 1", "durable = 9").replace("kind = \"fs\"", "kind = \"floppy\"")
        + "[limits]\nconnections = 0\n[health]\nslow_from = 5\n";
    let found = mistakes(&text);
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(lines.len(), 4, "{found}");
    for (line, says) in lines.iter().zip(["one of fs", "durable", "connections", "slow_from"]) {
        assert!(line.contains(says), "{line}");
    }
}

#[test]
fn one_kind_of_section_needs_the_others() {
    let found = mistakes("[[zone]]\nname = \"a\"\njurisdiction = \"FR\"\nbackends = [\"x\"]\ncustodian = \"local\"\n");
    for says in ["[[custodian]]: there is none", "[[backend]]: there is none", "[[policy]]: there is none"] {
        assert!(found.contains(says), "{found}");
    }
}

#[test]
fn a_password_of_the_database_is_refused() {
    let found = mistakes("[database]\nurl = \"postgres://me:hush@db/x\"\n");
    assert!(found.contains("password_file") && !found.contains("hush"), "{found}");
    let found = mistakes("[database]\nurl = \"postgres://me@db/x\"\npassword = \"hush\"\n");
    assert!(found.contains("line 3: [database], password") && !found.contains("hush"), "{found}");
}

#[test]
fn the_examples_for_operators_are_right() {
    let pages = [
        include_str!("../../../../docs/operating/zones.md"),
        include_str!("../../../../docs/operating/command-line.md"),
    ];
    let mut count = 0;
    for page in pages {
        for block in page.split("```toml\n").skip(1) {
            let (example, _) = block.split_once("```").unwrap();
            assert_eq!(mistakes(example), "", "{example}");
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn targets_of_subscriptions_are_read_and_their_secrets_are_elsewhere() {
    let config = config(
        r#"
        [[subscription_targets]]
        name = "thumbnails"
        url = "https://hooks.example.com/entente"
        secret_file = "/run/secrets/thumbnails"
        [[subscription_targets]]
        name = "index"
        url = "http://10.0.0.7:9000/"
        secret_env = "INDEX_SECRET"
        allow_private = true
        attempts = 5
        "#,
    );
    let shown = config.to_json();
    let targets = shown.get("subscription_targets").and_then(serde_json::Value::as_array).expect("targets");
    let expected = serde_json::json!([
        { "name": "thumbnails", "url": "https://hooks.example.com/entente",
          "secret": { "file": "/run/secrets/thumbnails" }, "allow_private": false, "attempts": 100 },
        { "name": "index", "url": "http://10.0.0.7:9000/",
          "secret": { "env": "INDEX_SECRET" }, "allow_private": true, "attempts": 5 },
    ]);
    assert_eq!(targets, expected.as_array().expect("a list"));
}

#[test]
fn mistakes_in_targets_of_subscriptions_are_told() {
    let told = mistakes(
        r#"
        [[subscription_targets]]
        name = "a b"
        url = "ftp://hooks.example.com"
        [[subscription_targets]]
        name = "twice"
        url = "https://me:hush@example.com/"
        secret = "hush"
        [[subscription_targets]]
        name = "twice"
        url = "https://example.com/"
        secret_file = "/s"
        attempts = 101
        "#,
    );
    for words in [
        "must be 1 to 80 letters",
        "must begin with https:// or http://",
        "secret_file: is missing (or secret_env)",
        "must not hold a user or a password",
        "a secret does not belong in this file",
        "must be a number from 1 to 100",
    ] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
    assert!(!told.contains("hush"), "{told}");
}
