//! By which way letters leave: as the configuration says.

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::store::read_secret;
use crate::upkeep::Post;
use entente_door_kit::origin::BaseUrl;
use entente_mail::{Credentials, Mailer, Relay, Transport};
use entente_world::World;
use zeroize::Zeroizing;

/// What sends letters. `Usage` when the relay's password is not there.
pub(crate) fn post(world: &World, config: &Config, public_url: Option<&BaseUrl>) -> Result<Post, Failure> {
    let mail = &config.mail;
    let transport = match &mail.relay {
        None => Transport::Folder(mail.folder.clone()),
        Some(relay) => {
            let known = relay.credentials.as_ref().map(|(user, source)| {
                let password = read_secret(source, "the password of the mail relay")?;
                Ok::<_, Failure>(Credentials { user: user.clone(), password: Zeroizing::new(password.to_string()) })
            });
            Transport::Relay(Relay {
                host: relay.host.clone(),
                port: relay.port,
                security: relay.security,
                credentials: known.transpose()?,
            })
        }
    };
    let mailer = Mailer::new(world.clone(), &mail.from, transport);
    let mailer = mailer.map_err(|error| Failure::new(Exit::Usage, format!("[mail]: {error}")))?;
    Ok(Post::new(mailer, public_url.map(ToString::to_string)))
}
