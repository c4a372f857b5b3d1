//! TLS with certificates of our own and of others.

use crate::fixture::{Client, Server};
use axum::{Router, routing::get};
use entente_door_kit::{
    Arrival, Limits,
    host::HostTable,
    tls::{self, SelfSigned, server_names, trust_advice},
};
use entente_model::Timestamp;
use entente_world::World;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};
use tempfile::tempdir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

fn who() -> Router {
    let big = || async { vec![9_u8; 3_000_000] };
    let echo = |body: bytes::Bytes| async move { body.len().to_string() };
    Router::new()
        .route("/who", get(|arrival: Arrival| async move { arrival.scheme.to_string() }))
        .route("/big", get(big).post(echo))
}

async fn connect(server: &Server, authority: &Path, name: &str) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    Ok(Client::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_served() {
    let data = tempdir().unwrap();
    let names = server_names(Some(&"https://files.example.com/entente".parse().unwrap()));
    let made = SelfSigned::open(&World::real(), data.path(), &names).unwrap();
    let server = Server::start_with(who(), Limits::default(), Some(Arc::new(made.endpoint)), HostTable::default());
    for name in ["localhost", "127.0.0.1", "::1", "files.example.com", "api.box.com", "dl.boxcloud.com"] {
        let mut client = connect(&server, &made.authority, name).await.unwrap();
        assert_eq!(client.get("/who").await.text(), "https", "{name}");
        assert_eq!(client.io.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    assert!(connect(&server, &made.authority, "other.example").await.is_err());
    let mut client = connect(&server, &made.authority, "localhost").await.unwrap();
    assert!(client.get("/big").await.body == vec![9; 3_000_000]);
    let body = "b".repeat(1_500_000);
    client.send(&format!("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn plain_http_to_a_tls_port_is_told_so() {
    let data = tempdir().unwrap();
    let made = SelfSigned::open(&World::real(), data.path(), &server_names(None)).unwrap();
    let server = Server::start_with(who(), Limits::default(), Some(Arc::new(made.endpoint)), HostTable::default());
    let answer = server.connect().await.get("/who").await;
    assert_eq!((answer.status, answer.text()), (400, "This port speaks TLS; use https:// in the URL.\r\n"));
}

#[tokio::test]
async fn certificates_are_kept_until_they_must_change() {
    let data = tempdir().unwrap();
    let start = 1_800_000_000_000;
    let open = |days: i64, names: &[&str]| {
        let world = World::simulated(1, Timestamp::from_millis(start + days * 86_400_000));
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        SelfSigned::open(&world, data.path(), &names).unwrap();
        let read = |name: &str| fs::read_to_string(data.path().join("tls").join(name)).unwrap();
        (read("ca.pem"), read("server.pem"))
    };
    let first = open(0, &["localhost"]);
    assert_eq!(open(360, &["localhost"]), first);
    let named = open(360, &["localhost", "files.example.com"]);
    assert!(named.0 == first.0 && named.1 != first.1);
    assert_eq!(open(360 + 365, &["localhost", "files.example.com"]), named);
    let renewed = open(360 + 368, &["localhost", "files.example.com"]);
    assert!(renewed.0 == first.0 && renewed.1 != named.1);
    // The authority is renewed under the same key while it can still outlive what it signs.
    let late = open(3_640 - 397, &["localhost"]);
    assert!(late.0 == first.0);
    assert!(open(3_660 - 397, &["localhost"]).0 != first.0);
    for key in ["ca-key.pem", "server-key.pem"] {
        let mode = fs::metadata(data.path().join("tls").join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said() {
    let data = tempdir().unwrap();
    let open = || SelfSigned::open(&World::real(), data.path(), &server_names(None)).map(|made| made.authority);
    let authority = open().unwrap();
    let folder = authority.parent().unwrap();
    assert!(trust_advice(&authority).contains(authority.to_str().unwrap()));
    let told = |error: String, parts: &[&str]| {
        for part in parts {
            assert!(error.contains(part), "no {part} in: {error}");
        }
    };
    let from_files = |certificate: &str, key: &str| {
        tls::from_files(&folder.join(certificate), &folder.join(key)).map(|_| ()).map_err(|error| error.to_string())
    };
    from_files("server.pem", "server-key.pem").unwrap();
    told(from_files("absent.pem", "server-key.pem").unwrap_err(), &["cannot read", "absent.pem"]);
    told(from_files("server.pem", "server.pem").unwrap_err(), &["server.pem has no private key"]);
    told(from_files("server-key.pem", "server-key.pem").unwrap_err(), &["server-key.pem has no certificate"]);
    told(from_files("server.pem", "ca-key.pem").unwrap_err(), &["server.pem", "ca-key.pem", "together"]);
    // Damaged server files are simply made again.
    fs::write(folder.join("server.pem"), "nonsense").unwrap();
    open().unwrap();
    // The authority is not: somebody may trust it.
    fs::remove_file(folder.join("ca-key.pem")).unwrap();
    told(open().unwrap_err().to_string(), &["ca.pem", "ca-key.pem"]);
    fs::copy(folder.join("server-key.pem"), folder.join("ca-key.pem")).unwrap();
    told(open().unwrap_err().to_string(), &["ca.pem", "does not belong"]);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_while_serving() {
    let (before, after) = (tempdir().unwrap(), tempdir().unwrap());
    let open = |folder: &Path| SelfSigned::open(&World::real(), folder, &server_names(None)).unwrap();
    let (old, new) = (open(before.path()), open(after.path()));
    let endpoint = Arc::new(old.endpoint);
    let server = Server::start_with(who(), Limits::default(), Some(Arc::clone(&endpoint)), HostTable::default());
    let mut open_before = connect(&server, &old.authority, "localhost").await.unwrap();
    endpoint.replace(&new.endpoint);
    assert!(connect(&server, &old.authority, "localhost").await.is_err());
    assert_eq!(connect(&server, &new.authority, "localhost").await.unwrap().get("/who").await.status, 200);
    assert_eq!(open_before.get("/who").await.status, 200);
}
