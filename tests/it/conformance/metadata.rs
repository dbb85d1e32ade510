//! What discovery and the key set have to say.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{discovered, keys};
use crate::support::{
    app::{Backend, TestApp},
    attack::part,
    members::HANAKO,
};

/// Names of the registry "OAuth Authorization Server Metadata" and of OpenID Connect.
const NAMES: &[&str] = &[
    "acr_values_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_session_supported",
    "backchannel_logout_supported",
    "check_session_iframe",
    "claim_types_supported",
    "claims_parameter_supported",
    "claims_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "display_values_supported",
    "end_session_endpoint",
    "frontchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "grant_types_supported",
    "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
    "issuer",
    "jwks_uri",
    "op_policy_uri",
    "op_tos_uri",
    "prompt_values_supported",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "request_object_signing_alg_values_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "require_request_uri_registration",
    "require_signed_request_object",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "scopes_supported",
    "service_documentation",
    "subject_types_supported",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "userinfo_encryption_alg_values_supported",
    "userinfo_encryption_enc_values_supported",
    "userinfo_endpoint",
    "userinfo_signing_alg_values_supported",
];

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let app =
        TestApp::start_with(Backend::Embedded, |config| config.protocol.front_channel_tokens = true).await;
    let url = app.url("/.well-known/openid-configuration");
    let page = app.http_browser().raw(Method::GET, &url, &[], "").await;
    assert_eq!(page.headers["content-type"], "application/json");
    let metadata: Value = serde_json::from_str(&page.body).unwrap();
    assert_eq!(metadata["issuer"], app.url(""));
    for (name, value) in metadata.as_object().unwrap() {
        assert!(NAMES.contains(&name.as_str()), "{name} is no name of the registry");
        let place = name.ends_with("_endpoint") || name == "jwks_uri" || name == "check_session_iframe";
        assert!(!place || value.as_str().unwrap().starts_with(&app.url("/")), "{name}: {value}");
    }
    for name in ["authorization", "token", "userinfo", "registration", "end_session", "revocation"] {
        assert!(metadata[format!("{name}_endpoint")].is_string(), "{name}");
    }
    for (name, demanded) in [
        ("scopes_supported", json!(["openid"])),
        ("claims_supported", json!(["sub", "name"])),
        ("subject_types_supported", json!(["pairwise"])),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
        ("userinfo_signing_alg_values_supported", json!(["RS256"])),
        ("request_object_signing_alg_values_supported", json!(["RS256"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("response_types_supported", json!(["code", "id_token", "id_token token"])),
        ("grant_types_supported", json!(["authorization_code", "implicit"])),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]),
        ),
    ] {
        let listed = metadata[name].as_array().unwrap_or_else(|| panic!("{name} is no array"));
        for value in demanded.as_array().unwrap() {
            assert!(listed.contains(value), "{name} lacks {value}");
        }
    }
    let kids: Vec<_> = keys(&app).await.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kids.iter().collect::<BTreeSet<_>>().len(), kids.len(), "{kids:?}");
    app.finish().await;
}

/// Says so of a kind of logout, or that its endpoint is there.
async fn says(names: &[&str]) {
    let app = TestApp::start(Backend::Embedded).await;
    let metadata = discovered(&app).await;
    for name in names {
        let value = &metadata[*name];
        let is_ours = |text: &str| text.starts_with(&app.url("/"));
        assert!(value == &json!(true) || value.as_str().is_some_and(is_ours), "{name}: {value}");
    }
    app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    says(&["end_session_endpoint"]).await;
}

#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let supported = ["backchannel_logout_supported", "backchannel_logout_session_supported"];
    says(&[supported.as_slice(), &["end_session_endpoint"]].concat()).await;
}

#[tokio::test]
async fn oidcc_frontchannel_logout_discovery_endpoint_verification() {
    let supported = ["frontchannel_logout_supported", "frontchannel_logout_session_supported"];
    says(&[supported.as_slice(), &["end_session_endpoint"]].concat()).await;
}

#[tokio::test]
async fn oidcc_session_management_discovery_endpoint_verification() {
    says(&["check_session_iframe", "end_session_endpoint"]).await;
}

#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let kid = async || {
        let code = app.code(&browser, &app.client, "openid").await;
        let id_token = app.redeem(&app.client, &code).await.text("id_token").to_owned();
        part(&id_token, 0)["kid"].clone()
    };
    let published =
        async || -> Vec<Value> { keys(&app).await.iter().map(|key| key["kid"].clone()).collect() };
    let (old, before) = (kid().await, published().await);
    app.app().signing.rotate().await.unwrap();
    let (new, after) = (kid().await, published().await);
    assert_ne!(old, new);
    // The new key was there before anything was signed with it, the old one stays, and the next one is there.
    assert!(before.contains(&new) && after.contains(&new) && after.contains(&old), "{before:?} {after:?}");
    assert!(after.iter().any(|kid| !before.contains(kid)), "{before:?} {after:?}");
    app.finish().await;
}
