//! Cascade policies: what is said of a folder goes to everything below it.

use super::metadata_shapes::{body, scope, scope_named};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::folder;
use crate::wire::metadata::{ApplyBody, CascadeBody, CascadePolicy, Listed};
use crate::wire::request::IdText;
use entente_model::{Caller, CascadeId};
use entente_tree::limits::METADATA_INSTANCES_MAX;
use entente_tree::metadata::{Cascade, Conflicts, MetadataError, TemplateName};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let given = asked.query().value("folder_id").ok_or_else(|| Problem::missing("folder_id"))?;
    let id = folder(&asked, &caller, &IdText(given.into_owned()), "folder_id").await?;
    let mut found = asked.tree().list_cascades(&caller, id).await?;
    if let Some(owner) = asked.query().value("owner_enterprise_id").filter(|owner| !owner.is_empty()) {
        found.retain(|(cascade, _)| cascade.enterprise.to_string() == owner);
    }
    let entries = found.iter().map(shown).collect();
    Ok(answer::json(StatusCode::OK, &Listed::new(entries, METADATA_INSTANCES_MAX, None)))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: CascadeBody = body(&mut asked).await?;
    let id = new.folder_id.ok_or_else(|| Problem::missing("folder_id"))?;
    let scope = new.scope.ok_or_else(|| Problem::missing("scope"))?;
    let key = new.template_key.ok_or_else(|| Problem::missing("templateKey"))?;
    let name = TemplateName { scope: scope_named(&caller, &scope)?, key };
    let id = folder(&asked, &caller, &id, "folder_id").await?;
    let made = asked.tree().create_cascade(&caller, id, name).await?;
    Ok(answer::json(StatusCode::CREATED, &shown(&made)))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().cascade(&caller, named(&asked)?).await?;
    Ok(answer::json(StatusCode::OK, &shown(&found)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().delete_cascade(&caller, named(&asked)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn apply(mut asked: Asked, caller: Caller) -> Outcome {
    let wanted: ApplyBody = body(&mut asked).await?;
    let conflicts = match wanted.conflict_resolution.as_deref() {
        Some("none") => Conflicts::Keep,
        Some("overwrite") => Conflicts::Overwrite,
        None => return Err(Problem::missing("conflict_resolution")),
        Some(_) => {
            let message = "'conflict_resolution' must be 'none' or 'overwrite'";
            return Err(Problem::invalid("conflict_resolution", message));
        }
    };
    asked.tree().apply_cascade(&caller, named(&asked)?, conflicts).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

/// Which policy the path names. What is no id of ours is the id of none.
fn named(asked: &Asked) -> Result<CascadeId, Problem> {
    asked.parameter("metadata_cascade_policy_id").parse().map_err(|_| MetadataError::InstanceAbsent.into())
}

fn shown((cascade, name): &(Cascade, TemplateName)) -> CascadePolicy<'_> {
    CascadePolicy {
        id: cascade.id,
        enterprise: cascade.enterprise,
        folder: cascade.folder,
        scope: scope(name.scope),
        template: &name.key,
    }
}
