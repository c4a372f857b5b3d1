//! What is still to be done for many rows, a batch at a time.

use crate::items::{Kind, Position};
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{CascadeId, ItemId, TaxonomyId, TemplateId};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// What a cascade brings goes to what is in a folder.
    Cascade {
        /// Which.
        cascade: CascadeId,
        /// The folder.
        folder: ItemId,
        /// What has been said there by others.
        others: Others,
    },
    /// What was said by a template goes.
    ForgetTemplate(TemplateId),
    /// The nodes of a taxonomy go.
    ForgetTaxonomy(TaxonomyId),
}

/// What becomes of what others have said of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// It stays.
    Stay,
    /// It gives way.
    GiveWay,
}

/// Something to be done, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What.
    pub task: Task,
    /// After which child of the folder it goes on.
    pub after: Option<Position>,
}

/// Asks for something to be done, from the beginning if that has been asked for already.
pub fn ask(tx: &mut Tx<'_>, task: Task) -> Result<(), Error> {
    let (kind, subject, folder) = key(task);
    let overwrites = matches!(task, Task::Cascade { others: Others::GiveWay, .. });
    tx.put(
        "INSERT INTO metadata_work (kind, subject_id, folder_id, overwrites, after_kind, after_name, after_id)
         VALUES (?1, ?2, ?3, ?4, -1, '', 0)
         ON CONFLICT (kind, subject_id, folder_id) DO UPDATE SET after_kind = -1, after_name = '', after_id = 0,
           overwrites = CASE WHEN metadata_work.overwrites > excluded.overwrites THEN metadata_work.overwrites
                             ELSE excluded.overwrites END",
        &[kind.into(), subject.into(), folder.into(), i64::from(overwrites).into()],
    )
}

/// Something that is to be done.
pub fn next(tx: &mut Tx<'_>) -> Result<Option<Work>, Error> {
    tx.query_one(
        "SELECT kind, subject_id, folder_id, overwrites, after_kind, after_name, after_id FROM metadata_work
         ORDER BY kind, subject_id, folder_id LIMIT 1",
        &[],
        read,
    )
}

/// Keeps how far it is.
pub fn keep(tx: &mut Tx<'_>, task: Task, after: &Position) -> Result<(), Error> {
    let (kind, subject, folder) = key(task);
    tx.put(
        "UPDATE metadata_work SET after_kind = ?4, after_name = ?5, after_id = ?6
         WHERE kind = ?1 AND subject_id = ?2 AND folder_id = ?3",
        &[
            kind.into(),
            subject.into(),
            folder.into(),
            after.kind.number().into(),
            after.folded.as_str().into(),
            after.id.into(),
        ],
    )
}

/// It is done.
pub fn done(tx: &mut Tx<'_>, task: Task) -> Result<(), Error> {
    let (kind, subject, folder) = key(task);
    tx.put(
        "DELETE FROM metadata_work WHERE kind = ?1 AND subject_id = ?2 AND folder_id = ?3",
        &[kind.into(), subject.into(), folder.into()],
    )
}

fn key(task: Task) -> (i64, i64, i64) {
    match task {
        Task::Cascade { cascade, folder, .. } => (0, cascade.number(), folder.number()),
        Task::ForgetTemplate(template) => (1, template.number(), 0),
        Task::ForgetTaxonomy(taxonomy) => (2, taxonomy.number(), 0),
    }
}

fn read(row: &Row<'_>) -> Result<Work, Error> {
    let (kind, subject, folder) = (row.int(0)?, row.int(1)?, ItemId::new(row.int(2)?));
    let others = if row.int(3)? == 0 { Others::Stay } else { Others::GiveWay };
    let task = match kind {
        0 => Task::Cascade { cascade: CascadeId::new(subject), folder, others },
        1 => Task::ForgetTemplate(TemplateId::new(subject)),
        2 => Task::ForgetTaxonomy(TaxonomyId::new(subject)),
        _ => return Err(Error::damaged("work with metadata")),
    };
    let after = match row.int(4)? {
        -1 => None,
        kind => Some(Position { kind: Kind::from_number(kind)?, folded: row.text(5)?, id: ItemId::new(row.int(6)?) }),
    };
    Ok(Work { task, after })
}
