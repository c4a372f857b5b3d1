//! All that a user came in with, ended together.

use crate::{Error, Tx};
use entente_model::UserId;

/// Ends up to `limit` of what a user is signed in by: web sessions and those that wait for a code, authorizations with all that hangs on them, and tokens.
/// Answers how many; fewer than `limit` when none are left. The password stays, and so do passwords and keys that were
/// given to programs.
pub fn sign_out(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<u32, Error> {
    let mut left = limit;
    for sql in [
        "DELETE FROM begun_sign_ins
         WHERE sha256 IN (SELECT sha256 FROM begun_sign_ins WHERE user_id = ?1 ORDER BY sha256 LIMIT ?2)",
        "DELETE FROM web_sessions
         WHERE sha256 IN (SELECT sha256 FROM web_sessions WHERE user_id = ?1 ORDER BY id LIMIT ?2)",
        "DELETE FROM authorizations
         WHERE id IN (SELECT id FROM authorizations WHERE user_id = ?1 ORDER BY app_id, id LIMIT ?2)",
        "DELETE FROM tokens WHERE sha256 IN (SELECT sha256 FROM tokens WHERE user_id = ?1 LIMIT ?2)",
    ] {
        if left == 0 {
            break;
        }
        let removed = tx.execute(sql, &[user.into(), left.into()])?;
        left = left.saturating_sub(u32::try_from(removed).unwrap_or(u32::MAX));
    }
    Ok(limit - left)
}

/// Removes up to `limit` rows about how a user signs in: the password, the second factor, consents, and what [`sign_out`] ends. Answers how
/// many; fewer than `limit` when none are left.
pub fn forget(tx: &mut Tx<'_>, user: UserId, limit: u32) -> Result<u32, Error> {
    let mut left = limit.saturating_sub(sign_out(tx, user, limit)?);
    for sql in [
        "DELETE FROM passwords WHERE user_id IN (SELECT user_id FROM passwords WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM password_links WHERE user_id IN (SELECT user_id FROM password_links WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM second_factors
         WHERE user_id IN (SELECT user_id FROM second_factors WHERE user_id = ?1 LIMIT ?2)",
        "DELETE FROM recovery_codes WHERE user_id = ?1 AND sha256 IN
           (SELECT sha256 FROM recovery_codes WHERE user_id = ?1 ORDER BY sha256 LIMIT ?2)",
        "DELETE FROM consents WHERE user_id = ?1 AND app_id IN
           (SELECT app_id FROM consents WHERE user_id = ?1 ORDER BY app_id LIMIT ?2)",
    ] {
        if left == 0 {
            break;
        }
        let removed = tx.execute(sql, &[user.into(), left.into()])?;
        left = left.saturating_sub(u32::try_from(removed).unwrap_or(u32::MAX));
    }
    Ok(limit - left)
}
