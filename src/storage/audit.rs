//! Table `audit`: what happened, appended and never changed.

use sqlx::AssertSqlSafe;

use super::{
    Db, On, Position, StorageError,
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

impl Entry {
    /// Its place in a list.
    pub fn position(&self) -> Position {
        Position { at: self.at, id: self.id.clone() }
    }

    /// The person of the roster that it is about, if its detail names one.
    fn person(&self) -> Option<String> {
        let detail: serde_json::Value = serde_json::from_str(&self.detail).ok()?;
        detail["person"].as_str().map(str::to_owned)
    }
}

/// Appends a line.
pub async fn append(on: impl Into<On<'_>>, entry: &Entry) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into audit (id, at, actor, action, insurer, member_id, client_id, detail, person_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &entry.id,
        entry.at,
        &entry.actor,
        &entry.action,
        &entry.insurer,
        &entry.member_id,
        &entry.client_id,
        &entry.detail,
        entry.person()
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
             'member.reported', 'member.documents_accepted', 'member.login_id_changed',
             'recovery.password_replaced', 'recovery.login_id_shown')
         order by at desc, id desc limit $5"
        ),
        member_id,
        since,
        at,
        id,
        limit
    )
}

/// What the roster itself says happened to a person.
const ROSTER_LINES: &str = "(
     select 'added-' || id as id, created_at as at, 'system' as actor, 'roster.person_added' as action, insurer,
            cast(null as text) as member_id, cast(null as text) as client_id, '{}' as detail
     from roster_person where id = $1
     union all
     select 'lost-' || id, lost_at, 'system', 'roster.person_lost', insurer, null, null, '{}'
     from roster_person where id = $1 and lost_at is not null) as lines where true";

/// Mails that were sent to an address, wait or failed, and that it bounced.
const MAIL_LINES: &str = "(
     select 'mail-' || id as id, coalesce(finished_at, created_at) as at, 'system' as actor,
            'mail.' || state as action, insurer, cast(null as text) as member_id,
            cast(null as text) as client_id, '{\"kind\":\"' || kind || '\"}' as detail
     from outbox where recipient_mac = $1
     union all
     select 'bounce-' || id, created_at, 'system', 'mail.bounced', insurer, null, null, '{}'
     from bounce where recipient_mac = $1) as lines where true";

/// Whose lines.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The person of the roster.
    pub person: &'a str,
    /// The account; empty: none.
    pub member: &'a str,
    /// Keyed hash of the address that mails go to; empty: none.
    pub recipient: &'a str,
}

/// The newest `limit` lines about a person, before `before` if it is given. Each kind of line is read along its
/// own index, and they are put in order here; so identifiers are compared octet by octet, as Rust does.
pub async fn of_person(
    db: &Db,
    whose: Whose<'_>,
    before: Option<&Position>,
    limit: i64,
) -> Result<Vec<Entry>, StorageError> {
    let (at, id) = before.map_or((i64::MAX, ""), |position| (position.at, position.id.as_str()));
    let bytewise = On::from(db).bytewise();
    let mut lines: Vec<Entry> = Vec::new();
    for (source, key) in [
        ("audit where person_id = $1", whose.person),
        (ROSTER_LINES, whose.person),
        (MAIL_LINES, whose.recipient),
        (concat!(lines!(), " where member_id = $1"), whose.member),
    ] {
        if key.is_empty() {
            continue;
        }
        let statement = format!(
            "select id, at, actor, action, insurer, member_id, client_id, detail from {source}
             and (at, id{bytewise}) < ($2, $3) order by at desc, id{bytewise} desc limit $4"
        );
        // Every word of it stands in this file.
        let found: Vec<Entry> = query!(db, fetch_all, AssertSqlSafe(statement), key, at, id, limit)?;
        lines.extend(found);
    }
    lines.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    // What an operator did to an account is about both.
    lines.dedup_by(|a, b| a.id == b.id);
    lines.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(lines)
}
