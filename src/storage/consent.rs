//! Table `consent`: which scopes and claims a member lets a client have.

use super::{
    On, StorageError,
    db::{execute, query},
};
use crate::clock::Timestamp;

/// What a member allowed a client.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Consent {
    /// The client.
    pub client_id: String,
    /// Space-separated scopes.
    pub scope: String,
    /// Space-separated claims that were allowed one by one.
    pub claims: String,
    /// When the member first allowed the client anything, in milliseconds since the epoch.
    pub first_granted_at: i64,
}

/// What the member allows the client now.
pub async fn find(
    on: impl Into<On<'_>>,
    member_id: &str,
    client_id: &str,
) -> Result<Option<Consent>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select client_id, scope, claims, first_granted_at from consent where member_id = $1 and client_id = $2",
        member_id,
        client_id
    )
}

/// What the member allows each client, the newest first.
pub async fn of_member(on: impl Into<On<'_>>, member_id: &str) -> Result<Vec<Consent>, StorageError> {
    query!(
        on,
        fetch_all,
        "select client_id, scope, claims, first_granted_at from consent where member_id = $1
         order by first_granted_at desc, client_id",
        member_id
    )
}

/// Remembers what the member allowed, in place of what was allowed before.
pub async fn remember(
    on: impl Into<On<'_>>,
    member_id: &str,
    client_id: &str,
    scope: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into consent (member_id, client_id, scope, granted_at, first_granted_at)
         values ($1, $2, $3, $4, $4)
         on conflict (member_id, client_id) do update set scope = $3, granted_at = $4",
        member_id,
        client_id,
        scope,
        now.millis()
    )?;
    Ok(())
}

/// Remembers the claims that the member allowed one by one, in place of those of before. The consent itself
/// must have been remembered.
pub async fn remember_claims(
    on: impl Into<On<'_>>,
    member_id: &str,
    client_id: &str,
    claims: &str,
) -> Result<(), StorageError> {
    execute!(
        on,
        "update consent set claims = $3 where member_id = $1 and client_id = $2",
        member_id,
        client_id,
        claims
    )?;
    Ok(())
}

/// Forgets all that the member allowed anybody.
pub async fn withdraw_all(on: impl Into<On<'_>>, member_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from consent where member_id = $1", member_id)?;
    Ok(())
}

/// Forgets what the member allowed; tokens that rest on it stop working.
pub async fn withdraw(on: impl Into<On<'_>>, member_id: &str, client_id: &str) -> Result<bool, StorageError> {
    let gone =
        execute!(on, "delete from consent where member_id = $1 and client_id = $2", member_id, client_id)?;
    Ok(gone == 1)
}
