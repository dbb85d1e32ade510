//! Table `activation_code`: the one-time code that the office handed to a person, one each.

use super::{
    On, StorageError,
    db::{execute, query_scalar},
};
use crate::clock::Timestamp;

/// Stores a code in place of an older one, which is void from now on.
pub async fn replace(
    on: impl Into<On<'_>>,
    person_id: &str,
    code_hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into activation_code (person_id, code_hash, created_at, expires_at) values ($1, $2, $3, $4)
         on conflict (person_id) do update set code_hash = excluded.code_hash, misses = 0,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
        person_id,
        code_hash,
        now.millis(),
        expires_at.millis()
    )?;
    Ok(())
}

/// Counts one try *before* the code is compared, so that parallel guesses cannot outrun the limit, and gives
/// the hash to compare with. `None` when there is no live code.
pub async fn begin_attempt(
    on: impl Into<On<'_>>,
    person_id: &str,
    limit: i64,
    now: Timestamp,
) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "update activation_code set misses = misses + 1
         where person_id = $1 and misses < $2 and expires_at > $3 returning code_hash",
        person_id,
        limit,
        now.millis()
    )
}

/// Takes the count of a right try back.
pub async fn forgive(on: impl Into<On<'_>>, person_id: &str, code_hash: &str) -> Result<(), StorageError> {
    execute!(
        on,
        "update activation_code set misses = misses - 1 where person_id = $1 and code_hash = $2 and misses > 0",
        person_id,
        code_hash
    )?;
    Ok(())
}

/// Ends the code of a person, once there is an account or another way in.
pub async fn erase(on: impl Into<On<'_>>, person_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from activation_code where person_id = $1", person_id)?;
    Ok(())
}
