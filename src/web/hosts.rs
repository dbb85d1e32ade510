//! Host names of insurers (`insurers[].hosts`): ways in, and nothing more.
//!
//! Everything is served under the issuer alone, where cookies, passkeys and the addresses that apps know
//! belong. A host of an insurer sends a browser to that insurer's entry there. What a Host header says only
//! picks among what the configuration knows, and is never repeated in an answer or a mail.

use axum::{
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::PageError;
use crate::app::App;

/// Where visitors of an insurer's own host are sent; others pass.
pub fn lead(app: &App, head: &Parts) -> Option<Response> {
    let uri = &head.uri;
    // HTTP/2 has the authority in place of the field (RFC 9113 §8.3.1).
    let named = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(axum::http::uri::Authority::as_str).or(named).unwrap_or_default();
    let insurer = app.config().insurer_at(host)?;
    let entry = match uri.path() {
        "/" | "/login" => format!("/i/{}", insurer.code),
        "/registration" => format!("/i/{}/registration", insurer.code),
        // Whoever balances the load may ask under any name.
        "/healthz" | "/readyz" => return None,
        _ => String::new(),
    };
    if entry.is_empty() || !matches!(head.method, Method::GET | Method::HEAD) {
        return Some(PageError::status(StatusCode::MISDIRECTED_REQUEST).into_response());
    }
    Some(match HeaderValue::from_str(&app.config().server.url(&entry)) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => PageError::status(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    })
}
