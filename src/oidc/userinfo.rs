//! `/userinfo` (OIDC Core §5.3): GET and POST, the token in the header or in the form body.

use axum::{
    Json,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    authorize::params::Params,
    claims,
    error::OAuthError,
    grant::{AccessToken, Grant},
    scope::Scope,
};
use crate::{app::App, web::form::is_form};

/// GET `/userinfo`
pub async fn get(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OAuthError> {
    answer(&app, &headers, query.as_deref(), None).await
}

/// POST `/userinfo`
pub async fn post(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let params = is_form(&headers).then(|| Params::parse(&body));
    answer(&app, &headers, query.as_deref(), params.as_ref()).await
}

async fn answer(
    app: &App,
    headers: &HeaderMap,
    query: Option<&str>,
    body: Option<&Params>,
) -> Result<Response, OAuthError> {
    let token = bearer(headers, query, body)?;
    let refused = || {
        OAuthError::bearer(StatusCode::UNAUTHORIZED, "invalid_token", "the access token is void or unknown")
    };
    let access = app.members.ephemeral.get::<AccessToken>(&token).await?.ok_or_else(refused)?.value;
    if app.now() >= access.expires_at {
        return Err(refused());
    }
    let grant = Grant::find(app, &access.grant).await?.ok_or_else(refused)?.value;
    let client = app.client(&access.client_id).await?.ok_or_else(refused)?;
    let holder = grant.holder(app).await?.ok_or_else(refused)?;
    if !access.scope.has(Scope::OpenId) {
        // RFC 6750 §3.1
        let description = "the access token is not for userinfo: it has no scope openid";
        return Err(OAuthError::bearer(StatusCode::FORBIDDEN, "insufficient_scope", description));
    }
    // What the client is registered for may have become less since.
    let scopes = access.scope.allowed_to(&client);
    let claims = claims::userinfo(&app.members, &client, &grant, &scopes, &holder);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(claims)).into_response())
}

/// The one access token of a request (RFC 6750 §2); never from the query, which ends up in logs.
fn bearer(headers: &HeaderMap, query: Option<&str>, body: Option<&Params>) -> Result<String, OAuthError> {
    let invalid = |description| OAuthError::bearer(StatusCode::BAD_REQUEST, "invalid_request", description);
    let in_query = query.is_some_and(|query| Params::parse(query.as_bytes()).get("access_token").is_some());
    if in_query {
        return Err(invalid("the access token must not be in the URL"));
    }
    if body.is_some_and(|params| !params.is_clear("access_token")) {
        return Err(invalid("access_token is repeated or too long"));
    }
    let in_body = body.and_then(|params| params.get("access_token"));
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (values.next(), in_body) {
        (Some(_), Some(_)) => return Err(invalid("the access token comes twice")),
        (None, Some(token)) => token.to_owned(),
        (None, None) => return Err(OAuthError::bearer_missing()),
        (Some(value), None) => {
            let text = value.to_str().unwrap_or_default();
            let (scheme, token) = text.split_once(' ').unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(OAuthError::bearer_missing());
            }
            token.trim().to_owned()
        }
    };
    if values.next().is_some() {
        return Err(invalid("the Authorization header comes twice"));
    }
    Ok(token)
}
