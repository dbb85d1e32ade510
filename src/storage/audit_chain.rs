//! Tables `audit` (its numbers and hashes), `audit_tip` and `audit_daily`: see [`crate::audit::chain`].

use super::{
    On, StorageError,
    audit::Entry,
    db::{execute, query, query_scalar},
};

/// A line with its place in the chain.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Link {
    /// Its number, from 1.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// The line.
    #[sqlx(flatten)]
    pub entry: Entry,
}

/// Lines of one day, insurer and action.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DayCount {
    /// Calendar day in Japan.
    pub day: String,
    /// What happened.
    pub action: String,
    /// How often.
    pub count: i64,
}

/// Whether there are lines without a number.
pub async fn any_unlinked(on: impl Into<On<'_>>) -> Result<bool, StorageError> {
    let one: Option<i64> = query_scalar!(
        on,
        fetch_optional,
        "select cast(1 as bigint) from audit where seq is null order by at, id limit 1"
    )?;
    Ok(one.is_some())
}

/// Number and hash of the last line; whoever else asks this way waits for the end of the transaction.
pub async fn lock_tip(on: impl Into<On<'_>>) -> Result<(i64, String), StorageError> {
    query!(on, fetch_one, "update audit_tip set seq = seq where id = 'audit' returning seq, hash")
}

/// Number and hash of the last line.
pub async fn tip(on: impl Into<On<'_>>) -> Result<(i64, String), StorageError> {
    query!(on, fetch_one, "select seq, hash from audit_tip where id = 'audit'")
}

/// The oldest lines without a number.
pub async fn unlinked(on: impl Into<On<'_>>, limit: i64) -> Result<Vec<Entry>, StorageError> {
    query!(
        on,
        fetch_all,
        "select id, at, actor, action, insurer, member_id, client_id, detail from audit
         where seq is null order by at, id limit $1",
        limit
    )
}

/// Gives a line its number and hash, once.
pub async fn set_link(on: impl Into<On<'_>>, id: &str, seq: i64, hash: &str) -> Result<(), StorageError> {
    execute!(on, "update audit set seq = $2, hash = $3 where id = $1 and seq is null", id, seq, hash)?;
    Ok(())
}

/// Says where the chain ends now.
pub async fn move_tip(on: impl Into<On<'_>>, seq: i64, hash: &str) -> Result<(), StorageError> {
    execute!(on, "update audit_tip set seq = $1, hash = $2 where id = 'audit'", seq, hash)?;
    Ok(())
}

/// Adds to the count of a day, an insurer and an action.
pub async fn add_to_day(
    on: impl Into<On<'_>>,
    (day, insurer, action): (&str, &str, &str),
    count: i64,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into audit_daily (day, insurer, action, count) values ($1, $2, $3, $4)
         on conflict (day, insurer, action) do update set count = audit_daily.count + excluded.count",
        day,
        insurer,
        action,
        count
    )?;
    Ok(())
}

/// The linked lines after a number, in their order.
pub async fn after(on: impl Into<On<'_>>, seq: i64, limit: i64) -> Result<Vec<Link>, StorageError> {
    query!(
        on,
        fetch_all,
        "select seq, hash, id, at, actor, action, insurer, member_id, client_id, detail from audit
         where seq > $1 and hash is not null order by seq limit $2",
        seq,
        limit
    )
}

/// What happened on each day from `since` on; `insurer` empty: with every insurer and with none.
pub async fn days(on: impl Into<On<'_>>, since: &str, insurer: &str) -> Result<Vec<DayCount>, StorageError> {
    query!(
        on,
        fetch_all,
        "select day, action, cast(sum(count) as bigint) as count from audit_daily
         where day >= $1 and ($2 = '' or insurer = $2) group by day, action order by day, action",
        since,
        insurer
    )
}

/// Every action that ever happened, by name.
pub async fn actions(on: impl Into<On<'_>>) -> Result<Vec<String>, StorageError> {
    query_scalar!(on, fetch_all, "select distinct action from audit_daily order by action")
}
