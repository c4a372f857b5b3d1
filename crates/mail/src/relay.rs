//! Letters by SMTP (RFC 5321) to a relay of the operator's, which takes them on.

use crate::Error;
use lettre::transport::smtp::authentication::Credentials as SmtpCredentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long the relay may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314): usually port 465.
    Tls,
    /// TLS once the relay has said that it can, and nothing is sent if it cannot: usually port 587.
    StartTls,
    /// None: for a relay on this machine.
    None,
}

/// Who we are to the relay.
pub struct Credentials {
    /// What it knows us by.
    pub user: String,
    /// Our password there.
    pub password: Zeroizing<String>,
}

/// A relay.
pub struct Relay {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: Security,
    /// Who we are, if it wants to know.
    pub credentials: Option<Credentials>,
}

pub(crate) struct Client(AsyncSmtpTransport<Tokio1Executor>);

impl Client {
    pub(crate) fn new(relay: &Relay) -> Result<Self, Error> {
        let parameters = || {
            let made = TlsParameters::new(relay.host.clone());
            made.map_err(|error| Error::Refused(format!("TLS cannot be set up for the relay: {error}")))
        };
        let tls = match relay.security {
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::StartTls => Tls::Required(parameters()?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&relay.host)
            .port(relay.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some(Credentials { user, password }) = &relay.credentials {
            builder = builder.credentials(SmtpCredentials::new(user.clone(), password.as_str().to_owned()));
        }
        Ok(Self(builder.build()))
    }

    pub(crate) async fn send(&self, message: Message) -> Result<(), Error> {
        match self.0.send(message).await {
            Ok(_) => Ok(()),
            // What the relay says of our credentials or of its own state may change; what it says of a letter does not.
            Err(error) if error.is_permanent() => Err(Error::Refused(error.to_string())),
            Err(error) => Err(Error::Later(error.to_string())),
        }
    }
}
