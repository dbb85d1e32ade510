//! Tables `roster_person` and `roster_before`: what an import would touch or has touched, and its undo.

use super::{
    StorageError, Tx,
    db::{execute, query, query_scalar},
    delivery, eligibility,
    roster_import::{Ended, Import},
    roster_loss::loses,
};

/// A person whom an import touches, with a few values from before and after it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Touched {
    /// Symbol and number before.
    pub symbol: String,
    /// Number before.
    pub number: String,
    /// Name before.
    pub kana: String,
    /// Category before.
    pub category: String,
    /// Birth date before.
    pub birth_date: String,
    /// Last day of eligibility before.
    pub valid_until: Option<String>,
    /// Whether the person had lost the eligibility before.
    pub was_lost: bool,
    /// Symbol afterwards.
    pub new_symbol: String,
    /// Number afterwards.
    pub new_number: String,
    /// Name afterwards.
    pub new_kana: String,
    /// Category afterwards.
    pub new_category: String,
    /// Birth date afterwards.
    pub new_birth_date: String,
    /// Last day of eligibility afterwards.
    pub new_valid_until: Option<String>,
}

/// The first persons who lose the eligibility, or who change in another way, as they are inside the transaction.
pub async fn touched(
    tx: &mut Tx,
    (import_id, ended): (&str, Ended),
    lost: bool,
    limit: i64,
) -> Result<Vec<Touched>, StorageError> {
    query!(
        tx,
        fetch_all,
        concat!(
            "select b.symbol, b.number, b.kana, b.category, b.birth_date, b.valid_until,
                    b.lost_at is not null as was_lost, p.symbol as new_symbol, p.number as new_number,
                    p.kana as new_kana, p.category as new_category, p.birth_date as new_birth_date,
                    p.valid_until as new_valid_until
             from roster_before as b join roster_person as p on p.id = b.person_id
             where b.import_id = $1 and (b.what = 'changed' or $5) and $5 = ",
            loses!("$2", "$3", "$4"),
            " order by b.person_id limit $6"
        ),
        import_id,
        ended.lost_before().millis(),
        ended.valid_before().to_string(),
        ended.today.to_string(),
        lost,
        limit
    )
}

/// A person who is new.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Newcomer {
    /// Symbol.
    pub symbol: String,
    /// Number.
    pub number: String,
    /// Name.
    pub kana: String,
    /// Category.
    pub category: String,
}

/// The first persons of the file that the roster does not have.
pub async fn newcomers(
    tx: &mut Tx,
    (import_id, insurer): (&str, &str),
    limit: i64,
) -> Result<Vec<Newcomer>, StorageError> {
    query!(
        tx,
        fetch_all,
        "select s.symbol, s.number, s.kana, s.category from roster_staging as s
         where s.import_id = $1
           and not exists (select 1 from roster_person as p where p.insurer = $2 and p.identity = s.identity)
         limit $3",
        import_id,
        insurer,
        limit
    )
}

/// What an undo did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reverted {
    /// Persons that the import had added and that are gone.
    pub removed: u64,
    /// Persons that it had added and that stay, because they have registered or begun to.
    pub kept: u64,
    /// Persons that are as before it.
    pub restored: u64,
    /// Persons that cannot be: one of those who stay has their 記号・番号.
    pub stuck: u64,
}

/// That a person `roster_person` of this import (`$1`, `$2` the insurer) has nothing to do with an account.
macro_rules! untouched_newcomer {
    () => {
        "insurer = $2 and substr(id, 1, length($1) + 1) = $1 || '.'
           and not exists (select 1 from member as m where m.person_id = roster_person.id)
           and not exists (select 1 from registration as r where r.person_id = roster_person.id)
           and not exists (select 1 from activation_code as c where c.person_id = roster_person.id)
           and not exists (select 1 from activation_notice as n where n.person_id = roster_person.id)"
    };
}

/// What an undo would do now.
pub async fn estimate(on: &super::Db, (import_id, insurer): (&str, &str)) -> Result<Reverted, StorageError> {
    let removed: i64 = query_scalar!(
        on,
        fetch_one,
        concat!("select count(*) from roster_person where ", untouched_newcomer!()),
        import_id,
        insurer
    )?;
    let added: i64 = query_scalar!(
        on,
        fetch_one,
        "select count(*) from roster_person where insurer = $2 and substr(id, 1, length($1) + 1) = $1 || '.'",
        import_id,
        insurer
    )?;
    let restored: i64 = query_scalar!(
        on,
        fetch_one,
        "select count(*) from roster_before where import_id = $1 and what <> 'carried'",
        import_id
    )?;
    let [removed, added, restored] =
        [removed, added, restored].map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Reverted { removed, kept: added.saturating_sub(removed), restored, stuck: 0 })
}

/// Brings the roster back to before the import: newcomers go unless they have registered, the others are as they
/// were. Sessions that have ended stay ended, and those end that rest on an eligibility that is gone again.
pub async fn revert(tx: &mut Tx, import: &Import<'_>, ended: Ended) -> Result<Reverted, StorageError> {
    let (id, insurer) = (import.id, import.insurer);
    let removed =
        execute!(&mut *tx, concat!("delete from roster_person where ", untouched_newcomer!()), id, insurer)?;
    let kept: i64 = query_scalar!(
        &mut *tx,
        fetch_one,
        "select count(*) from roster_person where insurer = $2 and substr(id, 1, length($1) + 1) = $1 || '.'",
        id,
        insurer
    )?;
    let touched: i64 = query_scalar!(
        &mut *tx,
        fetch_one,
        "select count(*) from roster_before where import_id = $1 and what <> 'carried'",
        id
    )?;
    // Whose identity was given on come last, when it is free again.
    restore(tx, import, false).await?;
    restore(tx, import, true).await?;
    let left: i64 = query_scalar!(
        &mut *tx,
        fetch_one,
        "select count(*) from roster_before as b join roster_person as p on p.id = b.person_id
         where b.import_id = $1 and p.identity <> b.identity",
        id
    )?;
    end_sessions_of_ended(tx, import, ended).await?;
    delivery::sessions_ended_by_import(&mut *tx, insurer, import.now).await?;
    eligibility::note_losses(tx, insurer, ended, import.now).await?;
    execute!(&mut *tx, "delete from roster_before where import_id = $1", id)?;
    let [kept, touched, stuck] = [kept, touched, left].map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Reverted { removed, kept, restored: touched.saturating_sub(stuck), stuck })
}

/// A temporary password that was issued since stays as it is.
async fn restore(tx: &mut Tx, import: &Import<'_>, replaced: bool) -> Result<u64, StorageError> {
    execute!(
        tx,
        "update roster_person
         set identity = b.identity, person_key = b.person_key, category = b.category, symbol = b.symbol,
             number = b.number, branch = b.branch, kana = b.kana, kana_folded = b.kana_folded,
             birth_date = b.birth_date, valid_from = b.valid_from, valid_until = b.valid_until,
             email = b.email, lost_at = b.lost_at, former_login = b.former_login,
             former_symbol = b.former_symbol, former_number = b.former_number, updated_at = $4,
             temporary_since = case when roster_person.temporary_since = roster_person.updated_at
                 then b.temporary_since else roster_person.temporary_since end
         from roster_before as b
         where b.import_id = $1 and (b.what = 'replaced') = $3 and roster_person.id = b.person_id
           and not exists (select 1 from roster_person as q
                           where q.insurer = $2 and q.identity = b.identity and q.id <> b.person_id)",
        import.id,
        import.insurer,
        replaced,
        import.now.millis()
    )
}

async fn end_sessions_of_ended(tx: &mut Tx, import: &Import<'_>, ended: Ended) -> Result<(), StorageError> {
    execute!(
        tx,
        "update member set sessions_valid_from = $2
         where sessions_valid_from < $2 and person_id in (
             select p.id from roster_person as p join roster_before as b on b.person_id = p.id
             where b.import_id = $1
               and (p.lost_at is not null or p.valid_until < $3 or p.valid_from > $3))",
        import.id,
        import.now.millis(),
        ended.today.to_string()
    )?;
    Ok(())
}

/// Records what came of an undo.
pub async fn finish(tx: &mut Tx, import: &Import<'_>, outcome: &str) -> Result<(), StorageError> {
    execute!(
        tx,
        "update roster_import set state = 'undone', undone_at = $2, undone = $3, undoable = $4, leased_until = 0
         where id = $1",
        import.id,
        import.now.millis(),
        outcome,
        false
    )?;
    Ok(())
}
