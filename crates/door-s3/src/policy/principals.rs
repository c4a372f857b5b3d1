//! Who is meant.

use super::document::Principal;
use entente_model::UserId;
use entente_tree::rules::Who;
use std::collections::BTreeSet;

/// How a user's name begins in this language; then the account, which nothing here depends on, and `:user/` with the id.
const USER: [&str; 2] = ["arn:aws:iam::", "arn:entente:iam::"];

/// Of whom a statement speaks.
pub(super) fn who_of(principal: Principal) -> Result<Who, String> {
    let invalid = || "Invalid principal in policy".to_owned();
    let kinds = match principal {
        Principal::Text(text) if text == "*" => return Ok(Who::Everyone),
        Principal::Text(_) => return Err(invalid()),
        Principal::Kinds(kinds) => kinds.0,
    };
    let (mut users, mut everyone) = (BTreeSet::new(), false);
    for (kind, names) in kinds {
        for name in names.0 {
            match kind.as_str() {
                "AWS" if name == "*" => everyone = true,
                "AWS" => {
                    users.insert(user_of(&name).ok_or_else(invalid)?);
                }
                "CanonicalUser" => {
                    users.insert(name.parse::<UserId>().map_err(|_| invalid())?);
                }
                _ => return Err(format!("Principals of the kind {kind} are not served")),
            }
        }
    }
    match (everyone, users.is_empty()) {
        (true, _) => Ok(Who::Everyone),
        (false, false) => Ok(Who::Users(users)),
        (false, true) => Err(invalid()),
    }
}

/// A user by the id alone, or by a name of the language that ends in the id. Each user is an account of their own, so that
/// the account itself means the user too.
fn user_of(name: &str) -> Option<UserId> {
    if let Ok(user) = name.parse() {
        return Some(user);
    }
    let (account, rest) = after_account(name)?;
    if rest == "root" { account.parse().ok() } else { rest.strip_prefix("user/")?.parse().ok() }
}

/// The account, and what stands behind it.
pub(super) fn after_account(name: &str) -> Option<(&str, &str)> {
    USER.iter().find_map(|begin| name.strip_prefix(begin))?.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::user_of;
    use entente_model::UserId;

    #[test]
    fn a_user_is_called_by_the_id() {
        for (name, expected) in [
            ("7", Some(7)),
            ("arn:aws:iam::123456789012:user/7", Some(7)),
            ("arn:entente:iam:::user/7", Some(7)),
            ("arn:aws:iam::7:root", Some(7)),
            ("arn:aws:iam::7:user/ada", None),
            ("arn:aws:iam::7:role/7", None),
            ("arn:aws:sts::7:user/7", None),
            ("07", None),
            ("-7", None),
            ("", None),
        ] {
            assert_eq!(user_of(name), expected.map(UserId::new), "{name}");
        }
    }
}
