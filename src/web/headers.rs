//! Headers that every answer carries.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use crate::app::App;

/// On an answer: other sites may show it in a frame. It is made for that and has nothing to click.
#[derive(Clone, Copy, Debug)]
pub struct Framable;

/// Adds the security headers that an answer does not set itself.
pub fn secure(app: &App, response: &mut Response) {
    let too_often = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let framable = response.extensions().get::<Framable>().is_some();
    let headers = response.headers_mut();
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if too_often {
        // By then every budget is new (RFC 6585 §4); the pause of a login ID may last longer.
        let window = HeaderValue::from(app.config().limits.window_seconds);
        headers.entry(header::RETRY_AFTER).or_insert(window);
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
