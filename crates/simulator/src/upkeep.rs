//! What upkeep, the operator and the weather do in one life.

use crate::backend::Mood;
use crate::clients::Life;
use entente_model::{ContentId, Manifest};
use entente_vault::upkeep::collect::Grace;
use entente_vault::upkeep::repack::Choice;
use entente_vault::upkeep::verify::Depth;
use entente_vault::upkeep::{Pace, Selection, Unwatched};
use entente_vault::{Error, Scope};
use std::time::Duration;

impl Life {
    /// Upkeep: one job after the other. Its errors are the backends'; what matters is what it leaves.
    pub(crate) async fn upkeep(self, jobs: u32) {
        for _ in 0..jobs {
            let patience =
                Duration::from_millis(self.draw(|rng| rng.u64(0..50)) * u64::from(self.draw(fastrand::Rng::bool)));
            self.steps.pause(20).await;
            // With one backend there is nothing to copy, and what there is to collect and repack comes more often.
            let simple = self.backends.len() == 1;
            match self.draw(|rng| rng.u32(0..if simple { 12 } else { 17 })) {
                0..=1 => {
                    let grace = Grace { segments: patience, orphans: patience };
                    self.note("collect", self.vault.collect(grace, &mut Unwatched).await);
                }
                2..=3 => {
                    let live_share_max = self.draw(fastrand::Rng::f64);
                    let choice = Choice { live_share_max, age_min: Duration::ZERO };
                    self.note("repack", self.vault.repack(choice, &mut Unwatched).await);
                }
                4 => self.verify().await,
                5..=9 => self.converge().await,
                11..=13 => {
                    if let Some(backend) = self.some_backend() {
                        self.note("remove_left", self.vault.remove_left(backend, patience, &mut Unwatched).await);
                    }
                }
                10 => {
                    if let Some(backend) = self.some_backend() {
                        self.note("scrub", self.vault.scrub(backend, None, &self.pace(), &mut Unwatched).await);
                    }
                }
                14 | 15 => self.rehouse().await,
                _ => {
                    self.note("survey", self.vault.survey(Selection::All, &mut Unwatched).await);
                }
            }
        }
    }

    async fn verify(&self) {
        let may_err = self.circumstances.bits_flip || self.circumstances.things_fail;
        if let Some(verified) = self.note("verify", self.vault.verify(Depth::Bytes, &mut Unwatched).await)
            && !may_err
            && verified.damaged > 0
        {
            self.violated(format!("verify, beside clients, found {:?}", verified.findings));
        }
    }

    async fn converge(&self) {
        let selection = match (self.draw(|rng| rng.u32(0..4)), self.some_backend()) {
            (0, _) => Selection::Unsettled,
            (1, Some(backend)) => Selection::On(backend),
            (2, _) => Selection::Of(self.scope().policy),
            _ => Selection::All,
        };
        let mut cursor = None;
        loop {
            let pass = self.vault.converge(selection, cursor, &self.pace(), &mut Unwatched).await;
            cursor = self.note("converge", pass).and_then(|converged| converged.cursor);
            if cursor.is_none() {
                return;
            }
        }
    }

    fn pace(&self) -> Pace {
        let bytes_per_second = self.one_in(4).then(|| self.draw(|rng| rng.u64(1_000_000..100_000_000)));
        Pace { bytes_per_second, parallel: self.draw(|rng| rng.usize(1..4)) }
    }

    async fn rehouse(&self) {
        let to = self.scope();
        let count = self.draw(|rng| rng.u32(1..6));
        let mut contents: Vec<_> = (0..count).filter_map(|_| self.pick()).map(|(content, _)| content).collect();
        contents.sort_unstable();
        contents.dedup();
        self.with_model(|model| contents.iter().for_each(|content| model.moving(*content, to)));
        self.rehouse_to(&contents, to).await;
    }

    async fn rehouse_to(&self, contents: &[ContentId], to: Scope) -> bool {
        let rehoused = self.note("rehouse", self.vault.rehouse(contents, to, &mut Unwatched).await);
        rehoused.is_some_and(|rehoused| rehoused.unfinished == 0 && rehoused.failed == 0)
    }

    /// Ends every move of a content that was begun, there or, when the mind was changed, back: then only what the ledger has
    /// noted tells which they are.
    pub(crate) async fn end_moves(&self) {
        let moves = if self.one_in(2) {
            self.with_model(|model| model.unfinished_moves())
        } else {
            let home = |manifest: &Manifest| {
                let scope = Scope { zone: manifest.zone, policy: manifest.policy, enterprise: manifest.enterprise };
                (manifest.content, scope)
            };
            self.ledger.moving().iter().map(home).collect()
        };
        for (content, to) in moves {
            for turn in 0.. {
                if self.rehouse_to(&[content], to).await {
                    break;
                }
                if turn == 5 {
                    return self.violated(format!("content {content} cannot be moved"));
                }
            }
        }
        self.with_model(crate::model::Model::moves_ended);
    }

    /// An error of upkeep must be one of the world's, not one that cannot be.
    fn note<T>(&self, job: &str, outcome: Result<T, Error>) -> Option<T> {
        match outcome {
            Ok(done) => Some(done),
            Err(error @ (Error::Internal(_) | Error::DataKey(_) | Error::UnknownEpoch(_))) => {
                self.violated(format!("{job} failed: {error}"));
                None
            }
            Err(_) => None,
        }
    }

    /// The operator changes redirects and policies; the other process hears of it later.
    pub(crate) async fn operate(self, other: Self) {
        for _ in 0..self.draw(|rng| rng.u32(1..5)) {
            self.steps.pause(20).await;
            self.draw(|rng| self.with_setting(|setting| setting.change(rng)));
            self.reconfigure();
            self.steps.pause(10).await;
            other.reconfigure();
        }
    }

    fn reconfigure(&self) {
        let topology = self.with_setting(|setting| setting.topology(&self.clouds, &self.custodians));
        self.vault.reconfigure(topology);
    }

    /// The weather: one backend after the other is in a mood for a while.
    pub(crate) async fn weather(self) {
        for _ in 0..self.draw(|rng| rng.u32(1..5)) {
            self.steps.pause(30).await;
            let mood = match self.draw(|rng| rng.u32(0..5)) {
                0 => Mood::Refuses,
                1 => Mood::Hangs,
                2 => Mood::Slow(self.draw(|rng| rng.u64(1..40))),
                3 if self.circumstances.bits_flip => Mood::Corrupts,
                _ => Mood::Stale(Vec::new()),
            };
            if let Some(backend) = self.some_backend().and_then(|backend| self.backends.get(&backend)) {
                backend.turn(mood, self.draw(|rng| rng.u64(5..60))).await;
            }
        }
    }
}
