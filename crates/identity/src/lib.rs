//! Credentials to [`Caller`](entente_model::Caller).
//!
//! A door hands over what the client sent; [`Identity`] says who that is. It issues tokens (known here by the SHA-256
//! of their secret only), answers the OAuth token endpoint without knowing HTTP, registers applications, and signs
//! [tickets](Signer): URLs that carry their own authorisation to one download.
//!
//! This crate does not know what a caller may do: the tree decides that.

mod access_keys;
mod app_passwords;
mod apps;
mod devices;
mod error;
mod identity;
mod oauth;
mod passkeys;
mod passwords;
mod providers;
mod public_key;
mod sealing;
mod second_factors;
mod secret;
mod sessions;
mod signature_keys;
mod tickets;
mod timed_code;
mod users;
mod web_sessions;

pub use access_keys::{AccessKey, AccessKeys, CreatedAccessKey, NewAccessKey, Reach};
pub use app_passwords::{CreatedAppPassword, NewAppPassword};
pub use apps::{AppChange, CreatedApp, NewApp, WEB_CLIENT_ID};
pub use devices::DEVICE_PINS_PAGE_MAX;
pub use entente_database::access_keys::{AccessKey as StoredAccessKey, AccessKeyState};
pub use entente_database::apps::{App, AppKind, AppState, Grants, GrantsError};
pub use entente_database::authorizations::Consent;
pub use entente_database::authorizations::Pin as DevicePin;
pub use entente_database::passkeys::Passkey;
pub use entente_database::webhooks::KeyPlace;
pub use entente_database::{app_passwords::AppPassword, users::User};
pub use error::{Error, Unauthenticated};
pub use identity::{Identity, IssueToken, Issued};
pub use oauth::{
    AuthorizeError, AuthorizeForm, AuthorizeRequest, Back, Exchanged, OAuthError, OAuthErrorKind, RedirectUriError,
    Resource, ResourceKind, TokenAnswer, TokenForm,
};
pub use passkeys::{Ceremony, PASSKEYS_MAX, PasskeyError, Site};
pub use passwords::first::{LinkError as PasswordLinkError, PASSWORD_LINK_LIFETIME};
pub use passwords::{ChangePasswordError, PASSWORD_LETTERS_MIN, Password, PasswordError, Proven, SignInError};
pub use providers::{Arrived, Back as ProviderBack, NewProvider, Provider, ProviderError, Providers, Sent};
pub use public_key::PublicKeyError;
pub use second_factors::{FactorError, FactorState, SecondFactors, timed_code};
pub use secret::Secret;
pub use sessions::{END_SESSIONS_JOB, SESSIONS_ENDED_MAX, SessionsOf};
pub use signature_keys::{SignatureKeys, SignaturePair};
pub use tickets::{Signer, Ticket, TicketError};
pub use users::{Login, LoginError};
pub use web_sessions::{WebSession, form_token, is_form_token};
