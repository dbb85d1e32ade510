//! Table `member`: accounts, each bound to one person of the roster.

use super::{
    On, StorageError,
    columns::{AnyRow, Columns},
    db::{execute, query},
    instant, locale_of,
};
use crate::{clock::Timestamp, texts::Locale};

/// Whether an account can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// It can.
    Active,
    /// An operator reset it; activation starts anew.
    Reset,
    /// Stopped because of a report.
    Frozen,
    /// Ended for good.
    Closed,
}

impl MemberState {
    /// As in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reset => "reset",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Reset, Self::Frozen, Self::Closed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// An account.
#[derive(Clone)]
pub struct Member {
    /// The subject; never changes, not even after a reset.
    pub id: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// The person of the roster.
    pub person_id: String,
    /// Whether it can sign in.
    pub state: MemberState,
    /// Verified e-mail address.
    pub email: Option<String>,
    /// When the address was verified by the mailed link.
    pub email_verified_at: Option<Timestamp>,
    /// Kana name as the member typed it.
    pub kana: Option<String>,
    /// PHC string of the password.
    pub password_hash: Option<String>,
    /// Sessions and grants from before this instant are void.
    pub sessions_valid_from: Timestamp,
    /// Language of mails.
    pub locale: Locale,
    /// The registration that activated it last.
    pub activated_by: Option<String>,
    /// When it was activated last.
    pub activated_at: Option<Timestamp>,
    /// Last change of what relying parties see.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "id, insurer, person_id, state, email, email_verified_at, kana, password_hash, sessions_valid_from,
         locale, activated_by, activated_at, updated_at"
    };
}
pub(super) use columns;

/// A row as it is read.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    insurer: String,
    person_id: String,
    state: String,
    email: Option<String>,
    email_verified_at: Option<i64>,
    kana: Option<String>,
    password_hash: Option<String>,
    sessions_valid_from: i64,
    locale: String,
    activated_by: Option<String>,
    activated_at: Option<i64>,
    updated_at: i64,
}

impl Row {
    /// Reads the columns in their order.
    pub(super) fn read<R: AnyRow>(columns: &mut Columns<'_, R>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: columns.next()?,
            insurer: columns.next()?,
            person_id: columns.next()?,
            state: columns.next()?,
            email: columns.next()?,
            email_verified_at: columns.next()?,
            kana: columns.next()?,
            password_hash: columns.next()?,
            sessions_valid_from: columns.next()?,
            locale: columns.next()?,
            activated_by: columns.next()?,
            activated_at: columns.next()?,
            updated_at: columns.next()?,
        })
    }
}

impl TryFrom<Row> for Member {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let impossible = |column, reason: &str| StorageError::Impossible {
            table: "member",
            column,
            row: row.id.clone(),
            reason: reason.to_owned(),
        };
        let state = MemberState::parse(&row.state).ok_or_else(|| impossible("state", "unknown state"))?;
        let locale = locale_of("member", &row.id, &row.locale)?;
        Ok(Self {
            state,
            locale,
            id: row.id,
            insurer: row.insurer,
            person_id: row.person_id,
            email: row.email,
            email_verified_at: instant(row.email_verified_at),
            kana: row.kana,
            password_hash: row.password_hash,
            sessions_valid_from: Timestamp::from_millis(row.sessions_valid_from),
            activated_by: row.activated_by,
            activated_at: instant(row.activated_at),
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}

/// The account with this subject.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Member>, StorageError> {
    let row: Option<Row> =
        query!(on, fetch_optional, concat!("select ", columns!(), " from member where id = $1"), id)?;
    row.map(Member::try_from).transpose()
}

/// The account of a person of the roster.
pub async fn of_person(on: impl Into<On<'_>>, person_id: &str) -> Result<Option<Member>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!("select ", columns!(), " from member where person_id = $1"),
        person_id
    )?;
    row.map(Member::try_from).transpose()
}

/// The account that holds an e-mail address, by its lower-cased key.
pub async fn of_email(
    on: impl Into<On<'_>>,
    insurer: &str,
    email_key: &str,
) -> Result<Option<Member>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        concat!("select ", columns!(), " from member where insurer = $1 and email_key = $2"),
        insurer,
        email_key
    )?;
    row.map(Member::try_from).transpose()
}

/// The accounts whose login ID is an e-mail address, by its lower-cased key: those of dependents and
/// voluntarily insured persons, and of those who were that and have not set up their number yet; at most one an
/// insurer. `insurer` is the portal code of the one to look at, or empty for all. Those that can sign in come
/// first, and of them those
/// whose person is in the roster.
pub async fn of_login_email(
    on: impl Into<On<'_>>,
    email_key: &str,
    insurer: &str,
    most: i64,
) -> Result<Vec<Member>, StorageError> {
    let rows: Vec<Row> = query!(
        on,
        fetch_all,
        concat!(
            "select ",
            columns!(),
            " from member
             where email_key = $1 and ($3 = '' or insurer = $3) and person_id in (
                 select id from roster_person
                 where category in ('dependent', 'voluntary') or former_login = 'email')
             order by case when state = 'active' then 0 else 1 end,
                      (select case when p.lost_at is null then 0 else 1 end from roster_person as p
                       where p.id = person_id),
                      activated_at desc, id
             limit $2"
        ),
        email_key,
        most,
        insurer
    )?;
    rows.into_iter().map(Member::try_from).collect()
}

/// What a completed registration makes of a person.
pub struct Activation<'a> {
    /// Subject for a person who never had an account.
    pub fresh_id: &'a str,
    /// The registration that completes.
    pub registration: &'a super::registration::Registration,
    /// The present.
    pub now: Timestamp,
}

/// Makes the account active: a new row, or the row of a reset account, whose subject stays. False when
/// the person has an account that is neither absent nor reset. [`StorageError::Conflict`] when another
/// account of the insurer has the address.
pub async fn activate(on: impl Into<On<'_>>, activation: Activation<'_>) -> Result<bool, StorageError> {
    let registration = activation.registration;
    let changed = execute!(
        on,
        "insert into member (id, insurer, person_id, state, email, email_key, email_verified_at, kana,
             password_hash, password_changed_at, sessions_valid_from, locale, activated_by, activated_at,
             created_at, updated_at)
         values ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $6, $6, $9, $10, $6, $6, $6)
         on conflict (person_id) do update set state = 'active', email = $4, email_key = $5,
             email_verified_at = $6, kana = $7, password_hash = $8, password_changed_at = $6,
             sessions_valid_from = $6, locale = $9, activated_by = $10, activated_at = $6, updated_at = $6
         where member.state = 'reset'",
        activation.fresh_id,
        &registration.insurer,
        &registration.person_id,
        registration.email.as_str(),
        &registration.email_key,
        activation.now.millis(),
        &registration.kana,
        &registration.password_hash,
        registration.locale.tag(),
        &registration.id
    )?;
    Ok(changed == 1)
}

/// Stores the same password under newer hash parameters, if it was not changed meanwhile.
pub async fn rehash(
    on: impl Into<On<'_>>,
    id: &str,
    old_hash: &str,
    new_hash: &str,
) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update member set password_hash = $3 where id = $1 and password_hash = $2",
        id,
        old_hash,
        new_hash
    )?;
    Ok(changed == 1)
}
