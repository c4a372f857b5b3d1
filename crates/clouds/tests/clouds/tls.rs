//! A service whose certificate no public authority has signed. The files in `tls` are valid for a century; their
//! authority's key is gone.

use crate::{kit, kit::Secrets, scripted};
use entente_clouds::{Backend, Connection, ErrorKind, ObjectName, s3};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

const NAME: ObjectName = ObjectName::new([0xab; 16]);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clouds/tls").join(name)
}

/// Answers every read with an `x`, over TLS.
fn server() -> String {
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let answer =
                "HTTP/1.1 206 Partial\r\ncontent-range: bytes 0-0/1\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx";
            scripted::serve_one(&mut rustls::StreamOwned::new(tls, connection.unwrap()), answer);
        }
    });
    url
}

fn open(connection: Connection) -> Arc<dyn Backend> {
    s3::open(&s3::Settings { connection, ..kit::s3_at(&server(), &Secrets::new()) }).unwrap()
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given() {
    let connection = Connection { ca_file: Some(file("authority.pem")), ..Connection::default() };
    assert_eq!(open(connection).read(NAME, 0..1).await.unwrap(), "x");
}

#[tokio::test]
async fn and_not_otherwise() {
    let error = open(Connection::default()).read(NAME, 0..1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
}
