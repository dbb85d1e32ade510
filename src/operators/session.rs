//! Sessions of operators: short, apart from those of members, and under a cookie of their own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Operator, Operators};
use crate::{
    clock::Timestamp,
    crypto::digest,
    ephemeral::{Found, Record},
    fault::Fault,
    members::device::Device,
    storage::operator,
};

/// How long a session lasts that is not used.
pub const IDLE: Duration = Duration::from_secs(15 * 60);
/// How long a session lasts at most.
pub const ABSOLUTE: Duration = Duration::from_secs(12 * 3600);
/// How often at most a session that is used is written back.
const RENEWAL: Duration = Duration::from_secs(60);

/// A session as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OperatorSession {
    /// Who signed in.
    pub operator_id: String,
    /// Names the session on pages and opens nothing.
    pub sid: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// When it was last written back.
    pub seen_at: Timestamp,
    /// What kind of device it is on.
    pub device: Device,
}

impl Record for OperatorSession {
    const KIND: &'static str = "operator-session";
}

/// A session whose operator may still use it.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// SHA-256 of the cookie, the name under which it is stored.
    pub name: String,
    /// The session.
    pub session: OperatorSession,
    /// Its operator, as the row stands now: a new role holds at once.
    pub operator: Operator,
}

/// The name of the session of a cookie.
pub fn name_of(cookie: &str) -> String {
    digest::sha256_base64url(cookie)
}

fn list_of(operator_id: &str) -> String {
    format!("operator-sessions:{operator_id}")
}

impl Operators {
    /// Starts a session for an operator who has just proved to be the one; the cookie's secret.
    pub async fn start_session(&self, operator: &Operator, device: Device) -> Result<String, Fault> {
        let now = self.clock.now();
        let session = OperatorSession {
            operator_id: operator.id.clone(),
            sid: self.entropy.id(),
            created_at: now.max(operator.sessions_valid_from),
            expires_at: now.plus(ABSOLUTE),
            seen_at: now,
            device,
        };
        self.store_session(&session).await
    }

    async fn store_session(&self, session: &OperatorSession) -> Result<String, Fault> {
        let secret = self.entropy.secret();
        let name = name_of(&secret);
        let rest = session.expires_at.since(self.clock.now());
        // The list first: a session that is not on it could not be found to be ended.
        self.ephemeral.tag(&list_of(&session.operator_id), &name, rest).await?;
        self.ephemeral.put(&name, session, IDLE.min(rest)).await?;
        Ok(secret)
    }

    /// The session of a cookie, if it still stands.
    pub async fn session(&self, cookie: &str) -> Result<Option<SignedIn>, Fault> {
        let Some((found, signed_in)) = self.session_by_name(&name_of(cookie)).await? else { return Ok(None) };
        let now = self.clock.now();
        if now.since(signed_in.session.seen_at) >= RENEWAL {
            let renewed = OperatorSession { seen_at: now, ..signed_in.session.clone() };
            let ttl = IDLE.min(renewed.expires_at.since(now));
            // A swap, not a put: a session that was ended meanwhile is not brought back.
            self.ephemeral.swap(&signed_in.name, &found, &renewed, ttl).await?;
        }
        Ok(Some(signed_in))
    }

    async fn session_by_name(&self, name: &str) -> Result<Option<(Found<OperatorSession>, SignedIn)>, Fault> {
        let Some(found) = self.ephemeral.get::<OperatorSession>(name).await? else { return Ok(None) };
        let session = found.value.clone();
        let now = self.clock.now();
        if now >= session.expires_at || now >= session.seen_at.plus(IDLE) {
            return Ok(None);
        }
        let Some(operator) = operator::find(&self.db, &session.operator_id).await? else { return Ok(None) };
        if !operator.is_active() || session.created_at < operator.sessions_valid_from {
            return Ok(None);
        }
        Ok(Some((found, SignedIn { name: name.to_owned(), session, operator })))
    }

    /// Ends the session of this name; false when it had ended before.
    pub async fn end_session(&self, name: &str) -> Result<bool, Fault> {
        let Some(session) = self.ephemeral.take::<OperatorSession>(name).await? else { return Ok(false) };
        self.ephemeral.untag(&list_of(&session.operator_id), name).await?;
        Ok(true)
    }

    /// The operator's own sessions, the newest first.
    pub async fn sessions(&self, signed_in: &SignedIn) -> Result<Vec<SignedIn>, Fault> {
        let mut standing = Vec::new();
        for name in self.ephemeral.tagged(&list_of(&signed_in.operator.id)).await? {
            match self.session_by_name(&name).await? {
                Some((_, session)) => standing.push(session),
                None => self.ephemeral.untag(&list_of(&signed_in.operator.id), &name).await?,
            }
        }
        standing.sort_by_key(|one| std::cmp::Reverse((one.session.created_at, one.session.sid.clone())));
        Ok(standing)
    }

    /// Lets a session go on under another secret, after everything else of its operator was voided.
    pub(super) async fn continue_session(
        &self,
        signed_in: &SignedIn,
        valid_from: Timestamp,
    ) -> Result<String, Fault> {
        let now = self.clock.now();
        for name in self.ephemeral.tagged(&list_of(&signed_in.operator.id)).await? {
            self.end_session(&name).await?;
        }
        let session =
            OperatorSession { created_at: now.max(valid_from), seen_at: now, ..signed_in.session.clone() };
        self.store_session(&session).await
    }
}
