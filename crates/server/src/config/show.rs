//! What is in force, without secrets: there are none in a configuration, only where they are.

use super::storage::PolicyConfig;
use super::{Config, cloud};
use crate::span::Span;
use entente_clouds::registry::Configuration;
use entente_clouds::{SecretSource, azure, gcs, s3};
use entente_vault::topology::OnPrimaryDown;
use serde_json::{Value, json};
use std::time::Duration;

impl Config {
    /// All of it, defaults included.
    pub(crate) fn to_json(&self) -> Value {
        let span = |span: Duration| Span(span).to_string();
        let proxies: Vec<_> = self.trusted_proxies.iter().map(|network| format!("{network:?}")).collect();
        json!({
            "file": self.file,
            "data": self.data,
            "listen": self.listen.map(|address| address.to_string()),
            "public_url": self.public_url.as_ref().map(ToString::to_string),
            "trusted_proxies": proxies,
            "tls": {
                "self_signed": self.tls.self_signed, "certificate": self.tls.certificate, "key": self.tls.key,
            },
            "s3": {
                "listen": self.s3.listen.map(|address| address.to_string()), "host": self.s3.host,
            },
            "limits": {
                "connections": self.limits.connections,
                "file_bytes": self.limits.file_bytes,
                "upload_budget_bytes": self.limits.upload_budget_bytes,
                "drain": self.limits.drain.map(|drain| drain.to_string()),
            },
            "upkeep": {
                "collect": self.upkeep.collect.to_string(),
                "grace": self.upkeep.grace.to_string(),
                "repack": self.upkeep.repack.to_string(),
                "expire": self.upkeep.expire.to_string(),
                "trash": self.upkeep.trash.to_string(),
                "events": self.upkeep.events.to_string(),
                "scrub": self.upkeep.scrub.to_string(),
                "scrub_bytes_per_second": self.upkeep.scrub_bytes_per_second,
                "leave_grace": self.upkeep.leave_grace.to_string(),
                "bytes_per_second": self.upkeep.bytes_per_second,
                "parallel": self.upkeep.parallel,
            },
            "database": {
                "url": self.database.url,
                "password": self.database.password.as_ref().map(secret),
                "readers": self.database.readers,
                "writers": self.database.writers,
            },
            "reads": { "hedge_after": self.reads.hedge_after.map(span) },
            "writes": { "failover_after": self.writes.failover_after.map(span) },
            "health": {
                "failures_max": self.health.failures_max,
                "probe_after": self.health.probe_after.map(span),
                "probe_after_max": self.health.probe_after_max.map(span),
                "slow_from": self.health.slow_from.map(span),
            },
            "mail": self.mail.to_json(secret),
            "webhooks": { "allow_private": self.webhooks.allow_private },
            "subscription_targets": self.targets.iter().map(|target| target.to_json(secret)).collect::<Vec<_>>(),
            "declared": self.declares_storage,
            "custodians": self.storage.custodians.iter().map(|custodian| json!({
                "name": custodian.name, "kind": "local", "provider": custodian.provider, "path": custodian.path,
            })).collect::<Vec<_>>(),
            "backends": self.storage.backends.iter().map(|backend| json!({
                "name": backend.name,
                "kind": cloud::kind(&backend.place),
                "provider": backend.provider,
                "provider_home": backend.provider_home,
                "jurisdiction": backend.jurisdiction,
                "rank": backend.rank,
                "requests_max": backend.requests_max,
                "timeout": backend.timeout.map(span),
                "adopt": backend.adopt,
                "place": place(&backend.place),
            })).collect::<Vec<_>>(),
            "zones": self.storage.zones.iter().map(|zone| json!({
                "name": zone.name,
                "jurisdiction": zone.jurisdiction,
                "backends": zone.backends,
                "custodian": zone.custodian,
            })).collect::<Vec<_>>(),
            "policies": self.storage.policies.iter().map(PolicyConfig::to_json).collect::<Vec<_>>(),
        })
    }
}

impl PolicyConfig {
    /// As it is declared, defaults included.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "zone": self.zone,
            "primary": self.primary,
            "replicas": self.replicas,
            "durable": self.durable,
            "providers_min": self.providers_min,
            "no_foreign_holder": self.no_foreign_holder,
            "on_primary_down": on_primary_down(self.on_primary_down),
            "default": self.is_default,
        })
    }
}

/// The word for it.
const fn on_primary_down(choice: OnPrimaryDown) -> &'static str {
    match choice {
        OnPrimaryDown::UseReplica => "use_replica",
        OnPrimaryDown::Refuse => "refuse",
    }
}

/// Where a secret is.
fn secret(source: &SecretSource) -> Value {
    match source {
        SecretSource::Environment(name) => json!({ "env": name }),
        SecretSource::File(path) => json!({ "file": path }),
    }
}

fn place(place: &Configuration) -> Value {
    match place {
        Configuration::Fs { root } => json!({ "path": root }),
        Configuration::Memory => json!({}),
        Configuration::S3(s3) => json!({
            "bucket": s3.bucket,
            "region": s3.region,
            "endpoint": s3.endpoint,
            "path_style": s3.addressing == s3::Addressing::Path,
            "prefix": s3.prefix,
            "credential": match &s3.credential {
                s3::Credential::Chain => json!("chain"),
                s3::Credential::Anonymous => json!("anonymous"),
                s3::Credential::Keys { access_key_id, secret_access_key, session_token } => json!({
                    "access_key_id": secret(access_key_id),
                    "secret_access_key": secret(secret_access_key),
                    "session_token": session_token.as_ref().map(secret),
                }),
            },
            "proxy": s3.connection.proxy,
            "ca_file": s3.connection.ca_file,
        }),
        Configuration::Azure(azure) => json!({
            "container": azure.container,
            "account": azure.account,
            "endpoint": azure.endpoint,
            "prefix": azure.prefix,
            "credential": match &azure.credential {
                azure::Credential::Chain => json!("chain"),
                azure::Credential::Anonymous => json!("anonymous"),
                azure::Credential::AccountKey(source) => json!({ "account_key": secret(source) }),
                azure::Credential::SasToken(source) => json!({ "sas_token": secret(source) }),
            },
            "proxy": azure.connection.proxy,
            "ca_file": azure.connection.ca_file,
        }),
        Configuration::Gcs(gcs) => json!({
            "bucket": gcs.bucket,
            "endpoint": gcs.endpoint,
            "prefix": gcs.prefix,
            "credential": match &gcs.credential {
                gcs::Credential::Chain => json!("chain"),
                gcs::Credential::Anonymous => json!("anonymous"),
                gcs::Credential::KeyFile(source) => json!({ "credential": secret(source) }),
            },
            "proxy": gcs.connection.proxy,
            "ca_file": gcs.connection.ca_file,
        }),
    }
}
