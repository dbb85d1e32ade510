//! Host names of insurers (`insurers[].hosts`): ways in, and nothing more.
//!
//! Everything is served under the issuer alone, where cookies, passkeys and the addresses that apps know
//! belong. A host of an insurer sends a browser to that insurer's entry there. What a Host header says only
//! picks among what the configuration knows, and is never repeated in an answer or a mail.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::PageError;
use crate::app::App;

/// Sends visitors of an insurer's own host to its entry; other hosts pass.
pub async fn lead(State(app): State<App>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    // HTTP/2 has the authority in place of the field (RFC 9113 §8.3.1).
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(axum::http::uri::Authority::as_str).or(named).unwrap_or_default();
    let Some(insurer) = app.config().insurer_at(host) else { return next.run(request).await };
    let entry = match uri.path() {
        "/" | "/login" => format!("/i/{}", insurer.code),
        "/registration" => format!("/i/{}/registration", insurer.code),
        // Whoever balances the load may ask under any name.
        "/healthz" | "/readyz" => return next.run(request).await,
        _ => String::new(),
    };
    if entry.is_empty() || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return PageError::status(StatusCode::MISDIRECTED_REQUEST).into_response();
    }
    match HeaderValue::from_str(&app.config().server.url(&entry)) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => PageError::status(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}
