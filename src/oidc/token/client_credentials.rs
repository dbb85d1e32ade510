//! `grant_type=client_credentials` (RFC 6749 §4.4): a client speaks for itself, and for no member.

use axum::response::Response;

use super::issue;
use crate::{
    app::App,
    clients::{AuthMethod, Client},
    oidc::{
        access_token::{self, Claims},
        authorize::params::Params,
        direct,
        error::OAuthError,
        resource,
        scope::Scopes,
    },
};

/// Gives an access token, and neither an ID token nor a refresh token (RFC 6749 §4.4.3).
pub async fn grant(app: &App, client: &Client, params: &Params) -> Result<Response, OAuthError> {
    if client.metadata.token_endpoint_auth_method == AuthMethod::None {
        // RFC 6749 §4.4
        return Err(OAuthError::new("unauthorized_client", "a public client cannot speak for itself"));
    }
    let scope = scope(client, params)?;
    let audience = resource::of_own_request(app, client, &scope, params)?;
    let claims = Claims { client, grant: None, scope: &scope, audience };
    let (access_token, life) = access_token::issue(app, claims).await?;
    metrics::counter!("kenpos_tokens_total").increment(1);
    Ok(direct::json(&issue::body(&access_token, life, &scope)))
}

/// The scopes of clients that were asked for, or all that the client registered. One that is about a member,
/// such as `openid`, is refused and not left out: whoever asks for it expects a member.
fn scope(client: &Client, params: &Params) -> Result<Scopes, OAuthError> {
    let registered = Scopes::parse(&client.metadata.scope).of_clients();
    let Some(asked) = params.get("scope") else { return Ok(registered) };
    let scopes = Scopes::parse(asked);
    if asked.split_ascii_whitespace().count() == scopes.iter().count() && scopes.within(&registered) {
        Ok(scopes)
    } else {
        let reason = "scope asks for what this client may not have without a member";
        Err(OAuthError::new("invalid_scope", reason))
    }
}
