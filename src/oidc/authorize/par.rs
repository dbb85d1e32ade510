//! `/par` (RFC 9126): a client pushes its request from server to server and sends the browser with a reference.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{
    checks::{self, AuthorizationError, PageRefusal, Provider},
    params::Params,
    pushed::{self, Pushed},
    source,
};
use crate::{
    app::App,
    oidc::{client_auth, error::OAuthError},
    web::form::is_form,
};

/// POST `/par`: the client proves itself as at `/token`, and the request passes every check of `/authorize`.
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    if !is_form(&headers) {
        return Err(OAuthError::invalid_request("the body must be application/x-www-form-urlencoded"));
    }
    let params = Params::parse(&body);
    if params.has_repeated() || params.has_too_long() {
        return Err(OAuthError::invalid_request("a parameter is included more than once, or too long"));
    }
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    let params = source::of_pushed(&app, &client, &params).await?;
    let callback = checks::callback(&params, &client)?;
    checks::check(&Provider::of(&app), &params, &client, callback)?;
    let request_uri = Pushed::keep(&app, &client, &params).await?;
    let body = json!({ "request_uri": request_uri, "expires_in": pushed::LIFE.as_secs() });
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

/// RFC 9126 §2.3: the errors of the authorization endpoint, as those of the token endpoint.
impl From<AuthorizationError> for OAuthError {
    fn from(error: AuthorizationError) -> Self {
        Self::new(error.code, error.description)
    }
}

impl From<PageRefusal> for OAuthError {
    fn from(refusal: PageRefusal) -> Self {
        Self::invalid_request(format!("{} is missing or not a registered one", refusal.parameter))
    }
}
