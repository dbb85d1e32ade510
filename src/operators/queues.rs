//! The queues of mails and of messages to other systems, as operators see and move them: sent now, given up, or
//! an address marked as one that bounces. The content is nobody's business here.

use serde_json::json;

use super::Operators;
use crate::{
    audit::{Act, Event},
    clock::Timestamp,
    fault::Fault,
    mail::outbox::BOUNCES,
    storage::{
        Position,
        bounce::{self, Bounce},
        delivery::{self, DELIVERIES, WEBHOOK, WEBHOOKS},
        outbox::MAILS,
        queue::{Filter, Queue, Shown},
        webhook_event,
    },
};

/// What is noted of what an operator gave up.
const GIVEN_UP: &str = "given up by an operator";

/// Why an act on a row of a queue is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is out or given up, or is being sent at this moment.
    #[error("it does not wait: it was sent or given up, or is being sent at this moment")]
    NotWaiting,
    /// Whom it was for is not known.
    #[error("the address of this mail is not known")]
    NoAddress,
    /// The address is marked already, or was not.
    #[error("it is so already")]
    Already,
}

/// Which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Mails.
    Mails,
    /// Messages of the protocol.
    Protocol,
    /// Webhooks.
    Webhooks,
}

impl Line {
    const fn queue(self) -> Queue {
        match self {
            Self::Mails => MAILS,
            Self::Protocol => DELIVERIES,
            Self::Webhooks => WEBHOOKS,
        }
    }

    /// Name of the audit's line for what is done to a row.
    const fn action(self, retried: bool) -> &'static str {
        match (self, retried) {
            (Self::Mails, true) => "mail.retried",
            (Self::Mails, false) => "mail.given_up",
            (_, true) => "delivery.retried",
            (_, false) => "delivery.given_up",
        }
    }

    /// The line in which messages of this kind wait.
    pub fn of_kind(kind: &str) -> Self {
        if kind == WEBHOOK { Self::Webhooks } else { Self::Protocol }
    }
}

impl Operators {
    /// The newest rows that fit.
    pub async fn queue_page(
        &self,
        line: Line,
        filter: &Filter,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Shown>, Fault> {
        Ok(line.queue().page(&self.db, filter, before, limit).await?)
    }

    /// A row of a queue.
    pub async fn queued(&self, line: Line, id: &str) -> Result<Option<Shown>, Fault> {
        Ok(line.queue().find(&self.db, id).await?)
    }

    /// Has a row tried now that waits for its next attempt, or a webhook that was given up.
    pub async fn retry(&self, line: Line, row: &Shown, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let mut done = line.queue().hurry(&mut tx, &row.id, now).await?;
        if !done && line == Line::Webhooks {
            let give_up_at = Timestamp::from_millis(now.millis() + webhook_event::GIVE_UP);
            done = delivery::requeue(&mut tx, &row.id, now, give_up_at).await?;
        }
        if !done {
            return Ok(Err(Refused::NotWaiting));
        }
        self.record(&mut tx, about(line.action(true), line, row, act)).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.deliveries.wake();
        Ok(Ok(()))
    }

    /// Gives a row up that waits, and erases its content.
    pub async fn give_up(&self, line: Line, row: &Shown, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        if !line.queue().give_up(&mut tx, &row.id, self.clock.now(), GIVEN_UP).await? {
            return Ok(Err(Refused::NotWaiting));
        }
        self.record(&mut tx, about(line.action(false), line, row, act)).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Marks the address of a mail as one that bounces: what waits for it is given up, nothing is sent there
    /// any more, and the member is told at the next sign-in.
    pub async fn mark_bounced(&self, mail: &Shown, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some((recipient, recipient_mac)) = bounce::recipient_of(&mut tx, &mail.id).await? else {
            return Ok(Err(Refused::NoAddress));
        };
        let mark = Bounce {
            recipient_mac,
            id: self.entropy.id(),
            insurer: mail.insurer.clone(),
            recipient,
            kind: mail.kind.clone(),
            created_at: now.millis(),
        };
        if !bounce::mark(&mut tx, &mark).await? {
            return Ok(Err(Refused::Already));
        }
        let given_up = bounce::give_up_waiting(&mut tx, &mark.recipient_mac, BOUNCES, now).await?;
        let detail = json!({ "mail": mail.id, "bounce": mark.id, "given_up": given_up });
        let event = act.event("mail.bounced", detail).with_insurer(mail.insurer.as_deref());
        self.record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Takes the mark from an address: mails go there again.
    pub async fn clear_bounce(&self, mark: &Bounce, act: Act<'_>) -> Result<Result<(), Refused>, Fault> {
        let mut tx = self.db.begin().await?;
        if !bounce::clear(&mut tx, &mark.id).await? {
            return Ok(Err(Refused::Already));
        }
        let event = act.event("mail.bounce_cleared", json!({ "bounce": mark.id }));
        self.record(&mut tx, event.with_insurer(mark.insurer.as_deref())).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// The addresses that bounce, of an insurer or (empty) of all, the newest first.
    pub async fn bounces(
        &self,
        insurer: &str,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Bounce>, Fault> {
        Ok(bounce::page(&self.db, insurer, before, limit).await?)
    }

    /// The mark of this id.
    pub async fn bounce(&self, id: &str) -> Result<Option<Bounce>, Fault> {
        Ok(bounce::find(&self.db, id).await?)
    }
}

fn about<'a>(action: &'static str, line: Line, row: &'a Shown, act: Act<'_>) -> Event<'a> {
    let name = if line == Line::Mails { "mail" } else { "delivery" };
    act.event(action, json!({ name: row.id, "kind": row.kind })).with_insurer(row.insurer.as_deref())
}
