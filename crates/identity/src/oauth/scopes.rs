//! Names of scopes: ours, and those that Box's apps ask for.

use super::{OAuthError, OAuthErrorKind};
use entente_model::Scopes;

/// Longer texts are not looked at.
const TEXT_BYTES_MAX: usize = 2_048;

const READS: Scopes = Scopes::READ.with(Scopes::DOWNLOAD);
const WRITES: Scopes = READS.with(Scopes::UPLOAD).with(Scopes::CHANGE).with(Scopes::DELETE).with(Scopes::SHARE);

/// What the apps of Box's developer console are configured with.
const OF_APPS: &[(&str, Scopes)] = &[
    ("root_readonly", READS),
    ("root_readwrite", WRITES),
    ("manage_managed_users", Scopes::ADMINISTER),
    ("manage_app_users", Scopes::ADMINISTER),
    ("manage_groups", Scopes::ADMINISTER),
    ("manage_enterprise_properties", Scopes::ADMINISTER),
    ("manage_data_retention", Scopes::ADMINISTER),
    ("manage_legal_hold", Scopes::ADMINISTER),
    // What a webhook tells of is limited by what its maker may see, and so is nothing of its own.
    ("manage_webhook", Scopes::NONE),
    ("manage_triggers", Scopes::NONE),
    ("sign_requests.readwrite", Scopes::NONE),
    ("ai.readwrite", Scopes::NONE),
    ("admin_readwrite", WRITES.with(Scopes::ADMINISTER)),
    ("admin_readonly", READS.with(Scopes::ADMINISTER)),
];

/// What weaker tokens are made with. Each sees its item, as it does at Box.
const OF_ITEMS: &[(&str, Scopes)] = &[
    ("base_explorer", Scopes::READ),
    ("base_picker", Scopes::READ),
    ("base_preview", Scopes::READ),
    ("base_sidebar", Scopes::READ),
    ("base_upload", Scopes::READ.with(Scopes::UPLOAD)),
    ("item_read", Scopes::READ),
    ("item_preview", Scopes::READ),
    ("item_download", READS),
    ("item_upload", Scopes::READ.with(Scopes::UPLOAD)),
    ("item_rename", Scopes::READ.with(Scopes::CHANGE)),
    ("item_delete", Scopes::READ.with(Scopes::DELETE)),
    ("item_share", Scopes::READ.with(Scopes::SHARE)),
    ("annotation_edit", Scopes::READ),
    ("annotation_view_all", Scopes::READ),
    ("annotation_view_self", Scopes::READ),
];

/// What the names mean together. `InvalidScope` when one is not known.
pub(super) fn parse(text: &str) -> Result<Scopes, OAuthError> {
    let refusal = || OAuthError::new(OAuthErrorKind::InvalidScope, "The scope parameter names an unknown scope");
    if text.len() > TEXT_BYTES_MAX {
        return Err(refusal());
    }
    text.split_ascii_whitespace().try_fold(Scopes::NONE, |scopes, word| {
        let known = OF_ITEMS.iter().chain(OF_APPS).find(|(name, _)| *name == word);
        let meant = known.map(|(_, scopes)| *scopes).or_else(|| word.parse().ok());
        meant.map(|meant| scopes.with(meant)).ok_or_else(refusal)
    })
}

/// What an app that is registered for `most` gets when it asks with this text: all of it when it asks for nothing, and never
/// more. `InvalidScope` when a name is not known, or nothing is left.
pub(super) fn granted(text: Option<&str>, most: Scopes) -> Result<Scopes, OAuthError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(most) };
    let scopes = parse(text)?.within(most);
    if scopes == Scopes::NONE {
        let message = "The app is registered for none of the scopes that it asks for";
        return Err(OAuthError::new(OAuthErrorKind::InvalidScope, message));
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::{granted, parse};
    use entente_model::Scopes;

    #[test]
    fn names_of_both_kinds_are_known() {
        let some = Scopes::READ.with(Scopes::CHANGE);
        assert_eq!(parse("item_preview  item_rename").ok(), Some(some));
        assert_eq!(parse("read change").ok(), Some(some));
        assert_eq!(parse("").ok(), Some(Scopes::NONE));
        assert!(parse("root_readwrite everything").is_err());
        assert!(parse(&"read ".repeat(1_000)).is_err());
    }

    #[test]
    fn nobody_gets_more_than_is_registered() {
        assert_eq!(granted(None, Scopes::READ).ok(), Some(Scopes::READ));
        assert_eq!(granted(Some("root_readwrite"), Scopes::READ).ok(), Some(Scopes::READ));
        assert!(granted(Some("item_delete"), Scopes::UPLOAD).is_err());
    }
}
