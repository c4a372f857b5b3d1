//! Values that every node needs, by name. Secret ones are wrapped by the custodian before they come here.

use crate::{Error, Tx};

/// The value of a setting, or `None`.
pub fn value(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    tx.query_one("SELECT value FROM settings WHERE name = ?1", &[name.into()], |row| row.blob(0))
}

/// Sets a value that has none yet; answers the one that stands: the given one, or an older one.
pub fn keep(tx: &mut Tx<'_>, name: &str, new: &[u8]) -> Result<Vec<u8>, Error> {
    tx.put(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        &[name.into(), new.into()],
    )?;
    value(tx, name)?.ok_or_else(|| Error::damaged("a setting that was just stored is not there"))
}

/// Sets a value, whatever it was.
pub fn set(tx: &mut Tx<'_>, name: &str, new: &[u8]) -> Result<(), Error> {
    tx.put(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[name.into(), new.into()],
    )?;
    Ok(())
}
