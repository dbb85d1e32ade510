//! The rules of an authorization request, one a function, in the order they are applied.
//!
//! [`CHECKS`] is the whole table, for `/authorize` and `/par` alike: a rule reads the parameters and fills in
//! its part of the [`Draft`].

mod protocol;
mod wishes;

use super::{
    params::Params,
    request::{AuthorizationRequest, Callback, ResponseMode},
    response_type::ResponseType,
};
use crate::{
    app::App,
    clients::{Client, redirect_uri},
    crypto::Keyring,
    oidc::{claims_request::ClaimsRequest, scope::Scopes},
};
use std::sync::Arc;

/// An error that goes back to the client (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationError {
    /// `error`.
    pub code: &'static str,
    /// `error_description`: which parameter breaks which rule.
    pub description: String,
}

impl AuthorizationError {
    /// An error of this code. The description keeps only the characters that RFC 6749 §4.1.2.1 has for it.
    pub fn new(code: &'static str, description: impl Into<String>) -> Self {
        let mut description = description.into();
        description.retain(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'));
        Self { code, description }
    }

    /// The request is malformed.
    pub fn invalid(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }
}

/// Why a request is refused on a page of ours: nothing is known yet that it could be sent back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRefusal {
    /// The parameter at fault.
    pub parameter: &'static str,
    /// Text that says so.
    pub text: &'static str,
}

/// What the rules need to know of this provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Verifies `id_token_hint`.
    pub keyring: Arc<Keyring>,
    /// The issuer.
    pub issuer: String,
    /// Whether tokens may come from the authorization endpoint.
    pub front_channel_tokens: bool,
}

impl Provider {
    /// This one, at this moment.
    pub fn of(app: &App) -> Self {
        let config = app.config();
        Self {
            keyring: app.signing.current(),
            issuer: config.server.issuer.clone(),
            front_channel_tokens: config.protocol.front_channel_tokens,
        }
    }
}

/// A request while it is checked.
#[derive(Debug)]
pub struct Draft<'a> {
    provider: &'a Provider,
    params: &'a Params,
    client: &'a Client,
    request: AuthorizationRequest,
}

type Check = fn(&mut Draft<'_>) -> Result<(), AuthorizationError>;

/// The rules, in order.
const CHECKS: &[Check] = &[
    protocol::parameters_come_once,
    protocol::response_mode_is_known,
    protocol::registration_is_not_supported,
    protocol::response_type_is_the_clients,
    protocol::response_mode_fits_the_type,
    protocol::scope_has_openid,
    protocol::resources_are_the_clients,
    protocol::pkce_is_s256,
    protocol::nonce_is_there_for_an_id_token,
    wishes::prompt_is_consistent,
    wishes::max_age_is_a_number,
    wishes::claims_are_well_formed,
    wishes::acr_can_be_met,
    wishes::id_token_hint_is_ours,
    wishes::hints_are_kept,
];

/// The callback of a request: a client that exists and a redirect URI that it registered. Until this
/// holds, nothing is redirected, whatever the parameters say (RFC 6749 §4.1.2.1).
pub fn callback(params: &Params, client: &Client) -> Result<Callback, PageRefusal> {
    let refuse = |text| PageRefusal { parameter: "redirect_uri", text };
    if !params.is_clear("redirect_uri") {
        return Err(refuse("error-redirect-uri-mismatch"));
    }
    // OIDC Core §3.1.2.1 requires it, even of a client with a single one.
    let requested = params.get("redirect_uri").ok_or_else(|| refuse("error-redirect-uri-missing"))?;
    let state = params.get("state").map(str::to_owned);
    Callback::new(client, requested, mode(params, requested), state)
        .ok_or_else(|| refuse("error-redirect-uri-mismatch"))
}

/// How the answer travels, an error too: as the request says, unless that cannot be; then as its
/// `response_type` has it by default. A token never travels in a query (Multiple Response Types §5).
fn mode(params: &Params, redirect_uri: &str) -> ResponseMode {
    let words = params.get("response_type").unwrap_or_default();
    let parsed = ResponseType::parse(words);
    let front_channel = parsed.map_or_else(
        || words.split(' ').any(|word| matches!(word, "token" | "id_token")),
        ResponseType::is_front_channel,
    );
    let default = if front_channel { ResponseMode::Fragment } else { ResponseMode::Query };
    match params.get("response_mode").and_then(ResponseMode::parse) {
        // A browser cannot post to a private-use scheme.
        Some(ResponseMode::FormPost) if redirect_uri::is_of_the_web(redirect_uri) => ResponseMode::FormPost,
        Some(ResponseMode::Fragment) => ResponseMode::Fragment,
        _ => default,
    }
}

/// Applies every rule.
pub fn check(
    provider: &Provider,
    params: &Params,
    client: &Client,
    callback: Callback,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let request = AuthorizationRequest {
        client_id: client.id.clone(),
        callback,
        response_type: ResponseType::CODE,
        scope: Scopes::default(),
        resource: Vec::new(),
        claims: ClaimsRequest::default(),
        subjects: None,
        nonce: None,
        code_challenge: None,
        prompt: Vec::new(),
        max_age: None,
        login_hint: None,
        locale: None,
        pushed: None,
    };
    let mut draft = Draft { provider, params, client, request };
    for check in CHECKS {
        check(&mut draft)?;
    }
    Ok(draft.request)
}

#[cfg(test)]
mod tests;
