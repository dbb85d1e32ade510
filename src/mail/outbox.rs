//! The outbox: mails are written with the change that they tell of, and leave on their own time.
//!
//! Delivery is at least once: a node that dies between the relay's 250 and the note of it sends the
//! mail again, with the same Message-ID. No mail is ever under way twice at the same time.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    message::{Letter, Mail},
    render::{RenderError, Renderer},
    smtp::{Refusal, Relay, RelayError},
};
use crate::{
    clock::{Clock, Entropy, Timestamp},
    config::mail::MailSettings,
    crypto::master_key::MasterKey,
    members::EmailAddress,
    storage::{
        Db, StorageError, Tx, bounce,
        outbox::{self as rows, MAILS, NewMail},
        queue::{Counts, Leased},
    },
    telemetry::traces::TARGET,
    texts::Texts,
};

/// Purpose of the sealed column.
const PURPOSE: &str = "outbox";
/// Purpose of the keyed hash under which an address is found again.
const RECIPIENT: &str = "mail-recipient";
/// What is noted of a mail to an address that bounces.
pub const BOUNCES: &str = "the address is marked as one that bounces";
/// Mails under way at the same time, on this node.
const CONCURRENCY: usize = 4;
/// How often the worker looks for what other nodes added or what is due again.
const POLL: Duration = Duration::from_secs(1);
/// What a lease lasts beyond the longest time of a delivery.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// The outbox cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// See [`RelayError`].
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// See [`RenderError`].
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Where mails are put, and what sends them. Clones share one worker's state.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    db: Db,
    master: MasterKey,
    clock: Clock,
    entropy: Entropy,
    renderer: Renderer,
    relay: Relay,
    settings: MailSettings,
    wake: Notify,
}

/// What became of an attempt.
enum Outcome {
    Sent,
    Again { at: Timestamp, reason: String },
    Failed { reason: String },
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("relay", &self.0.relay).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Sets the outbox up; connects to nothing yet.
    pub fn new(
        db: Db,
        master: MasterKey,
        clock: Clock,
        entropy: Entropy,
        texts: Arc<Texts>,
        settings: &MailSettings,
    ) -> Result<Self, OutboxError> {
        let renderer = Renderer::new(texts)?;
        let relay = Relay::new(settings)?;
        let settings = settings.clone();
        let wake = Notify::new();
        Ok(Self(Arc::new(Inner { db, master, clock, entropy, renderer, relay, settings, wake })))
    }

    /// Under what the mails to an address can be found, without the address.
    pub fn mark_of(&self, to: &str) -> String {
        self.0.recipient_mac(to)
    }

    /// Adds a mail to the caller's transaction: it is sent if and only if that commits.
    /// [`Outbox::wake`] after the commit saves it up to a second.
    pub async fn enqueue(&self, tx: &mut Tx, mail: &Mail) -> Result<(), StorageError> {
        let id = self.add(tx, mail).await?;
        tracing::info!(mail = id, kind = mail.kind.name(), "mail queued");
        Ok(())
    }

    /// [`Outbox::enqueue`], or the same work without a mail: the time that it takes does not tell whether
    /// there is somebody to write to.
    pub async fn enqueue_or_pretend(
        &self,
        tx: &mut Tx,
        mail: &Mail,
        pretend: bool,
    ) -> Result<(), StorageError> {
        let id = self.add(tx, mail).await?;
        rows::withdraw(tx, if pretend { &id } else { "" }).await?;
        tracing::info!(mail = id, kind = mail.kind.name(), pretend, "mail queued");
        Ok(())
    }

    async fn add(&self, tx: &mut Tx, mail: &Mail) -> Result<String, StorageError> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let id = inner.entropy.id();
        let impossible = |reason: String| StorageError::Impossible {
            table: "outbox",
            column: "sealed",
            row: id.clone(),
            reason,
        };
        let letter = inner.renderer.render(mail, now).map_err(|error| impossible(error.to_string()))?;
        let plain = serde_json::to_vec(&letter).map_err(|error| impossible(error.to_string()))?;
        let recipient = EmailAddress::parse(&mail.to).map(|to| to.masked()).unwrap_or_default();
        let longest = now.plus(inner.settings.give_up_after());
        let row = NewMail {
            id: &id,
            kind: mail.kind.name(),
            sealed: &inner.master.seal(PURPOSE, &id, &plain, &inner.entropy),
            insurer: mail.code.as_deref(),
            recipient: &recipient,
            recipient_mac: &inner.recipient_mac(&mail.to),
            created_at: now,
            give_up_at: mail.kind.deadline().map_or(longest, |deadline| deadline.min(longest)),
        };
        rows::enqueue(tx, row).await?;
        Ok(id)
    }

    /// Has the worker look at once.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// How many mails wait, are out, or failed.
    pub async fn counts(&self) -> Result<Counts, StorageError> {
        MAILS.counts(&self.0.db).await
    }

    /// Whether the office marked an address as one that bounces: nothing is sent there.
    pub async fn bounces(&self, to: &str) -> Result<bool, StorageError> {
        bounce::is_marked(&self.0.db, &self.0.recipient_mac(to)).await
    }

    /// The relay.
    pub fn relay(&self) -> &Relay {
        &self.0.relay
    }

    /// Sends mails until `shutdown`, and then finishes what is under way.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut under_way = JoinSet::new();
        while !shutdown.is_cancelled() {
            for mail in self.lease(CONCURRENCY - under_way.len()).await {
                under_way.spawn(self.clone().deliver(mail));
            }
            if under_way.is_empty() {
                self.0.relay.rest().await;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.0.wake.notified() => {}
                Some(ended) = under_way.join_next() => log_panic(ended),
                () = sleep(POLL) => {}
            }
        }
        while let Some(ended) = under_way.join_next().await {
            log_panic(ended);
        }
        self.0.relay.rest().await;
    }

    /// Tries every mail that is due now, once; gives the number of attempts.
    pub async fn deliver_due(&self) -> usize {
        let mut attempts = 0;
        loop {
            let mails = self.lease(CONCURRENCY).await;
            if mails.is_empty() {
                self.0.relay.rest().await;
                return attempts;
            }
            attempts += mails.len();
            let mut under_way: JoinSet<()> =
                mails.into_iter().map(|mail| self.clone().deliver(mail)).collect();
            while let Some(ended) = under_way.join_next().await {
                log_panic(ended);
            }
        }
    }

    /// Takes up to `limit` mails that are due; none while the database is away.
    async fn lease(&self, limit: usize) -> Vec<Leased> {
        if limit == 0 {
            return Vec::new();
        }
        let inner = &*self.0;
        let lease_for = inner.relay.longest() + LEASE_MARGIN;
        match MAILS.lease(&inner.db, inner.clock.now(), lease_for, limit).await {
            Ok(mails) => mails,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                Vec::new()
            }
        }
    }

    /// Tries to send a mail that is leased, and notes what became of it: a trace of its own.
    async fn deliver(self, mail: Leased) {
        let span = tracing::trace_span!(
            target: TARGET, "mail", otel.kind = "consumer", kenpos.kind = mail.kind, kenpos.mail = mail.id
        );
        self.attempt(mail).instrument(span).await;
    }

    async fn attempt(self, mail: Leased) {
        let inner = &*self.0;
        let outcome = inner.attempt(&mail).await;
        let (id, kind, attempt) = (mail.id.as_str(), mail.kind.as_str(), mail.attempts);
        let noted = match &outcome {
            Outcome::Sent => {
                tracing::info!(mail = id, kind, attempt, "mail sent");
                count("sent");
                MAILS.sent(&inner.db, id, inner.clock.now()).await
            }
            Outcome::Again { at, reason } => {
                tracing::warn!(mail = id, kind, attempt, reason, "mail not sent, to be tried again");
                count("retried");
                MAILS.retry_later(&inner.db, &mail, *at, reason).await
            }
            Outcome::Failed { reason } => {
                tracing::error!(mail = id, kind, attempt, reason, "mail given up");
                count("failed");
                MAILS.failed(&inner.db, &mail, inner.clock.now(), reason).await
            }
        };
        match noted {
            Ok(true) => {}
            Ok(false) => tracing::warn!(mail = id, kind, "the lease of a mail ended before its delivery"),
            // The lease ends, and the mail is tried again.
            Err(error) => tracing::error!(mail = id, kind, %error, "the outcome of a delivery is not noted"),
        }
    }
}

impl Inner {
    /// A keyed hash of an address, whatever its case and width.
    fn recipient_mac(&self, to: &str) -> String {
        let key = EmailAddress::parse(to).map_or_else(|_| to.to_lowercase(), |to| to.key());
        self.master.mac_base64url(RECIPIENT, key.as_bytes())
    }

    async fn attempt(&self, mail: &Leased) -> Outcome {
        let give_up_at = Timestamp::from_millis(mail.give_up_at);
        if self.clock.now() >= give_up_at {
            return Outcome::Failed { reason: "expired".to_owned() };
        }
        match bounce::is_marked(&self.db, &mail.target).await {
            Ok(false) => {}
            Ok(true) => return Outcome::Failed { reason: BOUNCES.to_owned() },
            // Better twice to a dead address than never to a living one.
            Err(error) => tracing::warn!(%error, "the bounces cannot be read"),
        }
        let Some(letter) = self.unseal(mail) else {
            return Outcome::Failed { reason: "the content cannot be opened".to_owned() };
        };
        let created = Timestamp::from_millis(mail.created_at);
        let message = match letter.compose(self.relay.origin(), &mail.id, created) {
            Ok(message) => message,
            Err(error) => return Outcome::Failed { reason: error.to_string() },
        };
        match self.relay.send(&message).await {
            Ok(()) => Outcome::Sent,
            Err(Refusal { permanent: true, reason }) => Outcome::Failed { reason },
            Err(Refusal { permanent: false, reason }) => {
                let failures = u32::try_from(mail.attempts).unwrap_or(u32::MAX);
                let at = self.clock.now().plus(self.settings.retry_after(failures));
                if at < give_up_at {
                    Outcome::Again { at, reason }
                } else {
                    Outcome::Failed { reason: format!("{reason}; no time is left for another attempt") }
                }
            }
        }
    }

    fn unseal(&self, mail: &Leased) -> Option<Letter> {
        let plain = self.master.open(PURPOSE, &mail.id, mail.sealed.as_deref()?).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

fn count(result: &'static str) {
    metrics::counter!("kenpos_mail_attempts_total", "result" => result).increment(1);
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a delivery broke off; its mail is tried again when the lease ends");
    }
}
