//! Removing users: out of sight at once, and the rest afterwards.

use crate::items::Top;
use crate::{Error, Tx, credentials};
use entente_model::{ItemId, Timestamp, UserId};

/// A user who was removed, and of whom something may still be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condemned {
    /// The root folder.
    pub root: ItemId,
    /// The trash.
    pub trash: ItemId,
}

/// Removes a user from sight: nobody finds them any more, nobody comes in as them, their login is free, and what is below
/// their root and their trash is nobody's, whomever it is shared with. `false` when there is no such user (any more). The
/// row stays, with the name, for what the user has made.
pub fn condemn(tx: &mut Tx<'_>, user: UserId, at: Timestamp) -> Result<bool, Error> {
    // No login begins with a number sign: each is a mail address, and this one has no at sign.
    let changed = tx.execute(
        "UPDATE users SET status = 4, login = '', login_folded = ?2, notification_email = '', external_id = '',
           tracking_codes = '', phone = '', address = '', job_title = '', modified_at = ?3
         WHERE id = ?1 AND status <> 4",
        &[user.into(), format!("#{user}").as_str().into(), at.into()],
    )?;
    let Some(found) = condemned(tx, user)?.filter(|_| changed > 0) else { return Ok(false) };
    // Every way to what was theirs ends in limbo from here on.
    let tops = [Top::Limbo.number().into(), found.root.into(), found.trash.into()];
    tx.put("UPDATE items SET top = ?1 WHERE id IN (?2, ?3)", &tops)?;
    Ok(true)
}

/// Takes an account from sight that nobody ever comes in as, and that owns nothing: as if its user had been removed, but its root
/// stays where it is, for nothing is below it that would have to go.
pub fn hide(tx: &mut Tx<'_>, user: UserId) -> Result<(), Error> {
    let name = format!("#{user}");
    tx.put(
        "UPDATE users SET status = 4, login = '', login_folded = ?2 WHERE id = ?1",
        &[user.into(), name.as_str().into()],
    )?;
    Ok(())
}

/// Where the content of a removed user was. `None` for any other.
pub(crate) fn condemned(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Condemned>, Error> {
    tx.query_one("SELECT root_id, trash_id FROM users WHERE id = ?1 AND status = 4", &[user.into()], |row| {
        Ok(Condemned { root: ItemId::new(row.int(0)?), trash: ItemId::new(row.int(1)?) })
    })
}

/// Whether anything is in the root or the trash of a user.
pub fn owns_content(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM users u JOIN items i ON i.parent_id IN (u.root_id, u.trash_id)
         WHERE u.id = ?1 LIMIT 1";
    Ok(tx.query_one(sql, &[user.into()], |_| Ok(()))?.is_some())
}

/// Removes up to `limit` rows that belong to a removed user and to nobody else: credentials, aliases, memberships. How
/// many; fewer than `limit` when none are left. `None` when the user was not removed.
pub fn forget(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<Option<(Condemned, u32)>, Error> {
    let Some(found) = condemned(tx, user)? else { return Ok(None) };
    let mut left = limit.saturating_sub(credentials::forget(tx, user, limit)?);
    for sql in [
        "DELETE FROM app_passwords WHERE id IN (SELECT id FROM app_passwords WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM access_keys WHERE id IN (SELECT id FROM access_keys WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM group_memberships WHERE id IN (SELECT id FROM group_memberships WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM email_aliases WHERE id IN (SELECT id FROM email_aliases WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM avatars WHERE user_id IN (SELECT user_id FROM avatars WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM collaborations WHERE id IN (SELECT id FROM collaborations WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM favorites WHERE user_id = ?1 AND item_id IN
           (SELECT item_id FROM favorites WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM recents WHERE user_id = ?1 AND item_id IN
           (SELECT item_id FROM recents WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM passkeys WHERE id IN (SELECT id FROM passkeys WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM file_requests WHERE id IN (SELECT id FROM file_requests WHERE created_by = ?1 LIMIT ?2)",
        "DELETE FROM archives WHERE token IN (SELECT token FROM archives WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM allowlist_exemptions WHERE id IN (SELECT id FROM allowlist_exemptions WHERE user_id = ?1 LIMIT ?2)",
        // The mark of the file stays: without a lock it means nothing.
        "DELETE FROM file_locks WHERE item_id IN (SELECT item_id FROM file_locks WHERE created_by = ?1 LIMIT ?2)",
        "DELETE FROM task_assignments WHERE id IN (SELECT id FROM task_assignments WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM terms_of_service_statuses
         WHERE id IN (SELECT id FROM terms_of_service_statuses WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM provider_subjects WHERE sha256 IN (SELECT sha256 FROM provider_subjects WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM storage_policy_assignments
         WHERE id IN (SELECT id FROM storage_policy_assignments WHERE target_kind = 1 AND target_id = ?1 LIMIT ?2)",
    ] {
        if left == 0 {
            break;
        }
        let removed = tx.execute(sql, &[user.into(), left.into()])?;
        left = left.saturating_sub(u32::try_from(removed).unwrap_or(u32::MAX));
    }
    Ok(Some((found, limit - left)))
}
