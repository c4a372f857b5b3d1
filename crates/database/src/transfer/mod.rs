//! Moves a database from a file to a server.
//!
//! The file is held against other writers for as long as it takes. Everything is copied in one transaction of the
//! server, read back from it, and compared, row by row in number and by a checksum of each table. Then the server's side is
//! committed, though not yet for use; the file is marked as moved, so that it cannot be served any more; and the
//! server's side is opened for use. Whenever that is cut off, the same call begins again, or completes what was begun.

mod rows;
mod source;

use crate::postgres::{self, Target};
use crate::{Error, ErrorKind, Options};
use entente_world::World;
use rows::Checksum;
use source::Source;
use std::ops::ControlFlow;

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'p> {
    /// The table that is being copied, or compared.
    pub table: &'p str,
    /// Whether it is being read back from the server.
    pub compares: bool,
    /// Rows of the table that are done.
    pub rows: u64,
    /// Rows that it has.
    pub of: u64,
}

/// A table that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// A checksum of them, which does not depend on their order: 32 hexadecimal digits.
    pub checksum: String,
}

/// Sees how far a move is, and may break it off.
pub type Watch<'w> = dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'w;

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 10_000;

/// Moves what is in a file to a server. Blocks until it is done: a minute or so for a million files.
///
/// `Schema` when the target is not empty, or either is another program's or a newer version's; `Busy` when another
/// process holds the file, such as a running server; `Stopping` when it was broken off; `Failed` when what arrived is not what was sent. After an error the
/// file is as it was, and the same call may be made again; it also completes a move that was cut off. Once a move is
/// complete, the same call answers `Schema`.
pub fn to_server(
    world: &World,
    from: &Options,
    to: &postgres::Options,
    progress: &mut Watch<'_>,
) -> Result<Vec<Moved>, Error> {
    let mut source = Source::open(from, world.now())?;
    let mut target = Target::connect(to, world.now())?;
    if let Some(token) = source.moved()? {
        // All was copied and compared; only the last step is missing, or nothing.
        return if target.open_for_use(&token)? {
            Ok(Vec::new())
        } else {
            Err(Error::new(ErrorKind::Schema, "the database has been moved to a server already"))
        };
    }
    source.hold()?;
    let tables = source.tables()?;
    target.begin(tables.iter().map(|table| table.name.as_str()))?;
    let mut moved = Vec::with_capacity(tables.len());
    for table in &tables {
        let (sent, of) = (copy(&source, &mut target, table, progress)?, source.count(table)?);
        let arrived = read_back(&mut target, table, of, progress)?;
        if sent != arrived || sent.rows() != of {
            let message = format!("of the table {} other rows arrived than were sent; nothing was moved", table.name);
            return Err(Error::new(ErrorKind::Failed, message));
        }
        moved.push(Moved { table: table.name.clone(), rows: of, checksum: sent.to_string() });
    }
    let token = token(world);
    target.commit_filled(&token)?;
    source.mark_moved(&token)?;
    target.open_for_use(&token)?;
    Ok(moved)
}

fn tell(progress: &mut Watch<'_>, now: &Progress<'_>) -> Result<(), Error> {
    match progress(now) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(
            ErrorKind::Stopping,
            "the move was broken off, and nothing was moved; the next call begins again",
        )),
    }
}

fn token(world: &World) -> String {
    world.random().bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn copy(
    source: &Source,
    target: &mut Target,
    table: &source::Table,
    progress: &mut Watch<'_>,
) -> Result<Checksum, Error> {
    let of = source.count(table)?;
    let mut checksum = Checksum::default();
    let mut reported = 0;
    source.read(table, |read| {
        let mut begun = false;
        let mut ended = false;
        target.copy_in(&table.name, &table.columns, &mut |buffer| {
            if ended {
                return Ok(());
            }
            if !begun {
                rows::begin(buffer);
                begun = true;
            }
            while buffer.len() < rows::PIECE_BYTES {
                let from = buffer.len();
                if !read(buffer)? {
                    rows::end(buffer);
                    ended = true;
                    break;
                }
                checksum.add(buffer.get(from..).unwrap_or_default());
            }
            if checksum.rows() >= reported + REPORT_ROWS || ended {
                reported = checksum.rows();
                tell(progress, &Progress { table: &table.name, compares: false, rows: reported, of })?;
            }
            Ok(())
        })
    })?;
    Ok(checksum)
}

fn read_back(target: &mut Target, table: &source::Table, of: u64, progress: &mut Watch<'_>) -> Result<Checksum, Error> {
    let mut checksum = Checksum::default();
    let mut splitter = rows::Splitter::default();
    let mut reported = 0;
    target.copy_out(&table.name, &table.columns, &mut |piece| {
        splitter.split(piece, &mut |row| checksum.add(row))?;
        if checksum.rows() >= reported + REPORT_ROWS {
            reported = checksum.rows();
            tell(progress, &Progress { table: &table.name, compares: true, rows: reported, of })?;
        }
        Ok(())
    })?;
    splitter.finish()?;
    tell(progress, &Progress { table: &table.name, compares: true, rows: checksum.rows(), of })?;
    Ok(checksum)
}
