//! Interactions: authorization requests that are parked while a person is at our pages.
//!
//! An interaction belongs to one tab: its id is in the path. It belongs to one browser: a cookie must
//! match. A visit to `/login` without any request has an interaction too, just with nothing parked.

use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::authorize::request::AuthorizationRequest;
use crate::{
    clock::Timestamp,
    crypto::digest,
    ephemeral::{Found, Record},
    fault::Fault,
    members::{limits::Budget, registration::Draft},
    web::{PageError, Visit, templates::Message},
};

/// What is remembered between the pages of one sign-in or registration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interaction {
    /// Its identifier, as in the path.
    pub id: String,
    /// SHA-256 of the browser binding: another browser's visit to this path finds nothing.
    pub browser: String,
    /// The parked request; none when someone came to the login page directly.
    pub request: Option<AuthorizationRequest>,
    /// A page of ours to go on to, where nothing was parked.
    #[serde(default)]
    pub goal: Option<String>,
    /// Portal code of the insurer whose entry it began at, or that was chosen.
    #[serde(default)]
    pub insurer: Option<String>,
    /// The login ID of the first step, in its canonical form.
    pub login_id: Option<String>,
    /// `sid` of the session that was signed in to *within* this interaction (`prompt=login`, `max_age`).
    pub signed_in: Option<String>,
    /// Whether the account was chosen within this interaction (`prompt=select_account`).
    pub account_chosen: bool,
    /// Whether it was allowed within this interaction (`prompt=consent`).
    pub consented: bool,
    /// Whether it was asked within this interaction about the address that bounces.
    #[serde(default)]
    pub email_asked: bool,
    /// A first-time registration under way; this never yields a session by itself.
    pub registration: Option<Draft>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Record for Interaction {
    const KIND: &'static str = "interaction";
}

impl Interaction {
    /// A fresh one.
    pub fn new(
        id: String,
        browser: String,
        request: Option<AuthorizationRequest>,
        now: Timestamp,
        life: Duration,
    ) -> Self {
        Self {
            id,
            browser,
            request,
            goal: None,
            insurer: None,
            login_id: None,
            signed_in: None,
            account_chosen: false,
            consented: false,
            email_asked: false,
            registration: None,
            created_at: now,
            expires_at: now.plus(life),
        }
    }

    /// The client that the person came from.
    pub fn client_id(&self) -> Option<&str> {
        self.request.as_ref().map(|request| request.client_id.as_str())
    }
}

/// Changes that lose against a parallel one are tried again this often.
const TRIES: usize = 5;

/// The interaction of a path, if it is alive and belongs to this browser. Anything else looks the same:
/// expired, with the one button that starts again.
pub async fn load(visit: &Visit, id: &str) -> Result<Found<Interaction>, PageError> {
    find(visit, id).await?.ok_or_else(expired)
}

/// As [`load`], for those who can go on without it.
pub async fn find(visit: &Visit, id: &str) -> Result<Option<Found<Interaction>>, Fault> {
    let app = visit.app();
    let found = app.members.ephemeral.get::<Interaction>(id).await?;
    let browser = visit.browser_hash();
    Ok(found.filter(|found| {
        let ours = digest::equal(found.value.browser.as_bytes(), browser.as_bytes());
        ours && app.now() < found.value.expires_at
    }))
}

/// A visit that leaves a record behind, if the client address has not left too many.
pub async fn spend_visit(visit: &Visit) -> Result<(), PageError> {
    match visit.app().members.spend_visit(visit.address).await? {
        Budget::Open => Ok(()),
        Budget::Spent => Err(PageError::status(StatusCode::TOO_MANY_REQUESTS)),
    }
}

/// Parks a request, or nothing but a visit to the login page, at the insurer with this portal code if it is
/// known already.
pub async fn park(
    visit: &Visit,
    request: Option<AuthorizationRequest>,
    insurer: Option<&str>,
) -> Result<Interaction, PageError> {
    spend_visit(visit).await?;
    let app = visit.app();
    let life = app.config().lifetimes.interaction();
    let id = app.members.entropy.id();
    let mut interaction = Interaction::new(id, visit.browser_hash(), request, app.now(), life);
    interaction.insurer = insurer.map(str::to_owned);
    app.members.ephemeral.put(&interaction.id, &interaction, life).await.map_err(Fault::from)?;
    Ok(interaction)
}

/// Parks a visit to a page of ours that is for signed-in members.
pub async fn park_for(visit: &Visit, goal: impl Into<String>) -> Result<Interaction, PageError> {
    spend_visit(visit).await?;
    let app = visit.app();
    let life = app.config().lifetimes.interaction();
    let id = app.members.entropy.id();
    let mut interaction = Interaction::new(id, visit.browser_hash(), None, app.now(), life);
    interaction.goal = Some(goal.into());
    app.members.ephemeral.put(&interaction.id, &interaction, life).await.map_err(Fault::from)?;
    Ok(interaction)
}

/// Applies a change and gives the interaction as it is then. A double submit applies it twice, which is
/// why a change sets values and never counts.
pub async fn update(
    visit: &Visit,
    found: Found<Interaction>,
    change: impl Fn(&mut Interaction),
) -> Result<Found<Interaction>, PageError> {
    let app = visit.app();
    let mut found = found;
    for _ in 0..TRIES {
        let mut changed = found.value.clone();
        change(&mut changed);
        let id = changed.id.clone();
        let ttl = changed.expires_at.since(app.now());
        let swapped = app.members.ephemeral.swap(&id, &found, &changed, ttl).await.map_err(Fault::from)?;
        found = load(visit, &id).await?;
        if swapped {
            return Ok(found);
        }
    }
    Err(PageError::status(StatusCode::CONFLICT))
}

/// What a page that has expired says.
pub fn expired() -> PageError {
    PageError::explained(StatusCode::GONE, Message::new("error-410-message")).restarting_at("/login")
}
