//! The current password, asked again: counted like a sign-in from a familiar place, and written down when it is
//! wrong. Who has the session, or the mailed link, is known to the service already: guesses of strangers at the
//! login ID, or a flood of them, do not keep the member from a new password or from a report of misuse.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{
        Members, limits::Budget, login_id::fold_numeric, password_policy, roster::Person, session::SignedIn,
    },
    storage::member::Member,
};

/// Who is asked, and where.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    member: &'a Member,
    person: &'a Person,
    /// The session, or the link.
    place: &'a str,
}

impl<'a> Asked<'a> {
    /// In a session.
    pub(super) fn in_session(signed_in: &'a SignedIn) -> Self {
        let SignedIn { session, member, person } = signed_in;
        Self { member, person, place: &session.sid }
    }

    /// At a mailed link, which the hash of its token names.
    pub(super) const fn at_link(member: &'a Member, person: &'a Person, token_hash: &'a str) -> Self {
        Self { member, person, place: token_hash }
    }
}

/// What a current password turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The member's.
    Right,
    /// Not the member's.
    Wrong,
    /// Not looked at: too many were wrong here, and for this login ID.
    Paused,
    /// Not looked at: too many guesses from this address.
    Limited,
}

impl Members {
    /// Tries the current password of a member; `doing` says for the record what it was asked for.
    pub(super) async fn check_password(
        &self,
        Asked { member, person, place }: Asked<'_>,
        password: &SecretString,
        address: IpAddr,
        doing: &'static str,
    ) -> Result<Credential, Fault> {
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        if self.spend_sign_in(address, true).await? == Budget::Spent {
            return Ok(Credential::Limited);
        }
        let login_id = self.login_id_of(member, person);
        let key = login_id.map_or_else(|| format!("member:{}", member.id), |id| self.guess_key(&id));
        // Before the guess is counted: a full queue costs nobody a guess.
        let admitted = self.passwords.admit()?;
        let here = Some(format!("{key}:{place}"));
        let Some(leave) = self.begin_sign_in(&key, here, &insurer.policy).await? else {
            return Ok(Credential::Paused);
        };
        let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
        if admitted.verify(normal, member.password_hash.clone()).await? {
            self.end_sign_in(&key, leave).await?;
            return Ok(Credential::Right);
        }
        self.note_failure(&insurer.code, &key, &fold_numeric(password.expose_secret())).await?;
        let event = Event { actor: "system".to_owned(), ..Event::member("member.password_wrong", member) };
        let event = event.with_detail(json!({ "for": doing }));
        audit::record(&self.db, &self.entropy, self.clock.now(), event).await?;
        Ok(Credential::Wrong)
    }
}
