//! Interactions: authorization requests that are parked while a person is at our pages.
//!
//! An interaction belongs to one tab: its id is in the path. It belongs to one browser: a cookie must
//! match. A visit to `/login` without any request has an interaction too, just with nothing parked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::authorize::request::AuthorizationRequest;
use crate::{
    clock::Timestamp,
    ephemeral::Record,
    members::registration::Draft,
    texts::Locale,
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
    /// Language that the person chose on a page.
    pub locale: Option<Locale>,
    /// The login ID of the first step, in its canonical form.
    pub login_id: Option<String>,
    /// Name of the session that was signed in to *within* this interaction (`prompt=login`, `max_age`).
    pub signed_in: Option<String>,
    /// Whether the account was chosen within this interaction (`prompt=select_account`).
    pub account_chosen: bool,
    /// Scopes allowed within this interaction (`prompt=consent`).
    pub consented: bool,
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
            locale: request.as_ref().and_then(|request| request.locale),
            request,
            login_id: None,
            signed_in: None,
            account_chosen: false,
            consented: false,
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
