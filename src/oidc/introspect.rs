//! `/introspect` (RFC 7662): whether a token is good, and for what, as JSON or as a signed JWT (RFC 9701).
//!
//! A client is told about its own tokens, and a resource server about access tokens for the resources that
//! it was registered to serve (`introspects`). Anything else is `{"active":false}`, whatever the reason.
//! Nothing about the member is in the answer but the `sub` that the client of the token knows.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value, json};

use super::{
    access_token::{AccessToken, Standing, signing_algorithm},
    client_auth, direct,
    error::OAuthError,
    grant::Grant,
    ticket::RefreshToken,
};
use crate::{
    app::App,
    clients::{AuthMethod, Client},
    fault::Fault,
};

/// Media type of the signed answer, and with `application/` before it, its Content-Type (RFC 9701 §5).
const JWT_TYPE: &str = "token-introspection+jwt";

/// POST `/introspect`
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = direct::params(&headers, &body)?;
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    if client.metadata.token_endpoint_auth_method == AuthMethod::None {
        // RFC 7662 §2.1: otherwise anybody could try out tokens.
        return Err(OAuthError::invalid_client("a public client cannot introspect"));
    }
    let token = direct::required(&params, "token")?;
    let answer = known(&app, &client, token).await?;
    let answer = answer.unwrap_or_else(|| Map::from_iter([("active".to_owned(), Value::Bool(false))]));
    if wants_jwt(&headers) { signed(&app, &client, &answer) } else { Ok(direct::json(&answer.into())) }
}

/// What `caller` may know about a token that is good.
async fn known(app: &App, caller: &Client, token: &str) -> Result<Option<Map<String, Value>>, Fault> {
    if let Some(token) = RefreshToken::read(app, token) {
        return refresh_token(app, caller, &token).await;
    }
    let Some(presented) = AccessToken::find(app, token).await? else { return Ok(None) };
    let token = &presented.token;
    let serves = token.audience.iter().any(|name| caller.metadata.introspects.contains(name));
    if token.client_id != caller.id && !serves {
        return Ok(None);
    }
    Ok(presented.standing(app).await?.map(|standing| access_token(app, &standing)))
}

/// RFC 7662 §2.2, with `acr` and `auth_time` for step-up (RFC 9470 §6.2).
fn access_token(app: &App, standing: &Standing) -> Map<String, Value> {
    let Standing { token, client, behind } = standing;
    let grant = behind.as_ref().map(|(grant, _)| grant);
    let mut answer = common(app, &client.id, grant.map_or(&client.id, |grant| &grant.sub));
    answer.insert("token_type".to_owned(), json!("Bearer"));
    answer.insert("aud".to_owned(), token.audience(app));
    answer.insert("iat".to_owned(), json!(token.issued_at.seconds()));
    answer.insert("exp".to_owned(), json!(token.expires_at.seconds()));
    // What the client is registered for may have become less since.
    let scope = token.scope.allowed_to(client);
    if !scope.is_empty() {
        answer.insert("scope".to_owned(), json!(scope));
    }
    if let Some(grant) = grant {
        answer.insert("auth_time".to_owned(), json!(grant.auth_time.seconds()));
        answer.insert("acr".to_owned(), json!(grant.acr));
    }
    answer
}

/// A refresh token is for its client alone.
async fn refresh_token(
    app: &App,
    caller: &Client,
    token: &RefreshToken,
) -> Result<Option<Map<String, Value>>, Fault> {
    let Some(found) = Grant::find(app, &token.grant).await? else { return Ok(None) };
    let grant = &found.value;
    if grant.client_id != caller.id
        || !token.is_current(app, grant)
        || grant.holder(app, caller).await?.is_none()
    {
        return Ok(None);
    }
    let mut answer = common(app, &caller.id, &grant.sub);
    answer.insert("scope".to_owned(), json!(grant.scope.allowed_to(caller)));
    if let Some(end) = grant.refresh_until(app) {
        answer.insert("exp".to_owned(), json!(end.seconds()));
    }
    Ok(Some(answer))
}

fn common(app: &App, client_id: &str, sub: &str) -> Map<String, Value> {
    Map::from_iter([
        ("active".to_owned(), Value::Bool(true)),
        ("iss".to_owned(), json!(app.config().server.issuer)),
        ("client_id".to_owned(), json!(client_id)),
        ("sub".to_owned(), json!(sub)),
    ])
}

/// RFC 9701 §5: the answer as a claim of its own, so that the JWT can be taken for no other.
fn signed(app: &App, caller: &Client, answer: &Map<String, Value>) -> Result<Response, OAuthError> {
    let claims = json!({
        "iss": app.config().server.issuer,
        "aud": caller.id,
        "iat": app.now().seconds(),
        "token_introspection": answer,
    });
    let alg = signing_algorithm(caller);
    let jwt = app.signing.current().sign(alg, Some(JWT_TYPE), &claims).map_err(Fault::internal)?;
    let mut response = jwt.into_response();
    let kind = HeaderValue::from_static("application/token-introspection+jwt");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Whether `Accept` prefers the JWT to JSON (RFC 9110 §12.5.1); a wildcard alone asks for JSON.
fn wants_jwt(headers: &HeaderMap) -> bool {
    let mut weights = [0.0_f32, 0.0];
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        match kind.as_str() {
            "application/token-introspection+jwt" => weights[0] = weight,
            "application/json" => weights[1] = weight,
            _ => {}
        }
    }
    weights[0] > 0.0 && weights[0] >= weights[1]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wants(accept: &str) -> bool {
        accept.parse().is_ok_and(|value| wants_jwt(&HeaderMap::from_iter([(header::ACCEPT, value)])))
    }

    #[test]
    fn the_jwt_is_for_those_who_name_it() {
        assert!(wants("application/token-introspection+jwt"));
        assert!(wants("application/json;q=0.5, Application/Token-Introspection+JWT"));
        assert!(wants("application/json, application/token-introspection+jwt"));
        assert!(!wants("application/json, application/token-introspection+jwt;q=0.9"));
        assert!(!wants("application/token-introspection+jwt;q=0"));
        assert!(!wants("*/*"));
        assert!(!wants("application/jwt"));
        assert!(!wants_jwt(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(accept in "[ -~]{0,60}") {
            wants(&accept);
        }
    }
}
