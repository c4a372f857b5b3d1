//! Copies from one owner to another: content has its owner's space, zone and keys, so here the bytes move.

use super::CopyTo;
use super::copy::{Source, describe};
use super::place::NameRule;
use crate::files::{Target, add_file, prepare_file};
use crate::storage::follow_commit;
use crate::{Caller, Error, ItemView, Tree};
use entente_database::events::EventKind;
use entente_database::{contents, facts};
use entente_model::{ItemId, JobId};

impl Tree {
    /// Reads a file and writes it again for whoever owns the folder that the copy goes into. What the copy is of is looked
    /// at again when it is written: a role that was taken away meanwhile, or a version that was removed, ends it.
    pub(super) async fn copy_file_between(
        &self,
        caller: &Caller,
        file: ItemId,
        to: CopyTo,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        let (source, prepared) = self.database.read(|tx| {
            let source = Source::find(tx, caller, (file, to.version))?;
            let name = to.name.as_ref().unwrap_or(&source.item.name);
            let prepared = prepare_file(tx, caller, to.parent, name, rule)?;
            prepared.check(source.version.size)?;
            Ok::<_, Error>((source, prepared))
        })?;
        let (size, sha1) = (source.version.size, source.version.sha1);
        let content = self.open_content(source.version.content)?;
        let bytes = self.read_content(content, 0..size);
        let written = self.store(&prepared, size, sha1, bytes).await.map_err(of_source)?;
        let added =
            self.added(&written, Some(source.item.content_created_at), Some(source.item.content_modified_at))?;
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event: EventKind::Copied };
        let (id, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        self.database
            .transact("copy file between owners", move |tx| {
                let again = Source::find(tx, &target.caller, (file, Some(source.version.id)))?;
                let (name, mut minis) = (to.name.as_ref().unwrap_or(&source.item.name), prepared.minis.clone());
                let mut view = add_file(tx, &target, (id, to.parent, name), &added, &mut minis, |tx, owner| {
                    facts::copy(tx, source.version.id, added.version)?;
                    contents::commit_for(tx, &written, owner)?;
                    follow_commit(tx, owner, prepared.scope, (job, target.stamp.at))
                })?;
                describe(tx, &again.item, &mut view)?;
                Ok(view)
            })
            .await
    }
}

/// A body that is read from here fails for our reasons, and not for a client's.
fn of_source(error: Error) -> Error {
    match error {
        Error::BodyFailed(cause) => match cause.downcast::<Error>() {
            Ok(cause) => *cause,
            Err(cause) => Error::BodyFailed(cause),
        },
        error => error,
    }
}
