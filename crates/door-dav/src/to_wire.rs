//! What an item looks like in a multi-status: its live properties, those that clients set, and its locks.

use crate::asked::Asked;
use crate::conditions::etag;
use crate::wire::bodies::Find;
use crate::wire::date::{HttpDate, IsoDate};
use crate::wire::headers::TOKEN_PREFIX;
use crate::wire::xml::{DAV, Name, escape};
use entente_door_kit::media_type;
use entente_tree::limits::LOCKS_COVERING_MAX;
use entente_tree::{Kind, Lock, LockDepth, Object, Property, Sharing, Tree, User};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Clients of ownCloud and Nextcloud look for some properties in this namespace.
const OWNCLOUD: &str = "http://owncloud.org/ns";

/// How a multi-status begins.
pub(crate) const MULTISTATUS_HEAD: &str =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">";
/// How it ends.
pub(crate) const MULTISTATUS_TAIL: &str = "</D:multistatus>\n";

/// A property that follows from what an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Live {
    CreationDate,
    DisplayName,
    ContentLength,
    ContentType,
    ETag,
    LastModified,
    ResourceType,
    SupportedLock,
    LockDiscovery,
    QuotaUsed,
    QuotaAvailable,
    Checksums,
    Id,
    FileId,
    Permissions,
    Size,
}

impl Live {
    /// With their names, those first that `allprop` answers.
    const ALL: [(&'static str, &'static str, Self); 16] = [
        (DAV, "creationdate", Self::CreationDate),
        (DAV, "displayname", Self::DisplayName),
        (DAV, "getcontentlength", Self::ContentLength),
        (DAV, "getcontenttype", Self::ContentType),
        (DAV, "getetag", Self::ETag),
        (DAV, "getlastmodified", Self::LastModified),
        (DAV, "resourcetype", Self::ResourceType),
        (DAV, "supportedlock", Self::SupportedLock),
        (DAV, "lockdiscovery", Self::LockDiscovery),
        (DAV, "quota-used-bytes", Self::QuotaUsed),
        (DAV, "quota-available-bytes", Self::QuotaAvailable),
        (OWNCLOUD, "checksums", Self::Checksums),
        (OWNCLOUD, "id", Self::Id),
        (OWNCLOUD, "fileid", Self::FileId),
        (OWNCLOUD, "permissions", Self::Permissions),
        (OWNCLOUD, "size", Self::Size),
    ];
    /// How many of them `allprop` answers (RFC 4331 section 2 leaves out quotas).
    const USUAL: usize = 9;

    /// The live property of that name.
    pub(crate) fn named(name: &Name) -> Option<Self> {
        let found =
            Self::ALL.iter().find(|(namespace, local, _)| &*name.namespace == *namespace && name.local == *local);
        found.map(|(.., live)| *live)
    }

    fn name(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(.., live)| *live == self);
        found.map_or((DAV, ""), |(namespace, local, _)| (*namespace, *local))
    }
}

/// Which properties that clients set are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dead {
    None,
    All,
    These(Vec<Name>),
}

/// What a request asks of each item.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) lives: Vec<Live>,
    pub(crate) dead: Dead,
    /// Whether only names are told.
    pub(crate) names_only: bool,
    /// Whether what an item does not have is told as missing.
    pub(crate) tells_missing: bool,
}

impl Wish {
    pub(crate) fn of(find: &Find) -> Self {
        let usual = || Live::ALL.iter().take(Live::USUAL).map(|(.., live)| *live).collect::<Vec<_>>();
        match find {
            Find::All(more) => {
                let mut lives = usual();
                lives.extend(more.iter().filter_map(Live::named).filter(|live| !usual().contains(live)));
                Self { lives, dead: Dead::All, names_only: false, tells_missing: false }
            }
            Find::Names => {
                let lives = Live::ALL.iter().map(|(.., live)| *live).collect();
                Self { lives, dead: Dead::All, names_only: true, tells_missing: false }
            }
            Find::These(names) => {
                let lives = names.iter().filter_map(Live::named).collect();
                let others: Vec<Name> = names.iter().filter(|name| Live::named(name).is_none()).cloned().collect();
                let dead = if others.is_empty() { Dead::None } else { Dead::These(others) };
                Self { lives, dead, names_only: false, tells_missing: true }
            }
        }
    }

    pub(crate) fn has(&self, live: Live) -> bool {
        self.lives.contains(&live)
    }
}

/// A lock, and the URL of what is locked by it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) lock: Lock,
    pub(crate) root: String,
    /// How long it still lives.
    pub(crate) lives_for: Duration,
}

/// How much a user stores, and may still store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) used: u64,
    pub(crate) available: Option<u64>,
}

impl Quota {
    pub(crate) fn of(user: &User) -> Self {
        let available = user.space_limit.map(|limit| limit.saturating_sub(user.space_used));
        Self { used: user.space_used, available }
    }
}

/// An item, and what is told of it besides.
pub(crate) struct Thing<'t> {
    pub(crate) object: &'t Object,
    pub(crate) href: &'t str,
    pub(crate) quota: Option<Quota>,
    pub(crate) locks: &'t [Arc<Shown>],
    pub(crate) properties: &'t [Property],
}

/// What a file is called when nobody asked the tree for its media type.
pub(crate) fn content_type(object: &Object) -> &str {
    let said = object.facts.as_ref().and_then(|facts| facts.content_type.as_deref());
    said.unwrap_or_else(|| media_type::of(object.view.item.name.as_str()))
}

/// Appends the answer about one item.
pub(crate) fn response(out: &mut String, wish: &Wish, thing: &Thing<'_>) {
    out.push_str("<D:response><D:href>");
    // A URL of ours is encoded, and so free of what XML would read.
    out.push_str(thing.href);
    out.push_str("</D:href><D:propstat><D:prop>");
    let before = out.len();
    let mut missing: Vec<(&str, &str)> = Vec::new();
    for live in &wish.lives {
        if wish.names_only {
            if has(*live, thing) {
                let (namespace, local) = live.name();
                open_name(out, namespace, local, "/>");
            }
        } else if !self::live(out, *live, thing) {
            missing.push(live.name());
        }
    }
    match &wish.dead {
        Dead::None => {}
        Dead::All if wish.names_only => {
            for name in thing.properties.iter().filter_map(|property| Name::of_key(&property.name)) {
                open_name(out, &name.namespace, &name.local, "/>");
            }
        }
        Dead::All => thing.properties.iter().for_each(|property| out.push_str(&property.value)),
        Dead::These(names) => {
            for name in names {
                let key = name.key();
                match thing.properties.iter().find(|property| property.name == key) {
                    Some(property) => out.push_str(&property.value),
                    None => missing.push((&name.namespace, &name.local)),
                }
            }
        }
    }
    let found = out.len() > before;
    let tells_missing = wish.tells_missing && !missing.is_empty();
    if found || !tells_missing {
        out.push_str("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>");
    }
    if tells_missing {
        if found {
            out.push_str("<D:propstat><D:prop>");
        }
        for (namespace, local) in missing {
            open_name(out, namespace, local, "/>");
        }
        out.push_str("</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>");
    }
    out.push_str("</D:response>");
}

/// Appends the beginning of an element of that name, up to its end or that of its start tag.
pub(crate) fn open_name(out: &mut String, namespace: &str, local: &str, end: &str) {
    if namespace == DAV {
        out.push_str("<D:");
        out.push_str(local);
    } else {
        out.push('<');
        out.push_str(local);
        out.push_str(" xmlns=\"");
        for letter in namespace.chars() {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '"' => out.push_str("&quot;"),
                letter if letter.is_control() => {
                    let _ = write!(out, "&#{};", u32::from(letter));
                }
                letter => out.push(letter),
            }
        }
        out.push('"');
    }
    out.push_str(end);
}

fn has(live: Live, thing: &Thing<'_>) -> bool {
    let is_file = thing.object.view.item.kind == Kind::File;
    match live {
        Live::ContentLength | Live::ContentType | Live::Checksums | Live::Size => is_file,
        Live::QuotaUsed | Live::QuotaAvailable => !is_file,
        _ => true,
    }
}

/// Appends a live property; `false`, and nothing, if the item has none such.
fn live(out: &mut String, live: Live, thing: &Thing<'_>) -> bool {
    let object = thing.object;
    let item = &object.view.item;
    if !has(live, thing) {
        return false;
    }
    // A String takes whatever is written to it.
    let _ = match live {
        Live::CreationDate => write!(out, "<D:creationdate>{}</D:creationdate>", IsoDate(item.content_created_at)),
        Live::DisplayName => {
            out.push_str("<D:displayname>");
            escape(out, item.name.as_str());
            out.push_str("</D:displayname>");
            Ok(())
        }
        Live::ContentLength => {
            let size = object.view.version.as_ref().map_or(0, |version| version.size);
            write!(out, "<D:getcontentlength>{size}</D:getcontentlength>")
        }
        Live::ContentType => {
            out.push_str("<D:getcontenttype>");
            escape(out, content_type(object));
            out.push_str("</D:getcontenttype>");
            Ok(())
        }
        Live::ETag => write!(out, "<D:getetag>\"{}-{}\"</D:getetag>", item.id, item.sequence),
        Live::LastModified => {
            write!(out, "<D:getlastmodified>{}</D:getlastmodified>", HttpDate(item.content_modified_at))
        }
        Live::ResourceType if item.kind == Kind::Folder => {
            out.push_str("<D:resourcetype><D:collection/></D:resourcetype>");
            Ok(())
        }
        Live::ResourceType => {
            out.push_str("<D:resourcetype/>");
            Ok(())
        }
        Live::SupportedLock => {
            out.push_str(
                "<D:supportedlock><D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>\
                 </D:lockentry><D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype>\
                 </D:lockentry></D:supportedlock>",
            );
            Ok(())
        }
        Live::LockDiscovery => {
            lock_discovery(out, thing.locks);
            Ok(())
        }
        Live::QuotaUsed => match thing.quota {
            Some(quota) => write!(out, "<D:quota-used-bytes>{}</D:quota-used-bytes>", quota.used),
            None => return false,
        },
        Live::QuotaAvailable => match thing.quota.and_then(|quota| quota.available) {
            Some(available) => write!(out, "<D:quota-available-bytes>{available}</D:quota-available-bytes>"),
            None => return false,
        },
        Live::Checksums => return checksums(out, object),
        Live::Id => write!(out, "<id xmlns=\"{OWNCLOUD}\">{}</id>", item.id),
        Live::FileId => write!(out, "<fileid xmlns=\"{OWNCLOUD}\">{}</fileid>", item.id),
        Live::Permissions => {
            let may = if item.kind == Kind::Folder { "RDNVCK" } else { "RDNVW" };
            write!(out, "<permissions xmlns=\"{OWNCLOUD}\">{may}</permissions>")
        }
        Live::Size => {
            let size = object.view.version.as_ref().map_or(0, |version| version.size);
            write!(out, "<size xmlns=\"{OWNCLOUD}\">{size}</size>")
        }
    };
    true
}

/// The checksums that are known of a file's bytes, with spaces between.
pub(crate) fn known_checksums(object: &Object) -> String {
    let sha1 = object.view.version.as_ref().and_then(|version| version.sha1);
    let mut text = sha1.map(|sha1| format!("SHA1:{sha1}")).unwrap_or_default();
    if let Some(md5) = &object.md5 {
        let space = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{space}MD5:{md5}");
    }
    text
}

fn checksums(out: &mut String, object: &Object) -> bool {
    let known = known_checksums(object);
    if known.is_empty() {
        return false;
    }
    let _ = write!(out, "<o:checksums xmlns:o=\"{OWNCLOUD}\"><o:checksum>{known}</o:checksum></o:checksums>");
    true
}

/// Appends the locks that cover an item.
pub(crate) fn lock_discovery(out: &mut String, locks: &[Arc<Shown>]) {
    if locks.is_empty() {
        out.push_str("<D:lockdiscovery/>");
        return;
    }
    out.push_str("<D:lockdiscovery>");
    for shown in locks {
        let Shown { lock, root, lives_for } = &**shown;
        let scope = if lock.sharing == Sharing::Exclusive { "exclusive" } else { "shared" };
        let depth = if lock.depth == LockDepth::Below { "infinity" } else { "0" };
        // Who is told half a second should not take it for nothing.
        let seconds = lives_for.as_millis().div_ceil(1_000);
        let _ = write!(
            out,
            "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>\
             <D:depth>{depth}</D:depth>{}<D:timeout>Second-{seconds}</D:timeout>\
             <D:locktoken><D:href>{TOKEN_PREFIX}{}</D:href></D:locktoken><D:lockroot><D:href>{root}</D:href></D:lockroot>\
             </D:activelock>",
            lock.about, lock.token,
        );
    }
    out.push_str("</D:lockdiscovery>");
}

impl Asked {
    /// Locks as they are shown.
    pub(crate) fn shown(&self, locks: Vec<Lock>) -> Vec<Arc<Shown>> {
        let show = |lock: Lock| {
            let root = self.href_of(lock.item);
            shown(self.tree(), lock, root)
        };
        locks.into_iter().take(LOCKS_COVERING_MAX).map(show).collect()
    }
}

/// A lock of what has that URL, as it is shown.
pub(crate) fn shown(tree: &Tree, lock: Lock, root: String) -> Arc<Shown> {
    let lives_for = tree.lock_lives_for(&lock);
    Arc::new(Shown { lock, root, lives_for })
}

/// The entity tag of an item, with its quotes.
pub(crate) fn quoted_etag(object: &Object) -> String {
    ["\"", &etag(object), "\""].concat()
}
