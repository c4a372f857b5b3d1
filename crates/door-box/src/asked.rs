//! A request on its way to its handler, and what handlers ask of it.

use crate::answer;
use crate::door::BoxDoor;
use crate::error::Problem;
use crate::to_wire::{self, Links, Look};
use crate::wire::fields::{Field, Fields};
use crate::wire::id::{self, FromNumber, ItemRef, MalformedId};
use crate::wire::permissions::Sharing;
use crate::wire::query::Query;
use crate::wire::{digest, request};
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::precondition::{Decision, Intent, Precondition};
use entente_door_kit::{Arrival, Entry, read_bounded};
use entente_model::{Caller, ItemId, Sha1, UserId};
use entente_tree::{FoundLink, ItemView, Tree};
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};
use serde::de::DeserializeOwned;
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};

/// What a handler answers.
pub(crate) type Outcome = Result<Response, Problem>;

const AS_USER: HeaderName = HeaderName::from_static("as-user");
/// What of an item depends on how it is shared.
const SHARING_FIELDS: [Field; 6] = [
    Field::Permissions,
    Field::HasCollaborations,
    Field::AllowedInviteeRoles,
    Field::CanNonOwnersInvite,
    Field::CanNonOwnersViewCollaborators,
    Field::IsCollaborationRestrictedToEnterprise,
];
const BOX_VERSION: HeaderName = HeaderName::from_static("box-version");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

pub(crate) struct Asked {
    pub(crate) door: BoxDoor,
    pub(crate) arrival: Arrival,
    pub(crate) parts: Parts,
    /// Never locked: it only makes the request shareable across awaits, which a body by itself is not.
    body: Mutex<Body>,
    parameters: RawPathParams,
    /// The shared link that the caller came with.
    pub(crate) found: Option<FoundLink>,
    /// Who asks, of an operation that only a caller is answered.
    pub(crate) caller_known: Option<Caller>,
    /// What the URLs of shared links begin with, once somebody wanted to know.
    links: OnceLock<String>,
}

impl Asked {
    /// Fails with an answer: 405 when an id in the path is not even text, 500 when the request did not come through
    /// `entente_door_kit::serve`.
    pub(crate) async fn new(door: BoxDoor, request: Request) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Some(arrival) = parts.extensions.get::<Arrival>().copied() else {
            return Err(answer::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(parameters) => Ok(Self {
                door,
                arrival,
                parts,
                body: Mutex::new(body),
                parameters,
                found: None,
                caller_known: None,
                links: OnceLock::new(),
            }),
            Err(_) => Err(Problem::from(MalformedId).into_response(arrival.request_id, &door.look())),
        }
    }

    pub(crate) fn tree(&self) -> &Tree {
        self.door.tree()
    }

    /// How this door shows things to whoever asks.
    pub(crate) fn look(&self) -> Look<'_> {
        let base = self.links.get_or_init(|| self.url("/box"));
        Look { links: Some(Links { base, at: self.door.auth().now() }), ..self.door.look() }
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(crate) fn query(&self) -> Query<'_> {
        Query(self.parts.uri.query().unwrap_or(""))
    }

    pub(crate) fn fields(&self, standard: Fields) -> Fields {
        self.query().fields(standard)
    }

    /// Who asks: by the bearer token, and on behalf of whom `As-User` names.
    pub(crate) fn caller(&self) -> Result<Caller, Problem> {
        let caller = self.door.auth().caller(self.headers())?;
        self.on_behalf(caller)
    }

    pub(crate) fn on_behalf(&self, caller: Caller) -> Result<Caller, Problem> {
        let Some(header) = self.headers().get(AS_USER) else { return Ok(caller) };
        let user: Option<UserId> = header.to_str().ok().and_then(|text| text.trim().parse().ok());
        let other = match user {
            Some(user) if user == caller.user => return Ok(caller),
            Some(user) => self.door.auth().identity().on_behalf_of(&caller, user).map_err(Problem::of_identity)?,
            None => None,
        };
        other.ok_or_else(|| {
            let message = "The 'As-User' header names no user on whose behalf you may ask";
            Problem::new(StatusCode::FORBIDDEN, "forbidden", message)
        })
    }

    /// A text in the path. The router has matched it, so it is there.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// An id in the path that cannot be the root's.
    pub(crate) fn id<I: FromStr + FromNumber>(&self, name: &str) -> Result<I, Problem> {
        Ok(id::parse(self.parameter(name))?)
    }

    /// The id of a folder in the path, with `0` for the caller's root.
    pub(crate) async fn folder_id(&self, caller: &Caller) -> Result<ItemId, Problem> {
        self.resolve(caller, self.parameter("folder_id").parse()?).await
    }

    /// How items are shared and whether they are the caller's favorites, in their order, if `fields` has anything that depends
    /// on it.
    pub(crate) async fn sharing(&self, fields: Fields, views: &[ItemView]) -> Result<Vec<Sharing>, Problem> {
        let mut found = if SHARING_FIELDS.iter().any(|field| fields.has(*field)) {
            self.tree().sharing_of(views).await?.iter().map(to_wire::sharing).collect()
        } else {
            vec![Sharing::NONE; views.len()]
        };
        if let Some(caller) = self.caller_known.as_ref().filter(|_| fields.has(Field::Collections)) {
            let items: Vec<ItemId> = views.iter().map(|view| view.item.id).collect();
            let favorites = self.tree().favorites_among(caller, &items).await?;
            for (sharing, item) in found.iter_mut().zip(&items) {
                sharing.favorite_of = favorites.contains(item).then_some(caller.user);
            }
        }
        Ok(found)
    }

    /// The same of one item.
    pub(crate) async fn sharing_of(&self, fields: Fields, view: &ItemView) -> Result<Sharing, Problem> {
        let found = self.sharing(fields, std::slice::from_ref(view)).await?;
        Ok(found.first().copied().unwrap_or(Sharing::NONE))
    }

    pub(crate) async fn resolve(&self, caller: &Caller, item: ItemRef) -> Result<ItemId, Problem> {
        match item {
            ItemRef::Root => Ok(self.tree().root(caller).await?),
            ItemRef::Trash => Err(Problem::not_found()),
            ItemRef::Item(id) => Ok(id),
        }
    }

    /// Refuses a request that is not of that version of Box's API: what came with a version is of no other.
    pub(crate) fn check_version(&self, version: &'static str) -> Result<(), Problem> {
        let given = self.headers().get(BOX_VERSION);
        if given.is_some_and(|given| given.as_bytes() == version.as_bytes()) {
            return Ok(());
        }
        let message = format!("The 'box-version' header must be '{version}' for this");
        Err(Problem::bad_request(message).coded("invalid_api_version"))
    }

    /// The JSON body; an empty one counts as `{}`.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        Ok(request::parse(&self.small_body().await?)?)
    }

    /// The body as it is, if it is as small as JSON has to be.
    pub(crate) async fn small_body(&mut self) -> Result<Bytes, Problem> {
        let body = self.take_body();
        Ok(read_bounded(body, self.door.options().limits.json_bytes).await?)
    }

    /// The body, once; empty afterwards.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// The sequence number that a change must find, by `If-Match`.
    ///
    /// Of several, the greatest: an item's only grows. A header without any of ours asks for one that no item has.
    pub(crate) fn expected_sequence(&self) -> Option<u64> {
        let etags = Precondition::of(self.headers()).expected_etags()?;
        Some(etags.iter().filter_map(|etag| etag.parse().ok()).max().unwrap_or(u64::MAX))
    }

    /// Whether the client has this state already, by `If-None-Match`.
    pub(crate) fn is_not_modified(&self, sequence: u64) -> bool {
        if !self.headers().contains_key(http::header::IF_NONE_MATCH) {
            return false;
        }
        let etag = sequence.to_string();
        Precondition::of(self.headers()).decide(Some(&etag), Intent::Read) == Decision::NotModified
    }

    /// The SHA-1 that the client says the content has: in `content-md5`, whatever its name.
    pub(crate) fn announced_sha1(&self) -> Result<Option<Sha1>, Problem> {
        let Some(header) = self.headers().get(CONTENT_MD5) else { return Ok(None) };
        let sha1 = header.to_str().ok().and_then(digest::parse_content_md5);
        let malformed = || Problem::invalid("content-md5", "'content-md5' must be a SHA-1 in hexadecimal");
        sha1.map(Some).ok_or_else(|| malformed().coded("bad_digest"))
    }

    /// The absolute URL of a path of ours, which begins with `/box`.
    ///
    /// Who came by one of Box's host names, and has no other URL configured, is sent to those: under them our prefix
    /// is not part of the path.
    pub(crate) fn url(&self, path: &str) -> String {
        let origin = &self.door.options().origin;
        let base = origin.base_url(&self.arrival, &self.parts.uri, self.headers());
        if self.arrival.entry == Entry::Path || origin.public_url.is_some() {
            return [base.as_str(), path].concat();
        }
        let (host, prefix, path) = match path.strip_prefix("/box/upload") {
            Some(path) => ("upload.box.com", "/api", path),
            None => ("api.box.com", "", path.strip_prefix("/box").unwrap_or(path)),
        };
        let authority = base.as_str().rsplit('/').next().unwrap_or("");
        let port = authority.find(':').and_then(|colon| authority.get(colon..)).unwrap_or("");
        [base.scheme().as_str(), "://", host, port, prefix, path].concat()
    }
}
