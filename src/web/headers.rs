//! Headers that every answer carries.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use crate::app::App;

/// On an answer: other sites may show it in a frame. It is made for that and has nothing to click.
#[derive(Clone, Copy, Debug)]
pub struct Framable;

/// Seconds after which a request may be tried again that met a service that is down or busy.
pub const SOON: u64 = 5;

/// What an answer has that does not say otherwise.
static DEFAULTS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the security headers that an answer does not set itself.
pub fn secure(app: &App, response: &mut Response) {
    let wait = match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => Some(SOON),
        // By then every budget is new; the pause of a login ID may last longer.
        StatusCode::TOO_MANY_REQUESTS => Some(app.config().limits.window().as_secs()),
        _ => None,
    };
    let framable = response.extensions().get::<Framable>().is_some();
    let headers = response.headers_mut();
    // Room for these and the few that follow, at once.
    headers.reserve(DEFAULTS.len() + 4);
    for (name, value) in &DEFAULTS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if let Some(wait) = wait {
        // RFC 9110 §10.2.3, RFC 6585 §4
        headers.entry(header::RETRY_AFTER).or_insert_with(|| HeaderValue::from(wait));
    }
    if !framable {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    let server = &app.config().server;
    if server.secure() {
        // Two years (RFC 6797 §6.1). Subdomains are somebody else's unless the operator says otherwise.
        let value = if server.hsts_include_subdomains {
            "max-age=63072000; includeSubDomains"
        } else {
            "max-age=63072000"
        };
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(value));
    }
}
