//! A bucket of S3, path style.

use crate::{Bench, client::Connection, s3::Bucket as Signed};
use anyhow::Result;
use bytes::Bytes;
use std::collections::BTreeMap;

pub struct Bucket {
    connection: Connection,
    signed: Signed,
}

impl Bucket {
    pub fn new(bench: &Bench, s3: &entente_emulators::S3) -> Result<Self> {
        let signed = Signed::at(bench, &s3.endpoint, &s3.bucket, (&s3.access_key, &s3.secret_key, &s3.region))?;
        Ok(Self { connection: signed.connection(), signed })
    }

    pub async fn list(&mut self) -> Result<BTreeMap<String, u64>> {
        let objects = self.signed.list(&mut self.connection, "", usize::MAX).await?;
        Ok(objects.into_iter().map(|object| (object.key, object.size_bytes)).collect())
    }

    pub async fn get(&mut self, name: &str) -> Result<Bytes> {
        self.signed.get(&mut self.connection, name).await
    }

    pub async fn drain(&mut self, name: &str) -> Result<u64> {
        self.signed.drain(&mut self.connection, name).await
    }

    pub async fn put(&mut self, name: &str, content: Bytes) -> Result<()> {
        self.signed.put(&mut self.connection, name, content).await
    }

    pub async fn delete(&mut self, name: &str) -> Result<()> {
        self.signed.delete(&mut self.connection, name).await
    }
}
