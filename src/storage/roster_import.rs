//! Tables `roster_import` and `roster_staging`: a roster file on its way into `roster_person`.
//!
//! Rows are staged in short transactions, then compared with the roster and applied by a handful of
//! statements in one transaction, however many rows there are.

use jiff::{SignedDuration, civil::Date};
use sqlx::QueryBuilder;

use super::{
    StorageError, Tx,
    db::{On, each, execute, query, query_scalar},
    delivery, eligibility,
    roster::Category,
};
use crate::clock::Timestamp;

/// Rows of one insert: 14 values each, below the 999 parameters that any `SQLite` takes.
pub const ROWS_PER_INSERT: usize = 64;

/// A person as a file has it, checked and in canonical form.
#[derive(Clone, PartialEq, Eq)]
pub struct StagedPerson {
    /// Line of the file.
    pub line: i64,
    /// What makes the person the same in the next file.
    pub identity: String,
    /// The insurer's own stable key of the person.
    pub person_key: Option<String>,
    /// How the person is insured.
    pub category: Category,
    /// Symbol, padded.
    pub symbol: String,
    /// Number, padded.
    pub number: String,
    /// Branch, two digits.
    pub branch: Option<String>,
    /// Name in full-width katakana.
    pub kana: String,
    /// The form of the name that matching compares.
    pub kana_folded: String,
    /// Day of birth.
    pub birth_date: Date,
    /// First day of eligibility.
    pub valid_from: Option<Date>,
    /// Last day of eligibility.
    pub valid_until: Option<Date>,
    /// E-mail address that the insurer knows.
    pub email: Option<String>,
}

impl std::fmt::Debug for StagedPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedPerson").field("line", &self.line).finish_non_exhaustive()
    }
}

/// An import, as it is recorded.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    /// Primary key.
    pub id: &'a str,
    /// Portal code of the insurer.
    pub insurer: &'a str,
    /// Name of the file, for people.
    pub file_name: &'a str,
    /// Who imports it, such as `cli:NAME`.
    pub actor: &'a str,
    /// A full roster: who is not in it loses eligibility.
    pub complete: bool,
    /// When the import began.
    pub now: Timestamp,
}

/// How many persons an import touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New in the roster.
    pub added: u64,
    /// In the roster with other values, or returned to it.
    pub changed: u64,
    /// In the roster as they are.
    pub unchanged: u64,
    /// Missing from a full roster.
    pub lost: u64,
}

/// Two lines of a file that cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Clash {
    /// The later line, which is refused.
    pub line: i64,
    /// The earlier line, which stands.
    pub earlier: i64,
}

/// Records that an import begins.
pub async fn begin(on: impl Into<On<'_>>, import: &Import<'_>) -> Result<(), StorageError> {
    execute!(
        on,
        "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at)
         values ($1, $2, $3, $4, $5, 'staging', $6)",
        import.id,
        import.insurer,
        import.file_name,
        import.actor,
        import.complete,
        import.now.millis()
    )?;
    Ok(())
}

/// Stages up to [`ROWS_PER_INSERT`] persons and gives those that an earlier line has already.
pub async fn stage(
    tx: &mut Tx,
    import_id: &str,
    persons: &[StagedPerson],
) -> Result<Vec<Clash>, StorageError> {
    let done = each!(&mut *tx, e => {
        let mut insert = QueryBuilder::new(
            "insert into roster_staging (import_id, line, identity, person_key, category, symbol, number, branch,
                                         kana, kana_folded, birth_date, valid_from, valid_until, email) ",
        );
        insert.push_values(persons, |mut row, person| {
            row.push_bind(import_id)
                .push_bind(person.line)
                .push_bind(&person.identity)
                .push_bind(&person.person_key)
                .push_bind(person.category.as_str())
                .push_bind(&person.symbol)
                .push_bind(&person.number)
                .push_bind(&person.branch)
                .push_bind(&person.kana)
                .push_bind(&person.kana_folded)
                .push_bind(person.birth_date.to_string())
                .push_bind(person.valid_from.map(|day| day.to_string()))
                .push_bind(person.valid_until.map(|day| day.to_string()))
                .push_bind(&person.email);
        });
        insert.push(" on conflict (import_id, identity) do nothing");
        insert.build().execute(e).await.map(|done| done.rows_affected())
    })?;
    if usize::try_from(done) == Ok(persons.len()) {
        return Ok(Vec::new());
    }
    let mut clashes = Vec::new();
    for person in persons {
        let earlier: i64 = query_scalar!(
            &mut *tx,
            fetch_one,
            "select line from roster_staging where import_id = $1 and identity = $2",
            import_id,
            &person.identity
        )?;
        if earlier != person.line {
            clashes.push(Clash { line: person.line, earlier });
        }
    }
    Ok(clashes)
}

/// Takes back insured persons whose symbol and number an earlier line has: a login ID names one person.
pub async fn take_back_shared_numbers(tx: &mut Tx, import_id: &str) -> Result<Vec<Clash>, StorageError> {
    let clashes: Vec<Clash> = query!(
        &mut *tx,
        fetch_all,
        "select line, earlier from (
             select line, min(line) over (partition by symbol, number) as earlier
             from roster_staging where import_id = $1 and category = 'insured'
         ) as numbered
         where line > earlier order by line",
        import_id
    )?;
    if !clashes.is_empty() {
        execute!(
            tx,
            "delete from roster_staging where import_id = $1 and line in (
                 select line from (
                     select line, min(line) over (partition by symbol, number) as earlier
                     from roster_staging where import_id = $1 and category = 'insured'
                 ) as numbered
                 where line > earlier)",
            import_id
        )?;
    }
    Ok(clashes)
}

/// What decides whether an eligibility is over, the insurer's days of grace included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The present day in Japan.
    pub today: Date,
    /// The days of grace after the last day of eligibility.
    pub grace_days: u32,
}

impl Ended {
    /// Whose last day was before this one may not use the service any more.
    pub(super) fn valid_before(self) -> Date {
        let grace = SignedDuration::from_hours(24 * i64::from(self.grace_days));
        self.today.saturating_sub(grace)
    }

    /// Nor may who was missing from a full roster before this instant: the day before was the last one.
    pub(super) fn lost_before(self) -> Timestamp {
        let day = self.valid_before().tomorrow().unwrap_or(Date::MAX);
        Timestamp::start_of_day_in_japan(day)
    }
}

/// Compares the staged persons with the roster and applies them.
pub async fn apply(tx: &mut Tx, import: &Import<'_>, ended: Ended) -> Result<Counts, StorageError> {
    let (id, insurer, now) = (import.id, import.insurer, import.now.millis());
    let staged: i64 =
        query_scalar!(&mut *tx, fetch_one, "select count(*) from roster_staging where import_id = $1", id)?;
    let replaced = part_reused_numbers(tx, import).await?;
    carry_over(tx, import).await?;
    end_sessions_of_ended(tx, import, ended).await?;
    // Before the change below clears lost_at: who returns without an account gets a new first password.
    execute!(
        &mut *tx,
        "update roster_person set temporary_since = $3
         where insurer = $2 and lost_at is not null
           and identity in (select identity from roster_staging where import_id = $1)
           and not exists (select 1 from member where member.person_id = roster_person.id
                                                  and member.state = 'active')",
        id,
        insurer,
        now
    )?;
    let changed = execute!(
        &mut *tx,
        "update roster_person
         set person_key = s.person_key, category = s.category, symbol = s.symbol, number = s.number,
             branch = s.branch, kana = s.kana, kana_folded = s.kana_folded, birth_date = s.birth_date,
             valid_from = s.valid_from, valid_until = s.valid_until, email = s.email,
             lost_at = null, updated_at = $3,
             former_login = case
                 when (roster_person.category = 'insured') = (s.category = 'insured')
                   or not exists (select 1 from member where member.person_id = roster_person.id
                                                         and member.state in ('active', 'frozen'))
                 then roster_person.former_login
                 when s.category = 'insured' then 'email' else 'number' end,
             former_symbol = case when roster_person.category = 'insured' and s.category <> 'insured'
                 then roster_person.symbol else roster_person.former_symbol end,
             former_number = case when roster_person.category = 'insured' and s.category <> 'insured'
                 then roster_person.number else roster_person.former_number end
         from roster_staging as s
         where s.import_id = $1 and roster_person.insurer = $2 and roster_person.identity = s.identity
           and (roster_person.lost_at is not null
             or roster_person.category <> s.category or roster_person.symbol <> s.symbol
             or roster_person.number <> s.number or roster_person.kana <> s.kana
             or roster_person.birth_date <> s.birth_date
             or roster_person.person_key is distinct from s.person_key
             or roster_person.branch is distinct from s.branch
             or roster_person.valid_from is distinct from s.valid_from
             or roster_person.valid_until is distinct from s.valid_until
             or roster_person.email is distinct from s.email)",
        id,
        insurer,
        now
    )?;
    let absent = if import.complete { lose_absent(tx, import, ended).await? } else { 0 };
    let lost = replaced + absent;
    let added = execute!(
        &mut *tx,
        "insert into roster_person (id, insurer, identity, person_key, category, symbol, number, branch, kana,
                                    kana_folded, birth_date, valid_from, valid_until, email, temporary_since,
                                    created_at, updated_at)
         select s.import_id || '.' || cast(s.line as text), $2, s.identity, s.person_key, s.category, s.symbol,
                s.number, s.branch, s.kana, s.kana_folded, s.birth_date, s.valid_from, s.valid_until, s.email,
                $3, $3, $3
         from roster_staging as s
         where s.import_id = $1
           and not exists (select 1 from roster_person as p where p.insurer = $2 and p.identity = s.identity)",
        id,
        insurer,
        now
    )?;
    delivery::sessions_ended_by_import(&mut *tx, insurer, import.now).await?;
    eligibility::note_losses(tx, insurer, ended, import.now).await?;
    let unchanged = u64::try_from(staged).unwrap_or(0).saturating_sub(added + changed);
    Ok(Counts { added, changed, unchanged, lost })
}

/// Without a person key, a symbol and number whose birth date *and* name both changed were given to
/// somebody else: the one before keeps the row and the account, and loses the eligibility. Otherwise the
/// newcomer would inherit a stranger's account.
async fn part_reused_numbers(tx: &mut Tx, import: &Import<'_>) -> Result<u64, StorageError> {
    execute!(
        &mut *tx,
        "update member set sessions_valid_from = $3
         where person_id in (
             select p.id from roster_person as p join roster_staging as s on s.identity = p.identity
             where s.import_id = $1 and p.insurer = $2 and s.person_key is null
               and s.birth_date <> p.birth_date and s.kana_folded <> p.kana_folded)",
        import.id,
        import.insurer,
        import.now.millis()
    )?;
    execute!(
        tx,
        "update roster_person
         set identity = identity || '~' || id, lost_at = coalesce(lost_at, $3), updated_at = $3
         where insurer = $2
           and exists (select 1 from roster_staging as s
                       where s.import_id = $1 and s.identity = roster_person.identity
                         and s.person_key is null and s.birth_date <> roster_person.birth_date
                         and s.kana_folded <> roster_person.kana_folded)",
        import.id,
        import.insurer,
        import.now.millis()
    )
}

/// Who has another identity in this file only because it names person keys or branches that the last one
/// did not, or the other way round, is the same person: number, category, birth date and name agree.
async fn carry_over(tx: &mut Tx, import: &Import<'_>) -> Result<(), StorageError> {
    execute!(
        tx,
        "update roster_person set identity = s.identity
         from roster_staging as s
         where s.import_id = $1 and roster_person.insurer = $2
           and roster_person.symbol = s.symbol and roster_person.number = s.number
           and roster_person.category = s.category and roster_person.birth_date = s.birth_date
           and roster_person.kana_folded = s.kana_folded
           and (roster_person.person_key is null or s.person_key is null)
           and not exists (select 1 from roster_staging as k
                           where k.import_id = $1 and k.identity = roster_person.identity)
           and not exists (select 1 from roster_person as p where p.insurer = $2 and p.identity = s.identity)
           and not exists (select 1 from roster_person as twin
                           where twin.insurer = $2 and twin.symbol = s.symbol and twin.number = s.number
                             and twin.category = s.category and twin.birth_date = s.birth_date
                             and twin.kana_folded = s.kana_folded and twin.id < roster_person.id)",
        import.id,
        import.insurer
    )?;
    Ok(())
}

/// Who may not use the service after this import, or could not before it, is signed out everywhere, and so is
/// whose last day is in the past only now or was until now: nothing that was given before a loss comes back to
/// life after it. Who signed in again within the days of grace is left alone by the next file that says the same.
async fn end_sessions_of_ended(tx: &mut Tx, import: &Import<'_>, ended: Ended) -> Result<(), StorageError> {
    execute!(
        tx,
        "update member set sessions_valid_from = $3
         where sessions_valid_from < $3 and person_id in (
             select p.id from roster_person as p join roster_staging as s on s.identity = p.identity
             where s.import_id = $1 and p.insurer = $2
               and (p.lost_at < $4 or p.valid_until < $5 or p.valid_from > $6
                 or s.valid_until < $5 or s.valid_from > $6
                 or (p.valid_until is distinct from s.valid_until
                     and (p.valid_until < $6 or s.valid_until < $6))))",
        import.id,
        import.insurer,
        import.now.millis(),
        ended.lost_before().millis(),
        ended.valid_before().to_string(),
        ended.today.to_string()
    )?;
    Ok(())
}

/// Who is not in the full roster loses eligibility and is signed out everywhere, unless the last day passed
/// before and somebody signed in again in the days of grace.
async fn lose_absent(tx: &mut Tx, import: &Import<'_>, ended: Ended) -> Result<u64, StorageError> {
    execute!(
        &mut *tx,
        "update member set sessions_valid_from = $3
         where person_id in (
             select p.id from roster_person as p where p.insurer = $2 and p.lost_at is null
               and (p.valid_until is null or p.valid_until >= $4)
               and not exists (select 1 from roster_staging as s
                               where s.import_id = $1 and s.identity = p.identity))",
        import.id,
        import.insurer,
        import.now.millis(),
        ended.today.to_string()
    )?;
    execute!(
        tx,
        "update roster_person set lost_at = $3, updated_at = $3
         where insurer = $2 and lost_at is null
           and not exists (select 1 from roster_staging as s
                           where s.import_id = $1 and s.identity = roster_person.identity)",
        import.id,
        import.insurer,
        import.now.millis()
    )
}

/// Records how an import ended and empties its staging rows.
pub async fn finish(
    tx: &mut Tx,
    import_id: &str,
    applied: bool,
    counts: Counts,
    refused: u64,
    now: Timestamp,
) -> Result<(), StorageError> {
    let [added, changed, unchanged, lost, refused] =
        [counts.added, counts.changed, counts.unchanged, counts.lost, refused]
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    execute!(&mut *tx, "delete from roster_staging where import_id = $1", import_id)?;
    execute!(
        tx,
        "update roster_import set state = $2, added = $3, changed = $4, unchanged = $5, lost = $6, refused = $7,
                finished_at = $8
         where id = $1",
        import_id,
        if applied { "applied" } else { "refused" },
        added,
        changed,
        unchanged,
        lost,
        refused,
        now.millis()
    )?;
    Ok(())
}

/// Forgets an import that was only a preview.
pub async fn forget(tx: &mut Tx, import_id: &str) -> Result<(), StorageError> {
    execute!(&mut *tx, "delete from roster_staging where import_id = $1", import_id)?;
    execute!(tx, "delete from roster_import where id = $1", import_id)?;
    Ok(())
}

/// Empties what imports that began before `before` and were cut off left behind.
pub async fn sweep(on: &super::Db, before: Timestamp) -> Result<(), StorageError> {
    let mut tx = on.begin().await?;
    execute!(
        &mut tx,
        "delete from roster_staging where import_id in (
             select id from roster_import where state = 'staging' and started_at < $1)",
        before.millis()
    )?;
    execute!(
        &mut tx,
        "update roster_import set state = 'refused' where state = 'staging' and started_at < $1",
        before.millis()
    )?;
    tx.commit().await
}
