//! `/device_authorization` (RFC 8628): a device without a browser of its own gets tokens, because its owner
//! enters a code on the page `/device` of another device and allows it there.
//!
//! The authorization is one record under an identifier. The `device_code` is that identifier with our mac,
//! so it is known as ours for as long as a device may poll with it; the `user_code` is a short-lived name of
//! the identifier. Entering the code ties the authorization to the session it was entered in; only there it
//! can be allowed, so nobody can be led past that page.

mod user_code;

use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    client_auth, direct,
    error::OAuthError,
    grant::{self, Basis, Grant},
    resource,
    scope::Scopes,
};
use crate::{
    app::App,
    clients::{Client, GrantType},
    clock::Timestamp,
    ephemeral::{Found, Record},
    fault::Fault,
    members::{limits::Budget, session::SignedIn},
    storage::consent,
    web::Visit,
};

pub use user_code::UserCode;

/// Seconds between two polls of a device, to begin with (RFC 8628 §3.2).
pub const INTERVAL: u64 = 5;

/// Attempts to find a user code that is free.
const TRIES: usize = 20;

/// Purpose of the mac of a device code.
const PURPOSE: &str = "device-code";

/// A device that asks, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    /// The client.
    pub client_id: String,
    /// What the person compares with the display of the device.
    pub user_code: String,
    /// What is asked for.
    pub scope: Scopes,
    /// For which resources (RFC 8707).
    #[serde(default)]
    pub resource: Vec<String>,
    /// How far it has come.
    pub state: DeviceState,
    /// When both codes are void.
    pub expires_at: Timestamp,
}

impl Record for DeviceAuthorization {
    const KIND: &'static str = "device-authorization";
}

/// How far a device authorization has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeviceState {
    /// Nobody has decided.
    Waiting {
        /// `sid` of the session that the user code was entered in last.
        entered_in: Option<String>,
    },
    /// The member allowed it.
    Allowed {
        /// The grant that it will give.
        grant: Box<Grant>,
        /// `sid` of the session that it was allowed in; it must still stand when the device comes.
        session: String,
    },
    /// The member refused.
    Denied,
    /// The device has its tokens; a second use revokes them.
    Redeemed {
        /// The grant that it gave.
        grant: String,
    },
}

/// The authorization that a user code stands for.
#[derive(Debug, Serialize, Deserialize)]
struct Entrance {
    id: String,
    expires_at: Timestamp,
}

impl Record for Entrance {
    const KIND: &'static str = "device-user-code";
}

/// POST `/device_authorization` (RFC 8628 §3.1)
pub async fn post(visit: Visit, headers: HeaderMap, body: Bytes) -> Result<Response, OAuthError> {
    let app = visit.app();
    let params = direct::params(&headers, &body)?;
    let client = client_auth::authenticate(app, &headers, &params).await?;
    super::token::may_use(&client, GrantType::DeviceCode)?;
    if app.members.spend_device(visit.address, &client.id).await? == Budget::Spent {
        // `slow_down` is for polls alone (RFC 8628 §3.5).
        let wait = app.config().limits.window();
        return Err(OAuthError::too_many("too many devices ask for codes; try again later", wait));
    }
    let scope = Scopes::asked_of_member(params.get("scope").unwrap_or_default())
        .map_err(|reason| OAuthError::new("invalid_scope", reason))?
        .allowed_to(&client);
    let resource = resource::of_request(&client, &params)?;
    let life = app.config().lifetimes.device_code();
    let id = app.members.entropy.id();
    let expires_at = app.now().plus(life);
    let user_code = name(app, &id, expires_at, life).await?;
    let record = DeviceAuthorization {
        client_id: client.id.clone(),
        user_code: user_code.to_string(),
        scope,
        resource,
        state: DeviceState::Waiting { entered_in: None },
        expires_at,
    };
    app.members.ephemeral.put(&id, &record, life).await?;
    let server = &app.config().server;
    Ok(direct::json(&json!({
        "device_code": mint(app, &id),
        "user_code": record.user_code,
        "verification_uri": server.url("/device"),
        "verification_uri_complete": server.url(&format!("/device?user_code={user_code}")),
        "expires_in": life.as_secs(),
        "interval": INTERVAL,
    })))
}

/// A user code that no other device has at the moment.
async fn name(app: &App, id: &str, expires_at: Timestamp, life: Duration) -> Result<UserCode, Fault> {
    let entrance = Entrance { id: id.to_owned(), expires_at };
    for _ in 0..TRIES {
        let code = UserCode::random(&app.members.entropy);
        if app.members.ephemeral.insert(code.digits(), &entrance, life).await? {
            return Ok(code);
        }
    }
    Err(Fault::internal("no user code is free"))
}

/// Writes a device code: `id.mac`.
fn mint(app: &App, id: &str) -> String {
    app.members.master.stamp(PURPOSE, id)
}

/// Reads a device code; one that this provider never wrote is none.
pub fn read(app: &App, device_code: &str) -> Option<String> {
    app.members.master.stamped(PURPOSE, device_code).map(str::to_owned)
}

/// A device authorization that was found, under its identifier.
pub struct FoundDevice {
    /// Its identifier, as in the path of its page.
    pub id: String,
    /// The record.
    pub found: Found<DeviceAuthorization>,
    /// Its client.
    pub client: Arc<Client>,
}

/// The authorization of this identifier if it waits for a decision.
async fn waiting(app: &App, id: &str) -> Result<Option<FoundDevice>, Fault> {
    let Some(found) = app.members.ephemeral.get::<DeviceAuthorization>(id).await? else { return Ok(None) };
    let open = matches!(found.value.state, DeviceState::Waiting { .. }) && app.now() < found.value.expires_at;
    let client = app.client(&found.value.client_id).await?;
    Ok(client.filter(|_| open).map(|client| FoundDevice { id: id.to_owned(), found, client }))
}

/// Enters a user code in a session; gives the identifier of the authorization that it stands for.
pub async fn enter(app: &App, code: &UserCode, sid: &str) -> Result<Option<String>, Fault> {
    let Some(entrance) = app.members.ephemeral.get::<Entrance>(code.digits()).await? else { return Ok(None) };
    if app.now() >= entrance.value.expires_at {
        return Ok(None);
    }
    let Some(device) = waiting(app, &entrance.value.id).await? else { return Ok(None) };
    let state = DeviceState::Waiting { entered_in: Some(sid.to_owned()) };
    let entered = DeviceAuthorization { state, ..device.found.value.clone() };
    // Somebody else may have entered it at the same time; then the person simply enters it again.
    Ok(swap(app, &device, entered).await?.then_some(device.id))
}

/// The authorization of a page, if its code was entered in this very session and it waits for a decision.
pub async fn entered(app: &App, id: &str, sid: &str) -> Result<Option<FoundDevice>, Fault> {
    let device = waiting(app, id).await?;
    Ok(device.filter(|device| {
        matches!(&device.found.value.state, DeviceState::Waiting { entered_in: Some(known) } if known == sid)
    }))
}

/// The member allows it; false when it was decided at the same time.
pub async fn allow(app: &App, device: &FoundDevice, signed_in: &SignedIn) -> Result<bool, Fault> {
    let asked = &device.found.value;
    let session = signed_in.session.sid.clone();
    let member = &signed_in.member.id;
    let sub = grant::subject(app, &device.client, member, None).await?;
    let consent = consent::find(&app.members.db, member, &device.client.id).await?;
    let basis = Basis::new(app, sub, consent.as_ref());
    let grant = Grant {
        resource: asked.resource.clone(),
        ..grant::begin(app, &device.client, signed_in, basis, asked.scope.clone())
    };
    let state = DeviceState::Allowed { grant: Box::new(grant), session };
    swap(app, device, DeviceAuthorization { state, ..asked.clone() }).await
}

/// The member refuses; false when it was decided at the same time.
pub async fn deny(app: &App, device: &FoundDevice) -> Result<bool, Fault> {
    let denied = DeviceAuthorization { state: DeviceState::Denied, ..device.found.value.clone() };
    swap(app, device, denied).await
}

async fn swap(app: &App, device: &FoundDevice, new: DeviceAuthorization) -> Result<bool, Fault> {
    let rest = new.expires_at.since(app.now());
    Ok(app.members.ephemeral.swap(&device.id, &device.found, &new, rest).await?)
}
