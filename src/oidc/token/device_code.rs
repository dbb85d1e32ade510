//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4): a device asks whether its
//! owner has decided.

use std::time::Duration;

use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{issue, replay::Replayed};
use crate::{
    app::App,
    clients::Client,
    clock::Timestamp,
    ephemeral::{Found, Record},
    fault::Fault,
    oidc::{
        authorize::params::Params,
        device::{self, DeviceAuthorization, DeviceState, INTERVAL},
        direct::required,
        error::OAuthError,
        grant::Grant,
        resource, seal,
    },
};

/// How fast a device may poll.
#[derive(Debug, Serialize, Deserialize)]
struct Pace {
    /// Seconds between two polls.
    interval: u64,
    /// When the next poll is not too early.
    next_at: Timestamp,
}

impl Record for Pace {
    const KIND: &'static str = "device-pace";
}

/// Answers a poll.
pub async fn poll(app: &App, client: &Client, params: &Params) -> Result<Response, OAuthError> {
    let expired = || OAuthError::new("expired_token", "the device_code has expired; ask for a new one");
    let id = device::read(app, required(params, "device_code")?).ok_or_else(refused)?;
    // Ours by its mac: what is not there any more has expired.
    let found = app.members.ephemeral.get::<DeviceAuthorization>(&id).await?.ok_or_else(expired)?;
    if found.value.client_id != client.id {
        return Err(refused());
    }
    let over = app.now() >= found.value.expires_at;
    match &found.value.state {
        DeviceState::Redeemed { grant } => Err(replayed(app, client, grant).await?),
        DeviceState::Denied => Err(OAuthError::new("access_denied", "the member did not allow it")),
        DeviceState::Waiting { .. } | DeviceState::Allowed { .. } if over => Err(expired()),
        DeviceState::Waiting { .. } => Err(paced(app, &id).await?),
        DeviceState::Allowed { grant, session } => {
            if !app.members.session_stands(session).await? || grant.allowed(app, client).await?.is_none() {
                return Err(OAuthError::invalid_grant("the member signed out or withdrew the consent"));
            }
            redeem(app, client, params, (&id, &found), grant).await
        }
    }
}

fn refused() -> OAuthError {
    OAuthError::invalid_grant("the device_code is unknown, used or another client's")
}

async fn replayed(app: &App, client: &Client, grant: &str) -> Result<OAuthError, Fault> {
    Replayed::DeviceCode.answer(app, &client.id, &[grant]).await?;
    Ok(refused())
}

/// What a device hears that must go on polling: `slow_down` if it came too early, and from then on it has to
/// wait five seconds more (RFC 8628 §3.5).
async fn paced(app: &App, id: &str) -> Result<OAuthError, Fault> {
    let now = app.now();
    let known = app.members.ephemeral.get::<Pace>(id).await?.map(|found| found.value);
    let early = known.as_ref().is_some_and(|pace| now < pace.next_at);
    let interval = known.map_or(INTERVAL, |pace| pace.interval) + if early { 5 } else { 0 };
    let wait = Duration::from_secs(interval);
    let pace = Pace { interval, next_at: now.plus(wait) };
    app.members.ephemeral.put(id, &pace, app.config().lifetimes.device_code()).await?;
    Ok(if early {
        OAuthError::new("slow_down", format!("poll every {interval} seconds at most"))
    } else {
        OAuthError::new("authorization_pending", "the member has not decided yet")
    })
}

/// Makes the grant, then swaps the record, as for a code: of any number of parallel polls one wins.
async fn redeem(
    app: &App,
    client: &Client,
    params: &Params,
    (id, found): (&str, &Found<DeviceAuthorization>),
    allowed: &Grant,
) -> Result<Response, OAuthError> {
    let audience = resource::audience(client, allowed, params)?;
    seal::ready(app, client, seal::of_id_token(client)).await?;
    let (grant_id, grant) = allowed.start(app, client, &audience).await?;
    let state = DeviceState::Redeemed { grant: grant_id.clone() };
    let redeemed = DeviceAuthorization { state, ..found.value.clone() };
    // Kept as long as an access token lives, so that a late replay still finds what to revoke.
    let kept = found.value.expires_at.since(app.now()) + app.config().lifetimes.access_token();
    let ephemeral = &app.members.ephemeral;
    if !ephemeral.swap(id, found, &redeemed, kept).await? {
        Grant::revoke(app, &grant_id).await?;
        let winner = ephemeral.get::<DeviceAuthorization>(id).await?.map(|found| found.value.state);
        return match winner {
            Some(DeviceState::Redeemed { grant }) => Err(replayed(app, client, &grant).await?),
            _ => Err(refused()),
        };
    }
    issue::tokens(app, client, (&grant_id, &grant), &grant.scope, audience).await
}
