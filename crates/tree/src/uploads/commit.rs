use super::{find, parts_total, read_back};
use crate::files::{Added, Target, add_file, add_version, announced};
use crate::grant::Upload;
use crate::items::place::NameRule;
use crate::retention::Keeping;
use crate::storage::follow_commit;
use crate::view::{Minis, row, view_row};
use crate::{Caller, Error, ItemView, Part, Session, Tree, UploadTarget, allow};
use entente_database::events::EventKind;
use entente_database::{Tx, uploads};
use entente_model::{ItemId, JobId, Manifest, Sha1, Timestamp, UploadSessionId, VersionId};
use entente_vault::{Located, Scope};

/// A part as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPart {
    /// What it is called.
    pub id: String,
    /// Where it begins in the whole.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
}

/// How an upload in pieces ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSession {
    /// Every part, in any order.
    pub parts: Vec<NamedPart>,
    /// What the SHA-1 of the whole must be.
    pub sha1: Sha1,
    /// When its content was made; now, if not given.
    pub content_created_at: Option<Timestamp>,
    /// When its content was last changed; now, if not given.
    pub content_modified_at: Option<Timestamp>,
    /// For a version: only if the file still has this sequence number.
    pub if_match: Option<u64>,
}

impl Tree {
    /// Makes a file or a version of the parts, after comparing the SHA-1 of the whole. For that it reads back what was
    /// not read while the parts arrived: some time for many bytes, if they arrived at another node. A session that is
    /// committed already answers its file again, and a commit that is sent again goes on where the one before stopped.
    ///
    /// `PartsMismatch`, `DigestMismatch`: the session stays. Otherwise the errors of [`Tree::upload`].
    pub async fn commit_session(
        &self,
        caller: &Caller,
        session: UploadSessionId,
        commit: CommitSession,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        let (by, now) = (caller.clone(), self.world.now());
        let found = self
            .database
            .read_long(move |tx| {
                let session = find(tx, &by, session, now)?;
                if let Some(item) = session.committed {
                    return Ok::<_, Error>(Found::Committed(Box::new(view(tx, &by, item)?)));
                }
                let limit = parts_total(&session)?;
                let parts = uploads::parts(tx, session.id, 0, limit)?;
                let located = uploads::located(tx, session.id, 0, limit)?;
                Ok(Found::Open { session: Box::new(session), parts, located })
            })
            .await?;
        let (session, parts, located) = match found {
            Found::Committed(view) => return Ok(*view),
            Found::Open { session, parts, located } => (*session, parts, located),
        };
        compare(&session, &parts, &commit.parts)?;
        announced(Some(commit.sha1), Some(self.digest(&session, &parts, located).await?))?;
        let (id, manifest) = (session.id, read_back(&session, &parts, Some(commit.sha1)));
        let view = self.commit_parts(caller, session, (parts, manifest), commit, rule).await?;
        self.followed.forget(id);
        Ok(view)
    }

    async fn commit_parts(
        &self,
        caller: &Caller,
        session: Session,
        (parts, manifest): (Vec<Part>, Manifest),
        commit: CommitSession,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event: EventKind::Created };
        let added = Added {
            version: VersionId::new(self.world.next_id()),
            content: manifest.content,
            size: manifest.size,
            sha1: Some(commit.sha1),
            content_created_at: commit.content_created_at,
            content_modified_at: commit.content_modified_at,
            plain: false,
            keeping: Keeping::AsBucket,
        };
        let (item, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        let now = self.world.now();
        self.database
            .transact("commit upload session", move |tx| {
                let found = find(tx, &target.caller, session.id, now)?;
                if let Some(item) = found.committed {
                    return view(tx, &target.caller, item);
                }
                // What was read back must be what is committed.
                let limit = parts_total(&session)?;
                if uploads::parts(tx, session.id, 0, limit)? != parts {
                    return Err(Error::PartsMismatch);
                }
                let mut minis = Minis::default();
                let scope = Scope { enterprise: session.enterprise, zone: session.zone, policy: session.policy };
                let content = |tx: &mut Tx<'_>, owner| {
                    uploads::commit_content(tx, &session, &manifest, owner)?;
                    // The policy may have changed since the session began.
                    follow_commit(tx, owner, scope, (job, now))
                };
                let view = match (session.target, session.name.as_ref()) {
                    (UploadTarget::File(parent), Some(name)) => {
                        add_file(tx, &target, (item, parent, name), &added, &mut minis, content)?
                    }
                    (UploadTarget::File(_), None) => return Err(Error::internal("a new file's session has no name")),
                    (UploadTarget::Version(file), name) => {
                        add_version(tx, &target, (file, name, commit.if_match), &added, &mut minis, content)?
                    }
                };
                uploads::set_committed(tx, session.id, view.item.id)?;
                Ok(view)
            })
            .await
    }
}

/// What a session was when its commit came.
enum Found {
    Committed(Box<ItemView>),
    Open { session: Box<Session>, parts: Vec<Part>, located: Vec<Located> },
}

/// Compares what has arrived with what the whole needs and what the client names.
fn compare(session: &Session, arrived: &[Part], named: &[NamedPart]) -> Result<(), Error> {
    let total = usize::try_from(parts_total(session)?).unwrap_or(usize::MAX);
    if arrived.len() != total || named.len() != total {
        return Err(Error::PartsMismatch);
    }
    let mut named: Vec<&NamedPart> = named.iter().collect();
    named.sort_by_key(|part| part.offset);
    let mut offset = 0;
    for ((arrived, named), chunk) in arrived.iter().zip(named).zip(0_u32..) {
        let same = arrived.place.chunk == chunk
            && arrived.id.eq_ignore_ascii_case(&named.id)
            && arrived.size == named.size
            && named.offset == offset;
        if !same {
            return Err(Error::PartsMismatch);
        }
        offset += arrived.size;
    }
    if offset == session.size { Ok(()) } else { Err(Error::PartsMismatch) }
}

/// The file that a session became, to who may upload it.
fn view(tx: &mut Tx<'_>, caller: &Caller, file: ItemId) -> Result<ItemView, Error> {
    let grant = allow::<Upload>(tx, caller, file)?;
    let row = row(tx, &grant)?;
    view_row(tx, &grant, row)
}
