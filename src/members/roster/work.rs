//! The work in the background: checking uploads, applying what was confirmed, undoing.
//!
//! A step that breaks off leaves the roster as it was, since it changes the roster in one transaction or not at
//! all. Its lease ends, and whichever node is free begins the step again.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    ImportError, LEASE,
    preview::{Listed, Preview, SHOWN_REFUSALS},
    refused::{self, Sink},
    staging::Staging,
    upload::{Stored, Writer},
};
use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{Members, roster_csv::FileError},
    storage::{
        StorageError,
        roster_file::{self, FileKind},
        roster_import::{self, Import},
        roster_job::{self, Recorded, State},
        roster_loss, roster_staging,
        roster_undo::{self, Reverted},
    },
    texts::{Locale, Texts},
};

/// How often the worker looks for what there is to do.
const POLL: Duration = Duration::from_secs(1);
/// Leases after which a step that fails is given up.
const MOST_TRIES: i64 = 5;

impl Members {
    /// Works on imports until `stop`; the step under way then breaks off, and another node begins it again.
    pub async fn run_roster_imports(&self, texts: &Texts, stop: CancellationToken) {
        loop {
            let worked = tokio::select! {
                () = stop.cancelled() => return,
                worked = self.work_on_a_roster(texts) => worked,
            };
            let wait = match worked {
                Ok(true) => Duration::ZERO,
                Ok(false) => POLL,
                Err(error) => {
                    tracing::warn!(%error, "the work on a roster import failed");
                    POLL
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// Does one step of one import, if there is any to do.
    pub async fn work_on_a_roster(&self, texts: &Texts) -> Result<bool, Fault> {
        let now = self.clock.now();
        let Some(import) = roster_job::lease(&self.db, now, now.plus(LEASE)).await? else { return Ok(false) };
        tracing::info!(
            import = import.id,
            step = import.state.as_str(),
            lease = import.lease,
            "roster import"
        );
        let done = match import.state {
            State::Staging => check(self, &import, texts).await,
            State::Applying => apply(self, &import).await,
            _ => revert(self, &import).await.map(|_| ()),
        };
        match done {
            Ok(()) => {}
            Err(ImportError::TakenOver) => {
                tracing::warn!(import = import.id, "another node took the import over");
            }
            Err(error) => self.give_up_or_wait(&import, &error).await?,
        }
        Ok(true)
    }

    /// What a database that comes back mends is tried again at once, anything else when the lease ends; what goes
    /// wrong again and again is given up.
    async fn give_up_or_wait(&self, import: &Recorded, error: &ImportError) -> Result<(), Fault> {
        let lease = (&*import.id, import.lease);
        if matches!(error, ImportError::Storage(StorageError::Unavailable(_))) {
            tracing::warn!(import = import.id, %error, "a step of a roster import failed; it is tried again");
            sleep(POLL).await;
            // A deadlock or a restart is over by now; if not, the lease ends by itself.
            return Ok(roster_job::release(&self.db, lease).await?);
        }
        if import.lease < MOST_TRIES {
            tracing::warn!(import = import.id, %error, "a step of a roster import failed; it is tried again");
            return Ok(());
        }
        tracing::error!(import = import.id, %error, "a roster import is given up");
        let problem = Listed { line: 0, text: "roster-file-failed".to_owned(), args: BTreeMap::new() };
        let problem = serde_json::to_string(&problem).map_err(Fault::internal)?;
        Ok(roster_job::give_up(&self.db, lease, &problem, self.clock.now()).await?)
    }
}

fn described(members: &Members, import: &Recorded) -> DescribedImport {
    DescribedImport {
        actor: import.decided_by.clone().unwrap_or_else(|| import.actor.clone()),
        now: members.clock.now(),
    }
}

/// What an [`Import`] borrows.
struct DescribedImport {
    actor: String,
    now: crate::clock::Timestamp,
}

impl DescribedImport {
    fn of<'a>(&'a self, import: &'a Recorded) -> Import<'a> {
        Import {
            id: &import.id,
            insurer: &import.insurer,
            file_name: &import.file_name,
            actor: &self.actor,
            complete: import.complete,
            lease: import.lease,
            now: self.now,
        }
    }
}

/// Reads and stages an upload, keeps what was refused, and finds out what would change.
async fn check(members: &Members, import: &Recorded, texts: &Texts) -> Result<(), ImportError> {
    let checked = match stage(members, import, texts).await {
        Ok(staging) => weigh(members, import, staging).await,
        Err(error) => Err(error),
    };
    let lease = (&*import.id, import.lease);
    let now = members.clock.now();
    let (preview, problem) = match checked {
        Ok((preview, problem)) => (Some(preview), problem),
        Err(ImportError::File(error)) => (None, Some(Listed::from(error))),
        Err(error) => return Err(error),
    };
    let refused = preview.as_ref().map_or(0, |preview| preview.refused);
    let sealed = preview.map(|preview| preview.seal(members, &import.id));
    let ready = problem.is_none();
    let problem = problem.and_then(|problem| serde_json::to_string(&problem).ok());
    let mut tx = members.db.begin_long().await?;
    let found = (sealed.as_deref(), problem.as_deref());
    if !roster_job::checked(&mut tx, lease, ready, found, (refused, now)).await? {
        return Err(ImportError::TakenOver);
    }
    if !ready {
        roster_staging::clear(&mut tx, &import.id).await?;
    }
    roster_file::delete(&mut tx, &import.id, FileKind::Upload).await?;
    tx.commit().await?;
    Ok(())
}

/// What was staged, and the rows that were not.
struct Staged {
    staging: Staging,
    refusals: Vec<super::Refusal>,
}

async fn stage(members: &Members, import: &Recorded, texts: &Texts) -> Result<Staged, ImportError> {
    // What a worker before this one left.
    let mut tx = members.db.begin_long().await?;
    roster_staging::clear(&mut tx, &import.id).await?;
    roster_file::delete(&mut tx, &import.id, FileKind::Refused).await?;
    tx.commit().await?;
    let insurer = members
        .insurer(&import.insurer)
        .ok_or_else(|| std::io::Error::other("the insurer is not in the configuration any more"))?;
    let csv = Stored::open(members, &import.id).await?;
    let mut staging = Staging::new((&members.db, &members.clock, insurer), (&import.id, import.lease));
    let csv = staging.fill(csv, |_, _| {}).await?;
    let refusals = staging.sorted_refusals();
    if !refusals.is_empty() {
        let locale = import.locale.as_deref().and_then(Locale::from_tag).unwrap_or_default();
        let mut kept = Kept {
            members,
            lease: (&import.id, import.lease),
            read: (staging.rows, csv.bytes()),
            writer: Writer::new(members, &import.id, FileKind::Refused),
            lines: 0,
        };
        let again = Stored::open(members, &import.id).await?;
        refused::write(again, (&refusals, csv.is_shift_jis()), (texts, locale), &mut kept).await?;
        kept.writer.finish().await?;
    }
    Ok(Staged { staging, refusals })
}

/// The file of refused rows; writing it keeps the lease.
struct Kept<'a> {
    members: &'a Members,
    lease: (&'a str, i64),
    read: (u64, u64),
    writer: Writer,
    lines: usize,
}

impl Sink for Kept<'_> {
    async fn take(&mut self, lines: &[u8]) -> Result<(), StorageError> {
        self.lines += 1;
        if self.lines.is_multiple_of(8_192) {
            let until = self.members.clock.now().plus(LEASE);
            roster_job::renew(&self.members.db, self.lease, until, self.read).await?;
        }
        self.writer.write(lines).await
    }
}

/// What would change: the import itself, rolled back. With it, why nothing can be applied.
async fn weigh(
    members: &Members,
    import: &Recorded,
    Staged { staging, refusals }: Staged,
) -> Result<(Preview, Option<Listed>), ImportError> {
    let ended = members.roster_ended(&import.insurer).map_err(std::io::Error::other)?;
    let listed = refusals.into_iter().take(SHOWN_REFUSALS).map(Listed::from).collect();
    let preview = Preview {
        rows: staging.rows,
        without_key: staging.without_key,
        refused: staging.refused,
        refusals: listed,
        eligible: roster_loss::eligible_now(&members.db, &import.insurer, ended).await?,
        ..Preview::default()
    };
    if staging.rows == staging.refused {
        return Ok((preview, Some(FileError::Nothing.into())));
    }
    if import.complete && staging.refused > 0 {
        let text = "roster-report-not-applied".to_owned();
        return Ok((preview, Some(Listed { line: 0, text, args: BTreeMap::new() })));
    }
    let described = described(members, import);
    let borrowed = described.of(import);
    let mut tx = members.db.begin_long().await?;
    let until = described.now.plus(LEASE);
    let read = (staging.rows, import.bytes.0);
    if !roster_job::renew(&mut tx, (&import.id, import.lease), until, read).await? {
        return Err(ImportError::TakenOver);
    }
    let counts = roster_import::apply(&mut tx, &borrowed, ended, true).await?;
    let preview = Preview { counts, ..preview }.with_samples(&mut tx, &borrowed, ended).await?;
    Ok((preview, None))
}

/// Applies what was staged and confirmed.
async fn apply(members: &Members, import: &Recorded) -> Result<(), ImportError> {
    let described = described(members, import);
    let borrowed = described.of(import);
    let ended = members.roster_ended(&import.insurer).map_err(std::io::Error::other)?;
    let mut tx = members.db.begin_long().await?;
    let until = described.now.plus(LEASE);
    if !roster_job::renew(&mut tx, (&import.id, import.lease), until, (import.rows, import.bytes.0)).await? {
        return Err(ImportError::TakenOver);
    }
    let counts = roster_import::apply(&mut tx, &borrowed, ended, false).await?;
    roster_import::finish(&mut tx, &borrowed, true, counts, import.refused).await?;
    let mut event = super::imported(&borrowed, counts, import.refused);
    event.detail["reason"] = json!(import.reason);
    audit::record(&mut tx, &members.entropy, described.now, event).await?;
    tx.commit().await?;
    Ok(())
}

/// Undoes an import that is leased for it.
pub(super) async fn revert(members: &Members, import: &Recorded) -> Result<Reverted, ImportError> {
    let described = described(members, import);
    let borrowed = described.of(import);
    let ended = members.roster_ended(&import.insurer).map_err(std::io::Error::other)?;
    let mut tx = members.db.begin_long().await?;
    let until = described.now.plus(LEASE);
    if !roster_job::renew(&mut tx, (&import.id, import.lease), until, (import.rows, import.bytes.1)).await? {
        return Err(ImportError::TakenOver);
    }
    let reverted = roster_undo::revert(&mut tx, &borrowed, ended).await?;
    let outcome = serde_json::to_string(&reverted).map_err(std::io::Error::from)?;
    roster_undo::finish(&mut tx, &borrowed, &outcome).await?;
    roster_job::discard_others(&mut tx, (&import.insurer, &import.id), described.now).await?;
    let event = Event {
        actor: import.undone.by.clone().unwrap_or_default(),
        insurer: Some(&import.insurer),
        ..Event::system("roster.undone")
    }
    .with_detail(json!({
        "import": import.id,
        "removed": reverted.removed,
        "kept": reverted.kept,
        "restored": reverted.restored,
        "stuck": reverted.stuck,
        "reason": import.undone.reason,
    }));
    audit::record(&mut tx, &members.entropy, described.now, event).await?;
    tx.commit().await?;
    Ok(reverted)
}
