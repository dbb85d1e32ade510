//! The answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).

use axum::{
    Json,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    clients::Client,
    crypto::{Algorithm, jwt},
    fault::Fault,
    oidc::{
        error::OAuthError,
        grant::{AccessToken, Grant, RefreshToken},
        scope::{Scope, Scopes},
    },
};

/// An access token for `scope`, an ID token if `openid` is in it, and the refresh token if there is one.
pub async fn tokens(
    app: &App,
    client: &Client,
    grant_id: &str,
    grant: &Grant,
    scope: &Scopes,
) -> Result<Response, OAuthError> {
    let life = app.config().lifetimes.access_token();
    let access_token = app.members.entropy.secret();
    let record = AccessToken {
        grant: grant_id.to_owned(),
        client_id: client.id.clone(),
        scope: scope.clone(),
        expires_at: app.now().plus(life),
    };
    app.members.ephemeral.put(&access_token, &record, life).await?;
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": life.as_secs(),
        "scope": scope.to_string(),
    });
    if scope.has(Scope::OpenId) {
        body["id_token"] = Value::String(id_token(app, client, grant, &access_token)?);
    }
    if let Some(family) = &grant.family {
        body["refresh_token"] = Value::String(RefreshToken::mint(app, grant_id, family.generation));
    }
    metrics::counter!("kenpos_tokens_total").increment(1);
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    Ok((headers, Json(body)).into_response())
}

/// The ID token (OIDC Core §2): nothing personal is in it.
fn id_token(app: &App, client: &Client, grant: &Grant, access_token: &str) -> Result<String, Fault> {
    let alg = client.metadata.id_token_signed_response_alg.unwrap_or(Algorithm::Rs256);
    let now = app.now();
    let mut claims = json!({
        "iss": app.config().server.issuer,
        "sub": grant.sub,
        "aud": client.id,
        "azp": client.id,
        "exp": now.plus(app.config().lifetimes.id_token()).seconds(),
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
