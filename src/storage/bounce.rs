//! Table `bounce`: addresses to which nothing is sent, because the office learnt that they do not exist. An
//! address is kept as a keyed hash and in its masked form, never as itself.

use super::{
    On, Position, StorageError,
    db::{execute, query, query_scalar},
};
use crate::clock::Timestamp;

/// An address that bounces.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Bounce {
    /// Keyed hash of the address.
    pub recipient_mac: String,
    /// Names it in URLs and in the audit.
    pub id: String,
    /// Portal code of the insurer whose mail came back.
    pub insurer: Option<String>,
    /// The address, masked.
    pub recipient: String,
    /// Kind of the mail that came back.
    pub kind: String,
    /// When it was marked, in milliseconds.
    pub created_at: i64,
}

impl Bounce {
    /// Its place in the list.
    pub fn position(&self) -> Position {
        Position { at: self.created_at, id: self.id.clone() }
    }
}

/// Whom a mail was for: masked, and as a keyed hash.
pub async fn recipient_of(
    on: impl Into<On<'_>>,
    mail_id: &str,
) -> Result<Option<(String, String)>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select recipient, recipient_mac from outbox
         where id = $1 and recipient is not null and recipient_mac is not null",
        mail_id
    )
}

/// Marks an address; false when it was marked before.
pub async fn mark(on: impl Into<On<'_>>, bounce: &Bounce) -> Result<bool, StorageError> {
    let marked = execute!(
        on,
        "insert into bounce (recipient_mac, id, insurer, recipient, kind, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (recipient_mac) do nothing",
        &bounce.recipient_mac,
        &bounce.id,
        &bounce.insurer,
        &bounce.recipient,
        &bounce.kind,
        bounce.created_at
    )?;
    Ok(marked == 1)
}

/// Gives up what waits for an address; the number of mails.
pub async fn give_up_waiting(
    on: impl Into<On<'_>>,
    recipient_mac: &str,
    reason: &str,
    now: Timestamp,
) -> Result<u64, StorageError> {
    execute!(
        on,
        "update outbox set state = 'failed', sealed = null, last_error = $2, leased_until = 0,
                finished_at = $3
         where recipient_mac = $1 and state = 'queued' and leased_until <= $3",
        recipient_mac,
        reason,
        now.millis()
    )
}

/// Takes a mark away; false when there is none.
pub async fn clear(on: impl Into<On<'_>>, id: &str) -> Result<bool, StorageError> {
    Ok(execute!(on, "delete from bounce where id = $1", id)? == 1)
}

/// Takes the mark of an address away; its id, if there was one.
pub async fn clear_of(on: impl Into<On<'_>>, recipient_mac: &str) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "delete from bounce where recipient_mac = $1 returning id",
        recipient_mac
    )
}

/// Whether an address is marked.
pub async fn is_marked(on: impl Into<On<'_>>, recipient_mac: &str) -> Result<bool, StorageError> {
    let found: i64 =
        query_scalar!(on, fetch_one, "select count(*) from bounce where recipient_mac = $1", recipient_mac)?;
    Ok(found > 0)
}

/// The mark of this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Bounce>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select recipient_mac, id, insurer, recipient, kind, created_at from bounce where id = $1",
        id
    )
}

/// The newest `limit` marks of an insurer (empty: of all), before `before` if it is given.
pub async fn page(
    on: impl Into<On<'_>>,
    insurer: &str,
    before: Option<&Position>,
    limit: i64,
) -> Result<Vec<Bounce>, StorageError> {
    let (at, id) = before.map_or((i64::MAX, ""), |position| (position.at, position.id.as_str()));
    query!(
        on,
        fetch_all,
        "select recipient_mac, id, insurer, recipient, kind, created_at from bounce
         where ($1 = '' or insurer = $1) and (created_at, id) < ($2, $3)
         order by created_at desc, id desc limit $4",
        insurer,
        at,
        id,
        limit
    )
}
