//! Table `deletion_request`: members who asked the office to delete their account. Nothing here deletes
//! anything; the office decides.

use super::{
    On, StorageError,
    db::{execute, query_scalar},
    instant,
};
use crate::clock::Timestamp;

/// Notes the request; false when there was one already.
pub async fn add(on: impl Into<On<'_>>, member_id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let added = execute!(
        on,
        "insert into deletion_request (member_id, requested_at) values ($1, $2)
         on conflict (member_id) do nothing",
        member_id,
        now.millis()
    )?;
    Ok(added == 1)
}

/// When the member asked, if so.
pub async fn of_member(on: impl Into<On<'_>>, member_id: &str) -> Result<Option<Timestamp>, StorageError> {
    let at: Option<i64> = query_scalar!(
        on,
        fetch_optional,
        "select requested_at from deletion_request where member_id = $1",
        member_id
    )?;
    Ok(instant(at))
}

/// Takes the request back; false when there was none.
pub async fn withdraw(on: impl Into<On<'_>>, member_id: &str) -> Result<bool, StorageError> {
    let gone = execute!(on, "delete from deletion_request where member_id = $1", member_id)?;
    Ok(gone == 1)
}
