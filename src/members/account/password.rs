//! A new password ends everything that the old one gave.

use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Credential, credential::Asked, mail_to, next_epoch};
use crate::{
    audit::{self, Event},
    fault::Fault,
    mail::message::AccountMail,
    members::{
        EmailAddress, Members,
        login_id::Typed,
        password_policy,
        registration::{FieldError, weakness},
        session::SignedIn,
    },
    storage::{
        delivery,
        member::{self, Member},
        member_change,
    },
};

/// What came of a new password.
#[derive(Debug)]
pub enum PasswordChange {
    /// It is set; every session is void, the present one too, and so is every grant.
    Done(Box<Member>),
    /// The current password was not proved.
    Credential(Credential),
    /// The new one may not be chosen.
    Refused(FieldError),
}

impl Members {
    /// Replaces the password. The policy is asked only after the current password is proved, because its
    /// answers tell what the member's name and birth date are not.
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        current: SecretString,
        new: SecretString,
        address: IpAddr,
    ) -> Result<PasswordChange, Fault> {
        let member = &signed_in.member;
        let proof = self.check_password(Asked::in_session(signed_in), &current, address, "password").await?;
        if proof != Credential::Right {
            return Ok(PasswordChange::Credential(proof));
        }
        if let Some(refusal) = self.change_refusal(signed_in, &current, &new).await? {
            return Ok(PasswordChange::Refused(refusal));
        }
        let normal = SecretString::from(password_policy::normalise(new.expose_secret()));
        let hash = self.passwords.hash(normal).await?;
        let (now, old) = (self.clock.now(), member.password_hash.as_deref().unwrap_or_default());
        let mut tx = self.db.begin().await?;
        let epoch = next_epoch(member, now);
        if !member_change::password(&mut tx, &member.id, old, &hash, now, epoch).await? {
            // Changed elsewhere in this very moment: what was proved is not the current one any more.
            return Ok(PasswordChange::Credential(Credential::Wrong));
        }
        self.void_links(&mut tx, &member.id).await?;
        self.tell(&mut tx, member, AccountMail::PasswordChanged).await?;
        let event = Event::member("member.password_changed", member);
        audit::record(&mut tx, &self.entropy, now, event).await?;
        let changed = member::find(&mut tx, &member.id).await?;
        delivery::sessions_ended(&mut tx, &member.id, now).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.end_sessions(&member.id, None).await?;
        let changed = changed.ok_or_else(|| Fault::internal("a member vanished"))?;
        Ok(PasswordChange::Done(Box::new(changed)))
    }

    async fn change_refusal(
        &self,
        SignedIn { member, person, .. }: &SignedIn,
        current: &SecretString,
        new: &SecretString,
    ) -> Result<Option<FieldError>, Fault> {
        let refuse = |text, args| Some(FieldError { field: "new_password", text, args });
        if password_policy::normalise(current.expose_secret())
            == password_policy::normalise(new.expose_secret())
        {
            return Ok(refuse("account-password-error-same", Vec::new()));
        }
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let login_id = match self.login_id_of(member, person) {
            Some(Typed::Number(id)) => Some(id),
            _ => None,
        };
        let email = member.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
        let weak = weakness(new.clone(), &insurer.policy, person, login_id, email).await?;
        Ok(weak.and_then(|weak| refuse(weak.text_id(), weak.args())))
    }

    /// Queues a mail to the member's address.
    pub(in crate::members) async fn tell(
        &self,
        tx: &mut crate::storage::Tx,
        member: &Member,
        mail: AccountMail,
    ) -> Result<(), Fault> {
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        if let Some(email) = &member.email {
            self.outbox.enqueue(tx, &mail_to(insurer, email, member.locale, mail)).await?;
        }
        Ok(())
    }

    /// Queues a mail to the insurer's office, if an address of it is configured.
    pub(in crate::members) async fn tell_office(
        &self,
        tx: &mut crate::storage::Tx,
        member: &Member,
        mail: AccountMail,
    ) -> Result<(), Fault> {
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        if let Some(office) = &insurer.contact.email {
            let mail = mail_to(insurer, office, crate::texts::Locale::Ja, mail);
            self.outbox.enqueue(tx, &mail).await?;
        }
        Ok(())
    }
}
