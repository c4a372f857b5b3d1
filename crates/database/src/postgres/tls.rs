//! TLS to the database: rustls, with the certificates of the system or of a file.

use super::address::Address;
use super::socket::Socket;
use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// Where systems keep the certificates that they trust.
const SYSTEM_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Asks the server for TLS, and goes over to it.
pub(super) fn agree(mut stream: TcpStream, name: &str, address: &Address) -> io::Result<Socket> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request)?;
    // One byte alone: whatever came after it in the clear would be an impostor's.
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    if answer != *b"S" {
        return Err(io::Error::other(
            "the server does not offer TLS; set it up there, or say sslmode=disable if the network may be trusted",
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let config = builder.with_root_certificates(authorities(address.authorities.as_deref())?);
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config.with_no_client_auth()), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(Socket::Tls(Box::new(stream)))
}

fn authorities(file: Option<&Path>) -> io::Result<RootCertStore> {
    let system = || SYSTEM_FILES.iter().map(Path::new).find(|path| path.exists());
    let file = file
        .or_else(system)
        .ok_or_else(|| io::Error::other("the system has no file of trusted certificates; name one with sslrootcert"))?;
    let unreadable = |error| io::Error::other(format!("{} cannot be read: {error}", file.display()));
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(unreadable)?;
    store.add_parsable_certificates(certificates.collect::<Result<Vec<_>, _>>().map_err(unreadable)?);
    if store.is_empty() {
        return Err(io::Error::other(format!("{} holds no certificate", file.display())));
    }
    Ok(store)
}
