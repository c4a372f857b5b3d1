//! TLS: certificates from files, or from an authority of our own.

mod files;
mod read_ahead;
mod self_signed;
mod validity;

pub use files::from_files;
pub use self_signed::{SelfSigned, server_names, trust_advice};

use read_ahead::ReadAhead;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What a client that speaks plain HTTP to a TLS port is told.
const PLAIN_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\ncontent-length: 48\r\n\
    Connection: close\r\n\r\nThis port speaks TLS; use https:// in the URL.\r\n";

/// Why TLS cannot be set up. Each names the file to look at. Not to be retried without a change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has no certificate.
    #[error("{path} has no certificate in it; a PEM file with BEGIN CERTIFICATE is needed, the server's own first")]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// The file has no private key.
    #[error("{path} has no private key in it; an unencrypted PEM file with BEGIN PRIVATE KEY is needed")]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// The two do not belong together, or cannot be used.
    #[error("the certificate in {certificate} and the key in {key} cannot be used together: {source}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authority's certificate and its key do not belong together.
    #[error(
        "{certificate} does not belong to the key in {key}; restore the pair, or remove both to have a new authority made"
    )]
    Authority {
        /// The authority's certificate.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate for {name}: {reason}")]
    Make {
        /// For whom.
        name: String,
        /// Why.
        reason: String,
    },
    /// The library refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A certificate with its private key, to serve under. The certificate can be replaced while connections are open.
pub struct Endpoint {
    config: RwLock<Arc<ServerConfig>>,
}

impl Endpoint {
    /// Serves under this chain (the server's certificate first) and its key: TLS 1.2 and 1.3, HTTP/1.1 only.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        Ok(Self { config: RwLock::new(config(chain, key)?) })
    }

    /// From now on new connections see what `newer` has; open ones go on. For renewed certificates.
    pub fn replace(&self, newer: &Self) {
        let config = newer.current();
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Agrees on TLS with a client. The caller limits how long that may take.
    pub(crate) async fn agree(&self, mut stream: TcpStream) -> io::Result<Handshake> {
        let mut first = [0; 1];
        if stream.peek(&mut first).await? == 1 && first.first().is_some_and(u8::is_ascii_uppercase) {
            // A letter begins an HTTP method and never a TLS record. The request is read, since closing a socket
            // with bytes unread would take the answer back.
            let _ = stream.read(&mut [0; 4096]).await?;
            stream.write_all(PLAIN_ANSWER).await?;
            stream.shutdown().await?;
            return Ok(Handshake::Plain);
        }
        let stream = TlsAcceptor::from(self.current()).accept(ReadAhead::new(stream)).await?;
        Ok(Handshake::Agreed(Box::new(stream)))
    }
}

/// How a handshake ended.
pub(crate) enum Handshake {
    /// TLS it is.
    Agreed(Box<TlsStream<ReadAhead<TcpStream>>>),
    /// The client speaks plain HTTP, and was told.
    Plain,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Clients that open many connections resume their session instead of having us sign each time.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(config))
}
