//! Table `webhook_event`: what is told to webhooks, and who gets it. Both are written in the transaction of
//! what happened, so that nothing is told that was undone, and nothing that holds is kept back.

use super::{
    On, StorageError, Tx,
    db::{execute, query},
};
use crate::clock::Timestamp;

/// Milliseconds after which a message that nobody takes is given up: three days.
pub const GIVE_UP: i64 = 3 * 86_400_000;

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookEvent {
    /// Primary key.
    pub id: String,
    /// Name, such as `member.activated`.
    #[sqlx(rename = "type")]
    pub name: String,
    /// Portal code of the insurer concerned; none: of several, or of none.
    pub insurer: Option<String>,
    /// Member concerned.
    pub member_id: Option<String>,
    /// Client concerned.
    pub client_id: Option<String>,
    /// When it happened, in milliseconds.
    pub at: i64,
}

/// Tells every enabled webhook that asked for it. An insurer's webhook hears of that insurer alone.
pub async fn publish(on: impl Into<On<'_>>, event: &WebhookEvent) -> Result<(), StorageError> {
    let mut on: On<'_> = on.into();
    let kept = execute!(
        on.again(),
        "insert into webhook_event (id, type, insurer, member_id, client_id, at)
         select $1, $2, $3, $4, $5, $6
         where exists (select 1 from webhook as w
                       where w.disabled_at is null and w.events like '% ' || $2 || ' %'
                         and (w.insurer is null or w.insurer = $3))",
        &event.id,
        &event.name,
        &event.insurer,
        &event.member_id,
        &event.client_id,
        event.at
    )?;
    if kept == 0 {
        return Ok(());
    }
    execute!(
        on,
        "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
         select w.id || '.' || e.id, 'webhook', w.id, 'queued', e.at, e.at + $2, e.at
         from webhook_event as e join webhook as w
           on w.disabled_at is null and w.events like '% ' || e.type || ' %'
          and (w.insurer is null or w.insurer = e.insurer)
          and (w.client_id is null or e.member_id is not null or w.client_id = e.client_id)
         where e.id = $1
         on conflict (id) do nothing",
        &event.id,
        GIVE_UP
    )?;
    Ok(())
}

/// Tells one webhook, whatever it asked for: a test.
pub async fn tell_one(tx: &mut Tx, event: &WebhookEvent, webhook_id: &str) -> Result<String, StorageError> {
    execute!(
        &mut *tx,
        "insert into webhook_event (id, type, insurer, member_id, client_id, at)
         values ($1, $2, $3, $4, $5, $6)",
        &event.id,
        &event.name,
        &event.insurer,
        &event.member_id,
        &event.client_id,
        event.at
    )?;
    let id = format!("{webhook_id}.{}", event.id);
    execute!(
        tx,
        "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
         values ($1, 'webhook', $2, 'queued', $3, $3 + $4, $3)",
        &id,
        webhook_id,
        event.at,
        GIVE_UP
    )?;
    Ok(id)
}

/// Tells of every member of an insurer whose loss of eligibility was marked `at`; in a handful of statements,
/// however many there are.
pub(super) async fn publish_losses(tx: &mut Tx, insurer: &str, at: Timestamp) -> Result<(), StorageError> {
    execute!(
        &mut *tx,
        "insert into webhook_event (id, type, insurer, member_id, at)
         select 'lost-' || m.id || '-' || cast(m.eligibility_lost_at as text), 'member.eligibility_lost',
                m.insurer, m.id, m.eligibility_lost_at
         from member as m
         where m.insurer = $1 and m.eligibility_lost_at = $2
           and exists (select 1 from webhook as w
                       where w.disabled_at is null and w.events like '% member.eligibility_lost %'
                         and (w.insurer is null or w.insurer = $1))
         on conflict (id) do nothing",
        insurer,
        at.millis()
    )?;
    execute!(
        tx,
        "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
         select w.id || '.' || e.id, 'webhook', w.id, 'queued', e.at, e.at + $3, e.at
         from webhook_event as e join webhook as w
           on w.disabled_at is null and w.events like '% member.eligibility_lost %'
          and (w.insurer is null or w.insurer = e.insurer)
         where e.type = 'member.eligibility_lost' and e.insurer = $1 and e.at = $2
         on conflict (id) do nothing",
        insurer,
        at.millis(),
        GIVE_UP
    )?;
    Ok(())
}

/// The event of this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<WebhookEvent>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select id, type, insurer, member_id, client_id, at from webhook_event where id = $1",
        id
    )
}

/// Deletes what happened before `before`; gives the number.
pub async fn purge(on: impl Into<On<'_>>, before: Timestamp) -> Result<u64, StorageError> {
    execute!(on, "delete from webhook_event where at < $1", before.millis())
}
