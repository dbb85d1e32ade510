//! Members whose eligibility ended: noticed once, marked on their row, and told to webhooks in the same
//! transaction. An end that an import brings is noticed by the import, one that comes with a day by the day.

use super::{StorageError, Tx, db::execute, roster_import::Ended, webhook_event};
use crate::clock::Timestamp;

/// Marks the members of an insurer who may not use the service any more and were not marked before, and
/// has webhooks told of them; takes the mark from those who may again. The number of members marked.
///
/// Whoever changes the roster calls this in the same transaction, after the change.
pub async fn note_losses(
    tx: &mut Tx,
    insurer: &str,
    ended: Ended,
    now: Timestamp,
) -> Result<u64, StorageError> {
    let (lost_before, valid_before) = (ended.lost_before().millis(), ended.valid_before().to_string());
    execute!(
        &mut *tx,
        "update member set eligibility_lost_at = null
         where insurer = $1 and eligibility_lost_at is not null
           and exists (select 1 from roster_person as p
                       where p.id = member.person_id
                         and (p.lost_at is null or p.lost_at >= $2)
                         and (p.valid_until is null or p.valid_until >= $3))",
        insurer,
        lost_before,
        &valid_before
    )?;
    let marked = execute!(
        &mut *tx,
        "update member set eligibility_lost_at = $4
         where insurer = $1 and eligibility_lost_at is null and state <> 'closed'
           and exists (select 1 from roster_person as p
                       where p.id = member.person_id and (p.lost_at < $2 or p.valid_until < $3))",
        insurer,
        lost_before,
        &valid_before,
        now.millis()
    )?;
    if marked > 0 {
        webhook_event::publish_losses(tx, insurer, now).await?;
    }
    Ok(marked)
}
