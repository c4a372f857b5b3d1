//! Pictures that were made, and what none could be made of, up to a number of bytes. What was asked for longest ago goes
//! first.

use crate::What;
use bytes::Bytes;
use entente_model::ContentId;
use std::collections::{HashMap, VecDeque};

/// Of which content, and what of it. Contents never change.
pub(crate) type Key = (ContentId, What);

/// What an entry takes besides its picture, in bytes.
const ENTRY_BYTES: usize = 256;

pub(crate) struct Kept {
    bytes_max: usize,
    bytes: usize,
    pictures: HashMap<Key, Option<Bytes>>,
    /// Those that were asked for last are at the end.
    order: VecDeque<Key>,
}

impl Kept {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, pictures: HashMap::new(), order: VecDeque::new() }
    }

    /// What is known of it: a picture, or that there is none.
    pub(crate) fn find(&mut self, key: &Key) -> Option<Option<Bytes>> {
        let found = self.pictures.get(key)?.clone();
        if let Some(place) = self.order.iter().position(|other| other == key) {
            let key = self.order.remove(place);
            self.order.extend(key);
        }
        Some(found)
    }

    pub(crate) fn keep(&mut self, key: Key, picture: Option<Bytes>) {
        let size = size(picture.as_ref());
        if size > self.bytes_max || self.pictures.contains_key(&key) {
            return;
        }
        while self.bytes + size > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(gone) = self.pictures.remove(&oldest) {
                self.bytes -= self::size(gone.as_ref());
            }
        }
        self.bytes += size;
        self.pictures.insert(key.clone(), picture);
        self.order.push_back(key);
    }
}

fn size(picture: Option<&Bytes>) -> usize {
    picture.map_or(0, Bytes::len) + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::{ENTRY_BYTES, Kept};
    use crate::{Format, What, Wish};
    use bytes::Bytes;

    #[test]
    fn what_was_asked_for_longest_ago_goes() {
        let key = |number: i64| (number.to_string().parse().unwrap(), What::Picture(Wish::new(Format::Png, 32)));
        let mut kept = Kept::new(3 * (ENTRY_BYTES + 10));
        let picture = || Some(Bytes::from_static(b"0123456789"));
        for number in 1..=3 {
            kept.keep(key(number), picture());
        }
        assert_eq!(kept.find(&key(1)), Some(picture()));
        kept.keep(key(4), None);
        assert_eq!(kept.find(&key(2)), None);
        assert_eq!(kept.find(&key(1)), Some(picture()));
        assert_eq!(kept.find(&key(4)), Some(None));
        kept.keep(key(5), Some(Bytes::from(vec![0; 5_000])));
        assert_eq!(kept.find(&key(5)), None);
        assert!(kept.bytes <= kept.bytes_max);
    }
}
