//! What happens to an import: each step is one conditional statement.

use crate::{
    clock::Timestamp,
    storage::{
        StorageError,
        db::{On, execute},
        roster_import::Import,
    },
};

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
