//! Session Management 1.0: relying parties watch over the session with a frame of ours, without a request.

use axum::{
    extract::State,
    http::header,
    response::{Html, IntoResponse as _, Response},
};
use url::Url;

use crate::{
    app::App,
    crypto::digest,
    web::{assets, cookies::Name, headers::Framable},
};

/// Path of the frame.
pub const PATH: &str = "/session/check";

/// GET [`PATH`], the `check_session_iframe` (§3.3). It is made to be framed by anybody: what it tells is told
/// only to who knows the `session_state` that was computed for its own origin.
pub async fn get(State(app): State<App>) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>session</title>\
         <script src=\"{}\" data-cookie=\"{}\"></script></head><body></body></html>",
        assets::check_session_path(),
        Name::State.as_str(app.config().server.secure()),
    );
    let policy = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    let mut response = (headers, Html(html)).into_response();
    response.extensions_mut().insert(Framable);
    response
}

/// `session_state` of an authorization response (§2): tells the client nothing but whether it changes. None
/// for a redirect URI that is no web page and so can hold no frame.
pub fn session_state(app: &App, client_id: &str, redirect_uri: &str, sid: &str) -> Option<String> {
    let origin = Url::parse(redirect_uri).ok()?.origin();
    let state = app.members.browser_state(sid);
    let salt = app.members.entropy.id();
    origin.is_tuple().then(|| hashed(client_id, &origin.ascii_serialization(), &state, &salt))
}

fn hashed(client_id: &str, origin: &str, browser_state: &str, salt: &str) -> String {
    let hash = digest::sha256_base64url(&format!("{client_id} {origin} {browser_state} {salt}"));
    format!("{hash}.{salt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_another_for_every_client_origin_and_session() {
        let one = hashed("client", "https://app.example.jp", "state", "salt");
        assert_eq!(one, hashed("client", "https://app.example.jp", "state", "salt"));
        assert!(one.split_once('.').is_some_and(|(hash, salt)| hash.len() == 43 && salt == "salt"), "{one}");
        for other in [
            hashed("other", "https://app.example.jp", "state", "salt"),
            hashed("client", "https://app.example.com", "state", "salt"),
            hashed("client", "https://app.example.jp", "", "salt"),
            hashed("client", "https://app.example.jp", "state", "pepper"),
        ] {
            assert_ne!(one, other);
        }
    }
}
