//! What is told of a folder's change: of each file below it, in the turns of a job, since there may be very many.

use super::delivery;
use super::tell::about;
use crate::items::Stamp;
use crate::limits::{BATCH_ROWS_MAX, SUBSCRIPTIONS_MAX};
use crate::{BucketVersioning, Caller, Error, Kind, Tree};
use entente_database::deliveries::{self, Below, Branch, Told};
use entente_database::jobs::{self, NewJob};
use entente_database::paths::{self, Found, From};
use entente_database::subscriptions;
use entente_database::{Tx, buckets};
use entente_model::{EventId, ItemId, JobId, Timestamp};

/// The kind of the jobs that call [`Tree::tell_below`] until it is done.
pub use entente_database::deliveries::TELL_BELOW_JOB;

/// Where a walk below a folder is: at every level the folders of one page, so its memory is bounded by the depth.
#[derive(Debug, Clone, Default)]
pub struct Telling {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    folder: ItemId,
    /// How the paths of its children begin, below the folder that the walk began in.
    prefix: String,
    after: From,
}

impl Step {
    fn new(folder: ItemId, prefix: String) -> Self {
        Self { folder, prefix, after: From::At(String::new()) }
    }
}

/// Asks for all below a folder to be told of, if anybody wants to know: that it is gone from where it was, and that it has
/// come to where it is.
pub(super) fn tell_below(
    tx: &mut Tx<'_>,
    (caller, stamp): (&Caller, Stamp),
    folder: ItemId,
    (gone, come): (Option<Branch>, Option<Branch>),
) -> Result<(), Error> {
    if gone.is_none() && come.is_none() {
        return Ok(());
    }
    let (event, at) = (stamp.event.number(), stamp.at.millis());
    let below = Below { folder: folder.number(), user: caller.doer().number(), event, at, gone, come };
    let (key, payload) = (below.job_key(), below.to_text()?);
    // Ids are never given twice, whatever they are of.
    let job = JobId::new(event);
    let new = NewJob { job, kind: TELL_BELOW_JOB, key: &key, payload: &payload, run_at: stamp.at };
    Ok(jobs::enqueue(tx, &new, stamp.at)?)
}

impl Tree {
    /// Whether a job is still to tell of a folder. Then it is not purged.
    pub fn is_to_be_told(&self, folder: ItemId) -> Result<bool, Error> {
        self.database.read(|tx| Ok(deliveries::is_to_be_told(tx, folder)?))
    }

    /// Begins to tell of what is below a folder, as the payload of a job of [`TELL_BELOW_JOB`] says.
    pub fn begin_telling(&self, payload: &str) -> Result<Telling, Error> {
        let below = Below::from_text(payload)?;
        Ok(Telling { steps: vec![Step::new(ItemId::new(below.folder), String::new())] })
    }

    /// Goes on telling of what is below a folder, some files at a time. `None` when all has been told. Harmless to begin
    /// again: what has been told is not told twice.
    pub async fn tell_below(&self, payload: &str, telling: Telling) -> Result<Option<Telling>, Error> {
        let below = Below::from_text(payload)?;
        self.database
            .transact("tell of folder", move |tx| {
                let mut telling = telling.clone();
                let files = telling.read(tx)?;
                for branch in below.gone.iter().chain(&below.come) {
                    tell_all(tx, &below, branch, &files)?;
                }
                Ok(Some(telling).filter(|telling| !telling.steps.is_empty()))
            })
            .await
    }
}

impl Telling {
    /// Reads on: files with their paths below the folder.
    fn read(&mut self, tx: &mut Tx<'_>) -> Result<Vec<(String, Found)>, Error> {
        let (mut files, mut left) = (Vec::new(), BATCH_ROWS_MAX);
        while let Some(step) = self.steps.last_mut() {
            if left == 0 {
                break;
            }
            let page = paths::page(tx, step.folder, &step.after, left)?;
            let Some(last) = page.last() else {
                self.steps.pop();
                continue;
            };
            step.after = From::After(last.item.sort_name());
            let mut folders = Vec::new();
            for found in page {
                left = left.saturating_sub(1);
                let name = found.item.name.as_str();
                if found.item.kind == Kind::Folder {
                    folders.push(Step::new(found.item.id, [&step.prefix, name, "/"].concat()));
                } else {
                    files.push(([&step.prefix, name].concat(), found));
                }
            }
            self.steps.extend(folders);
        }
        Ok(files)
    }
}

fn tell_all(tx: &mut Tx<'_>, below: &Below, branch: &Branch, files: &[(String, Found)]) -> Result<(), Error> {
    let (bucket, happening) = (ItemId::new(branch.bucket), branch.happening()?);
    let wishes = subscriptions::of_item(tx, bucket, SUBSCRIPTIONS_MAX)?;
    if wishes.is_empty() || files.is_empty() {
        return Ok(());
    }
    let tells_versions = buckets::versioning(tx, bucket)? != BucketVersioning::Never;
    let is_gone = below.gone.as_ref() == Some(branch);
    for (path, found) in files {
        let key = [&branch.prefix, path.as_str()].concat();
        let told = Told {
            bucket: branch.name.clone(),
            owner: branch.owner,
            user: below.user,
            key,
            at: below.at,
            ..Told::default()
        };
        // Of what is gone nobody is told how large it was.
        let told = if is_gone { told } else { about(found, tells_versions, told) };
        for wish in wishes.iter().filter(|wish| wish.wants(happening, &told.key)) {
            let told = Told { name: wish.name.clone(), ..told.clone() };
            let at = Timestamp::from_millis(below.at);
            deliveries::enqueue_late(tx, &delivery(wish, (happening, EventId::new(below.event)), &told, at))?;
        }
    }
    Ok(())
}
