//! Table `preference` (配信設定): what a member wants to be sent, with the wording that was agreed to.

use super::{
    On, StorageError,
    db::{execute, query},
};
use crate::clock::Timestamp;

/// One topic and whether it is wanted.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Preference {
    /// Topic, such as `health_news`.
    pub topic: String,
    /// Whether the member wants it.
    pub wanted: bool,
    /// The words beside the box when it was set.
    pub wording: String,
}

/// Sets a topic.
pub async fn set(
    on: impl Into<On<'_>>,
    member_id: &str,
    preference: &Preference,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into preference (member_id, topic, wanted, wording, changed_at) values ($1, $2, $3, $4, $5)
         on conflict (member_id, topic) do update set wanted = $3, wording = $4, changed_at = $5",
        member_id,
        &preference.topic,
        preference.wanted,
        &preference.wording,
        now.millis()
    )?;
    Ok(())
}

/// Every topic that the member has set.
pub async fn list(on: impl Into<On<'_>>, member_id: &str) -> Result<Vec<Preference>, StorageError> {
    query!(
        on,
        fetch_all,
        "select topic, wanted, wording from preference where member_id = $1 order by topic",
        member_id
    )
}
