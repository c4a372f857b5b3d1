//! Events: what a user may hear of, what an enterprise's administrators may, and waiting for either.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::{mini, steps};
use crate::wire::date;
use crate::wire::event::{Event, Events, GoneItem, InGroup, Realtime, RealtimeServers, Source, StreamPosition};
use crate::wire::item::{FILE, TRASH_FOLDER, WEB_LINK};
use entente_model::{Caller, GroupId, ItemName, Timestamp, UserId};
use entente_tree::{EnterpriseEvent, EnterpriseEventQuery, Event as Row, EventKind, EventQuery, EventView, Kind};
use http::StatusCode;
use std::time::Duration;

/// How long a request waits for news.
const WAIT: Duration = Duration::from_secs(50);
/// After how long a client that hears nothing asks again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the URL to wait at is good for.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// Batches of events that a request gives positions to before it reads, so that who has just done something finds it.
const BATCHES_MAX: u32 = 4;

/// Which stream is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    All,
    Changes,
    Company,
}

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let query = asked.query();
    let stream = match query.value("stream_type").as_deref() {
        None | Some("" | "all") => Stream::All,
        Some("changes" | "sync") => Stream::Changes,
        Some("admin_logs" | "admin_logs_streaming") => Stream::Company,
        Some(_) => return Err(Problem::invalid("stream_type", "'stream_type' must be one of Box's streams")),
    };
    let position = StreamPosition::parse(query.value("stream_position").as_deref());
    let position = position.map_err(|error| Problem::invalid("stream_position", error.to_string()))?;
    let limit = query.marker_page()?.limit;
    let kinds = kinds(&asked)?;
    let (from, until) = (moment(&asked, "created_after")?, moment(&asked, "created_before")?);
    settle(&asked).await?;
    let now = position == StreamPosition::Now;
    let (after, limit) = match position {
        StreamPosition::Now => (asked.tree().last_event().await?, 0),
        StreamPosition::After(after) => (after, limit),
    };
    if stream == Stream::Company {
        // Who does not administer is told so, whatever the position.
        let page = asked.tree().enterprise_events(&caller, EnterpriseEventQuery { after, limit, kinds, from, until });
        let page = page.await?;
        let zone = asked.look().zone;
        let entries = page.entries.iter().filter_map(|one| {
            let (source, more) = company_source(one)?;
            let (id, at, by) = (one.event.id, one.event.at, mini(&one.by));
            Some(Event { id, word: company_word(one.kind)?, at, by, source, more, zone })
        });
        return Ok(answer::json(StatusCode::OK, &Events::new(entries.collect(), if now { after } else { page.next })));
    }
    let wants = if stream == Stream::Changes { is_change } else { is_shown };
    let page = asked.tree().events(&caller, EventQuery { after, limit, wants }).await?;
    let look = asked.look();
    let paths: Vec<_> =
        page.entries.iter().map(|one| one.item.as_deref().map(|item| steps(&item.path, item.state))).collect();
    let entries = page.entries.iter().zip(&paths).filter_map(|(one, path)| {
        let source = match (&one.item, path) {
            (Some(view), Some(path)) => {
                let fields = match view.item.kind {
                    Kind::Folder => TRASH_FOLDER,
                    Kind::File => FILE,
                    Kind::WebLink => WEB_LINK,
                };
                Source::Item(look.item_at(view, path, fields))
            }
            _ => Source::Gone(gone(&one.event)?),
        };
        Some(Event {
            id: one.event.id,
            word: word(one)?,
            at: one.event.at,
            by: mini(&one.by),
            source,
            more: None,
            zone: look.zone,
        })
    });
    Ok(answer::json(StatusCode::OK, &Events::new(entries.collect(), page.next)))
}

/// Where to wait for news.
pub(crate) async fn realtime(asked: Asked, caller: Caller) -> Outcome {
    let name = ItemName::new("events").map_err(|_| Problem::not_found())?;
    let channel = asked.door.auth().channel(caller.user, name, CHANNEL_LIFETIME);
    let url = asked.url(&["/box/realtime?channel=", &channel].concat());
    Ok(answer::json(StatusCode::OK, &RealtimeServers { url: &url, retry_timeout: RETRY_TIMEOUT.as_secs() }))
}

/// Answers once there is news for whom the channel is for, or after a while.
pub(crate) async fn wait(asked: Asked) -> Outcome {
    let channel = asked.query().value("channel").ok_or_else(|| Problem::missing("channel"))?;
    let user = asked.door.auth().tune_in(&channel)?;
    let position = StreamPosition::parse(asked.query().value("stream_position").as_deref());
    let position = position.map_err(|error| Problem::invalid("stream_position", error.to_string()))?;
    let given = asked.query().value("stream_position").is_some();
    let Some(_place) = asked.door.waiting().enter(user) else {
        let message = "As many requests wait for news as can; try again later";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message));
    };
    settle(&asked).await?;
    let after = match position {
        StreamPosition::After(after) if given => after,
        _ => asked.tree().last_event().await?,
    };
    let is_news = asked.tree().wait_for_events(user, after, WAIT).await?;
    let message = if is_news { "new_change" } else { "reconnect" };
    Ok(answer::json(StatusCode::OK, &Realtime { message }))
}

/// Gives positions to what has just happened.
async fn settle(asked: &Asked) -> Result<(), Problem> {
    for _ in 0..BATCHES_MAX {
        if !asked.tree().place_events().await? {
            break;
        }
    }
    Ok(())
}

/// What an event happened to, as administrators are shown it, and who else it is about. `None` when nothing is known of it.
fn company_source(one: &EnterpriseEvent) -> Option<(Source<'_>, Option<InGroup<'_>>)> {
    let row = &one.event;
    if one.kind.is_of_item() {
        return Some((Source::Brief { item: gone(row)?, owned_by: mini(&one.owner) }, None));
    }
    let (number, name) = (row.item.number(), row.name.as_deref().unwrap_or(""));
    let login = row.other_name.as_deref().unwrap_or("");
    Some(match one.kind {
        EventKind::GroupMade | EventKind::GroupChanged | EventKind::GroupRemoved => {
            (Source::Other { kind: "group", id: number, name, login: None }, None)
        }
        EventKind::MemberAdded | EventKind::MemberChanged | EventKind::MemberRemoved => {
            let member = row.other.map_or(0, UserId::number);
            let source = Source::Other { kind: "user", id: member, name: login, login: Some(login) };
            (source, Some(InGroup { id: GroupId::new(number), name }))
        }
        EventKind::AppMade => (Source::Other { kind: "application", id: number, name, login: None }, None),
        _ => (Source::Other { kind: "user", id: number, name, login: Some(login) }, None),
    })
}

/// What of a gone item is shown, if anything is known of it.
pub(super) fn gone(event: &Row) -> Option<GoneItem<'_>> {
    let kind = match event.item_kind? {
        Kind::Folder => "folder",
        Kind::File => "file",
        Kind::WebLink => "web_link",
    };
    Some(GoneItem { kind, id: event.item, name: event.name.as_deref().unwrap_or("") })
}

fn moment(asked: &Asked, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = asked.query().value(name) else { return Ok(None) };
    match date::parse(&text) {
        Some(at) => Ok(Some(at)),
        None => Err(Problem::invalid(name, format!("'{name}' must be a date in RFC 3339"))),
    }
}

/// The kinds that `event_type` names. A word of Box's for what is not recorded here finds nothing.
fn kinds(asked: &Asked) -> Result<Option<Vec<EventKind>>, Problem> {
    let given = asked.query().values("event_type").join(",");
    let words: Vec<&str> = given.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Ok(None);
    }
    let is_word =
        |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if !words.iter().all(is_word) {
        return Err(Problem::invalid("event_type", "'event_type' must be names of events, with commas between"));
    }
    let is_named = |kind: &EventKind| company_word(*kind).is_some_and(|word| words.contains(&word));
    Ok(Some(EventKind::ALL.into_iter().filter(is_named).collect()))
}

fn is_shown(kind: EventKind) -> bool {
    kind.is_of_item()
        && !matches!(
            kind,
            EventKind::Purged
                | EventKind::TaskRemoved
                | EventKind::FileRequestMade
                | EventKind::FileRequestChanged
                | EventKind::FileRequestRemoved
        )
}

/// Whether a kind changes what somebody finds in folders.
fn is_change(kind: EventKind) -> bool {
    kind.is_of_item()
        && !kind.is_of_reading()
        && !matches!(
            kind,
            EventKind::Purged
                | EventKind::CollaborationChanged
                | EventKind::CollaborationRejected
                | EventKind::SharedLinkMade
                | EventKind::SharedLinkChanged
                | EventKind::SharedLinkRemoved
                | EventKind::Commented
                | EventKind::CommentChanged
                | EventKind::CommentRemoved
                | EventKind::TaskMade
                | EventKind::TaskChanged
                | EventKind::TaskRemoved
                | EventKind::TaskAssigned
                | EventKind::TaskAssignmentChanged
                | EventKind::TaskAssignmentRemoved
                | EventKind::Watermarked
                | EventKind::WatermarkRemoved
                | EventKind::FileRequestMade
                | EventKind::FileRequestChanged
                | EventKind::FileRequestRemoved
        )
}

/// Box's word for users; `None` for what only administrators are told of.
fn word(view: &EventView) -> Option<&'static str> {
    let is_file = matches!(view.event.item_kind, Some(Kind::File) | None);
    Some(match view.kind {
        EventKind::Created if is_file => "ITEM_UPLOAD",
        EventKind::Created => "ITEM_CREATE",
        EventKind::VersionAdded => "ITEM_UPLOAD",
        EventKind::Renamed => "ITEM_RENAME",
        EventKind::Moved => "ITEM_MOVE",
        EventKind::Copied => "ITEM_COPY",
        EventKind::Trashed => "ITEM_TRASH",
        EventKind::Restored => "ITEM_UNDELETE_VIA_TRASH",
        EventKind::Purged => return None,
        EventKind::Described
        | EventKind::VersionRemoved
        | EventKind::VersionRestored
        | EventKind::MetadataAdded
        | EventKind::MetadataChanged
        | EventKind::MetadataRemoved => "ITEM_MODIFY",
        EventKind::VersionPromoted => "ITEM_MAKE_CURRENT_VERSION",
        EventKind::CollaborationAdded => "COLLAB_INVITE_COLLABORATOR",
        EventKind::CollaborationAccepted => "COLLAB_ADD_COLLABORATOR",
        EventKind::CollaborationChanged => "COLLAB_ROLE_CHANGE",
        EventKind::CollaborationRemoved | EventKind::CollaborationRejected => "COLLAB_REMOVE_COLLABORATOR",
        EventKind::Downloaded => "ITEM_DOWNLOAD",
        EventKind::Previewed => "ITEM_PREVIEW",
        EventKind::SharedLinkMade => "ITEM_SHARED_CREATE",
        EventKind::SharedLinkChanged => "ITEM_SHARED_UPDATE",
        EventKind::SharedLinkRemoved => "ITEM_SHARED_UNSHARE",
        EventKind::Commented => "COMMENT_CREATE",
        EventKind::CommentChanged => "COMMENT_EDIT",
        EventKind::CommentRemoved => "COMMENT_DELETE",
        EventKind::TaskMade => "TASK_CREATE",
        EventKind::TaskChanged => "TASK_UPDATE",
        // Box has no word for it.
        EventKind::TaskRemoved => return None,
        EventKind::TaskAssigned => "TASK_ASSIGNMENT_CREATE",
        EventKind::TaskAssignmentChanged => "TASK_ASSIGNMENT_UPDATE",
        EventKind::TaskAssignmentRemoved => "TASK_ASSIGNMENT_DELETE",
        EventKind::FileLocked => "LOCK_CREATE",
        EventKind::FileUnlocked => "LOCK_DESTROY",
        EventKind::Watermarked => "WATERMARK_LABEL_CREATE",
        EventKind::WatermarkRemoved => "WATERMARK_LABEL_DELETE",
        EventKind::FileRequestMade | EventKind::FileRequestChanged | EventKind::FileRequestRemoved => return None,
        EventKind::UserMade
        | EventKind::UserChanged
        | EventKind::UserRemoved
        | EventKind::GroupMade
        | EventKind::GroupChanged
        | EventKind::GroupRemoved
        | EventKind::MemberAdded
        | EventKind::MemberChanged
        | EventKind::MemberRemoved
        | EventKind::SignedIn
        | EventKind::SignInFailed
        | EventKind::AppMade => return None,
    })
}

/// Box's word for administrators; `None` for what it has no word for.
fn company_word(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::Created | EventKind::VersionAdded => "UPLOAD",
        EventKind::Renamed => "RENAME",
        EventKind::Moved => "MOVE",
        EventKind::Copied => "COPY",
        EventKind::Trashed | EventKind::Purged => "DELETE",
        EventKind::Restored => "UNDELETE",
        EventKind::Described | EventKind::VersionRemoved => "EDIT",
        EventKind::VersionPromoted | EventKind::VersionRestored => "FILE_VERSION_RESTORE",
        EventKind::CollaborationAdded => "COLLABORATION_INVITE",
        EventKind::CollaborationAccepted => "COLLABORATION_ACCEPT",
        EventKind::CollaborationChanged => "COLLABORATION_ROLE_CHANGE",
        EventKind::CollaborationRemoved | EventKind::CollaborationRejected => "COLLABORATION_REMOVE",
        EventKind::MetadataAdded => "METADATA_INSTANCE_CREATE",
        EventKind::MetadataChanged => "METADATA_INSTANCE_UPDATE",
        EventKind::MetadataRemoved => "METADATA_INSTANCE_DELETE",
        EventKind::Downloaded => "DOWNLOAD",
        EventKind::Previewed => "PREVIEW",
        EventKind::SharedLinkMade | EventKind::SharedLinkChanged => "SHARE",
        EventKind::SharedLinkRemoved => "UNSHARE",
        EventKind::Commented => "COMMENT_CREATE",
        EventKind::CommentChanged => "COMMENT_EDIT",
        EventKind::CommentRemoved => "COMMENT_DELETE",
        EventKind::TaskMade => "TASK_CREATE",
        EventKind::TaskChanged => "TASK_UPDATE",
        EventKind::TaskRemoved => return None,
        EventKind::TaskAssigned => "TASK_ASSIGNMENT_CREATE",
        EventKind::TaskAssignmentChanged => "TASK_ASSIGNMENT_UPDATE",
        EventKind::TaskAssignmentRemoved => "TASK_ASSIGNMENT_DELETE",
        EventKind::FileLocked => "LOCK",
        EventKind::FileUnlocked => "UNLOCK",
        EventKind::Watermarked => "WATERMARK_LABEL_CREATE",
        EventKind::WatermarkRemoved => "WATERMARK_LABEL_DELETE",
        EventKind::FileRequestMade => "FILE_REQUEST_CREATE",
        EventKind::FileRequestChanged => "FILE_REQUEST_UPDATE",
        EventKind::FileRequestRemoved => "FILE_REQUEST_DELETE",
        EventKind::UserMade => "NEW_USER",
        EventKind::UserChanged => "EDIT_USER",
        EventKind::UserRemoved => "DELETE_USER",
        EventKind::GroupMade => "GROUP_CREATION",
        EventKind::GroupChanged => "GROUP_EDITED",
        EventKind::GroupRemoved => "GROUP_DELETION",
        EventKind::MemberAdded => "GROUP_ADD_USER",
        EventKind::MemberChanged => "GROUP_ADMIN_PERMISSIONS_UPDATED",
        EventKind::MemberRemoved => "GROUP_REMOVE_USER",
        EventKind::SignedIn => "LOGIN",
        EventKind::SignInFailed => "FAILED_LOGIN",
        EventKind::AppMade => "APPLICATION_CREATED",
    })
}
