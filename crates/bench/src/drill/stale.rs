//! Listings that lag behind: what was created lately is not in them, and what was deleted lately still is. Nothing else
//! of the cloud lags.

use super::place::Kind;
use http::{Method, Request, StatusCode};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The listings of one bucket.
pub struct Listings {
    /// Path of the bucket, without a slash at its end.
    bucket: String,
    /// What begins and names an entry.
    tags: (&'static str, &'static str),
    since: Mutex<Option<Since>>,
    told: AtomicU64,
}

/// What has changed since listings stood still.
#[derive(Default)]
struct Since {
    created: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

/// What a request is about.
pub enum Seen {
    Created(String),
    Deleted(String),
    Listing,
    Other,
}

impl Listings {
    /// Those of a bucket of S3 or a container of Azure.
    pub fn new(kind: Kind, bucket: &str) -> Self {
        let tags = if kind == Kind::Azure { ("Blob", "Name") } else { ("Contents", "Key") };
        Self { bucket: bucket.to_owned(), tags, since: Mutex::default(), told: AtomicU64::new(0) }
    }

    /// From now on listings tell what is there at this moment.
    pub fn stand_still(&self) {
        *self.lock() = Some(Since::default());
    }

    /// Listings tell the truth again.
    pub fn go_on(&self) {
        *self.lock() = None;
    }

    /// How many listings were not the truth.
    pub fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Since>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn look_at<B>(&self, request: &Request<B>) -> Seen {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let Some(key) = path.strip_prefix(&self.bucket) else { return Seen::Other };
        let key = key.trim_start_matches('/').to_owned();
        if key.is_empty() {
            let lists = query.contains("list-type=2") || query.contains("comp=list");
            return if lists && request.method() == Method::GET { Seen::Listing } else { Seen::Other };
        }
        match *request.method() {
            Method::PUT => Seen::Created(key),
            Method::DELETE => Seen::Deleted(key),
            _ => Seen::Other,
        }
    }

    /// Notes what came of a request, and tells whether its answer is a listing that is not to be the truth.
    pub fn note(&self, seen: &Seen, status: StatusCode) -> bool {
        let mut since = self.lock();
        let (Some(since), true) = (since.as_mut(), status.is_success()) else { return false };
        match seen {
            Seen::Created(key) => {
                since.created.insert(key.clone());
            }
            Seen::Deleted(key) => {
                if !since.created.remove(key) {
                    since.deleted.insert(key.clone());
                }
            }
            Seen::Listing => return true,
            Seen::Other => {}
        }
        false
    }

    /// A listing as it was when listings stood still. What has been deleted since comes back as far as it lies between
    /// two entries that are there.
    pub fn as_it_was(&self, listing: &str) -> String {
        let since = self.lock();
        let Some(since) = since.as_ref() else { return listing.to_owned() };
        let (begin, end) = (format!("<{}>", self.tags.0), format!("</{}>", self.tags.0));
        let (name_begin, name_end) = (format!("<{}>", self.tags.1), format!("</{}>", self.tags.1));
        let name_of = |entry: &str| super::place::between(entry, &name_begin, &name_end).map(str::to_owned);
        let Some(first) = listing.find(&begin) else { return listing.to_owned() };
        let last = listing.rfind(&end).map_or(first, |at| at + end.len());
        let (Some(head), Some(tail)) = (listing.get(..first), listing.get(last..)) else { return listing.to_owned() };
        let mut text = head.to_owned();
        let mut before: Option<String> = None;
        for entry in listing.get(first..last).unwrap_or_default().split_inclusive(&end) {
            let Some(name) = name_of(entry) else { continue };
            if let Some(before) = &before {
                let between = (std::ops::Bound::Excluded(before.clone()), std::ops::Bound::Excluded(name.clone()));
                for gone in since.deleted.range::<String, _>(between) {
                    text += &entry
                        .replace(&format!("{name_begin}{name}{name_end}"), &format!("{name_begin}{gone}{name_end}"));
                }
            }
            if !since.created.contains(&name) {
                text += entry;
            }
            before = Some(name);
        }
        if !since.created.is_empty() || !since.deleted.is_empty() {
            self.told.fetch_add(1, Ordering::Relaxed);
        }
        text + tail
    }
}

#[cfg(test)]
mod tests {
    use super::{Listings, Seen};
    use crate::drill::place::Kind;
    use http::{Method, Request, StatusCode};

    fn request(method: Method, target: &str) -> Request<()> {
        Request::builder().method(method).uri(target).body(()).unwrap()
    }

    #[test]
    fn what_was_created_is_hidden_and_what_was_deleted_comes_back() {
        let listings = Listings::new(Kind::S3, "/bucket");
        listings.stand_still();
        for (method, key) in [(Method::PUT, "c"), (Method::DELETE, "d"), (Method::PUT, "e"), (Method::DELETE, "e")] {
            let seen = listings.look_at(&request(method, &format!("/bucket/{key}")));
            assert!(!listings.note(&seen, StatusCode::OK));
        }
        let seen = listings.look_at(&request(Method::GET, "/bucket?list-type=2&prefix="));
        assert!(matches!(seen, Seen::Listing) && listings.note(&seen, StatusCode::OK));
        let entry = |key: &str| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
        let list = |keys: &[&str]| format!("<L>{}</L>", keys.iter().map(|key| entry(key)).collect::<String>());
        assert_eq!(listings.as_it_was(&list(&["b", "c", "f"])), list(&["b", "d", "f"]));
        assert_eq!(listings.as_it_was("<L></L>"), "<L></L>");
        listings.go_on();
        assert_eq!(listings.as_it_was(&list(&["c"])), list(&["c"]));
        assert_eq!(listings.told(), 1);
    }
}
