//! The mailed links: one shows the login ID, the other replaces the password.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Account, Kind, Recovery, login_id_of, mail_to};
use crate::{
    audit::{self, Event},
    crypto::digest,
    fault::Fault,
    mail::message::RecoveryMail,
    members::{
        BirthDate, EmailAddress, Members,
        login_id::Typed,
        password_policy::{self, PasswordRefusal},
        registration::weakness,
    },
    storage::{delivery, member, member::MemberState, recovery, registration, roster},
};

/// Wrong birth dates after which a link is dead.
const MOST_MISSES: i64 = 5;
/// Length of a token; nothing else is looked up.
const TOKEN_LENGTH: usize = 43;

/// What came of the birth date at the link to a login ID.
pub enum Reveal {
    /// The login ID; the link is used up.
    Shown {
        /// The login ID.
        login_id: String,
        /// The link that was used.
        link: Recovery,
    },
    /// Wrong; this many tries are left.
    Wrong(i64),
    /// The link is unknown, used, replaced, too old, or was tried too often.
    Void,
}

/// What came of a new password.
pub enum PasswordReset {
    /// It is the member's; everything that the old one gave is void.
    Done(Recovery),
    /// It may not be chosen.
    Refused(PasswordRefusal),
    /// The link is unknown, used, replaced or too old.
    Void,
}

impl Members {
    /// The link of a token, if it is alive. Reading it changes nothing: mail scanners open links too.
    pub async fn recovery_link(&self, kind: Kind, token: &str) -> Result<Option<Recovery>, Fault> {
        if token.len() != TOKEN_LENGTH {
            return Ok(None);
        }
        let hash = digest::sha256_base64url(token);
        Ok(recovery::by_token(&self.db, kind, &hash, self.clock.now()).await?)
    }

    /// Fewest characters of a password that a link may set.
    pub async fn password_min_length(&self, link: &Recovery) -> Result<usize, Fault> {
        let member = member::find(&self.db, &link.member_id).await?;
        let insurer = member.and_then(|member| self.insurer(&member.insurer));
        Ok(insurer.map(|insurer| insurer.policy.clone()).unwrap_or_default().password_min_length)
    }

    /// Shows the login ID to whoever holds the link and knows the birth date, once.
    pub async fn reveal_login_id(&self, token: &str, born: BirthDate) -> Result<Reveal, Fault> {
        let Some(link) = self.recovery_link(Kind::LoginId, token).await? else { return Ok(Reveal::Void) };
        let now = self.clock.now();
        let attempt = recovery::begin_attempt(&self.db, &link, MOST_MISSES, now).await?;
        let (Some(attempt), Some(account)) = (attempt, self.account_of_link(&link).await?) else {
            return Ok(Reveal::Void);
        };
        let right = account.1.birth_date.compact();
        if !digest::equal(right.as_bytes(), born.compact().as_bytes()) {
            let left = MOST_MISSES - attempt;
            if left > 0 {
                return Ok(Reveal::Wrong(left));
            }
            recovery::consume(&self.db, &link, now).await?;
            return Ok(Reveal::Void);
        }
        let Some(login_id) = login_id_of(self, &account) else { return Ok(Reveal::Void) };
        let mut tx = self.db.begin().await?;
        if !recovery::consume(&mut tx, &link, now).await? {
            return Ok(Reveal::Void);
        }
        let event = Event::member("recovery.login_id_shown", &account.0);
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        Ok(Reveal::Shown { login_id: login_id.to_string(), link })
    }

    /// Replaces the password: sessions, grants and links of the member are void from now on.
    pub async fn reset_password(&self, token: &str, password: SecretString) -> Result<PasswordReset, Fault> {
        let Some(link) = self.recovery_link(Kind::Password, token).await? else {
            return Ok(PasswordReset::Void);
        };
        let Some(account) = self.account_of_link(&link).await? else { return Ok(PasswordReset::Void) };
        let login_id = login_id_of(self, &account);
        if let Some(refusal) = self.refusal(&account, login_id.as_ref(), &password).await? {
            return Ok(PasswordReset::Refused(refusal));
        }
        let normal = SecretString::from(password_policy::normalise(password.expose_secret()));
        let hash = self.passwords.hash(normal).await?;
        let (member, _) = &account;
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !recovery::consume(&mut tx, &link, now).await?
            || !recovery::set_password(&mut tx, &member.id, &hash, now).await?
        {
            return Ok(PasswordReset::Void);
        }
        self.void_links(&mut tx, &member.id).await?;
        registration::erase_of_person(&mut tx, &member.person_id).await?;
        if let Some(email) = &member.email {
            let notice = mail_to(insurer, email, link.locale, RecoveryMail::PasswordReplaced);
            self.outbox.enqueue(&mut tx, &notice).await?;
        }
        let event = Event::member("recovery.password_replaced", member);
        audit::record(&mut tx, &self.entropy, now, event).await?;
        delivery::sessions_ended(&mut tx, &member.id, now).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.end_sessions(&member.id, None).await?;
        if let Some(login_id) = login_id {
            self.forget_failures(&login_id).await?;
        }
        Ok(PasswordReset::Done(link))
    }

    /// Whose link it is, if that account may still sign in.
    async fn account_of_link(&self, link: &Recovery) -> Result<Option<Account>, Fault> {
        let Some(member) = member::find(&self.db, &link.member_id).await? else { return Ok(None) };
        let Some(person) = roster::find(&self.db, &member.person_id).await? else { return Ok(None) };
        let stands = member.state == MemberState::Active && self.is_eligible(&person);
        Ok(stands.then_some((member, person)))
    }

    async fn refusal(
        &self,
        (member, person): &Account,
        login_id: Option<&Typed>,
        password: &SecretString,
    ) -> Result<Option<PasswordRefusal>, Fault> {
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let number = match login_id {
            Some(Typed::Number(id)) => Some(id.clone()),
            _ => None,
        };
        let email = member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
        weakness(password.clone(), &insurer.policy, person, number, email).await
    }
}
