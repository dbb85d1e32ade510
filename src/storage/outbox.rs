//! Mails that wait to be sent, and what became of those that no longer wait.
//!
//! A mail is taken with a lease: who holds it alone may send it, until the lease ends. If the node
//! that holds it dies, another takes the mail afterwards. The content is sealed and is erased as soon
//! as the mail is out or given up.

use std::time::Duration;

use super::db::{On, StorageError, execute, query};
use crate::clock::Timestamp;

/// A mail to add.
#[derive(Clone, Copy, Debug)]
pub struct NewMail<'a> {
    /// Primary key, also in the Message-ID.
    pub id: &'a str,
    /// Kind of mail, for the log and for operators.
    pub kind: &'a str,
    /// Address and content, sealed.
    pub sealed: &'a str,
    /// Now.
    pub created_at: Timestamp,
    /// When sending it would no longer help.
    pub give_up_at: Timestamp,
}

/// A mail that the caller alone may send until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LeasedMail {
    /// Primary key.
    pub id: String,
    /// See [`NewMail::kind`].
    pub kind: String,
    /// See [`NewMail::sealed`].
    pub sealed: Option<String>,
    /// Number of this attempt, from 1.
    pub attempts: i64,
    /// Milliseconds; also what proves that the lease is still the caller's.
    pub leased_until: i64,
    /// See [`NewMail::give_up_at`], in milliseconds.
    pub give_up_at: i64,
    /// When it was added, in milliseconds.
    pub created_at: i64,
}

/// How many mails there are in each state, for the metrics and the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting, or being sent.
    pub queued: i64,
    /// Taken by the relay.
    pub sent: i64,
    /// Refused for good or given up.
    pub failed: i64,
}

/// Adds a mail; inside the caller's transaction it is sent only if that transaction holds.
pub async fn enqueue(on: impl Into<On<'_>>, mail: NewMail<'_>) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into outbox (id, kind, sealed, state, next_attempt_at, give_up_at, created_at)
         values ($1, $2, $3, 'queued', $4, $5, $4)",
        mail.id,
        mail.kind,
        mail.sealed,
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

/// Takes up to `limit` mails that are due, the longest due first, for `lease_for`.
///
/// The guard stands outside the subquery too: PostgreSQL checks it again after waiting for a row that
/// another node was taking, and so no mail is taken twice.
pub async fn lease(
    on: impl Into<On<'_>>,
    now: Timestamp,
    lease_for: Duration,
    limit: usize,
) -> Result<Vec<LeasedMail>, StorageError> {
    query!(
        on,
        fetch_all,
        "update outbox set leased_until = $2, attempts = attempts + 1
         where id in (
             select id from outbox
             where state = 'queued' and next_attempt_at <= $1 and leased_until <= $1
             order by next_attempt_at, id limit $3
         )
         and state = 'queued' and next_attempt_at <= $1 and leased_until <= $1
         returning id, kind, sealed, attempts, leased_until, give_up_at, created_at",
        now.millis(),
        now.plus(lease_for).millis(),
        i64::try_from(limit).unwrap_or(i64::MAX),
    )
}

/// Notes that the relay took the mail, whoever holds the lease now, and erases its content.
pub async fn sent(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update outbox set state = 'sent', sealed = null, last_error = null, leased_until = 0, finished_at = $2
         where id = $1 and state = 'queued'",
        id,
        now.millis(),
    )?;
    Ok(changed == 1)
}

/// Gives the mail back, to be tried again at `next_attempt_at`; false if the lease was lost.
/// `reason` must hold no personal data.
pub async fn retry_later(
    on: impl Into<On<'_>>,
    mail: &LeasedMail,
    next_attempt_at: Timestamp,
    reason: &str,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update outbox set next_attempt_at = $3, last_error = $4, leased_until = 0
         where id = $1 and state = 'queued' and leased_until = $2",
        &mail.id,
        mail.leased_until,
        next_attempt_at.millis(),
        reason,
    )?;
    Ok(changed == 1)
}

/// Gives the mail up and erases its content; false if the lease was lost.
/// `reason` must hold no personal data.
pub async fn failed(
    on: impl Into<On<'_>>,
    mail: &LeasedMail,
    now: Timestamp,
    reason: &str,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update outbox set state = 'failed', sealed = null, last_error = $4, leased_until = 0, finished_at = $3
         where id = $1 and state = 'queued' and leased_until = $2",
        &mail.id,
        mail.leased_until,
        now.millis(),
        reason,
    )?;
    Ok(changed == 1)
}

/// How many mails there are in each state.
pub async fn counts(on: impl Into<On<'_>>) -> Result<Counts, StorageError> {
    let rows: Vec<(String, i64)> =
        query!(on, fetch_all, "select state, count(*) from outbox group by state")?;
    let mut counts = Counts::default();
    for (state, count) in rows {
        match state.as_str() {
            "queued" => counts.queued = count,
            "sent" => counts.sent = count,
            "failed" => counts.failed = count,
            _ => {
                return Err(StorageError::Impossible {
                    table: "outbox",
                    column: "state",
                    row: "(any)".to_owned(),
                    reason: format!("unknown state {state:?}"),
                });
            }
        }
    }
    Ok(counts)
}

/// Deletes what was finished before `before`; gives the number of rows.
pub async fn purge(on: impl Into<On<'_>>, before: Timestamp) -> Result<u64, StorageError> {
    execute!(on, "delete from outbox where finished_at < $1", before.millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Db, db::query_scalar};

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
        let first = lease(&db, at(0), MINUTE, 2).await.unwrap();
        let second = lease(&db, at(0), MINUTE, 9).await.unwrap();
        assert_eq!((first.len(), second.len()), (2, 1));
        assert!(lease(&db, at(59), MINUTE, 9).await.unwrap().is_empty());
        let again = lease(&db, at(60), MINUTE, 9).await.unwrap();
        assert_eq!(again.len(), 3);
        assert!(again.iter().all(|mail| mail.attempts == 2));
    }

    #[tokio::test]
    async fn content_is_erased_when_the_mail_is_out_or_given_up() {
        let db = with_mails(3).await;
        let leased = lease(&db, at(0), MINUTE, 3).await.unwrap();
        assert!(sent(&db, &leased[0].id, at(1)).await.unwrap());
        assert!(failed(&db, &leased[1], at(1), "550").await.unwrap());
        assert!(retry_later(&db, &leased[2], at(30), "451").await.unwrap());
        assert_eq!(sealed(&db).await.iter().flatten().count(), 1);
        assert_eq!(counts(&db).await.unwrap(), Counts { queued: 1, sent: 1, failed: 1 });
        assert!(!sent(&db, &leased[1].id, at(2)).await.unwrap(), "what is finished stays finished");
        assert!(lease(&db, at(29), MINUTE, 9).await.unwrap().is_empty(), "not due yet");
        assert_eq!(lease(&db, at(30), MINUTE, 9).await.unwrap().len(), 1);
        assert_eq!(purge(&db, at(2)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn who_lost_the_lease_cannot_decide() {
        let db = with_mails(1).await;
        let slow = lease(&db, at(0), MINUTE, 1).await.unwrap().remove(0);
        let other = lease(&db, at(60), MINUTE, 1).await.unwrap().remove(0);
        assert!(!retry_later(&db, &slow, at(61), "timeout").await.unwrap());
        assert!(!failed(&db, &slow, at(61), "timeout").await.unwrap());
        assert!(failed(&db, &other, at(61), "550").await.unwrap());
    }

    #[tokio::test]
    async fn a_mail_of_a_transaction_that_fails_is_never_sent() {
        let db = with_mails(0).await;
        let mut tx = db.begin().await.unwrap();
        let mail = NewMail { id: "a", kind: "test", sealed: "s", created_at: at(0), give_up_at: at(9) };
        enqueue(&mut tx, mail).await.unwrap();
        drop(tx);
        assert!(lease(&db, at(0), MINUTE, 9).await.unwrap().is_empty());
    }
}
