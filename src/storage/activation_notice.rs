//! Table `activation_notice`: the links 「身に覚えのない登録」 of mails to the addresses that insurers know.

use super::{
    Db, On, StorageError,
    db::{execute, query_scalar},
};
use crate::clock::Timestamp;

/// Stores the link of a notice; earlier ones of the person stay alive.
pub async fn add(
    on: impl Into<On<'_>>,
    token_hash: &str,
    person_id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into activation_notice (token_hash, person_id, created_at, expires_at) values ($1, $2, $3, $4)",
        token_hash,
        person_id,
        now.millis(),
        expires_at.millis()
    )?;
    Ok(())
}

/// The person of a link that is alive. Reading it changes nothing.
pub async fn person_of(
    on: impl Into<On<'_>>,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "select person_id from activation_notice where token_hash = $1 and used_at is null and expires_at > $2",
        token_hash,
        now.millis()
    )
}

/// Uses a link up, and gives its person; of several users one gets it.
pub async fn consume(
    on: impl Into<On<'_>>,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "update activation_notice set used_at = $2
         where token_hash = $1 and used_at is null and expires_at > $2 returning person_id",
        token_hash,
        now.millis()
    )
}

/// Erases links that have died of age; gives how many.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StorageError> {
    execute!(db, "delete from activation_notice where expires_at <= $1", now.millis())
}
