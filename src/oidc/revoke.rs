//! `/revoke` (RFC 7009): a client gives back a token that it needs no more.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::{
    access_token::AccessToken, client_auth, direct, error::OAuthError, grant::Grant, ticket::RefreshToken,
};
use crate::{app::App, clients::Client};

/// POST `/revoke`: 200 once the token is worth nothing, which is so from the start for one that we do not
/// know (RFC 7009 §2.2). `token_type_hint` only helps a search, and ours needs no help.
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = direct::params(&headers, &body)?;
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    let token = direct::required(&params, "token")?;
    if let Some(refresh) = RefreshToken::read(&app, token) {
        // Any generation: whoever gives up one token of a family gives up the family, and with it the access
        // tokens (RFC 7009 §2.1).
        if let Some(found) = Grant::find(&app, &refresh.grant).await? {
            own(&client, &found.value.client_id)?;
            Grant::revoke(&app, &refresh.grant).await?;
        }
    } else if let Some(found) = AccessToken::find(&app, token).await? {
        own(&client, &found.token.client_id)?;
        AccessToken::revoke(&app, token).await?;
    } else if app.signing.current().verify(token).is_ok() {
        // RFC 7009 §2.2.1: an ID token is a statement. It cannot be taken back, so 200 would be untrue.
        return Err(OAuthError::new("unsupported_token_type", "an ID token cannot be revoked"));
    }
    Ok(StatusCode::OK.into_response())
}

/// RFC 7009 §2.1: a token of another client is refused, and stays.
fn own(client: &Client, issued_to: &str) -> Result<(), OAuthError> {
    if client.id == issued_to {
        return Ok(());
    }
    tracing::warn!(client = client.id, "a client tried to revoke a token of another client");
    Err(OAuthError::invalid_grant("the token was issued to another client"))
}
