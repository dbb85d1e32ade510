//! `/jwks` (RFC 7517 §5): the public keys, next and retired ones too.

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::app::App;

/// GET `/jwks`
pub async fn get(State(app): State<App>, headers: HeaderMap) -> Response {
    app.signing.published().answer(&headers)
}
