//! Ephemeral records in the SQL database: the embedded default, `SQLite` and PostgreSQL alike.
//!
//! Expired rows count as absent and are deleted by [`Sql::sweep`]. Every operation is one statement
//! that carries its own guard, so racers cannot come between a check and a change.

use std::time::Duration;

use super::EphemeralError;
use crate::{
    clock::{Clock, Timestamp},
    storage::{
        Db, StorageError,
        db::{execute, query_scalar},
    },
};

/// Rows that one statement of the sweep deletes, so that it holds the writer's lock only briefly.
const BATCH: i64 = 500;

/// The engine in the database `db`; what has expired is judged by `clock`.
#[derive(Clone, Debug)]
pub(super) struct Sql {
    db: Db,
    clock: Clock,
}

// The other errors of the storage mean a statement or a schema that cannot serve, which is the same
// to a visitor: come back later.
impl From<StorageError> for EphemeralError {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Sql {
    pub(super) const fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.db.engine()
    }

    fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    fn end_of(&self, ttl: Duration) -> i64 {
        self.clock.now().plus(ttl).millis()
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<String>, EphemeralError> {
        let sql = "select value from ephemeral_record where key = $1 and expires_at > $2";
        Ok(query_scalar!(&self.db, fetch_optional, sql, key, self.now())?)
    }

    pub(super) async fn put(&self, key: &str, text: &str, ttl: Duration) -> Result<(), EphemeralError> {
        let sql = "insert into ephemeral_record (key, value, expires_at) values ($1, $2, $3)
            on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at";
        execute!(&self.db, sql, key, text, self.end_of(ttl))?;
        Ok(())
    }

    pub(super) async fn insert(&self, key: &str, text: &str, ttl: Duration) -> Result<bool, EphemeralError> {
        let sql = "insert into ephemeral_record (key, value, expires_at) values ($1, $2, $3)
            on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at
            where ephemeral_record.expires_at <= $4";
        Ok(execute!(&self.db, sql, key, text, self.end_of(ttl), self.now())? == 1)
    }

    pub(super) async fn swap(
        &self,
        key: &str,
        expected: &str,
        text: &str,
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let sql = "update ephemeral_record set value = $3, expires_at = $4
            where key = $1 and value = $2 and expires_at > $5";
        Ok(execute!(&self.db, sql, key, expected, text, self.end_of(ttl), self.now())? == 1)
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        read: &str,
        text: &str,
        ttl: Duration,
    ) -> Result<Option<String>, EphemeralError> {
        // One statement cannot tell what another one wrote while it waited for the row; a swap knows.
        let mut before = read.to_owned();
        while !self.swap(key, &before, text, ttl).await? {
            match self.get(key).await? {
                Some(changed) => before = changed,
                None => return Ok(None),
            }
        }
        Ok(Some(before))
    }

    pub(super) async fn take(&self, key: &str) -> Result<Option<String>, EphemeralError> {
        let sql = "delete from ephemeral_record where key = $1 and expires_at > $2 returning value";
        // All rows and not the first: SQLite commits when the statement has run to its end.
        let mut taken: Vec<String> = query_scalar!(&self.db, fetch_all, sql, key, self.now())?;
        Ok(taken.pop())
    }

    pub(super) async fn remove(&self, key: &str) -> Result<bool, EphemeralError> {
        let sql = "delete from ephemeral_record where key = $1 and expires_at > $2";
        Ok(execute!(&self.db, sql, key, self.now())? == 1)
    }

    pub(super) async fn count(&self, key: &str, window: Duration) -> Result<u64, EphemeralError> {
        let sql = "insert into ephemeral_count (key, count, expires_at) values ($1, 1, $2)
            on conflict (key) do update set
                count = case when ephemeral_count.expires_at > $3 then ephemeral_count.count + 1 else 1 end,
                expires_at = case when ephemeral_count.expires_at > $3
                    then ephemeral_count.expires_at else excluded.expires_at end
            returning count";
        let counts: Vec<i64> = query_scalar!(&self.db, fetch_all, sql, key, self.end_of(window), self.now())?;
        Ok(unsigned(counts.last().copied()))
    }

    pub(super) async fn counted(&self, key: &str) -> Result<u64, EphemeralError> {
        let sql = "select count from ephemeral_count where key = $1 and expires_at > $2";
        Ok(unsigned(query_scalar!(&self.db, fetch_optional, sql, key, self.now())?))
    }

    pub(super) async fn remove_count(&self, key: &str) -> Result<(), EphemeralError> {
        execute!(&self.db, "delete from ephemeral_count where key = $1", key)?;
        Ok(())
    }

    pub(super) async fn tag(&self, key: &str, member: &str, ttl: Duration) -> Result<(), EphemeralError> {
        let sql = "insert into ephemeral_tag (tag, member, expires_at) values ($1, $2, $3)
            on conflict (tag, member) do update set expires_at = excluded.expires_at";
        execute!(&self.db, sql, key, member, self.end_of(ttl))?;
        Ok(())
    }

    pub(super) async fn untag(&self, key: &str, member: &str) -> Result<(), EphemeralError> {
        execute!(&self.db, "delete from ephemeral_tag where tag = $1 and member = $2", key, member)?;
        Ok(())
    }

    pub(super) async fn tagged(&self, key: &str) -> Result<Vec<String>, EphemeralError> {
        let sql = "select member from ephemeral_tag where tag = $1 and expires_at > $2";
        Ok(query_scalar!(&self.db, fetch_all, sql, key, self.now())?)
    }

    pub(super) async fn ping(&self) -> Result<(), EphemeralError> {
        Ok(self.db.ping().await?)
    }

    /// Deletes the rows that have expired by now.
    pub(super) async fn sweep(&self) -> Result<u64, EphemeralError> {
        // The guard stands outside the subquery too: a row renewed in between must stay.
        const RECORDS: &str = "delete from ephemeral_record where expires_at <= $1 and key in
            (select key from ephemeral_record where expires_at <= $1 order by expires_at limit $2)";
        const COUNTS: &str = "delete from ephemeral_count where expires_at <= $1 and key in
            (select key from ephemeral_count where expires_at <= $1 order by expires_at limit $2)";
        const TAGS: &str = "delete from ephemeral_tag where expires_at <= $1 and (tag, member) in
            (select tag, member from ephemeral_tag where expires_at <= $1 order by expires_at limit $2)";
        let now = self.clock.now();
        Ok(self.sweep_with(RECORDS, now).await?
            + self.sweep_with(COUNTS, now).await?
            + self.sweep_with(TAGS, now).await?)
    }

    async fn sweep_with(&self, sql: &'static str, now: Timestamp) -> Result<u64, EphemeralError> {
        let mut swept = 0;
        loop {
            let batch = execute!(&self.db, sql, now.millis(), BATCH)?;
            swept += batch;
            if batch == 0 {
                return Ok(swept);
            }
        }
    }
}

fn unsigned(count: Option<i64>) -> u64 {
    count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
}
