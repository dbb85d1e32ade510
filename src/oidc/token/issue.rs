//! The answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).

use std::time::Duration;

use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    clients::Client,
    crypto::jwt,
    fault::Fault,
    oidc::{
        access_token::{self, Claims, signing_algorithm},
        backchannel_logout::sid_for,
        claims, direct,
        error::OAuthError,
        grant::Grant,
        scope::{Scope, Scopes},
        seal,
        ticket::RefreshToken,
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
        let claims = if grant.claims.id_token.is_empty() {
            Map::new()
        } else {
            let holder = grant.holder(app, client).await?;
            let holder = holder.ok_or_else(|| OAuthError::invalid_grant("the grant holds no more"))?;
            claims::id_token(&app.members, client, grant, &Scopes::default(), &holder)
        };
        let beside = Beside { access_token: Some(&access_token), code: None, claims };
        body["id_token"] = Value::String(id_token(app, client, grant, beside).await?);
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

/// The ID token (OIDC Core §2): nothing personal is in it that was not asked for there. It is encrypted for a
/// client that registered so.
pub async fn id_token(
    app: &App,
    client: &Client,
    grant: &Grant,
    beside: Beside<'_>,
) -> Result<String, Fault> {
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
        "sid": sid_for(app, &client.id, &grant.sid),
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
    let signed = app.signing.current().sign(alg, None, &claims).map_err(Fault::internal)?;
    match seal::of_id_token(client) {
        Some(how) => seal::encrypt(app, client, signed.as_bytes(), true, how).await,
        None => Ok(signed),
    }
}
