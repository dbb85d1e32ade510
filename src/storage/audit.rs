//! Table `audit`: what happened, appended and never changed.

use super::{
    On, StorageError,
    db::{execute, query},
};

/// One line of the audit.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Entry {
    /// Identifier of the line.
    pub id: String,
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// Who: `member:ID`, `client:ID`, `operator:ID`, `cli:NAME` or `system`.
    pub actor: String,
    /// What, such as `member.signed_in`.
    pub action: String,
    /// Portal code of the insurer concerned.
    pub insurer: Option<String>,
    /// Member concerned.
    pub member_id: Option<String>,
    /// Client concerned.
    pub client_id: Option<String>,
    /// JSON without personal data.
    pub detail: String,
}

/// Appends a line.
pub async fn append(on: impl Into<On<'_>>, entry: &Entry) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into audit (id, at, actor, action, insurer, member_id, client_id, detail)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &entry.id,
        entry.at,
        &entry.actor,
        &entry.action,
        &entry.insurer,
        &entry.member_id,
        &entry.client_id,
        &entry.detail
    )?;
    Ok(())
}

/// The lines of the audit, and the failed sign-ins of an hour and address as a line of the time of the last.
macro_rules! lines {
    () => {
        "(select id, at, actor, action, insurer, member_id, client_id, detail from audit
          union all
          select id, last_at, 'system', 'member.sign_in_failed', insurer, member_id, cast(null as text),
                 '{\"count\":' || cast(count as text) || '}'
          from sign_in_failure) as lines"
    };
}

/// The newest `limit` lines that concern a member.
pub async fn of_member(
    on: impl Into<On<'_>>,
    member_id: &str,
    limit: i64,
) -> Result<Vec<Entry>, StorageError> {
    query!(
        on,
        fetch_all,
        concat!(
            "select id, at, actor, action, insurer, member_id, client_id, detail from ",
            lines!(),
            " where member_id = $1 order by at desc, id desc limit $2"
        ),
        member_id,
        limit
    )
}

/// Where a page of lines ends: the line that it ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// Identifier of the line.
    pub id: String,
}

impl Position {
    /// `MILLIS.ID`, as it stands in a URL.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        // Identifiers are base64url; PostgreSQL would answer a NUL with an error.
        let ours = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        ours.then_some(())?;
        Some(Self { at: at.parse().ok()?, id: id.to_owned() })
    }

    /// Where a page that ends with this line ends.
    pub fn of(entry: &Entry) -> Self {
        Self { at: entry.at, id: entry.id.clone() }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

/// The newest `limit` lines of a member's own history since `since`, before `before` if it is given:
/// sign-ins, and changes of what guards the account.
pub async fn history(
    on: impl Into<On<'_>>,
    member_id: &str,
    since: i64,
    before: Option<&Position>,
    limit: i64,
) -> Result<Vec<Entry>, StorageError> {
    let (at, id) = before.map_or((i64::MAX, ""), |position| (position.at, position.id.as_str()));
    query!(
        on,
        fetch_all,
        concat!(
            "select id, at, actor, action, insurer, member_id, client_id, detail from ",
            lines!(),
            " where member_id = $1 and at >= $2 and (at, id) < ($3, $4) and action in (
             'member.signed_in', 'member.sign_in_failed', 'member.signed_out', 'member.activated',
             'member.password_wrong', 'member.password_changed', 'member.email_changed',
             'member.session_ended', 'member.signed_out_elsewhere', 'member.consent_withdrawn',
             'member.reported', 'member.documents_accepted', 'member.login_id_changed')
         order by at desc, id desc limit $5"
        ),
        member_id,
        since,
        at,
        id,
        limit
    )
}
