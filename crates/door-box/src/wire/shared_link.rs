//! Shared links: what a client asks of one, how one is shown, and the header with which somebody comes by one.

use super::date::{Date, DateText, Zone};
use super::request::{given, object};
use entente_model::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;

/// For whom a link is, by Box's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Whoever has the URL.
    Open,
    /// The users of the owner's enterprise.
    Company,
    /// Those who have a role on the item anyway.
    Collaborators,
}

impl Access {
    /// Box's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Company => "company",
            Self::Collaborators => "collaborators",
        }
    }
}

/// What a link is to be: `shared_link` of a `PUT`.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SharedLinkAsked {
    /// For whom.
    pub access: Option<Access>,
    /// `Some(None)` for `null`, which takes the password away.
    #[serde(deserialize_with = "given")]
    pub password: Option<Option<String>>,
    /// `Some(None)` for `null`, which takes the name away.
    #[serde(deserialize_with = "given")]
    pub vanity_name: Option<Option<String>>,
    /// `Some(None)` for `null`: it never ends.
    #[serde(deserialize_with = "given")]
    pub unshared_at: Option<Option<DateText>>,
    /// What may be done by it.
    #[serde(deserialize_with = "object")]
    pub permissions: Option<Option<PermissionsAsked>>,
}

/// What may be done by a link. That it may be looked at goes without saying.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PermissionsAsked {
    /// Take contents along.
    pub can_download: Option<bool>,
    /// Give a file new versions.
    pub can_edit: Option<bool>,
}

/// A link as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct SharedLink<'a> {
    /// What every URL begins with: no slash at its end.
    pub base: &'a str,
    /// What its own ends with.
    pub token: &'a str,
    /// A name instead of that.
    pub vanity: Option<&'a str>,
    /// What the file's name ends with, after the dot, if it has one; `None` for what is no file that may be downloaded.
    pub extension: Option<&'a str>,
    /// For whom it was made.
    pub access: Access,
    /// For whom it is.
    pub effective: Access,
    /// When it ends by itself.
    pub unshared_at: Option<Timestamp>,
    /// Whether it has a password.
    pub has_password: bool,
    /// Whether contents may be taken along.
    pub can_download: bool,
    /// Whether a file may be given new versions.
    pub can_edit: bool,
    /// Where dates are shown.
    pub zone: &'a Zone,
}

impl Serialize for SharedLink<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Permissions {
            can_preview: bool,
            can_download: bool,
            can_edit: bool,
        }
        #[derive(Serialize)]
        struct Shape<'a> {
            url: String,
            download_url: Option<String>,
            vanity_url: Option<String>,
            vanity_name: Option<&'a str>,
            effective_access: Access,
            effective_permission: &'static str,
            is_password_enabled: bool,
            unshared_at: Option<Date<'a>>,
            download_count: u64,
            preview_count: u64,
            access: Access,
            permissions: Permissions,
        }
        let Self { base, token, .. } = self;
        let dot = |extension: &str| if extension.is_empty() { String::new() } else { format!(".{extension}") };
        Shape {
            url: format!("{base}/s/{token}"),
            download_url: self.extension.map(|extension| format!("{base}/shared/static/{token}{}", dot(extension))),
            vanity_url: self.vanity.map(|name| format!("{base}/v/{name}")),
            vanity_name: self.vanity,
            effective_access: self.effective,
            effective_permission: match (self.can_edit, self.can_download) {
                (true, _) => "can_edit",
                (false, true) => "can_download",
                (false, false) => "can_preview",
            },
            is_password_enabled: self.has_password,
            unshared_at: self.unshared_at.map(|at| Date { at, zone: self.zone }),
            // Nobody counts.
            download_count: 0,
            preview_count: 0,
            access: self.access,
            permissions: Permissions { can_preview: true, can_download: self.can_download, can_edit: self.can_edit },
        }
        .serialize(serializer)
    }
}

/// The extension of a file's name as it may stand in a URL without being written in another way; empty without one.
#[must_use]
pub fn extension(name: &str) -> &str {
    let (_, found) = name.rsplit_once('.').unwrap_or(("", ""));
    let is_plain = found.len() <= 16 && found.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain { found } else { "" }
}

/// What the URL of a link says of it. Not to be printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Named {
    /// `…/s/…`
    Token(String),
    /// `…/v/…`
    Vanity(String),
}

/// What somebody comes with: a link, and its password if they say one. Not to be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// The link.
    pub link: Named,
    /// Its password.
    pub password: Option<String>,
}

/// The header names no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the 'BoxApi' header must be 'shared_link=[link]&shared_link_password=[password]'")]
pub struct MalformedShown;

impl Shown {
    /// Reads the value of a `BoxApi` header. Some clients percent-encode what they put into it, and some do not: a plus sign
    /// is one, and a password goes on to the end.
    pub fn parse(value: &str) -> Result<Self, MalformedShown> {
        const PASSWORD: &str = "&shared_link_password=";
        let rest = value.trim().strip_prefix("shared_link=").ok_or(MalformedShown)?;
        let (link, password) = match rest.split_once(PASSWORD) {
            Some((link, password)) => (link, Some(decoded(password)).filter(|password| !password.is_empty())),
            None => (rest, None),
        };
        Ok(Self { link: named(&decoded(link)).ok_or(MalformedShown)?, password })
    }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes()).next().map_or(String::new(), |(name, _)| Cow::into_owned(name))
}

/// Whatever host it names: we may be reached by several.
fn named(url: &str) -> Option<Named> {
    let path = url.split(['?', '#']).next()?.trim_end_matches('/');
    let mut segments = path.rsplit('/');
    let (last, before) = (segments.next()?, segments.next()?);
    match before {
        _ if last.is_empty() => None,
        "s" => Some(Named::Token(last.to_owned())),
        "v" => Some(Named::Vanity(last.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request::{Change, parse};
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_link_is_named_by_its_url_encoded_or_not() {
        let plain = Shown::parse("shared_link=https://acme.example/box/s/abc").ok().unwrap();
        assert!(plain.link == Named::Token("abc".to_owned()) && plain.password.is_none());
        let encoded = "shared_link=https%3A%2F%2Facme.example%2Fv%2Four-plans%3Fx&shared_link_password=a%26b%20c";
        let encoded = Shown::parse(encoded).ok().unwrap();
        assert!(encoded.link == Named::Vanity("our-plans".to_owned()));
        assert_eq!(encoded.password.as_deref(), Some("a&b c"));
        let odd = Shown::parse("shared_link=https://a/s/b/&shared_link_password=1+1=2&100%!").ok().unwrap();
        assert_eq!(odd.password.as_deref(), Some("1+1=2&100%!"));
        for bad in ["", "x", "shared_link=", "shared_link=abc", "shared_link=https://a/s/", "shared_link=https://a/x/b"]
        {
            assert!(Shown::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_and_null_are_told_apart() {
        let change: Change = parse(b"{}").unwrap();
        assert!(change.shared_link.is_none());
        let change: Change = parse(br#"{"shared_link":null}"#).unwrap();
        assert!(change.shared_link == Some(None));
        let change: Change = parse(br#"{"shared_link":{"password":null}}"#).unwrap();
        let asked = change.shared_link.flatten().unwrap();
        assert!(asked == SharedLinkAsked { password: Some(None), ..SharedLinkAsked::default() });
        assert!(parse::<Change>(br#"{"shared_link":{"access":"everybody"}}"#).is_err());
        assert!(parse::<Change>(br#"{"shared_link":7}"#).is_err());
    }

    #[test]
    fn an_extension_is_one_that_urls_have() {
        let all = ["a.pdf", "a", "a.", "a.b/c", "a.tar.gz", "a.ü", "a.012345678901234567"].map(extension);
        assert_eq!(all, ["pdf", "", "", "", "gz", "", ""]);
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd(text in any::<String>()) {
            let _ = Shown::parse(&text);
        }
    }
}
