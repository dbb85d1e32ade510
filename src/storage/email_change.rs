//! Table `email_change`: changes of address whose mailed link is out, one a member.

use super::{
    On, StorageError,
    db::{execute, query},
    locale_of,
};
use crate::{clock::Timestamp, texts::Locale};

/// A change of address that waits for its link to be opened.
#[derive(Clone)]
pub struct EmailChange {
    /// The member.
    pub member_id: String,
    /// SHA-256 of the mailed token, base64url.
    pub token_hash: String,
    /// The new address.
    pub email: String,
    /// The new address in lower case.
    pub email_key: String,
    /// Language of the page that asked.
    pub locale: Locale,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the link is void.
    pub expires_at: Timestamp,
}

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "member_id, token_hash, email, email_key, locale, created_at, expires_at"
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: String,
    token_hash: String,
    email: String,
    email_key: String,
    locale: String,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for EmailChange {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let locale = locale_of("email_change", &row.member_id, &row.locale)?;
        Ok(Self {
            member_id: row.member_id,
            token_hash: row.token_hash,
            email: row.email,
            email_key: row.email_key,
            locale,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}

/// Stores the change in place of an older one of the member, whose link is void from now on.
pub async fn replace(on: impl Into<On<'_>>, change: &EmailChange) -> Result<(), StorageError> {
    execute!(
        on,
        concat!(
            "insert into email_change (",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (member_id) do update set token_hash = $2, email = $3, email_key = $4, locale = $5,
                 created_at = $6, expires_at = $7"
        ),
        &change.member_id,
        &change.token_hash,
        &change.email,
        &change.email_key,
        change.locale.tag(),
        change.created_at.millis(),
        change.expires_at.millis()
    )?;
    Ok(())
}

/// The change of a member, if its link is alive.
pub async fn of_member(
    on: impl Into<On<'_>>,
    member_id: &str,
    now: Timestamp,
) -> Result<Option<EmailChange>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!("select ", columns!(), " from email_change where member_id = $1 and expires_at > $2"),
        member_id,
        now.millis()
    )?;
    row.map(EmailChange::try_from).transpose()
}

/// The change of a mailed token, if it is alive. Reading it changes nothing.
pub async fn by_token(
    on: impl Into<On<'_>>,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<EmailChange>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!("select ", columns!(), " from email_change where token_hash = $1 and expires_at > $2"),
        token_hash,
        now.millis()
    )?;
    row.map(EmailChange::try_from).transpose()
}

/// Uses the link up; of several users one gets true.
pub async fn consume(on: impl Into<On<'_>>, token_hash: &str, now: Timestamp) -> Result<bool, StorageError> {
    let gone = execute!(
        on,
        "delete from email_change where token_hash = $1 and expires_at > $2",
        token_hash,
        now.millis()
    )?;
    Ok(gone == 1)
}

/// Forgets the change of a member.
pub async fn erase(on: impl Into<On<'_>>, member_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from email_change where member_id = $1", member_id)?;
    Ok(())
}
