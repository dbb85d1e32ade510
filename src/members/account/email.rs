//! A new e-mail address: asked for with the current password, proved by a link that is mailed to it.
//!
//! The link asks for the current password again, whoever is signed in at the browser that opens it. So it
//! works on another device, and whoever else gets the mail, because the address was mistyped, can do
//! nothing with it. Opening the page changes nothing: mail scanners do that too.

use std::{net::IpAddr, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{Credential, credential::Asked, mail_to};
use crate::{
    audit::{self, Event},
    clock::Timestamp,
    crypto::digest,
    fault::Fault,
    mail::message::AccountMail,
    members::{EmailAddress, Members, registration::FieldError, roster::Person, session::SignedIn},
    storage::{
        Tx,
        email_change::{self, EmailChange},
        member::{self, Member},
        member_change,
    },
    texts::Locale,
};

/// How long the link is good.
const LINK: Duration = Duration::from_secs(60 * 60);
/// Links of a member in [`DAY`].
const MOST_A_DAY: u64 = 5;
/// The window of [`MOST_A_DAY`].
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Length of a token; nothing else is looked up.
const TOKEN_LENGTH: usize = 43;

/// What came of asking for a change.
#[derive(Debug)]
pub enum EmailRequest {
    /// A mail is on its way: the link, or to an address of another account the news that it is taken.
    Sent,
    /// The current password was not proved.
    Credential(Credential),
    /// The address is none, or the present one.
    Refused(FieldError),
    /// Too many links were sent today.
    Spent,
}

/// What came of the password at the link.
#[derive(Debug)]
pub enum EmailCompletion {
    /// The address is the new one.
    Done(Box<EmailAddress>),
    /// The password was not proved.
    Credential(Credential),
    /// The link is unknown, used, replaced or too old, or the address belongs to another account by now.
    Void,
}

impl Members {
    /// Asks for a change. What the page can tell does not depend on whether the address is taken.
    pub async fn request_email_change(
        &self,
        signed_in: &SignedIn,
        (email, current): (&str, &SecretString),
        address: IpAddr,
        locale: Locale,
    ) -> Result<EmailRequest, Fault> {
        let member = &signed_in.member;
        let refuse = |text| Ok(EmailRequest::Refused(FieldError { field: "email", text, args: Vec::new() }));
        let email = match EmailAddress::parse(email) {
            Ok(email) => email,
            Err(error) => return refuse(error.text_id()),
        };
        let proof = self.check_password(Asked::in_session(signed_in), current, address, "email").await?;
        if proof != Credential::Right {
            return Ok(EmailRequest::Credential(proof));
        }
        if member.email.as_deref() == Some(email.as_str()) {
            return refuse("account-email-error-same");
        }
        if self.ephemeral.count(&format!("email-change:{}", member.id), DAY).await? > MOST_A_DAY {
            return Ok(EmailRequest::Spent);
        }
        let (now, token) = (self.clock.now(), self.entropy.secret());
        let change = EmailChange {
            member_id: member.id.clone(),
            token_hash: digest::sha256_base64url(&token),
            email_key: email.key(),
            email: email.as_str().to_owned(),
            locale,
            created_at: now.max(member.sessions_valid_from),
            expires_at: now.plus(LINK),
        };
        let mut tx = self.db.begin().await?;
        email_change::replace(&mut tx, &change).await?;
        self.queue_email_link(&mut tx, member, &change, &token).await?;
        let event = Event::member("member.email_change_requested", member);
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(EmailRequest::Sent)
    }

    async fn queue_email_link(
        &self,
        tx: &mut Tx,
        member: &Member,
        change: &EmailChange,
        token: &str,
    ) -> Result<(), Fault> {
        let insurer = self.insurer(&member.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let owner = member::of_email(&mut *tx, &member.insurer, &change.email_key).await?;
        let mail = if owner.is_some_and(|owner| owner.id != member.id) {
            AccountMail::EmailInUse
        } else {
            let link = self.config.server.url(&format!("/account/email/link/{token}"));
            AccountMail::ConfirmEmail {
                link: Url::parse(&link).map_err(Fault::internal)?,
                deadline: change.expires_at,
            }
        };
        self.outbox.enqueue(tx, &mail_to(insurer, &change.email, change.locale, mail)).await?;
        Ok(())
    }

    /// The change that waits for its link: the new address, masked, and until when.
    pub async fn pending_email_change(
        &self,
        member: &Member,
        person: &Person,
    ) -> Result<Option<(String, Timestamp)>, Fault> {
        let change = email_change::of_member(&self.db, &member.id, self.clock.now()).await?;
        let change = change.filter(|change| change.created_at >= self.valid_from(member, person));
        Ok(change
            .and_then(|change| Some((EmailAddress::parse(&change.email).ok()?.masked(), change.expires_at))))
    }

    /// The change of a link, if it is alive and its member still may make it. Reading it changes nothing.
    pub async fn email_link(&self, token: &str) -> Result<Option<(EmailChange, Member, Person)>, Fault> {
        if token.len() != TOKEN_LENGTH {
            return Ok(None);
        }
        let hash = digest::sha256_base64url(token);
        let Some(change) = email_change::by_token(&self.db, &hash, self.clock.now()).await? else {
            return Ok(None);
        };
        let standing = self.standing(&change.member_id, change.created_at).await?;
        Ok(standing.map(|(member, person)| (change, member, person)))
    }

    /// Makes the change, with the current password.
    pub async fn complete_email_change(
        &self,
        token: &str,
        password: &SecretString,
        address: IpAddr,
    ) -> Result<EmailCompletion, Fault> {
        let Some((change, member, person)) = self.email_link(token).await? else {
            return Ok(EmailCompletion::Void);
        };
        let asked = Asked::at_link(&member, &person, &change.token_hash);
        let proof = self.check_password(asked, password, address, "email_link").await?;
        if proof != Credential::Right {
            return Ok(EmailCompletion::Credential(proof));
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !email_change::consume(&mut tx, &change.token_hash, now).await? {
            return Ok(EmailCompletion::Void);
        }
        match member_change::email(&mut tx, &member.id, &change.email, &change.email_key, now).await {
            Ok(true) => {}
            Ok(false) => return Ok(EmailCompletion::Void),
            Err(error) if error.is_conflict() => {
                drop(tx);
                email_change::erase(&self.db, &member.id).await?;
                return Ok(EmailCompletion::Void);
            }
            Err(error) => return Err(error.into()),
        }
        // Whoever reads the old mailbox must not take the account with a link that lies there.
        self.void_links(&mut tx, &member.id).await?;
        self.tell(&mut tx, &member, AccountMail::EmailChanged).await?;
        let event = Event::member("member.email_changed", &member);
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        self.outbox.wake();
        let email = EmailAddress::parse(&change.email).map_err(|_| Fault::internal("unparsed address"))?;
        Ok(EmailCompletion::Done(Box::new(email)))
    }
}
