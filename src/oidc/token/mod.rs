//! `/token` (RFC 6749 §3.2): codes and refresh tokens become access tokens and ID tokens.

mod authorization_code;
pub mod issue;
mod refresh_token;

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};

use super::{authorize::params::Params, client_auth, error::OAuthError};
use crate::{app::App, web::form::is_form};

/// POST `/token`
pub async fn post(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    if !is_form(&headers) {
        return Err(OAuthError::invalid_request(
            "the body must be application/x-www-form-urlencoded (RFC 6749 section 4.1.3)",
        ));
    }
    let params = Params::parse(&body);
    if params.has_repeated() {
        return Err(OAuthError::invalid_request("a parameter is included more than once"));
    }
    if params.has_too_long() {
        return Err(OAuthError::invalid_request("a parameter is longer than 4096 bytes"));
    }
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    match params.get("grant_type") {
        Some("authorization_code") => authorization_code::redeem(&app, &client, &params).await,
        Some("refresh_token") => refresh_token::refresh(&app, &client, &params).await,
        Some(_) => Err(OAuthError::new(
            "unsupported_grant_type",
            "grant_type must be authorization_code or refresh_token",
        )),
        None => Err(OAuthError::invalid_request("grant_type is missing")),
    }
}

fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    params.get(name).ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
}
