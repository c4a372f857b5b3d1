//! What the pages say. One file a language; the compiler sees that each says everything.

mod de;
mod en;

use de::DE;
use en::EN;
use entente_door_kit::language::Language;

/// What is said in that language.
pub(crate) const fn messages(language: Language) -> &'static Messages {
    match language {
        Language::English => &EN,
        Language::German => &DE,
    }
}

/// All that is said to people. `{}` stands for something that is put in.
pub(crate) struct Messages {
    pub(crate) sign_in: &'static str,
    pub(crate) sign_in_for: &'static str,
    pub(crate) sign_in_with: &'static str,
    pub(crate) provider_stale: &'static str,
    pub(crate) provider_refused: &'static str,
    pub(crate) provider_unavailable: &'static str,
    pub(crate) sign_in_again: &'static str,
    pub(crate) login: &'static str,
    pub(crate) password: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) wait: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) stale_form: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) sign_out_question: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) signed_in_as: &'static str,
    pub(crate) consent: &'static str,
    pub(crate) consent_text: &'static str,
    pub(crate) consent_place: &'static str,
    pub(crate) allow: &'static str,
    pub(crate) deny: &'static str,
    pub(crate) other_user: &'static str,
    pub(crate) scope_read: &'static str,
    pub(crate) scope_download: &'static str,
    pub(crate) scope_upload: &'static str,
    pub(crate) scope_change: &'static str,
    pub(crate) scope_delete: &'static str,
    pub(crate) scope_share: &'static str,
    pub(crate) scope_administer: &'static str,
    pub(crate) bad_request: &'static str,
    pub(crate) bad_request_text: &'static str,
    pub(crate) unavailable: &'static str,
    pub(crate) unavailable_text: &'static str,
    pub(crate) sessions: &'static str,
    pub(crate) sessions_text: &'static str,
    pub(crate) this_browser: &'static str,
    pub(crate) unknown_browser: &'static str,
    pub(crate) since: &'static str,
    pub(crate) end: &'static str,
    pub(crate) apps: &'static str,
    pub(crate) apps_text: &'static str,
    pub(crate) no_apps: &'static str,
    pub(crate) withdraw: &'static str,
    pub(crate) change_password: &'static str,
    pub(crate) old_password: &'static str,
    pub(crate) new_password: &'static str,
    pub(crate) new_password_again: &'static str,
    pub(crate) not_the_same: &'static str,
    pub(crate) password_changed: &'static str,
    pub(crate) old_password_wrong: &'static str,
    pub(crate) password_length: &'static str,
    pub(crate) password_is_login: &'static str,
    pub(crate) password_common: &'static str,
    pub(crate) second_factor: &'static str,
    pub(crate) code: &'static str,
    pub(crate) code_text: &'static str,
    pub(crate) code_wrong: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) factor_required: &'static str,
    pub(crate) factor_begin_text: &'static str,
    pub(crate) factor_link: &'static str,
    pub(crate) factor_begin: &'static str,
    pub(crate) factor_refused: &'static str,
    pub(crate) factor_there: &'static str,
    pub(crate) factor_end: &'static str,
    pub(crate) factor_ended: &'static str,
    pub(crate) factor_not_ended: &'static str,
    pub(crate) recovery_codes: &'static str,
    pub(crate) recovery_codes_new: &'static str,
    pub(crate) recovery_codes_text: &'static str,
}
