//! Table `roster_person`: who is eligible (適用台帳), and the temporary password of each.

use jiff::{SignedDuration, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    StorageError,
    columns::{AnyRow, Columns},
    db::{On, execute, query, query_scalar},
};
use crate::{
    clock::Timestamp,
    config::insurer::Policy,
    members::{BirthDate, EmailAddress, KanaName},
};

/// How a person is insured (区分).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// 一般被保険者.
    Insured,
    /// 被扶養者.
    Dependent,
    /// 任意継続被保険者.
    Voluntary,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 3] = [Self::Insured, Self::Dependent, Self::Voluntary];

    /// As in the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insured => "insured",
            Self::Dependent => "dependent",
            Self::Voluntary => "voluntary",
        }
    }

    /// As on the screen and in the roster.
    pub const fn japanese(self) -> &'static str {
        match self {
            Self::Insured => "一般被保険者",
            Self::Dependent => "被扶養者",
            Self::Voluntary => "任意継続被保険者",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == text)
    }
}

/// What the login ID was made of before a change of category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormerLogin {
    /// The number that an insured person had, who is voluntarily insured now.
    Number,
    /// The address of somebody who is insured now.
    Email,
}

impl FormerLogin {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "number" => Some(Self::Number),
            "email" => Some(Self::Email),
            _ => None,
        }
    }
}

/// A person of an insurer's roster.
#[derive(Clone)]
pub struct Person {
    /// Primary key; stays when the roster changes.
    pub id: String,
    /// Portal code of the insurer.
    pub insurer: String,
    /// The insurer's own stable key of the person.
    pub person_key: Option<String>,
    /// How the person is insured.
    pub category: Category,
    /// Symbol (記号), padded.
    pub symbol: String,
    /// Number (番号), padded.
    pub number: String,
    /// Branch (枝番), two digits.
    pub branch: Option<String>,
    /// Name.
    pub kana: KanaName,
    /// Day of birth.
    pub birth_date: BirthDate,
    /// First day of eligibility; none: always was.
    pub valid_from: Option<Date>,
    /// Last day of eligibility; none: open.
    pub valid_until: Option<Date>,
    /// E-mail address that the insurer knows.
    pub email: Option<EmailAddress>,
    /// When the person was missing from a full roster.
    pub lost_at: Option<Timestamp>,
    /// When the temporary password was issued.
    pub temporary_since: Timestamp,
    /// When the temporary password became void.
    pub temporary_void_at: Option<Timestamp>,
    /// The login ID from before a change of category, while it still works.
    pub former_login: Option<FormerLogin>,
    /// When somebody said that a registration was not this person's: none begins until the office allows it.
    pub stopped_at: Option<Timestamp>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("category", &self.category)
            .finish_non_exhaustive()
    }
}

impl Person {
    /// Whether the person may use the service on a day (in Japan), `grace_days` after the last day of
    /// eligibility included. Who is missing from a full roster was eligible until the day before.
    pub fn eligible_on(&self, day: Date, grace_days: u32) -> bool {
        let over = self.last_day(grace_days).is_some_and(|last| last < day);
        !over && self.valid_from.is_none_or(|first| first <= day)
    }

    /// The last day on which the person may use the service, `grace_days` included; none
    /// while the eligibility is open-ended.
    pub fn last_day(&self, grace_days: u32) -> Option<Date> {
        let grace = SignedDuration::from_hours(24 * i64::from(grace_days));
        let last_before_loss = self.lost_at.map(|at| at.day_in_japan().yesterday().unwrap_or(Date::MIN));
        [self.valid_until, last_before_loss]
            .into_iter()
            .flatten()
            .min()
            .map(|last| last.saturating_add(grace))
    }

    /// Since when the eligibility is over, whether or not days of grace follow; none while it goes on.
    pub fn lost_since(&self, now: Timestamp) -> Option<Timestamp> {
        let day_after = self.valid_until.map(|last| last.tomorrow().unwrap_or(Date::MAX));
        [day_after.map(Timestamp::start_of_day_in_japan), self.lost_at]
            .into_iter()
            .flatten()
            .min()
            .filter(|over| *over <= now)
    }

    /// Whether the temporary password (the birth date) still opens the activation.
    pub fn temporary_password_open(&self, now: Timestamp, policy: &Policy) -> bool {
        let usable = std::time::Duration::from_secs(86_400 * u64::from(policy.temporary_password_days));
        self.temporary_void_at.is_none() && now < self.temporary_since.plus(usable)
    }
}

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "id, insurer, person_key, category, symbol, number, branch, kana, birth_date, valid_from, valid_until,
         email, lost_at, temporary_since, temporary_void_at, former_login, stopped_at"
    };
}
pub(super) use columns;

/// A row as it is read.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    insurer: String,
    person_key: Option<String>,
    category: String,
    symbol: String,
    number: String,
    branch: Option<String>,
    kana: String,
    birth_date: String,
    valid_from: Option<String>,
    valid_until: Option<String>,
    email: Option<String>,
    lost_at: Option<i64>,
    temporary_since: i64,
    temporary_void_at: Option<i64>,
    former_login: Option<String>,
    stopped_at: Option<i64>,
}

impl Row {
    /// Reads the columns in their order.
    pub(super) fn read<R: AnyRow>(columns: &mut Columns<'_, R>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: columns.next()?,
            insurer: columns.next()?,
            person_key: columns.next()?,
            category: columns.next()?,
            symbol: columns.next()?,
            number: columns.next()?,
            branch: columns.next()?,
            kana: columns.next()?,
            birth_date: columns.next()?,
            valid_from: columns.next()?,
            valid_until: columns.next()?,
            email: columns.next()?,
            lost_at: columns.next()?,
            temporary_since: columns.next()?,
            temporary_void_at: columns.next()?,
            former_login: columns.next()?,
            stopped_at: columns.next()?,
        })
    }
}

impl TryFrom<Row> for Person {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        // The reasons never quote the value, which is personal.
        let impossible = |column, reason: &str| StorageError::Impossible {
            table: "roster_person",
            column,
            row: row.id.clone(),
            reason: reason.to_owned(),
        };
        let day = |column, text: &str| text.parse::<Date>().map_err(|_| impossible(column, "no ISO date"));
        let former_login = row
            .former_login
            .as_deref()
            .map(|text| FormerLogin::parse(text).ok_or_else(|| impossible("former_login", "unknown")))
            .transpose()?;
        Ok(Self {
            category: Category::parse(&row.category).ok_or_else(|| impossible("category", "unknown"))?,
            kana: KanaName::parse(&row.kana).map_err(|_| impossible("kana", "no name in kana"))?,
            birth_date: day("birth_date", &row.birth_date)?.into(),
            valid_from: row.valid_from.as_deref().map(|text| day("valid_from", text)).transpose()?,
            valid_until: row.valid_until.as_deref().map(|text| day("valid_until", text)).transpose()?,
            email: row
                .email
                .as_deref()
                .map(|text| EmailAddress::parse(text).map_err(|_| impossible("email", "no address")))
                .transpose()?,
            id: row.id,
            insurer: row.insurer,
            person_key: row.person_key,
            symbol: row.symbol,
            number: row.number,
            branch: row.branch,
            lost_at: row.lost_at.map(Timestamp::from_millis),
            temporary_since: Timestamp::from_millis(row.temporary_since),
            temporary_void_at: row.temporary_void_at.map(Timestamp::from_millis),
            former_login,
            stopped_at: row.stopped_at.map(Timestamp::from_millis),
        })
    }
}

/// The person with this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Person>, StorageError> {
    let row: Option<Row> =
        query!(on, fetch_optional, concat!("select ", columns!(), " from roster_person where id = $1"), id)?;
    row.map(Person::try_from).transpose()
}

/// Two questions by number, each along its index: `SQLite` would answer one with an `or` by reading the whole
/// roster of the insurer, at every sign-in.
const FIND_INSURED: &str = concat!(
    "select ",
    columns!(),
    " from roster_person
     where id in (
         select id from roster_person
         where insurer = $1 and symbol = $2 and number = $3 and category = 'insured'
         union all
         select id from roster_person
         where insurer = $1 and former_symbol = $2 and former_number = $3 and former_login = 'number')
     order by case when lost_at is null then 0 else 1 end,
              case when category = 'insured' then 0 else 1 end, created_at desc, id
     limit 1"
);

/// The person behind a login ID of a number: an insured person (一般被保険者), or one who was it and has not set
/// up the new login ID yet. Numbers are given again: a person who is in the roster comes before one who left
/// it, the present holder before the former one, and a newer one before an older one.
pub async fn find_insured(
    on: impl Into<On<'_>>,
    insurer: &str,
    symbol: &str,
    number: &str,
) -> Result<Option<Person>, StorageError> {
    let row: Option<Row> = query!(on, fetch_optional, FIND_INSURED, insurer, symbol, number)?;
    row.map(Person::try_from).transpose()
}

/// What a person without a login ID knows of the own row.
pub struct Sought<'a> {
    /// Portal code of the insurer.
    pub insurer: &'a str,
    /// Symbol (記号), padded.
    pub symbol: &'a str,
    /// Number (番号), padded.
    pub number: &'a str,
    /// Name in the form that is compared.
    pub kana_folded: &'a str,
    /// Day of birth, ISO.
    pub birth_date: &'a str,
}

/// The dependents and voluntarily insured persons who are just that. More than one are twins of one name,
/// or one person who left the roster and came back.
pub async fn find_self_registering(
    on: impl Into<On<'_>>,
    sought: &Sought<'_>,
) -> Result<Vec<Person>, StorageError> {
    let rows: Vec<Row> = query!(
        on,
        fetch_all,
        concat!(
            "select ",
            columns!(),
            " from roster_person
             where insurer = $1 and symbol = $2 and number = $3 and category in ('dependent', 'voluntary')
               and kana_folded = $4 and birth_date = $5
             order by id limit 16"
        ),
        sought.insurer,
        sought.symbol,
        sought.number,
        sought.kana_folded,
        sought.birth_date
    )?;
    rows.into_iter().map(Person::try_from).collect()
}

/// Counts a wrong guess of the temporary password; at `limit` it is void. True when it is void now.
pub async fn note_temporary_failure(
    on: impl Into<On<'_>>,
    id: &str,
    limit: i64,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let void: Option<Option<i64>> = query_scalar!(
        on,
        fetch_optional,
        "update roster_person set temporary_failures = temporary_failures + 1,
                temporary_void_at = case when temporary_failures + 1 >= $2 then $3 end
         where id = $1 and temporary_void_at is null
         returning temporary_void_at",
        id,
        limit,
        now.millis()
    )?;
    Ok(void.is_none_or(|void| void.is_some()))
}

/// Takes one of the `limit` tries at the name, *before* the names are compared, so that parallel guesses
/// cannot outrun the limit. `None` when none is left.
pub async fn begin_kana_attempt(
    on: impl Into<On<'_>>,
    id: &str,
    limit: i64,
) -> Result<Option<i64>, StorageError> {
    query_scalar!(
        on,
        fetch_optional,
        "update roster_person set temporary_kana_misses = temporary_kana_misses + 1
         where id = $1 and temporary_void_at is null and temporary_kana_misses < $2
         returning temporary_kana_misses",
        id,
        limit
    )
}

/// Gives the try of a right name back.
pub async fn forgive_kana_attempt(on: impl Into<On<'_>>, id: &str) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_person set temporary_kana_misses = temporary_kana_misses - 1
         where id = $1 and temporary_void_at is null and temporary_kana_misses > 0",
        id
    )?;
    Ok(())
}

/// Ends the temporary password for good, once the person has an account. In a transaction this holds the
/// row until the end: an import of the same person waits.
pub async fn end_temporary_password(
    on: impl Into<On<'_>>,
    id: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_person set temporary_void_at = coalesce(temporary_void_at, $2) where id = $1",
        id,
        now.millis()
    )?;
    Ok(())
}

/// Issues the temporary password again, with all its guesses, as an operator decides.
pub async fn reissue_temporary_password(
    on: impl Into<On<'_>>,
    id: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_person set temporary_since = $2, temporary_failures = 0, temporary_kana_misses = 0,
                temporary_void_at = null, stopped_at = null
         where id = $1",
        id,
        now.millis()
    )?;
    Ok(())
}

/// Lets nobody register as the person until the office allows it.
pub async fn stop(on: impl Into<On<'_>>, id: &str, now: Timestamp) -> Result<(), StorageError> {
    execute!(
        on,
        "update roster_person set stopped_at = coalesce(stopped_at, $2) where id = $1",
        id,
        now.millis()
    )?;
    Ok(())
}

/// Ends a stop; false when there was none.
pub async fn allow(on: impl Into<On<'_>>, id: &str) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update roster_person set stopped_at = null where id = $1 and stopped_at is not null",
        id
    )?;
    Ok(changed == 1)
}

/// Ends the login ID from before a change of category; false when there was none.
pub async fn end_former_login(on: impl Into<On<'_>>, id: &str) -> Result<bool, StorageError> {
    let changed = execute!(
        on,
        "update roster_person set former_login = null, former_symbol = null, former_number = null
         where id = $1 and former_login is not null",
        id
    )?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests;
