//! Signing in: address, password and second factor together, so that no answer tells which of them was wrong.
//!
//! Whoever it is, the same work is done: one look-up, one argon2id, one code, the same counters and the same
//! transaction.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{Operator, Operators, factor::TypedCode, session::SignedIn};
use crate::{
    audit::{Actor, Event},
    config::insurer::Policy,
    fault::Fault,
    members::{EmailAddress, account::Credential, limits::Budget, password_policy},
    storage::{operator, operator_credential},
};

/// What came of it.
#[derive(Debug)]
pub enum SignIn {
    /// The operator proved to be the one.
    Welcome(Box<Operator>),
    /// Address, password or code is wrong, or the operator may not sign in.
    Wrong,
    /// Too many were wrong for this address.
    Paused,
    /// Too many guesses from this network address, or altogether.
    Limited,
}

/// How many wrong tries make a pause, and how long it is: as for members.
pub fn lockout() -> Policy {
    Policy::default()
}

impl Operators {
    /// Tries an address, a password and a code.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &SecretString,
        code: &TypedCode,
        address: IpAddr,
    ) -> Result<SignIn, Fault> {
        if self.spend_guess(address).await? == Budget::Spent {
            return Ok(SignIn::Limited);
        }
        let key = email_key(email);
        let found = operator::by_email(&self.db, &key).await?.filter(Operator::is_active);
        // Before the guess is counted: a full queue costs nobody a guess.
        let admitted = self.passwords.admit()?;
        let guesses = self.guesses_at(&key);
        if !self.begin_guess(&guesses, &lockout()).await? {
            return Ok(SignIn::Paused);
        }
        let hash = found.as_ref().and_then(|operator| operator.password_hash.clone());
        let right = admitted.verify(normalised(password), hash).await?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        // A code is used up only beside the right password.
        let proved = self.use_code(&mut tx, found.as_ref().filter(|_| right), code).await?;
        let id = found.as_ref().map(|operator| operator.id.as_str());
        let insurer = found.as_ref().and_then(|operator| operator.insurer.as_deref());
        let event = if proved {
            operator_credential::signed_in(&mut tx, id.unwrap_or_default(), now).await?;
            Event::by(&Actor::operator(id.unwrap_or_default()), "operator.signed_in")
        } else {
            operator_credential::signed_in(&mut tx, "", now).await?;
            Event::system("operator.sign_in_failed").with_detail(json!({ "operator": id }))
        };
        self.record(&mut tx, event.with_insurer(insurer)).await?;
        tx.commit().await?;
        match found {
            Some(operator) if proved => {
                self.forget_guesses(&guesses).await?;
                Ok(SignIn::Welcome(Box::new(operator)))
            }
            _ => Ok(SignIn::Wrong),
        }
    }

    /// Tries the own password again, and with `code` the second factor, before something that guards the
    /// account is changed; counted like a sign-in.
    pub(super) async fn check_own(
        &self,
        signed_in: &SignedIn,
        password: &SecretString,
        code: Option<&TypedCode>,
        (address, doing): (IpAddr, &'static str),
    ) -> Result<Credential, Fault> {
        if self.spend_guess(address).await? == Budget::Spent {
            return Ok(Credential::Limited);
        }
        let operator = &signed_in.operator;
        let admitted = self.passwords.admit()?;
        let guesses = self.guesses_at(&email_key(&operator.email));
        if !self.begin_guess(&guesses, &lockout()).await? {
            return Ok(Credential::Paused);
        }
        let right = admitted.verify(normalised(password), operator.password_hash.clone()).await?;
        let mut tx = self.db.begin().await?;
        let proved = match code {
            Some(code) => self.use_code(&mut tx, Some(operator).filter(|_| right), code).await?,
            None => right,
        };
        if !proved {
            let event = Event::system("operator.credential_wrong")
                .with_detail(json!({ "operator": operator.id, "for": doing }));
            self.record(&mut tx, event.with_insurer(operator.insurer.as_deref())).await?;
        }
        tx.commit().await?;
        if !proved {
            return Ok(Credential::Wrong);
        }
        self.forget_guesses(&guesses).await?;
        Ok(Credential::Right)
    }

    /// Under which the guesses at an operator are counted, whether or not there is one.
    pub(super) fn guesses_at(&self, email_key: &str) -> String {
        self.master.mac_base64url("operator-login", email_key.as_bytes())
    }
}

/// The one spelling of an address; empty for what is none.
pub(super) fn email_key(email: &str) -> String {
    EmailAddress::parse(email).map(|email| email.key()).unwrap_or_default()
}

/// The one spelling of a password.
pub(super) fn normalised(password: &SecretString) -> SecretString {
    password_policy::normalise(password.expose_secret()).into()
}
