//! Table `activation_code`: the one-time code that the office handed to a person, one each.

use super::{
    On, StorageError,
    db::{execute, query},
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

/// The code of a person as a first sign-in finds it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    /// Keyed hash.
    pub code_hash: String,
    /// Tries so far, the present one included; right ones are taken back.
    pub misses: i64,
    expires_at: i64,
}

impl Found {
    /// Whether the code works no more by its age.
    pub const fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.millis()
    }
}

/// The code of a person, after `tries` were counted: *before* the code is compared, so that parallel guesses
/// cannot outrun the limit. `None` when the person was given none.
pub async fn begin_attempt(
    on: impl Into<On<'_>>,
    person_id: &str,
    tries: i64,
) -> Result<Option<Found>, StorageError> {
    query!(
        on,
        fetch_optional,
        "update activation_code set misses = misses + $2 where person_id = $1
         returning code_hash, misses, expires_at",
        person_id,
        tries
    )
}

/// The code of a person, dead or alive.
pub async fn of_person(on: impl Into<On<'_>>, person_id: &str) -> Result<Option<Found>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select code_hash, misses, expires_at from activation_code where person_id = $1",
        person_id
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
