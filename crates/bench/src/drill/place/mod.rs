//! Where a backend's objects lie, seen from outside: what is there, without asking the server whose objects they are.

mod azure;
mod disk;
mod gcs;
mod object;
mod s3;

use super::CountArguments;
use crate::Bench;
use anyhow::{Context, Result};
use bytes::Bytes;
use clap::ValueEnum;
use entente_emulators::{Proxy, azure as fresh_azure, gcs as fresh_gcs, s3 as fresh_s3};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const CLEARED_AT_ONCE: usize = 8;

pub use object::{Visitor, between};

/// A kind of backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    Disk,
    S3,
    Azure,
    Gcs,
}

impl Kind {
    /// What a configuration calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disk => "fs",
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Gcs => "gcs",
        }
    }
}

/// A new place that was empty when it was made: a folder, or a bucket of an emulator.
pub struct Place {
    pub name: String,
    pub kind: Kind,
    at: At,
    /// What stands between the server and the place, for those that are to fail.
    proxy: Option<Proxy>,
    /// Who passes requests on to it, if it is not asked itself.
    behind: Option<SocketAddr>,
}

#[derive(Clone)]
enum At {
    Disk(PathBuf),
    S3(entente_emulators::S3),
    Azure(entente_emulators::Azure),
    Gcs(entente_emulators::Gcs),
}

impl Place {
    /// A new one. A disk's is a folder of that name in `folder`.
    pub fn fresh(kind: Kind, name: &str, folder: &Path) -> Result<Self> {
        let at = match kind {
            Kind::Disk => {
                let path = folder.join(name);
                std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
                At::Disk(path)
            }
            Kind::S3 => At::S3(fresh_s3()),
            Kind::Azure => At::Azure(fresh_azure()),
            Kind::Gcs => At::Gcs(fresh_gcs()),
        };
        Ok(Self { name: name.to_owned(), kind, at, proxy: None, behind: None })
    }

    /// One that is there already.
    ///
    /// # Errors
    /// When the environment does not have the secret.
    pub fn known(arguments: &CountArguments) -> Result<Self> {
        let CountArguments { kind, endpoint, bucket, id, secret_env, region } = arguments.clone();
        #[expect(clippy::disallowed_methods, reason = "a secret is in no argument")]
        let secret = secret_env.map_or(Ok(String::new()), std::env::var).context("there is no such variable")?;
        let at = match kind {
            Kind::Disk => At::Disk(PathBuf::from(&bucket)),
            Kind::S3 => At::S3(entente_emulators::S3 {
                endpoint,
                region,
                access_key: id,
                secret_key: secret,
                bucket: bucket.clone(),
            }),
            Kind::Azure => {
                At::Azure(entente_emulators::Azure { endpoint, account: id, key: secret, container: bucket.clone() })
            }
            Kind::Gcs => At::Gcs(entente_emulators::Gcs { endpoint, bucket: bucket.clone() }),
        };
        Ok(Self { name: bucket, kind, at, proxy: None, behind: None })
    }

    /// Puts a proxy before it. The server comes through it; visitors do not. A disk has none.
    pub fn through_proxy(mut self) -> Self {
        self.proxy = self.endpoint().map(|endpoint| Proxy::before(&endpoint));
        self
    }

    /// What stands before it.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Where it is itself.
    pub fn address(&self) -> Option<SocketAddr> {
        let endpoint = self.own_endpoint()?;
        let authority = endpoint.split_once("://")?.1.split('/').next()?;
        authority.parse().ok()
    }

    /// Path of its bucket, without a slash at its end.
    pub fn bucket_path(&self) -> String {
        match &self.at {
            At::Disk(_) => String::new(),
            At::S3(s3) => format!("/{}", s3.bucket),
            At::Azure(azure) => format!("/{}/{}", azure.account, azure.container),
            At::Gcs(gcs) => format!("/{}", gcs.bucket),
        }
    }

    /// Puts it behind somebody who passes requests on to [`Self::address`]. To be said before a proxy is put before that.
    pub fn put_behind(&mut self, address: SocketAddr) {
        self.behind = Some(address);
    }

    fn own_endpoint(&self) -> Option<String> {
        match &self.at {
            At::Disk(_) => None,
            At::S3(s3) => Some(s3.endpoint.clone()),
            At::Azure(azure) => Some(azure.endpoint.clone()),
            At::Gcs(gcs) => Some(gcs.endpoint.clone()),
        }
    }

    /// Where it is for others.
    fn endpoint(&self) -> Option<String> {
        let own = self.own_endpoint()?;
        match (self.behind, self.address()) {
            (Some(behind), Some(address)) => Some(own.replacen(&address.to_string(), &behind.to_string(), 1)),
            _ => Some(own),
        }
    }

    /// Its section of a configuration, without the end, so that more may be said in it. Providers are at home where
    /// their backends are: each is one of its own in each jurisdiction.
    pub fn section(&self, jurisdiction: &str) -> String {
        let kind = self.kind.word();
        let mut text = format!(
            "\n[[backend]]\nname = \"{}\"\nkind = \"{kind}\"\nprovider = \"{kind}-{jurisdiction}\"\n\
             jurisdiction = \"{jurisdiction}\"\n",
            self.name
        );
        let endpoint = self.proxy.as_ref().map(|proxy| proxy.url().to_owned()).or_else(|| self.endpoint());
        let endpoint = endpoint.unwrap_or_default();
        let variable = self.variable();
        let _ = match &self.at {
            At::Disk(path) => writeln!(text, "path = \"{}\"", path.display()),
            At::S3(s3) => writeln!(
                text,
                "bucket = \"{}\"\nregion = \"{}\"\nendpoint = \"{endpoint}\"\npath_style = true\n\
                 access_key_id_env = \"{variable}_ID\"\nsecret_access_key_env = \"{variable}_SECRET\"",
                s3.bucket, s3.region
            ),
            At::Azure(azure) => writeln!(
                text,
                "container = \"{}\"\naccount = \"{}\"\nendpoint = \"{endpoint}\"\naccount_key_env = \"{variable}_SECRET\"",
                azure.container, azure.account
            ),
            At::Gcs(gcs) => {
                writeln!(text, "bucket = \"{}\"\nendpoint = \"{endpoint}\"\nanonymous = true", gcs.bucket)
            }
        };
        text
    }

    /// What its section names in the environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        let variable = self.variable();
        match &self.at {
            At::Disk(_) | At::Gcs(_) => Vec::new(),
            At::S3(s3) => vec![
                (format!("{variable}_ID"), s3.access_key.clone()),
                (format!("{variable}_SECRET"), s3.secret_key.clone()),
            ],
            At::Azure(azure) => vec![(format!("{variable}_SECRET"), azure.key.clone())],
        }
    }

    fn variable(&self) -> String {
        format!("DRILL_{}", self.name.to_uppercase().replace(['-', '.'], "_"))
    }

    /// Somebody who looks at it past all proxies, over a connection of their own.
    pub fn visitor(&self, bench: &Bench) -> Result<Visitor> {
        Ok(match &self.at {
            At::Disk(path) => Visitor::Disk(disk::Disk::new(bench, path)),
            At::S3(s3) => Visitor::S3(Box::new(s3::Bucket::new(bench, s3)?)),
            At::Azure(azure) => Visitor::Azure(Box::new(azure::Container::new(bench, azure)?)),
            At::Gcs(gcs) => Visitor::Gcs(Box::new(gcs::Bucket::new(bench, gcs)?)),
        })
    }

    /// Every object with its size, the marker left out.
    pub async fn objects(&self, bench: &Bench) -> Result<BTreeMap<String, u64>> {
        let objects = self.visitor(bench)?.list().await;
        let mut objects = objects.with_context(|| format!("{} cannot be listed", self.name))?;
        objects.retain(|name, _| !name.contains(super::MARKER));
        Ok(objects)
    }

    /// Removes every object, the marker included: emulators keep what nobody removes until they stop.
    pub async fn clear(&self, bench: &Bench) -> Result<()> {
        let names: Vec<_> = self.visitor(bench)?.list().await?.into_keys().collect();
        let names = Arc::new(Mutex::new(names));
        let mut tasks = Vec::new();
        for _ in 0..CLEARED_AT_ONCE {
            let (mut visitor, names) = (self.visitor(bench)?, Arc::clone(&names));
            tasks.push(bench.world.spawn(async move {
                loop {
                    let Some(name) = names.lock().unwrap_or_else(PoisonError::into_inner).pop() else {
                        return Ok::<_, anyhow::Error>(());
                    };
                    visitor.delete(&name).await?;
                }
            }));
        }
        for task in tasks {
            task.await.context("a visitor ended before its time")??;
        }
        Ok(())
    }

    /// Every object with its bytes, the marker included: for places that are small.
    pub async fn contents(&self, bench: &Bench) -> Result<BTreeMap<String, Bytes>> {
        let mut visitor = self.visitor(bench)?;
        let mut contents = BTreeMap::new();
        for name in visitor.list().await?.into_keys() {
            match visitor.get(&name).await {
                Ok(bytes) => {
                    contents.insert(name, bytes);
                }
                // Whose objects they are may remove some of them in the meantime.
                Err(error) => {
                    if visitor.list().await?.contains_key(&name) {
                        return Err(error.context(format!("{name} of {} cannot be read", self.name)));
                    }
                }
            }
        }
        Ok(contents)
    }
}
