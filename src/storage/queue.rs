//! Tables whose rows wait to be sent: mails, and messages to relying parties. One place for what such a
//! queue does, whatever its rows hold.
//!
//! A row is taken with a lease: who holds it alone may send it, until the lease ends. If the node
//! that holds it dies, another takes the row afterwards. The content is sealed and is erased as soon
//! as it is out or given up.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::{
    Position,
    db::{On, StorageError, execute, query},
};
use crate::clock::Timestamp;

/// A table with the columns `id kind sealed state attempts last_error next_attempt_at leased_until give_up_at
/// created_at finished_at`, and the statements on it.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    pub(super) table: &'static str,
    pub(super) lease: &'static str,
    pub(super) sent: &'static str,
    pub(super) retry_later: &'static str,
    pub(super) failed: &'static str,
    pub(super) counts: &'static str,
    pub(super) purge: &'static str,
    pub(super) hurry: &'static str,
    pub(super) give_up: &'static str,
    pub(super) rows: &'static str,
    pub(super) only: &'static str,
    pub(super) insurer: &'static str,
    pub(super) shown: &'static str,
}

/// The queue of a table: `$target` is its expression for [`Leased::target`], `$shown` for [`Shown::target`],
/// `$insurer` for [`Shown::insurer`]; `$only` says which of its rows belong to the queue.
///
/// The guard of the lease stands outside the subquery too: PostgreSQL checks it again after waiting for a
/// row that another node was taking, and so no row is taken twice.
macro_rules! queue {
    ($table:literal, $target:literal, $shown:literal, $insurer:literal, $only:literal) => {
        $crate::storage::queue::Queue {
            table: $table,
            lease: concat!(
                "update ",
                $table,
                " set leased_until = $2, attempts = attempts + 1
                 where id in (
                     select id from ",
                $table,
                "
                     where state = 'queued' and next_attempt_at <= $1 and leased_until <= $1 and ",
                $only,
                "
                     order by next_attempt_at, id limit $3
                 )
                 and state = 'queued' and next_attempt_at <= $1 and leased_until <= $1
                 returning id, kind, ",
                $target,
                " as target, sealed, attempts, leased_until, give_up_at,
                           created_at"
            ),
            sent: concat!(
                "update ",
                $table,
                " set state = 'sent', sealed = null, last_error = null, leased_until = 0,
                        finished_at = $2
                 where id = $1 and state = 'queued'"
            ),
            retry_later: concat!(
                "update ",
                $table,
                " set next_attempt_at = $3, last_error = $4, leased_until = 0
                 where id = $1 and state = 'queued' and leased_until = $2"
            ),
            failed: concat!(
                "update ",
                $table,
                " set state = 'failed', sealed = null, last_error = $4, leased_until = 0,
                        finished_at = $3
                 where id = $1 and state = 'queued' and leased_until = $2"
            ),
            counts: concat!(
                "select state, count(*), min(created_at) from ",
                $table,
                " where ",
                $only,
                " group by state"
            ),
            purge: concat!("delete from ", $table, " where finished_at < $1 and ", $only),
            hurry: concat!(
                "update ",
                $table,
                " set next_attempt_at = $2 where id = $1 and state = 'queued' and leased_until <= $2 and ",
                $only
            ),
            give_up: concat!(
                "update ",
                $table,
                " set state = 'failed', sealed = null, last_error = $3, leased_until = 0, finished_at = $2
                 where id = $1 and state = 'queued' and leased_until <= $2 and ",
                $only
            ),
            rows: concat!(
                "select id, kind, ",
                $shown,
                " as target, ",
                $insurer,
                " as insurer, state, attempts, last_error, next_attempt_at, leased_until, give_up_at,
                  created_at, finished_at from ",
                $table
            ),
            only: $only,
            insurer: $insurer,
            shown: $shown,
        }
    };
}
pub(super) use queue;

/// A row that the caller alone may send until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Leased {
    /// Primary key.
    pub id: String,
    /// Kind of content, for the log and for operators.
    pub kind: String,
    /// Whom it is for, where that is no secret.
    pub target: String,
    /// The content, sealed.
    pub sealed: Option<String>,
    /// Number of this attempt, from 1.
    pub attempts: i64,
    /// Milliseconds; also what proves that the lease is still the caller's.
    pub leased_until: i64,
    /// When sending it would no longer help, in milliseconds.
    pub give_up_at: i64,
    /// When it was added, in milliseconds.
    pub created_at: i64,
}

/// A row as operators see it; never its content.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Shown {
    /// Primary key.
    pub id: String,
    /// Kind of content.
    pub kind: String,
    /// Whom it is for, as far as an operator may see.
    pub target: Option<String>,
    /// Portal code of the insurer concerned; none: of several, or of none.
    pub insurer: Option<String>,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// What became of the last attempt, without personal data.
    pub last_error: Option<String>,
    /// When it is tried next, in milliseconds.
    pub next_attempt_at: i64,
    /// Until when somebody is sending it, in milliseconds.
    pub leased_until: i64,
    /// When it is given up, in milliseconds.
    pub give_up_at: i64,
    /// When it was added, in milliseconds.
    pub created_at: i64,
    /// When it was out or given up, in milliseconds.
    pub finished_at: Option<i64>,
}

impl Shown {
    /// Its place in the list.
    pub fn position(&self) -> Position {
        Position { at: self.created_at, id: self.id.clone() }
    }
}

/// Which rows; an empty text asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// Portal code of the insurer concerned.
    pub insurer: String,
    /// Kind of content.
    pub kind: String,
    /// Whom it is for.
    pub target: String,
}

/// How many rows there are in each state, for the metrics and the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting, or being sent.
    pub queued: i64,
    /// Taken by the receiver.
    pub sent: i64,
    /// Refused for good or given up.
    pub failed: i64,
    /// When the oldest of those that wait was made, in milliseconds since the epoch.
    pub oldest: Option<i64>,
}

impl Queue {
    /// Takes up to `limit` rows that are due, the longest due first, for `lease_for`.
    pub async fn lease(
        &self,
        on: impl Into<On<'_>>,
        now: Timestamp,
        lease_for: Duration,
        limit: usize,
    ) -> Result<Vec<Leased>, StorageError> {
        query!(
            on,
            fetch_all,
            self.lease,
            now.millis(),
            now.plus(lease_for).millis(),
            i64::try_from(limit).unwrap_or(i64::MAX),
        )
    }

    /// Notes that the receiver took it, whoever holds the lease now, and erases the content.
    pub async fn sent(&self, on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
        Ok(execute!(on, self.sent, id, now.millis())? == 1)
    }

    /// Gives the row back, to be tried again at `next_attempt_at`; false if the lease was lost.
    /// `reason` must hold no personal data.
    pub async fn retry_later(
        &self,
        on: impl Into<On<'_>>,
        row: &Leased,
        next_attempt_at: Timestamp,
        reason: &str,
    ) -> Result<bool, StorageError> {
        let at = next_attempt_at.millis();
        Ok(execute!(on, self.retry_later, &row.id, row.leased_until, at, reason)? == 1)
    }

    /// Gives the row up and erases its content; false if the lease was lost.
    /// `reason` must hold no personal data.
    pub async fn failed(
        &self,
        on: impl Into<On<'_>>,
        row: &Leased,
        now: Timestamp,
        reason: &str,
    ) -> Result<bool, StorageError> {
        Ok(execute!(on, self.failed, &row.id, row.leased_until, now.millis(), reason)? == 1)
    }

    /// How many rows there are in each state.
    pub async fn counts(&self, on: impl Into<On<'_>>) -> Result<Counts, StorageError> {
        let rows: Vec<(String, i64, Option<i64>)> = query!(on, fetch_all, self.counts)?;
        let mut counts = Counts::default();
        for (state, count, oldest) in rows {
            match state.as_str() {
                "queued" => (counts.queued, counts.oldest) = (count, oldest),
                "sent" => counts.sent = count,
                "failed" => counts.failed = count,
                _ => {
                    return Err(StorageError::Impossible {
                        table: self.table,
                        column: "state",
                        row: "(any)".to_owned(),
                        reason: format!("unknown state {state:?}"),
                    });
                }
            }
        }
        Ok(counts)
    }

    /// The newest `limit` rows that fit, before `before` if it is given.
    pub async fn page(
        &self,
        on: impl Into<On<'_>>,
        filter: &Filter,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Shown>, StorageError> {
        let (at, id) = before.map_or((i64::MAX, ""), |position| (position.at, position.id.as_str()));
        // Only the conditions that are asked for, so that each engine finds the index. No word of the
        // statement comes from the filter.
        let only = |text: &str, column: &str, n: usize| {
            if text.is_empty() { format!("${n} = ''") } else { format!("{column} = ${n}") }
        };
        let statement = format!(
            "{} where {} and (created_at, id) < ($1, $2) and {} and {} and {} and {}
             order by created_at desc, id desc limit $7",
            self.rows,
            self.only,
            only(&filter.state, "state", 3),
            only(&filter.insurer, self.insurer, 4),
            only(&filter.kind, "kind", 5),
            only(&filter.target, self.shown, 6),
        );
        query!(
            on,
            fetch_all,
            AssertSqlSafe(statement),
            at,
            id,
            &filter.state,
            &filter.insurer,
            &filter.kind,
            &filter.target,
            limit
        )
    }

    /// The row of this id.
    pub async fn find(&self, on: impl Into<On<'_>>, id: &str) -> Result<Option<Shown>, StorageError> {
        let statement = format!("{} where id = $1 and {}", self.rows, self.only);
        query!(on, fetch_optional, AssertSqlSafe(statement), id)
    }

    /// Has a row that waits tried now; false when it does not wait, or is being sent.
    pub async fn hurry(&self, on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
        Ok(execute!(on, self.hurry, id, now.millis())? == 1)
    }

    /// Gives a row that waits up and erases its content; false when it does not wait, or is being sent.
    pub async fn give_up(
        &self,
        on: impl Into<On<'_>>,
        id: &str,
        now: Timestamp,
        reason: &str,
    ) -> Result<bool, StorageError> {
        Ok(execute!(on, self.give_up, id, now.millis(), reason)? == 1)
    }

    /// Deletes what was finished before `before`; gives the number of rows.
    pub async fn purge(&self, on: impl Into<On<'_>>, before: Timestamp) -> Result<u64, StorageError> {
        execute!(on, self.purge, before.millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{
        Db,
        db::query_scalar,
        outbox::{MAILS, NewMail, enqueue},
    };

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    async fn with_mails(count: usize) -> Db {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        for n in 0..count {
            let id = format!("mail-{n}");
            let mail = NewMail {
                id: &id,
                kind: "test",
                sealed: "sealed",
                insurer: Some("7132"),
                recipient: "t***@example.jp",
                recipient_mac: "mac",
                created_at: at(0),
                give_up_at: at(86_400),
            };
            enqueue(&db, mail).await.unwrap();
        }
        db
    }

    async fn sealed(db: &Db) -> Vec<Option<String>> {
        query_scalar!(db, fetch_all, "select sealed from outbox order by id").unwrap()
    }

    #[tokio::test]
    async fn a_lease_excludes_others_until_it_ends() {
        let db = with_mails(3).await;
        let first = MAILS.lease(&db, at(0), MINUTE, 2).await.unwrap();
        let second = MAILS.lease(&db, at(0), MINUTE, 9).await.unwrap();
        assert_eq!((first.len(), second.len()), (2, 1));
        assert!(MAILS.lease(&db, at(59), MINUTE, 9).await.unwrap().is_empty());
        let again = MAILS.lease(&db, at(60), MINUTE, 9).await.unwrap();
        assert_eq!(again.len(), 3);
        assert!(again.iter().all(|mail| mail.attempts == 2));
    }

    #[tokio::test]
    async fn content_is_erased_when_the_mail_is_out_or_given_up() {
        let db = with_mails(3).await;
        let leased = MAILS.lease(&db, at(0), MINUTE, 3).await.unwrap();
        assert!(MAILS.sent(&db, &leased[0].id, at(1)).await.unwrap());
        assert!(MAILS.failed(&db, &leased[1], at(1), "550").await.unwrap());
        assert!(MAILS.retry_later(&db, &leased[2], at(30), "451").await.unwrap());
        assert_eq!(sealed(&db).await.iter().flatten().count(), 1);
        let waiting = Counts { queued: 1, sent: 1, failed: 1, oldest: Some(at(0).millis()) };
        assert_eq!(MAILS.counts(&db).await.unwrap(), waiting);
        assert!(!MAILS.sent(&db, &leased[1].id, at(2)).await.unwrap(), "what is finished stays finished");
        assert!(MAILS.lease(&db, at(29), MINUTE, 9).await.unwrap().is_empty(), "not due yet");
        assert_eq!(MAILS.lease(&db, at(30), MINUTE, 9).await.unwrap().len(), 1);
        assert_eq!(MAILS.purge(&db, at(2)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn who_lost_the_lease_cannot_decide() {
        let db = with_mails(1).await;
        let slow = MAILS.lease(&db, at(0), MINUTE, 1).await.unwrap().remove(0);
        let other = MAILS.lease(&db, at(60), MINUTE, 1).await.unwrap().remove(0);
        assert!(!MAILS.retry_later(&db, &slow, at(61), "timeout").await.unwrap());
        assert!(!MAILS.failed(&db, &slow, at(61), "timeout").await.unwrap());
        assert!(MAILS.failed(&db, &other, at(61), "550").await.unwrap());
    }

    #[tokio::test]
    async fn a_mail_of_a_transaction_that_fails_is_never_sent() {
        let db = with_mails(0).await;
        let mut tx = db.begin().await.unwrap();
        let mail = NewMail {
            id: "a",
            kind: "test",
            sealed: "s",
            insurer: None,
            recipient: "",
            recipient_mac: "",
            created_at: at(0),
            give_up_at: at(9),
        };
        enqueue(&mut tx, mail).await.unwrap();
        drop(tx);
        assert!(MAILS.lease(&db, at(0), MINUTE, 9).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn operators_see_rows_and_hurry_or_end_those_that_wait() {
        let db = with_mails(3).await;
        let all = MAILS.page(&db, &Filter::default(), None, 9).await.unwrap();
        assert_eq!(all.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["mail-2", "mail-1", "mail-0"]);
        assert_eq!(all[0].target.as_deref(), Some("t***@example.jp"));
        let before = Position { at: 0, id: "mail-2".to_owned() };
        let next = MAILS.page(&db, &Filter::default(), Some(&before), 1).await.unwrap();
        assert_eq!(next[0].id, "mail-1");
        let foreign = Filter { insurer: "7133".to_owned(), ..Filter::default() };
        assert!(MAILS.page(&db, &foreign, None, 9).await.unwrap().is_empty());

        let leased = MAILS.lease(&db, at(0), MINUTE, 1).await.unwrap().remove(0);
        assert!(!MAILS.hurry(&db, &leased.id, at(1)).await.unwrap(), "it is being sent");
        assert!(!MAILS.give_up(&db, &leased.id, at(1), "x").await.unwrap());
        assert!(MAILS.retry_later(&db, &leased, at(900), "451").await.unwrap());
        assert!(MAILS.hurry(&db, &leased.id, at(2)).await.unwrap());
        assert!(MAILS.lease(&db, at(2), MINUTE, 9).await.unwrap().iter().any(|row| row.id == leased.id));
        assert!(MAILS.give_up(&db, "mail-1", at(100), "given up").await.unwrap());
        let ended = MAILS.find(&db, "mail-1").await.unwrap().unwrap();
        assert_eq!((ended.state.as_str(), ended.finished_at), ("failed", Some(100_000)));
        assert!(!MAILS.hurry(&db, "mail-1", at(101)).await.unwrap());
        let failed = Filter { state: "failed".to_owned(), insurer: "7132".to_owned(), ..Filter::default() };
        assert_eq!(MAILS.page(&db, &failed, None, 9).await.unwrap(), [ended]);
    }
}
