//! Table `client`: the relying parties, their metadata and the hashes of their secrets.

use super::{
    On, StorageError, Tx,
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
    /// Number of the state: one more with each change.
    pub version: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, metadata, secrets, disabled_at, created_at, updated_at, version from client ",
            $rest
        )
    };
}

/// The client of this `client_id`.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<ClientRow>, StorageError> {
    query!(on, fetch_optional, select!("where id = $1"), id)
}

/// Every client, oldest first.
pub async fn list(on: impl Into<On<'_>>) -> Result<Vec<ClientRow>, StorageError> {
    query!(on, fetch_all, select!("order by created_at, id"))
}

/// The newest `limit` clients that are older than the one which was registered at `before.0` as `before.1`.
pub async fn page(
    on: impl Into<On<'_>>,
    before: (i64, &str),
    limit: i64,
) -> Result<Vec<ClientRow>, StorageError> {
    query!(
        on,
        fetch_all,
        select!("where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3"),
        before.0,
        before.1,
        limit
    )
}

/// Adds a client; [`StorageError::Conflict`] when the `client_id` is taken.
pub async fn insert(on: impl Into<On<'_>>, row: &ClientRow) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into client (id, metadata, secrets, disabled_at, created_at, updated_at, version)
         values ($1, $2, $3, $4, $5, $6, $7)",
        &row.id,
        &row.metadata,
        &row.secrets,
        row.disabled_at,
        row.created_at,
        row.updated_at,
        row.version
    )?;
    Ok(())
}

/// Replaces what can change of a client, if it still is the version of the row; the next version is one more.
pub async fn update(on: impl Into<On<'_>>, row: &ClientRow) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update client set metadata = $2, secrets = $3, disabled_at = $4, updated_at = $5,
                version = version + 1
         where id = $1 and version = $6",
        &row.id,
        &row.metadata,
        &row.secrets,
        row.disabled_at,
        row.updated_at,
        row.version
    )?;
    Ok(changed == 1)
}

/// Deletes a client with what members allowed it and how it registered itself; false if there is none.
pub async fn delete(tx: &mut Tx, id: &str) -> Result<bool, StorageError> {
    execute!(&mut *tx, "delete from client_registration where client_id = $1", id)?;
    execute!(&mut *tx, "delete from consent where client_id = $1", id)?;
    Ok(execute!(&mut *tx, "delete from client where id = $1", id)? == 1)
}
