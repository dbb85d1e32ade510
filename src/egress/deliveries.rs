//! Messages to relying parties: written down with the change that they tell of, sent on their own time, again
//! and again with longer waits, whichever node is there to do it.
//!
//! What a message says is made when it is sent, so that a token in it is fresh and signed with the key of that
//! day; the row holds what it is made of, sealed. Delivery is at least once: a node that dies between the
//! receiver's answer and the note of it sends the message again.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Notify, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    clock::{Clock, Entropy, Timestamp},
    config,
    crypto::MasterKey,
    storage::{
        Db, On, StorageError,
        delivery::{self as rows, DELIVERIES, NewDelivery, WEBHOOKS},
        queue::{Counts, Leased, Queue},
    },
    telemetry::traces::TARGET,
};

/// Purpose of the sealed column.
const PURPOSE: &str = "delivery";
/// Messages under way at the same time, on this node.
const CONCURRENCY: usize = 8;
/// How often the worker looks for what other nodes added or what is due again.
const POLL: Duration = Duration::from_secs(1);
/// How long a message is leased: far longer than a request may take (`egress.timeout_seconds`, 15 at most).
const LEASE: Duration = Duration::from_secs(90);

/// Messages that wait for each other only: a flood of webhooks keeps no logout waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What the protocol has told.
    Protocol,
    /// What operators have told to systems that they named.
    Webhooks,
}

impl Lane {
    const fn queue(self) -> Queue {
        match self {
            Self::Protocol => DELIVERIES,
            Self::Webhooks => WEBHOOKS,
        }
    }
}

/// A message whose turn it is.
#[derive(Debug)]
pub struct Message {
    /// Names it for ever.
    pub id: String,
    /// What kind of message it is.
    pub kind: String,
    /// Whom it is for.
    pub target: String,
    /// When it was written.
    pub created_at: Timestamp,
    content: Option<Vec<u8>>,
}

impl Message {
    /// What it is made of.
    pub fn content<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.content.as_deref()?).ok()
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived, or there is nobody who wants it any more.
    Sent,
    /// It did not arrive and may another time. The reason holds no personal data.
    Again(String),
    /// It never will.
    Failed(String),
}

/// Makes messages and takes them to their receivers.
pub trait Carrier: Clone + Send + Sync + 'static {
    /// Tries once.
    fn carry(&self, message: Message) -> impl Future<Output = Outcome> + Send;
}

/// Where messages are put, and what has them sent. Clones share one worker's state.
#[derive(Clone)]
pub struct Deliveries(Arc<Inner>);

struct Inner {
    db: Db,
    master: MasterKey,
    clock: Clock,
    entropy: Entropy,
    settings: config::Deliveries,
    /// For the protocol's lane; the other one looks by itself.
    wake: Notify,
    webhooks: Notify,
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deliveries")
    }
}

impl Deliveries {
    /// Sets the queue up; nothing is sent before [`Deliveries::run`].
    pub fn new(
        db: Db,
        master: MasterKey,
        clock: Clock,
        entropy: Entropy,
        settings: &config::Deliveries,
    ) -> Self {
        let (settings, wake, webhooks) = (settings.clone(), Notify::new(), Notify::new());
        Self(Arc::new(Inner { db, master, clock, entropy, settings, wake, webhooks }))
    }

    /// Adds a message, made of `content`, to the caller's transaction. One that was added before under this
    /// `id` is not added again. [`Deliveries::wake`] after the commit saves it up to a second.
    pub async fn enqueue(
        &self,
        on: impl Into<On<'_>>,
        id: &str,
        kind: &str,
        target: &str,
        content: &impl Serialize,
    ) -> Result<(), StorageError> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let plain = serde_json::to_vec(content).map_err(|error| StorageError::Impossible {
            table: "delivery",
            column: "sealed",
            row: id.to_owned(),
            reason: error.to_string(),
        })?;
        let sealed = &inner.master.seal(PURPOSE, id, &plain, &inner.entropy);
        let give_up_at = now.plus(inner.settings.give_up_after());
        let row = NewDelivery { id, kind, target, sealed, created_at: now, give_up_at };
        if rows::enqueue(on, row).await? {
            tracing::info!(delivery = id, kind, about = target, "message queued");
        }
        Ok(())
    }

    /// Has the workers look at once.
    pub fn wake(&self) {
        self.0.wake.notify_one();
        self.0.webhooks.notify_one();
    }

    /// How many messages of a lane wait, are out, or failed.
    pub async fn counts(&self, lane: Lane) -> Result<Counts, StorageError> {
        lane.queue().counts(&self.0.db).await
    }

    /// Has the messages of a lane sent until `shutdown`, and then finishes what is under way.
    pub async fn run(&self, lane: Lane, carrier: impl Carrier, shutdown: CancellationToken) {
        let mut under_way = JoinSet::new();
        let wake = if lane == Lane::Protocol { &self.0.wake } else { &self.0.webhooks };
        while !shutdown.is_cancelled() {
            for row in self.lease(lane, CONCURRENCY - under_way.len()).await {
                under_way.spawn(self.clone().deliver(lane, carrier.clone(), row));
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = wake.notified() => {}
                Some(ended) = under_way.join_next() => log_panic(ended),
                () = sleep(POLL) => {}
            }
        }
        while let Some(ended) = under_way.join_next().await {
            log_panic(ended);
        }
    }

    /// Takes up to `limit` messages that are due; none while the database is away.
    async fn lease(&self, lane: Lane, limit: usize) -> Vec<Leased> {
        if limit == 0 {
            return Vec::new();
        }
        let leased = lane.queue().lease(&self.0.db, self.0.clock.now(), LEASE, limit).await;
        leased.unwrap_or_else(|error| {
            tracing::warn!(%error, "the messages to relying parties cannot be read");
            Vec::new()
        })
    }

    /// Tries a message that is leased, and notes what became of it: a trace of its own.
    async fn deliver(self, lane: Lane, carrier: impl Carrier, row: Leased) {
        let span = tracing::trace_span!(
            target: TARGET, "delivery", otel.kind = "consumer", kenpos.kind = row.kind, kenpos.delivery = row.id
        );
        self.attempt(lane, carrier, row).instrument(span).await;
    }

    async fn attempt(self, lane: Lane, carrier: impl Carrier, row: Leased) {
        let (inner, queue) = (&*self.0, lane.queue());
        let (id, kind, about, attempt) = (&row.id, &row.kind, &row.target, row.attempts);
        let noted = match inner.attempt(&carrier, &row).await {
            Outcome::Sent => {
                tracing::info!(delivery = id, kind, about, attempt, "message sent");
                queue.sent(&inner.db, id, inner.clock.now()).await
            }
            Outcome::Again(reason) => {
                let at = inner.next_attempt(&row);
                tracing::warn!(
                    delivery = id,
                    kind,
                    about,
                    attempt,
                    reason,
                    "message not sent, to be tried again"
                );
                queue.retry_later(&inner.db, &row, at, &reason).await
            }
            Outcome::Failed(reason) => {
                tracing::error!(delivery = id, kind, about, attempt, reason, "message given up");
                queue.failed(&inner.db, &row, inner.clock.now(), &reason).await
            }
        };
        match noted {
            Ok(true) => {}
            Ok(false) => tracing::warn!(delivery = id, "the lease of a message ended before its delivery"),
            // The lease ends, and the message is tried again.
            Err(error) => tracing::error!(delivery = id, %error, "the outcome of a delivery is not noted"),
        }
    }
}

impl Inner {
    async fn attempt(&self, carrier: &impl Carrier, row: &Leased) -> Outcome {
        if self.clock.now() >= Timestamp::from_millis(row.give_up_at) {
            return Outcome::Failed("expired".to_owned());
        }
        let content = match row.sealed.as_deref().map(|sealed| self.master.open(PURPOSE, &row.id, sealed)) {
            None => None,
            Some(Ok(plain)) => Some(plain),
            Some(Err(_)) => return Outcome::Failed("the content cannot be opened".to_owned()),
        };
        let message = Message {
            id: row.id.clone(),
            kind: row.kind.clone(),
            target: row.target.clone(),
            created_at: Timestamp::from_millis(row.created_at),
            content,
        };
        match carrier.carry(message).await {
            Outcome::Again(reason) if self.next_attempt(row).millis() >= row.give_up_at => {
                Outcome::Failed(format!("{reason}; no time is left for another attempt"))
            }
            outcome => outcome,
        }
    }

    fn next_attempt(&self, row: &Leased) -> Timestamp {
        let failures = u32::try_from(row.attempts).unwrap_or(u32::MAX);
        self.clock.now().plus(self.settings.retry_after(failures))
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a delivery broke off; it is tried again when the lease ends");
    }
}
