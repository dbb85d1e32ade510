//! Messages to relying parties and other systems that wait to be sent, and sessions whose end relying parties
//! are to be told of. The table holds two queues, so that a flood of webhooks keeps no logout waiting.

use jiff::civil::Date;

use super::{
    db::{On, StorageError, execute},
    queue::{Queue, queue},
};
use crate::clock::Timestamp;

/// Messages of the protocol: ends of sessions.
pub const DELIVERIES: Queue =
    queue!("delivery", "target", "target", "cast(null as text)", "kind <> 'webhook'");

/// Messages to systems that operators named.
pub const WEBHOOKS: Queue = queue!(
    "delivery",
    "target",
    "target",
    "(select w.insurer from webhook as w where w.id = delivery.target)",
    "kind = 'webhook'"
);

/// Kind of the rows of [`WEBHOOKS`].
pub const WEBHOOK: &str = "webhook";

/// Has a webhook that was given up tried again: what it says is made anew. False when there is none.
pub async fn requeue(
    on: impl Into<On<'_>>,
    id: &str,
    now: Timestamp,
    give_up_at: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update delivery set state = 'queued', attempts = 0, next_attempt_at = $2, give_up_at = $3,
                finished_at = null
         where id = $1 and kind = 'webhook' and state = 'failed'",
        id,
        now.millis(),
        give_up_at.millis(),
    )?;
    Ok(changed == 1)
}

/// Kind of the rows that [`sessions_ended`] writes.
pub const SESSIONS: &str = "sessions";

/// A message to add.
#[derive(Clone, Copy, Debug)]
pub struct NewDelivery<'a> {
    /// Primary key. What is added twice under one is sent once.
    pub id: &'a str,
    /// Kind of message, for who makes it, the log and operators.
    pub kind: &'a str,
    /// Whom it is for.
    pub target: &'a str,
    /// What it is made of, sealed.
    pub sealed: &'a str,
    /// Now.
    pub created_at: Timestamp,
    /// When sending it would no longer help.
    pub give_up_at: Timestamp,
}

/// Adds a message, unless it was added before; inside the caller's transaction it is sent only if that
/// transaction holds.
pub async fn enqueue(on: impl Into<On<'_>>, message: NewDelivery<'_>) -> Result<bool, StorageError> {
    let added = execute!(
        on,
        "insert into delivery (id, kind, target, sealed, state, next_attempt_at, give_up_at, created_at)
         values ($1, $2, $3, $4, 'queued', $5, $6, $5)
         on conflict (id) do nothing",
        message.id,
        message.kind,
        message.target,
        message.sealed,
        message.created_at.millis(),
        message.give_up_at.millis(),
    )?;
    Ok(added == 1)
}

/// Milliseconds until the sessions of [`sessions_ended`] are looked at: who voided them mostly tells of their
/// end itself, right after its transaction, and this is for the case that it cannot.
const LATER: i64 = 5_000;
/// Milliseconds after which it is given up: no session is older (a day).
const GIVE_UP: i64 = 86_400_000;

/// Has the end of a member's sessions told, in the transaction that voids them. Those are meant that
/// began before `sessions_valid_from` as it stands then.
pub async fn sessions_ended(
    on: impl Into<On<'_>>,
    member_id: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
         select 'sessions:' || m.id || ':' || cast(m.sessions_valid_from as text), 'sessions', m.id, 'queued',
                $2 + $3, $2 + $4, m.sessions_valid_from
         from member as m where m.id = $1
         on conflict (id) do nothing",
        member_id,
        now.millis(),
        LATER,
        GIVE_UP,
    )?;
    Ok(())
}

/// As [`sessions_ended`], for every member of an insurer whose sessions an import of the roster voided `now`.
pub async fn sessions_ended_by_import(
    on: impl Into<On<'_>>,
    insurer: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
         select 'sessions:' || m.id || ':' || cast(m.sessions_valid_from as text), 'sessions', m.id, 'queued',
                $2, $2 + $3, m.sessions_valid_from
         from member as m where m.insurer = $1 and m.sessions_valid_from = $2
         on conflict (id) do nothing",
        insurer,
        now.millis(),
        GIVE_UP,
    )?;
    Ok(())
}

/// As [`sessions_ended`], for those whose eligibility ended with `last_day`: what began before `over`, the instant
/// after it, is void. Said again, it is told once.
pub async fn sessions_ended_by_date(
    on: impl Into<On<'_>>,
    last_day: Date,
    over: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
         select 'sessions:' || m.id || $2, 'sessions', m.id, 'queued', $3, $3 + $4, $3
         from roster_person as p join member as m on m.person_id = p.id
         where p.valid_until = $1
         on conflict (id) do nothing",
        last_day.to_string(),
        format!(":{}", over.millis()),
        over.millis(),
        GIVE_UP,
    )?;
    Ok(())
}
