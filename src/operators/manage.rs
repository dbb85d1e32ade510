//! What administrators do to operators: invite, change the role, disable, enable, reset the factors.

use secrecy::SecretString;
use serde_json::json;

use super::{
    Operator, Operators, Role,
    setup::{SetupLink, detail},
    sign_in::normalised,
};
use crate::{
    audit::{Act, Actor},
    clock::Timestamp,
    fault::Fault,
    mail::message::OperatorMail,
    members::{EmailAddress, password_policy::PasswordRefusal},
    storage::{Tx, operator, operator_credential},
    texts::Locale,
};

/// Characters of a name at most.
pub const MAX_NAME: usize = 100;

/// An operator to be added.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// E-mail address, as typed.
    pub email: String,
    /// Name, as typed.
    pub name: String,
    /// What for.
    pub role: Role,
    /// Portal code of the one insurer; none: all.
    pub insurer: Option<String>,
    /// Language of mails.
    pub locale: Locale,
}

/// Why an act is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address is none.
    #[error("the e-mail address is malformed")]
    Email,
    /// Another operator has the address.
    #[error("another operator has this e-mail address")]
    EmailTaken,
    /// The name is empty or longer than [`MAX_NAME`] characters.
    #[error("the name is empty or too long")]
    Name,
    /// No insurer of the configuration has the code.
    #[error("no insurer of the configuration has this code")]
    Insurer,
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// The operator would do it to themselves.
    #[error("nobody does this to themselves; another administrator can")]
    Oneself,
    /// Nobody would be left who can manage operators for all insurers.
    #[error("this is the last administrator for all insurers")]
    LastAdministrator,
    /// The operator is disabled; enabling comes first.
    #[error("the operator is disabled")]
    Disabled,
    /// It is so already.
    #[error("it is so already")]
    Already,
    /// Somebody else changed the operator since it was read.
    #[error("somebody else changed the operator meanwhile")]
    Changed,
}

/// What a fresh operator signs in with, told once.
#[derive(Debug)]
pub struct Ready {
    /// The URI of the second factor.
    pub totp_uri: String,
    /// Recovery codes.
    pub recovery_codes: Vec<String>,
}

impl Operators {
    /// The operator of this id.
    pub async fn operator(&self, id: &str) -> Result<Option<Operator>, Fault> {
        Ok(operator::find(&self.db, id).await?)
    }

    /// The operator of this address.
    pub async fn operator_by_email(&self, email: &str) -> Result<Option<Operator>, Fault> {
        let Ok(email) = EmailAddress::parse(email) else { return Ok(None) };
        Ok(operator::by_email(&self.db, &email.key()).await?)
    }

    /// Operators by address, after `after`; of one insurer if it is given.
    pub async fn operators(
        &self,
        insurer: Option<&str>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Operator>, Fault> {
        Ok(operator::page(&self.db, insurer.unwrap_or_default(), after, limit).await?)
    }

    /// Adds an operator, who sets the factors up with the link; it is mailed if `mailed`.
    pub async fn invite(
        &self,
        new: &NewOperator,
        mailed: bool,
        act: Act<'_>,
    ) -> Result<Result<(Operator, SetupLink), Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        let operator = match self.add(&mut tx, new, act).await? {
            Ok(operator) => operator,
            Err(refused) => return Ok(Err(refused)),
        };
        let link = self.link(&mut tx, &operator, mailed).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Ok((operator, link)))
    }

    /// Adds an operator with a password, and with a second factor and recovery codes that are told once.
    pub async fn create_ready(
        &self,
        new: &NewOperator,
        password: &SecretString,
        act: Act<'_>,
    ) -> Result<Result<(Operator, Ready), Refused>, Fault> {
        let hash = self.passwords.hash(normalised(password)).await?;
        let mut tx = self.db.begin().await?;
        let operator = match self.add(&mut tx, new, act).await? {
            Ok(operator) => operator,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Some(refusal) = self.weakness(&operator, password).await? {
            return Ok(Err(refusal.into()));
        }
        let seed = self.entropy.secret();
        let factor = self.factor_from(&seed, &operator.email)?;
        let sealed = self.seal_factor(&operator.id, &factor);
        let now = self.clock.now();
        // A setup that begins and ends here: the rows are those of an operator who went through it.
        operator_credential::start_setup(
            &mut tx,
            &operator.id,
            &seed,
            (now, Timestamp::from_millis(i64::MAX)),
        )
        .await?;
        operator_credential::finish_setup(&mut tx, &seed, (&hash, &sealed, 0), now).await?;
        let recovery_codes = self.issue_recovery_codes(&mut tx, &operator.id).await?;
        tx.commit().await?;
        Ok(Ok((operator, Ready { totp_uri: factor.uri()?, recovery_codes })))
    }

    /// Gives an operator another role or insurer, from the next request on.
    pub async fn change_role(
        &self,
        target: &Operator,
        (role, insurer): (Role, Option<&str>),
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        if insurer.is_some_and(|code| self.insurer(code).is_none()) {
            return Ok(Err(Refused::Insurer));
        }
        if (target.role, target.insurer.as_deref()) == (role, insurer) {
            return Ok(Err(Refused::Already));
        }
        let mut tx = self.db.begin().await?;
        if let Err(refused) = self.may_lose(&mut tx, target, act).await? {
            return Ok(Err(refused));
        }
        if !operator::set_role(&mut tx, target, (role, insurer), self.clock.now()).await? {
            return Ok(Err(Refused::Changed));
        }
        let mut detail = detail(target);
        detail["new_role"] = json!(role.as_str());
        detail["new_scope"] = json!(insurer);
        let event = act.event("operator.role_changed", detail);
        self.record(&mut tx, event.with_insurer(insurer.or(target.insurer.as_deref()))).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Signs an operator out everywhere and lets nobody in any more.
    pub async fn disable(&self, target: &Operator, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        if let Err(refused) = self.may_lose(&mut tx, target, act).await? {
            return Ok(Err(refused));
        }
        if !operator::disable(&mut tx, &target.id, self.clock.now()).await? {
            return Ok(Err(Refused::Already));
        }
        self.write(tx, target, act, "operator.disabled").await
    }

    /// Lets a disabled operator in again.
    pub async fn enable(&self, target: &Operator, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        if !operator::enable(&mut tx, &target.id, self.clock.now()).await? {
            return Ok(Err(Refused::Already));
        }
        self.write(tx, target, act, "operator.enabled").await
    }

    /// Takes password, second factor, recovery codes and sessions away; the link sets them up anew, and is
    /// mailed if `mailed`.
    pub async fn reset_factors(
        &self,
        target: &Operator,
        mailed: bool,
        act: Act<'_>,
    ) -> Result<Result<SetupLink, Refused>, Fault> {
        if target.disabled_at.is_some() {
            return Ok(Err(Refused::Disabled));
        }
        if is_oneself(target, act) {
            return Ok(Err(Refused::Oneself));
        }
        let mut tx = self.db.begin().await?;
        let link = self.link(&mut tx, target, mailed).await?;
        let event = act.event("operator.reset", detail(target));
        self.record(&mut tx, event.with_insurer(target.insurer.as_deref())).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Ok(link))
    }

    async fn add(
        &self,
        tx: &mut Tx,
        new: &NewOperator,
        act: Act<'_>,
    ) -> Result<Result<Operator, Refused>, Fault> {
        let Ok(email) = EmailAddress::parse(&new.email) else { return Ok(Err(Refused::Email)) };
        let name: String = new.name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
            return Ok(Err(Refused::Name));
        }
        if new.insurer.as_deref().is_some_and(|code| self.insurer(code).is_none()) {
            return Ok(Err(Refused::Insurer));
        }
        let operator = Operator {
            id: self.entropy.id(),
            email: email.as_str().to_owned(),
            name,
            role: new.role,
            insurer: new.insurer.clone(),
            locale: new.locale,
            password_hash: None,
            totp_sealed: None,
            totp_step: 0,
            sessions_valid_from: Timestamp::from_millis(0),
            setup_expires_at: None,
            disabled_at: None,
            signed_in_at: None,
            created_at: self.clock.now(),
        };
        match operator::insert(&mut *tx, &operator, &email.key()).await {
            Err(error) if error.is_conflict() => return Ok(Err(Refused::EmailTaken)),
            inserted => inserted?,
        }
        let event = act.event("operator.created", detail(&operator));
        self.record(tx, event.with_insurer(operator.insurer.as_deref())).await?;
        Ok(Ok(operator))
    }

    async fn link(&self, tx: &mut Tx, operator: &Operator, mailed: bool) -> Result<SetupLink, Fault> {
        let link = self.start_setup(tx, operator).await?;
        if mailed {
            let kind = OperatorMail::Setup { link: link.url.clone(), deadline: link.deadline };
            self.mail(tx, operator, kind).await?;
        }
        Ok(link)
    }

    /// Whether somebody may take rights from the target: not from oneself, nor from the last administrator.
    async fn may_lose(
        &self,
        tx: &mut Tx,
        target: &Operator,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        if is_oneself(target, act) {
            return Ok(Err(Refused::Oneself));
        }
        let counts = target.role == Role::Administrator && target.insurer.is_none() && target.is_active();
        if counts && operator::other_administrators(tx, &target.id).await? == 0 {
            return Ok(Err(Refused::LastAdministrator));
        }
        Ok(Ok(()))
    }

    async fn write(
        &self,
        mut tx: Tx,
        target: &Operator,
        act: Act<'_>,
        action: &'static str,
    ) -> Result<Result<(), Refused>, Fault> {
        let event = act.event(action, detail(target));
        self.record(&mut tx, event.with_insurer(target.insurer.as_deref())).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}

fn is_oneself(target: &Operator, act: Act<'_>) -> bool {
    *act.actor == Actor::operator(&target.id)
}
