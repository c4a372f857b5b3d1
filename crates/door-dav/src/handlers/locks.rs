//! `LOCK` and `UNLOCK`.

use crate::answer::{self, XML_HEAD};
use crate::asked::{Asked, Outcome};
use crate::conditions::Passed;
use crate::error::Problem;
use crate::handlers::content::value;
use crate::to_wire::lock_discovery;
use crate::wire::bodies::{LockInfo, LockScope, parse_lock};
use crate::wire::headers::{Depth, TOKEN_PREFIX, parse_lock_token, parse_timeout};
use entente_model::ItemId;
use entente_tree::limits::LOCKS_COVERING_MAX;
use entente_tree::{Lock, LockDepth, Locking, NewLock, Object, Sharing, Touch};
use http::{HeaderName, StatusCode};
use std::time::Duration;

const LOCK_TOKEN: HeaderName = HeaderName::from_static("lock-token");
const TIMEOUT: HeaderName = HeaderName::from_static("timeout");
/// How long a lock lives when nobody says.
const TIMEOUT_USUAL: Duration = Duration::from_secs(60 * 60);
/// How often a file that should be made, and was made by somebody else meanwhile, is looked at again.
const TRIES: usize = 3;

pub(crate) async fn lock(mut asked: Asked) -> Outcome {
    let body = asked.small_body().await?;
    let depth = match asked.depth()? {
        None | Some(Depth::Infinity) => LockDepth::Below,
        Some(Depth::Zero) => LockDepth::Item,
        Some(Depth::One) => return Err(Problem::bad_request("'Depth' of a LOCK is 0 or infinity")),
    };
    let timeout = asked.header(&TIMEOUT).and_then(parse_timeout);
    match parse_lock(&body)? {
        Some(info) => grant(&asked, info, depth, timeout).await,
        None => refresh(&asked, timeout).await,
    }
}

async fn grant(asked: &Asked, info: LockInfo, depth: LockDepth, timeout: Option<Duration>) -> Outcome {
    let seen = asked.target().await?;
    let passed = asked.pass(seen.as_ref()).await?;
    let new = NewLock {
        sharing: match info.scope {
            LockScope::Exclusive => Sharing::Exclusive,
            LockScope::Shared => Sharing::Shared,
        },
        depth,
        about: info.owner,
        timeout: timeout.unwrap_or(TIMEOUT_USUAL),
    };
    let (locking, status) = match &seen {
        Some(object) => (asked.tree().lock(&asked.caller, object.view.item.id, new).await?, StatusCode::OK),
        None => make(asked, &passed, new).await?,
    };
    match locking {
        Locking::Granted(lock) => {
            let token = value(format!("<{TOKEN_PREFIX}{}>", lock.token));
            let mut response = answer::xml(status, document(asked, lock));
            response.headers_mut().insert(LOCK_TOKEN, token);
            Ok(response)
        }
        Locking::Held(others) => Err(held(asked, &others)),
    }
}

/// These locks are in the way: what they lock is told, as far as a client may want to know.
fn held(asked: &Asked, others: &[Lock]) -> Problem {
    let mut items: Vec<ItemId> = others.iter().map(|lock| lock.item).collect();
    items.sort_unstable();
    items.dedup();
    Problem::lock_conflict(items.into_iter().take(LOCKS_COVERING_MAX).map(|item| asked.href_of(item)).collect())
}

/// Makes an empty file where there is nothing, locked from its beginning (RFC 4918 section 7.3).
async fn make(asked: &Asked, passed: &Passed, new: NewLock) -> Result<(Locking, StatusCode), Problem> {
    if asked.path.has_slash {
        return Err(Problem::no_parent());
    }
    for _ in 0..TRIES {
        let parent = asked.parent(&asked.path).await?.ok_or_else(Problem::no_parent)?;
        asked.unlocked(Touch { items: &[parent.view.item.id], below: &[] }, passed).await?;
        match asked.tree().lock_at(&asked.caller, asked.at(&asked.path.names), new.clone()).await {
            Ok(locking) => return Ok((locking, StatusCode::CREATED)),
            Err(entente_tree::Error::PreconditionFailed | entente_tree::Error::NameInUse { .. }) => {}
            Err(error) => return Err(Problem::of_put(error)),
        }
        if let Some(Object { view, .. }) = asked.target().await? {
            return Ok((asked.tree().lock(&asked.caller, view.item.id, new).await?, StatusCode::OK));
        }
    }
    Err(Problem::precondition_failed())
}

async fn refresh(asked: &Asked, timeout: Option<Duration>) -> Outcome {
    let seen = asked.target().await?;
    let passed = asked.pass(seen.as_ref()).await?;
    let seen = seen.ok_or_else(Problem::not_found)?;
    if passed.tokens.is_empty() {
        return Err(Problem::bad_request("a LOCK without a body names the lock that is to live on in 'If'"));
    }
    let lock = asked.tree().refresh_lock(&asked.caller, seen.view.item.id, &passed.tokens, timeout).await?;
    let lock = lock.ok_or_else(Problem::precondition_failed)?;
    Ok(answer::xml(StatusCode::OK, document(asked, lock)))
}

fn document(asked: &Asked, lock: Lock) -> String {
    let mut out = [XML_HEAD, "<D:prop xmlns:D=\"DAV:\">"].concat();
    lock_discovery(&mut out, &asked.shown(vec![lock]));
    out.push_str("</D:prop>\n");
    out
}

pub(crate) async fn unlock(mut asked: Asked) -> Outcome {
    asked.no_body().await?;
    let text = asked.header(&LOCK_TOKEN).ok_or_else(|| Problem::bad_request("'Lock-Token' is required"))?;
    let token = parse_lock_token(text);
    let seen = asked.target().await?;
    asked.pass(seen.as_ref()).await?;
    let seen = seen.ok_or_else(Problem::not_found)?;
    let token = token.ok_or_else(Problem::no_such_lock)?;
    if asked.tree().unlock(&asked.caller, seen.view.item.id, &token).await? {
        answer::done(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::no_such_lock())
    }
}
