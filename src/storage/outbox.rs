//! Mails that wait to be sent, and what became of those that no longer wait. The table is the [`MAILS`]
//! queue: leases, outcomes and counts are there.

use super::{
    db::{On, StorageError, execute},
    queue::{Queue, queue},
};
use crate::clock::Timestamp;

/// The table as a queue.
pub const MAILS: Queue = queue!("outbox", "coalesce(recipient_mac, '')", "recipient", "insurer", "true");

/// A mail to add.
#[derive(Clone, Copy, Debug)]
pub struct NewMail<'a> {
    /// Primary key, also in the Message-ID.
    pub id: &'a str,
    /// Kind of mail, for the log and for operators.
    pub kind: &'a str,
    /// Address and content, sealed.
    pub sealed: &'a str,
    /// Portal code of the insurer in whose name it goes; none: the service itself.
    pub insurer: Option<&'a str>,
    /// The address, masked.
    pub recipient: &'a str,
    /// Keyed hash of the address.
    pub recipient_mac: &'a str,
    /// Now.
    pub created_at: Timestamp,
    /// When sending it would no longer help.
    pub give_up_at: Timestamp,
}

/// Adds a mail; inside the caller's transaction it is sent only if that transaction holds.
pub async fn enqueue(on: impl Into<On<'_>>, mail: NewMail<'_>) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into outbox (id, kind, sealed, state, insurer, recipient, recipient_mac, next_attempt_at,
                             give_up_at, created_at)
         values ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $7)",
        mail.id,
        mail.kind,
        mail.sealed,
        mail.insurer,
        mail.recipient,
        mail.recipient_mac,
        mail.created_at.millis(),
        mail.give_up_at.millis(),
    )?;
    Ok(())
}

/// Takes a mail back in the very transaction that added it.
pub async fn withdraw(on: impl Into<On<'_>>, id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from outbox where id = $1 and attempts = 0", id)?;
    Ok(())
}
