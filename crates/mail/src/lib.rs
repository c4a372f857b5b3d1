//! Sends letters: by SMTP to the operator's relay, or into a folder where none is configured.
//!
//! Whoever sends composes plain text and knows when to try again. What people have typed goes into headers as the library
//! encodes it: it cannot begin another header.

mod folder;
mod letter;
mod relay;

pub use letter::{Letter, WrongAddress};
pub use relay::{Credentials, Relay, Security};

use entente_world::World;
use lettre::Message;
use lettre::message::Mailbox;
use std::path::PathBuf;
use std::sync::Arc;

/// Where letters go.
pub enum Transport {
    /// A relay takes them on.
    Relay(Relay),
    /// They become files of a folder, the last thousand of them: for whoever has no relay, and looks there.
    Folder(PathBuf),
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    world: World,
    from: Mailbox,
    way: Way,
}

enum Way {
    Relay(relay::Client),
    Folder(folder::Folder),
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It will not be sent, however often it is tried: an address that is none, or the relay refuses it for good.
    #[error("the letter cannot be sent: {0}")]
    Refused(String),
    /// Not this time: the relay is not there, or says so. May be retried.
    #[error("the letter was not sent: {0}")]
    Later(String),
}

impl Mailer {
    /// Sends in the name of that address, such as `Entente <files@example.com>`. `Refused` when the relay cannot be one. It
    /// connects to nobody yet.
    pub fn new(world: World, from: &str, transport: Transport) -> Result<Self, Error> {
        let from = from.parse().map_err(|_| Error::Refused("the sender is no address".to_owned()))?;
        let way = match transport {
            Transport::Relay(relay) => Way::Relay(relay::Client::new(&relay)?),
            Transport::Folder(folder) => Way::Folder(folder::Folder::new(folder)),
        };
        Ok(Self(Arc::new(Inner { world, from, way })))
    }

    /// Sends a letter: when it answers, the relay has taken it, or the file is there. `Refused`; `Later`.
    pub async fn send(&self, letter: &Letter) -> Result<(), Error> {
        let Inner { world, from, way } = &*self.0;
        let message: Message = letter.message(from.clone(), world)?;
        match way {
            Way::Relay(relay) => relay.send(message).await,
            Way::Folder(folder) => folder.send(&message, world).await,
        }
    }
}
