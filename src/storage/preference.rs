//! Tables `preference` and `preference_change` (配信設定): what a member wants to be sent, with the wording
//! that was agreed to, and every change of it.

use super::{
    On, StorageError, Tx,
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

/// A change as it was made.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Change {
    /// Topic.
    pub topic: String,
    /// Its number among the changes of the topic, from 1.
    pub seq: i64,
    /// What the member chose.
    pub wanted: bool,
    /// The words beside the box.
    pub wording: String,
    /// When, in milliseconds since the epoch.
    pub changed_at: i64,
}

/// Sets a topic and appends the change to the history.
pub async fn set(
    tx: &mut Tx,
    member_id: &str,
    preference: &Preference,
    now: Timestamp,
) -> Result<(), StorageError> {
    // First, since it locks the row: the numbers of two changes at once are given one after the other.
    execute!(
        &mut *tx,
        "insert into preference (member_id, topic, wanted, wording, changed_at) values ($1, $2, $3, $4, $5)
         on conflict (member_id, topic) do update set wanted = $3, wording = $4, changed_at = $5",
        member_id,
        &preference.topic,
        preference.wanted,
        &preference.wording,
        now.millis()
    )?;
    execute!(
        &mut *tx,
        "insert into preference_change (member_id, topic, seq, wanted, wording, changed_at)
         select $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5 from preference_change
         where member_id = $1 and topic = $2",
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

/// Forgets what the member wants to be sent. The history stays: it is the proof of what was agreed to.
pub async fn erase_of_member(on: impl Into<On<'_>>, member_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from preference where member_id = $1", member_id)?;
    Ok(())
}

/// Every change that the member made, topic by topic.
pub async fn history(on: impl Into<On<'_>>, member_id: &str) -> Result<Vec<Change>, StorageError> {
    query!(
        on,
        fetch_all,
        "select topic, seq, wanted, wording, changed_at from preference_change
         where member_id = $1 order by topic, seq",
        member_id
    )
}

/// A topic that is wanted by an active member with a verified address, and until when the person is
/// eligible.
#[derive(Clone, sqlx::FromRow)]
pub struct Wanted {
    /// The member.
    pub member_id: String,
    /// Topic.
    pub topic: String,
    /// The words that were agreed to.
    pub wording: String,
    /// When, in milliseconds since the epoch.
    pub changed_at: i64,
    /// Verified address.
    pub email: String,
    /// The person of the roster.
    pub person_id: String,
}

/// The next `limit` wanted topics of an insurer's members after `(member, topic)`, in that order.
pub async fn wanted_after(
    on: impl Into<On<'_>>,
    insurer: &str,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Wanted>, StorageError> {
    query!(
        on,
        fetch_all,
        "select p.member_id, p.topic, p.wording, p.changed_at, m.email, m.person_id
         from preference p join member m on m.id = p.member_id
         where m.insurer = $1 and p.wanted and m.state = 'active' and m.email is not null
             and m.email_verified_at is not null and (p.member_id, p.topic) > ($2, $3)
         order by p.member_id, p.topic limit $4",
        insurer,
        after.0,
        after.1,
        limit
    )
}
