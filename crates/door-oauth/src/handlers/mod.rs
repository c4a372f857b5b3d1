//! One module a page or an endpoint.

pub(crate) mod authorize;
pub(crate) mod code;
pub(crate) mod metadata;
pub(crate) mod new_password;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod provider;
pub(crate) mod second_factor;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod token;
