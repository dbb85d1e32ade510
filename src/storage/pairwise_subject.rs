//! Table `pairwise_subject` (OIDC Core §8.1): random, stored at first use, never recomputed.

use super::{
    Db, StorageError,
    db::{execute, query_scalar},
};
use crate::clock::Timestamp;

/// The subject identifier of a member in a sector; `fresh` becomes it if there is none yet.
pub async fn find_or_create(
    db: &Db,
    sector: &str,
    member_id: &str,
    fresh: &str,
    now: Timestamp,
) -> Result<String, StorageError> {
    let known: Option<String> = query_scalar!(
        db,
        fetch_optional,
        "select sub from pairwise_subject where sector = $1 and member_id = $2",
        sector,
        member_id
    )?;
    if let Some(sub) = known {
        return Ok(sub);
    }
    execute!(
        db,
        "insert into pairwise_subject (sector, member_id, sub, created_at) values ($1, $2, $3, $4)
         on conflict (sector, member_id) do nothing",
        sector,
        member_id,
        fresh,
        now.millis()
    )?;
    // Read again: another request may have been first, and its answer is the one that stays.
    query_scalar!(
        db,
        fetch_one,
        "select sub from pairwise_subject where sector = $1 and member_id = $2",
        sector,
        member_id
    )
}
