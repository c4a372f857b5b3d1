//! With whom an enterprise's users share: allowed domains, and users to whom that does not apply.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire;
use crate::wire::collection::{Collection, Page};
use crate::wire::company::{AllowlistEntry, ExemptTarget, NewAllowlistEntry, NewExemptTarget};
use crate::wire::date::Date;
use crate::wire::id::{self, FromNumber, MalformedId, Text};
use crate::wire::query::MarkerPage;
use crate::wire::user::Enterprise;
use entente_model::{AllowedDomainId, Caller, ExemptionId, UserId};
use entente_tree::{AllowedDirection, AllowedDomain, ExemptionView};
use http::StatusCode;
use std::str::FromStr;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let (after, limit) = page::<AllowedDomainId>(&asked)?;
    let found = asked.tree().allowed_domains(&caller, after, limit).await?;
    let entries: Vec<_> = found.entries.iter().map(|one| entry(&asked, one, &found.enterprise_name)).collect();
    let next = found.next.map(|next| next.to_string());
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page: Page::Marker { next } }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewAllowlistEntry = asked.json().await?;
    let domain = new.domain.ok_or_else(|| Problem::missing("domain"))?;
    let direction = match new.direction.as_deref() {
        Some("inbound") => AllowedDirection::Inbound,
        Some("outbound") => AllowedDirection::Outbound,
        Some("both") => AllowedDirection::Both,
        Some(_) => {
            return Err(Problem::invalid("direction", "'direction' must be 'inbound', 'outbound' or 'both'"));
        }
        None => return Err(Problem::missing("direction")),
    };
    let (made, enterprise) = asked.tree().allow_domain(&caller, &domain, direction).await?;
    // Not 201, as Box describes it.
    Ok(answer::json(StatusCode::OK, &entry(&asked, &made, &enterprise)))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let (found, enterprise) = asked.tree().allowed_domain(&caller, asked.id(ENTRY)?).await?;
    Ok(answer::json(StatusCode::OK, &entry(&asked, &found, &enterprise)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().disallow_domain(&caller, asked.id(ENTRY)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn list_exempt(asked: Asked, caller: Caller) -> Outcome {
    let (after, limit) = page::<ExemptionId>(&asked)?;
    let found = asked.tree().exemptions(&caller, after, limit).await?;
    let entries: Vec<_> = found.entries.iter().map(|one| exempt(&asked, one, &found.enterprise_name)).collect();
    let next = found.next.map(|next| next.to_string());
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page: Page::Marker { next } }))
}

pub(crate) async fn create_exempt(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewExemptTarget = asked.json().await?;
    let user = new.user.ok_or_else(|| Problem::missing("user"))?;
    let user = user.id.ok_or_else(|| Problem::missing("user.id"))?;
    let user: UserId = id::parse(&user.0).map_err(|malformed| Problem::invalid("user.id", malformed.to_string()))?;
    let (made, enterprise) = asked.tree().exempt_user(&caller, user).await?;
    Ok(answer::json(StatusCode::OK, &exempt(&asked, &made, &enterprise)))
}

pub(crate) async fn show_exempt(asked: Asked, caller: Caller) -> Outcome {
    let (found, enterprise) = asked.tree().exemption(&caller, asked.id(EXEMPT)?).await?;
    Ok(answer::json(StatusCode::OK, &exempt(&asked, &found, &enterprise)))
}

pub(crate) async fn delete_exempt(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().end_exemption(&caller, asked.id(EXEMPT)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

const ENTRY: &str = "collaboration_whitelist_entry_id";
const EXEMPT: &str = "collaboration_whitelist_exempt_target_id";

fn page<I: FromStr + FromNumber>(asked: &Asked) -> Result<(Option<I>, u32), Problem> {
    let MarkerPage { limit, marker } = asked.query().marker_page()?;
    let malformed = |_: MalformedId| Problem::invalid("marker", "the marker is not one that a list gave");
    let after = marker.as_deref().map(id::parse).transpose().map_err(malformed)?;
    // A page of none would have no marker to go on from.
    Ok((after, limit.max(1)))
}

fn entry<'a>(asked: &'a Asked, row: &'a AllowedDomain, enterprise: &'a str) -> AllowlistEntry<'a> {
    AllowlistEntry {
        id: Text(row.id),
        domain: &row.domain,
        direction: match row.direction {
            AllowedDirection::Inbound => "inbound",
            AllowedDirection::Outbound => "outbound",
            AllowedDirection::Both => "both",
        },
        enterprise: Enterprise { id: row.enterprise, name: enterprise },
        created_at: Date { at: row.created_at, zone: asked.look().zone },
    }
}

fn exempt<'a>(asked: &'a Asked, view: &'a ExemptionView, enterprise: &'a str) -> ExemptTarget<'a> {
    let row = &view.exemption;
    let at = Date { at: row.created_at, zone: asked.look().zone };
    ExemptTarget {
        id: Text(row.id),
        enterprise: Enterprise { id: row.enterprise, name: enterprise },
        user: to_wire::mini(&view.user),
        created_at: at,
        modified_at: at,
    }
}
