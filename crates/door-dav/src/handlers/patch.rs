//! `PROPPATCH`: all or nothing.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::{Live, MULTISTATUS_HEAD, MULTISTATUS_TAIL, open_name};
use crate::wire::bodies::{Patch, parse_patch};
use crate::wire::date::{parse_http, parse_seconds};
use crate::wire::xml::{DAV, Name};
use entente_tree::{ChangeProperties, Error as TreeError, Property, PropertyChange, Touch};
use http::StatusCode;

/// Windows keeps times and attributes here.
const WIN32: &str = "urn:schemas-microsoft-com:";

/// Why a property cannot be changed, if it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// It follows from what the item is.
    Protected,
    /// It would be fine, and another is not.
    Dragged,
    /// There would be too many of them, or too much.
    TooMuch,
}

pub(crate) async fn proppatch(mut asked: Asked) -> Outcome {
    let body = asked.small_body().await?;
    let patches = parse_patch(&body)?;
    let seen = asked.target().await?;
    let passed = asked.pass(seen.as_ref()).await?;
    let seen = seen.ok_or_else(Problem::not_found)?;
    let item = seen.view.item.id;
    asked.unlocked(Touch { items: &[item], below: &[] }, &passed).await?;
    let mut verdicts: Vec<Verdict> = patches.iter().map(|patch| judge(&patch.name)).collect();
    if verdicts.iter().all(|verdict| *verdict == Verdict::Fine) {
        match asked.tree().change_properties(&asked.caller, item, change(&patches)).await {
            Ok(()) => {}
            Err(TreeError::Invalid(_)) => verdicts.fill(Verdict::TooMuch),
            Err(error) => return Err(error.into()),
        }
    } else {
        verdicts
            .iter_mut()
            .filter(|verdict| **verdict == Verdict::Fine)
            .for_each(|verdict| *verdict = Verdict::Dragged);
    }
    let href = Asked::href(&asked.path.names, seen.view.item.kind);
    Ok(answer::xml(StatusCode::MULTI_STATUS, document(&href, &patches, &verdicts)))
}

/// Whether clients may change the property.
fn judge(name: &Name) -> Verdict {
    if Live::named(name).is_some() { Verdict::Protected } else { Verdict::Fine }
}

/// What the tree is to change. Times are kept as clients wrote them, and change the item's as well.
fn change(patches: &[Patch]) -> ChangeProperties {
    let mut wanted = ChangeProperties::default();
    for Patch { name, value } in patches {
        let Some(value) = value else {
            wanted.changes.push(PropertyChange::Remove { name: name.key() });
            continue;
        };
        match (&*name.namespace, name.local.as_str()) {
            (WIN32, "Win32LastModifiedTime") => {
                wanted.content_modified_at = parse_http(&value.text).or(wanted.content_modified_at);
            }
            (WIN32, "Win32CreationTime") => {
                wanted.content_created_at = parse_http(&value.text).or(wanted.content_created_at);
            }
            // What rclone sets, in seconds.
            (DAV, "lastmodified") => {
                wanted.content_modified_at = parse_seconds(&value.text).or(wanted.content_modified_at);
            }
            _ => {}
        }
        let property = Property { name: name.key(), value: value.fragment.clone() };
        wanted.changes.push(PropertyChange::Set(property));
    }
    wanted
}

fn document(href: &str, patches: &[Patch], verdicts: &[Verdict]) -> String {
    let mut out = [MULTISTATUS_HEAD, "<D:response><D:href>", href, "</D:href>"].concat();
    for (verdict, rest) in [
        (Verdict::Fine, "HTTP/1.1 200 OK</D:status>"),
        (
            Verdict::Protected,
            "HTTP/1.1 403 Forbidden</D:status><D:error><D:cannot-modify-protected-property/></D:error>",
        ),
        (Verdict::Dragged, "HTTP/1.1 424 Failed Dependency</D:status>"),
        (
            Verdict::TooMuch,
            "HTTP/1.1 403 Forbidden</D:status><D:responsedescription>the item would have too many or too large properties\
             </D:responsedescription>",
        ),
    ] {
        let names = patches.iter().zip(verdicts).filter(|(_, of)| **of == verdict).map(|(patch, _)| &patch.name);
        let mut told: Vec<&Name> = Vec::new();
        for name in names {
            if !told.contains(&name) {
                told.push(name);
            }
        }
        if told.is_empty() {
            continue;
        }
        out.push_str("<D:propstat><D:prop>");
        told.iter().for_each(|name| open_name(&mut out, &name.namespace, &name.local, "/>"));
        out.push_str("</D:prop><D:status>");
        out.push_str(rest);
        out.push_str("</D:propstat>");
    }
    out.push_str("</D:response>");
    out.push_str(MULTISTATUS_TAIL);
    out
}
