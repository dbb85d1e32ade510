//! Table `roster_staging`: the rows of a roster file, checked, on their way into `roster_person`.

use jiff::civil::Date;
use sqlx::QueryBuilder;

use super::{
    StorageError, Tx,
    db::{execute, query, query_scalar},
    roster::Category,
    watch::Statement,
};

/// Rows of one insert into `SQLite`: 14 values each, below the 999 parameters that any version takes.
const ROWS_PER_INSERT: usize = 64;

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

/// Two lines of a file that cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Clash {
    /// The later line, which is refused.
    pub line: i64,
    /// The earlier line, which stands.
    pub earlier: i64,
}

/// The columns of a row; in each engine's statement the values stand in this order.
macro_rules! columns {
    () => {
        "(import_id, line, identity, person_key, category, symbol, number, branch, kana, kana_folded,
          birth_date, valid_from, valid_until, email)"
    };
}

/// Stages persons and gives those that an earlier line has already.
pub async fn stage(
    tx: &mut Tx,
    import_id: &str,
    persons: &[StagedPerson],
) -> Result<Vec<Clash>, StorageError> {
    let staged = match tx {
        Tx::Sqlite(_) => stage_in_sqlite(tx, import_id, persons).await?,
        Tx::Postgres(..) => stage_in_postgres(tx, import_id, persons).await?,
    };
    if usize::try_from(staged) == Ok(persons.len()) {
        return Ok(Vec::new());
    }
    let mut clashes = Vec::new();
    for part in persons.chunks(ROWS_PER_INSERT) {
        let identities: Vec<&str> = part.iter().map(|person| person.identity.as_str()).collect();
        // Both engines unfold a list that is JSON, each in its own words.
        let list = super::to_json(&identities);
        let statement = match tx {
            Tx::Sqlite(_) => {
                "select identity, line from roster_staging
                 where import_id = $1 and identity in (select value from json_each($2))"
            }
            Tx::Postgres(..) => {
                "select identity, line from roster_staging
                 where import_id = $1 and identity in (select json_array_elements_text($2::json))"
            }
        };
        let there: Vec<(String, i64)> = query!(&mut *tx, fetch_all, statement, import_id, &list)?;
        let there: std::collections::HashMap<String, i64> = there.into_iter().collect();
        clashes.extend(part.iter().filter_map(|person| {
            let earlier = *there.get(&person.identity)?;
            (earlier != person.line).then_some(Clash { line: person.line, earlier })
        }));
    }
    Ok(clashes)
}

/// `SQLite` runs in this process: small statements that it has prepared already.
async fn stage_in_sqlite(
    tx: &mut Tx,
    import_id: &str,
    persons: &[StagedPerson],
) -> Result<u64, StorageError> {
    let Tx::Sqlite(tx) = tx else { return Ok(0) };
    let mut done = 0;
    for part in persons.chunks(ROWS_PER_INSERT) {
        let mut insert = QueryBuilder::new(concat!("insert into roster_staging ", columns!(), " "));
        insert.push_values(part, |mut row, person| {
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
        let statement = Statement::begin("sqlite", module_path!(), line!());
        done += statement.end(statement.run(insert.build().execute(&mut **tx)).await)?.rows_affected();
    }
    Ok(done)
}

/// A server across the network: one statement with a list for each column.
async fn stage_in_postgres(
    tx: &mut Tx,
    import_id: &str,
    persons: &[StagedPerson],
) -> Result<u64, StorageError> {
    let Tx::Postgres(tx, patience) = tx else { return Ok(0) };
    let text = |of: fn(&StagedPerson) -> &str| persons.iter().map(of).collect::<Vec<_>>();
    let maybe = |of: fn(&StagedPerson) -> Option<&str>| persons.iter().map(of).collect::<Vec<_>>();
    let day = |of: fn(&StagedPerson) -> Option<Date>| {
        persons.iter().map(|person| of(person).map(|day| day.to_string())).collect::<Vec<_>>()
    };
    let statement = Statement::begin("postgresql", module_path!(), line!());
    let insert = sqlx::query(concat!(
        "insert into roster_staging ",
        columns!(),
        " select $1, s.* from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                     $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                                     $13::text[], $14::text[]) as s
          on conflict (import_id, identity) do nothing"
    ))
    .bind(import_id)
    .bind(persons.iter().map(|person| person.line).collect::<Vec<_>>())
    .bind(text(|person| &person.identity))
    .bind(maybe(|person| person.person_key.as_deref()))
    .bind(text(|person| person.category.as_str()))
    .bind(text(|person| &person.symbol))
    .bind(text(|person| &person.number))
    .bind(maybe(|person| person.branch.as_deref()))
    .bind(text(|person| &person.kana))
    .bind(text(|person| &person.kana_folded))
    .bind(day(|person| Some(person.birth_date)))
    .bind(day(|person| person.valid_from))
    .bind(day(|person| person.valid_until))
    .bind(maybe(|person| person.email.as_deref()));
    let done = statement.end(statement.run_within(*patience, insert.execute(&mut **tx)).await)?;
    Ok(done.rows_affected())
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

/// Tells PostgreSQL what the table holds now: it plans the comparison with the roster by that, and a million
/// rows that just came are a table that it still takes for empty.
pub async fn measure(tx: &mut Tx) -> Result<(), StorageError> {
    if matches!(tx, Tx::Postgres(..)) {
        execute!(tx, "analyze roster_staging")?;
    }
    Ok(())
}

/// How many persons are staged.
pub async fn count(tx: &mut Tx, import_id: &str) -> Result<u64, StorageError> {
    let staged: i64 =
        query_scalar!(tx, fetch_one, "select count(*) from roster_staging where import_id = $1", import_id)?;
    Ok(u64::try_from(staged).unwrap_or(0))
}

/// Forgets what was staged.
pub async fn clear(tx: &mut Tx, import_id: &str) -> Result<(), StorageError> {
    execute!(tx, "delete from roster_staging where import_id = $1", import_id)?;
    Ok(())
}
