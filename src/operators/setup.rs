//! The one-time link with which an operator sets a password and a second factor: the first time, and after
//! somebody reset them. A GET changes nothing; the link is used up by the form that proves a code.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::{
    Operator, Operators,
    factor::{Factor, TypedCode},
    sign_in::{email_key, normalised},
};
use crate::{
    audit::{Actor, Event},
    clock::Timestamp,
    config::insurer::Policy,
    crypto::digest,
    fault::Fault,
    mail::message::{Mail, MailKind, OperatorMail},
    members::{
        EmailAddress,
        password_policy::{self, PasswordRefusal, PersonalWords},
    },
    storage::{Tx, operator, operator_credential},
};

/// How long a setup link lives.
pub const LINK: Duration = Duration::from_secs(24 * 3600);
/// Fewest characters of an operator's password.
pub const MIN_LENGTH: usize = 12;

/// A link that was made; a secret.
#[derive(Clone)]
pub struct SetupLink {
    /// The page.
    pub url: Url,
    /// When the link is void.
    pub deadline: Timestamp,
}

/// What a live link leads to.
#[derive(Debug)]
pub struct Setup {
    /// Whose it is.
    pub operator: Operator,
    /// The second factor to set up.
    pub factor: Factor,
}

/// What came of a setup.
#[derive(Debug)]
pub enum SetupOutcome {
    /// The factors are set; these are the recovery codes, told once.
    Done(Box<Operator>, Vec<String>),
    /// The link is used, replaced, too old or was never one.
    Void,
    /// The password may not be chosen.
    Password(PasswordRefusal),
    /// The code is not one of this factor.
    Code,
}

impl Operators {
    /// Puts a fresh setup link in place of whatever the operator signs in with.
    pub(super) async fn start_setup(&self, tx: &mut Tx, operator: &Operator) -> Result<SetupLink, Fault> {
        let token = self.entropy.secret();
        let now = self.clock.now();
        let deadline = now.plus(LINK);
        let hash = digest::sha256_base64url(&token);
        operator_credential::start_setup(tx, &operator.id, &hash, (now, deadline)).await?;
        let base = Url::parse(&self.config.server.issuer).map_err(Fault::internal)?;
        let url = base.join(&format!("/admin/setup/{token}")).map_err(Fault::internal)?;
        Ok(SetupLink { url, deadline })
    }

    /// Whose a link is, and the factor to set up with it.
    pub async fn setup(&self, token: &str) -> Result<Option<Setup>, Fault> {
        let hash = digest::sha256_base64url(token);
        let found = operator::by_setup(&self.db, &hash, self.clock.now()).await?;
        let Some(operator) = found else { return Ok(None) };
        let factor = self.factor_from(token, &operator.email)?;
        Ok(Some(Setup { operator, factor }))
    }

    /// Sets the factors and uses the link up.
    pub async fn finish_setup(
        &self,
        token: &str,
        password: &SecretString,
        code: &TypedCode,
    ) -> Result<SetupOutcome, Fault> {
        let Some(Setup { operator, factor }) = self.setup(token).await? else {
            return Ok(SetupOutcome::Void);
        };
        if let Some(refusal) = self.weakness(&operator, password).await? {
            return Ok(SetupOutcome::Password(refusal));
        }
        let Some(step) = self.proves(&factor, code) else { return Ok(SetupOutcome::Code) };
        let password_hash = self.passwords.hash(normalised(password)).await?;
        let sealed = self.seal_factor(&operator.id, &factor);
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let hash = digest::sha256_base64url(token);
        let factors = (password_hash.as_str(), sealed.as_str(), step);
        if !operator_credential::finish_setup(&mut tx, &hash, factors, now).await? {
            return Ok(SetupOutcome::Void);
        }
        let codes = self.issue_recovery_codes(&mut tx, &operator.id).await?;
        let event = Event::by(&Actor::operator(&operator.id), "operator.set_up");
        self.record(&mut tx, event.with_insurer(operator.insurer.as_deref())).await?;
        let operator = operator::find(&mut tx, &operator.id).await?.unwrap_or(operator);
        tx.commit().await?;
        self.forget_guesses(&self.guesses_at(&email_key(&operator.email))).await?;
        Ok(SetupOutcome::Done(Box::new(operator), codes))
    }

    /// What speaks against a password; takes long enough to keep it off the async threads.
    pub(super) async fn weakness(
        &self,
        operator: &Operator,
        password: &SecretString,
    ) -> Result<Option<PasswordRefusal>, Fault> {
        let (email, password) = (EmailAddress::parse(&operator.email).ok(), password.clone());
        let check = move || {
            let policy = Policy { password_min_length: MIN_LENGTH, ..Policy::default() };
            let words = PersonalWords { birth_date: None, login_id: None, kana: None, email: email.as_ref() };
            password_policy::check(password.expose_secret(), &policy, &words).err()
        };
        tokio::task::spawn_blocking(check).await.map_err(Fault::internal)
    }

    /// Puts a mail to an operator into the caller's transaction.
    pub(super) async fn mail(
        &self,
        tx: &mut Tx,
        operator: &Operator,
        kind: OperatorMail,
    ) -> Result<(), Fault> {
        let insurer = operator.insurer.as_deref().and_then(|code| self.insurer(code));
        let (to, locale, kind) = (operator.email.as_str(), operator.locale, MailKind::Operator(kind));
        let mail = match insurer {
            Some(insurer) => Mail::of(insurer, to, locale, kind),
            None => Mail::of_service(to, locale, kind),
        };
        Ok(self.outbox.enqueue(tx, &mail).await?)
    }
}

/// What the audit says of an operator.
pub(super) fn detail(operator: &Operator) -> Value {
    json!({ "operator": operator.id, "role": operator.role.as_str(), "scope": operator.insurer })
}
