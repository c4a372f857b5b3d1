//! Bytes that are in two places.

use super::client::sha1_hex;
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

const RUN_BYTES: usize = 16;
/// So many different bytes a run must have to tell anything: padding and headers have fewer.
const DIFFERENT_MIN: usize = 10;
/// One of so many runs is an anchor.
const ONE_IN: u64 = 32;

/// Searches objects for plaintext and for bytes that they share. What it has seen once it does not search again.
pub struct Search {
    /// What is in every name and content, over and over.
    core: Vec<u8>,
    seen: HashMap<String, Arc<Known>>,
}

/// What is known of some bytes.
struct Known {
    is_plain: bool,
    anchors: Vec<Run>,
}

type Run = [u8; RUN_BYTES];

/// Some runs of bytes of a set of objects, chosen by what is in them: another set that shares a longer stretch of bytes,
/// at whatever offset, shares some of them too. Of 500 bytes in common one in a million has none.
pub struct Sight(HashSet<Run>);

impl Sight {
    /// How many runs others have too.
    pub fn shared_with(&self, others: &Self) -> usize {
        self.0.intersection(&others.0).count()
    }
}

impl Search {
    pub fn new(core: &str) -> Self {
        Self { core: core.as_bytes().to_vec(), seen: HashMap::new() }
    }

    /// Whether there is plaintext in an object or its name.
    pub fn is_plain(&mut self, name: &str, content: &Bytes) -> bool {
        holds(name.as_bytes(), &self.core) || self.known(content).is_plain
    }

    pub fn look<'a>(&mut self, objects: impl Iterator<Item = &'a Bytes>) -> Sight {
        Sight(objects.flat_map(|content| self.known(content).anchors.clone()).collect())
    }

    fn known(&mut self, content: &Bytes) -> Arc<Known> {
        let core = &self.core;
        let known = || Arc::new(Known { is_plain: holds(content, core), anchors: anchors(content).collect() });
        Arc::clone(self.seen.entry(sha1_hex(content)).or_insert_with(known))
    }
}

fn anchors(bytes: &Bytes) -> impl Iterator<Item = Run> {
    bytes.windows(RUN_BYTES).filter_map(|run| {
        let run: Run = run.try_into().ok()?;
        let number = u128::from_le_bytes(run);
        let mixed = ((number ^ (number >> 64)) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> 32).is_multiple_of(ONE_IN) && is_telling(&run)).then_some(run)
    })
}

fn is_telling(run: &Run) -> bool {
    let mut sorted = *run;
    sorted.sort_unstable();
    1 + sorted.windows(2).filter(|pair| pair.first() != pair.last()).count() >= DIFFERENT_MIN
}

/// Whether the bytes are somewhere within others.
pub fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return true };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(wanted) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Search, holds};
    use crate::drill::content::Content;
    use bytes::Bytes;

    #[test]
    fn what_two_objects_share_is_found_at_any_offset() {
        let one = Content { seed: 1, size_bytes: 4096 }.bytes();
        let other = Content { seed: 2, size_bytes: 4096 }.bytes();
        let shifted = Bytes::from([&b"abc"[..], &one[1001..2500], &other[..500]].concat());
        let mut search = Search::new("core");
        let sight = search.look([&one].into_iter());
        assert_eq!(sight.shared_with(&search.look([&other].into_iter())), 0);
        assert!(sight.shared_with(&search.look([&shifted].into_iter())) > 10);
        let zeroes = Bytes::from(vec![0; 4096]);
        assert_eq!(search.look([&zeroes].into_iter()).shared_with(&search.look([&zeroes].into_iter())), 0);
        assert!(search.is_plain("a core", &one) && search.is_plain("a", &Bytes::from_static(b"a core.")));
        assert!(!search.is_plain("a", &one));
    }

    #[test]
    fn bytes_within_others_are_found() {
        assert!(holds(b"aab", b"ab") && holds(b"x", b"") && holds(b"abc", b"abc") && holds(b"aaab", b"aab"));
        assert!(!holds(b"abc", b"abd") && !holds(b"", b"a") && !holds(b"ab", b"abc"));
    }
}
