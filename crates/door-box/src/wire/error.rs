//! Error bodies: `ClientError` for the API, `OAuth2Error` for tokens.

use super::item::Conflicts;
use serde::Serialize;

/// `ClientError`.
#[derive(Debug, Serialize)]
pub struct ErrorBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_info: Option<&'a Context<'a>>,
    help_url: &'static str,
    message: &'a str,
    request_id: &'a str,
}

/// More about what was wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Context<'a> {
    /// Which parameters or members were wrong.
    Errors([ParameterError<'a>; 1]),
    /// What has the name already.
    Conflicts(Conflicts<'a>),
}

/// One wrong parameter or member.
#[derive(Debug, Serialize)]
pub struct ParameterError<'a> {
    /// Such as `invalid_parameter` and `missing_parameter`.
    pub reason: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What is wrong with it.
    pub message: &'a str,
}

impl<'a> ErrorBody<'a> {
    /// A body with all that clients look for.
    #[must_use]
    pub fn new(status: u16, code: &'a str, message: &'a str, request_id: &'a str) -> Self {
        let help_url = "http://developers.box.com/docs/#errors";
        Self { kind: "error", status, code, context_info: None, help_url, message, request_id }
    }

    /// The same, with more about it.
    #[must_use]
    pub fn with(mut self, context: Option<&'a Context<'a>>) -> Self {
        self.context_info = context;
        self
    }
}

/// `OAuth2Error`.
#[derive(Debug, Serialize)]
pub struct OAuthErrorBody<'a> {
    /// The code of RFC 6749.
    pub error: &'a str,
    /// For people.
    pub error_description: &'a str,
}
