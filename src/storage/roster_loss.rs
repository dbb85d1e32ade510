//! Tables `roster_person` and `roster_before`: who loses the eligibility by an import, whatever the cause.

use super::{
    On, StorageError, Tx,
    db::{query, query_scalar},
    roster_import::Ended,
};

/// That the row `$row` is one of somebody who may use the service, the days of grace included: never null. The
/// values are those of [`Ended`]: lost before, valid before, today.
macro_rules! eligible {
    ($row:literal, $lost_before:literal, $valid_before:literal, $today:literal) => {
        concat!(
            "(",
            $row,
            ".lost_at is null or ",
            $row,
            ".lost_at >= ",
            $lost_before,
            ")
             and (",
            $row,
            ".valid_until is null or ",
            $row,
            ".valid_until >= ",
            $valid_before,
            ")
             and (",
            $row,
            ".valid_from is null or ",
            $row,
            ".valid_from <= ",
            $today,
            ")"
        )
    };
}

/// That the import which wrote `b` down takes the eligibility from the person `p`: never null. Who is missing from
/// a full roster loses it now, whatever days of grace follow.
macro_rules! loses {
    ($lost_before:literal, $valid_before:literal, $today:literal) => {
        concat!(
            "(",
            $crate::storage::roster_loss::eligible!("b", $lost_before, $valid_before, $today),
            "
              and (b.what in ('lost', 'replaced')
                or not (",
            $crate::storage::roster_loss::eligible!("p", $lost_before, $valid_before, $today),
            ")))"
        )
    };
}
pub(super) use {eligible, loses};

/// How many lose the eligibility by an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Everybody who does.
    pub(super) all: u64,
    /// Those of them whose row is in the file and says so.
    pub(super) by_change: u64,
}

/// Who was eligible before the import and is not after it, inside its transaction.
pub(super) async fn count(tx: &mut Tx, import_id: &str, ended: Ended) -> Result<Losses, StorageError> {
    let (all, by_change): (i64, i64) = query!(
        tx,
        fetch_one,
        concat!(
            "select count(*), coalesce(sum(case when b.what = 'changed' then 1 else 0 end), 0)
             from roster_before as b join roster_person as p on p.id = b.person_id
             where b.import_id = $1 and ",
            loses!("$2", "$3", "$4")
        ),
        import_id,
        ended.lost_before().millis(),
        ended.valid_before().to_string(),
        ended.today.to_string()
    )?;
    let [all, by_change] = [all, by_change].map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Losses { all, by_change })
}

/// How many persons of an insurer are eligible.
pub async fn eligible_now(on: impl Into<On<'_>>, insurer: &str, ended: Ended) -> Result<u64, StorageError> {
    let count: i64 = query_scalar!(
        on,
        fetch_one,
        concat!(
            "select count(*) from roster_person as p where p.insurer = $1 and ",
            eligible!("p", "$2", "$3", "$4")
        ),
        insurer,
        ended.lost_before().millis(),
        ended.valid_before().to_string(),
        ended.today.to_string()
    )?;
    Ok(u64::try_from(count).unwrap_or(0))
}
