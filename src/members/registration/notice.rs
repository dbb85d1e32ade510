//! Notices to the address that the insurer knows: a registration of this person began, or ended. Each has a
//! link for those who know nothing of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::send::mail_to;
use crate::{
    audit::{self, Event},
    crypto::digest,
    ephemeral::Record,
    fault::Fault,
    mail::message::{AccountMail, MailKind},
    members::{Members, account::next_epoch, roster::Person},
    storage::{
        Tx, activation_code, activation_notice, delivery,
        member::{self, Member, MemberState},
        member_change, registration, roster,
    },
    texts::Locale,
};

/// How long the link of a notice works.
const LINK: Duration = Duration::from_secs(30 * 86_400);
/// How long a registration that is begun again is not told again.
const ONE_START: Duration = Duration::from_secs(86_400);
/// Length of a token; nothing else is looked up.
const TOKEN_LENGTH: usize = 43;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoticeOf {
    /// Somebody proved to be the person and began.
    Start,
    /// There is an account.
    End,
}

/// That the start of a registration was told.
#[derive(Serialize, Deserialize)]
struct Told {}

impl Record for Told {
    const KIND: &'static str = "registration-told";
}

impl Members {
    /// Tells the roster's address, if there is one, that a registration begins; once a day.
    pub(in crate::members) async fn notify_start(&self, person: &Person) -> Result<(), Fault> {
        if person.email.is_none() || !self.ephemeral.insert(&person.id, &Told {}, ONE_START).await? {
            return Ok(());
        }
        let told: Result<(), Fault> = async {
            let mut tx = self.db.begin().await?;
            self.notify(&mut tx, person, NoticeOf::Start).await?;
            tx.commit().await?;
            self.outbox.wake();
            Ok(())
        }
        .await;
        if told.is_err() {
            self.ephemeral.remove::<Told>(&person.id).await?;
        }
        told
    }

    /// Queues the notice, if the insurer knows an address. Its reader need not be who registers, so it is
    /// in the language of the insurer.
    pub(super) async fn notify(&self, tx: &mut Tx, person: &Person, what: NoticeOf) -> Result<(), Fault> {
        let Some(email) = &person.email else { return Ok(()) };
        let insurer = self.insurer(&person.insurer).ok_or_else(|| Fault::internal("unknown insurer"))?;
        let (now, token) = (self.clock.now(), self.entropy.secret());
        let hash = digest::sha256_base64url(&token);
        activation_notice::add(&mut *tx, &hash, &person.id, now, now.plus(LINK)).await?;
        let link = self.config.server.url(&format!("/registration/report/{token}"));
        let link = Url::parse(&link).map_err(Fault::internal)?;
        let kind = MailKind::RegistrationNotice { ended: what == NoticeOf::End, link };
        self.outbox.enqueue(tx, &mail_to(insurer, email.as_str(), Locale::default(), kind)).await?;
        Ok(())
    }

    /// The insurer of a notice whose link is alive. Reading it changes nothing: mail scanners open links too.
    pub async fn notice_link(&self, token: &str) -> Result<Option<String>, Fault> {
        if token.len() != TOKEN_LENGTH {
            return Ok(None);
        }
        let hash = digest::sha256_base64url(token);
        let Some(id) = activation_notice::person_of(&self.db, &hash, self.clock.now()).await? else {
            return Ok(None);
        };
        Ok(roster::find(&self.db, &id).await?.map(|person| person.insurer))
    }

    /// 「身に覚えのない登録」: voids a registration under way, freezes the account with all that was given to it,
    /// and lets nobody begin again until the office has looked. Gives the insurer; `None` when the link is dead.
    pub async fn disown_registration(&self, token: &str) -> Result<Option<String>, Fault> {
        if token.len() != TOKEN_LENGTH {
            return Ok(None);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let used = activation_notice::consume(&mut tx, &digest::sha256_base64url(token), now).await?;
        let Some(person_id) = used else { return Ok(None) };
        let person = roster::find(&mut tx, &person_id).await?;
        let person = person.ok_or_else(|| Fault::internal("a notice about nobody"))?;
        roster::stop(&mut tx, &person.id, now).await?;
        roster::end_temporary_password(&mut tx, &person.id, now).await?;
        registration::erase_of_person(&mut tx, &person.id).await?;
        activation_code::erase(&mut tx, &person.id).await?;
        let member = member::of_person(&mut tx, &person.id).await?;
        if let Some(member) = member.as_ref().filter(|member| member.state == MemberState::Active) {
            self.freeze(&mut tx, member).await?;
        }
        let event = Event {
            insurer: Some(&person.insurer),
            member: member.as_ref().map(|member| member.id.as_str()),
            ..Event::system("registration.disowned")
        };
        let event = event.with_detail(json!({ "person": person.id }));
        audit::record(&mut tx, &self.entropy, now, event).await?;
        tx.commit().await?;
        self.outbox.wake();
        if let Some(member) = &member {
            self.end_sessions(&member.id, None).await?;
        }
        tracing::warn!(person = person.id, "a registration was reported as somebody else's and is stopped");
        metrics::counter!("kenpos_misuse_reports_total").increment(1);
        Ok(Some(person.insurer))
    }

    /// Freezes an account and tells its member and the office; false when it is not active.
    pub(in crate::members) async fn freeze(&self, tx: &mut Tx, member: &Member) -> Result<bool, Fault> {
        if !self.stop_account(tx, member).await? {
            return Ok(false);
        }
        self.tell(tx, member, AccountMail::Frozen).await?;
        self.tell_office(tx, member, AccountMail::OfficeReport { member: member.id.clone() }).await?;
        Ok(true)
    }

    /// Lets nobody use an account, with all that was given to it; false when it is not active.
    pub(in crate::members) async fn stop_account(&self, tx: &mut Tx, member: &Member) -> Result<bool, Fault> {
        let now = self.clock.now();
        if !member_change::freeze(&mut *tx, &member.id, now, next_epoch(member, now)).await? {
            return Ok(false);
        }
        delivery::sessions_ended(&mut *tx, &member.id, now).await?;
        self.void_links(&mut *tx, &member.id).await?;
        Ok(true)
    }
}
