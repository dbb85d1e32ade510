//! What the endpoints share that programs post to directly: `/token`, `/par`, `/introspect`, `/revoke` and
//! `/device_authorization`.

use axum::{
    Json,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use super::{authorize::params::Params, error::OAuthError};
use crate::web::form::is_form;

/// The parameters of a form, each there once and of a sensible length (RFC 6749 §3.2). `resource` may be
/// repeated (RFC 8707 §2).
pub fn params(headers: &HeaderMap, body: &[u8]) -> Result<Params, OAuthError> {
    if !is_form(headers) {
        return Err(OAuthError::invalid_request(
            "the body must be application/x-www-form-urlencoded (RFC 6749 section 3.2)",
        ));
    }
    let params = Params::parse(body);
    if params.has_repeated() {
        return Err(OAuthError::invalid_request("a parameter is included more than once"));
    }
    if params.has_too_long() {
        return Err(OAuthError::invalid_request("a parameter is longer than 4096 bytes"));
    }
    Ok(params)
}

/// A parameter that must be there.
pub fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    params.get(name).ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
}

/// 200 with JSON that nobody may keep (RFC 6749 §5.1).
pub fn json(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}
