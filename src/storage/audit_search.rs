//! Table `audit`: lines by time, action, actor, member and insurer.

use sqlx::AssertSqlSafe;

use super::{On, Position, StorageError, audit::Entry, db::query};

/// Which lines; an empty text asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Not before, in milliseconds since the epoch.
    pub since: i64,
    /// Before, in milliseconds since the epoch.
    pub until: i64,
    /// What happened.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// Member concerned.
    pub member: String,
    /// Portal code of the insurer concerned.
    pub insurer: String,
}

/// The newest `limit` lines that fit, before `before` if it is given.
pub async fn page(
    on: impl Into<On<'_>>,
    search: &Search,
    before: Option<&Position>,
    limit: i64,
) -> Result<Vec<Entry>, StorageError> {
    let (at, id) = before.map_or((i64::MAX, ""), |position| (position.at, position.id.as_str()));
    // Only the conditions that are asked for, so that each engine finds the index. No word of the statement
    // comes from the search.
    let only = |text: &str, column: &str, n: usize| {
        if text.is_empty() { format!("${n} = ''") } else { format!("{column} = ${n}") }
    };
    let statement = format!(
        "select id, at, actor, action, insurer, member_id, client_id, detail from audit
         where at >= $1 and at < $2 and (at, id) < ($3, $4) and {} and {} and {} and {}
         order by at desc, id desc limit $9",
        only(&search.action, "action", 5),
        only(&search.actor, "actor", 6),
        only(&search.member, "member_id", 7),
        only(&search.insurer, "insurer", 8),
    );
    query!(
        on,
        fetch_all,
        AssertSqlSafe(statement),
        search.since,
        search.until,
        at,
        id,
        &search.action,
        &search.actor,
        &search.member,
        &search.insurer,
        limit
    )
}
