//! The jobs by which something goes by itself: keys by the rules of their bucket, and what has been in nobody's sight for
//! long.

use super::{BREATH, while_left};
use entente_jobs::{BoxError, Handlers, Outcome, Run, handler};
use entente_model::{ItemId, Timestamp};
use entente_tree::limits::BATCH_ROWS_MAX;
use entente_tree::{
    BEGIN_LIFECYCLES_JOB, EXPIRE_TRASH_JOB, Failed, LIFECYCLE_JOB, PURGE_OVERWRITTEN_JOB, PURGE_VERSIONS_JOB, RunState,
    Tree,
};
use entente_world::World;
use std::time::Duration;

/// How often is looked whether a bucket's rules are to be followed. They are once a day.
const BEGIN_LIFECYCLES_EVERY: Duration = Duration::from_secs(10 * 60);

/// Of what could not be removed at a time, so many are told of.
const TOLD_MAX: usize = 20;

/// What those jobs need.
#[derive(Clone)]
pub(super) struct Expiring {
    pub(super) world: World,
    pub(super) tree: Tree,
    /// How long the trash keeps what is in it.
    pub(super) trash: Duration,
}

impl Expiring {
    /// Adds them.
    pub(super) fn handlers(self, handlers: Handlers, expire_every: Duration) -> Handlers {
        let (begun, followed) = (self.clone(), self.clone());
        let (removed, overwritten, trash) = (self.clone(), self.clone(), self);
        handlers
            .every(BEGIN_LIFECYCLES_EVERY, BEGIN_LIFECYCLES_JOB, handler(move |_| begun.clone().begin()))
            .on(LIFECYCLE_JOB, handler(move |run: Run| followed.clone().follow(run)))
            .every(expire_every, PURGE_VERSIONS_JOB, handler(move |_| removed.clone().purge_removed()))
            .every(expire_every, PURGE_OVERWRITTEN_JOB, handler(move |_| overwritten.clone().purge_overwritten()))
            .every(expire_every, EXPIRE_TRASH_JOB, handler(move |run: Run| trash.clone().expire_trash(run)))
    }

    async fn begin(self) -> Result<Outcome, BoxError> {
        self.tree.begin_lifecycles().await?;
        Ok(Outcome::Done)
    }

    async fn follow(self, run: Run) -> Result<Outcome, BoxError> {
        let bucket: ItemId = run.key.parse()?;
        let followed = self.tree.run_lifecycle(bucket).await?;
        tell(&followed.failed);
        Ok(while_left(followed.state == RunState::GoesOn))
    }

    async fn purge_removed(self) -> Result<Outcome, BoxError> {
        Ok(while_left(!self.tree.purge_versions(self.before(), BATCH_ROWS_MAX).await?))
    }

    async fn purge_overwritten(self) -> Result<Outcome, BoxError> {
        Ok(while_left(!self.tree.purge_overwritten(self.before(), BATCH_ROWS_MAX).await?))
    }

    /// From the beginning to the end: what may not be removed is come by each time, and is not in the way of the rest.
    async fn expire_trash(self, run: Run) -> Result<Outcome, BoxError> {
        let (before, mut after) = (self.before(), None);
        loop {
            let expired = self.tree.expire_trash(before, after, BATCH_ROWS_MAX).await?;
            tell(&expired.failed);
            after = expired.next;
            if after.is_none() {
                return Ok(Outcome::Done);
            }
            if run.shutdown.is_requested() {
                return Ok(Outcome::Again(BREATH));
            }
            self.world.sleep(BREATH).await;
        }
    }

    fn before(&self) -> Timestamp {
        self.world.now().before(self.trash)
    }
}

/// Tells the operator what could not be removed: of many, of the first ones.
pub(crate) fn tell(failed: &[Failed]) {
    for Failed { item, version, error } in failed.iter().take(TOLD_MAX) {
        let version = version.map(|version| version.to_string());
        tracing::warn!(
            item.id = %item,
            version.id = version,
            failed = failed.len(),
            error = error as &dyn std::error::Error,
            "what was to go could not be removed; it is tried again"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Expiring;
    use entente_jobs::{Handlers, Runner, Settings};
    use entente_model::{ItemName, UserRole};
    use entente_testkit::Stage;
    use entente_tree::{
        Error, Expiry, Kind, Lifecycle, LifecycleRule, NameRule, NewFile, Recursive, Tree, Want, limits,
    };
    use entente_world::{Shutdown, World};
    use futures_util::stream;
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// What is done of the jobs that are due so many days later.
    async fn run_due(stage: &Stage, days: u32) -> Tree {
        let world = World::simulated(7, stage.world.now().after(DAY * days));
        world.ids_after(stage.world.next_id() + (i64::from(days) << 40));
        let tree = Tree::new(world.clone(), stage.database.clone(), stage.vault.clone());
        let expiring = Expiring { world: world.clone(), tree: tree.clone(), trash: limits::TRASH_LIFETIME };
        let handlers = expiring.handlers(Handlers::new(), Duration::from_secs(600));
        let runner = Runner::new(world, stage.database.clone(), handlers, Settings::default());
        let (_trigger, shutdown) = Shutdown::new();
        runner.run_due(&shutdown).await.unwrap();
        // Each comes by itself from then on.
        runner.schedule().await.unwrap();
        tree
    }

    #[tokio::test]
    async fn what_is_to_go_goes_when_its_day_has_come() {
        let stage = Stage::new().await;
        let anna = stage.person("anna@example.com", "Anna", UserRole::User).await;
        let anna = stage.caller(anna, UserRole::User);
        let bucket = stage.tree.create_bucket(&anna, "bucket").await.unwrap().item;
        let root = stage.tree.root(&anna).await.unwrap();
        let mut files = Vec::new();
        for (parent, text) in [(bucket, "expires"), (bucket, "stays"), (root, "trashed")] {
            let new = NewFile {
                name: ItemName::new(text).unwrap(),
                content_created_at: None,
                content_modified_at: None,
                size_max: u64::MAX,
                expected_sha1: None,
            };
            let body = stream::iter([Ok(text.into())]);
            let made = stage.tree.upload(&anna, parent, new, NameRule::CaseInsensitive, body).await.unwrap();
            files.push(made.item.id);
        }
        stage.tree.trash_item(&anna, files[2], Kind::File, Recursive::No, None).await.unwrap();
        let mut rule = LifecycleRule { name: "r".to_owned(), enabled: true, ..LifecycleRule::default() };
        rule.filter.prefix = "exp".to_owned();
        rule.expiry = Some(Expiry::AfterDays(1));
        stage.tree.set_lifecycle(&anna, "bucket", &Lifecycle { rules: vec![rule] }, String::new()).await.unwrap();

        let there = async |tree: &Tree| {
            let name = [ItemName::new("expires").unwrap()];
            let path = entente_tree::Path { base: bucket, names: &name };
            match tree.at(&anna, path, Want::File).await {
                Ok(_) => true,
                Err(Error::NotFound) => false,
                Err(error) => panic!("{error}"),
            }
        };
        // Now, and as soon as the rules have been set.
        assert!(there(&run_due(&stage, 0).await).await);
        // A day later the walk begins, and the next look of the runner finds it.
        let mut day = 0;
        while there(&stage.tree).await {
            day += 1;
            assert!(day < 10, "it stays");
            run_due(&stage, day).await;
        }
        assert!((2..=3).contains(&day), "{day}");
        stage.tree.trashed(&anna, files[0], Kind::File).await.unwrap();
        stage.tree.trashed(&anna, files[2], Kind::File).await.unwrap();
        run_due(&stage, 31).await;
        assert!(matches!(stage.tree.trashed(&anna, files[2], Kind::File).await, Err(Error::NotFound)));
        stage.tree.item(&anna, files[1], Kind::File).await.unwrap();
    }
}
