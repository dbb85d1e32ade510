//! What operators do about imports: look, apply, discard, undo, and fetch the rows that were refused.

use serde_json::json;

use super::{ImportError, LEASE, ended, preview::Preview, upload, work};
use crate::{
    audit::{self, Act, Actor, Event},
    clock::Timestamp,
    fault::Fault,
    members::Members,
    storage::{
        Position,
        roster_file::FileKind,
        roster_job::{self, Recorded},
        roster_staging,
        roster_undo::{self, Reverted},
    },
};

/// Why an act is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another import of the insurer is under way.
    #[error("another import of this insurer's roster is under way")]
    Busy,
    /// Nobody can decide that about it any more.
    #[error("the import does not wait for this any more")]
    Past,
    /// It is not the last import of the insurer, or is too long ago.
    #[error("only the last import of an insurer can be undone, within 30 days")]
    NotLast,
}

impl Members {
    /// The import of this id.
    pub async fn roster_import(&self, id: &str) -> Result<Option<Recorded>, Fault> {
        Ok(roster_job::find(&self.db, id).await?)
    }

    /// Imports, the newest first, after `before`; of one insurer if it is given.
    pub async fn roster_imports(
        &self,
        insurer: Option<&str>,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Recorded>, Fault> {
        let before = before.map_or((i64::MAX, ""), |before| (before.at, &*before.id));
        Ok(roster_job::page(&self.db, insurer.unwrap_or_default(), before, limit).await?)
    }

    /// The import of an insurer that is under way or waits for a decision.
    pub async fn open_roster_import(&self, insurer: &str) -> Result<Option<Recorded>, Fault> {
        Ok(roster_job::open_one(&self.db, insurer).await?)
    }

    /// The last import of an insurer, if it can be undone.
    pub async fn undoable_roster_import(&self, insurer: &str) -> Result<Option<Recorded>, Fault> {
        Ok(roster_job::undoable_one(&self.db, insurer).await?)
    }

    /// What the check of an import found.
    pub fn roster_preview(&self, import: &Recorded) -> Option<Preview> {
        Preview::open(self, &import.id, import.preview.as_deref()?)
    }

    /// Has an import applied, in the background.
    pub async fn apply_roster_import(
        &self,
        import: &Recorded,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let by = (&*act.actor.to_string(), act.reason.as_str());
        match roster_job::confirm(&self.db, &import.id, by).await {
            Err(error) if error.is_conflict() => Ok(Err(Refused::Busy)),
            done => Ok(if done? { Ok(()) } else { Err(Refused::Past) }),
        }
    }

    /// Drops an import that waits for a decision.
    pub async fn discard_roster_import(
        &self,
        import: &Recorded,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let by = (&*act.actor.to_string(), act.reason.as_str());
        if !roster_job::discard(&mut tx, &import.id, by, now).await? {
            return Ok(Err(Refused::Past));
        }
        roster_staging::clear(&mut tx, &import.id).await?;
        let event = act.event("roster.discarded", json!({ "import": import.id }));
        audit::record(&mut tx, &self.entropy, now, event.with_insurer(Some(&import.insurer))).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// What an undo of this import would do now.
    pub async fn estimate_roster_undo(&self, import: &Recorded) -> Result<Reverted, Fault> {
        Ok(roster_undo::estimate(&self.db, (&import.id, &import.insurer)).await?)
    }

    /// Has the last import of an insurer undone, in the background.
    pub async fn undo_roster_import(
        &self,
        import: &Recorded,
        act: Act<'_>,
    ) -> Result<Result<(), Refused>, Fault> {
        self.begin_undo(import, act, Timestamp::from_millis(0)).await
    }

    /// Undoes the last import of an insurer here and now.
    pub async fn undo_roster_import_now(
        &self,
        import: &Recorded,
        act: Act<'_>,
    ) -> Result<Result<Reverted, Refused>, Fault> {
        let until = self.clock.now().plus(LEASE);
        if let Err(refused) = self.begin_undo(import, act, until).await? {
            return Ok(Err(refused));
        }
        let Some(leased) = self.roster_import(&import.id).await? else { return Ok(Err(Refused::Past)) };
        match work::revert(self, &leased).await {
            Ok(reverted) => Ok(Ok(reverted)),
            Err(ImportError::Storage(error)) => {
                // A running server goes on with it at once; or else another try of the command.
                roster_job::release(&self.db, (&leased.id, leased.lease)).await?;
                Err(error.into())
            }
            Err(_) => Ok(Err(Refused::Busy)),
        }
    }

    async fn begin_undo(
        &self,
        import: &Recorded,
        act: Act<'_>,
        until: Timestamp,
    ) -> Result<Result<(), Refused>, Fault> {
        let by = (&*act.actor.to_string(), act.reason.as_str());
        match roster_job::begin_undo(&self.db, &import.id, by, until).await {
            Err(error) if error.is_conflict() => Ok(Err(Refused::Busy)),
            done => Ok(if done? { Ok(()) } else { Err(Refused::NotLast) }),
        }
    }

    /// Notes who fetches the refused rows, before the first one leaves.
    pub async fn note_refused_rows(&self, import: &Recorded, actor: &Actor) -> Result<(), Fault> {
        let event = Event::by(actor, "roster.refused_rows_exported")
            .with_insurer(Some(&import.insurer))
            .with_detail(json!({ "import": import.id }));
        Ok(audit::record(&self.db, &self.entropy, self.clock.now(), event).await?)
    }

    /// A part of the file of refused rows, from 0; none behind the last one.
    pub async fn refused_rows(&self, import: &Recorded, part: i64) -> Result<Option<Vec<u8>>, Fault> {
        Ok(upload::read_part(self, (&import.id, FileKind::Refused, part)).await?)
    }

    pub(super) fn roster_ended(&self, insurer: &str) -> Result<crate::storage::roster_import::Ended, Fault> {
        let insurer = self
            .insurer(insurer)
            .ok_or_else(|| Fault::internal(format!("insurer {insurer} is not in the configuration")))?;
        Ok(ended(&self.clock, insurer))
    }
}
