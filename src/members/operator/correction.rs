//! What the office sets right on an account that goes on: the e-mail address, and the access of an app.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{Act, Refused, Subject};
use crate::{
    audit::{self, Event},
    clock::Timestamp,
    crypto::digest,
    fault::Fault,
    mail::message::{AccountMail, Mail, MailKind},
    members::{EmailAddress, Members},
    storage::{
        consent,
        email_change::{self, EmailChange},
        member::{self, MemberState},
    },
};

/// How long the link is good: the member may look into the mailbox after work.
const LINK: Duration = Duration::from_secs(24 * 60 * 60);

impl Members {
    /// Sends a link to a new address of a member. Nothing changes until it is opened and the password given, so
    /// an address that was heard wrongly does no harm; the address from before is told now and then. Gives when
    /// the link is void.
    pub async fn correct_email(
        &self,
        subject: &Subject,
        email: &str,
        act: Act<'_>,
    ) -> Result<Result<Timestamp, Refused>, Fault> {
        let Some(member) = &subject.member else { return Ok(Err(Refused::NoAccount)) };
        let Ok(email) = EmailAddress::parse(email) else { return Ok(Err(Refused::Email)) };
        if member.state != MemberState::Active {
            return Ok(Err(Refused::Inactive));
        }
        if member.email.as_deref() == Some(email.as_str()) {
            return Ok(Err(Refused::SameEmail));
        }
        let insurer = self.insurer_of_person(&subject.person)?;
        let (now, token) = (self.clock.now(), self.entropy.secret());
        let change = EmailChange {
            member_id: member.id.clone(),
            token_hash: digest::sha256_base64url(&token),
            email_key: email.key(),
            email: email.as_str().to_owned(),
            locale: member.locale,
            created_at: now.max(member.sessions_valid_from),
            expires_at: now.plus(LINK),
        };
        let mut tx = self.db.begin().await?;
        let owner = member::of_email(&mut tx, &member.insurer, &change.email_key).await?;
        if owner.is_some_and(|owner| owner.id != member.id) {
            return Ok(Err(Refused::EmailTaken));
        }
        email_change::replace(&mut tx, &change).await?;
        let link = self.config.server.url(&format!("/account/email/link/{token}"));
        let link = Url::parse(&link).map_err(Fault::internal)?;
        let kind = MailKind::Account(AccountMail::CorrectEmail { link, deadline: change.expires_at });
        self.outbox.enqueue(&mut tx, &Mail::of(insurer, email.as_str(), member.locale, kind)).await?;
        self.tell(&mut tx, member, AccountMail::EmailBeingCorrected).await?;
        self.write_act(&mut tx, "member.email_correction_sent", subject, act).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Ok(change.expires_at))
    }

    /// Takes back what the member allows an app, for the member; every token that rests on it is dead at once.
    pub async fn withdraw_app(
        &self,
        subject: &Subject,
        client_id: &str,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let Some(member) = &subject.member else { return Ok(Err(Refused::NoAccount)) };
        let mut tx = self.db.begin().await?;
        // No client_id has one; PostgreSQL would answer it with an error.
        if client_id.contains('\0') || !consent::withdraw(&mut tx, &member.id, client_id).await? {
            return Ok(Err(Refused::NoAccess));
        }
        let event = Event {
            insurer: Some(&subject.person.insurer),
            member: Some(&member.id),
            client: Some(client_id),
            ..act.event("member.app_withdrawn", json!({ "person": subject.person.id }))
        };
        audit::record(&mut tx, &self.entropy, self.clock.now(), event).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// The whole address of a member, for who must know it; written down, since lists show it masked.
    pub async fn reveal_email(
        &self,
        subject: &Subject,
        act: Act<'_>,
    ) -> Result<Result<String, Refused>, Fault> {
        let member = subject.member.as_ref().and_then(|member| member.email.clone());
        let Some(email) = member.or_else(|| Some(subject.person.email.as_ref()?.as_str().to_owned())) else {
            return Ok(Err(Refused::NoAccount));
        };
        let mut tx = self.db.begin().await?;
        self.write_act(&mut tx, "member.email_shown", subject, act).await?;
        tx.commit().await?;
        Ok(Ok(email))
    }
}
