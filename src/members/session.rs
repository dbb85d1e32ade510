//! Sessions: what a browser has once its member signed in.
//!
//! The cookie holds a secret; everything else knows the session by the secret's hash, its *name*, so
//! that nothing that is stored could be sent as a cookie.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::{Members, device::Device, roster::Person, session_end::Party};
use crate::{
    clock::Timestamp,
    crypto::digest,
    ephemeral::{Found, Record},
    fault::Fault,
    storage::{
        member::{Member, MemberState},
        standing::{self, Standing},
    },
};

/// How often at most a session that is used is written back.
const RENEWAL: Duration = Duration::from_secs(60);

/// A session as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The member who signed in.
    pub member_id: String,
    /// `sid` of ID tokens: names the session to relying parties and opens nothing.
    pub sid: String,
    /// When the member last proved to be the one.
    pub auth_time: Timestamp,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// When it was last written back.
    pub seen_at: Timestamp,
    /// What kind of device it is on.
    #[serde(default)]
    pub device: Device,
    /// Relying parties that want to be told of its end.
    #[serde(default)]
    pub parties: Vec<Party>,
}

impl Record for Session {
    const KIND: &'static str = "session";
}

/// A session whose member may still use it.
#[derive(Debug)]
pub struct SignedIn {
    /// SHA-256 of the cookie, the name under which it is stored.
    pub name: String,
    /// The session.
    pub session: Session,
    /// Its member.
    pub member: Member,
    /// The person of the roster.
    pub person: Person,
}

/// Authentication context class (`acr`) of a password sign-in.
pub const AAL1: &str = "aal1";

/// Every context class that a sign-in here can have.
pub const ACR_VALUES: [&str; 1] = [AAL1];

/// The name of the session of a cookie.
pub fn name_of(cookie: &str) -> String {
    digest::sha256_base64url(cookie)
}

/// The tag under which the names of a member's sessions are.
pub(super) fn list_of(member_id: &str) -> String {
    format!("sessions:{member_id}")
}

impl Members {
    /// What a browser shows of its session to scripts that watch over it (Session Management 1.0 §4): opaque,
    /// and another for every `sid`.
    pub fn browser_state(&self, sid: &str) -> String {
        self.master.mac_base64url("browser-state", sid.as_bytes())
    }

    /// Starts a session for a member who has just given the password; returns the cookie's secret.
    pub async fn start_session(&self, member: &Member, device: Device) -> Result<String, Fault> {
        let now = self.clock.now();
        self.store_session(Session {
            member_id: member.id.clone(),
            sid: self.entropy.id(),
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            // A sign-out everywhere that another node's clock dates later does not concern it.
            created_at: now.max(member.sessions_valid_from),
            expires_at: now.plus(self.config.lifetimes.session_absolute()),
            seen_at: now,
            device,
            parties: Vec::new(),
        })
        .await
    }

    /// Stores a session under a fresh secret, which it returns, and lists it under its member.
    pub(super) async fn store_session(&self, session: Session) -> Result<String, Fault> {
        let secret = self.entropy.secret();
        let name = name_of(&secret);
        let rest = session.expires_at.since(self.clock.now());
        // The list first: a session that is not on it could not be found to be ended.
        self.ephemeral.tag(&list_of(&session.member_id), &name, rest).await?;
        self.ephemeral.put(&name, &session, self.session_ttl(&session)).await?;
        self.point(&session, &name).await?;
        Ok(secret)
    }

    /// The session of a cookie, if it still stands: not expired, not idle too long, not from before a
    /// global sign-out, and its member active and eligible.
    pub async fn session(&self, cookie: &str) -> Result<Option<SignedIn>, Fault> {
        if cookie.len() != 43 {
            return Ok(None);
        }
        let signed_in = self.session_by_name(&name_of(cookie)).await?;
        let Some((found, signed_in)) = signed_in else { return Ok(None) };
        let now = self.clock.now();
        if now.since(signed_in.session.seen_at) >= RENEWAL {
            // A swap, not a put: a session that was ended meanwhile is not brought back.
            let renewed = Session { seen_at: now, ..signed_in.session.clone() };
            self.ephemeral.swap(&signed_in.name, &found, &renewed, self.session_ttl(&renewed)).await?;
        }
        Ok(Some(signed_in))
    }

    /// Whether the session of this name is there and neither over nor idle too long; used when its cookie is
    /// not at hand. Whether its member may use it is for [`Members::standing`] to say.
    pub async fn session_stands(&self, name: &str) -> Result<bool, Fault> {
        let found = self.ephemeral.get::<Session>(name).await?;
        Ok(found.is_some_and(|found| self.in_time(&found.value)))
    }

    async fn session_by_name(&self, name: &str) -> Result<Option<(Found<Session>, SignedIn)>, Fault> {
        let Some(found) = self.ephemeral.get::<Session>(name).await? else { return Ok(None) };
        let session = found.value.clone();
        if !self.in_time(&session) {
            return Ok(None);
        }
        let Some((member, person)) = self.standing(&session.member_id, session.created_at).await? else {
            return Ok(None);
        };
        Ok(Some((found, SignedIn { name: name.to_owned(), session, member, person })))
    }

    /// What was given before this instant is void: everything was signed out then, or the eligibility ended.
    /// Days of grace are for who signs in after that.
    pub fn valid_from(&self, member: &Member, person: &Person) -> Timestamp {
        let lost = person.lost_since(self.clock.now());
        lost.map_or(member.sessions_valid_from, |lost| lost.max(member.sessions_valid_from))
    }

    /// The member and the person, if what was given to the member at `since` still holds today: the
    /// account is active, nobody signed it out everywhere since, and the person is eligible and has been
    /// since, or has days of grace that began before.
    pub async fn standing(
        &self,
        member_id: &str,
        since: Timestamp,
    ) -> Result<Option<(Member, Person)>, Fault> {
        let standing = self.standing_with(member_id, "", since).await?;
        Ok(standing.map(|standing| (standing.member, standing.person)))
    }

    /// The same with what the member said and allows a client.
    pub async fn standing_with(
        &self,
        member_id: &str,
        client_id: &str,
        since: Timestamp,
    ) -> Result<Option<Standing>, Fault> {
        let found = standing::find(&self.db, member_id, client_id).await?;
        Ok(found.filter(|Standing { member, person, .. }| {
            member.state == MemberState::Active
                && since >= self.valid_from(member, person)
                && self.is_eligible(person)
        }))
    }

    /// Whether a session is neither over nor idle too long.
    pub(super) fn in_time(&self, session: &Session) -> bool {
        let now = self.clock.now();
        now < session.expires_at && now < session.seen_at.plus(self.config.lifetimes.session_idle())
    }

    pub(super) fn session_ttl(&self, session: &Session) -> Duration {
        let rest = session.expires_at.since(self.clock.now());
        rest.min(self.config.lifetimes.session_idle())
    }
}
