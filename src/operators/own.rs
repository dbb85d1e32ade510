//! What operators change about themselves, each time with what they sign in with.

use std::net::IpAddr;

use secrecy::SecretString;
use serde_json::json;

use super::{
    Operator, Operators,
    factor::{Factor, TypedCode},
    session::SignedIn,
    sign_in::normalised,
};
use crate::{
    audit::{Actor, Event},
    clock::Timestamp,
    fault::Fault,
    mail::message::OperatorMail,
    members::{account::Credential, password_policy::PasswordRefusal},
    storage::{Tx, operator_credential},
};

/// What came of a change.
#[derive(Debug)]
pub enum OwnChange<T> {
    /// It is done; every other session is void, and this one goes on under the secret.
    Done(String, T),
    /// Password or code was not proved.
    Credential(Credential),
    /// The new password may not be chosen.
    Password(PasswordRefusal),
    /// The new factor was not proved, or somebody else changed it meanwhile.
    Code,
}

/// Sessions from before it are void, and later ones are not, though the clock stands still.
fn next_epoch(operator: &Operator, now: Timestamp) -> Timestamp {
    now.max(operator.sessions_valid_from).plus(std::time::Duration::from_millis(1))
}

impl Operators {
    /// A new password.
    pub async fn change_own_password(
        &self,
        signed_in: &SignedIn,
        (current, new): (&SecretString, &SecretString),
        address: IpAddr,
    ) -> Result<OwnChange<()>, Fault> {
        let operator = &signed_in.operator;
        let credential = self.check_own(signed_in, current, None, (address, "password")).await?;
        if credential != Credential::Right {
            return Ok(OwnChange::Credential(credential));
        }
        if let Some(refusal) = self.weakness(operator, new).await? {
            return Ok(OwnChange::Password(refusal));
        }
        let hash = self.passwords.hash(normalised(new)).await?;
        let (now, old) = (self.clock.now(), operator.password_hash.as_deref());
        let epoch = next_epoch(operator, now);
        let mut tx = self.db.begin().await?;
        if !operator_credential::set_password(&mut tx, &operator.id, (old, &hash), now, epoch).await? {
            return Ok(OwnChange::Credential(Credential::Wrong));
        }
        self.mail(&mut tx, operator, OperatorMail::Changed).await?;
        let secret = self.conclude(tx, signed_in, "operator.password_changed", epoch).await?;
        Ok(OwnChange::Done(secret, ()))
    }

    /// The second factor that a session may change to; the same while the session lasts.
    pub fn own_new_factor(&self, signed_in: &SignedIn) -> Result<Factor, Fault> {
        self.factor_from(&signed_in.name, &signed_in.operator.email)
    }

    /// Another second factor, and with it other recovery codes.
    pub async fn change_own_factor(
        &self,
        signed_in: &SignedIn,
        (password, code): (&SecretString, &TypedCode),
        new_code: &TypedCode,
        address: IpAddr,
    ) -> Result<OwnChange<Vec<String>>, Fault> {
        let operator = &signed_in.operator;
        let factor = self.own_new_factor(signed_in)?;
        // First, so that a slip costs no code.
        let Some(step) = self.proves(&factor, new_code) else { return Ok(OwnChange::Code) };
        let credential = self.check_own(signed_in, password, Some(code), (address, "factor")).await?;
        if credential != Credential::Right {
            return Ok(OwnChange::Credential(credential));
        }
        let sealed = self.seal_factor(&operator.id, &factor);
        let (now, old) = (self.clock.now(), operator.totp_sealed.as_deref());
        let epoch = next_epoch(operator, now);
        let mut tx = self.db.begin().await?;
        let new = (old, sealed.as_str(), step);
        if !operator_credential::set_factor(&mut tx, &operator.id, new, now, epoch).await? {
            return Ok(OwnChange::Code);
        }
        let codes = self.issue_recovery_codes(&mut tx, &operator.id).await?;
        self.mail(&mut tx, operator, OperatorMail::Changed).await?;
        let secret = self.conclude(tx, signed_in, "operator.factor_changed", epoch).await?;
        Ok(OwnChange::Done(secret, codes))
    }

    /// Other recovery codes; those from before are void.
    pub async fn renew_own_recovery_codes(
        &self,
        signed_in: &SignedIn,
        (password, code): (&SecretString, &TypedCode),
        address: IpAddr,
    ) -> Result<OwnChange<Vec<String>>, Fault> {
        let credential = self.check_own(signed_in, password, Some(code), (address, "recovery_codes")).await?;
        if credential != Credential::Right {
            return Ok(OwnChange::Credential(credential));
        }
        let operator = &signed_in.operator;
        let epoch = next_epoch(operator, self.clock.now());
        let mut tx = self.db.begin().await?;
        operator_credential::void_sessions(&mut tx, &operator.id, epoch).await?;
        let codes = self.issue_recovery_codes(&mut tx, &operator.id).await?;
        let secret = self.conclude(tx, signed_in, "operator.recovery_codes_renewed", epoch).await?;
        Ok(OwnChange::Done(secret, codes))
    }

    /// Number of recovery codes that are left.
    pub async fn recovery_codes_left(&self, operator: &Operator) -> Result<i64, Fault> {
        Ok(operator_credential::recovery_codes_left(&self.db, &operator.id).await?)
    }

    /// Signs out here.
    pub async fn sign_out(&self, signed_in: &SignedIn) -> Result<(), Fault> {
        if self.end_session(&signed_in.name).await? {
            self.record(&self.db, own_event(signed_in, "operator.signed_out")).await?;
        }
        Ok(())
    }

    /// Ends one of the own sessions; false when there is none of that `sid`.
    pub async fn end_own_session(&self, signed_in: &SignedIn, sid: &str) -> Result<bool, Fault> {
        let sessions = self.sessions(signed_in).await?;
        let Some(found) = sessions.into_iter().find(|one| one.session.sid == sid) else { return Ok(false) };
        let ended = self.end_session(&found.name).await?;
        if ended {
            self.record(&self.db, own_event(signed_in, "operator.session_ended")).await?;
        }
        Ok(ended)
    }

    /// Ends every other session; this one goes on under the secret.
    pub async fn sign_out_elsewhere(&self, signed_in: &SignedIn) -> Result<String, Fault> {
        let epoch = next_epoch(&signed_in.operator, self.clock.now());
        let mut tx = self.db.begin().await?;
        operator_credential::void_sessions(&mut tx, &signed_in.operator.id, epoch).await?;
        self.conclude(tx, signed_in, "operator.signed_out_elsewhere", epoch).await
    }

    async fn conclude(
        &self,
        mut tx: Tx,
        signed_in: &SignedIn,
        action: &'static str,
        epoch: Timestamp,
    ) -> Result<String, Fault> {
        self.record(&mut tx, own_event(signed_in, action)).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.continue_session(signed_in, epoch).await
    }
}

fn own_event<'a>(signed_in: &'a SignedIn, action: &'static str) -> Event<'a> {
    let operator = &signed_in.operator;
    Event::by(&Actor::operator(&operator.id), action)
        .with_insurer(operator.insurer.as_deref())
        .with_detail(json!({ "sid": signed_in.session.sid }))
}
