//! Metadata: OIDC Discovery 1.0 §3 and RFC 8414 §2. Only what is there is named.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{
    authorize::request::{Prompt, ResponseMode},
    claims,
    registration::{grant_types, response_types},
    scope::Scope,
    session_management,
};
use crate::{app::App, clients::AuthMethod, crypto::Algorithm, members::session::ACR_VALUES, texts::Locale};

/// Algorithms of client assertions: HMAC for `client_secret_jwt`, the others for `private_key_jwt`.
const ASSERTION_ALGORITHMS: [&str; 5] = ["HS256", "RS256", "PS256", "ES256", "EdDSA"];

/// GET `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`
pub async fn get(State(app): State<App>) -> Response {
    let headers =
        [(header::CACHE_CONTROL, "public, max-age=300"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, Json(metadata(&app))).into_response()
}

fn metadata(app: &App) -> Value {
    let server = &app.config().server;
    let url = |path: &str| server.url(path);
    json!({
        "issuer": server.issuer,
        "authorization_endpoint": url("/authorize"),
        "pushed_authorization_request_endpoint": url("/par"),
        "token_endpoint": url("/token"),
        "userinfo_endpoint": url("/userinfo"),
        "jwks_uri": url("/jwks"),
        "registration_endpoint": url("/register"),
        "end_session_endpoint": url("/logout"),
        "check_session_iframe": url(session_management::PATH),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "scopes_supported": Scope::NAMES,
        "response_types_supported": response_types(app.config()),
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": grant_types(app.config()),
        "subject_types_supported": ["pairwise", "public"],
        "id_token_signing_alg_values_supported": app.config().keys.algorithms,
        "token_endpoint_auth_methods_supported": AuthMethod::ALL.map(AuthMethod::as_str),
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": Prompt::NAMES,
        // One layout, for a phone's width and a window's.
        "display_values_supported": ["page", "popup", "touch"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims::SUPPORTED,
        "acr_values_supported": ACR_VALUES,
        "ui_locales_supported": Locale::ALL.map(Locale::tag),
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "request_object_signing_alg_values_supported": Algorithm::ALL,
        "require_pushed_authorization_requests": false,
        "require_signed_request_object": false,
        "authorization_response_iss_parameter_supported": true,
    })
}
