//! Metadata: OIDC Discovery 1.0 §3 and RFC 8414 §2. Only what is there is named.

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::{Map, Value, json};

use super::{
    authorize::request::{Prompt, ResponseMode},
    claims,
    published::Published,
    registration::{grant_types, response_types},
    scope::Scope,
    session_management,
};
use crate::{
    app::App,
    clients::AuthMethod,
    crypto::{Algorithm, ContentEncryption, KeyManagement},
    members::session::ACR_VALUES,
    texts::Locale,
};

/// Algorithms of client assertions: HMAC for `client_secret_jwt`, the others for `private_key_jwt`.
const ASSERTION_ALGORITHMS: [&str; 5] = ["HS256", "RS256", "PS256", "ES256", "EdDSA"];

/// GET `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`
pub async fn get(State(app): State<App>, headers: HeaderMap) -> Response {
    app.discovery.get_or_init(|| Published::new(&metadata(&app).into())).answer(&headers)
}

fn metadata(app: &App) -> Map<String, Value> {
    [endpoints(app), algorithms(app), protocol(app)].into_iter().flatten().collect()
}

/// The members of an object.
fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Where everything is.
fn endpoints(app: &App) -> Map<String, Value> {
    let server = &app.config().server;
    let url = |path: &str| server.url(path);
    members(json!({
        "issuer": server.issuer,
        "authorization_endpoint": url("/authorize"),
        "pushed_authorization_request_endpoint": url("/par"),
        "token_endpoint": url("/token"),
        "userinfo_endpoint": url("/userinfo"),
        "introspection_endpoint": url("/introspect"),
        "revocation_endpoint": url("/revoke"),
        "device_authorization_endpoint": url("/device_authorization"),
        "jwks_uri": url("/jwks"),
        "registration_endpoint": url("/register"),
        "end_session_endpoint": url("/logout"),
        "check_session_iframe": url(session_management::PATH),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    }))
}

/// How clients prove themselves, and what is signed and encrypted with what.
fn algorithms(app: &App) -> Map<String, Value> {
    let auth_methods = AuthMethod::ALL.map(AuthMethod::as_str);
    let proving: Vec<_> = auth_methods.into_iter().filter(|name| *name != "none").collect();
    let signing = &app.config().keys.algorithms;
    members(json!({
        "id_token_signing_alg_values_supported": signing,
        "id_token_encryption_alg_values_supported": KeyManagement::ALL,
        "id_token_encryption_enc_values_supported": ContentEncryption::ALL,
        "userinfo_signing_alg_values_supported": signing,
        "userinfo_encryption_alg_values_supported": KeyManagement::ALL,
        "userinfo_encryption_enc_values_supported": ContentEncryption::ALL,
        "introspection_signing_alg_values_supported": signing,
        "token_endpoint_auth_methods_supported": auth_methods,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": proving,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": auth_methods,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "request_object_signing_alg_values_supported": Algorithm::ALL,
    }))
}

/// What may be asked for, and how.
fn protocol(app: &App) -> Map<String, Value> {
    members(json!({
        "scopes_supported": Scope::NAMES,
        "response_types_supported": response_types(app.config()),
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": grant_types(app.config()),
        "subject_types_supported": ["pairwise", "public"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": Prompt::NAMES,
        // One layout, for a phone's width and a window's.
        "display_values_supported": ["page", "popup", "touch"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims::supported().collect::<Vec<_>>(),
        "acr_values_supported": ACR_VALUES,
        "ui_locales_supported": Locale::ALL.map(Locale::tag),
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "require_pushed_authorization_requests": false,
        "require_signed_request_object": false,
        "authorization_response_iss_parameter_supported": true,
    }))
}
