//! What the clients of one life do.

use crate::backend::SimulatedBackend;
use crate::custodian::SimulatedCustodian;
use crate::ledger::{SIMULATED, SimulatedLedger};
use crate::model::{Answer, Model};
use crate::setting::{ENTERPRISE, Setting};
use crate::steps::Steps;
use bytes::Bytes;
use entente_clouds::Backend;
use entente_model::{BackendId, CHUNK_SIZE_BYTES, ContentId, Manifest, PolicyId, Sha1, ZoneId};
use entente_vault::{Begun, BoxError, CustomerKey, Error, Scope, Vault};
use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// The key that customers bring along, those who do.
const CUSTOMER: [u8; 32] = [7; 32];

/// How long an epoch key is held.
pub(crate) const KEY_LEASE: Duration = Duration::from_millis(5);

/// What everybody in one life shares.
#[derive(Clone)]
pub(crate) struct Life {
    pub vault: Vault,
    pub ledger: SimulatedLedger,
    pub backends: BTreeMap<BackendId, SimulatedBackend>,
    /// The same, as the vault is given them.
    pub clouds: BTreeMap<BackendId, Arc<dyn Backend>>,
    pub custodians: BTreeMap<ZoneId, SimulatedCustodian>,
    pub setting: Arc<Mutex<Setting>>,
    pub steps: Steps,
    pub model: Arc<Mutex<Model>>,
    pub violations: Arc<Mutex<Vec<String>>>,
    pub circumstances: Circumstances,
}

/// What makes one life different from another.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    /// Bits flip when objects are read: reads fail, and are never wrong.
    pub bits_flip: bool,
    /// Backends, ledger or custodian fail.
    pub things_fail: bool,
    /// Upkeep has no patience with what is not committed yet.
    pub is_collected: bool,
    /// Some replicas are damaged for good; of each segment, one at least is not.
    pub is_rotten: bool,
    /// One operation of a client in so many is given up half way; 0 is never.
    pub impatience: u32,
    /// There are contents of several chunks (they cost a thousand times a small one).
    pub large: bool,
}

impl Life {
    pub(crate) fn violated(&self, what: String) {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn withdraw(&self, withdrawn: bool) {
        self.custodians.values().for_each(|custodian| custodian.withdraw(withdrawn));
    }

    pub(crate) fn with_setting<T>(&self, with: impl FnOnce(&mut Setting) -> T) -> T {
        with(&mut self.setting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of the policies that there are.
    pub(crate) fn scope(&self) -> Scope {
        let scopes = self.with_setting(|setting| setting.scopes());
        let at = if scopes.len() > 1 { self.draw(|rng| rng.usize(0..scopes.len())) } else { 0 };
        scopes.get(at).copied().unwrap_or(Scope {
            enterprise: ENTERPRISE,
            zone: ZoneId::new(0),
            policy: PolicyId::new(0),
        })
    }

    pub(crate) fn some_backend(&self) -> Option<BackendId> {
        let at = if self.backends.len() > 1 { self.draw(|rng| rng.usize(0..self.backends.len())) } else { 0 };
        self.backends.keys().nth(at).copied()
    }

    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        self.steps.random(draw)
    }

    pub(crate) fn one_in(&self, odds: u32) -> bool {
        self.steps.one_in(odds)
    }

    pub(crate) fn with_model<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        change(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn pick(&self) -> Option<(ContentId, Bytes)> {
        self.draw(|rng| self.with_model(|model| model.pick(rng)))
    }

    /// A client: some operations, one after the other. Now and then it goes away in the middle of one.
    pub(crate) async fn client(self, operations: u32) {
        for _ in 0..operations {
            let operation = async {
                match self.draw(|rng| rng.u32(0..20)) {
                    0..=8 => self.write().await,
                    9..=10 => self.write_in_parts().await,
                    11..=14 => self.read_back().await,
                    15..=16 => self.copy().await,
                    _ => self.remove().await,
                }
            };
            if self.one_in(self.circumstances.impatience) {
                dropped_after(self.draw(|rng| rng.u32(0..60)), operation).await;
            } else {
                operation.await;
            }
        }
    }

    /// Withdraws the key for a while. When the leases have ended, nothing is read or written.
    pub(crate) async fn withdrawal(self) {
        self.steps.pause(30).await;
        self.withdraw(true);
        tokio::time::sleep(KEY_LEASE + Duration::from_millis(1)).await;
        for _ in 0..3 {
            if self
                .vault
                .write(self.scope(), 100, futures_util::stream::iter([Ok(Bytes::from_static(b"dark"))]))
                .await
                .is_ok()
            {
                self.violated("a content was written without a key".to_owned());
            }
            if let Some((content, plain)) = self.pick()
                && let Ok(Some(_)) = self.read(content, 0..plain.len() as u64).await
            {
                self.violated(format!("content {content} was read without a key"));
            }
            self.steps.pause(10).await;
        }
        self.withdraw(false);
    }

    /// Whether an error is one that these circumstances explain.
    fn is_explained(&self, error: &Error) -> bool {
        match error {
            Error::Damaged { .. } => {
                self.circumstances.bits_flip || (self.circumstances.is_rotten && self.circumstances.things_fail)
            }
            Error::Internal(_) => self.circumstances.bits_flip,
            Error::DataKey(_) | Error::UnknownEpoch(_) => false,
            Error::Condemned(_) => self.circumstances.is_collected,
            // Whoever shares a segment with others hears of the ledger's error itself.
            Error::Ledger(source) => self.circumstances.things_fail && source.to_string() == SIMULATED,
            _ => self.circumstances.things_fail,
        }
    }

    /// Says so if an operation failed for no reason.
    fn check_failure(&self, operation: &str, error: &Error) {
        if !self.is_explained(error) {
            self.violated(format!("{operation} failed for no reason: {error}"));
        }
    }

    async fn write(&self) {
        let plain = self.plaintext();
        let cut = self.draw(|rng| rng.usize(1..200_000));
        let fails = self.one_in(12);
        let pieces = pieces(&plain, cut, fails);
        let customer = self.one_in(4).then(|| CustomerKey::new(CUSTOMER));
        let body = futures_util::stream::iter(pieces);
        let written = match self.vault.write_with_key(self.scope(), customer.as_ref(), u64::MAX, body).await {
            Ok(_) if fails => return self.violated("a body that failed was written".to_owned()),
            Ok(written) => written,
            Err(Error::Body(_)) if fails => return,
            Err(error) => return self.check_failure("a write", &error),
        };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &plain);
        let digest = Sha1::from_slice(digest.as_ref()).filter(|_| customer.is_none());
        if written.manifest.sha1 != digest || written.manifest.size != plain.len() as u64 {
            self.violated("a content's size or digest is wrong".to_owned());
        }
        if self.one_in(10) {
            return; // The client went away before its commit: garbage.
        }
        self.dawdle().await;
        let content = written.manifest.content;
        self.with_model(|model| model.asking(content, plain));
        let answer = self.answer(self.ledger.commit(&written).await);
        self.with_model(|model| model.answered(content, answer));
    }

    async fn write_in_parts(&self) {
        // All parts but the last are whole chunks; unless this history has large contents, there is one part.
        let scope = self.scope();
        let count = if self.circumstances.large { self.draw(|rng| rng.u32(1..3)) } else { 1 };
        let begun = match self.vault.begin(scope).await {
            Ok(begun) => begun,
            Err(error) => return self.check_failure("a beginning", &error),
        };
        let mut whole = Vec::new();
        for chunk in 0..count {
            let length = if chunk + 1 < count { usize::try_from(CHUNK_SIZE_BYTES).unwrap_or(0) } else { self.length() };
            let plain = self.marked(length);
            // Now and then a part is sent twice, with other bytes first.
            if self.one_in(4) {
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
            enterprise: scope.enterprise,
            zone: scope.zone,
            policy: scope.policy,
            key: begun.key,
            customer: None,
            size: plain.len() as u64,
            sha1: None,
            places: Vec::new(),
        };
        if self.one_in(6) {
            let _ = self.ledger.abort(begun.content).await;
            return;
        }
        self.dawdle().await;
        self.with_model(|model| model.asking(begun.content, plain));
        let answer = self.answer(self.ledger.commit_parts(&manifest).await);
        self.with_model(|model| model.answered(begun.content, answer));
    }

    async fn part(&self, begun: &Begun, chunk: u32, plain: &Bytes) -> bool {
        let pieces = futures_util::stream::iter(pieces(plain, 100_000, false));
        match self.vault.write_part(begun, chunk, CHUNK_SIZE_BYTES, pieces).await {
            Ok(part) => {
                self.dawdle().await;
                let kept = self.ledger.keep_part(begun.content, part.place, part.segment).await;
                self.answer(kept) == Answer::Acknowledged
            }
            Err(error) => {
                self.check_failure("a part", &error);
                false
            }
        }
    }

    /// A commit comes late now and then.
    async fn dawdle(&self) {
        if self.one_in(4) {
            self.steps.pause(30).await;
        }
    }

    fn answer(&self, answer: Result<(), Error>) -> Answer {
        match answer {
            Ok(()) => Answer::Acknowledged,
            Err(error) => {
                self.check_failure("a commit", &error);
                if matches!(error, Error::Condemned(_)) { Answer::Refused } else { Answer::Unknown }
            }
        }
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
                if plain.get(from..from + bytes.len()) != Some(&bytes[..])
                    || bytes.len() as u64 != range.end - range.start
                {
                    self.violated(format!("content {content} read back other bytes"));
                }
            }
            // Somebody may have removed it meanwhile.
            Ok(None) => self.check_gone(content),
            Err(error) => {
                if self.with_model(|model| model.is_certain(content)) {
                    self.check_failure(&format!("reading content {content}"), &error);
                }
            }
        }
    }

    fn check_gone(&self, content: ContentId) {
        if self.with_model(|model| model.is_certain(content)) {
            self.violated(format!("content {content} was acknowledged and is gone"));
        }
    }

    /// The bytes of a range, or `None` if there is no such content.
    pub(crate) async fn read(&self, content: ContentId, range: Range<u64>) -> Result<Option<Vec<u8>>, Error> {
        use entente_vault::Ledger;
        let Some(manifest) = self.ledger.content(content).await? else { return Ok(None) };
        // Places that were asked early may be those of before a repacking.
        let mut located = Vec::new();
        if self.one_in(2) {
            located = self.ledger.places(content, 0, 100).await?;
            self.dawdle().await;
        }
        if manifest.customer.is_some()
            && self.one_in(4)
            && let Ok(Some(_)) = self.vault.read(manifest.clone(), Vec::new(), range.clone()).next().await
        {
            self.violated(format!("content {content} was read without its customer's key"));
        }
        let customer = Arc::new(CustomerKey::new(CUSTOMER));
        let mut reading = self.vault.read(manifest, located, range).with_key(Some(customer));
        let mut bytes = Vec::new();
        loop {
            // Asking for the next bytes may be given up, and done again.
            let polls =
                if self.one_in(self.circumstances.impatience) { self.draw(|rng| rng.u32(0..10)) } else { u32::MAX };
            match dropped_after(polls, reading.next()).await.transpose()? {
                None => {}
                Some(None) => return Ok(Some(bytes)),
                Some(Some(piece)) => bytes.extend_from_slice(&piece),
            }
        }
    }

    async fn copy(&self) {
        let Some((content, _)) = self.pick() else { return };
        if !self.with_model(|model| model.touching(content)) {
            return;
        }
        match self.ledger.share(content).await {
            Ok(true) => self.with_model(|model| model.touched(content, 1)),
            Ok(false) => self.violated(format!("content {content} was acknowledged and could not be copied")),
            Err(error) => self.check_failure("a copy", &error),
        }
    }

    async fn remove(&self) {
        let Some((content, _)) = self.pick() else { return };
        if !self.with_model(|model| model.touching(content)) {
            return;
        }
        match self.ledger.release(content).await {
            Ok(()) => self.with_model(|model| model.touched(content, -1)),
            Err(error) => self.check_failure("a removal", &error),
        }
    }

    fn plaintext(&self) -> Bytes {
        let large = self.circumstances.large && self.one_in(8);
        let chunk = usize::try_from(CHUNK_SIZE_BYTES).unwrap_or(0);
        let length = if large { chunk - 3 + self.draw(|rng| rng.usize(0..chunk)) } else { self.length() };
        self.marked(length)
    }

    fn length(&self) -> usize {
        self.draw(|rng| match rng.u32(0..40) {
            // Too long to share a segment.
            0..=2 => rng.usize(260_000..600_000),
            3..=4 => rng.usize(1..70_000),
            5 => 65_536,
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

/// Polls a future at most so many times more than once, and drops it then, as when a caller goes away.
async fn dropped_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), polls);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
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
