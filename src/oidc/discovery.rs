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
    registration::{GRANT_TYPES, RESPONSE_TYPES},
    scope::Scope,
};
use crate::{app::App, clients::AuthMethod, members::session::AAL1, texts::Locale};

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
        "token_endpoint": url("/token"),
        "userinfo_endpoint": url("/userinfo"),
        "jwks_uri": url("/jwks"),
        "end_session_endpoint": url("/logout"),
        "scopes_supported": Scope::NAMES,
        "response_types_supported": RESPONSE_TYPES,
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": GRANT_TYPES,
        "subject_types_supported": ["pairwise", "public"],
        "id_token_signing_alg_values_supported": app.config().keys.algorithms,
        "token_endpoint_auth_methods_supported": AuthMethod::ALL.map(AuthMethod::as_str),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": Prompt::NAMES,
        "display_values_supported": ["page"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims::SUPPORTED,
        "acr_values_supported": [AAL1],
        "ui_locales_supported": Locale::ALL.map(Locale::tag),
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    })
}
