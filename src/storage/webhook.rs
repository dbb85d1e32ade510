//! Table `webhook`: systems that are told of what happens.

use super::{
    On, StorageError,
    db::{execute, query},
};

/// A row as it stands; [`crate::clients::webhook::Webhook`] is what it means.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookRow {
    /// Primary key.
    pub id: String,
    /// What operators call it.
    pub name: String,
    /// Where messages are sent.
    pub url: String,
    /// Names of events, a space before and after each.
    pub events: String,
    /// Portal code of the one insurer; none: of every insurer.
    pub insurer: Option<String>,
    /// The client whose names for members it gets.
    pub client_id: Option<String>,
    /// JSON of its sealed secrets.
    pub secrets: String,
    /// When it was disabled, in milliseconds.
    pub disabled_at: Option<i64>,
    /// When it was added, in milliseconds.
    pub created_at: i64,
    /// When it was last changed, in milliseconds; also tells one version from the next.
    pub updated_at: i64,
}

/// Adds one.
pub async fn insert(on: impl Into<On<'_>>, row: &WebhookRow) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into webhook (id, name, url, events, insurer, client_id, secrets, disabled_at, created_at,
                              updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &row.id,
        &row.name,
        &row.url,
        &row.events,
        &row.insurer,
        &row.client_id,
        &row.secrets,
        row.disabled_at,
        row.created_at,
        row.updated_at
    )?;
    Ok(())
}

/// Replaces the version of `before`; false when somebody else changed or removed it meanwhile.
pub async fn update(on: impl Into<On<'_>>, row: &WebhookRow, before: i64) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update webhook set name = $2, url = $3, events = $4, insurer = $5, client_id = $6, secrets = $7,
                disabled_at = $8, updated_at = $9
         where id = $1 and updated_at = $10",
        &row.id,
        &row.name,
        &row.url,
        &row.events,
        &row.insurer,
        &row.client_id,
        &row.secrets,
        row.disabled_at,
        row.updated_at,
        before
    )?;
    Ok(changed == 1)
}

/// The one of this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<WebhookRow>, StorageError> {
    query!(
        on,
        fetch_optional,
        "select id, name, url, events, insurer, client_id, secrets, disabled_at, created_at, updated_at
         from webhook where id = $1",
        id
    )
}

/// Those of an insurer (empty: every one), the oldest first.
pub async fn list(on: impl Into<On<'_>>, insurer: &str) -> Result<Vec<WebhookRow>, StorageError> {
    query!(
        on,
        fetch_all,
        "select id, name, url, events, insurer, client_id, secrets, disabled_at, created_at, updated_at
         from webhook where ($1 = '' or insurer = $1) order by created_at, id",
        insurer
    )
}
