//! Pushed authorization requests (RFC 9126) as they wait for the browser.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::params::Params;
use crate::{app::App, clients::Client, clock::Timestamp, ephemeral::Record, fault::Fault};

/// What a `request_uri` of ours begins with (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// How long the browser has to come with it.
pub const LIFE: Duration = Duration::from_secs(90);

/// Parameters of the request itself that prove the client; they end where they were checked.
const OF_THE_CLIENT: [&str; 4] = ["client_secret", "client_assertion", "client_assertion_type", "request"];

/// A pushed request.
#[derive(Serialize, Deserialize)]
pub struct Pushed {
    client_id: String,
    params: Params,
    expires_at: Timestamp,
}

impl Record for Pushed {
    const KIND: &'static str = "pushed-request";
}

impl Pushed {
    /// Keeps the parameters of a client and gives the `request_uri`: 256 random bits.
    pub async fn keep(app: &App, client: &Client, params: &Params) -> Result<String, Fault> {
        let params = params.without(&OF_THE_CLIENT);
        let pushed = Self { client_id: client.id.clone(), params, expires_at: app.now().plus(LIFE) };
        let id = app.members.entropy.secret();
        // For as long as an answer may still come of it, so that a second one is known for what it is.
        let kept = LIFE + app.members.interaction_life_with_mail();
        app.members.ephemeral.put(&id, &pushed, kept).await?;
        Ok(format!("{PREFIX}{id}"))
    }

    /// The name of the record of a `request_uri`, if it is one of ours.
    pub fn id_of(request_uri: &str) -> Option<&str> {
        request_uri.strip_prefix(PREFIX)
    }

    /// The parameters that this client pushed, if they were neither spent nor kept waiting too long. Looking
    /// spends nothing: people reload (RFC 9126 §4).
    pub async fn find(app: &App, client: &Client, id: &str) -> Result<Option<Params>, Fault> {
        let found = app.members.ephemeral.get::<Self>(id).await?;
        let good = found.filter(|found| found.client_id == client.id && app.now() < found.expires_at);
        Ok(good.map(|found| found.value.params))
    }

    /// Spends it with the answer; false when another answer did so before.
    pub async fn spend(app: &App, id: &str) -> Result<bool, Fault> {
        Ok(app.members.ephemeral.take::<Self>(id).await?.is_some())
    }
}
