//! Whether a request may go on: `If-Match` and its kin, the `If` header, and locks.

use crate::asked::Asked;
use crate::door::PREFIX;
use crate::error::Problem;
use crate::wire::date::parse_http;
use crate::wire::headers::token_of;
use crate::wire::if_header::{IfHeader, State, Wanted};
use crate::wire::path::DavPath;
use entente_door_kit::precondition::{Decision, Intent, Precondition};
use entente_model::ItemId;
use entente_tree::{Expect, Object, Touch};
use http::{HeaderMap, HeaderName, header};

const IF: HeaderName = HeaderName::from_static("if");

/// What holds for a request that may go on.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// Tokens of all locks that the request names.
    pub(crate) tokens: Vec<String>,
    /// Whether what was looked at must still be so when the change is made.
    pub(crate) is_conditional: bool,
}

impl Passed {
    /// What the tree is to find when it makes the change.
    pub(crate) fn expect(&self, seen: Option<&Object>) -> Expect {
        match seen {
            _ if !self.is_conditional => Expect::Anything,
            None => Expect::Absent,
            Some(object) => Expect::State { item: object.view.item.id, sequence: object.view.item.sequence },
        }
    }
}

/// The entity tag of an item, without quotes: strong, since it is another after each change.
pub(crate) fn etag(object: &Object) -> String {
    format!("{}-{}", object.view.item.id, object.view.item.sequence)
}

/// Whether any header makes the request depend on what there is.
pub(crate) fn has_conditions(headers: &HeaderMap) -> bool {
    [header::IF_MATCH, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE, IF]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// What `If-Match` and its kin say of what there is (RFC 9110 section 13.2.2).
pub(crate) fn decide(headers: &HeaderMap, seen: Option<&Object>, intent: Intent) -> Decision {
    let tag = seen.map(etag);
    let decision = Precondition::of(headers).decide(tag.as_deref(), intent);
    if decision != Decision::Proceed {
        return decision;
    }
    let modified = seen.map(|object| object.view.item.content_modified_at.millis().div_euclid(1_000));
    let since = |name: HeaderName| {
        let text = headers.get(name).and_then(|value| value.to_str().ok())?;
        parse_http(text).map(|at| at.millis().div_euclid(1_000))
    };
    if !headers.contains_key(header::IF_MATCH)
        && let (Some(modified), Some(since)) = (modified, since(header::IF_UNMODIFIED_SINCE))
        && modified > since
    {
        return Decision::Failed;
    }
    if intent == Intent::Read
        && !headers.contains_key(header::IF_NONE_MATCH)
        && let (Some(modified), Some(since)) = (modified, since(header::IF_MODIFIED_SINCE))
        && modified <= since
    {
        return Decision::NotModified;
    }
    Decision::Proceed
}

impl Asked {
    /// Makes sure that everything that the request depends on is so: 412 if not.
    pub(crate) async fn pass(&self, seen: Option<&Object>) -> Result<Passed, Problem> {
        if decide(self.headers(), seen, Intent::Write) != Decision::Proceed {
            return Err(Problem::precondition_failed());
        }
        let is_conditional = has_conditions(self.headers());
        let Some(value) = self.headers().get(IF) else { return Ok(Passed { tokens: Vec::new(), is_conditional }) };
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Problem::bad_request("'If' is not UTF-8"))?;
        let header = IfHeader::parse(text)?;
        if !self.holds(&header, seen).await? {
            return Err(Problem::precondition_failed());
        }
        Ok(Passed { tokens: header.locks().filter_map(token_of).collect(), is_conditional })
    }

    async fn holds(&self, header: &IfHeader, seen: Option<&Object>) -> Result<bool, Problem> {
        for list in &header.lists {
            let other = match &list.resource {
                Some(url) => self.tagged(url)?,
                None => None,
            };
            let (path, looked);
            let seen = match &other {
                Some(tagged) if tagged.names != self.path.names => {
                    path = tagged;
                    looked = self.look(tagged).await?;
                    looked.as_ref()
                }
                _ => {
                    path = &self.path;
                    seen
                }
            };
            let is_elsewhere = list.resource.is_some() && other.is_none();
            let tokens = if is_elsewhere { Vec::new() } else { self.tokens_on(path, seen).await? };
            let tag = seen.filter(|_| !is_elsewhere).map(etag);
            let holds = list.conditions.iter().all(|condition| {
                let is_so = match &condition.state {
                    State::Locked(url) => token_of(url).is_some_and(|token| tokens.contains(&token)),
                    State::Tagged(text) => tag.as_ref().is_some_and(|tag| {
                        text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) == Some(tag.as_str())
                    }),
                };
                is_so == (condition.wanted == Wanted::True)
            });
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The path of a URL in an `If` header; `None` if it is not one of ours.
    fn tagged(&self, url: &str) -> Result<Option<DavPath>, Problem> {
        match DavPath::parse_destination(url, PREFIX) {
            Ok((path, authority)) => Ok(authority.is_none_or(|host| self.is_here(host)).then_some(path)),
            Err(_) => Ok(None),
        }
    }

    /// The tokens of locks that cover what is at a path, or would be.
    async fn tokens_on(&self, path: &DavPath, seen: Option<&Object>) -> Result<Vec<String>, Problem> {
        if !self.tree().has_locks(&self.caller)? {
            return Ok(Vec::new());
        }
        let item = match seen {
            Some(object) => Some(object.view.item.id),
            None => self.parent(path).await?.map(|parent| parent.view.item.id),
        };
        let Some(item) = item else { return Ok(Vec::new()) };
        let locks = self.tree().locks_on(&self.caller, item)?;
        Ok(locks.into_iter().map(|lock| lock.token).collect())
    }

    /// Makes sure that no lock is in the way: 423 if one is.
    pub(crate) async fn unlocked(&self, touch: Touch<'_>, passed: &Passed) -> Result<(), Problem> {
        match self.tree().lock_in_the_way(&self.caller, touch, &passed.tokens)? {
            None => Ok(()),
            Some(lock) => Err(Problem::locked(self.href_of(lock.item))),
        }
    }

    /// The URL of an item, if the caller may know of it.
    pub(crate) fn href_of(&self, item: ItemId) -> String {
        self.tree().way_to(&self.caller, item).map(|(names, kind)| Self::href(&names, kind)).unwrap_or_default()
    }
}
