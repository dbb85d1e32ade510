//! Table `sign_in_failure`: failed sign-ins, counted by member, client address and hour, so that a flood of
//! them fills nothing.

use super::{
    Db, On, StorageError,
    db::{execute, query},
};
use crate::clock::Timestamp;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// A failure to count.
pub struct Failure<'a> {
    /// Identifier, should it be the first of its hour.
    pub id: &'a str,
    /// Portal code of the insurer; empty where the login ID stands for nobody.
    pub insurer: &'a str,
    /// The member; empty likewise.
    pub member_id: &'a str,
    /// Keyed hash of the client address.
    pub address: &'a str,
    /// The present.
    pub now: Timestamp,
}

/// Counts a failure. It is one statement, whether or not there is a member.
pub async fn count(on: impl Into<On<'_>>, failure: &Failure<'_>) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into sign_in_failure (insurer, member_id, address, hour, id, count, last_at)
         values ($1, $2, $3, $4, $5, 1, $6)
         on conflict (insurer, member_id, address, hour) do update set
             count = sign_in_failure.count + 1, last_at = excluded.last_at",
        failure.insurer,
        failure.member_id,
        failure.address,
        failure.now.seconds().div_euclid(HOUR),
        failure.id,
        failure.now.millis()
    )?;
    Ok(())
}

/// Failures of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HourCount {
    hour: i64,
    /// How many there were.
    pub count: i64,
}

impl HourCount {
    /// When the hour began.
    pub const fn began_at(self) -> Timestamp {
        Timestamp::from_millis(self.hour * HOUR * 1000)
    }
}

/// What failed in each hour from `since` on; `insurer` empty: at every insurer and at none.
pub async fn hours(
    on: impl Into<On<'_>>,
    since: Timestamp,
    insurer: &str,
) -> Result<Vec<HourCount>, StorageError> {
    query!(
        on,
        fetch_all,
        "select hour, cast(sum(count) as bigint) as count from sign_in_failure
         where last_at >= $1 and ($2 = '' or insurer = $2) group by hour",
        since.millis(),
        insurer
    )
}

/// Forgets those whose last one was before `before`; gives how many rows.
pub async fn sweep(db: &Db, before: Timestamp) -> Result<u64, StorageError> {
    execute!(db, "delete from sign_in_failure where last_at < $1", before.millis())
}
