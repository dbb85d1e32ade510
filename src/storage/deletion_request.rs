//! Table `deletion_request`: members who asked the office to delete their account. Nothing here deletes
//! anything; the office decides.

use super::{
    On, Position, StorageError,
    db::{execute, query, query_scalar},
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

/// A request that waits for the office.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Waiting {
    /// Subject of the member.
    pub member_id: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// When the member asked, in milliseconds since the epoch.
    pub requested_at: i64,
}

impl Waiting {
    /// Its place in the list.
    pub fn position(&self) -> Position {
        Position { at: self.requested_at, id: self.member_id.clone() }
    }
}

/// Up to `limit` requests, of one insurer or of all, the oldest first, after the one at `after`.
pub async fn list(
    on: impl Into<On<'_>>,
    insurer: Option<&str>,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<Waiting>, StorageError> {
    let (at, id) = after.map_or((i64::MIN, ""), |after| (after.at, after.id.as_str()));
    query!(
        on,
        fetch_all,
        "select r.member_id, m.insurer, r.requested_at
         from deletion_request as r join member as m on m.id = r.member_id
         where ($1 = '' or m.insurer = $1) and (r.requested_at, r.member_id) > ($2, $3)
         order by r.requested_at, r.member_id limit $4",
        insurer.unwrap_or_default(),
        at,
        id,
        limit
    )
}

/// Takes the request back; false when there was none.
pub async fn withdraw(on: impl Into<On<'_>>, member_id: &str) -> Result<bool, StorageError> {
    let gone = execute!(on, "delete from deletion_request where member_id = $1", member_id)?;
    Ok(gone == 1)
}
