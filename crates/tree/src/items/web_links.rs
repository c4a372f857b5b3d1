//! Web links: items that lead elsewhere. They have a URL where files have content, and nothing in the vault.

use super::place::{NameRule, check_name, settle};
use crate::grant::Upload;
use crate::limits::{DESCRIPTION_CHARS_MAX, URL_BYTES_MAX};
use crate::view::view_inside;
use crate::{Caller, Error, ItemView, Kind, Tree, allow};
use entente_database::events::EventKind;
use entente_database::items::{self, Item};
use entente_model::{ItemId, ItemName};

/// What a URL may begin with, in letters of either case.
const SCHEMES: [&str; 2] = ["http://", "https://"];

/// A web link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebLink {
    /// Its name.
    pub name: ItemName,
    /// Where it leads: `http://` or `https://` and a host, without spaces and control characters, of at most
    /// `limits::URL_BYTES_MAX` bytes. Nobody asks there whether there is anything.
    pub url: String,
    /// What is said of it, of at most `limits::DESCRIPTION_CHARS_MAX` characters; may be empty.
    pub description: String,
}

impl Tree {
    /// Makes a web link.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the parent. `NameInUse`; `Invalid` for what is no such URL, and for a
    /// description that is too long.
    pub async fn create_web_link(
        &self,
        caller: &Caller,
        parent: ItemId,
        new: NewWebLink,
        rule: NameRule,
    ) -> Result<ItemView, Error> {
        check_url(&new.url)?;
        if new.description.chars().count() > DESCRIPTION_CHARS_MAX {
            return Err(Error::Invalid("the description is too long"));
        }
        let (caller, stamp, id) = (caller.clone(), self.stamp(), ItemId::new(self.world.next_id()));
        self.database
            .transact("create web link", move |tx| {
                let folder = allow::<Upload>(tx, &caller, parent)?.of(Kind::Folder)?;
                let mut item = Item::new(id, Kind::WebLink, new.name.clone(), caller.user, stamp.at);
                item.parent = Some(parent);
                item.url.clone_from(&new.url);
                item.description.clone_from(&new.description);
                check_name(tx, folder.inside(), (item.kind, &item.name), rule, None)?;
                items::insert(tx, &item)?;
                settle(tx, &folder, id, 0)?;
                stamp.record(tx, &caller, EventKind::Created, id, None)?;
                view_inside(tx, folder.inside(), item)
            })
            .await
    }
}

/// `Invalid` for what a web link may not lead to: other schemes run programs, or read what is on the reader's machine.
pub(super) fn check_url(url: &str) -> Result<(), Error> {
    if url.len() > URL_BYTES_MAX {
        return Err(Error::Invalid("the URL is too long"));
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::Invalid("the URL has a space or a control character"));
    }
    let rest = SCHEMES.iter().find_map(|scheme| {
        let begin = url.get(..scheme.len())?;
        if begin.eq_ignore_ascii_case(scheme) { url.get(scheme.len()..) } else { None }
    });
    let rest = rest.ok_or(Error::Invalid("the URL does not begin with http:// or https://"))?;
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or("");
    if host.is_empty() || host.starts_with(':') { Err(Error::Invalid("the URL names no host")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::check_url;
    use crate::limits::URL_BYTES_MAX;

    #[test]
    fn a_url_leads_to_a_host_by_http() {
        for good in
            ["http://a", "HTTPS://example.com:8443/a/b?c=d#e", "https://user@example.com/", "https://\u{e9}.example"]
        {
            assert!(check_url(good).is_ok(), "{good}");
        }
        let long = format!("https://a/{}", "b".repeat(URL_BYTES_MAX - 10));
        assert!(check_url(&long).is_ok());
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http:/a",
            "https://",
            "https:///a",
            "https://?a",
            "https://:80/",
            "https://a@",
            "https://a b",
            "https://a\nb",
            " https://a",
            "https://a\u{0}",
            &format!("{long}c"),
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
