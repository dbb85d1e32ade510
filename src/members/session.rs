//! Sessions: what a browser has once its member signed in.
//!
//! A session is stored under its `sid`, which relying parties and records know it by. The cookie is the `sid`
//! with a secret after it; stored is the secret's hash, so that nothing that is stored or told could be sent
//! as a cookie.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::{Members, device::Device, roster::Person, session_end::Party};
use crate::{
    clock::Timestamp,
    crypto::digest,
    ephemeral::{Found, Record},
    fault::Fault,
    storage::{
        consent::Consent,
        member::{Member, MemberState},
        standing::{Standing, Towards},
    },
};

/// Characters of a `sid`, the first of the cookie.
const SID: usize = 22;
/// Characters of the cookie of a session.
pub const COOKIE: usize = SID + 43;

/// How often at most a session that is used is written back.
const RENEWAL: Duration = Duration::from_secs(60);

/// A session as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The member who signed in.
    pub member_id: String,
    /// `sid` of ID tokens: names the session to relying parties and opens nothing.
    pub sid: String,
    /// SHA-256 of the secret in the cookie.
    pub proof: String,
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
    /// The session.
    pub session: Session,
    /// Its member.
    pub member: Member,
    /// The person of the roster.
    pub person: Person,
}

/// What was read beside a member who is signed in, towards one client.
#[derive(Debug, Default)]
pub struct Beside {
    /// What the member allows the client.
    pub consent: Option<Consent>,
    /// The member's subject in the client's sector, if there is one yet.
    pub subject: Option<String>,
    /// Whether a document has a version that the member has not accepted.
    pub documents_due: bool,
}

/// Authentication context class (`acr`) of a password sign-in.
pub const AAL1: &str = "aal1";

/// Every context class that a sign-in here can have.
pub const ACR_VALUES: [&str; 1] = [AAL1];

/// The `sid` in the cookie of a session.
pub fn sid_of(cookie: &str) -> &str {
    cookie.get(..SID).unwrap_or_default()
}

/// The secret in the cookie of a session, as its hash.
fn proof_of(cookie: &str) -> String {
    digest::sha256_base64url(cookie.get(SID..).unwrap_or_default())
}

/// The tag under which a member's sessions are, by `sid`.
pub(super) fn list_of(member_id: &str) -> String {
    format!("sessions:{member_id}")
}

impl Members {
    /// What a browser shows of its session to scripts that watch over it (Session Management 1.0 §4): opaque,
    /// and another for every `sid`.
    pub fn browser_state(&self, sid: &str) -> String {
        self.master.mac_base64url("browser-state", sid.as_bytes())
    }

    /// Starts a session for a member who has just given the password; returns its cookie.
    pub async fn start_session(&self, member: &Member, device: Device) -> Result<String, Fault> {
        let now = self.clock.now();
        self.store_session(Session {
            member_id: member.id.clone(),
            sid: self.entropy.id(),
            proof: String::new(),
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

    /// Stores a session with a fresh secret, lists it under its member, and gives its cookie.
    pub(super) async fn store_session(&self, session: Session) -> Result<String, Fault> {
        let cookie = format!("{}{}", session.sid, self.entropy.secret());
        let session = Session { proof: proof_of(&cookie), ..session };
        let rest = session.expires_at.since(self.clock.now());
        // The list first: a session that is not on it could not be found to be ended.
        self.ephemeral.tag(&list_of(&session.member_id), &session.sid, rest).await?;
        self.ephemeral.put(&session.sid, &session, self.session_ttl(&session)).await?;
        Ok(cookie)
    }

    /// The session of a cookie, if it still stands: not expired, not idle too long, not from before a
    /// global sign-out, and its member active and eligible.
    pub async fn session(&self, cookie: &str) -> Result<Option<SignedIn>, Fault> {
        let found = self.session_towards(cookie, Towards::default()).await?;
        Ok(found.map(|(signed_in, _)| signed_in))
    }

    /// The same with what is known of the member towards a client.
    pub async fn session_towards(
        &self,
        cookie: &str,
        towards: Towards<'_>,
    ) -> Result<Option<(SignedIn, Beside)>, Fault> {
        let Some(found) = self.session_of(cookie).await?.filter(|found| self.in_time(&found.value)) else {
            return Ok(None);
        };
        let session = found.value.clone();
        let standing = self.standing_with(&session.member_id, towards, session.created_at).await?;
        let Some(standing) = standing else { return Ok(None) };
        let now = self.clock.now();
        if now.since(session.seen_at) >= RENEWAL {
            // A swap, not a put: a session that was ended meanwhile is not brought back.
            let renewed = Session { seen_at: now, ..session.clone() };
            self.ephemeral.swap(&session.sid, &found, &renewed, self.session_ttl(&renewed)).await?;
        }
        let documents_due = self.documents_due_of(&standing).contains(&true);
        let Standing { member, person, consent, subject, .. } = standing;
        Ok(Some((SignedIn { session, member, person }, Beside { consent, subject, documents_due })))
    }

    /// What is stored of the session of a cookie, whatever it is worth. A `sid` without its secret finds nothing.
    pub(super) async fn session_of(&self, cookie: &str) -> Result<Option<Found<Session>>, Fault> {
        if cookie.len() != COOKIE {
            return Ok(None);
        }
        let (found, proof) = (self.ephemeral.get::<Session>(sid_of(cookie)).await?, proof_of(cookie));
        Ok(found.filter(|found| digest::equal(found.proof.as_bytes(), proof.as_bytes())))
    }

    /// Whether the session of this `sid` is there and neither over nor idle too long; used when its cookie is
    /// not at hand. Whether its member may use it is for [`Members::standing`] to say.
    pub async fn session_stands(&self, sid: &str) -> Result<bool, Fault> {
        let found = self.ephemeral.get::<Session>(sid).await?;
        Ok(found.is_some_and(|found| self.in_time(&found.value)))
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
        let standing = self.standing_with(member_id, Towards::default(), since).await?;
        Ok(standing.map(|standing| (standing.member, standing.person)))
    }

    /// The same with what the member said, and what the member has towards a client.
    pub async fn standing_with(
        &self,
        member_id: &str,
        towards: Towards<'_>,
        since: Timestamp,
    ) -> Result<Option<Standing>, Fault> {
        let found = self.standings.find(member_id, towards).await?;
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
