//! `/token` (RFC 6749 §3.2): codes, refresh tokens, device codes and a client's own word become tokens.

mod authorization_code;
mod client_credentials;
mod device_code;
pub mod issue;
mod refresh_token;
mod replay;

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};

use super::{authorize::params::Params, client_auth, direct, error::OAuthError};
use crate::{
    app::App,
    clients::{Client, GrantType},
};

/// The grant types of this endpoint.
pub const GRANT_TYPES: [GrantType; 4] = [
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
];

/// POST `/token`
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = direct::params(&headers, &body)?;
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    answer(&app, &client, &params).await
}

/// What the endpoint answers to a client that has proved itself.
pub async fn answer(app: &App, client: &Client, params: &Params) -> Result<Response, OAuthError> {
    let grant_type = direct::required(params, "grant_type")?;
    let grant_type = GRANT_TYPES.into_iter().find(|known| known.as_str() == grant_type).ok_or_else(|| {
        let known = GRANT_TYPES.map(GrantType::as_str).join(", ");
        OAuthError::new("unsupported_grant_type", format!("grant_type must be one of {known}"))
    })?;
    may_use(client, grant_type)?;
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(app, client, params).await,
        GrantType::RefreshToken => refresh_token::refresh(app, client, params).await,
        GrantType::ClientCredentials => client_credentials::grant(app, client, params).await,
        GrantType::DeviceCode => device_code::poll(app, client, params).await,
        GrantType::Implicit | GrantType::Ciba => Err(OAuthError::invalid_request("no such grant_type here")),
    }
}

/// Whether the client registered the grant (RFC 7591 §2, `grant_types`).
pub fn may_use(client: &Client, grant_type: GrantType) -> Result<(), OAuthError> {
    if client.metadata.allows_grant(grant_type) {
        return Ok(());
    }
    let reason = format!("the client is not registered for grant_type {}", grant_type.as_str());
    Err(OAuthError::new("unauthorized_client", reason))
}
