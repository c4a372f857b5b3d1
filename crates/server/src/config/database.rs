//! `[database]`: where metadata is.

use super::reader::Section;
use entente_clouds::SecretSource;
use entente_database::postgres;

#[derive(Debug, Clone, Default)]
pub(crate) struct DatabaseConfig {
    /// A database on a server; without one, a file in the data directory.
    pub(crate) url: Option<String>,
    /// Where its password is, if it wants one.
    pub(crate) password: Option<SecretSource>,
    /// Connections of this node that read; the usual if not given.
    pub(crate) readers: Option<usize>,
    /// Connections of this node that write.
    pub(crate) writers: Option<usize>,
}

impl DatabaseConfig {
    pub(super) fn take(mut section: Section<'_, '_>) -> Self {
        let url = section.text("url");
        let password = section.secret("password", "password_file", "password_env");
        if let Some(url) = &url {
            if has_password(&url.value) {
                let what = "has a password in it, which does not belong in this file: leave it out, and say \
                            password_file = \"PATH\" or password_env = \"NAME\"; and change it, since others may have \
                            read it here";
                section.note(url.line, "url", what);
            } else if let Err(error) = postgres::Options::parse(&url.value) {
                section.note(url.line, "url", error.to_string());
            }
        }
        let mut count = |field: &'static str| {
            let number = section.number(field, 1..=1_000)?;
            usize::try_from(number.value).ok()
        };
        let (readers, writers) = (count("readers"), count("writers"));
        section.finish();
        Self { url: url.map(|at| at.value), password, readers, writers }
    }
}

fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}
