//! A token becomes a weaker one (RFC 8693), as Box's clients ask for it: fewer scopes, and perhaps one item alone.

use super::{LIFETIME, OAuthError, OAuthErrorKind, TokenAnswer, TokenForm, required, scopes};
use crate::secret::{is_well_formed, sha256};
use crate::{Identity, Secret};
use entente_database::apps::{self, App, Grants};
use entente_database::tokens::{self, DERIVATIONS_MAX, Held, Token};
use entente_database::users;
use entente_model::{ItemId, Scopes, Sha256, TokenId};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The longest URL of an item.
const RESOURCE_BYTES_MAX: usize = 2_048;
/// What can be done with an item.
const OF_ITEMS: Scopes = Scopes::READ
    .with(Scopes::DOWNLOAD)
    .with(Scopes::UPLOAD)
    .with(Scopes::CHANGE)
    .with(Scopes::DELETE)
    .with(Scopes::SHARE);

/// What a weaker token is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanged {
    /// The scopes, by the names under which they were asked for, with spaces between.
    pub scope: String,
    /// The only item at and below which it is worth anything.
    pub resource: Option<Resource>,
}

/// An item that a request names by its URL. Whether it is there is for the tree to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// What it is said to be.
    pub kind: ResourceKind,
    /// Its id.
    pub item: ItemId,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

impl Identity {
    pub(super) async fn exchange(&self, client: Option<&App>, form: &TokenForm) -> Result<TokenAnswer, OAuthError> {
        let subject = required(form.subject_token.as_deref(), "subject_token")?;
        for (given, name) in
            [(&form.subject_token_type, "subject_token_type"), (&form.requested_token_type, "requested_token_type")]
        {
            if given.as_deref().is_some_and(|given| given != ACCESS_TOKEN) {
                return Err(invalid(format!("The {name} must be {ACCESS_TOKEN}")));
            }
        }
        for (given, name) in [(&form.actor_token, "actor_token"), (&form.shared_link, "box_shared_link")] {
            if given.is_some() {
                return Err(invalid(format!("The parameter {name} is not served")));
            }
        }
        let digest = Some(sha256(subject)).filter(|_| is_well_formed(subject)).ok_or_else(bad_subject)?;
        let held = self.database.read(|tx| tokens::held(tx, &digest))?;
        let held = held.filter(|held| held.expires_at > self.world.now()).ok_or_else(bad_subject)?;
        self.check_client(client, &held)?;
        let asked = form.scope.as_deref().unwrap_or("").split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = if asked.is_empty() { held.caller.scopes } else { scopes::parse(&asked)? };
        if !held.caller.scopes.contains(wanted) {
            let message = "The subject_token does not have all the scopes that are asked for";
            return Err(OAuthError::new(OAuthErrorKind::InvalidScope, message));
        }
        let resource = form.resource.as_deref().filter(|text| !text.is_empty());
        let resource = resource.map(|text| self.resource(text, &held)).transpose()?;
        // The item may be moved out of the one that the subject is confined to, and the new token would go with it.
        let confined = match (held.caller.confined, resource) {
            (Some(item), Some(resource)) if item != resource.item => {
                return Err(OAuthError::new(
                    OAuthErrorKind::InvalidTarget,
                    "The subject_token is for another resource",
                ));
            }
            (confined, resource) => resource.map(|resource| resource.item).or(confined),
        };
        // Users and settings are not below any item.
        let wanted = match confined {
            Some(_) if wanted.contains(Scopes::ADMINISTER) && !asked.is_empty() => {
                let message = "Administration is not limited to a resource";
                return Err(OAuthError::new(OAuthErrorKind::InvalidScope, message));
            }
            Some(_) => wanted.within(OF_ITEMS),
            None => wanted,
        };
        let secret = Secret::random(self.world.random());
        let now = self.world.now();
        let token = Token {
            sha256: secret.sha256(),
            token: TokenId::new(self.world.next_id()),
            user: held.caller.user,
            app: held.caller.app,
            scopes: wanted,
            confined,
            authorization: held.authorization,
            source: Some(digest),
            issued_at: now,
            expires_at: held.expires_at.min(now.after(LIFETIME)),
        };
        self.database.transact("exchange token", move |tx| derive(tx, &digest, &token)).await?;
        let left = u64::try_from(token.expires_at.millis() - now.millis()).unwrap_or(0) / 1_000;
        let scope = if asked.is_empty() { wanted.to_string() } else { asked };
        Ok(TokenAnswer {
            access_token: secret,
            expires_in_seconds: left,
            refresh_token: None,
            scopes: wanted,
            exchanged: Some(Exchanged { scope, resource }),
        })
    }

    /// The app behind the token must be allowed to; and if one says who it is, it must be that one.
    fn check_client(&self, client: Option<&App>, held: &Held) -> Result<(), OAuthError> {
        if client.is_some_and(|client| Some(client.app) != held.caller.app) {
            return Err(bad_subject());
        }
        let Some(app) = held.caller.app else { return Ok(()) };
        let app = self.database.read(|tx| apps::by_id(tx, app))?.ok_or_else(bad_subject)?;
        if !app.grants.contains(Grants::EXCHANGE) {
            let message = "The app is not registered for token exchange";
            return Err(OAuthError::new(OAuthErrorKind::UnauthorizedClient, message));
        }
        Ok(())
    }

    /// The item that a URL names, whatever server it is of: clients send Box's. `0` is the root folder.
    fn resource(&self, text: &str, held: &Held) -> Result<Resource, OAuthError> {
        let (kind, id) = parse_resource(text).ok_or_else(bad_resource)?;
        if kind == ResourceKind::Folder && id == "0" {
            let tops = self.database.read(|tx| users::tops(tx, held.caller.user))?.ok_or_else(bad_subject)?;
            return Ok(Resource { kind, item: tops.root });
        }
        Ok(Resource { kind, item: id.parse().map_err(|_| bad_resource())? })
    }
}

/// Stores the new token, if the old one is still worth something and not itself made of too many others.
fn derive(tx: &mut entente_database::Tx<'_>, digest: &Sha256, token: &Token) -> Result<(), OAuthError> {
    let held = tokens::held(tx, digest)?.ok_or_else(bad_subject)?;
    if tokens::derivations(tx, &held)? >= DERIVATIONS_MAX {
        return Err(invalid("The subject_token was made of too many others".to_owned()));
    }
    Ok(tokens::add(tx, token)?)
}

fn parse_resource(text: &str) -> Option<(ResourceKind, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if text.len() > RESOURCE_BYTES_MAX || !matches!(scheme, "http" | "https") {
        return None;
    }
    let (_, path) = rest.split_once('/')?;
    let mut parts = path.strip_suffix('/').unwrap_or(path).rsplit('/');
    let (id, kind, version) = (parts.next()?, parts.next()?, parts.next()?);
    match (version, kind) {
        ("2.0", "files") => Some((ResourceKind::File, id)),
        ("2.0", "folders") => Some((ResourceKind::Folder, id)),
        _ => None,
    }
}

fn invalid(message: String) -> OAuthError {
    OAuthError::new(OAuthErrorKind::InvalidRequest, message)
}

fn bad_subject() -> OAuthError {
    OAuthError::grant("The subject_token is not valid")
}

fn bad_resource() -> OAuthError {
    OAuthError::new(OAuthErrorKind::InvalidTarget, "The resource must be the URL of a file or a folder")
}

#[cfg(test)]
mod tests {
    use super::{ResourceKind, parse_resource};

    #[test]
    fn a_resource_is_the_url_of_an_item() {
        assert_eq!(parse_resource("https://api.box.com/2.0/files/12"), Some((ResourceKind::File, "12")));
        assert_eq!(parse_resource("http://[::1]:8080/box/2.0/folders/0/"), Some((ResourceKind::Folder, "0")));
        for bad in ["", "12", "/2.0/files/12", "https://x/2.0/users/12", "ftp://x/2.0/files/1", "https://x/files/12"] {
            assert_eq!(parse_resource(bad), None, "{bad}");
        }
    }
}
