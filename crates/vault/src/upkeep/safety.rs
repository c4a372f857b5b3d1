//! Every grace period in one place, each with its reason. None of them is what keeps acknowledged bytes safe: the ledger's
//! transactions do that. They keep honest work from being thrown away.

use std::time::Duration;

/// A segment is left alone for this long after a collection first found it dead, or reserved and unused: a backup of the
/// database that is a few hours older than that of the segments can still be restored. And an upload of a large, slow file
/// may hold its first segments reserved until its last byte has come (a day is 80 GiB at 1 MiB/s). After it the upload must
/// begin again.
pub const COLLECT_GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// While a server runs, another process collects with at least this grace, so that uploads under way are not made to fail.
pub const COLLECT_GRACE_BESIDE_A_SERVER: Duration = Duration::from_secs(60 * 60);

/// A segment that is reserved counts as unused from this age on, unless whoever collects has less patience: then nobody
/// begins it any more. So a backup of the database that is restored has not noted as unused, but for uploads that took
/// longer, what was written to after it; the grace of that begins when it is noted anew.
pub const UNUSED_AGE_MIN: Duration = Duration::from_secs(60 * 60);

/// A segment reserved ahead is not begun after this time: it must be well within [`COLLECT_GRACE_BESIDE_A_SERVER`] and
/// [`UNUSED_AGE_MIN`].
pub const RESERVATION_AGE_MAX: Duration = Duration::from_secs(20 * 60);

/// An object that the ledger does not know is left alone for this long after it was created, by the backend's clock, and
/// after a collection on this very ledger first saw it: in case the ledger was restored from a backup, or a copy of it is
/// tried out, and somebody notices.
pub const ORPHAN_GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// A segment is repacked when less than this share of it is live: at a third, moving one live byte frees two.
pub const REPACK_LIVE_SHARE_MAX: f64 = 1.0 / 3.0;

/// A segment is not repacked in its first hour: files that are deleted soon after they came would be moved for nothing.
pub const REPACK_AGE_MIN: Duration = Duration::from_secs(60 * 60);

/// A small segment is not moved into a larger one for this long after it became durable: of the contents that share it some
/// may be about to be committed. One that comes later still finds its segment until that is collected.
pub const SHARED_COMMIT_GRACE: Duration = Duration::from_secs(5);

/// A copy that somebody intends is left to them for this long: upkeep in another process may be making it. Taking it over
/// earlier would do no harm, only the work twice: each try has a name of its own.
pub const INTENT_GRACE: Duration = Duration::from_secs(15);

/// A replica that is not wanted any more stays for this long: who asked for places a moment ago still reads there, and a
/// backup of the database that is a few hours older still names it.
pub const LEAVE_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
