//! The current password, asked again: counted like a sign-in, and written down when it is wrong.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{Members, limits::Budget, login_id::fold_numeric, password_policy, roster::Person},
    storage::member::Member,
};

/// What a current password turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The member's.
    Right,
    /// Not the member's.
    Wrong,
    /// Not looked at: too many were wrong for this login ID, here or at a sign-in.
    Paused,
    /// Not looked at: too many guesses from this address or altogether.
    Limited,
}

impl Members {
    /// Tries the current password of a member; `doing` says for the record what it was asked for.
    pub(super) async fn check_password(
        &self,
        (member, person): (&Member, &Person),
        password: &SecretString,
        address: IpAddr,
        doing: &'static str,
    ) -> Result<Credential, Fault> {
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        if self.spend_guess(address).await? == Budget::Spent
            || self.insurer_budget(&insurer.code).await? == Budget::Spent
        {
            return Ok(Credential::Limited);
        }
        let login_id = self.login_id_of(member, person);
        let key = login_id.map_or_else(|| format!("member:{}", member.id), |id| self.guess_key(&id));
        // Before the guess is counted: a full queue costs nobody a guess.
        let admitted = self.passwords.admit()?;
        if !self.begin_guess(&key, &insurer.policy).await? {
            return Ok(Credential::Paused);
        }
        let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
        if admitted.verify(normal, member.password_hash.clone()).await? {
            self.forget_guesses(&key).await?;
            return Ok(Credential::Right);
        }
        self.note_failure(&insurer.code, &key, &fold_numeric(password.expose_secret())).await?;
        let event = Event { actor: "system".to_owned(), ..Event::member("member.password_wrong", member) };
        let event = event.with_detail(json!({ "for": doing }));
        audit::record(&self.db, &self.entropy, self.clock.now(), event).await?;
        Ok(Credential::Wrong)
    }
}
