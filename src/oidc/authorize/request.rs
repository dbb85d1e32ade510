//! A validated authorization request, and the one value that may send a browser to a relying party.

use serde::{Deserialize, Serialize};

use super::response_type::ResponseType;
use crate::{
    clients::Client,
    oidc::{claims_request::ClaimsRequest, permission::Permission, scope::Scopes},
    texts::Locale,
};

/// How the response travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    Query,
    /// In the fragment of a redirect.
    Fragment,
    /// In a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Every mode, as metadata lists them.
    pub const NAMES: [&'static str; 3] = ["query", "fragment", "form_post"];

    /// The mode of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

/// Where an authorization response goes. It can be made only from a client and one of its own redirect
/// URIs (or for a page of our own), so nothing else is ever redirected to. The fields are private for that reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Callback {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
}

impl Callback {
    /// The callback of `requested`, if `client` registered it.
    pub fn new(client: &Client, requested: &str, mode: ResponseMode, state: Option<String>) -> Option<Self> {
        client.redirect_uri_matches(requested).then(|| Self {
            redirect_uri: requested.to_owned(),
            mode,
            state,
        })
    }

    /// The callback of a login that an operator tries: a page of our own console, whatever the client
    /// registered. No request can name it; see [`crate::oidc::trial`].
    pub(in crate::oidc) const fn of_trial(redirect_uri: String, state: String) -> Self {
        Self { redirect_uri, mode: ResponseMode::Query, state: Some(state) }
    }

    /// The redirect URI as it was requested; the token request must repeat it (RFC 6749 §4.1.3).
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// How the response travels.
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// The request's `state`.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// Values of `prompt` (OIDC Core §3.1.2.1, Prompt Create 1.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// No page may be shown.
    None,
    /// Sign in again.
    Login,
    /// Ask for consent again.
    Consent,
    /// Choose an account.
    SelectAccount,
    /// Open first-time registration.
    Create,
}

impl Prompt {
    /// Every value, as metadata lists them.
    pub const NAMES: [&'static str; 5] = ["none", "login", "consent", "select_account", "create"];

    /// The value of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "login" => Some(Self::Login),
            "consent" => Some(Self::Consent),
            "select_account" => Some(Self::SelectAccount),
            "create" => Some(Self::Create),
            _ => None,
        }
    }
}

/// Everything that an answer is given for. Parked in an interaction, it cannot be changed from outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// `client_id`.
    pub client_id: String,
    /// Where the response goes.
    pub callback: Callback,
    /// `response_type`.
    pub response_type: ResponseType,
    /// Scopes that were asked for, are known, and are allowed to the client.
    pub scope: Scopes,
    /// `resource`: for which APIs the access tokens will be (RFC 8707).
    pub resource: Vec<String>,
    /// `claims`, as far as the client may have them.
    pub claims: ClaimsRequest,
    /// The subjects one of whom must be signed in (`id_token_hint`, `sub` in `claims`); none if anybody may.
    pub subjects: Option<Vec<String>>,
    /// `nonce`, put into the ID token.
    pub nonce: Option<String>,
    /// S256 code challenge (RFC 7636 §4.2).
    pub code_challenge: Option<String>,
    /// `prompt`.
    pub prompt: Vec<Prompt>,
    /// `max_age` in seconds.
    pub max_age: Option<u64>,
    /// `login_hint`, offered as the login ID.
    pub login_hint: Option<String>,
    /// Language of the pages from `ui_locales`.
    pub locale: Option<Locale>,
    /// Name of the pushed request that this one came by (RFC 9126); it is spent with the answer.
    pub pushed: Option<String>,
}

impl AuthorizationRequest {
    /// What the member has to allow for it.
    pub fn needs(&self) -> Permission {
        Permission::needed(&self.scope, &self.claims)
    }

    /// Whether `prompt` has the value.
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}
