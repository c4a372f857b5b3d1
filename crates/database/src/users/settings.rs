//! Seats, and the lesser things that are set for a user.

use crate::{Error, Tx};
use entente_model::UserId;

/// What was bought for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Seat {
    /// Everything.
    #[default]
    Full,
    /// To use what others share: makes no groups, invites nobody, makes no shared links and no subscriptions, and stores
    /// less.
    Frontline,
}

impl Seat {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Full => 0,
            Self::Frontline => 1,
        }
    }

    pub(super) fn of_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Full),
            1 => Ok(Self::Frontline),
            _ => Err(Error::damaged("a user's seat")),
        }
    }
}

/// The seat of a user; `None` when there is no such user (any more).
pub fn seat(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Seat>, Error> {
    let found =
        tx.query_one("SELECT seat FROM users WHERE id = ?1 AND status <> 4", &[user.into()], |row| row.int(0))?;
    found.map(Seat::of_number).transpose()
}

/// How many tracking codes a user has at most.
pub const TRACKING_CODES_MAX: usize = 32;

/// By what an enterprise counts a user, such as a cost centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingCode {
    /// What is counted by. Without control characters.
    pub name: String,
    /// Without control characters.
    pub value: String,
}

pub(super) fn lines(codes: &[TrackingCode]) -> String {
    codes.iter().map(|code| format!("{}\t{}", code.name, code.value)).collect::<Vec<_>>().join("\n")
}

pub(super) fn read_lines(text: &str) -> Result<Vec<TrackingCode>, Error> {
    let read = |line: &str| {
        let (name, value) = line.split_once('\t').ok_or(Error::damaged("a user's tracking codes"))?;
        Ok(TrackingCode { name: name.to_owned(), value: value.to_owned() })
    };
    text.lines().map(read).collect()
}

/// A set of what is set for a user otherwise than it usually is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct UserSettings(i64);

impl UserSettings {
    /// Everything is as usual.
    pub const USUAL: Self = Self(0);
    /// Does not see the other users of the enterprise.
    pub const CANNOT_SEE_USERS: Self = Self(1);
    /// Shares nothing with anybody outside the enterprise.
    pub const EXTERNAL_COLLAB_RESTRICTED: Self = Self(1 << 1);
    /// Uses as many devices as there are.
    pub const EXEMPT_FROM_DEVICE_LIMITS: Self = Self(1 << 2);
    /// Needs no second factor.
    pub const EXEMPT_FROM_LOGIN_VERIFICATION: Self = Self(1 << 3);
    /// Does not synchronise.
    pub const SYNC_DISABLED: Self = Self(1 << 4);
    /// Has to choose another password.
    pub const PASSWORD_RESET_REQUIRED: Self = Self(1 << 5);

    /// Whether all of these are set.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(super) const fn number(self) -> i64 {
        self.0
    }

    pub(super) const fn of_number(number: i64) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use super::{TrackingCode, lines, read_lines};

    #[test]
    fn codes_come_back() {
        let code = |name: &str, value: &str| TrackingCode { name: name.to_owned(), value: value.to_owned() };
        for codes in [vec![], vec![code("a", "b")], vec![code("a", ""), code("ü x", "y z")]] {
            assert_eq!(read_lines(&lines(&codes)).expect("reads"), codes);
        }
    }
}
