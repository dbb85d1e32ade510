//! The answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).

use std::time::Duration;

use axum::{
    Json,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    clients::Client,
    crypto::{Algorithm, jwt},
    fault::Fault,
    oidc::{
        claims,
        error::OAuthError,
        grant::{AccessToken, Grant, RefreshToken},
        scope::{Scope, Scopes},
    },
};

/// The answer: an access token for `scope`, an ID token if `openid` is in it, and the refresh token if there is one.
pub async fn tokens(
    app: &App,
    client: &Client,
    grant_id: &str,
    grant: &Grant,
    scope: &Scopes,
) -> Result<Response, OAuthError> {
    let (access_token, life) = access_token(app, client, grant_id, scope).await?;
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": life.as_secs(),
        "scope": scope.to_string(),
    });
    if scope.has(Scope::OpenId) {
        let claims = match grant.claims.id_token.is_empty() {
            true => Map::new(),
            false => {
                let holder = grant.holder(app).await?;
                let holder = holder.ok_or_else(|| OAuthError::invalid_grant("the grant holds no more"))?;
                claims::id_token(&app.members, client, grant, &Scopes::default(), &holder)
            }
        };
        let beside = Beside { access_token: Some(&access_token), code: None, claims };
        body["id_token"] = Value::String(id_token(app, client, grant, beside)?);
    }
    if let Some(family) = &grant.family {
        body["refresh_token"] = Value::String(RefreshToken::mint(app, grant_id, family.generation));
    }
    metrics::counter!("kenpos_tokens_total").increment(1);
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    Ok((headers, Json(body)).into_response())
}

/// An access token for `scope` under a grant that is stored, and how long it lives.
pub async fn access_token(
    app: &App,
    client: &Client,
    grant_id: &str,
    scope: &Scopes,
) -> Result<(String, Duration), Fault> {
    let life = app.config().lifetimes.access_token();
    let token = app.members.entropy.secret();
    let record = AccessToken {
        grant: grant_id.to_owned(),
        client_id: client.id.clone(),
        scope: scope.clone(),
        expires_at: app.now().plus(life),
    };
    app.members.ephemeral.put(&token, &record, life).await?;
    Ok((token, life))
}

/// What an ID token is issued with.
#[derive(Default)]
pub struct Beside<'a> {
    /// The access token beside it: `at_hash`.
    pub access_token: Option<&'a str>,
    /// The code beside it: `c_hash`.
    pub code: Option<&'a str>,
    /// Claims about the member that were asked for ([`claims::id_token`]).
    pub claims: Map<String, Value>,
}

/// The ID token (OIDC Core §2): nothing personal is in it that was not asked for there.
pub fn id_token(app: &App, client: &Client, grant: &Grant, beside: Beside<'_>) -> Result<String, Fault> {
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
    });
    let hashes = [("at_hash", beside.access_token), ("c_hash", beside.code)];
    for (name, value) in hashes {
        if let Some(value) = value {
            claims[name] = json!(jwt::at_hash(alg, value));
        }
    }
    // Those of the protocol are not among them.
    for (name, value) in beside.claims {
        claims[name] = value;
    }
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = json!(nonce);
    }
    app.signing.current().sign(alg, None, &claims).map_err(Fault::internal)
}
