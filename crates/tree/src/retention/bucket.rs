//! Buckets whose versions may be retained.

use crate::buckets::{check_still_ruled, find};
use crate::grant::Change;
use crate::{Bucket, BucketVersioning, Caller, Error, OpenedKey, Tree};
use entente_database::retention::{self, DefaultRetention, Retains, RetentionSpan};
use entente_database::{Tx, buckets};

/// How long anything is retained by default at most: about a hundred years.
const DAYS_MAX: u32 = 36_500;
const YEARS_MAX: u32 = 100;

impl Tree {
    /// [`Tree::create_bucket`], for one that keeps versions and whose versions may be retained.
    pub async fn create_retaining_bucket(&self, caller: &Caller, name: &str) -> Result<Bucket, Error> {
        self.make_bucket(caller, name, Retains::OnRequest).await
    }

    /// Sets whether and how the versions in a bucket are retained. It goes for what arrives from then on: whatever is
    /// retained stays so.
    ///
    /// `NotFound`; `Invalid` for a bucket that does not keep versions, for [`Retains::Never`], which no bucket returns to,
    /// and for a default of no days or more than 36,500, or of more than 100 years.
    pub async fn set_bucket_retention(&self, caller: &Caller, name: &str, retains: Retains) -> Result<(), Error> {
        check(retains)?;
        let (caller, name) = (caller.clone(), name.to_owned());
        self.database
            .transact("set bucket retention", move |tx| {
                check_still_ruled(tx, &caller)?;
                let (_, item) = find::<Change>(tx, &caller, &name)?;
                if buckets::traits(tx, item.id)?.versioning != BucketVersioning::On {
                    return Err(Error::Invalid("only a bucket that keeps versions can retain them"));
                }
                Ok(retention::set_of_bucket(tx, item.id, retains)?)
            })
            .await
    }
}

fn check(retains: Retains) -> Result<(), Error> {
    let span = match retains {
        Retains::Never => return Err(Error::Invalid("a bucket that may retain versions goes on doing so")),
        Retains::OnRequest => return Ok(()),
        Retains::ByDefault(DefaultRetention { span, .. }) => span,
    };
    match span {
        RetentionSpan::Days(1..=DAYS_MAX) | RetentionSpan::Years(1..=YEARS_MAX) => Ok(()),
        RetentionSpan::Days(_) | RetentionSpan::Years(_) => {
            Err(Error::Invalid("versions are retained for 1 to 36,500 days, or 1 to 100 years"))
        }
    }
}

/// What was opened, and in its facts what keeps it from being removed.
pub(crate) fn with_retention(tx: &mut Tx<'_>, opened: OpenedKey) -> OpenedKey {
    let (mut object, content) = opened?;
    if let Some(version) = object.view.version.as_ref().map(|version| version.id)
        && let Some(found) = retention::of_version(tx, version)?
    {
        object.facts.get_or_insert_default().retention = Some(found);
    }
    Ok((object, content))
}
