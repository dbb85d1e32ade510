//! `/jwks` (RFC 7517 §5): the public keys, next and retired ones too.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};

use crate::app::App;

/// Short enough that a rotation spreads, long enough to spare us: the next key is published long before
/// it signs.
const CACHE: &str = "public, max-age=300";

/// GET `/jwks`
pub async fn get(State(app): State<App>) -> Response {
    ([(header::CACHE_CONTROL, CACHE)], Json(app.signing.current().jwks())).into_response()
}
