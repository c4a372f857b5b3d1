//! Which bucket a request is for, when its host says so: `photos.s3.example.com` rather than `/photos`.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The name below which each bucket has a host name of its own.
#[derive(Debug, Clone)]
pub(crate) struct Domain(String);

impl Domain {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.trim_matches('.').to_ascii_lowercase())
    }

    /// The bucket that stands in a `Host`, perhaps with a port. `None` when the path has it.
    pub(crate) fn bucket<'h>(&self, host: &'h str) -> Option<&'h str> {
        let name = host
            .rsplit_once(':')
            .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
        let name = name.strip_suffix('.').unwrap_or(name);
        let split = name.len().checked_sub(self.0.len() + 1)?;
        let (bucket, domain) = name.split_at_checked(split)?;
        let domain = domain.strip_prefix('.')?;
        (domain.eq_ignore_ascii_case(&self.0) && !bucket.is_empty()).then_some(bucket)
    }
}

impl S3Host for Domain {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            // Host names know no case, and buckets have none.
            Some(bucket) => virtual_host.with_bucket(bucket.to_ascii_lowercase()),
            None => virtual_host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Domain;

    #[test]
    fn a_bucket_is_below_the_domain() {
        let domain = Domain::new("S3.example.com");
        for (host, bucket) in [
            ("photos.s3.example.com", Some("photos")),
            ("a.b.s3.EXAMPLE.com:9000", Some("a.b")),
            ("photos.s3.example.com.", Some("photos")),
            ("s3.example.com", None),
            (".s3.example.com", None),
            ("xs3.example.com", None),
            ("127.0.0.1:9000", None),
            ("[::1]:80", None),
            ("com", None),
            ("", None),
        ] {
            assert_eq!(domain.bucket(host), bucket, "{host}");
        }
    }
}
