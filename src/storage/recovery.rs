//! Table `recovery`: mailed links of members who forgot their login ID or their password.

use super::{
    Db, On, StorageError,
    db::{execute, query, query_scalar},
    locale_of,
    member_change::wiped,
};
use crate::{clock::Timestamp, texts::Locale};

/// What was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The login ID: the link shows it.
    LoginId,
    /// The password: the link replaces it.
    Password,
}

impl Kind {
    /// As in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoginId => "login_id",
            Self::Password => "password",
        }
    }
}

/// A link to store.
pub struct NewLink<'a> {
    /// Identifier.
    pub id: &'a str,
    /// What was forgotten.
    pub kind: Kind,
    /// The member; nobody's, and nothing is stored, when no active account has it.
    pub member_id: &'a str,
    /// SHA-256 of the token, base64url.
    pub token_hash: &'a str,
    /// SHA-256 of the browser binding.
    pub browser: &'a str,
    /// The interaction to go back to.
    pub interaction: Option<&'a str>,
    /// Language of the page that asked.
    pub locale: Locale,
    /// The present.
    pub now: Timestamp,
    /// When the link dies.
    pub expires_at: Timestamp,
}

/// A link that is alive.
#[derive(Clone)]
pub struct Recovery {
    /// Identifier.
    pub id: String,
    /// The member.
    pub member_id: String,
    /// SHA-256 of the token, base64url.
    pub token_hash: String,
    /// SHA-256 of the browser binding that asked.
    pub browser: String,
    /// The interaction to go back to.
    pub interaction: Option<String>,
    /// Language of the page that asked.
    pub locale: Locale,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    member_id: String,
    token_hash: String,
    browser: String,
    interaction: Option<String>,
    locale: String,
}

impl TryFrom<Row> for Recovery {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let locale = locale_of("recovery", &row.id, &row.locale)?;
        Ok(Self {
            locale,
            id: row.id,
            member_id: row.member_id,
            token_hash: row.token_hash,
            browser: row.browser,
            interaction: row.interaction,
        })
    }
}

/// Stores a link in place of an older one of the same kind, which is void from now on. The statement is
/// the same for a member and for nobody; true if there was one.
pub async fn replace(on: impl Into<On<'_>>, link: &NewLink<'_>) -> Result<bool, StorageError> {
    let stored = execute!(
        on,
        "insert into recovery (id, kind, member_id, token_hash, browser, interaction, locale, created_at,
             expires_at)
         select $1, $2, id, $4, $5, $6, $7, $8, $9 from member where id = $3 and state = 'active'
         on conflict (member_id, kind) do update set id = excluded.id, token_hash = excluded.token_hash,
             browser = excluded.browser, interaction = excluded.interaction, locale = excluded.locale,
             created_at = excluded.created_at, expires_at = excluded.expires_at, misses = 0, used_at = null",
        link.id,
        link.kind.as_str(),
        link.member_id,
        link.token_hash,
        link.browser,
        link.interaction,
        link.locale.tag(),
        link.now.millis(),
        link.expires_at.millis()
    )?;
    Ok(stored == 1)
}

/// The live link that a mailed token opens, by the token's hash. Reading it changes nothing.
pub async fn by_token(
    on: impl Into<On<'_>>,
    kind: Kind,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<Recovery>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        "select id, member_id, token_hash, browser, interaction, locale from recovery
         where token_hash = $1 and kind = $2 and used_at is null and expires_at > $3",
        token_hash,
        kind.as_str(),
        now.millis()
    )?;
    row.map(Recovery::try_from).transpose()
}

/// Counts one try *before* it is looked at, so that parallel guesses cannot outrun the limit. `None` when
/// the limit was used up or the link is dead.
pub async fn begin_attempt(
    on: impl Into<On<'_>>,
    link: &Recovery,
    limit: i64,
    now: Timestamp,
) -> Result<Option<i64>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "update recovery set misses = misses + 1
         where id = $1 and token_hash = $2 and misses < $3 and used_at is null and expires_at > $4
         returning misses",
        &link.id,
        &link.token_hash,
        limit,
        now.millis()
    )
}

/// Uses a link up; of several users one gets true.
pub async fn consume(on: impl Into<On<'_>>, link: &Recovery, now: Timestamp) -> Result<bool, StorageError> {
    let used = execute!(
        on,
        "update recovery set used_at = $3
         where id = $1 and token_hash = $2 and used_at is null and expires_at > $3",
        &link.id,
        &link.token_hash,
        now.millis()
    )?;
    Ok(used == 1)
}

/// Erases every link of a member.
pub async fn erase_of_member(on: impl Into<On<'_>>, member_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from recovery where member_id = $1", member_id)?;
    Ok(())
}

/// Erases links that have died of age; gives how many.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StorageError> {
    execute!(db, "delete from recovery where expires_at <= $1", now.millis())
}

/// The active account of an address and a birth date, at the insurer with this portal code, or whichever the
/// insurer if that is empty: of several, one whose person
/// is in the roster, and of those the newest. `by_email_only` leaves out those who have another login ID.
pub async fn member_of(
    on: impl Into<On<'_>>,
    email_key: &str,
    birth_date: &str,
    insurer: &str,
    by_email_only: bool,
) -> Result<Option<String>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "select m.id from member as m join roster_person as p on p.id = m.person_id
         where m.email_key = $1 and m.state = 'active' and p.birth_date = $2
           and (p.category <> 'insured' or p.former_login = 'email' or $3 = 0)
           and ($4 = '' or m.insurer = $4)
         order by case when p.lost_at is null then 0 else 1 end, m.activated_at desc, m.id
         limit 1",
        email_key,
        birth_date,
        i64::from(by_email_only),
        insurer
    )
}

/// Every account of an address, whatever its state, with the insurer of each.
pub async fn accounts_of(
    on: impl Into<On<'_>>,
    email_key: &str,
) -> Result<Vec<(String, String)>, StorageError> {
    query!(on, fetch_all, "select id, insurer from member where email_key = $1 order by id", email_key)
}

/// Wipes an account (初期化), or opens a closed one for a new registration: it keeps its subject, its person and
/// its receipts, and nothing else. False when it is reset already.
pub async fn reset_member(
    on: impl Into<On<'_>>,
    member_id: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        concat!(
            "update member set state = 'reset', ",
            wiped!(),
            ", sessions_valid_from = $2, updated_at = $2
             where id = $1 and state in ('active', 'frozen', 'closed')"
        ),
        member_id,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Voids all sessions and grants of an account that were given before `now`.
pub async fn end_sessions(
    on: impl Into<On<'_>>,
    member_id: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "update member set sessions_valid_from = $2 where id = $1 and sessions_valid_from < $2",
        member_id,
        now.millis()
    )?;
    Ok(())
}

/// Replaces the password of an active member and voids all sessions and grants from before.
pub async fn set_password(
    on: impl Into<On<'_>>,
    member_id: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set password_hash = $2, password_changed_at = $3,
                sessions_valid_from = case when sessions_valid_from > $3 then sessions_valid_from else $3 end
         where id = $1 and state = 'active'",
        member_id,
        password_hash,
        now.millis()
    )?;
    Ok(changed == 1)
}
