//! Table `roster_import`: the imports of rosters, from the upload to the undo.
//!
//! Who works on one holds a lease; its number (`attempts`) guards every step, so that a node that was thought
//! dead changes nothing any more. What happens to an import, in the order of its life, is in [`steps`]; what is
//! tidied up, in [`sweep`].

mod steps;
mod sweep;

pub use self::{
    steps::{
        begin, begin_undo, begin_upload, checked, confirm, discard, discard_others, forget, give_up, release,
        renew, uploaded,
    },
    sweep::{Ages, sweep},
};

use super::{
    Db, Position, StorageError,
    db::{On, query},
    instant,
    roster_import::Counts,
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
