//! What is tidied up of imports: what was cut off, and what was kept long enough.

use crate::{
    clock::Timestamp,
    storage::{Db, StorageError, db::execute},
};

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
