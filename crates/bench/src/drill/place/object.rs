//! What a visitor can do, whatever the kind of place.

use super::{azure, disk, gcs, s3};
use anyhow::Result;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Somebody who looks at a place, over a connection of their own.
pub enum Visitor {
    Disk(disk::Disk),
    S3(Box<s3::Bucket>),
    Azure(Box<azure::Container>),
    Gcs(Box<gcs::Bucket>),
}

impl Visitor {
    /// Every object with its size.
    pub async fn list(&mut self) -> Result<BTreeMap<String, u64>> {
        match self {
            Self::Disk(disk) => disk.list().await,
            Self::S3(bucket) => bucket.list().await,
            Self::Azure(container) => container.list().await,
            Self::Gcs(bucket) => bucket.list().await,
        }
    }

    pub async fn get(&mut self, name: &str) -> Result<Bytes> {
        match self {
            Self::Disk(disk) => disk.get(name).await,
            Self::S3(bucket) => bucket.get(name).await,
            Self::Azure(container) => container.get(name).await,
            Self::Gcs(bucket) => bucket.get(name).await,
        }
    }

    /// Reads an object without keeping it, and tells its size.
    pub async fn drain(&mut self, name: &str) -> Result<u64> {
        match self {
            Self::Disk(disk) => Ok(disk.get(name).await?.len() as u64),
            Self::S3(bucket) => bucket.drain(name).await,
            Self::Azure(container) => container.drain(name).await,
            Self::Gcs(bucket) => bucket.drain(name).await,
        }
    }

    pub async fn put(&mut self, name: &str, content: Bytes) -> Result<()> {
        match self {
            Self::Disk(disk) => disk.put(name, content).await,
            Self::S3(bucket) => bucket.put(name, content).await,
            Self::Azure(container) => container.put(name, content).await,
            Self::Gcs(bucket) => bucket.put(name, content).await,
        }
    }

    pub async fn delete(&mut self, name: &str) -> Result<()> {
        match self {
            Self::Disk(disk) => disk.delete(name).await,
            Self::S3(bucket) => bucket.delete(name).await,
            Self::Azure(container) => container.delete(name).await,
            Self::Gcs(bucket) => bucket.delete(name).await,
        }
    }
}

/// What stands between two marks, if both are there.
pub fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}

/// Undoes what XML does to the five characters that it reserves.
pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
