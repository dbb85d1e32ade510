//! The answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).

use std::time::Duration;

use axum::response::Response;
use serde_json::{Value, json};

use crate::{
    app::App,
    clients::Client,
    crypto::jwt,
    fault::Fault,
    oidc::{
        access_token::{self, Claims, signing_algorithm},
        direct,
        error::OAuthError,
        grant::{Grant, RefreshToken},
        scope::{Scope, Scopes},
    },
};

/// An access token for `scope` and `audience`, an ID token if `openid` is in it, and the refresh token if
/// there is one.
pub async fn tokens(
    app: &App,
    client: &Client,
    (grant_id, grant): (&str, &Grant),
    scope: &Scopes,
    audience: Vec<String>,
) -> Result<Response, OAuthError> {
    let claims = Claims { client, grant: Some((grant_id, grant)), scope, audience };
    let (access_token, life) = access_token::issue(app, claims).await?;
    let mut body = body(&access_token, life, scope);
    if scope.has(Scope::OpenId) {
        body["id_token"] = Value::String(id_token(app, client, grant, &access_token)?);
    }
    if let Some(family) = &grant.family {
        body["refresh_token"] = Value::String(RefreshToken::mint(app, grant_id, family.generation));
    }
    metrics::counter!("kenpos_tokens_total").increment(1);
    Ok(direct::json(&body))
}

/// What every answer has (RFC 6749 §5.1); `scope` only where there is one.
pub fn body(access_token: &str, life: Duration, scope: &Scopes) -> Value {
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": life.as_secs(),
    });
    if !scope.is_empty() {
        body["scope"] = json!(scope);
    }
    body
}

/// The ID token (OIDC Core §2): nothing personal is in it.
fn id_token(app: &App, client: &Client, grant: &Grant, access_token: &str) -> Result<String, Fault> {
    let alg = signing_algorithm(client);
    let now = app.now();
    let mut claims = json!({
        "iss": app.config().server.issuer,
        "sub": grant.sub,
        "aud": client.id,
        "azp": client.id,
        "exp": now.plus(client.metadata.id_token_lifetime(app.config().lifetimes.id_token())).seconds(),
        "iat": now.seconds(),
        "auth_time": grant.auth_time.seconds(),
        "acr": grant.acr,
        "amr": grant.amr,
        "sid": grant.sid,
        "at_hash": jwt::at_hash(alg, access_token),
    });
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = json!(nonce);
    }
    app.signing.current().sign(alg, None, &claims).map_err(Fault::internal)
}
