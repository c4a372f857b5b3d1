//! `PROPFIND`: an item, its children, or everything below it, as a multi-status that is written while it is read.

use crate::answer::{self, XML_TYPE};
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::{Dead, Live, MULTISTATUS_HEAD, MULTISTATUS_TAIL, Quota, Shown, Thing, Wish, response, shown};
use crate::wire::bodies::parse_find;
use crate::wire::headers::Depth;
use crate::wire::path::{encode, is_reachable};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::RequestId;
use entente_model::{Caller, ItemId, with_causes};
use entente_tree::limits::LOCKS_COVERING_MAX;
use entente_tree::{BoxError, Error as TreeError, Kind, Lock, LockDepth, Object, Tree};
use futures_util::{StreamExt, stream};
use http::{StatusCode, header};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Items below a collection that is searched without end. Clients that meet the refusal ask level by level.
const ITEMS_BELOW_MAX: u32 = 10_000;
/// Children in the first piece of an answer, so that it comes soon.
const FIRST_PAGE: u32 = 100;
/// Children in each further piece, which bounds what is held of an answer.
const PAGE: u32 = 1_000;
/// Bytes after which a piece ends, however few children are in it: their properties and locks may be long.
const PIECE_BYTES: usize = 1 << 20;

pub(crate) async fn propfind(mut asked: Asked) -> Outcome {
    let body = asked.small_body().await?;
    let wish = Wish::of(&parse_find(&body)?);
    // Without a depth it is infinity (RFC 4918 section 9.1).
    let depth = asked.depth()?.unwrap_or(Depth::Infinity);
    let seen = asked.target().await?;
    asked.pass(seen.as_ref()).await?;
    let seen = seen.ok_or_else(Problem::not_found)?;
    let is_folder = seen.view.item.kind == Kind::Folder;
    if depth == Depth::Infinity && is_folder {
        let below = asked.tree().count_below(&asked.caller, seen.view.item.id, ITEMS_BELOW_MAX).await?;
        if below > u64::from(ITEMS_BELOW_MAX) {
            return Err(Problem::too_deep_a_search());
        }
    }
    let href = Asked::href(&asked.path.names, seen.view.item.kind);
    let (mut search, mut first) = Search::begin(&asked, wish, (&seen, &href), depth).await?;
    if depth != Depth::Zero && is_folder {
        search.enter(seen.view.item.id, href, depth);
        search.more(&mut first).await?;
    }
    if search.is_over() {
        first.push_str(MULTISTATUS_TAIL);
        return Ok(answer::xml(StatusCode::MULTI_STATUS, first));
    }
    let request_id = asked.arrival.request_id;
    let rest = stream::try_unfold(Some(search), move |search| async move {
        match search {
            None => Ok(None),
            Some(search) => next(search, request_id).await.map(Some),
        }
    });
    let pieces = stream::iter([Ok::<_, BoxError>(Bytes::from(first))]).chain(rest);
    let mut response = Response::new(Body::from_stream(pieces));
    *response.status_mut() = StatusCode::MULTI_STATUS;
    response.headers_mut().insert(header::CONTENT_TYPE, XML_TYPE);
    Ok(response)
}

/// The next piece, and the search from there on. When it fails the connection is cut, and here is said why.
async fn next(mut search: Search, request_id: RequestId) -> Result<(Bytes, Option<Search>), BoxError> {
    let mut piece = String::new();
    if let Err(error) = search.more(&mut piece).await {
        tracing::error!(request.id = %request_id, error = with_causes(&error), "a listing was cut off");
        return Err(error.into());
    }
    if search.is_over() {
        piece.push_str(MULTISTATUS_TAIL);
        return Ok((Bytes::from(piece), None));
    }
    Ok((Bytes::from(piece), Some(search)))
}

/// A walk over what is below a collection, page by page. Its memory is bounded by a page and the depth.
struct Search {
    tree: Tree,
    caller: Caller,
    wish: Wish,
    quota: Option<Quota>,
    /// Locks by what they lock, if they are asked for and more than the target is told.
    locks: HashMap<ItemId, Vec<Lock>>,
    /// What reaches everything that is searched, from above and of the target itself.
    covering: Vec<Arc<Shown>>,
    levels: Vec<Level>,
    limit: u32,
}

/// A collection on the way down.
struct Level {
    folder: ItemId,
    href: String,
    /// Locks that reach everything in it.
    inherited: Vec<Arc<Shown>>,
    depth: Depth,
    after: Option<String>,
    has_ended: bool,
    /// Collections of the page that was read last.
    waiting: Vec<(ItemId, String)>,
}

impl Search {
    /// The search, and how its answer begins: with what was asked for itself.
    async fn begin(
        asked: &Asked,
        wish: Wish,
        (seen, href): (&Object, &str),
        depth: Depth,
    ) -> Result<(Self, String), Problem> {
        let (tree, caller) = (asked.tree().clone(), asked.caller.clone());
        let wants_quota = wish.has(Live::QuotaUsed) || wish.has(Live::QuotaAvailable);
        let quota = if wants_quota { Some(Quota::of(&tree.me(&caller).await?)) } else { None };
        let (mut locks, mut covering) = (HashMap::<_, Vec<Lock>>::new(), Vec::new());
        if wish.has(Live::LockDiscovery) && tree.has_locks(&caller)? {
            if depth != Depth::Zero && seen.view.item.kind == Kind::Folder {
                for lock in tree.locks(&caller).await? {
                    locks.entry(lock.item).or_default().push(lock);
                }
            }
            covering = asked.shown(tree.locks_on(&caller, seen.view.item.id)?);
        }
        let properties =
            if wish.dead == Dead::None { Vec::new() } else { tree.properties(&caller, seen.view.item.id)? };
        let mut out = MULTISTATUS_HEAD.to_owned();
        let thing = Thing { object: seen, href, quota, locks: &covering, properties: &properties };
        response(&mut out, &wish, &thing);
        covering.retain(|shown| shown.lock.depth == LockDepth::Below);
        Ok((Self { tree, caller, wish, quota, locks, covering, levels: Vec::new(), limit: FIRST_PAGE }, out))
    }

    /// Goes down into a collection.
    fn enter(&mut self, folder: ItemId, href: String, depth: Depth) {
        let inherited = match self.levels.last() {
            Some(level) => {
                let mut inherited = level.inherited.clone();
                for lock in self.locks.get(&folder).into_iter().flatten() {
                    if lock.depth == LockDepth::Below && inherited.len() < LOCKS_COVERING_MAX {
                        inherited.push(shown(&self.tree, lock.clone(), href.clone()));
                    }
                }
                inherited
            }
            None => std::mem::take(&mut self.covering),
        };
        let waiting = Vec::new();
        self.levels.push(Level { folder, href, inherited, depth, after: None, has_ended: false, waiting });
    }

    fn is_over(&self) -> bool {
        self.levels.is_empty()
    }

    /// Writes the next page.
    async fn more(&mut self, out: &mut String) -> Result<(), TreeError> {
        while let Some(level) = self.levels.last_mut() {
            if let Some((folder, href)) = level.waiting.pop() {
                let depth = level.depth;
                self.enter(folder, href, depth);
                continue;
            }
            if level.has_ended {
                self.levels.pop();
                continue;
            }
            let (folder, after) = (level.folder, level.after.take());
            let limit = std::mem::replace(&mut self.limit, PAGE);
            let page = self.tree.children(&self.caller, folder, after.clone(), limit).await?;
            let upto = page.last().map(Object::sort_name);
            let set = self.with_properties(folder, after, upto).await?;
            let Some(level) = self.levels.last_mut() else { break };
            level.has_ended = page.len() < limit as usize;
            out.reserve(page.len() * 512);
            let (begin, mut told) = (out.len(), 0);
            let mut href = level.href.clone();
            let base = href.len();
            for child in &page {
                let item = &child.view.item;
                if out.len() - begin >= PIECE_BYTES {
                    // The rest of the page is looked at again, and no more of it than may fit.
                    level.has_ended = false;
                    self.limit = PAGE.min(told + told / 4 + 1);
                    break;
                }
                (level.after, told) = (Some(child.sort_name()), told + 1);
                if !is_reachable(&item.name) {
                    continue;
                }
                href.truncate(base);
                encode(&mut href, item.name.as_str());
                if item.kind == Kind::Folder {
                    href.push('/');
                    if level.depth == Depth::Infinity {
                        level.waiting.push((item.id, href.clone()));
                    }
                }
                let properties =
                    if set.contains(&item.id) { self.tree.properties(&self.caller, item.id)? } else { Vec::new() };
                let covering: Vec<Arc<Shown>>;
                let locks = match self.locks.get(&item.id) {
                    None => level.inherited.as_slice(),
                    Some(own) => {
                        let own = own.iter().map(|lock| shown(&self.tree, lock.clone(), href.clone()));
                        covering = own.chain(level.inherited.iter().cloned()).take(LOCKS_COVERING_MAX).collect();
                        covering.as_slice()
                    }
                };
                let quota = self.quota;
                response(out, &self.wish, &Thing { object: child, href: &href, quota, locks, properties: &properties });
            }
            // The next collection is begun from the end, so that they come in their order.
            level.waiting.reverse();
            if page.is_empty() {
                continue;
            }
            self.leave_what_has_ended();
            return Ok(());
        }
        Ok(())
    }

    /// Levels that have nothing left, so that the end of the answer is known when its last page is.
    fn leave_what_has_ended(&mut self) {
        while self.levels.last().is_some_and(|level| level.has_ended && level.waiting.is_empty()) {
            self.levels.pop();
        }
    }

    /// Which children of a page have properties that are asked for.
    async fn with_properties(
        &self,
        folder: ItemId,
        after: Option<String>,
        upto: Option<String>,
    ) -> Result<HashSet<ItemId>, TreeError> {
        match upto {
            Some(upto) if self.wish.dead != Dead::None => {
                let found = self.tree.children_with_properties(&self.caller, folder, after, upto).await?;
                Ok(found.into_iter().collect())
            }
            _ => Ok(HashSet::new()),
        }
    }
}
