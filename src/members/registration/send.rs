//! Step 5: the pending registration and its mail, written in one transaction.

use std::time::Duration;

use url::Url;

use super::{Details, Draft};
use crate::{
    audit::{self, Event},
    clock::Timestamp,
    config::Insurer,
    crypto::digest,
    fault::Fault,
    mail::message::{Mail, MailKind},
    members::{Members, email_address::EmailAddress, roster::Person},
    storage::{
        Tx, member,
        registration::{self, Registration},
    },
    telemetry::figures::{Step, count_step},
    texts::Locale,
};

/// Mails of one registration: the first and five more.
const MOST_SENDS: i64 = 6;
/// Mails of one person within the life of a link, over all registrations: whoever knows the person's data
/// chooses the addresses, and must not flood a stranger's.
const MOST_MAILS: i64 = 12;

/// Where a registration comes from, so that it can lead back there.
pub struct Send<'a> {
    /// The draft, complete.
    pub draft: &'a Draft,
    /// Its person.
    pub person: &'a Person,
    /// SHA-256 of the browser binding.
    pub browser: &'a str,
    /// The interaction.
    pub interaction: &'a str,
    /// The relying party.
    pub client_id: Option<&'a str>,
    /// Language of the pages, and so of the mail.
    pub locale: Locale,
}

/// What came of 「メールを送信する」.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The mail is on its way.
    Sent,
    /// As many mails as allowed were sent.
    Spent,
}

/// What came of 「メールを再送する」.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// A new link is on its way; the old one is dead.
    Sent,
    /// As many mails as allowed were sent.
    Spent,
    /// There is no such registration any more.
    Gone,
}

impl Members {
    /// Stores the registration, voiding an older one of the same person, and queues its mail, once however
    /// often it is asked for. An address that belongs to another account gets a mail that says so, and the
    /// page cannot tell.
    pub async fn send_registration(&self, send: &Send<'_>, details: &Details) -> Result<Sending, Fault> {
        let now = self.clock.now();
        let insurer = self.insurer(&send.draft.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let email = EmailAddress::parse(&details.email).map_err(|_| Fault::internal("unparsed address"))?;
        let token = self.entropy.secret();
        let pending = Registration {
            id: details.registration.clone(),
            person_id: send.person.id.clone(),
            person_mark: send.draft.person_mark.clone(),
            insurer: insurer.code.clone(),
            token_hash: digest::sha256_base64url(&token),
            browser: send.browser.to_owned(),
            interaction: send.interaction.to_owned(),
            client_id: send.client_id.map(str::to_owned),
            email_key: email.key(),
            email: details.email.clone(),
            kana: details.kana.clone(),
            password_hash: details.password_hash.clone(),
            preferences: details.preferences.clone(),
            receipts: send.draft.receipts.clone(),
            locale: send.locale,
            sends: 1,
            sent_at: now,
            expires_at: now.plus(self.config.lifetimes.registration_link()),
        };
        let mut tx = self.db.begin().await?;
        if !registration::replace(&mut tx, &pending, now).await? {
            return Ok(Sending::Sent);
        }
        if !self.may_mail(&mut tx, &pending.person_id).await? {
            return Ok(Sending::Spent);
        }
        self.queue_link(&mut tx, insurer, &pending, &token, pending.expires_at).await?;
        let event = Event { insurer: Some(&insurer.code), ..Event::system("registration.mail_sent") }
            .with_client(send.client_id)
            .with_detail(serde_json::json!({ "registration": pending.id, "person": pending.person_id }));
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        self.outbox.wake();
        metrics::counter!("kenpos_registrations_sent_total").increment(1);
        count_step(Step::MailSent, &insurer.code);
        Ok(Sending::Sent)
    }

    /// Sends the mail again with a new link.
    pub async fn resend_registration(&self, id: &str) -> Result<Resend, Fault> {
        let now = self.clock.now();
        let Some(pending) = registration::find(&self.db, id, now).await? else { return Ok(Resend::Gone) };
        let insurer = self.insurer(&pending.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let token = self.entropy.secret();
        let expires_at = now.plus(self.config.lifetimes.registration_link());
        let hash = digest::sha256_base64url(&token);
        let mut tx = self.db.begin().await?;
        if !registration::renew(&mut tx, id, &hash, MOST_SENDS, now, expires_at).await? {
            return Ok(Resend::Spent);
        }
        if !self.may_mail(&mut tx, &pending.person_id).await? {
            return Ok(Resend::Spent);
        }
        self.queue_link(&mut tx, insurer, &pending, &token, expires_at).await?;
        tx.commit().await?;
        self.outbox.wake();
        Ok(Resend::Sent)
    }

    /// The pending registration of a draft: how many mails are left and until when the link lives.
    pub async fn pending_registration(&self, id: &str) -> Result<Option<(i64, Timestamp)>, Fault> {
        let pending = registration::find(&self.db, id, self.clock.now()).await?;
        Ok(pending.map(|pending| (MOST_SENDS - pending.sends, pending.expires_at)))
    }

    /// How long an interaction lives while its mail is out.
    pub fn interaction_life_with_mail(&self) -> Duration {
        self.config.lifetimes.interaction_with_mail()
    }

    /// Takes one of the mails that may be sent for a person, in the transaction of the mail: what is rolled
    /// back, or was sent before, takes none.
    async fn may_mail(&self, tx: &mut Tx, person_id: &str) -> Result<bool, Fault> {
        let now = self.clock.now();
        let since = now.minus(self.config.lifetimes.registration_link());
        let mails = registration::count_mail(tx, &self.entropy.id(), person_id, now, since).await?;
        Ok(mails <= MOST_MAILS)
    }

    async fn queue_link(
        &self,
        tx: &mut Tx,
        insurer: &Insurer,
        pending: &Registration,
        token: &str,
        deadline: Timestamp,
    ) -> Result<(), Fault> {
        let owner = member::of_email(&mut *tx, &pending.insurer, &pending.email_key).await?;
        let kind = if owner.is_some_and(|owner| owner.person_id != pending.person_id) {
            MailKind::AddressInUse
        } else {
            let link = self.config.server.url(&format!("/registration/link/{token}"));
            let link = Url::parse(&link).map_err(Fault::internal)?;
            MailKind::ConfirmRegistration { link, deadline }
        };
        self.outbox.enqueue(tx, &mail_to(insurer, &pending.email, pending.locale, kind)).await?;
        Ok(())
    }
}

/// A mail of an insurer.
pub(super) fn mail_to(insurer: &Insurer, to: &str, locale: Locale, kind: MailKind) -> Mail {
    Mail::of(insurer, to, locale, kind)
}
