//! Table `client`: the relying parties, their metadata and the hashes of their secrets.

use super::{
    On, StorageError,
    db::{execute, query},
};

/// A row as it stands; [`crate::clients::Client`] is what it means.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClientRow {
    /// `client_id`.
    pub id: String,
    /// JSON of the client's metadata.
    pub metadata: String,
    /// JSON of the client's secrets.
    pub secrets: String,
    /// When it was disabled, in milliseconds since the epoch.
    pub disabled_at: Option<i64>,
    /// When it was registered.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// The client of this `client_id`.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<ClientRow>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select id, metadata, secrets, disabled_at, created_at, updated_at from client where id = $1",
        id
    )
}

/// Every client, oldest first.
pub async fn list(on: impl Into<On<'_>>) -> Result<Vec<ClientRow>, StorageError> {
    query!(
        on,
        fetch_all,
        "select id, metadata, secrets, disabled_at, created_at, updated_at from client order by created_at, id"
    )
}

/// Adds a client; [`StorageError::Conflict`] when the `client_id` is taken.
pub async fn insert(on: impl Into<On<'_>>, row: &ClientRow) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into client (id, metadata, secrets, disabled_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6)",
        &row.id,
        &row.metadata,
        &row.secrets,
        row.disabled_at,
        row.created_at,
        row.updated_at
    )?;
    Ok(())
}

/// Replaces what can change of a client; false when there is none.
pub async fn update(on: impl Into<On<'_>>, row: &ClientRow) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update client set metadata = $2, secrets = $3, disabled_at = $4, updated_at = $5 where id = $1",
        &row.id,
        &row.metadata,
        &row.secrets,
        row.disabled_at,
        row.updated_at
    )?;
    Ok(changed == 1)
}
