//! Tables `roster_person` and `roster_before`: how an import changes the roster.
//!
//! Rows are staged in short transactions, then compared with the roster and applied by a handful of statements
//! in one transaction, however many rows there are. Who is about to be touched is first written down as they
//! are, so that each rule stands in one statement, a preview can show what would change, and the last import
//! of an insurer can be undone.

use jiff::{SignedDuration, civil::Date};

use super::{
    StorageError, Tx,
    db::{execute, query_scalar},
    delivery, eligibility, roster_job,
    roster_loss::{self, Losses},
    roster_staging,
};
use crate::clock::Timestamp;

/// An import under way.
#[derive(Clone, Copy, Debug)]
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
    /// Number of the lease under which it is worked on.
    pub lease: i64,
    /// The present.
    pub now: Timestamp,
}

/// How many persons an import touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// New in the roster.
    pub added: u64,
    /// In the roster with other values, or returned to it; not those who lose the eligibility by it.
    pub changed: u64,
    /// In the roster as they are.
    pub unchanged: u64,
    /// Eligible before and not any more: missing from a full roster, outside the days that the file says, or
    /// somebody else has the number now.
    pub lost: u64,
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

/// The beginning of a statement that writes persons `p` down as they are. `moved_to` is an expression.
macro_rules! write_down {
    ($what:literal, $moved_to:literal) => {
        concat!(
            "insert into roster_before (import_id, person_id, what, moved_to, identity, person_key, category,
                                        symbol, number, branch, kana, kana_folded, birth_date, valid_from,
                                        valid_until, email, lost_at, temporary_since, former_login,
                                        former_symbol, former_number)
             select $1, p.id, '",
            $what,
            "', ",
            $moved_to,
            ", p.identity, p.person_key, p.category, p.symbol, p.number, p.branch, p.kana, p.kana_folded,
                    p.birth_date, p.valid_from, p.valid_until, p.email, p.lost_at, p.temporary_since,
                    p.former_login, p.former_symbol, p.former_number "
        )
    };
}

/// Compares the staged persons with the roster and applies them. A preview adds nobody, which it can count
/// without, and is rolled back by the caller.
pub async fn apply(
    tx: &mut Tx,
    import: &Import<'_>,
    ended: Ended,
    preview: bool,
) -> Result<Counts, StorageError> {
    let staged = roster_staging::count(tx, import.id).await?;
    execute!(&mut *tx, "delete from roster_before where import_id = $1", import.id)?;
    let anybody: Option<String> = query_scalar!(
        &mut *tx,
        fetch_optional,
        "select id from roster_person where insurer = $1 limit 1",
        import.insurer
    )?;
    // The first roster of an insurer has nothing to be compared with.
    let (updated, losses) = if anybody.is_none() {
        (0, Losses::default())
    } else {
        part_reused_numbers(tx, import).await?;
        carry_over(tx, import).await?;
        end_sessions_of_ended(tx, import, ended).await?;
        let updated = change(tx, import).await?;
        if import.complete {
            lose_absent(tx, import, ended).await?;
        }
        (updated, roster_loss::count(tx, import.id, ended).await?)
    };
    let added = if preview { count_new(tx, import).await? } else { add(tx, import).await? };
    if !preview {
        delivery::sessions_ended_by_import(&mut *tx, import.insurer, import.now).await?;
        eligibility::note_losses(tx, import.insurer, ended, import.now).await?;
    }
    Ok(Counts {
        added,
        changed: updated.saturating_sub(losses.by_change),
        unchanged: staged.saturating_sub(added + updated),
        lost: losses.all,
    })
}

/// Without a person key, a symbol and number whose birth date *and* name both changed were given to
/// somebody else: the one before keeps the row and the account, and loses the eligibility. Otherwise the
/// newcomer would inherit a stranger's account.
async fn part_reused_numbers(tx: &mut Tx, import: &Import<'_>) -> Result<(), StorageError> {
    let replaced = execute!(
        &mut *tx,
        concat!(
            write_down!("replaced", "null"),
            "from roster_person as p join roster_staging as s on s.identity = p.identity
             where s.import_id = $1 and p.insurer = $2 and s.person_key is null
               and s.birth_date <> p.birth_date and s.kana_folded <> p.kana_folded"
        ),
        import.id,
        import.insurer
    )?;
    if replaced > 0 {
        execute!(
            &mut *tx,
            "update member set sessions_valid_from = $2
             where person_id in (select person_id from roster_before
                                 where import_id = $1 and what = 'replaced')",
            import.id,
            import.now.millis()
        )?;
        execute!(
            tx,
            "update roster_person
             set identity = identity || '~' || id, lost_at = coalesce(lost_at, $2), updated_at = $2
             where id in (select person_id from roster_before where import_id = $1 and what = 'replaced')",
            import.id,
            import.now.millis()
        )?;
    }
    Ok(())
}

/// Who has another identity in this file only because it names person keys or branches that the last one
/// did not, or the other way round, is the same person: number, category, birth date and name agree.
async fn carry_over(tx: &mut Tx, import: &Import<'_>) -> Result<(), StorageError> {
    let carried = execute!(
        &mut *tx,
        concat!(
            write_down!("carried", "s.identity"),
            "from roster_staging as s join roster_person as p
               on p.symbol = s.symbol and p.number = s.number and p.category = s.category
              and p.birth_date = s.birth_date and p.kana_folded = s.kana_folded
             where s.import_id = $1 and p.insurer = $2
               and (p.person_key is null or s.person_key is null)
               and not exists (select 1 from roster_staging as k
                               where k.import_id = $1 and k.identity = p.identity)
               and not exists (select 1 from roster_person as q where q.insurer = $2 and q.identity = s.identity)
               and not exists (select 1 from roster_person as twin
                               where twin.insurer = $2 and twin.symbol = s.symbol and twin.number = s.number
                                 and twin.category = s.category and twin.birth_date = s.birth_date
                                 and twin.kana_folded = s.kana_folded and twin.id < p.id)
             on conflict (import_id, person_id) do nothing"
        ),
        import.id,
        import.insurer
    )?;
    if carried > 0 {
        execute!(
            tx,
            "update roster_person
             set identity = (select b.moved_to from roster_before as b
                             where b.import_id = $1 and b.person_id = roster_person.id)
             where id in (select person_id from roster_before where import_id = $1 and what = 'carried')",
            import.id
        )?;
    }
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

/// Persons whose row says something else now. Who returns without an account gets a new first password; whose
/// category changed keeps the login ID from before until the new one is set up.
async fn change(tx: &mut Tx, import: &Import<'_>) -> Result<u64, StorageError> {
    let changed = execute!(
        &mut *tx,
        concat!(
            write_down!("changed", "null"),
            "from roster_staging as s join roster_person as p on p.identity = s.identity
             where s.import_id = $1 and p.insurer = $2
               and (p.lost_at is not null
                 or p.category <> s.category or p.symbol <> s.symbol or p.number <> s.number
                 or p.kana <> s.kana or p.birth_date <> s.birth_date
                 or p.person_key is distinct from s.person_key or p.branch is distinct from s.branch
                 or p.valid_from is distinct from s.valid_from or p.valid_until is distinct from s.valid_until
                 or p.email is distinct from s.email)
             on conflict (import_id, person_id) do update set what = 'changed'"
        ),
        import.id,
        import.insurer
    )?;
    if changed == 0 {
        return Ok(0);
    }
    execute!(
        tx,
        "update roster_person
         set person_key = s.person_key, category = s.category, symbol = s.symbol, number = s.number,
             branch = s.branch, kana = s.kana, kana_folded = s.kana_folded, birth_date = s.birth_date,
             valid_from = s.valid_from, valid_until = s.valid_until, email = s.email,
             lost_at = null, updated_at = $2,
             temporary_since = case
                 when roster_person.lost_at is null
                   or exists (select 1 from member where member.person_id = roster_person.id
                                                     and member.state = 'active')
                 then roster_person.temporary_since else $2 end,
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
         from roster_before as b cross join roster_staging as s
         where b.import_id = $1 and b.what = 'changed' and roster_person.id = b.person_id
           and s.import_id = $1 and s.identity = coalesce(b.moved_to, b.identity)",
        import.id,
        import.now.millis()
    )?;
    Ok(changed)
}

/// Who is not in the full roster loses eligibility and is signed out everywhere, unless the last day passed
/// before and somebody signed in again in the days of grace.
async fn lose_absent(tx: &mut Tx, import: &Import<'_>, ended: Ended) -> Result<(), StorageError> {
    let lost = execute!(
        &mut *tx,
        concat!(
            write_down!("lost", "null"),
            "from roster_person as p
             where p.insurer = $2 and p.lost_at is null
               and not exists (select 1 from roster_staging as s
                               where s.import_id = $1 and s.identity = p.identity)"
        ),
        import.id,
        import.insurer
    )?;
    if lost > 0 {
        execute!(
            &mut *tx,
            "update member set sessions_valid_from = $2
             where person_id in (select person_id from roster_before
                                 where import_id = $1 and what = 'lost'
                                   and (valid_until is null or valid_until >= $3))",
            import.id,
            import.now.millis(),
            ended.today.to_string()
        )?;
        execute!(
            tx,
            "update roster_person set lost_at = $2, updated_at = $2
             where id in (select person_id from roster_before where import_id = $1 and what = 'lost')",
            import.id,
            import.now.millis()
        )?;
    }
    Ok(())
}

/// Persons that the roster does not have yet.
async fn add(tx: &mut Tx, import: &Import<'_>) -> Result<u64, StorageError> {
    execute!(
        tx,
        "insert into roster_person (id, insurer, identity, person_key, category, symbol, number, branch, kana,
                                    kana_folded, birth_date, valid_from, valid_until, email, temporary_since,
                                    created_at, updated_at)
         select s.import_id || '.' || cast(s.line as text), $2, s.identity, s.person_key, s.category, s.symbol,
                s.number, s.branch, s.kana, s.kana_folded, s.birth_date, s.valid_from, s.valid_until, s.email,
                $3, $3, $3
         from roster_staging as s
         where s.import_id = $1
           and not exists (select 1 from roster_person as p where p.insurer = $2 and p.identity = s.identity)",
        import.id,
        import.insurer,
        import.now.millis()
    )
}

async fn count_new(tx: &mut Tx, import: &Import<'_>) -> Result<u64, StorageError> {
    let new: i64 = query_scalar!(
        tx,
        fetch_one,
        "select count(*) from roster_staging as s
         where s.import_id = $1
           and not exists (select 1 from roster_person as p where p.insurer = $2 and p.identity = s.identity)",
        import.id,
        import.insurer
    )?;
    Ok(u64::try_from(new).unwrap_or(0))
}

/// Records how an import ended and empties its staging rows.
pub async fn finish(
    tx: &mut Tx,
    import: &Import<'_>,
    applied: bool,
    counts: Counts,
    refused: u64,
) -> Result<(), StorageError> {
    let [added, changed, unchanged, lost, refused] =
        [counts.added, counts.changed, counts.unchanged, counts.lost, refused]
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    roster_staging::clear(tx, import.id).await?;
    execute!(
        &mut *tx,
        "update roster_import set state = $2, added = $3, changed = $4, unchanged = $5, lost = $6, refused = $7,
                finished_at = $8, undoable = $9, preview = null, leased_until = 0
         where id = $1",
        import.id,
        if applied { "applied" } else { "refused" },
        added,
        changed,
        unchanged,
        lost,
        refused,
        import.now.millis(),
        applied
    )?;
    if applied {
        forget_undo_of_others(tx, import).await?;
        roster_job::discard_others(tx, (import.insurer, import.id), import.now).await?;
    }
    Ok(())
}

/// Only the last import can be undone.
async fn forget_undo_of_others(tx: &mut Tx, import: &Import<'_>) -> Result<(), StorageError> {
    execute!(
        &mut *tx,
        "delete from roster_before
         where import_id in (select id from roster_import where insurer = $2 and id <> $1 and undoable)",
        import.id,
        import.insurer
    )?;
    execute!(
        tx,
        "update roster_import set undoable = $3 where insurer = $2 and id <> $1 and undoable",
        import.id,
        import.insurer,
        false
    )?;
    Ok(())
}

/// Forgets an import that was only a preview.
pub async fn forget(tx: &mut Tx, import_id: &str) -> Result<(), StorageError> {
    roster_staging::clear(tx, import_id).await?;
    roster_job::forget(tx, import_id).await
}
