//! Work to be done later. Two jobs of a kind with the same key are one job.
//!
//! A job that is taken has a lease and a number of attempts; both together say who has it. Taking it moves `run_at`
//! to the end of the lease, so that one index answers what is due, and so that a job that is asked for again while it
//! runs can be told: its `run_at` has moved.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{JobId, Timestamp};

/// How many jobs are counted at most.
const COUNT_MAX: u32 = 100_000;
/// How much of an error's text is kept, in bytes.
const ERROR_BYTES_MAX: usize = 1_000;

/// A job to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewJob<'j> {
    /// A fresh id, used if there is no such job yet.
    pub job: JobId,
    /// What is to be done.
    pub kind: &'j str,
    /// Which of that kind. May be empty.
    pub key: &'j str,
    /// What the kind needs to know. May be empty.
    pub payload: &'j str,
    /// Not before this moment (see [`enqueue`]).
    pub run_at: Timestamp,
}

/// A job that has been taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub job: JobId,
    /// What is to be done.
    pub kind: String,
    /// Which of that kind.
    pub key: String,
    /// What the kind needs to know.
    pub payload: String,
    /// How often it has been taken without success, this time included: from 1.
    pub attempts: u32,
    /// Until when nobody else takes it.
    pub lease_until: Timestamp,
}

/// How many jobs there are, each counted up to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub waiting: u64,
    /// Those of them that run now.
    pub running: u64,
    /// Those of them whose last attempt failed.
    pub failing: u64,
}

/// A job that has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Its id.
    pub job: JobId,
    /// What is to be done.
    pub kind: String,
    /// How often it failed.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: String,
    /// When it will be tried again.
    pub run_at: Timestamp,
}

/// Queues a job. When there is one of the same kind and key already, it takes the new payload, and the earlier of
/// both moments. When that one is running at this moment it runs once more afterwards, possibly before `run_at`.
pub fn enqueue(tx: &mut Tx<'_>, new: &NewJob<'_>, now: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO jobs (id, kind, key, payload, run_at, lease_until, attempts, last_error, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '', ?6)
         ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload,
           run_at = CASE WHEN jobs.lease_until > ?6 AND excluded.run_at >= jobs.lease_until THEN jobs.lease_until - 1
                         WHEN excluded.run_at < jobs.run_at THEN excluded.run_at
                         ELSE jobs.run_at END",
        &[new.job.into(), new.kind.into(), new.key.into(), new.payload.into(), new.run_at.into(), now.into()],
    )?;
    Ok(())
}

/// Removes a job, running or not: what it was for has been done. Absent already is success.
pub fn withdraw(tx: &mut Tx<'_>, kind: &str, key: &str) -> Result<(), Error> {
    tx.put("DELETE FROM jobs WHERE kind = ?1 AND key = ?2", &[kind.into(), key.into()])?;
    Ok(())
}

/// Takes up to `limit` jobs that are due, the longest due first.
pub fn take(tx: &mut Tx<'_>, now: Timestamp, lease_until: Timestamp, limit: u32) -> Result<Vec<Taken>, Error> {
    let due = tx.query(
        "SELECT id, kind, key, payload, attempts + 1 FROM jobs WHERE run_at <= ?1 AND lease_until <= ?1
         ORDER BY run_at LIMIT ?2 /* skip locked */",
        &[now.into(), limit.into()],
        |row| read_taken(row, lease_until),
    )?;
    let mut taken = Vec::with_capacity(due.len());
    for job in due {
        let changed = tx.execute(
            "UPDATE jobs SET lease_until = ?2, run_at = ?2, attempts = ?3 WHERE id = ?1 AND lease_until <= ?4",
            &[job.job.into(), lease_until.into(), job.attempts.into(), now.into()],
        )?;
        if changed > 0 {
            taken.push(job);
        }
    }
    Ok(taken)
}

/// A job that is stamped further ahead than can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Which.
    pub job: JobId,
    run_at: Timestamp,
    lease_until: Timestamp,
}

/// Up to `limit` jobs of a kind that wait for a moment after `due_max`, or are taken until one after `lease_max`. Reads all
/// jobs of the kind: for long reads.
pub fn ahead(
    tx: &mut Tx<'_>,
    kind: &str,
    due_max: Timestamp,
    lease_max: Timestamp,
    limit: u32,
) -> Result<Vec<Ahead>, Error> {
    tx.query(
        "SELECT id, run_at, lease_until FROM jobs WHERE kind = ?1 AND (run_at > ?2 OR lease_until > ?3)
         ORDER BY id LIMIT ?4",
        &[kind.into(), due_max.into(), lease_max.into(), limit.into()],
        |row| {
            Ok(Ahead {
                job: JobId::new(row.int(0)?),
                run_at: Timestamp::from_millis(row.int(1)?),
                lease_until: Timestamp::from_millis(row.int(2)?),
            })
        },
    )
}

/// Makes such a job due, and nobody's. `false` when somebody has done anything with it meanwhile.
pub fn make_due(tx: &mut Tx<'_>, ahead: &Ahead, now: Timestamp) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE jobs SET run_at = ?4, lease_until = 0 WHERE id = ?1 AND run_at = ?2 AND lease_until = ?3",
        &[ahead.job.into(), ahead.run_at.into(), ahead.lease_until.into(), now.into()],
    )?;
    Ok(changed > 0)
}

/// Makes the lease longer. `None` when it was lost: another may have the job.
pub fn renew(tx: &mut Tx<'_>, taken: &Taken, lease_until: Timestamp) -> Result<Option<Taken>, Error> {
    let changed = tx.execute(
        "UPDATE jobs SET run_at = CASE WHEN run_at = lease_until THEN ?4 ELSE run_at END, lease_until = ?4
         WHERE id = ?1 AND attempts = ?2 AND lease_until = ?3",
        &[taken.job.into(), taken.attempts.into(), taken.lease_until.into(), lease_until.into()],
    )?;
    Ok((changed > 0).then(|| Taken { lease_until, ..taken.clone() }))
}

/// Ends a job that succeeded: it is gone, unless it was asked for again while it ran. `false` when its lease was lost.
pub fn complete(tx: &mut Tx<'_>, taken: &Taken) -> Result<bool, Error> {
    let removed = tx.execute(
        "DELETE FROM jobs WHERE id = ?1 AND attempts = ?2 AND lease_until = ?3 AND run_at = lease_until",
        &[taken.job.into(), taken.attempts.into(), taken.lease_until.into()],
    )?;
    if removed > 0 {
        return Ok(true);
    }
    let freed = tx.execute(
        "UPDATE jobs SET lease_until = 0, attempts = 0, last_error = ''
         WHERE id = ?1 AND attempts = ?2 AND lease_until = ?3",
        &[taken.job.into(), taken.attempts.into(), taken.lease_until.into()],
    )?;
    Ok(freed > 0)
}

/// Ends a run that succeeded of a job that is to run again, not before `run_at`, or earlier if it was asked for again
/// while it ran. `false` when its lease was lost.
pub fn again(tx: &mut Tx<'_>, taken: &Taken, run_at: Timestamp) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE jobs SET run_at = CASE WHEN run_at = lease_until OR run_at > ?4 THEN ?4 ELSE run_at END,
           lease_until = 0, attempts = 0, last_error = ''
         WHERE id = ?1 AND attempts = ?2 AND lease_until = ?3",
        &[taken.job.into(), taken.attempts.into(), taken.lease_until.into(), run_at.into()],
    )?;
    Ok(changed > 0)
}

/// Ends a run that failed: the job runs again at `run_at`. `false` when its lease was lost.
pub fn fail(tx: &mut Tx<'_>, taken: &Taken, error: &str, run_at: Timestamp) -> Result<bool, Error> {
    let kept = error.floor_char_boundary(ERROR_BYTES_MAX);
    let changed = tx.execute(
        "UPDATE jobs SET run_at = ?4, lease_until = 0, last_error = ?5
         WHERE id = ?1 AND attempts = ?2 AND lease_until = ?3",
        &[
            taken.job.into(),
            taken.attempts.into(),
            taken.lease_until.into(),
            run_at.into(),
            error.get(..kept).unwrap_or_default().into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Gives a job back that was not finished, as if it had not been taken. `false` when its lease was lost.
pub fn give_back(tx: &mut Tx<'_>, taken: &Taken, now: Timestamp) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE jobs SET run_at = ?4, lease_until = 0, attempts = attempts - 1
         WHERE id = ?1 AND attempts = ?2 AND lease_until = ?3",
        &[taken.job.into(), taken.attempts.into(), taken.lease_until.into(), now.into()],
    )?;
    Ok(changed > 0)
}

/// When the next job is due, if there is one.
pub fn next_run(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, Error> {
    tx.query_one("SELECT run_at FROM jobs ORDER BY run_at LIMIT 1", &[], |row| Ok(Timestamp::from_millis(row.int(0)?)))
}

/// Whether there is a job of that kind and key, running or not.
pub fn is_queued(tx: &mut Tx<'_>, kind: &str, key: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM jobs WHERE kind = ?1 AND key = ?2";
    Ok(tx.query_one(sql, &[kind.into(), key.into()], |_| Ok(()))?.is_some())
}

/// Whether there is a job of a kind with a key between two, running or not, that has failed fewer than `attempts_max` times
/// in a row.
pub fn is_between(
    tx: &mut Tx<'_>,
    kind: &str,
    (after, before): (&str, &str),
    attempts_max: u32,
) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM jobs WHERE kind = ?1 AND key > ?2 AND key < ?3 AND attempts < ?4 LIMIT 1";
    let parameters = [kind.into(), after.into(), before.into(), attempts_max.into()];
    Ok(tx.query_one(sql, &parameters, |_| Ok(()))?.is_some())
}

/// When the oldest job of a kind was queued, if there is one. Reads all of the kind: for long reads.
pub fn oldest(tx: &mut Tx<'_>, kind: &str) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT min(created_at) FROM jobs WHERE kind = ?1";
    let oldest = tx.query_one(sql, &[kind.into()], |row| row.int_or_null(0))?;
    Ok(oldest.flatten().map(Timestamp::from_millis))
}

/// How many jobs there are. Looks at no more than 100,000.
pub fn counts(tx: &mut Tx<'_>, now: Timestamp) -> Result<Counts, Error> {
    let counts = tx.query_one(
        "SELECT count(*), coalesce(sum(CASE WHEN lease_until > ?1 THEN 1 ELSE 0 END), 0),
           coalesce(sum(CASE WHEN last_error <> '' THEN 1 ELSE 0 END), 0)
         FROM (SELECT lease_until, last_error FROM jobs ORDER BY run_at LIMIT ?2) AS some_jobs",
        &[now.into(), COUNT_MAX.into()],
        |row| Ok(Counts { waiting: row.size(0)?, running: row.size(1)?, failing: row.size(2)? }),
    )?;
    Ok(counts.unwrap_or_default())
}

/// Up to `limit` jobs whose last attempt failed, among the first 100,000.
pub fn failing(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Failing>, Error> {
    tx.query(
        "SELECT id, kind, attempts, last_error, run_at
         FROM (SELECT id, kind, attempts, last_error, run_at FROM jobs ORDER BY run_at LIMIT ?1) AS some_jobs
         WHERE last_error <> '' ORDER BY run_at LIMIT ?2",
        &[COUNT_MAX.into(), limit.into()],
        |row| {
            Ok(Failing {
                job: JobId::new(row.int(0)?),
                kind: row.text(1)?,
                attempts: row.number(2)?,
                last_error: row.text(3)?,
                run_at: Timestamp::from_millis(row.int(4)?),
            })
        },
    )
}

fn read_taken(row: &Row<'_>, lease_until: Timestamp) -> Result<Taken, Error> {
    Ok(Taken {
        job: JobId::new(row.int(0)?),
        kind: row.text(1)?,
        key: row.text(2)?,
        payload: row.text(3)?,
        attempts: row.number(4)?,
        lease_until,
    })
}
