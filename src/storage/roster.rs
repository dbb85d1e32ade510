//! Table `roster_person`: who is eligible (適用台帳), and the temporary password of each.

use jiff::{SignedDuration, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    StorageError,
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
        let last_before_loss = self.lost_at.map(|at| at.day_in_japan().yesterday().unwrap_or(Date::MIN));
        let grace = SignedDuration::from_hours(24 * i64::from(grace_days));
        let over = [self.valid_until, last_before_loss]
            .into_iter()
            .flatten()
            .any(|last| last.saturating_add(grace) < day);
        !over && self.valid_from.is_none_or(|first| first <= day)
    }

    /// Whether the temporary password (the birth date) still opens the activation.
    pub fn temporary_password_open(&self, now: Timestamp, policy: &Policy) -> bool {
        let usable = std::time::Duration::from_secs(86_400 * u64::from(policy.temporary_password_days));
        self.temporary_void_at.is_none() && now < self.temporary_since.plus(usable)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
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
        })
    }
}

/// The person with this id.
pub async fn find(on: impl Into<On<'_>>, id: &str) -> Result<Option<Person>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        "select id, insurer, person_key, category, symbol, number, branch, kana, birth_date, valid_from,
                valid_until, email, lost_at, temporary_since, temporary_void_at
         from roster_person where id = $1",
        id
    )?;
    row.map(Person::try_from).transpose()
}

/// The insured person (一般被保険者) behind a login ID. Numbers are given again: a person who is in the
/// roster comes before one who left it, and a newer one before an older one.
pub async fn find_insured(
    on: impl Into<On<'_>>,
    insurer: &str,
    symbol: &str,
    number: &str,
) -> Result<Option<Person>, StorageError> {
    let row: Option<Row> = query!(
        on,
        fetch_optional,
        "select id, insurer, person_key, category, symbol, number, branch, kana, birth_date, valid_from,
                valid_until, email, lost_at, temporary_since, temporary_void_at
         from roster_person
         where insurer = $1 and symbol = $2 and number = $3 and category = 'insured'
         order by case when lost_at is null then 0 else 1 end, created_at desc, id
         limit 1",
        insurer,
        symbol,
        number
    )?;
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
        "select id, insurer, person_key, category, symbol, number, branch, kana, birth_date, valid_from,
                valid_until, email, lost_at, temporary_since, temporary_void_at
         from roster_person
         where insurer = $1 and symbol = $2 and number = $3 and category in ('dependent', 'voluntary')
           and kana_folded = $4 and birth_date = $5
         order by id limit 16",
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

/// Counts a wrong name after a right birth date; at `limit` the temporary password is void. True when it
/// is void now.
pub async fn note_kana_miss(
    on: impl Into<On<'_>>,
    id: &str,
    limit: i64,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let void: Option<Option<i64>> = query_scalar!(
        on,
        fetch_optional,
        "update roster_person set temporary_kana_misses = temporary_kana_misses + 1,
                temporary_void_at = case when temporary_kana_misses + 1 >= $2 then $3 end
         where id = $1 and temporary_void_at is null
         returning temporary_void_at",
        id,
        limit,
        now.millis()
    )?;
    Ok(void.is_none_or(|void| void.is_some()))
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
                temporary_void_at = null
         where id = $1",
        id,
        now.millis()
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::storage::Db;

    const NOW: Timestamp = Timestamp::from_millis(1_782_864_000_000); // 2026-07-01 in Japan
    const DAY: std::time::Duration = std::time::Duration::from_hours(24);

    async fn db() -> Db {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        for (id, lost_at, created_at) in [("old", None, 1_i64), ("new", None, 2), ("gone", Some(3_i64), 3)] {
            execute!(
                &db,
                "insert into roster_person (id, insurer, identity, category, symbol, number, kana, kana_folded,
                                            birth_date, lost_at, temporary_since, created_at, updated_at)
                 values ($1, '7132', $1, 'insured', '091', '000001', 'ヤマ', 'ヤマ', '1999-01-21', $2, $3, $4, 0)",
                id,
                lost_at,
                NOW.millis(),
                created_at
            )
            .unwrap();
        }
        db
    }

    async fn person(db: &Db, id: &str) -> Person {
        find(db, id).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_newest_person_of_a_number_who_is_not_lost_comes_first() {
        let db = db().await;
        let found = find_insured(&db, "7132", "091", "000001").await.unwrap().unwrap();
        assert_eq!(found.id, "new");
        assert!(find_insured(&db, "7132", "091", "000002").await.unwrap().is_none());
        assert!(find_insured(&db, "9001", "091", "000001").await.unwrap().is_none());
        assert!(!format!("{found:?}").contains("091"));
    }

    #[tokio::test]
    async fn the_temporary_password_is_void_at_the_limit_and_stays_so() {
        let db = db().await;
        assert!(!note_temporary_failure(&db, "old", 2, NOW).await.unwrap());
        assert!(!note_kana_miss(&db, "old", 2, NOW).await.unwrap(), "the two are counted apart");
        assert!(note_temporary_failure(&db, "old", 2, NOW).await.unwrap());
        assert!(note_temporary_failure(&db, "old", 99, NOW.plus(DAY)).await.unwrap());
        assert_eq!(person(&db, "old").await.temporary_void_at, Some(NOW));
        assert_eq!(person(&db, "new").await.temporary_void_at, None);
        assert!(note_temporary_failure(&db, "", 2, NOW).await.is_ok(), "nobody is no error");

        reissue_temporary_password(&db, "old", NOW.plus(DAY)).await.unwrap();
        assert!(!note_kana_miss(&db, "old", 2, NOW).await.unwrap());
        assert!(note_kana_miss(&db, "old", 2, NOW).await.unwrap());
        end_temporary_password(&db, "new", NOW).await.unwrap();
        assert_eq!(person(&db, "new").await.temporary_void_at, Some(NOW));
    }

    #[tokio::test]
    async fn the_temporary_password_is_open_for_the_days_of_the_policy() {
        let db = db().await;
        let mut person = person(&db, "old").await;
        let policy = Policy { temporary_password_days: 90, ..Policy::default() };
        assert!(person.temporary_password_open(NOW.plus(DAY * 90).minus(DAY / 86_400), &policy));
        assert!(!person.temporary_password_open(NOW.plus(DAY * 90), &policy));
        person.temporary_void_at = Some(NOW);
        assert!(!person.temporary_password_open(NOW, &policy));
    }

    #[tokio::test]
    async fn eligibility_has_its_days_and_the_days_of_grace() {
        let mut person = person(&db().await, "old").await;
        assert!(person.eligible_on(date(1950, 1, 1), 0));
        person.valid_from = Some(date(2020, 4, 1));
        person.valid_until = Some(date(2026, 3, 31));
        assert!(!person.eligible_on(date(2020, 3, 31), 0));
        assert!(person.eligible_on(date(2020, 4, 1), 0));
        assert!(person.eligible_on(date(2026, 3, 31), 0));
        assert!(!person.eligible_on(date(2026, 4, 1), 0));
        assert!(person.eligible_on(date(2026, 4, 10), 10));
        assert!(!person.eligible_on(date(2026, 4, 11), 10));
        assert!(person.eligible_on(date(9999, 12, 31), u32::MAX));
        person.lost_at = Some(NOW);
        person.valid_until = None;
        assert!(person.eligible_on(date(2026, 6, 30), 0));
        assert!(!person.eligible_on(date(2026, 7, 1), 0));
        assert!(person.eligible_on(date(2026, 7, 1), 1));
    }

    #[tokio::test]
    async fn an_impossible_row_names_its_place_and_not_its_value() {
        let db = db().await;
        execute!(&db, "update roster_person set birth_date = '1999-02-31' where id = 'old'").unwrap();
        let error = find(&db, "old").await.unwrap_err().to_string();
        assert!(error.contains("roster_person.birth_date of row old") && !error.contains("1999"), "{error}");
    }
}
