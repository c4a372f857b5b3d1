//! Users of an enterprise, a page at a time.

use super::{User, columns, read_user};
use crate::tx::Value;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, UserId, fold};

/// How far [`count`] counts.
pub const USERS_COUNTED_MAX: u32 = 100_000;
/// How many users a text finds at most by their logins, and as many by their names: a longer text finds the others.
pub const USERS_MATCHED_MAX: u32 = 20_000;

/// Which kinds of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KindsWanted {
    /// Those of the enterprise; or the one from outside whose whole login the text is.
    #[default]
    All,
    /// Those of the enterprise.
    Managed,
    /// The one from outside whose whole login the text is.
    External,
    /// People of the enterprise, without accounts of apps. A text finds those that it finds of the enterprise.
    People,
}

/// Which users of an enterprise to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFilter {
    /// The enterprise.
    pub enterprise: EnterpriseId,
    /// Only those whose login or name begins with this text, without regard to case; empty for all.
    pub prefix: String,
    /// Only these.
    pub kinds: KindsWanted,
    /// Only those whom an app calls so; empty for all.
    pub external_id: String,
}

impl UserFilter {
    /// All users of an enterprise.
    #[must_use]
    pub const fn all(enterprise: EnterpriseId) -> Self {
        Self { enterprise, prefix: String::new(), kinds: KindsWanted::All, external_id: String::new() }
    }
}

/// Where a page of users begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsersFrom {
    /// After that many.
    Offset(u32),
    /// After that user; at the start without one.
    After(Option<UserId>),
}

/// The statements of one way to look: `?1` is the enterprise, `?2` and `?3` bound a text.
struct Way {
    page: &'static str,
    count: &'static str,
}

macro_rules! way {
    ($from:expr) => {
        Way {
            page: concat!("SELECT ", columns!(), $from, " AND u.id > ?4 ORDER BY u.id LIMIT ?5 OFFSET ?6"),
            count: concat!("SELECT count(*) FROM (SELECT u.id", $from, " LIMIT ?4) counted"),
        }
    };
}

const EVERY: Way = way!(" FROM users u WHERE u.enterprise_id = ?1 AND u.status <> 4 AND u.kind <> 3 AND ?2 <> ?3");
const PEOPLE: Way = way!(" FROM users u WHERE u.enterprise_id = ?1 AND u.status <> 4 AND u.kind = 0 AND ?2 <> ?3");
const EXTERNAL_ID: Way = way!(
    " FROM users u WHERE u.enterprise_id = ?1 AND u.external_id = ?2 AND u.external_id <> '' AND u.status <> 4
       AND ?2 <> ?3"
);
const EXTERNAL: Way = way!(
    " FROM users u WHERE u.enterprise_id = ?1 AND u.login_folded = ?2 AND u.kind = 3 AND u.status <> 4 AND ?2 <> ?3"
);
const MATCHED: Way = way!(
    " FROM (
        SELECT id FROM (SELECT id FROM users WHERE enterprise_id = ?1 AND login_folded >= ?2 AND login_folded < ?3
          AND status <> 4 AND kind <> 3 ORDER BY login_folded, id LIMIT 20000) by_login
        UNION
        SELECT id FROM (SELECT id FROM users WHERE enterprise_id = ?1 AND name_folded >= ?2 AND name_folded < ?3
          AND status <> 4 AND kind <> 3 ORDER BY name_folded, id LIMIT 20000) by_name
      ) m CROSS JOIN users u WHERE u.id = m.id"
);

/// Users of an enterprise in order of ids.
pub fn list(tx: &mut Tx<'_>, filter: &UserFilter, from: UsersFrom, limit: u32) -> Result<Vec<User>, Error> {
    let (after, offset) = match from {
        UsersFrom::Offset(offset) => (0, offset),
        UsersFrom::After(after) => (after.map_or(0, UserId::number), 0),
    };
    let Some((way, low)) = way(tx, filter)? else { return Ok(Vec::new()) };
    let high = above(&low);
    tx.query(
        way.page,
        &[
            filter.enterprise.into(),
            low.as_str().into(),
            high.as_str().into(),
            Value::Int(after),
            limit.into(),
            offset.into(),
        ],
        read_user,
    )
}

/// How many users [`list`] finds in all, counted up to [`USERS_COUNTED_MAX`].
pub fn count(tx: &mut Tx<'_>, filter: &UserFilter) -> Result<u64, Error> {
    let Some((way, low)) = way(tx, filter)? else { return Ok(0) };
    let high = above(&low);
    let parameters = [filter.enterprise.into(), low.as_str().into(), high.as_str().into(), USERS_COUNTED_MAX.into()];
    Ok(tx.query_one(way.count, &parameters, |row| row.size(0))?.unwrap_or(0))
}

fn way(tx: &mut Tx<'_>, filter: &UserFilter) -> Result<Option<(&'static Way, String)>, Error> {
    if !filter.external_id.is_empty() {
        return Ok(Some((&EXTERNAL_ID, filter.external_id.clone())));
    }
    let folded = fold(&filter.prefix);
    Ok(match (filter.kinds, folded.is_empty()) {
        (KindsWanted::External, true) => None,
        (KindsWanted::External, false) => Some((&EXTERNAL, folded)),
        (KindsWanted::All | KindsWanted::Managed, true) => Some((&EVERY, folded)),
        (KindsWanted::People, true) => Some((&PEOPLE, folded)),
        (KindsWanted::Managed | KindsWanted::People, false) => Some((&MATCHED, folded)),
        (KindsWanted::All, false) => {
            let sql = "SELECT 1 FROM users WHERE login_folded = ?1 AND enterprise_id = ?2 AND kind = 3 AND status <> 4";
            let parameters = [folded.as_str().into(), filter.enterprise.into()];
            let external = tx.query_one(sql, &parameters, |_| Ok(()))?.is_some();
            Some((if external { &EXTERNAL } else { &MATCHED }, folded))
        }
    })
}

/// A text above every one that begins with this one.
pub(crate) fn above(prefix: &str) -> String {
    [prefix, "\u{10ffff}"].concat()
}
