//! What the clients and the upkeep of one life do.

use crate::ledger::SimulatedLedger;
use crate::model::Model;
use crate::steps::Steps;
use bytes::Bytes;
use entente_model::{CHUNK_SIZE_BYTES, EnterpriseId, Manifest, Sha1, ZoneId};
use entente_vault::upkeep::{Unwatched, collect::Grace, repack::Choice, verify::Depth};
use entente_vault::{BoxError, Scope, Vault};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) const SCOPE: Scope = Scope { enterprise: EnterpriseId::new(1), zone: ZoneId::new(1) };

/// What everybody in one life shares.
#[derive(Clone)]
pub(crate) struct Life {
    pub vault: Vault,
    pub ledger: SimulatedLedger,
    pub steps: Steps,
    pub model: Arc<Mutex<Model>>,
    pub violations: Arc<Mutex<Vec<String>>>,
    /// Flipped bits and failing backends make reads fail; they never make them wrong.
    pub reads_may_fail: bool,
    /// Whether this history has contents of several chunks (they cost a thousand times a small one).
    pub large: bool,
}

impl Life {
    pub(crate) fn violated(&self, what: String) {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        self.steps.random(draw)
    }

    fn with_model<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        change(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn pick(&self) -> Option<(entente_model::ContentId, Bytes)> {
        self.draw(|rng| self.with_model(|model| model.pick(rng)))
    }

    /// A client: some operations, one after the other.
    pub(crate) async fn client(self, operations: u32) {
        for _ in 0..operations {
            match self.draw(|rng| rng.u32(0..20)) {
                0..=8 => self.write().await,
                9..=10 => self.write_in_parts().await,
                11..=14 => self.read_back().await,
                15..=16 => self.copy().await,
                _ => self.remove().await,
            }
        }
    }

    /// Upkeep: one job after the other. Its errors are the backends'; what matters is what it leaves.
    pub(crate) async fn upkeep(self, jobs: u32) {
        for _ in 0..jobs {
            let patience = self.draw(|rng| Duration::from_millis(rng.u64(0..50)));
            tokio::time::sleep(self.draw(|rng| Duration::from_millis(rng.u64(0..20)))).await;
            match self.draw(|rng| rng.u32(0..5)) {
                0..=1 => {
                    let _ = self.vault.collect(Grace { segments: patience, orphans: patience }, &mut Unwatched).await;
                }
                2..=3 => {
                    let live_share_max = self.draw(fastrand::Rng::f64);
                    let choice = Choice { live_share_max, age_min: Duration::ZERO };
                    let _ = self.vault.repack(choice, &mut Unwatched).await;
                }
                _ => {
                    if let Ok(verified) = self.vault.verify(Depth::Bytes, &mut Unwatched).await
                        && !self.reads_may_fail
                        && verified.damaged > 0
                    {
                        self.violated(format!("verify, beside clients, found {:?}", verified.findings));
                    }
                }
            }
        }
    }

    async fn write(&self) {
        let plain = self.plaintext();
        let cut = self.draw(|rng| rng.usize(1..200_000));
        let fails = self.draw(|rng| rng.u32(0..12)) == 0;
        let pieces = pieces(&plain, cut, fails);
        let Ok(written) = self.vault.write(SCOPE, u64::MAX, futures_util::stream::iter(pieces)).await else { return };
        if fails {
            self.violated("a body that failed was written".to_owned());
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &plain);
        if written.manifest.sha1 != Sha1::from_slice(digest.as_ref()) || written.manifest.size != plain.len() as u64 {
            self.violated("a content's size or digest is wrong".to_owned());
        }
        if self.draw(|rng| rng.u32(0..10)) == 0 {
            return; // The client went away before its commit: garbage.
        }
        let content = written.manifest.content;
        self.with_model(|model| model.asking(content, plain));
        let answer = self.ledger.commit(&written).await;
        self.with_model(|model| model.answered(content, answer.is_ok()));
    }

    async fn write_in_parts(&self) {
        // All parts but the last are whole chunks; unless this history has large contents, there is one part.
        let count = if self.large { self.draw(|rng| rng.u32(1..3)) } else { 1 };
        let Ok(begun) = self.vault.begin(SCOPE).await else { return };
        let mut whole = Vec::new();
        for chunk in 0..count {
            let length = if chunk + 1 < count { usize::try_from(CHUNK_SIZE_BYTES).unwrap_or(0) } else { self.length() };
            let plain = self.marked(length);
            // Now and then a part is sent twice, with other bytes first.
            if self.draw(|rng| rng.u32(0..4)) == 0 {
                let other = self.marked(length);
                self.part(&begun, chunk, &other).await;
            }
            if !self.part(&begun, chunk, &plain).await {
                let _ = self.ledger.abort(begun.content).await;
                return;
            }
            whole.push(plain);
        }
        let plain: Bytes = whole.concat().into();
        let manifest = Manifest {
            content: begun.content,
            enterprise: SCOPE.enterprise,
            zone: SCOPE.zone,
            key: begun.key,
            size: plain.len() as u64,
            sha1: None,
            places: Vec::new(),
        };
        if self.draw(|rng| rng.u32(0..6)) == 0 {
            let _ = self.ledger.abort(begun.content).await;
            return;
        }
        self.with_model(|model| model.asking(begun.content, plain));
        let answer = self.ledger.commit_parts(&manifest).await;
        self.with_model(|model| model.answered(begun.content, answer.is_ok()));
    }

    async fn part(&self, begun: &entente_vault::Begun, chunk: u32, plain: &Bytes) -> bool {
        let pieces = futures_util::stream::iter(pieces(plain, 100_000, false));
        let Ok(part) = self.vault.write_part(begun, chunk, CHUNK_SIZE_BYTES, pieces).await else { return false };
        self.ledger.keep_part(begun.content, part.place, part.segment).await.is_ok()
    }

    async fn read_back(&self) {
        let Some((content, plain)) = self.pick() else { return };
        let size = plain.len() as u64;
        let range = self.draw(|rng| {
            let (a, b) = (rng.u64(0..=size), rng.u64(0..=size));
            if rng.bool() { 0..size } else { a.min(b)..a.max(b) }
        });
        match self.read(content, range.clone()).await {
            Ok(Some(bytes)) => {
                let from = usize::try_from(range.start).unwrap_or(0);
                if plain.get(from..from + bytes.len()) != Some(&bytes[..]) || bytes.len() as u64 != range.end - range.start {
                    self.violated(format!("content {content} read back other bytes"));
                }
            }
            // Somebody may have removed it meanwhile.
            Ok(None) => self.check_gone(content),
            Err(error) => {
                if !self.reads_may_fail && self.is_certain(content) {
                    self.violated(format!("content {content} could not be read: {error}"));
                }
            }
        }
    }

    fn check_gone(&self, content: entente_model::ContentId) {
        if self.is_certain(content) {
            self.violated(format!("content {content} was acknowledged and is gone"));
        }
    }

    fn is_certain(&self, content: entente_model::ContentId) -> bool {
        self.with_model(|model| model.contents.get(&content).is_some_and(|known| !known.in_doubt))
    }

    /// The bytes of a range, or `None` if there is no such content.
    pub(crate) async fn read(
        &self,
        content: entente_model::ContentId,
        range: std::ops::Range<u64>,
    ) -> Result<Option<Vec<u8>>, entente_vault::Error> {
        use entente_vault::Ledger;
        let Some(manifest) = self.ledger.content(content).await? else { return Ok(None) };
        let mut reading = self.vault.read(manifest, Vec::new(), range);
        let mut bytes = Vec::new();
        while let Some(piece) = reading.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(bytes))
    }

    async fn copy(&self) {
        let Some((content, _)) = self.pick() else { return };
        let unanswered = self.with_model(|model| model.contents.get_mut(&content).map(|known| std::mem::replace(&mut known.in_doubt, true)));
        if unanswered != Some(false) {
            return;
        }
        let shared = self.ledger.share(content).await;
        self.with_model(|model| {
            if let Some(known) = model.contents.get_mut(&content) {
                known.in_doubt = false;
                known.references += u32::from(matches!(shared, Ok(true)));
            }
        });
    }

    async fn remove(&self) {
        let Some((content, _)) = self.pick() else { return };
        let unanswered = self.with_model(|model| model.contents.get_mut(&content).map(|known| std::mem::replace(&mut known.in_doubt, true)));
        if unanswered != Some(false) {
            return;
        }
        let _ = self.ledger.release(content).await;
        self.with_model(|model| {
            let Some(known) = model.contents.get_mut(&content) else { return };
            known.in_doubt = false;
            known.references -= 1;
            if known.references == 0 {
                model.contents.remove(&content);
            }
        });
    }

    fn plaintext(&self) -> Bytes {
        let large = self.large && self.draw(|rng| rng.u32(0..8)) == 0;
        let chunk = usize::try_from(CHUNK_SIZE_BYTES).unwrap_or(0);
        let length = if large { chunk - 3 + self.draw(|rng| rng.usize(0..chunk)) } else { self.length() };
        self.marked(length)
    }

    fn length(&self) -> usize {
        self.draw(|rng| match rng.u32(0..40) {
            0 => rng.usize(60_000..300_000),
            1..=2 => rng.usize(1..70_000),
            3 => 65_536,
            _ => rng.usize(1..3_000),
        })
    }

    /// Plaintext in which every stretch of 32 bytes would give it away.
    fn marked(&self, length: usize) -> Bytes {
        let salt = self.draw(|rng| rng.u64(..));
        let mut plain = Vec::with_capacity(length + 32);
        let mut line = 0_u64;
        while plain.len() < length {
            plain.extend_from_slice(b"PLAINTEXT:");
            plain.extend_from_slice(&salt.wrapping_add(line).to_le_bytes());
            line += 1;
        }
        plain.truncate(length);
        plain.into()
    }
}

fn pieces(plain: &Bytes, cut: usize, fails: bool) -> Vec<Result<Bytes, BoxError>> {
    let mut pieces: Vec<Result<Bytes, BoxError>> = Vec::new();
    let mut rest = plain.clone();
    while !rest.is_empty() {
        pieces.push(Ok(rest.split_to(rest.len().min(cut))));
    }
    if fails {
        pieces.pop();
        pieces.push(Err("the client went away".into()));
    }
    pieces
}
