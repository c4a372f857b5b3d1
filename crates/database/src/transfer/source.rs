//! The file that is moved.

use super::rows;
use crate::migrations::{self, MOVED_ID};
use crate::{Error, ErrorKind, Options};
use bytes::BytesMut;
use entente_model::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

/// Tables that each database has of its own.
const OWN: [&str; 4] = ["migrations", "nodes", "writers", "node_reports"];
/// The name of a setting: what ties a file to the database that it was moved to.
const TOKEN: &str = "database moved";

pub(super) struct Source {
    connection: Connection,
}

pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// `INTEGER`, `TEXT` or `BLOB` for each.
    kinds: Vec<String>,
}

impl Source {
    /// Opens the file and brings its schema up to date, so that both have the same.
    pub(super) fn open(options: &Options, now: Timestamp) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(options.busy_timeout)?;
        if !is_moved(&connection)? {
            migrations::check(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            migrations::migrate(&mut connection, now)?;
        }
        Ok(Self { connection })
    }

    /// What the file was marked with when it had been moved, if it has been.
    pub(super) fn moved(&self) -> Result<Option<String>, Error> {
        if !is_moved(&self.connection)? {
            return Ok(None);
        }
        let sql = "SELECT value FROM settings WHERE name = ?1";
        let token: Option<Vec<u8>> = self.connection.query_row(sql, [TOKEN], |row| row.get(0)).optional()?;
        let token = token.and_then(|bytes| String::from_utf8(bytes).ok());
        token.map(Some).ok_or_else(|| Error::damaged("a file that was moved and does not say where to"))
    }

    /// Keeps everybody from writing to the file until it is closed, or [`Source::mark_moved`].
    pub(super) fn hold(&mut self) -> Result<(), Error> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// The tables, those first to which others refer.
    pub(super) fn tables(&self) -> Result<Vec<Table>, Error> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
                   ORDER BY rowid";
        let mut statement = self.connection.prepare(sql)?;
        let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        names.into_iter().filter(|name| !OWN.contains(&name.as_str())).map(|name| self.table(name)).collect()
    }

    fn table(&self, name: String) -> Result<Table, Error> {
        let mut statement = self.connection.prepare("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid")?;
        let columns = statement.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (columns, kinds) = columns.collect::<Result<Vec<(String, String)>, _>>()?.into_iter().unzip();
        Ok(Table { name, columns, kinds })
    }

    pub(super) fn count(&self, table: &Table) -> Result<u64, Error> {
        let count: i64 =
            self.connection.query_row(&format!("SELECT count(*) FROM {}", table.name), [], |row| row.get(0))?;
        u64::try_from(count).map_err(|_| Error::damaged("a negative count"))
    }

    /// Gives `body` a function that writes the next row to a buffer, and answers `false` when there is none.
    pub(super) fn read(
        &self,
        table: &Table,
        body: impl FnOnce(&mut dyn FnMut(&mut BytesMut) -> Result<bool, Error>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let columns = table.columns.join(", ");
        let mut statement = self.connection.prepare(&format!("SELECT {columns} FROM {}", table.name))?;
        let mut found = statement.query([])?;
        body(&mut |buffer| {
            let Some(row) = found.next()? else { return Ok(false) };
            rows::row(buffer, table.columns.len())?;
            for (column, kind) in table.kinds.iter().enumerate() {
                match (row.get_ref(column)?, kind.as_str()) {
                    (ValueRef::Null, _) => rows::null(buffer),
                    (ValueRef::Integer(number), "INTEGER") => rows::value(buffer, &number.to_be_bytes())?,
                    (ValueRef::Text(bytes), "TEXT") | (ValueRef::Blob(bytes), "BLOB") => rows::value(buffer, bytes)?,
                    _ => {
                        let column = table.columns.get(column).map_or("", String::as_str);
                        let message = format!("{}.{column} of the file holds a value that is no {kind}", table.name);
                        return Err(Error::new(ErrorKind::Damaged, message));
                    }
                }
            }
            Ok(true)
        })
    }

    /// Marks the file, so that no server opens it any more, and lets go of it.
    pub(super) fn mark_moved(&mut self, token: &str) -> Result<(), Error> {
        let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
        self.connection.execute(sql, rusqlite::params![TOKEN, token.as_bytes()])?;
        self.connection.pragma_update(None, "application_id", MOVED_ID)?;
        Ok(self.connection.execute_batch("COMMIT")?)
    }
}

fn is_moved(connection: &Connection) -> Result<bool, Error> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(application == MOVED_ID)
}
