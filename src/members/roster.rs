//! Importing an insurer's roster (適用台帳).
//!
//! An import reads the file once, as a stream, reports every row that it refuses, and applies the others
//! in one transaction: all or nothing, and a second time nothing. Persons that are missing from the file
//! lose their eligibility only when it is said to be complete, and then not a single row may be refused.
//!
//! There are two ways in. [`RosterImport::run`] reads a file and applies it at once: the command line. What is
//! uploaded is kept ([`upload`]), checked in the background by whichever node is free ([`work`]), and applied
//! when somebody has looked at what would change ([`preview`]) and says so ([`decide`]). Both read, stage
//! and apply with the same functions. The last import of an insurer can be undone ([`decide`]).

pub mod decide;
pub mod preview;
pub mod refused;
mod staging;
pub mod upload;
pub mod work;

use std::{
    io::{self, Read},
    time::Duration,
};

use serde_json::json;

use self::staging::{Staging, Whole};
use super::{
    birth_date::today,
    roster_csv::{FileError, RosterCsv},
    roster_row::Reason,
};
pub use crate::storage::{
    roster::{Category, FormerLogin, Person},
    roster_import::Counts,
};
use crate::{
    audit::{self, Event},
    clock::{Clock, Entropy, Timestamp},
    config::Insurer,
    storage::{
        Db, StorageError,
        roster_import::{self, Ended, Import},
        roster_job::{self, Ages},
    },
};

/// Refused rows that a report lists; the others are only counted.
pub const LISTED_REFUSALS: usize = 100_000;
/// How long who works on an import may be silent before another takes over.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often applying a file that was read is tried, and the wait in between.
const MOST_CONCLUSIONS: usize = 3;
const BEFORE_ANOTHER_TRY: Duration = Duration::from_secs(1);
/// Age at which an upload is taken for cut off, and a check that nobody decided about for unwanted.
const DAY: Duration = Duration::from_secs(86_400);
/// How long refused rows and what an undo needs are kept.
const KEEP_DETAILS: Duration = Duration::from_secs(30 * 86_400);

/// An import of one file.
#[derive(Clone, Copy, Debug)]
pub struct RosterImport<'a> {
    /// Where the roster is.
    pub db: &'a Db,
    /// The server's clock.
    pub clock: &'a Clock,
    /// Source of the ids.
    pub entropy: &'a Entropy,
    /// Whose roster it is.
    pub insurer: &'a Insurer,
    /// Name of the file, for the record.
    pub file_name: &'a str,
    /// Who imports it, such as `cli:NAME`.
    pub actor: &'a str,
    /// The file is the full roster: who is not in it loses eligibility.
    pub complete: bool,
    /// Only say what would happen.
    pub preview: bool,
}

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The roster has the file's rows.
    Applied,
    /// Nothing was changed, as asked.
    Preview,
    /// Nothing was changed: a full roster with refused rows would end the eligibility of the wrong people.
    Refused,
}

/// What an import did, row by row where it refused.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Persons by what happened to them; all zero when the import was refused.
    pub counts: Counts,
    /// Number of rows, blank ones not counted.
    pub rows: u64,
    /// Number of right rows without 個人キー: after a change of category or number they are other persons.
    pub without_key: u64,
    /// Number of refused rows.
    pub refused: u64,
    /// The first [`LISTED_REFUSALS`] of them, by line.
    pub refusals: Vec<Refusal>,
}

/// A refused row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Line of the file, from 1; the header is line 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
}

/// Why an import failed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole is refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file could not be read.
    #[error("the roster could not be read: {0}")]
    Read(#[from] io::Error),
    /// Another import of the insurer is under way.
    #[error("another import of this insurer's roster is under way")]
    Busy,
    /// Who works on it was silent for too long, and another took it over.
    #[error("the import was taken over by another node")]
    TakenOver,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Tidies up what imports that were cut off left behind, and what is kept long enough.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<(), StorageError> {
    let ages = Ages { uploads: now.minus(DAY), ready: now.minus(DAY), details: now.minus(KEEP_DETAILS), now };
    roster_job::sweep(db, ages).await
}

impl RosterImport<'_> {
    /// Imports `input`. `progress` is told the rows and bytes so far.
    pub async fn run(
        &self,
        input: impl Read + Send,
        progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Report, ImportError> {
        let csv = RosterCsv::open(Whole(input))??;
        let id = self.entropy.id();
        let import = Import {
            id: &id,
            insurer: &self.insurer.code,
            file_name: self.file_name,
            actor: self.actor,
            complete: self.complete,
            lease: 1,
            now: self.clock.now(),
        };
        sweep(self.db, import.now).await?;
        match roster_job::begin(self.db, &import, import.now.plus(LEASE)).await {
            Err(error) if error.is_conflict() => return Err(ImportError::Busy),
            begun => begun?,
        }
        let mut staging = Staging::new((self.db, self.clock, self.insurer), (&id, import.lease));
        let result = match staging.fill(csv, progress).await {
            Ok(_) => self.conclude_at_last(&import, &staging).await,
            Err(error) => Err(error),
        };
        match result {
            Ok((outcome, counts)) => {
                let refusals = staging.sorted_refusals();
                let Staging { rows, without_key, refused, .. } = staging;
                Ok(Report { outcome, counts, rows, without_key, refused, refusals })
            }
            Err(error) => {
                // The database may be what failed; a later import sweeps what stays behind.
                if let Err(again) = self.finish(&import, false, Counts::default(), staging.refused).await {
                    tracing::warn!(import = id, error = %again, "a failed roster import could not be emptied");
                }
                Err(error)
            }
        }
    }

    /// Applies what was staged, once more where others stood in the way: a deadlock is over when it is told.
    async fn conclude_at_last(
        &self,
        import: &Import<'_>,
        staging: &Staging,
    ) -> Result<(Outcome, Counts), ImportError> {
        for _ in 1..MOST_CONCLUSIONS {
            match self.conclude(import, staging).await {
                Err(ImportError::Storage(error @ StorageError::Unavailable(_))) => {
                    tracing::warn!(import = import.id, %error, "a roster could not be applied; it is tried again");
                    tokio::time::sleep(BEFORE_ANOTHER_TRY).await;
                }
                done => return done,
            }
        }
        self.conclude(import, staging).await
    }

    /// Applies what was staged, unless a rule forbids it.
    async fn conclude(
        &self,
        import: &Import<'_>,
        staging: &Staging,
    ) -> Result<(Outcome, Counts), ImportError> {
        let refused = staging.refused;
        if self.complete && refused > 0 && !self.preview {
            self.finish(import, false, Counts::default(), refused).await?;
            return Ok((Outcome::Refused, Counts::default()));
        }
        if self.complete && staging.rows == 0 {
            return Err(FileError::Empty.into());
        }
        let mut tx = self.db.begin_long().await?;
        let until = import.now.plus(LEASE);
        if !roster_job::renew(&mut tx, (import.id, import.lease), until, (staging.rows, 0)).await? {
            return Err(ImportError::TakenOver);
        }
        let counts =
            roster_import::apply(&mut tx, import, ended(self.clock, self.insurer), self.preview).await?;
        if self.preview {
            drop(tx);
            let mut tx = self.db.begin_long().await?;
            roster_import::forget(&mut tx, import.id).await?;
            tx.commit().await?;
            return Ok((Outcome::Preview, counts));
        }
        roster_import::finish(&mut tx, import, true, counts, refused).await?;
        let event = imported(import, counts, refused);
        audit::record(&mut tx, self.entropy, import.now, event).await?;
        tx.commit().await?;
        Ok((Outcome::Applied, counts))
    }

    async fn finish(
        &self,
        import: &Import<'_>,
        applied: bool,
        counts: Counts,
        refused: u64,
    ) -> Result<(), StorageError> {
        let mut tx = self.db.begin_long().await?;
        roster_import::finish(&mut tx, import, applied, counts, refused).await?;
        tx.commit().await
    }
}

/// What decides today whether an eligibility is over.
fn ended(clock: &Clock, insurer: &Insurer) -> Ended {
    Ended { today: today(clock), grace_days: insurer.policy.grace_days }
}

/// The line of the audit about an import that was applied.
fn imported<'a>(import: &Import<'a>, counts: Counts, refused: u64) -> Event<'a> {
    let event = Event {
        actor: import.actor.to_owned(),
        insurer: Some(import.insurer),
        ..Event::system("roster.imported")
    };
    event.with_detail(json!({
        "import": import.id,
        "full": import.complete,
        "added": counts.added,
        "changed": counts.changed,
        "lost": counts.lost,
        "refused": refused,
    }))
}

#[cfg(test)]
mod tests;
