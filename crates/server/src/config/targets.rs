//! `[[subscription_targets]]`: who may be told of changes, under which names.

use super::reader::Section;
use entente_clouds::SecretSource;
use entente_subscriptions::{ATTEMPTS_MAX, Reach, Target};
use serde_json::{Value, json};

/// Targets that a configuration has at most: each has a loop of its own.
const TARGETS_MAX: usize = 100;
/// Bytes of a target's name.
const NAME_BYTES_MAX: usize = 80;

/// Who may be told of changes.
#[derive(Debug, Clone)]
pub(crate) struct TargetConfig {
    /// How buckets name it.
    pub(crate) name: String,
    /// Where deliveries are posted.
    pub(crate) url: String,
    /// Where the key is with which they are signed.
    pub(crate) secret: SecretSource,
    /// Which addresses it may have.
    pub(crate) reach: Reach,
    /// How often a delivery is tried.
    pub(crate) attempts: u32,
}

impl TargetConfig {
    pub(super) fn take_all(top: &mut Section<'_, '_>) -> Vec<Self> {
        let sections = top.tables("subscription_targets");
        if sections.len() > TARGETS_MAX {
            top.note(1, "subscription_targets", format!("there may be {TARGETS_MAX} at most"));
        }
        let mut targets: Vec<Self> = Vec::new();
        for section in sections {
            if let Some(target) = Self::take(section, &targets) {
                targets.push(target);
            }
        }
        targets
    }

    fn take(mut section: Section<'_, '_>, others: &[Self]) -> Option<Self> {
        let name = section.text("name");
        if let Some(name) = &name {
            section.title(&name.value);
            if !is_name(&name.value) {
                section.note(name.line, "name", "must be 1 to 80 letters, digits, hyphens and underscores");
            }
            if others.iter().any(|other| other.name == name.value) {
                section.note(name.line, "name", "is that of another target");
            }
        }
        let name = section.need("name", name);
        let url = section.text("url");
        if let Some(url) = &url
            && let Err(error) = Target::check(&url.value)
        {
            section.note(url.line, "url", error.to_string());
        }
        let url = section.need("url", url);
        let secret = section.secret("secret", "secret_file", "secret_env");
        if secret.is_none() && !["secret", "secret_file", "secret_env"].iter().any(|field| section.has(field)) {
            section.note(section.line, "secret_file", "is missing (or secret_env)");
        }
        let allow_private = section.flag("allow_private").is_some_and(|at| at.value);
        let attempts = section.number("attempts", 1..=u64::from(ATTEMPTS_MAX));
        section.finish();
        let attempts = attempts.and_then(|at| u32::try_from(at.value).ok()).unwrap_or(ATTEMPTS_MAX);
        let reach = if allow_private { Reach::Anywhere } else { Reach::Public };
        Some(Self { name: name?.value, url: url?.value, secret: secret?, reach, attempts })
    }

    pub(super) fn to_json(&self, secret: impl Fn(&SecretSource) -> Value) -> Value {
        json!({
            "name": self.name,
            "url": self.url,
            "secret": secret(&self.secret),
            "allow_private": self.reach == Reach::Anywhere,
            "attempts": self.attempts,
        })
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
