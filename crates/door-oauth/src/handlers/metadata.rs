//! What is served, for programs (RFC 8414).

use crate::asked::{Asked, Outcome};
use axum::body::Body;
use axum::response::Response;
use entente_model::Scopes;
use http::{HeaderValue, header};
use serde_json::json;

pub(crate) async fn show(asked: Asked) -> Outcome {
    let scopes: Vec<String> = Scopes::ALL.to_string().split(' ').map(str::to_owned).collect();
    let clients = ["client_secret_basic", "client_secret_post", "none"];
    let value = json!({
        "issuer": asked.base.as_str(),
        "authorization_endpoint": asked.url("/oauth2/authorize"),
        "token_endpoint": asked.url("/oauth2/token"),
        "revocation_endpoint": asked.url("/oauth2/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "token_endpoint_auth_methods_supported": clients,
        "revocation_endpoint_auth_methods_supported": clients,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": scopes,
        "ui_locales_supported": ["en", "de"],
    });
    let mut response = Response::new(Body::from(value.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
