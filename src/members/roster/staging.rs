//! The rows of a file on their way into the staging table: while one batch is written, the next one is read.

use std::io::{self, Read};

use tokio::task::JoinHandle;

use super::{ImportError, LEASE, LISTED_REFUSALS, Refusal};
use crate::{
    clock::{Clock, Timestamp},
    config::Insurer,
    members::{
        birth_date::today,
        roster_csv::RosterCsv,
        roster_row::{self, Reason},
    },
    storage::{
        Db, StorageError, roster_job,
        roster_staging::{self, Clash, StagedPerson},
    },
};

/// Rows that are staged in one transaction.
const ROWS_PER_TRANSACTION: usize = 8_192;
/// Rows that are read before others get their turn on this thread.
const ROWS_PER_TURN: u64 = 512;

/// Where a file comes from, part by part.
pub trait Source: Read + Send {
    /// Makes the next part readable, which begins with a new line; false at the end of the file.
    fn more(&mut self) -> impl Future<Output = Result<bool, ImportError>> + Send {
        async { Ok(false) }
    }
}

/// A file that is read at one go.
pub struct Whole<R>(pub R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read + Send> Source for Whole<R> {}

/// The rows of an import on their way into the staging table.
pub struct Staging {
    db: Db,
    clock: Clock,
    insurer: Insurer,
    import_id: String,
    lease: i64,
    under_way: Option<JoinHandle<Result<Option<Vec<Clash>>, StorageError>>>,
    /// Rows so far, blank ones not counted.
    pub rows: u64,
    /// Right rows so far that have no person key.
    pub without_key: u64,
    /// Refused rows so far.
    pub refused: u64,
    refusals: Vec<Refusal>,
}

impl Staging {
    /// Nothing yet, for the import of this id under this lease.
    pub fn new((db, clock, insurer): (&Db, &Clock, &Insurer), (import_id, lease): (&str, i64)) -> Self {
        Self {
            db: db.clone(),
            clock: clock.clone(),
            insurer: insurer.clone(),
            import_id: import_id.to_owned(),
            lease,
            under_way: None,
            rows: 0,
            without_key: 0,
            refused: 0,
            refusals: Vec::new(),
        }
    }

    /// The first [`LISTED_REFUSALS`] refused rows, by line.
    pub fn sorted_refusals(&mut self) -> Vec<Refusal> {
        let mut refusals = std::mem::take(&mut self.refusals);
        refusals.sort_unstable_by_key(|refusal| refusal.line);
        refusals
    }

    /// Reads the whole file, stages its rows and gives the reader back.
    pub async fn fill<S: Source>(
        &mut self,
        mut csv: RosterCsv<S>,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<RosterCsv<S>, ImportError> {
        let today = today(&self.clock);
        let mut waiting = Vec::with_capacity(ROWS_PER_TRANSACTION);
        loop {
            while let Some(record) = csv.next_record()? {
                self.rows += 1;
                let line = record.line;
                let read = |fields| roster_row::read(&fields, line, &self.insurer, today);
                match record.fields.and_then(read) {
                    Ok(person) => {
                        self.without_key += u64::from(person.person_key.is_none());
                        waiting.push(person);
                    }
                    Err(reason) => self.refuse(line, reason),
                }
                if waiting.len() == ROWS_PER_TRANSACTION {
                    let full = std::mem::replace(&mut waiting, Vec::with_capacity(ROWS_PER_TRANSACTION));
                    self.stage(full, csv.bytes()).await?;
                }
                if self.rows.is_multiple_of(ROWS_PER_TURN) {
                    progress(self.rows, csv.bytes());
                    tokio::task::yield_now().await;
                }
            }
            if !csv.source().more().await? {
                break;
            }
        }
        self.stage(waiting, csv.bytes()).await?;
        self.settle().await?;
        let mut tx = self.db.begin_long().await?;
        let clashes = roster_staging::take_back_shared_numbers(&mut tx, &self.import_id).await?;
        roster_staging::measure(&mut tx).await?;
        tx.commit().await?;
        self.refuse_clashes(clashes, |earlier| Reason::NumberTaken { earlier });
        progress(self.rows, csv.bytes());
        Ok(csv)
    }

    /// Waits for the batch before, and has this one written.
    async fn stage(&mut self, persons: Vec<StagedPerson>, bytes: u64) -> Result<(), ImportError> {
        self.settle().await?;
        let (db, id, lease) = (self.db.clone(), self.import_id.clone(), self.lease);
        let (until, read) = (self.clock.now().plus(LEASE), (self.rows, bytes));
        self.under_way = Some(tokio::spawn(write(db, (id, lease), until, read, persons)));
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), ImportError> {
        let Some(batch) = self.under_way.take() else { return Ok(()) };
        let written = batch.await.map_err(io::Error::other)??;
        let clashes = written.ok_or(ImportError::TakenOver)?;
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

/// Writes a batch and how far the reading is; none if the lease was lost.
async fn write(
    db: Db,
    (id, lease): (String, i64),
    until: Timestamp,
    read: (u64, u64),
    persons: Vec<StagedPerson>,
) -> Result<Option<Vec<Clash>>, StorageError> {
    // A batch is not long, and past its lease another node would have taken the import over.
    let mut tx = db.begin().await?;
    if !roster_job::renew(&mut tx, (&id, lease), until, read).await? {
        return Ok(None);
    }
    let clashes = roster_staging::stage(&mut tx, &id, &persons).await?;
    tx.commit().await?;
    Ok(Some(clashes))
}
