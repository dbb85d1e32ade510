//! Request objects: signed ones count, and others are refused.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use kenpos_idp::{clients::Metadata, crypto::Algorithm};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::discovered;
use crate::{
    story_authorize::objects::{beside, key, object},
    support::{
        app::{Backend, TestApp, metadata},
        attack::with,
        documents::Documents,
        members::HANAKO,
    },
};

/// The redirect URI inside is the one that is checked and answered.
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let key = key(Algorithm::Es256);
    let redirect_uris = ["https://jar.example.jp/callback", "https://jar.example.jp/second"];
    let client = app.register(Metadata {
        jwks: Some(key.jwks().clone()),
        redirect_uris: redirect_uris.map(str::to_owned).to_vec(),
        ..metadata("https://jar.example.jp")
    });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    let jwt = |redirect_uri: &str| {
        let mut claims = object(&app, &client, "openid");
        claims["redirect_uri"] = json!(redirect_uri);
        key.sign(Algorithm::Es256, None, &claims).unwrap()
    };
    let callback = app.allowed(&browser, &beside(&client, &jwt(redirect_uris[1]))).await;
    assert!(callback.as_str().starts_with(redirect_uris[1]), "{callback}");
    let evil = app.ask(&browser, &beside(&client, &jwt("https://evil.example/callback"))).await;
    assert_eq!((evil.status, evil.location()), (StatusCode::BAD_REQUEST, None));
    // The module's own object is unsigned: refused, never ignored.
    let unsigned = unsigned(&object(&app, &client, "openid"));
    let request = with(beside(&client, &unsigned), "state", "af0ifjsldkj");
    assert_eq!(app.error(&browser, &request).await, "invalid_request_object");
    app.finish().await;
}

/// An object that nobody signed.
fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims))
}

/// Metadata tells that objects must be signed, and one that is not is refused in an answer to the client.
#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let app = TestApp::start(Backend::Embedded).await;
    let algorithms = discovered(&app).await["request_object_signing_alg_values_supported"].clone();
    assert!(!algorithms.as_array().unwrap().contains(&json!("none")), "{algorithms}");
    let unsigned = unsigned(&object(&app, &app.client, "openid"));
    let request = with(beside(&app.client, &unsigned), "state", "af0ifjsldkj");
    assert_eq!(app.error(&app.http_browser(), &request).await, "invalid_request_object");
    app.finish().await;
}

/// The same by reference.
async fn unsigned_by_reference() {
    let server = Documents::start().await;
    let app = TestApp::start_with(Backend::Embedded, |config| server.allow(config)).await;
    let place = format!("{}/request", server.origin);
    let client =
        app.register(Metadata { request_uris: vec![place.clone()], ..metadata("https://jar.example.jp") });
    let client = client.await;
    let unsigned = unsigned(&object(&app, &client, "openid"));
    server.serve("/request", "application/oauth-authz-req+jwt", unsigned);
    let mut request = with(beside(&client, ""), "request_uri", &place);
    request.retain(|(name, _)| *name != "request");
    let request = with(request, "state", "af0ifjsldkj");
    assert_eq!(app.error(&app.http_browser(), &request).await, "invalid_request_object");
    app.finish().await;
}

#[tokio::test]
async fn oidcc_request_uri_unsigned() {
    unsigned_by_reference().await;
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    unsigned_by_reference().await;
}
