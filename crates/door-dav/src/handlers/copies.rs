//! `COPY` and `MOVE`. Neither touches a byte: a copy shares contents, and what is moved is one row, however much is in it.

use super::collections::Touched;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::headers::Depth;
use crate::wire::path::DavPath;
use entente_tree::{
    CopyAt, CopyTreeAt, Expect, Folders, Kind, MoveAt, NameRule, Object, Overwrite, Put, Versioning, Want,
};
use http::StatusCode;

/// Both ends of a request that may go on.
struct Ends {
    source: Object,
    destination: DavPath,
    /// What is at the destination already.
    replaced: Option<Object>,
    overwrite: Overwrite,
    /// What the source must still be when the change is made.
    expect_from: Expect,
}

/// What happens to the source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Stays,
    Goes,
}

pub(crate) async fn copy(mut asked: Asked) -> Outcome {
    let ends = ends(&mut asked, Source::Stays).await?;
    let is_alone = match (asked.depth()?, ends.source.view.item.kind) {
        (Some(Depth::One), _) => return Err(Problem::bad_request("'Depth' of a COPY is 0 or infinity")),
        (Some(Depth::Zero), kind) => kind == Kind::Folder,
        (None | Some(Depth::Infinity), _) => false,
    };
    let Ends { source, destination, overwrite, expect_from, .. } = &ends;
    let (from, to) = (asked.at(&asked.path.names), asked.at(&destination.names));
    let put = match source.view.item.kind {
        Kind::Folder if is_alone => {
            let copy = CopyTreeAt { rule: NameRule::CaseSensitive, overwrite: *overwrite };
            asked.tree().copy_folder_alone_at(&asked.caller, from, to, copy).await.map_err(Problem::of_copy)?
        }
        Kind::Folder => {
            let copy = CopyTreeAt { rule: NameRule::CaseSensitive, overwrite: *overwrite };
            asked.tree().copy_tree_at(&asked.caller, from, to, copy).await.map_err(Problem::of_copy)?
        }
        Kind::File | Kind::WebLink => {
            let expect = if *overwrite == Overwrite::Refuse { Expect::Absent } else { Expect::Anything };
            let copy = CopyAt {
                folders: Folders::Refuse,
                rule: NameRule::CaseSensitive,
                expect,
                overwrite: *overwrite,
                expect_from: *expect_from,
                versioning: Versioning::Always,
                facts: None,
            };
            asked.tree().copy_at(&asked.caller, (from, None), to, copy).await.map_err(Problem::of_copy)?
        }
    };
    finish(&asked, &ends, &put).await
}

pub(crate) async fn relocate(mut asked: Asked) -> Outcome {
    let ends = ends(&mut asked, Source::Goes).await?;
    if ends.source.view.item.kind == Kind::Folder && !matches!(asked.depth()?, None | Some(Depth::Infinity)) {
        return Err(Problem::bad_request("'Depth' of a MOVE is infinity"));
    }
    let (from, to) = (asked.at(&asked.path.names), asked.at(&ends.destination.names));
    let change = MoveAt {
        want: want(&ends.source),
        expect: ends.expect_from,
        folders: Folders::Refuse,
        rule: NameRule::CaseSensitive,
        overwrite: ends.overwrite,
    };
    let put = asked.tree().move_at(&asked.caller, from, to, change).await.map_err(Problem::of_copy)?;
    // RFC 4918 section 7.4: locks do not move along.
    asked.tree().release_locks(&asked.caller, ends.source.view.item.id).await?;
    finish(&asked, &ends, &put).await
}

async fn finish(asked: &Asked, ends: &Ends, put: &Put) -> Outcome {
    if let Some(replaced) = &ends.replaced
        && replaced.view.item.id != put.object.view.item.id
    {
        asked.tree().release_locks(&asked.caller, replaced.view.item.id).await?;
    }
    answer::done(if ends.replaced.is_none() { StatusCode::CREATED } else { StatusCode::NO_CONTENT })
}

/// Looks at both ends, at what the request depends on, and at locks.
async fn ends(asked: &mut Asked, source_is: Source) -> Result<Ends, Problem> {
    asked.no_body().await?;
    let (destination, overwrite) = (asked.destination()?, asked.overwrite()?);
    let source = asked.target().await?;
    let passed = asked.pass(source.as_ref()).await?;
    let source = source.ok_or_else(Problem::not_found)?;
    if asked.path.names.is_empty() || destination.names.is_empty() {
        return Err(Problem::forbidden("a root can be neither copied, moved nor replaced"));
    }
    if destination.names == asked.path.names {
        return Err(Problem::forbidden("source and destination are the same"));
    }
    if asked.path.leads_to(&destination) && source.view.item.kind == Kind::Folder {
        return Err(Problem::forbidden("a collection cannot go into itself"));
    }
    if destination.leads_to(&asked.path) {
        // What is replaced would be gone before it is copied.
        return Err(Problem::forbidden("a collection cannot be replaced by what is in it"));
    }
    let replaced = asked.look(&DavPath { has_slash: false, names: destination.names.clone() }).await?;
    if replaced.is_some() && overwrite == Overwrite::Refuse {
        return Err(Problem::precondition_failed());
    }
    let mut touched = Touched::default();
    if source_is == Source::Goes {
        touched.removal(&source);
    }
    match &replaced {
        Some(replaced) => touched.removal(replaced),
        None => {
            let parent = asked.parent(&destination).await?.ok_or_else(Problem::no_parent)?;
            touched.change(parent.view.item.id);
        }
    }
    touched.check(asked, &passed).await?;
    let expect_from = passed.expect(Some(&source));
    Ok(Ends { source, destination, replaced, overwrite, expect_from })
}

/// That item and no other of its name.
fn want(object: &Object) -> Want {
    if object.view.item.kind == Kind::Folder { Want::Folder } else { Want::File }
}
