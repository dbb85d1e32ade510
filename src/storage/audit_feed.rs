//! Table `audit_feed`: how far the audit was sent on, and which node does so. One row.

use super::{
    On, StorageError,
    db::{execute, query_scalar},
};
use crate::clock::Timestamp;

/// Number of the last line that was sent on, if `holder` may go on from there: no other node does until
/// `until` then.
pub async fn lease(
    on: impl Into<On<'_>>,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<i64>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "update audit_feed set holder = $1, leased_until = $3
         where id = 'audit' and (holder = $1 or leased_until <= $2) returning seq",
        holder,
        now.millis(),
        until.millis()
    )
}

/// Notes that the lines after `from` up to `to` were sent on; false if another node has taken over.
pub async fn advance(on: impl Into<On<'_>>, holder: &str, from: i64, to: i64) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update audit_feed set seq = $3 where id = 'audit' and holder = $1 and seq = $2",
        holder,
        from,
        to
    )?;
    Ok(changed == 1)
}

/// Lets another node go on at once.
pub async fn release(on: impl Into<On<'_>>, holder: &str) -> Result<(), StorageError> {
    execute!(on, "update audit_feed set leased_until = 0 where id = 'audit' and holder = $1", holder)?;
    Ok(())
}

/// Lines with a number that were not sent on yet.
pub async fn behind(on: impl Into<On<'_>>) -> Result<i64, StorageError> {
    query_scalar!(
        on,
        fetch_one,
        "select t.seq - f.seq from audit_tip as t, audit_feed as f where t.id = 'audit' and f.id = 'audit'"
    )
}
