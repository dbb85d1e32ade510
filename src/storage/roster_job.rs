//! Table `roster_import`: the imports of rosters, from the upload to the undo.
//!
//! Who works on one holds a lease; its number (`attempts`) guards every step, so that a node that was thought
//! dead changes nothing any more.

use super::{
    Db, Position, StorageError,
    db::{On, execute, query},
    instant,
    roster_import::{Counts, Import},
};
use crate::clock::Timestamp;

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The file is coming in.
    Uploading,
    /// The file is being checked.
    Staging,
    /// It was checked and waits for a decision.
    Ready,
    /// It is being written into the roster.
    Applying,
    /// The roster has it.
    Applied,
    /// It was refused; the roster is as it was.
    Refused,
    /// Nobody wanted it; the roster is as it was.
    Discarded,
    /// It is being undone.
    Undoing,
    /// It was undone.
    Undone,
}

impl State {
    const ALL: [Self; 9] = [
        Self::Uploading,
        Self::Staging,
        Self::Ready,
        Self::Applying,
        Self::Applied,
        Self::Refused,
        Self::Discarded,
        Self::Undoing,
        Self::Undone,
    ];

    /// As in the column, and in names of texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Staging => "staging",
            Self::Ready => "ready",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Discarded => "discarded",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// Whether it goes on by itself.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Uploading | Self::Staging | Self::Applying | Self::Undoing)
    }
}

/// An import as it is recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Primary key.
    pub id: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// Name of the file.
    pub file_name: String,
    /// Who brought the file.
    pub actor: String,
    /// Whether it is a full roster.
    pub complete: bool,
    /// Where it stands.
    pub state: State,
    /// What it did to persons.
    pub counts: Counts,
    /// Rows that were refused.
    pub refused: u64,
    /// When the file came.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Whether its file is kept here, for whichever node checks it.
    pub stored: bool,
    /// Language of who uploaded it.
    pub locale: Option<String>,
    /// Bytes of the file, and those that were read.
    pub bytes: (u64, u64),
    /// Rows that were read.
    pub rows: u64,
    /// What the check found, sealed.
    pub preview: Option<String>,
    /// Why the file as a whole is refused, JSON.
    pub problem: Option<String>,
    /// Why it was applied or discarded.
    pub reason: Option<String>,
    /// Who decided that.
    pub decided_by: Option<String>,
    /// Who undid it, why and when, and what that did (JSON).
    pub undone: Undone,
    /// Whether what it did is known well enough to undo it.
    pub undoable: bool,
    /// Number of the present lease.
    pub lease: i64,
}

impl Recorded {
    /// Its place in the list of imports.
    pub fn position(&self) -> Position {
        Position { at: self.started_at.millis(), id: self.id.clone() }
    }
}

/// About the undo of an import.
#[derive(Clone, Debug, Default)]
pub struct Undone {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// What came of it, JSON.
    pub outcome: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    insurer: String,
    file_name: String,
    actor: String,
    complete: bool,
    state: String,
    added: i64,
    changed: i64,
    unchanged: i64,
    lost: i64,
    refused: i64,
    started_at: i64,
    finished_at: Option<i64>,
    stored: bool,
    locale: Option<String>,
    file_bytes: i64,
    read_bytes: i64,
    read_rows: i64,
    preview: Option<String>,
    problem: Option<String>,
    reason: Option<String>,
    decided_by: Option<String>,
    undone_by: Option<String>,
    undo_reason: Option<String>,
    undone_at: Option<i64>,
    undone: Option<String>,
    undoable: bool,
    attempts: i64,
}

macro_rules! columns {
    () => {
        "id, insurer, file_name, actor, complete, state, added, changed, unchanged, lost, refused, started_at,
         finished_at, stored, locale, file_bytes, read_bytes, read_rows, preview, problem, reason, decided_by,
         undone_by, undo_reason, undone_at, undone, undoable, attempts"
    };
}

impl TryFrom<Row> for Recorded {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        let state = State::ALL.into_iter().find(|state| state.as_str() == row.state).ok_or_else(|| {
            StorageError::Impossible {
                table: "roster_import",
                column: "state",
                row: row.id.clone(),
                reason: "unknown".to_owned(),
            }
        })?;
        Ok(Self {
            state,
            counts: Counts {
                added: number(row.added),
                changed: number(row.changed),
                unchanged: number(row.unchanged),
                lost: number(row.lost),
            },
            refused: number(row.refused),
            started_at: Timestamp::from_millis(row.started_at),
            finished_at: instant(row.finished_at),
            bytes: (number(row.file_bytes), number(row.read_bytes)),
            rows: number(row.read_rows),
            undone: Undone {
                by: row.undone_by,
                reason: row.undo_reason,
                at: instant(row.undone_at),
                outcome: row.undone,
            },
            id: row.id,
            insurer: row.insurer,
            file_name: row.file_name,
            actor: row.actor,
            complete: row.complete,
            stored: row.stored,
            locale: row.locale,
            preview: row.preview,
            problem: row.problem,
            reason: row.reason,
            decided_by: row.decided_by,
            undoable: row.undoable,
            lease: row.attempts,
        })
    }
}

/// The import of this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Recorded>, StorageError> {
    let row: Option<Row> =
        query!(on, fetch_optional, concat!("select ", columns!(), " from roster_import where id = $1"), id)?;
    row.map(Recorded::try_from).transpose()
}

/// Imports, the newest first, after those before `before`; of one insurer if the code is not empty.
pub async fn page(
    on: impl Into<On<'_>>,
    insurer: &str,
    (before, id): (i64, &str),
    limit: i64,
) -> Result<Vec<Recorded>, StorageError> {
    let rows: Vec<Row> = query!(
        on,
        fetch_all,
        concat!(
            "select ",
            columns!(),
            " from roster_import
             where ($1 = '' or insurer = $1) and (started_at < $2 or started_at = $2 and id < $3)
             order by started_at desc, id desc limit $4"
        ),
        insurer,
        before,
        id,
        limit
    )?;
    rows.into_iter().map(Recorded::try_from).collect()
}

/// The import of an insurer that can be undone: the last one, unless that is too long ago or was undone.
pub async fn undoable_one(on: impl Into<On<'_>>, insurer: &str) -> Result<Option<Recorded>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!(
            "select ",
            columns!(),
            " from roster_import
             where insurer = $1 and state = 'applied' and undoable
             order by finished_at desc limit 1"
        ),
        insurer
    )?;
    row.map(Recorded::try_from).transpose()
}

/// The import of an insurer that is under way, or else the newest that waits for a decision.
pub async fn open_one(on: impl Into<On<'_>>, insurer: &str) -> Result<Option<Recorded>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!(
            "select ",
            columns!(),
            " from roster_import
             where insurer = $1 and state in ('staging', 'ready', 'applying', 'undoing')
             order by case when state = 'ready' then 1 else 0 end, started_at desc, id desc limit 1"
        ),
        insurer
    )?;
    row.map(Recorded::try_from).transpose()
}

/// Records that an import begins whose file the caller reads, under a lease until `until`. A conflict: another
/// one of the insurer is under way.
pub async fn begin(on: impl Into<On<'_>>, import: &Import<'_>, until: Timestamp) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at, attempts,
                                    leased_until)
         values ($1, $2, $3, $4, $5, 'staging', $6, $7, $8)",
        import.id,
        import.insurer,
        import.file_name,
        import.actor,
        import.complete,
        import.now.millis(),
        import.lease,
        until.millis()
    )?;
    Ok(())
}

/// Records that a file is coming in.
pub async fn begin_upload(
    on: impl Into<On<'_>>,
    import: &Import<'_>,
    locale: &str,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at, stored, locale)
         values ($1, $2, $3, $4, $5, 'uploading', $6, $7, $8)",
        import.id,
        import.insurer,
        import.file_name,
        import.actor,
        import.complete,
        import.now.millis(),
        true,
        locale
    )?;
    Ok(())
}

/// The file is here: whichever node is free checks it. A conflict: another import of the insurer is under way.
pub async fn uploaded(on: impl Into<On<'_>>, id: &str, bytes: u64) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_import set state = 'staging', file_bytes = $2 where id = $1 and state = 'uploading'",
        id,
        i64::try_from(bytes).unwrap_or(i64::MAX)
    )?;
    Ok(())
}

/// Forgets an import that came to nothing.
pub async fn forget(on: impl Into<On<'_>>, id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from roster_import where id = $1", id)?;
    Ok(())
}

/// Takes a step that is due, for as long as until `until`: one that nobody works on, or whose worker died.
pub async fn lease(db: &Db, now: Timestamp, until: Timestamp) -> Result<Option<Recorded>, StorageError> {
    let row: Option<Row> = query!(
        db,
        fetch_optional,
        concat!(
            "update roster_import set leased_until = $2, attempts = attempts + 1
             where id = (
                 select id from roster_import
                 where (stored and state = 'staging' or state in ('applying', 'undoing')) and leased_until <= $1
                 order by started_at, id limit 1
             )
             and state in ('staging', 'applying', 'undoing') and leased_until <= $1
             returning ",
            columns!()
        ),
        now.millis(),
        until.millis()
    )?;
    row.map(Recorded::try_from).transpose()
}

/// Keeps the lease and notes how far the reading is; false if the lease was lost, and then the caller must stop.
/// In a transaction this holds the row until the end.
pub async fn renew(
    on: impl Into<On<'_>>,
    (id, lease): (&str, i64),
    until: Timestamp,
    (rows, bytes): (u64, u64),
) -> Result<bool, StorageError> {
    let [rows, bytes] = [rows, bytes].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let done = execute!(
        on,
        "update roster_import set leased_until = $3, read_rows = $4, read_bytes = $5
         where id = $1 and attempts = $2 and state in ('staging', 'applying', 'undoing')",
        id,
        lease,
        until.millis(),
        rows,
        bytes
    )?;
    Ok(done == 1)
}

/// Gives the lease back, for another try at once.
pub async fn release(on: impl Into<On<'_>>, (id, lease): (&str, i64)) -> Result<(), StorageError> {
    execute!(on, "update roster_import set leased_until = 0 where id = $1 and attempts = $2", id, lease)?;
    Ok(())
}

/// Ends the check of a stored file, well (`ready`) or not (`refused`).
pub async fn checked(
    on: impl Into<On<'_>>,
    (id, lease): (&str, i64),
    ready: bool,
    (preview, problem): (Option<&str>, Option<&str>),
    (refused, now): (u64, Timestamp),
) -> Result<bool, StorageError> {
    let done = execute!(
        on,
        "update roster_import set state = $3, preview = $4, problem = $5, refused = $6, leased_until = 0,
                finished_at = $7
         where id = $1 and attempts = $2 and state = 'staging'",
        id,
        lease,
        if ready { "ready" } else { "refused" },
        preview,
        problem,
        i64::try_from(refused).unwrap_or(i64::MAX),
        (!ready).then(|| now.millis())
    )?;
    Ok(done == 1)
}

/// Gives a step up that fails again and again: the roster is as it was before it.
pub async fn give_up(
    on: impl Into<On<'_>>,
    (id, lease): (&str, i64),
    problem: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_import
         set state = case when state = 'undoing' then 'applied' else 'refused' end, problem = $3,
             finished_at = coalesce(finished_at, $4), leased_until = 0
         where id = $1 and attempts = $2 and state in ('staging', 'applying', 'undoing')",
        id,
        lease,
        problem,
        now.millis()
    )?;
    Ok(())
}

/// Somebody wants it applied; false if it does not wait for that any more. A conflict: another one of the
/// insurer is under way.
pub async fn confirm(
    on: impl Into<On<'_>>,
    id: &str,
    (actor, reason): (&str, &str),
) -> Result<bool, StorageError> {
    let done = execute!(
        on,
        "update roster_import set state = 'applying', decided_by = $2, reason = $3, leased_until = 0
         where id = $1 and state = 'ready'",
        id,
        actor,
        reason
    )?;
    Ok(done == 1)
}

/// Somebody does not want it; false if it does not wait for a decision any more.
pub async fn discard(
    on: impl Into<On<'_>>,
    id: &str,
    (actor, reason): (&str, &str),
    now: Timestamp,
) -> Result<bool, StorageError> {
    let done = execute!(
        on,
        "update roster_import set state = 'discarded', decided_by = $2, reason = $3, finished_at = $4,
                preview = null
         where id = $1 and state = 'ready'",
        id,
        actor,
        reason,
        now.millis()
    )?;
    Ok(done == 1)
}

/// What others of the insurer prepared is about a roster that is no more.
pub async fn discard_others(
    on: impl Into<On<'_>>,
    (insurer, id): (&str, &str),
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_import set state = 'discarded', finished_at = $3, preview = null
         where insurer = $1 and id <> $2 and state = 'ready'",
        insurer,
        id,
        now.millis()
    )?;
    Ok(())
}

/// Somebody wants it undone, under a lease until `until` if the caller does so itself; false if it cannot be.
/// A conflict: another import of the insurer is under way.
pub async fn begin_undo(
    on: impl Into<On<'_>>,
    id: &str,
    (actor, reason): (&str, &str),
    until: Timestamp,
) -> Result<bool, StorageError> {
    let done = execute!(
        on,
        "update roster_import set state = 'undoing', undone_by = $2, undo_reason = $3, leased_until = $4,
                attempts = attempts + 1
         where id = $1 and state = 'applied' and undoable",
        id,
        actor,
        reason,
        until.millis()
    )?;
    Ok(done == 1)
}

/// What is kept for how long.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    /// Uploads that began before this were cut off.
    pub uploads: Timestamp,
    /// Imports from before this that nobody decided about are discarded.
    pub ready: Timestamp,
    /// Of imports from before this, the refused rows and what an undo needs are deleted.
    pub details: Timestamp,
    /// The present.
    pub now: Timestamp,
}

/// Tidies up what was cut off and what is kept long enough.
pub async fn sweep(db: &Db, ages: Ages) -> Result<(), StorageError> {
    let mut tx = db.begin_long().await?;
    let (uploads, details) = (ages.uploads.millis(), ages.details.millis());
    execute!(
        &mut tx,
        "delete from roster_file where import_id in (
             select id from roster_import
             where state = 'uploading' and started_at < $1 or state <> 'staging' and started_at < $2)",
        uploads,
        details
    )?;
    execute!(&mut tx, "delete from roster_import where state = 'uploading' and started_at < $1", uploads)?;
    execute!(
        &mut tx,
        "update roster_import set state = 'refused', finished_at = $1
         where state = 'staging' and not stored and leased_until <= $1",
        ages.now.millis()
    )?;
    execute!(
        &mut tx,
        "update roster_import set state = 'discarded', finished_at = $2, preview = null
         where state = 'ready' and started_at < $1",
        ages.ready.millis(),
        ages.now.millis()
    )?;
    execute!(
        &mut tx,
        "update roster_import set undoable = $2, preview = null
         where started_at < $1 and (undoable or preview is not null)
           and state in ('applied', 'refused', 'discarded', 'undone')",
        details,
        false
    )?;
    execute!(
        &mut tx,
        "delete from roster_staging where import_id in (
             select id from roster_import where state not in ('staging', 'ready', 'applying'))",
    )?;
    execute!(
        &mut tx,
        "delete from roster_before where import_id in (
             select id from roster_import
             where not undoable and state not in ('staging', 'applying', 'undoing'))",
    )?;
    tx.commit().await
}
