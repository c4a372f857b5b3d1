//! A bucket on fake-gcs-server. It asks for no credentials, and a create-only write overwrites: what depends on
//! preconditions cannot be shown here.

use crate::{
    http::{self, Request},
    servers::{endpoints, fresh_name},
};

/// A new, empty bucket. It stays until the servers start anew.
#[derive(Clone)]
pub struct Gcs {
    /// Scheme, host and port, without a slash at the end.
    pub endpoint: String,
    pub bucket: String,
}

/// A new bucket. Panics when the servers cannot be started.
pub fn gcs() -> Gcs {
    let gcs = Gcs { endpoint: endpoints().gcs.endpoint.clone(), bucket: fresh_name() };
    gcs.create_bucket();
    gcs
}

impl Gcs {
    fn create_bucket(&self) {
        let body = format!("{{\"name\":\"{}\"}}", self.bucket);
        let headers = [("content-type", "application/json".to_owned())];
        let target = "/storage/v1/b?project=tests";
        let request = Request { method: "POST", target, headers: &headers, body: body.as_bytes() };
        http::send(&self.endpoint, &request).expect(&[200], "create a bucket");
    }
}
