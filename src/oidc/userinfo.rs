//! `/userinfo` (OIDC Core §5.3): GET and POST, the token in the header or in the form body.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    access_token::{AccessToken, Standing},
    authorize::params::Params,
    claims, direct,
    error::OAuthError,
    grant::Grant,
    scope::Scope,
    seal,
};
use serde_json::{Map, Value, json};

use crate::{app::App, clients::Client, fault::Fault, web::form::is_form};

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
    let refused = |description| OAuthError::bearer(StatusCode::UNAUTHORIZED, "invalid_token", description);
    let void = || refused("the access token is void or unknown");
    let token = AccessToken::find(app, &token).await?.ok_or_else(void)?;
    let Standing { token, client, behind } = token.standing(app).await?.ok_or_else(void)?;
    if !token.is_for_us(app) {
        return Err(refused("the access token is for another resource"));
    }
    let behind = behind.filter(|_| token.scope.has(Scope::OpenId));
    let (grant, holder) = behind.ok_or_else(|| {
        // RFC 6750 §3.1
        let description = "the access token is not for userinfo: it has no scope openid";
        OAuthError::bearer(StatusCode::FORBIDDEN, "insufficient_scope", description)
    })?;
    // What the client is registered for may have become less since.
    let scopes = token.scope.allowed_to(&client);
    let claims = claims::userinfo(&app.members, &client, &grant, &scopes, &holder);
    step_up(app, &grant, &claims)?;
    sealed(app, &client, claims).await
}

/// The claims as the client registered to have them (OIDC Core §5.3.2): JSON; or a signed JWT, with who says
/// it and to whom; and either of them encrypted.
async fn sealed(app: &App, client: &Client, mut claims: Map<String, Value>) -> Result<Response, OAuthError> {
    let signing = client.metadata.userinfo_signed_response_alg;
    let how = seal::of_userinfo(client);
    if signing.is_none() && how.is_none() {
        return Ok(direct::json(&claims.into()));
    }
    let content = match signing {
        None => Value::from(claims).to_string(),
        Some(alg) => {
            claims.insert("iss".to_owned(), json!(app.config().server.issuer));
            claims.insert("aud".to_owned(), json!(client.id));
            app.signing.current().sign(alg, None, &claims.into()).map_err(Fault::internal)?
        }
    };
    let body = match how {
        None => content,
        Some(how) => {
            seal::ready(app, client, Some(how)).await?;
            seal::encrypt(app, client, content.as_bytes(), signing.is_some(), how).await?
        }
    };
    let headers = [(header::CONTENT_TYPE, "application/jwt"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// 記号・番号 only from a sign-in that is recent enough, where the configuration says so (RFC 9470 §3).
fn step_up(app: &App, grant: &Grant, claims: &Map<String, Value>) -> Result<(), OAuthError> {
    let numbers = claims.keys().any(|name| claims::scope_of(name) == Some(Scope::InsuredNumber));
    let most = app.config().lifetimes.insured_number_sign_in_seconds;
    let Some(most) = most.filter(|_| numbers) else { return Ok(()) };
    // In whole seconds, as `auth_time` and `max_age` tell it.
    let age = app.now().seconds().saturating_sub(grant.auth_time.seconds());
    if u64::try_from(age).unwrap_or(0) <= most {
        return Ok(());
    }
    Err(OAuthError::step_up("insured_number needs a more recent sign-in", most))
}

/// The one access token of a request (RFC 6750 §2); never from the query, which ends up in logs.
pub fn bearer(headers: &HeaderMap, query: Option<&str>, body: Option<&Params>) -> Result<String, OAuthError> {
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
