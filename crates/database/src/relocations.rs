//! Relocations: moves of stored bytes, from their order to their end.
//!
//! A move between backends is a redirect from its order on, and stays one after its end, for as long as the configuration
//! names its source.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{BackendId, ItemId, PolicyId, RelocationId, Timestamp, UserId};
use std::ops::RangeInclusive;
use std::time::Duration;

/// More redirects than these are not followed: the newest count.
const REDIRECTS_MAX: u32 = 10_000;
/// How much of an error's text is kept, in bytes.
const ERROR_BYTES_MAX: usize = 1_000;

/// What is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Segments, from one backend to another; of one policy, or of all.
    Backend {
        /// From where.
        from: BackendId,
        /// To where.
        to: BackendId,
        /// Only those of this policy.
        policy: Option<PolicyId>,
    },
    /// What a user owns, trash and older versions too.
    User {
        /// Whose.
        user: UserId,
        /// To which policy.
        policy: PolicyId,
    },
    /// What is in a folder.
    Folder {
        /// Which.
        folder: ItemId,
        /// To which policy.
        policy: PolicyId,
    },
}

/// Where a relocation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Goes on.
    Running,
    /// Stands still until it is resumed; new content goes to the target all the same.
    Paused,
    /// Nothing is left to be moved.
    Done,
    /// Was called off. Until `ended_at` is set, it brings back what it had moved.
    Cancelled,
}

/// How far a relocation is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How far this pass over the source is; `None` at its beginning.
    pub position: Option<Vec<u8>>,
    /// Passes that have ended.
    pub passes: u64,
    /// What this pass has found to do so far, be it possible or not.
    pub found: u64,
    /// How much of that could not be read; after a pass, of that pass.
    pub unreadable: u64,
    /// Passes in a row, up to the last one, that found nothing but what could not be read.
    pub barren: u64,
    /// Segments (of a user or a folder: contents) to be moved, those that have been moved included.
    pub pieces_total: u64,
    /// Their bytes.
    pub bytes_total: u64,
    /// Those that have been moved.
    pub pieces_done: u64,
    /// Their bytes.
    pub bytes_done: u64,
    /// Objects removed from the source.
    pub removed: u64,
    /// What failed, and was or will be tried again.
    pub failures: u64,
    /// How the last failure was explained; empty if there was none.
    pub last_error: String,
}

/// A relocation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// Its id.
    pub id: RelocationId,
    /// What is moved.
    pub moved: Moved,
    /// Where it is in its life.
    pub state: State,
    /// Whether policies that name the source mean the target. Of moves between backends only.
    pub in_force: bool,
    /// Bytes a second; `None`: as fast as it goes.
    pub rate: Option<u64>,
    /// How long what has been moved stays at the source.
    pub grace: Duration,
    /// How far it is.
    pub progress: Progress,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// When there was nothing left to do.
    pub ended_at: Option<Timestamp>,
}

impl Relocation {
    /// Whether something is still to be done, be it after a pause.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }
}

/// Where policies name `from`, they mean `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect {
    /// The relocation.
    pub id: RelocationId,
    /// Whether that has ended.
    pub is_done: bool,
    /// What is named.
    pub from: BackendId,
    /// What is meant.
    pub to: BackendId,
    /// Only in this policy.
    pub policy: Option<PolicyId>,
}

/// What is left of a selection on a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Segments in use with a replica there, whatever its state.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those whose replica there is on its way out: its bytes are where they should be.
    pub leaving: u64,
    /// The bytes of those.
    pub leaving_bytes: u64,
    /// Besides: segments that nothing refers to any more, which a collection removes.
    pub garbage: u64,
}

macro_rules! columns {
    () => {
        "id, kind, from_backend_id, to_backend_id, policy_id, user_id, item_id, state, in_force, rate, grace, position,
         passes, found, pieces_total, bytes_total, pieces_done, bytes_done, removed, failures, last_error, created_at,
         modified_at, ended_at, unreadable, barren"
    };
}

/// Inserts a relocation as it is.
pub fn insert(tx: &mut Tx<'_>, relocation: &Relocation) -> Result<(), Error> {
    let (kind, from, to, policy, user, item) = moved_columns(&relocation.moved);
    let progress = &relocation.progress;
    tx.execute(
        concat!(
            "INSERT INTO relocations (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
             ?22, ?23, ?24, ?25, ?26)"
        ),
        &[
            relocation.id.into(),
            kind.into(),
            from.into(),
            to.into(),
            policy.into(),
            user.into(),
            item.into(),
            number(relocation.state).into(),
            i64::from(relocation.in_force).into(),
            relocation.rate.unwrap_or(0).into(),
            millis(relocation.grace).into(),
            progress.position.as_deref().into(),
            progress.passes.into(),
            progress.found.into(),
            progress.pieces_total.into(),
            progress.bytes_total.into(),
            progress.pieces_done.into(),
            progress.bytes_done.into(),
            progress.removed.into(),
            progress.failures.into(),
            kept(&progress.last_error).into(),
            relocation.created_at.into(),
            relocation.modified_at.into(),
            relocation.ended_at.into(),
            progress.unreadable.into(),
            progress.barren.into(),
        ],
    )?;
    Ok(())
}

/// The relocation with that id.
pub fn by_id(tx: &mut Tx<'_>, id: RelocationId) -> Result<Option<Relocation>, Error> {
    tx.query_one(concat!("SELECT ", columns!(), " FROM relocations WHERE id = ?1"), &[id.into()], read)
}

/// Up to `limit` relocations older than `before`, the newest first.
pub fn before(tx: &mut Tx<'_>, before: Option<RelocationId>, limit: u32) -> Result<Vec<Relocation>, Error> {
    let before = before.map_or(i64::MAX, RelocationId::number);
    let sql = concat!("SELECT ", columns!(), " FROM relocations WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    tx.query(sql, &[before.into(), limit.into()], read)
}

/// Up to `limit` relocations with something still to be done, be it after a pause, the oldest first.
pub fn open(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Relocation>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM relocations WHERE state IN (0, 1, 3) AND ended_at IS NULL ORDER BY id LIMIT ?1"
    );
    tx.query(sql, &[limit.into()], read)
}

/// The redirects in force, in the order in which they were ordered.
pub fn redirects(tx: &mut Tx<'_>) -> Result<Vec<Redirect>, Error> {
    let mut found = tx.query(
        "SELECT id, from_backend_id, to_backend_id, policy_id, state FROM relocations WHERE kind = 0 AND in_force = 1
         ORDER BY id DESC LIMIT ?1",
        &[REDIRECTS_MAX.into()],
        |row| {
            Ok(Redirect {
                id: RelocationId::new(row.int(0)?),
                from: BackendId::new(row.int(1)?),
                to: BackendId::new(row.int(2)?),
                policy: row.int_or_null(3)?.map(PolicyId::new),
                is_done: row.int(4)? == number(State::Done),
            })
        },
    )?;
    found.reverse();
    Ok(found)
}

/// Puts redirects of relocations that are done out of force.
pub fn retire(tx: &mut Tx<'_>, relocations: &[RelocationId]) -> Result<(), Error> {
    for id in relocations {
        tx.execute("UPDATE relocations SET in_force = 0 WHERE id = ?1 AND state = 2", &[(*id).into()])?;
    }
    Ok(())
}

/// Stores how far a relocation is. `false`, and nothing is stored, when it is no longer in that state.
pub fn save_progress(
    tx: &mut Tx<'_>,
    id: RelocationId,
    state: State,
    progress: &Progress,
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE relocations SET position = ?3, passes = ?4, found = ?5, pieces_total = ?6, bytes_total = ?7,
           pieces_done = ?8, bytes_done = ?9, removed = ?10, failures = ?11, last_error = ?12, modified_at = ?13,
           unreadable = ?14, barren = ?15
         WHERE id = ?1 AND state = ?2 AND ended_at IS NULL",
        &[
            id.into(),
            number(state).into(),
            progress.position.as_deref().into(),
            progress.passes.into(),
            progress.found.into(),
            progress.pieces_total.into(),
            progress.bytes_total.into(),
            progress.pieces_done.into(),
            progress.bytes_done.into(),
            progress.removed.into(),
            progress.failures.into(),
            kept(&progress.last_error).into(),
            now.into(),
            progress.unreadable.into(),
            progress.barren.into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Takes an open relocation from one state to another. `false` when it was in another state, or had ended. It begins a
/// new pass; one that is cancelled is no longer in force.
pub fn change_state(tx: &mut Tx<'_>, id: RelocationId, from: State, to: State, now: Timestamp) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE relocations SET state = ?3, modified_at = ?4, position = NULL, found = 0, unreadable = 0, barren = 0,
           in_force = CASE WHEN ?3 = 3 THEN 0 ELSE in_force END
         WHERE id = ?1 AND state = ?2 AND ended_at IS NULL",
        &[id.into(), number(from).into(), number(to).into(), now.into()],
    )?;
    Ok(changed > 0)
}

/// Notes that nothing is left to be done: a running one is done, a cancelled one has taken back what it moved. `false`
/// when it was in another state.
pub fn end(tx: &mut Tx<'_>, id: RelocationId, state: State, now: Timestamp) -> Result<bool, Error> {
    let ended = if state == State::Running { State::Done } else { state };
    let changed = tx.execute(
        "UPDATE relocations SET state = ?3, ended_at = ?4, modified_at = ?4, position = NULL, last_error = ''
         WHERE id = ?1 AND state = ?2 AND ended_at IS NULL",
        &[id.into(), number(state).into(), number(ended).into(), now.into()],
    )?;
    Ok(changed > 0)
}

/// Changes how many bytes a second an open relocation may move. `false` when it has ended.
pub fn set_rate(tx: &mut Tx<'_>, id: RelocationId, rate: Option<u64>, now: Timestamp) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE relocations SET rate = ?2, modified_at = ?3 WHERE id = ?1 AND ended_at IS NULL",
        &[id.into(), rate.unwrap_or(0).into(), now.into()],
    )?;
    Ok(changed > 0)
}

/// What segments, of one policy or of all, a backend holds. Walks all of them: for long reads.
pub fn held(tx: &mut Tx<'_>, backend: BackendId, policy: Option<PolicyId>) -> Result<Held, Error> {
    let held = tx.query_one(
        "SELECT coalesce(sum(CASE WHEN s.live > 0 THEN 1 ELSE 0 END), 0),
           coalesce(sum(CASE WHEN s.live > 0 THEN s.size ELSE 0 END), 0),
           coalesce(sum(CASE WHEN s.live > 0 AND r.state IN (3, 4) THEN 1 ELSE 0 END), 0),
           coalesce(sum(CASE WHEN s.live > 0 AND r.state IN (3, 4) THEN s.size ELSE 0 END), 0),
           coalesce(sum(CASE WHEN s.live > 0 THEN 0 ELSE 1 END), 0)
         FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.backend_id = ?1 AND s.state <> 0 AND (s.policy_id = ?2 OR ?2 = 0)",
        &[backend.into(), policy.map_or(0, PolicyId::number).into()],
        |row| {
            Ok(Held {
                segments: row.size(0)?,
                bytes: row.size(1)?,
                leaving: row.size(2)?,
                leaving_bytes: row.size(3)?,
                garbage: row.size(4)?,
            })
        },
    )?;
    Ok(held.unwrap_or_default())
}

/// Whether a backend holds a segment in use, of one policy or of all. Cheap where it does.
pub fn holds_any(tx: &mut Tx<'_>, backend: BackendId, policy: Option<PolicyId>) -> Result<bool, Error> {
    let found = tx.query_one(
        "SELECT 1 FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.backend_id = ?1 AND s.state = 1 AND s.live > 0 AND (s.policy_id = ?2 OR ?2 = 0) LIMIT 1",
        &[backend.into(), policy.map_or(0, PolicyId::number).into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Those of the named objects of a backend that belong to segments, of one policy or of all, which were reserved at a
/// moment `within`: somebody may be about to commit them.
pub fn expected(
    tx: &mut Tx<'_>,
    (backend, policy): (BackendId, Option<PolicyId>),
    names: &[entente_vault::ObjectName],
    within: RangeInclusive<Timestamp>,
) -> Result<u64, Error> {
    let mut expected = 0;
    for name in names {
        let found = tx.query_one(
            "SELECT 1 FROM replicas r JOIN segments s ON s.id = r.segment_id
             WHERE r.backend_id = ?1 AND r.name = ?2 AND s.state = 0 AND s.created_at BETWEEN ?3 AND ?4
               AND (s.policy_id = ?5 OR ?5 = 0)",
            &[
                backend.into(),
                name.as_bytes().as_slice().into(),
                (*within.start()).into(),
                (*within.end()).into(),
                policy.map_or(0, PolicyId::number).into(),
            ],
            |_| Ok(()),
        )?;
        expected += u64::from(found.is_some());
    }
    Ok(expected)
}

/// Contents of a user that are not stored under a policy, and their bytes. Walks all of the user's: for long reads.
pub fn elsewhere(tx: &mut Tx<'_>, user: UserId, policy: PolicyId) -> Result<(u64, u64), Error> {
    let found = tx.query_one(
        "SELECT count(*), coalesce(sum(size), 0) FROM contents WHERE owner_id = ?1 AND policy_id <> ?2",
        &[user.into(), policy.into()],
        |row| Ok((row.size(0)?, row.size(1)?)),
    )?;
    Ok(found.unwrap_or_default())
}

/// Whether upkeep of segments has something to make or mend: a replica of a segment in use that is damaged, or intended
/// since longer than `young`. One intended so far in the future was intended by a clock that was wrong, and is as good as
/// forgotten. Looks only at what is not in order.
pub fn is_unsettled(tx: &mut Tx<'_>, now: Timestamp, young: Duration) -> Result<bool, Error> {
    let found = tx.query_one(
        "SELECT 1 FROM replicas r JOIN segments s ON s.id = r.segment_id
         WHERE r.state <> 1 AND (r.state = 2 OR (r.state = 0 AND (r.since <= ?1 OR r.since > ?2)))
           AND s.state = 1 AND s.live > 0 LIMIT 1",
        &[now.before(young).into(), now.after(young).into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Whether any replica is leaving, or being deleted.
pub fn is_leaving(tx: &mut Tx<'_>) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM replicas WHERE state <> 1 AND state IN (3, 4) LIMIT 1";
    Ok(tx.query_one(sql, &[], |_| Ok(()))?.is_some())
}

type Columns = (i64, Option<BackendId>, Option<BackendId>, Option<PolicyId>, Option<UserId>, Option<ItemId>);

const fn moved_columns(moved: &Moved) -> Columns {
    match *moved {
        Moved::Backend { from, to, policy } => (0, Some(from), Some(to), policy, None, None),
        Moved::User { user, policy } => (1, None, None, Some(policy), Some(user), None),
        Moved::Folder { folder, policy } => (2, None, None, Some(policy), None, Some(folder)),
    }
}

const fn number(state: State) -> i64 {
    match state {
        State::Running => 0,
        State::Paused => 1,
        State::Done => 2,
        State::Cancelled => 3,
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn kept(error: &str) -> &str {
    error.get(..error.floor_char_boundary(ERROR_BYTES_MAX)).unwrap_or_default()
}

fn read(row: &Row<'_>) -> Result<Relocation, Error> {
    let id = |column: usize| row.int_or_null(column)?.ok_or_else(|| Error::damaged("a relocation without its target"));
    let moved = match row.int(1)? {
        0 => Moved::Backend {
            from: BackendId::new(id(2)?),
            to: BackendId::new(id(3)?),
            policy: row.int_or_null(4)?.map(PolicyId::new),
        },
        1 => Moved::User { user: UserId::new(id(5)?), policy: PolicyId::new(id(4)?) },
        2 => Moved::Folder { folder: ItemId::new(id(6)?), policy: PolicyId::new(id(4)?) },
        _ => return Err(Error::damaged("a relocation's kind")),
    };
    Ok(Relocation {
        id: RelocationId::new(row.int(0)?),
        moved,
        state: match row.int(7)? {
            0 => State::Running,
            1 => State::Paused,
            2 => State::Done,
            3 => State::Cancelled,
            _ => return Err(Error::damaged("a relocation's state")),
        },
        in_force: row.int(8)? != 0,
        rate: Some(row.size(9)?).filter(|rate| *rate > 0),
        grace: Duration::from_millis(row.size(10)?),
        progress: Progress {
            position: row.blob_or_null(11)?,
            passes: row.size(12)?,
            found: row.size(13)?,
            pieces_total: row.size(14)?,
            bytes_total: row.size(15)?,
            pieces_done: row.size(16)?,
            bytes_done: row.size(17)?,
            removed: row.size(18)?,
            failures: row.size(19)?,
            last_error: row.text(20)?,
            unreadable: row.size(24)?,
            barren: row.size(25)?,
        },
        created_at: Timestamp::from_millis(row.int(21)?),
        modified_at: Timestamp::from_millis(row.int(22)?),
        ended_at: row.int_or_null(23)?.map(Timestamp::from_millis),
    })
}
