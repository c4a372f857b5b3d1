use crate::{LoginError, PasswordError, PublicKeyError, RedirectUriError};

/// What can go wrong when credentials, applications and users are made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No active user has that login or id.
    #[error("no active user has the login {0:?}; `entente user list` shows all")]
    UnknownUser(String),
    /// The caller may not do this.
    #[error("only who administers users may do this")]
    Forbidden,
    /// The text cannot be a login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Another user has the login.
    #[error("the login {0:?} is taken by another user")]
    LoginTaken(String),
    /// The public key cannot be used.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// The enterprise has no such app.
    #[error("there is no app {0:?}; `entente app list` shows all")]
    UnknownApp(String),
    /// An app cannot be as it is asked for.
    #[error("{0}")]
    App(&'static str),
    /// The text cannot be a redirect URI.
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
    /// The text cannot become the user's password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A code is needed besides the password.
    #[error("a second factor is needed besides the password")]
    SecondFactor,
    /// The process is stopping. May be retried.
    #[error("the work was interrupted because the process is stopping")]
    Interrupted,
    /// A name is empty or too long.
    #[error("a name has 1 to {0} characters")]
    Name(usize),
    /// A stored secret is not in a form that this release can read.
    #[error("the setting {0:?} is not in a form that this release can read")]
    Setting(&'static str),
    /// The custodian refuses or cannot be reached.
    #[error(transparent)]
    Custodian(#[from] entente_custodians::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] entente_database::Error),
}

/// Why a request has no caller. The first four are the client's to mend: by another token.
#[derive(Debug, thiserror::Error)]
pub enum Unauthenticated {
    /// There is no credential.
    #[error("a bearer token is needed")]
    Missing,
    /// The credential is not in a form that a token has.
    #[error("the token is malformed")]
    Malformed,
    /// The token is unknown or was revoked, or its user is not active.
    #[error("the token is not valid")]
    Unknown,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The database failed, so that nobody can tell. May be retried.
    #[error("tokens cannot be checked now")]
    Failed(#[source] entente_database::Error),
}
