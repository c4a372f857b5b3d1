//! A container on Azurite.

use crate::{
    http::{self, Request},
    servers::{endpoints, fresh_name},
    sign,
};

/// A new, empty container, and the account that owns it. The container stays until the servers start anew.
#[derive(Clone)]
pub struct Azure {
    /// Scheme, host, port and, as Azurite wants it, the account: `http://127.0.0.1:10000/account`.
    pub endpoint: String,
    pub account: String,
    /// The account's key in base64.
    pub key: String,
    pub container: String,
}

/// A new container. Panics when the servers cannot be started.
pub fn azure() -> Azure {
    let found = &endpoints().azure;
    let azure = Azure {
        endpoint: found.endpoint.clone(),
        account: found.account.clone(),
        key: found.key.clone(),
        container: fresh_name(),
    };
    azure.create_container();
    azure
}

impl Azure {
    fn create_container(&self) {
        let path = format!("{}/{}", http::parts(&self.endpoint).1, self.container);
        let resource = format!("{path}\nrestype:container");
        let headers = sign::azure("PUT", &self.account, &self.key, &resource);
        let target = format!("{path}?restype=container");
        let request = Request { method: "PUT", target: &target, headers: &headers, body: b"" };
        http::send(&self.endpoint, &request).expect(&[201], "create a container");
    }
}
