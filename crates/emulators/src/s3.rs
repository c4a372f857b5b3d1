//! A bucket on SeaweedFS, which checks signatures as S3 does.

use crate::{
    http::{self, Request},
    servers::{endpoints, fresh_name},
    sign,
};

/// A new, empty bucket, and who may use it. Addresses are path-style. The bucket stays until the servers start anew.
#[derive(Clone)]
pub struct S3 {
    /// Scheme, host and port, without a slash at the end.
    pub endpoint: String,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    pub bucket: String,
}

/// A new bucket. Panics when the servers cannot be started.
pub fn s3() -> S3 {
    let found = &endpoints().s3;
    let s3 = S3 {
        endpoint: found.endpoint.clone(),
        region: found.region.clone(),
        access_key: found.access_key.clone(),
        secret_key: found.secret_key.clone(),
        bucket: fresh_name(),
    };
    s3.create_bucket();
    s3
}

impl S3 {
    fn create_bucket(&self) {
        let path = format!("/{}", self.bucket);
        let key = sign::S3Key { access_key: &self.access_key, secret_key: &self.secret_key, region: &self.region };
        let headers = sign::s3("PUT", http::parts(&self.endpoint).0, &path, &key);
        let request = Request { method: "PUT", target: &path, headers: &headers, body: b"" };
        http::send(&self.endpoint, &request).expect(&[200], "create a bucket");
    }
}
