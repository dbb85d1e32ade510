//! Importing an insurer's roster (適用台帳).
//!
//! An import reads the file once, as a stream, reports every row that it refuses, and applies the others
//! in one transaction: all or nothing, and a second time nothing. Persons that are missing from the file
//! lose their eligibility only when it is said to be complete, and then not a single row may be refused.

use std::{
    io::{self, Read},
    time::Duration,
};

use super::{
    birth_date::today,
    roster_csv::{FileError, RosterCsv},
    roster_row::{self, Reason},
};
pub use crate::storage::roster::{Category, FormerLogin, Person};
use serde_json::json;

use crate::{
    audit::{self, Event},
    clock::{Clock, Entropy},
    config::Insurer,
    storage::{
        Db, StorageError,
        roster_import::{self, Clash, Counts, Ended, Import, ROWS_PER_INSERT, StagedPerson},
    },
};

/// Rows that are staged in one transaction.
const ROWS_PER_TRANSACTION: usize = 16 * ROWS_PER_INSERT;
/// Refused rows that a report lists; the others are only counted.
pub const LISTED_REFUSALS: usize = 10_000;
/// Age from which on an import that never ended was cut off.
const CUT_OFF_AFTER: Duration = Duration::from_secs(86_400);

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
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RosterImport<'_> {
    /// Imports `input`. `progress` is told the rows and bytes so far.
    pub async fn run(
        &self,
        input: impl Read + Send,
        progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Report, ImportError> {
        let csv = RosterCsv::open(input)??;
        let id = self.entropy.id();
        let import = Import {
            id: &id,
            insurer: &self.insurer.code,
            file_name: self.file_name,
            actor: self.actor,
            complete: self.complete,
            now: self.clock.now(),
        };
        roster_import::sweep(self.db, import.now.minus(CUT_OFF_AFTER)).await?;
        roster_import::begin(self.db, &import).await?;
        let mut staging = Staging {
            db: self.db,
            import_id: &id,
            rows: 0,
            without_key: 0,
            refused: 0,
            refusals: Vec::new(),
        };
        let result = match staging.fill(self, csv, progress).await {
            Ok(()) => self.conclude(&import, &staging).await,
            Err(error) => Err(error),
        };
        match result {
            Ok((outcome, counts)) => {
                let Staging { rows, without_key, refused, mut refusals, .. } = staging;
                refusals.sort_unstable_by_key(|refusal| refusal.line);
                Ok(Report { outcome, counts, rows, without_key, refused, refusals })
            }
            Err(error) => {
                // The database may be what failed; a later import sweeps what stays behind.
                if let Err(again) = self.finish(&id, false, Counts::default(), staging.refused).await {
                    tracing::warn!(import = id, error = %again, "a failed roster import could not be emptied");
                }
                Err(error)
            }
        }
    }

    /// Applies what was staged, unless a rule forbids it.
    async fn conclude(
        &self,
        import: &Import<'_>,
        staging: &Staging<'_>,
    ) -> Result<(Outcome, Counts), ImportError> {
        let refused = staging.refused;
        if self.complete && refused > 0 && !self.preview {
            self.finish(import.id, false, Counts::default(), refused).await?;
            return Ok((Outcome::Refused, Counts::default()));
        }
        if self.complete && staging.rows == 0 {
            return Err(FileError::Empty.into());
        }
        let ended = Ended { today: today(self.clock), grace_days: self.insurer.policy.grace_days };
        let mut tx = self.db.begin().await?;
        let counts = roster_import::apply(&mut tx, import, ended).await?;
        if self.preview {
            drop(tx);
            let mut tx = self.db.begin().await?;
            roster_import::forget(&mut tx, import.id).await?;
            tx.commit().await?;
            return Ok((Outcome::Preview, counts));
        }
        roster_import::finish(&mut tx, import.id, true, counts, refused, self.clock.now()).await?;
        let event = Event {
            actor: self.actor.to_owned(),
            insurer: Some(import.insurer),
            ..Event::system("roster.imported")
        };
        let detail = json!({
            "import": import.id,
            "full": self.complete,
            "added": counts.added,
            "changed": counts.changed,
            "lost": counts.lost,
            "refused": refused,
        });
        audit::record(&mut tx, self.entropy, import.now, event.with_detail(detail)).await?;
        tx.commit().await?;
        Ok((Outcome::Applied, counts))
    }

    async fn finish(
        &self,
        import_id: &str,
        applied: bool,
        counts: Counts,
        refused: u64,
    ) -> Result<(), StorageError> {
        let mut tx = self.db.begin().await?;
        roster_import::finish(&mut tx, import_id, applied, counts, refused, self.clock.now()).await?;
        tx.commit().await
    }
}

/// The rows of an import on their way into the staging table.
struct Staging<'a> {
    db: &'a Db,
    import_id: &'a str,
    rows: u64,
    without_key: u64,
    refused: u64,
    refusals: Vec<Refusal>,
}

impl Staging<'_> {
    async fn fill(
        &mut self,
        import: &RosterImport<'_>,
        mut csv: RosterCsv<impl Read + Send>,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<(), ImportError> {
        let today = today(import.clock);
        let mut waiting = Vec::with_capacity(ROWS_PER_TRANSACTION);
        while let Some(record) = csv.next_record()? {
            self.rows += 1;
            let line = record.line;
            match record.fields.and_then(|fields| roster_row::read(&fields, line, import.insurer, today)) {
                Ok(person) => {
                    self.without_key += u64::from(person.person_key.is_none());
                    waiting.push(person);
                }
                Err(reason) => self.refuse(line, reason),
            }
            if waiting.len() == ROWS_PER_TRANSACTION {
                self.stage(&waiting).await?;
                waiting.clear();
                progress(self.rows, csv.bytes());
            }
        }
        self.stage(&waiting).await?;
        let mut tx = self.db.begin().await?;
        let clashes = roster_import::take_back_shared_numbers(&mut tx, self.import_id).await?;
        tx.commit().await?;
        self.refuse_clashes(clashes, |earlier| Reason::NumberTaken { earlier });
        progress(self.rows, csv.bytes());
        Ok(())
    }

    async fn stage(&mut self, persons: &[StagedPerson]) -> Result<(), StorageError> {
        if persons.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let mut clashes = Vec::new();
        for part in persons.chunks(ROWS_PER_INSERT) {
            clashes.extend(roster_import::stage(&mut tx, self.import_id, part).await?);
        }
        tx.commit().await?;
        self.refuse_clashes(clashes, |earlier| Reason::Duplicate { earlier });
        Ok(())
    }

    fn refuse_clashes(&mut self, clashes: Vec<Clash>, reason: fn(u64) -> Reason) {
        let line = |line: i64| u64::try_from(line).unwrap_or(0);
        for clash in clashes {
            self.refuse(line(clash.line), reason(line(clash.earlier)));
        }
    }

    fn refuse(&mut self, line: u64, reason: Reason) {
        self.refused += 1;
        if self.refusals.len() < LISTED_REFUSALS {
            self.refusals.push(Refusal { line, reason });
        }
    }
}

#[cfg(test)]
mod tests;
