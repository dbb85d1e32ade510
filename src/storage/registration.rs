//! Table `registration`: first-time registrations whose mailed link is out, one a person.
//!
//! They are durable, not ephemeral, because completing one changes the member, the receipts, the
//! preferences and the outbox in one transaction: nothing may be half-written.

use std::collections::BTreeMap;

use super::{
    Db, On, StorageError, Tx,
    db::{execute, query, query_scalar},
    document::Receipt,
    from_json, locale_of, to_json,
};
use crate::{clock::Timestamp, texts::Locale};

/// A registration that waits for its link to be opened.
#[derive(Clone)]
pub struct Registration {
    /// Identifier.
    pub id: String,
    /// Person of the roster.
    pub person_id: String,
    /// Keyed hash of the person as matched; the row of the roster may have changed since.
    pub person_mark: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// SHA-256 of the mailed token, base64url.
    pub token_hash: String,
    /// SHA-256 of the browser binding that it was started in.
    pub browser: String,
    /// The interaction that it belongs to.
    pub interaction: String,
    /// The relying party that the member came from.
    pub client_id: Option<String>,
    /// Address that the link went to.
    pub email: String,
    /// Lower-cased address.
    pub email_key: String,
    /// Kana name as typed, matched with the roster.
    pub kana: String,
    /// PHC string of the chosen password.
    pub password_hash: String,
    /// 配信設定: topic → the wording agreed to, for those that were wanted, and `null` for the others.
    pub preferences: BTreeMap<String, Choice>,
    /// Documents accepted.
    pub receipts: Vec<Receipt>,
    /// Language of the pages.
    pub locale: Locale,
    /// Mails sent so far.
    pub sends: i64,
    /// When the latest mail was handed to the outbox.
    pub sent_at: Timestamp,
    /// When the link dies.
    pub expires_at: Timestamp,
}

/// One 配信設定 as the member left it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Choice {
    /// Whether the box was ticked.
    pub wanted: bool,
    /// The words beside the box.
    pub wording: String,
}

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "id, person_id, person_mark, insurer, token_hash, browser, interaction, client_id, email, email_key,
         kana, password_hash, preferences, receipts, locale, sends, sent_at, expires_at"
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    person_id: String,
    person_mark: String,
    insurer: String,
    token_hash: String,
    browser: String,
    interaction: String,
    client_id: Option<String>,
    email: String,
    email_key: String,
    kana: String,
    password_hash: String,
    preferences: String,
    receipts: String,
    locale: String,
    sends: i64,
    sent_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for Registration {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let locale = locale_of("registration", &row.id, &row.locale)?;
        Ok(Self {
            preferences: from_json("registration", "preferences", &row.id, &row.preferences)?,
            receipts: from_json("registration", "receipts", &row.id, &row.receipts)?,
            locale,
            id: row.id,
            person_id: row.person_id,
            person_mark: row.person_mark,
            insurer: row.insurer,
            token_hash: row.token_hash,
            browser: row.browser,
            interaction: row.interaction,
            client_id: row.client_id,
            email: row.email,
            email_key: row.email_key,
            kana: row.kana,
            password_hash: row.password_hash,
            sends: row.sends,
            sent_at: Timestamp::from_millis(row.sent_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}

/// Stores a registration in place of an older one of the same person, whose link dies with it. False when
/// this very registration is stored already, as after a double submit; then nothing changes.
pub async fn replace(tx: &mut Tx, registration: &Registration, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        tx,
        "insert into registration (id, person_id, insurer, token_hash, browser, interaction, client_id, email,
             email_key, kana, password_hash, preferences, receipts, locale, sends, created_at, sent_at, expires_at,
             person_mark)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17, $18)
         on conflict (person_id) do update set id = excluded.id, insurer = excluded.insurer,
             token_hash = excluded.token_hash, browser = excluded.browser, interaction = excluded.interaction,
             client_id = excluded.client_id, email = excluded.email, email_key = excluded.email_key,
             kana = excluded.kana, password_hash = excluded.password_hash,
             preferences = excluded.preferences, receipts = excluded.receipts, locale = excluded.locale,
             misses = 0, sends = excluded.sends, created_at = excluded.created_at,
             sent_at = excluded.sent_at, expires_at = excluded.expires_at,
             person_mark = excluded.person_mark
         where registration.id <> excluded.id",
        &registration.id,
        &registration.person_id,
        &registration.insurer,
        &registration.token_hash,
        &registration.browser,
        &registration.interaction,
        &registration.client_id,
        &registration.email,
        &registration.email_key,
        &registration.kana,
        &registration.password_hash,
        to_json(&registration.preferences),
        to_json(&registration.receipts),
        registration.locale.tag(),
        registration.sends,
        now.millis(),
        registration.expires_at.millis(),
        &registration.person_mark
    );
    match changed {
        // PostgreSQL may meet the same registration of a parallel request by its primary key, which is not
        // what `on conflict` watches; by then the other one is stored.
        Err(error) if error.is_conflict() => Ok(false),
        changed => Ok(changed? == 1),
    }
}

/// The live registration that a mailed token opens, by the token's hash.
pub async fn by_token(
    on: impl Into<On<'_>>,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<Registration>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!("select ", columns!(), " from registration where token_hash = $1 and expires_at > $2"),
        token_hash,
        now.millis()
    )?;
    row.map(Registration::try_from).transpose()
}

/// The live registration with this identifier.
pub async fn find(
    on: impl Into<On<'_>>,
    id: &str,
    now: Timestamp,
) -> Result<Option<Registration>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!("select ", columns!(), " from registration where id = $1 and expires_at > $2"),
        id,
        now.millis()
    )?;
    row.map(Registration::try_from).transpose()
}

/// Counts one attempt at the link's password *before* it is verified, so that parallel guesses cannot
/// outrun the limit. `None` when the limit was used up or the registration is gone.
pub async fn begin_attempt(
    on: impl Into<On<'_>>,
    id: &str,
    token_hash: &str,
    limit: i64,
    now: Timestamp,
) -> Result<Option<i64>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "update registration set misses = misses + 1
         where id = $1 and token_hash = $2 and misses < $3 and expires_at > $4 returning misses",
        id,
        token_hash,
        limit,
        now.millis()
    )
}

/// Removes the registration if this token still opens it: of two completions one wins.
pub async fn consume(
    on: impl Into<On<'_>>,
    id: &str,
    token_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let gone = execute!(
        on,
        "delete from registration where id = $1 and token_hash = $2 and expires_at > $3",
        id,
        token_hash,
        now.millis()
    )?;
    Ok(gone == 1)
}

/// Erases a registration.
pub async fn erase(on: impl Into<On<'_>>, id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from registration where id = $1", id)?;
    Ok(())
}

/// Erases the registration of a person, if there is one.
pub async fn erase_of_person(on: impl Into<On<'_>>, person_id: &str) -> Result<(), StorageError> {
    execute!(on, "delete from registration where person_id = $1", person_id)?;
    Ok(())
}

/// Gives the registration a new link in place of the old one; false when `limit` mails were sent. Wrong
/// passwords stay counted, since it is still the same registration.
pub async fn renew(
    on: impl Into<On<'_>>,
    id: &str,
    token_hash: &str,
    limit: i64,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update registration set token_hash = $2, sends = sends + 1, sent_at = $4, expires_at = $5
         where id = $1 and sends < $3 and expires_at > $4",
        id,
        token_hash,
        limit,
        now.millis(),
        expires_at.millis()
    )?;
    Ok(changed == 1)
}

/// Counts a mail with the link of a registration, and gives how many of the person's there were since
/// `since`. In the transaction of [`replace`] or [`renew`] the row of the registration is held, so parallel
/// mails of a person cannot outrun the limit.
pub async fn count_mail(
    tx: &mut Tx,
    id: &str,
    person_id: &str,
    now: Timestamp,
    since: Timestamp,
) -> Result<i64, StorageError> {
    execute!(
        &mut *tx,
        "insert into registration_mail (id, person_id, sent_at) values ($1, $2, $3)",
        id,
        person_id,
        now.millis()
    )?;
    query_scalar!(
        tx,
        fetch_one,
        "select count(*) from registration_mail where person_id = $1 and sent_at > $2",
        person_id,
        since.millis()
    )
}

/// Forgets mails that were sent before `before`.
pub async fn sweep_mails(db: &Db, before: Timestamp) -> Result<u64, StorageError> {
    execute!(db, "delete from registration_mail where sent_at <= $1", before.millis())
}

/// Erases registrations whose link has died; gives how many.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StorageError> {
    execute!(db, "delete from registration where expires_at <= $1", now.millis())
}
