//! What holds for an enterprise, as far as there is such a thing here.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::access;
use crate::wire::company::{ContentAndSharing, EnterpriseConfiguration, Security, Setting, UserSettings};
use crate::wire::id::Text;
use entente_identity::PASSWORD_LETTERS_MIN;
use entente_model::{Caller, EnterpriseId};
use http::StatusCode;

/// Which of Box's versions this is of.
const VERSION: &str = "2025.0";

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    asked.check_version(VERSION)?;
    let id: EnterpriseId = asked.id("enterprise_id")?;
    let wanted = asked.query().values("categories").join(",");
    let wanted: Vec<&str> = wanted.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if wanted.is_empty() {
        return Err(Problem::missing("categories"));
    }
    if let Some(odd) = wanted.iter().find(|word| !CATEGORIES.contains(word)) {
        return Err(Problem::invalid("categories", format!("'{odd}' is no category")));
    }
    let tree = asked.tree();
    // Who does not administer the enterprise learns nothing of it.
    let rules = tree.link_rules(&caller).await;
    let administers = caller.enterprise == id && caller.role.administers();
    if !administers || wanted.contains(&SHIELD) {
        return Err(Problem::not_found());
    }
    let rules = rules?;
    // With a list, nobody else is let.
    let limited = !tree.allowed_domains(&caller, None, 1).await?.entries.is_empty();
    let mut shown =
        EnterpriseConfiguration { id: Text(id), security: None, content_and_sharing: None, user_settings: None };
    for word in wanted {
        match word {
            "security" => {
                let identity = asked.door.auth().identity();
                let required = identity.is_second_factor_required(id).map_err(Problem::of_identity)?;
                shown.security = Some(Security {
                    is_managed_user_signup_enabled: Setting::is(false),
                    is_multi_factor_auth_required: Setting::is(required),
                    is_weak_password_prevention_enabled: Setting::is(true),
                    is_password_leak_detection_enabled: Setting::is(false),
                    password_min_length: Setting::is(PASSWORD_LETTERS_MIN),
                });
            }
            "content_and_sharing" => {
                shown.content_and_sharing = Some(ContentAndSharing {
                    shared_link_access: Setting::is(access(rules.most).name()),
                    shared_link_default_access: Setting::is(access(rules.usual).name()),
                    external_collaboration_status: Setting::is(if limited {
                        "limit_collaboration_to_allowlisted_domains"
                    } else {
                        "enable_external_collaboration"
                    }),
                    is_watermarking_enterprise_feature_enabled: Setting::is(true),
                    is_invite_privilege_restricted: Setting::is(false),
                    is_email_uploads_enabled: Setting::is(false),
                });
            }
            _ => {
                shown.user_settings = Some(UserSettings {
                    is_unlimited_storage_enabled_for_new_users: Setting::is(true),
                    new_user_default_language: Setting::is("en"),
                    new_user_default_timezone: Setting::is("UTC"),
                });
            }
        }
    }
    Ok(answer::json(StatusCode::OK, &shown))
}

/// What Box asks by.
const CATEGORIES: [&str; 4] = ["security", "content_and_sharing", "user_settings", SHIELD];
/// There is no such thing here: as at Box where it is turned off.
const SHIELD: &str = "shield";
