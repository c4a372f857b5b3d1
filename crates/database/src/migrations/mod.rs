//! One schema change a migration, in order, each in its own transaction. A database that has run more migrations than
//! this program knows is refused: an older program must not write to a newer schema.

use crate::dialect::sqlite_schema;
use crate::{Error, ErrorKind, Tx};
use entente_model::Timestamp;
use rusqlite::Connection;

pub(crate) const MIGRATIONS: &[(&str, &str)] = &[
    ("first schema", include_str!("0001_first.sql")),
    ("replicas", include_str!("0002_replicas.sql")),
    ("storage policies", include_str!("0003_policies.sql")),
    ("relocations", include_str!("0004_relocations.sql")),
    ("nodes", include_str!("0005_nodes.sql")),
    ("upkeep", include_str!("0006_upkeep.sql")),
    ("unreadable", include_str!("0007_unreadable.sql")),
    ("node reports", include_str!("0008_reports.sql")),
    ("paths", include_str!("0009_paths.sql")),
    ("pieces", include_str!("0010_pieces.sql")),
    ("webdav", include_str!("0011_dav.sql")),
    ("access keys", include_str!("0012_access_keys.sql")),
    ("owners of uploads", include_str!("0013_owners.sql")),
    ("bucket rules", include_str!("0014_bucket_rules.sql")),
    ("retention", include_str!("0015_retention.sql")),
    ("lifecycle", include_str!("0016_lifecycle.sql")),
    ("deliveries", include_str!("0017_deliveries.sql")),
    ("customer keys", include_str!("0018_customer_keys.sql")),
    ("people", include_str!("0019_people.sql")),
    ("sign-in", include_str!("0020_sign_in.sql")),
    ("metadata", include_str!("0021_metadata.sql")),
    ("collaborations", include_str!("0022_collaborations.sql")),
    ("events", include_str!("0023_events.sql")),
    ("handovers", include_str!("0031_handovers.sql")),
    ("company", include_str!("0032_company.sql")),
    ("positions of events", include_str!("0024_events.sql")),
    ("more of sign-in", include_str!("0028_sign_in_more.sql")),
    ("shared links", include_str!("0025_shared_links.sql")),
    ("comments and tasks", include_str!("0027_comments.sql")),
    ("guards", include_str!("0029_guards.sql")),
    ("web links", include_str!("0026_web_links.sql")),
    ("favorites", include_str!("0026b_favorites.sql")),
    ("archives", include_str!("0033_zip_downloads.sql")),
    ("identity providers", include_str!("0036_oidc.sql")),
    ("device pins", include_str!("0035_device_pins.sql")),
    ("webhooks", include_str!("0030_webhooks.sql")),
    ("file requests", include_str!("0034_file_requests.sql")),
    ("passkeys", include_str!("0040_passkeys.sql")),
    ("more events", include_str!("0038_more_events.sql")),
    ("password links", include_str!("0041_password_links.sql")),
];

/// Marks the file as ours (`PRAGMA application_id`): "Ent1".
const APPLICATION_ID: i32 = 0x456e_7431;
/// Marks a file whose contents have been moved to a server: "EntM". Programs that know nothing of it refuse it, too.
pub(crate) const MOVED_ID: i32 = 0x456e_744d;

/// Refuses a file that is another program's, or of a newer version of this one. Changes nothing.
pub(crate) fn check(connection: &Connection) -> Result<(), Error> {
    // In this order: another process that is just making the file marks it before it makes a table.
    let is_used = !is_empty(connection)?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application == MOVED_ID {
        let message = "the database has been moved to a server: name that as `url` under [database] in entente.toml";
        return Err(Error::new(ErrorKind::Schema, message));
    }
    if is_used && application != APPLICATION_ID {
        return Err(Error::new(
            ErrorKind::Schema,
            "the database file belongs to another program; give another data directory",
        ));
    }
    let done = schema_number(connection)?;
    if done > MIGRATIONS.len() {
        return Err(newer(done));
    }
    Ok(())
}

/// Brings the schema of a file that `check` has passed up to date.
pub(crate) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), Error> {
    if is_empty(connection)? {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    let done = schema_number(connection)?;
    for (index, (name, sql)) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been quicker.
        let already = schema_number(&transaction)?;
        if already > index {
            continue;
        }
        transaction.execute_batch(&sqlite_schema(sql))?;
        transaction.execute(
            "INSERT INTO migrations (number, name, run_at) VALUES (?1, ?2, ?3)",
            rusqlite::params![i64::try_from(index + 1).unwrap_or(0), name, now.millis()],
        )?;
        transaction.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(0))?;
        transaction.commit()?;
    }
    Ok(())
}

/// What a program says to a schema that it does not know.
pub(crate) fn newer(done: usize) -> Error {
    let known = MIGRATIONS.len();
    let message =
        format!("the database has schema {done}, and this program knows schemas up to {known}; run a newer entente");
    Error::new(ErrorKind::Schema, message)
}

/// The greatest id in use, so that a clock set back does not repeat one. Index lookups only.
pub(crate) fn greatest_id(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let mut greatest = 0;
    for sql in [
        "SELECT max(id) FROM items",
        "SELECT max(id) FROM versions",
        "SELECT max(id) FROM contents",
        "SELECT max(id) FROM segments",
        "SELECT max(id) FROM events",
        "SELECT max(id) FROM upload_sessions",
        "SELECT max(id) FROM multipart_uploads",
        "SELECT max(id) FROM jobs",
        "SELECT max(id) FROM epochs",
        "SELECT max(id) FROM users",
        "SELECT max(id) FROM enterprises",
        "SELECT max(id) FROM apps",
        "SELECT max(id) FROM app_passwords",
        "SELECT max(id) FROM authorizations",
        "SELECT max(id) FROM public_keys",
        "SELECT max(id) FROM storage_policy_assignments",
        "SELECT max(id) FROM subscriptions",
        "SELECT max(id) FROM webhooks",
        "SELECT max(id) FROM file_requests",
        "SELECT max(id) FROM passkeys",
        "SELECT max(id) FROM groups",
        "SELECT max(id) FROM group_memberships",
        "SELECT max(id) FROM email_aliases",
        "SELECT max(id) FROM invites",
        "SELECT max(id) FROM collaborations",
        "SELECT max(id) FROM shared_links",
        "SELECT max(id) FROM folder_locks",
        "SELECT max(id) FROM file_locks",
        "SELECT max(id) FROM comments",
        "SELECT max(id) FROM tasks",
        "SELECT max(id) FROM task_assignments",
        "SELECT max(id) FROM metadata_templates",
        "SELECT max(id) FROM metadata_cascades",
        "SELECT max(id) FROM metadata_taxonomies",
        "SELECT max(id) FROM metadata_taxonomy_nodes",
        "SELECT max(id) FROM storage_policies",
        "SELECT max(id) FROM backends",
        "SELECT max(id) FROM zones",
    ] {
        let found = tx.query_one(sql, &[], |row| row.int_or_null(0))?;
        greatest = greatest.max(found.flatten().unwrap_or(0));
    }
    Ok(greatest)
}

fn is_empty(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// How many migrations the file has run.
fn schema_number(connection: &Connection) -> Result<usize, Error> {
    let number: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(number).map_err(|_| Error::damaged("a negative schema number"))
}
