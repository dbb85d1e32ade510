//! `/par` (RFC 9126): a client pushes its request from server to server and sends the browser with a reference.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{
    checks::{self, AuthorizationError, PageRefusal, Provider},
    pushed::{self, Pushed},
    source,
};
use crate::{
    app::App,
    oidc::{client_auth, direct, error::OAuthError},
};

/// POST `/par`: the client proves itself as at `/token`, and the request passes every check of `/authorize`.
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let params = direct::params(&headers, &body)?;
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    let params = source::of_pushed(&app, &client, &params).await?;
    let callback = checks::callback(&params, &client)?;
    checks::check(&Provider::of(&app), &params, &client, callback)?;
    let request_uri = Pushed::keep(&app, &client, &params).await?;
    let body = json!({ "request_uri": request_uri, "expires_in": pushed::LIFE.as_secs() });
    Ok((StatusCode::CREATED, direct::json(&body)).into_response())
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
