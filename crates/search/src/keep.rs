//! The folder of the index: its key's wrapped form beside the files, and what is done when they are of no use.

use crate::Error;
use entente_model::{EnterpriseId, EpochId, WrappedDataKey, ZoneId};
use entente_vault::{CacheKey, Vault};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Of the layout of the folder and of the fields: another number makes the index anew.
const VERSION: &str = "1";
const KEY_FILE: &str = "key";

/// Where the files are.
pub(crate) fn files(folder: &Path) -> PathBuf {
    folder.join("files")
}

/// The key of what is there; a new one, and an empty folder, if nothing is there or it is of no use.
pub(crate) async fn key(
    vault: &Vault,
    (enterprise, zone): (EnterpriseId, ZoneId),
    folder: &Path,
) -> Result<CacheKey, Error> {
    if let Some(wrapped) = read(folder, enterprise, zone) {
        match vault.cache_key(enterprise, zone, wrapped).await {
            Ok(key) => return Ok(key),
            // Not a key of this vault: another database has come in the place of the old one.
            Err(entente_vault::Error::DataKey(_) | entente_vault::Error::UnknownEpoch(_)) => {}
            Err(error) => return Err(Error::Key(error)),
        }
    }
    let key = vault.new_cache_key(enterprise, zone).await.map_err(Error::Key)?;
    clear(folder)?;
    fs::create_dir_all(files(folder))?;
    let wrapped = key.wrapped();
    let hex: String = wrapped.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(folder.join(KEY_FILE), format!("{VERSION} {enterprise} {zone} {} {hex}\n", wrapped.epoch))?;
    Ok(key)
}

/// Removes all of it.
pub(crate) fn clear(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn read(folder: &Path, enterprise: EnterpriseId, zone: ZoneId) -> Option<WrappedDataKey> {
    let text = fs::read_to_string(folder.join(KEY_FILE)).ok()?;
    let mut parts = text.trim_end().split(' ');
    let is_ours =
        parts.next()? == VERSION && parts.next()?.parse() == Ok(enterprise) && parts.next()?.parse() == Ok(zone);
    let epoch: EpochId = parts.next()?.parse().ok()?;
    let hex = parts.next()?.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = hex.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
    is_ours.then_some(WrappedDataKey { epoch, bytes })
}
