//! What an operator (事務局) does to an account, each act with who did it and why in the audit.

mod correction;
mod deletion;
mod export;

pub use export::{Export, line};

use serde_json::json;

use super::{
    Members,
    activation_code::ActivationCode,
    login_id::{LoginId, Typed},
    roster::{Category, Person},
};
use crate::{
    audit::{self, Act, Event},
    clock::Timestamp,
    config::{Insurer, insurer::Activation},
    fault::Fault,
    mail::message::{Mail, MailKind, RecoveryMail},
    storage::{
        Tx, activation_code, consent, delivery,
        member::{self, Member, MemberState},
        profile, recovery, registration, roster,
    },
};

/// Whom an act concerns.
#[derive(Debug)]
pub struct Subject {
    /// The person of the roster.
    pub person: Person,
    /// The account, if there is one.
    pub member: Option<Member>,
}

/// Why nobody, or more than one, can be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOne {
    /// Neither roster nor accounts have the login ID.
    #[error("nobody has this login ID")]
    Nobody,
    /// The address belongs to accounts of several insurers.
    #[error("several insurers have an account with this address; name one")]
    Several,
}

/// Why an act is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no account to act on.
    #[error("this person has no account: there is nothing to do but `member reissue`")]
    NoAccount,
    /// The account was reset before.
    #[error("the account was reset before")]
    NotActive,
    /// Neither is the account frozen nor the registration stopped.
    #[error("nothing is stopped: the account is not frozen, and a registration may begin")]
    NotStopped,
    /// The member has not asked for the deletion, or took the request back.
    #[error("the member has not asked for the deletion of the account")]
    NotRequested,
    /// The person has an account and knows how to sign in, or can be reset.
    #[error("the person is registered: `member reset` comes first")]
    Registered,
    /// Dependents and voluntarily insured persons register without a temporary password.
    #[error("the person registers with an e-mail address and needs no temporary password")]
    SelfRegistering,
    /// The account is reset, frozen or closed, and so has nothing of the kind.
    #[error("the account is not active")]
    Inactive,
    /// The account is frozen, or no registration begins, already.
    #[error("it is stopped already")]
    Stopped,
    /// The account was deleted before.
    #[error("the account was deleted before")]
    Closed,
    /// The app has no access.
    #[error("the app has no access to withdraw")]
    NoAccess,
    /// The address is none.
    #[error("this is no e-mail address")]
    Email,
    /// The account has this address.
    #[error("the account has this address already")]
    SameEmail,
    /// Another account of the insurer has it.
    #[error("another account of the insurer has this address")]
    EmailTaken,
}

/// What a person needs for the activation that follows.
#[derive(Debug)]
pub enum Issued {
    /// Nothing: the person registers by e-mail address.
    Nothing,
    /// The birth date as the temporary password, until then.
    TemporaryPassword(Timestamp),
    /// The birth date and this code, until then. It is known to nobody else and cannot be read again.
    Code(ActivationCode, Timestamp),
}

impl Members {
    /// The person and the account of a login ID; `insurer` tells accounts of one address apart.
    pub async fn subject_of(
        &self,
        typed: &Typed,
        insurer: Option<&str>,
    ) -> Result<Result<Subject, NotOne>, Fault> {
        match typed {
            Typed::Number(id) => {
                let found = roster::find_insured(&self.db, id.insurer(), id.symbol(), id.number()).await?;
                let Some(person) = found else { return Ok(Err(NotOne::Nobody)) };
                let member = member::of_person(&self.db, &person.id).await?;
                Ok(Ok(Subject { person, member }))
            }
            Typed::Email(email) => {
                let mut found = recovery::accounts_of(&self.db, &email.key()).await?;
                found.retain(|(_, code)| insurer.is_none_or(|insurer| insurer == code));
                let [(id, _)] = found.as_slice() else {
                    return Ok(Err(if found.is_empty() { NotOne::Nobody } else { NotOne::Several }));
                };
                let Some(member) = member::find(&self.db, id).await? else { return Ok(Err(NotOne::Nobody)) };
                let person = roster::find(&self.db, &member.person_id).await?;
                Ok(person.map(|person| Subject { person, member: Some(member) }).ok_or(NotOne::Nobody))
            }
        }
    }

    /// Wipes the registration (初期化): password, address, consents, sessions, grants and links. The person
    /// of the roster, the subject and the receipts stay, the old address is told, and the activation starts
    /// anew with what is issued: a code where `code` or the policy asks for one.
    pub async fn reset_member(
        &self,
        subject: &Subject,
        code: bool,
        act: Act<'_>,
    ) -> Result<Result<Issued, Refused>, Fault> {
        let Some(member) = &subject.member else { return Ok(Err(Refused::NoAccount)) };
        let insurer = self.insurer_of_person(&subject.person)?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !recovery::reset_member(&mut tx, &member.id, now).await? {
            return Ok(Err(Refused::NotActive));
        }
        consent::withdraw_all(&mut tx, &member.id).await?;
        roster::allow(&mut tx, &subject.person.id).await?;
        roster::end_former_login(&mut tx, &subject.person.id).await?;
        profile::erase(&mut tx, &member.id).await?;
        self.void_links(&mut tx, &member.id).await?;
        registration::erase_of_person(&mut tx, &subject.person.id).await?;
        let issued = self.issue(&mut tx, insurer, &subject.person, code).await?;
        if let Some(email) = &member.email {
            let kind = MailKind::Recovery(RecoveryMail::RegistrationReset);
            let notice = Mail::of(insurer, email, member.locale, kind);
            self.outbox.enqueue(&mut tx, &notice).await?;
        }
        self.write_act(&mut tx, "member.reset", subject, act).await?;
        delivery::sessions_ended(&mut tx, &member.id, now).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.end_sessions(&member.id, None).await?;
        Ok(Ok(issued))
    }

    /// Issues the temporary password, or a code, to a person who has no account or whose was reset.
    pub async fn reissue(
        &self,
        subject: &Subject,
        code: bool,
        act: Act<'_>,
    ) -> Result<Result<Issued, Refused>, Fault> {
        if subject.member.as_ref().is_some_and(|member| member.state != MemberState::Reset) {
            return Ok(Err(Refused::Registered));
        }
        if subject.person.category != Category::Insured {
            return Ok(Err(Refused::SelfRegistering));
        }
        let insurer = self.insurer_of_person(&subject.person)?;
        let mut tx = self.db.begin().await?;
        let issued = self.issue(&mut tx, insurer, &subject.person, code).await?;
        self.write_act(&mut tx, "member.reissued", subject, act).await?;
        tx.commit().await?;
        Ok(Ok(issued))
    }

    /// Ends all sessions and grants of an account.
    pub async fn end_all_sessions(
        &self,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let Some(member) = &subject.member else { return Ok(Err(Refused::NoAccount)) };
        let mut tx = self.db.begin().await?;
        let now = self.clock.now();
        recovery::end_sessions(&mut tx, &member.id, now).await?;
        self.void_links(&mut tx, &member.id).await?;
        self.write_act(&mut tx, "member.sessions_ended", subject, act).await?;
        delivery::sessions_ended(&mut tx, &member.id, now).await?;
        tx.commit().await?;
        self.end_sessions(&member.id, None).await?;
        Ok(Ok(()))
    }

    /// Lets the login IDs of an account that pause be tried again at once.
    pub async fn unlock_account(
        &self,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let typed = self.login_id_of_subject(subject);
        let Some(typed) = typed else { return Ok(Err(Refused::NoAccount)) };
        self.unlock(&typed, subject, act).await?;
        Ok(Ok(()))
    }

    /// What the person types to sign in or to register; none for who registers with an address and has not
    /// yet, and for accounts that have none any more.
    pub fn login_id_of_subject(&self, subject: &Subject) -> Option<Typed> {
        let Subject { person, member } = subject;
        if let Some(member) = member {
            return self.login_id_of(member, person);
        }
        let insurer = self.insurer(&person.insurer).filter(|_| person.category == Category::Insured)?;
        LoginId::from_parts(insurer, &person.symbol, &person.number).ok().map(Typed::Number)
    }

    /// Lets a login ID that pauses be tried again at once.
    pub async fn unlock(&self, typed: &Typed, subject: &Subject, act: Act<'_>) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        self.write_act(&mut tx, "member.unlocked", subject, act).await?;
        tx.commit().await?;
        // Afterwards: what is not written down does not happen.
        self.forget_failures(typed).await
    }

    async fn issue(
        &self,
        tx: &mut Tx,
        insurer: &Insurer,
        person: &Person,
        code: bool,
    ) -> Result<Issued, Fault> {
        if person.category != Category::Insured {
            return Ok(Issued::Nothing);
        }
        let (now, policy) = (self.clock.now(), &insurer.policy);
        let days = |days: u32| std::time::Duration::from_secs(86_400 * u64::from(days));
        roster::reissue_temporary_password(&mut *tx, &person.id, now).await?;
        let until = now.plus(days(policy.temporary_password_days));
        if policy.activation == Activation::Birthdate && !code {
            activation_code::erase(tx, &person.id).await?;
            return Ok(Issued::TemporaryPassword(until));
        }
        let until = until.min(now.plus(days(policy.activation_code_days)));
        let code = self.issue_code(tx, &person.id, until).await?;
        Ok(Issued::Code(code, until))
    }

    pub(super) async fn write_act(
        &self,
        tx: &mut Tx,
        action: &'static str,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<(), Fault> {
        let event = Event {
            insurer: Some(&subject.person.insurer),
            member: subject.member.as_ref().map(|member| member.id.as_str()),
            ..act.event(action, json!({ "person": subject.person.id }))
        };
        Ok(audit::record(tx, &self.entropy, self.clock.now(), event).await?)
    }

    fn insurer_of_person(&self, person: &Person) -> Result<&Insurer, Fault> {
        self.insurer(&person.insurer).ok_or_else(|| Fault::internal("unknown insurer"))
    }
}
