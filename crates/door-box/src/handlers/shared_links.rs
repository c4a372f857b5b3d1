//! Shared links: making and changing them, and coming by one.

use super::{files, folders, web_links};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::moment;
use crate::wire::shared_link::{Access, Named, SharedLinkAsked, Shown};
use entente_identity::{Password, SignInError};
use entente_model::{Caller, UserId};
use entente_tree::{FoundLink, Kind, LinkAccess, LinkName, LinkWish, SharedLinkChange};
use http::{HeaderName, StatusCode};

const BOXAPI: HeaderName = HeaderName::from_static("boxapi");

/// The item that the link of the header is of.
pub(crate) async fn shown_item(asked: Asked, caller: Caller) -> Outcome {
    let Some(found) = asked.found else { return Err(Problem::missing("boxapi")) };
    let view = asked.tree().item(&caller, found.item, found.kind).await?;
    if asked.is_not_modified(view.item.sequence) {
        return Ok(answer::empty(StatusCode::NOT_MODIFIED));
    }
    match found.kind {
        Kind::Folder => folders::answer_one(&asked, &caller, &view).await,
        Kind::File => files::answer(&asked, StatusCode::OK, &view).await,
        Kind::WebLink => web_links::answer(&asked, &view).await,
    }
}

/// A file by an open link, for whoever has its URL.
pub(crate) async fn download(asked: Asked) -> Outcome {
    let last = asked.parameter("token");
    let token = last.split('.').next().unwrap_or(last);
    let opened = asked.tree().open_by_link(&LinkName::Token(token.to_owned())).await?;
    super::downloads::note(&asked, &Caller::nobody(), &opened).await;
    super::downloads::to_content(&asked, opened, UserId::new(0))
}

/// The caller with the link that a `BoxApi` header names, and that link. Without a header all is as it was.
pub(crate) async fn follow(asked: &Asked, caller: Caller) -> Result<(Caller, Option<FoundLink>), Problem> {
    let Some(header) = asked.headers().get(BOXAPI) else { return Ok((caller, None)) };
    let malformed = |text: String| Problem::invalid("boxapi", text);
    let text = header.to_str().map_err(|_| malformed("the 'BoxApi' header is not plain text".to_owned()))?;
    let shown = Shown::parse(text).map_err(|error| malformed(error.to_string()))?;
    let name = match shown.link {
        Named::Token(token) => LinkName::Token(token),
        Named::Vanity(name) => LinkName::Vanity(name),
    };
    let found = asked.tree().find_link(&caller, &name).await?;
    if found.has_password {
        match shown.password.map(Password::new) {
            Some(password) => {
                let (link, address) = (found.followed.link, asked.arrival.peer.ip());
                let proven = asked.door.auth().identity().prove_link_password(link, &password, address).await;
                proven.map_err(refused)?;
            }
            // Without it the link adds nothing to what they may do anyway.
            None if found.sees_anyway => return Ok((caller, Some(found))),
            None => return Err(incorrect_password()),
        }
    }
    Ok((Caller { link: Some(found.followed), ..caller }, Some(found)))
}

fn incorrect_password() -> Problem {
    let message = "The password of the shared link is missing or incorrect";
    Problem::new(StatusCode::FORBIDDEN, "incorrect_shared_item_password", message)
}

fn refused(error: SignInError) -> Problem {
    match error {
        SignInError::Wrong => incorrect_password(),
        SignInError::Wait(_) | SignInError::Busy => {
            let message = "Request rate limit exceeded, try again later";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message)
        }
        SignInError::Failed(error) => Problem::of_identity(error),
    }
}

/// What a `PUT` wants of a link.
pub(super) async fn wish(asked: &Asked, wanted: Option<SharedLinkAsked>) -> Result<LinkWish, Problem> {
    let Some(wanted) = wanted else { return Ok(LinkWish::Remove) };
    let password = match wanted.password {
        Some(Some(password)) => {
            let hash = asked.door.auth().identity().hash_link_password(&Password::new(password)).await;
            Some(Some(hash.map_err(Problem::of_identity)?))
        }
        Some(None) => Some(None),
        None => None,
    };
    let permissions = wanted.permissions.flatten().unwrap_or_default();
    Ok(LinkWish::Set(SharedLinkChange {
        access: wanted.access.map(|access| match access {
            Access::Open => LinkAccess::Open,
            Access::Company => LinkAccess::Company,
            Access::Collaborators => LinkAccess::Collaborators,
        }),
        password,
        // Clients that have no name to give give an empty one.
        vanity: wanted.vanity_name.map(|name| name.filter(|name| !name.is_empty())),
        expires_at: wanted.unshared_at.map(moment),
        can_download: permissions.can_download,
        can_edit: permissions.can_edit,
    }))
}
