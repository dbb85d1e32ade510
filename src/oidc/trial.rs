//! 「試す」: an operator goes through a login as if the client had asked for it.
//!
//! The request is made, checked by the rules of every request and parked here inside. It never passes the
//! authorization endpoint, which therefore knows no other redirect URI than before: nobody but an operator who
//! began a trial can have a code sent to the console, and only to the session that began it. The code is
//! redeemed by the very function of the token endpoint; the client's own proof is left out, since its secret is
//! not known here. What comes of it is revoked before it is shown.

mod examine;

use std::time::Duration;

use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::examine::{Examined, Form, examine};
use super::{
    access_token::AccessToken,
    authorize::{
        checks::{self, AuthorizationError, Provider},
        params::Params,
        request::Callback,
    },
    grant::Grant,
    interaction, token,
};
use crate::{
    app::App,
    clients::{Client, GrantType},
    clock::Timestamp,
    crypto::digest,
    ephemeral::Record,
    fault::Fault,
    web::{PageError, Visit},
};

/// How long an operator has from the beginning to the callback.
pub const LIFE: Duration = Duration::from_secs(10 * 60);
/// Longest answer of the token endpoint that is read.
const LONGEST: usize = 128 * 1024;

/// A trial under way, stored under its `state`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Trial {
    /// The client.
    pub client_id: String,
    /// Name of the operator's session that began it.
    session: String,
    /// The parameters of the authorization request.
    pub request: Vec<(String, String)>,
    /// `nonce` of the request.
    pub nonce: String,
    verifier: String,
    expires_at: Timestamp,
}

impl Record for Trial {
    const KIND: &'static str = "client-trial";
}

/// Why a client cannot be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is disabled.
    Disabled,
    /// Members do not come to it through the browser with a code.
    NoCode,
}

/// What stands in the way of a trial, if anything does.
pub fn obstacle(client: &Client) -> Option<Obstacle> {
    let metadata = &client.metadata;
    if client.disabled_at.is_some() {
        return Some(Obstacle::Disabled);
    }
    let code = metadata.allows_grant(GrantType::AuthorizationCode) && metadata.allows_response_type("code");
    (!code).then_some(Obstacle::NoCode)
}

/// Where the response of a trial goes.
pub fn redirect_uri(app: &App, client_path: &str) -> String {
    app.config().server.url(&format!("{client_path}/try/callback"))
}

/// Begins a trial for the operator's session of this name; gives the path to go on at. The member signs in
/// anew (`prompt=login`), so that nobody is tried with who only left a browser open.
pub async fn begin(
    visit: &Visit,
    client: &Client,
    (session, redirect_uri, scope): (&str, &str, &str),
) -> Result<Result<String, AuthorizationError>, PageError> {
    let app = visit.app();
    let entropy = &app.members.entropy;
    let (state, nonce, verifier) = (entropy.secret(), entropy.secret(), entropy.secret());
    let challenge = digest::sha256_base64url(&verifier);
    let request: Vec<(String, String)> = [
        ("response_type", "code"),
        ("client_id", client.id.as_str()),
        ("redirect_uri", redirect_uri),
        ("scope", scope),
        ("state", state.as_str()),
        ("nonce", nonce.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let mut params = Params::default();
    for (name, value) in &request {
        params.put(name, value.clone());
    }
    let callback = Callback::of_trial(redirect_uri.to_owned(), state.clone());
    let checked = match checks::check(&Provider::of(app), &params, client, callback) {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error)),
    };
    let trial = Trial {
        client_id: client.id.clone(),
        session: session.to_owned(),
        request,
        nonce,
        verifier,
        expires_at: app.now().plus(LIFE),
    };
    app.members.ephemeral.put(&state, &trial, LIFE).await.map_err(Fault::from)?;
    let parked = interaction::park(visit, Some(checked), client.metadata.insurer.as_deref()).await?;
    Ok(Ok(format!("/authorize/{}", parked.id)))
}

impl Trial {
    /// Takes the trial of a `state`, once, if this session began it for this client and it is in time.
    pub async fn take(
        app: &App,
        state: &str,
        (session, client_id): (&str, &str),
    ) -> Result<Option<Self>, Fault> {
        let ephemeral = &app.members.ephemeral;
        let Some(found) = ephemeral.get::<Self>(state).await? else { return Ok(None) };
        let ours = found.session == session && found.client_id == client_id;
        if !ours || app.now() >= found.expires_at {
            return Ok(None);
        }
        Ok(ephemeral.take::<Self>(state).await?)
    }

    fn parameter(&self, name: &str) -> &str {
        self.request.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Redeems the code as the client would; status and JSON of the answer. The tokens in it are revoked.
    pub async fn redeem(&self, app: &App, client: &Client, code: &str) -> Result<(u16, Value), Fault> {
        let mut params = Params::default();
        params.put("grant_type", GrantType::AuthorizationCode.as_str().to_owned());
        params.put("code", code.to_owned());
        params.put("redirect_uri", self.parameter("redirect_uri").to_owned());
        params.put("code_verifier", self.verifier.clone());
        let answer = token::answer(app, client, &params).await;
        let response = answer.unwrap_or_else(IntoResponse::into_response);
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), LONGEST).await.map_err(Fault::internal)?;
        let body: Value = serde_json::from_slice(&body).map_err(Fault::internal)?;
        revoke(app, &body).await?;
        Ok((status, body))
    }
}

/// Takes back all that the answer gave: the grant goes, and with it every token that names it.
async fn revoke(app: &App, body: &Value) -> Result<(), Fault> {
    let Some(text) = body["access_token"].as_str() else { return Ok(()) };
    if let Some(presented) = AccessToken::find(app, text).await?
        && let Some(grant) = &presented.token.grant
    {
        Grant::revoke(app, grant).await?;
    }
    AccessToken::revoke(app, text).await
}
