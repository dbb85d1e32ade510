//! The chain of the audit: proof that no line was changed, left out or put in afterwards.
//!
//! Acts append their lines without a number, so a transaction waits for no other. [`link`] numbers what was
//! committed since and gives each line a hash over itself and the hash of the line before (HMAC-SHA-256 under
//! the master key, so that who can only write the database cannot make a chain). Any node may link: the row of
//! the tip is locked while it does. The days of the dashboard are counted in the same transaction.
//!
//! What the chain cannot show by itself is a database that was put back to an older state as a whole. Whoever
//! wants to notice that notes the tip that [`verify`] tells, and has it looked for later.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    clock::Timestamp,
    crypto::{MasterKey, digest},
    storage::{
        Db, StorageError,
        audit::Entry,
        audit_chain::{self, Link},
    },
};

/// Lines that are linked in one transaction, or read at once.
const BATCH: i64 = 500;

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tip {
    /// Number of the last line; 0 when there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Lines that were looked at.
    pub lines: i64,
    /// The end of the chain.
    pub tip: Tip,
    /// Number of the first line that is missing, changed or not of this chain.
    pub broken_at: Option<i64>,
}

/// Links everything that was committed and is not linked yet; the number of lines.
pub async fn link(db: &Db, master: &MasterKey) -> Result<u64, StorageError> {
    let mut linked = 0;
    // A look without a lock first: mostly there is nothing to do.
    while audit_chain::any_unlinked(db).await? {
        let mut tx = db.begin().await?;
        let (mut seq, mut hash) = audit_chain::lock_tip(&mut tx).await?;
        let entries = audit_chain::unlinked(&mut tx, BATCH).await?;
        let mut days: BTreeMap<(String, String, String), i64> = BTreeMap::new();
        for entry in &entries {
            seq += 1;
            hash = hash_of(master, seq, &hash, entry);
            audit_chain::set_link(&mut tx, &entry.id, seq, &hash).await?;
            let day = Timestamp::from_millis(entry.at).day_in_japan().to_string();
            let insurer = entry.insurer.clone().unwrap_or_default();
            *days.entry((day, insurer, entry.action.clone())).or_default() += 1;
        }
        for ((day, insurer, action), count) in &days {
            audit_chain::add_to_day(&mut tx, (day, insurer, action), *count).await?;
        }
        audit_chain::move_tip(&mut tx, seq, &hash).await?;
        tx.commit().await?;
        linked += entries.len() as u64;
    }
    Ok(linked)
}

/// Walks along the chain from its first line to its tip. `noted` is a tip from before that must be on it.
pub async fn verify(db: &Db, master: &MasterKey, noted: Option<&Tip>) -> Result<Verdict, StorageError> {
    let (seq, hash) = audit_chain::tip(db).await?;
    let tip = Tip { seq, hash };
    let mut at = Tip { seq: 0, hash: String::new() };
    let mut met = noted.is_none_or(|noted| *noted == at);
    'walk: while at.seq < tip.seq {
        let links = audit_chain::after(db, at.seq, BATCH).await?;
        if links.is_empty() {
            break;
        }
        for Link { seq, hash, entry } in links {
            let right = hash_of(master, at.seq + 1, &at.hash, &entry);
            if seq != at.seq + 1 || !digest::equal(right.as_bytes(), hash.as_bytes()) {
                break 'walk;
            }
            at = Tip { seq, hash };
            met |= noted.is_some_and(|noted| *noted == at);
            if at.seq == tip.seq {
                break 'walk;
            }
        }
    }
    let broken_at = if at == tip { noted.filter(|_| !met).map(|noted| noted.seq) } else { Some(at.seq + 1) };
    Ok(Verdict { lines: at.seq, tip, broken_at })
}

/// The hash of a line: over a JSON array, whose parts cannot run into each other.
fn hash_of(master: &MasterKey, seq: i64, before: &str, entry: &Entry) -> String {
    let parts = serde_json::json!([
        seq,
        before,
        entry.id,
        entry.at,
        entry.actor,
        entry.action,
        entry.insurer,
        entry.member_id,
        entry.client_id,
        entry.detail,
    ]);
    master.mac_base64url("audit-chain", parts.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::{self, Event},
        backends::Postgres,
        clock::Entropy,
        storage::db::execute,
    };

    const START: Timestamp = Timestamp::from_millis(1_795_396_500_000);

    async fn databases(name: &str) -> Vec<Db> {
        let file = tempfile::tempdir().unwrap().keep();
        let sqlite = format!("sqlite://{}", file.join("audit.sqlite").display());
        let mut all = Vec::new();
        for url in [sqlite, Postgres::shared().create_database(name)] {
            let db = Db::open(&url, 5).await.unwrap();
            db.migrate().await.unwrap();
            all.push(db);
        }
        all
    }

    async fn append(db: &Db, count: i64) {
        for _ in 0..count {
            let event = Event { insurer: Some("7132"), ..Event::system("member.signed_in") };
            audit::record(db, &Entropy::system(), START, event).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_changed_left_out_or_put_in_is_found() {
        let master = MasterKey::from_bytes([7; 32]);
        for db in databases("audit_changed").await {
            append(&db, 7).await;
            assert_eq!(link(&db, &master).await.unwrap(), 7);
            assert_eq!(link(&db, &master).await.unwrap(), 0);
            let noted = verify(&db, &master, None).await.unwrap();
            assert_eq!((noted.lines, noted.tip.seq, noted.broken_at), (7, 7, None));
            append(&db, 3).await;
            link(&db, &master).await.unwrap();
            let sound = verify(&db, &master, Some(&noted.tip)).await.unwrap();
            assert_eq!((sound.lines, sound.broken_at), (10, None));
            let forged = Tip { seq: 7, hash: "x".to_owned() };
            assert_eq!(verify(&db, &master, Some(&forged)).await.unwrap().broken_at, Some(7));
            let other = MasterKey::from_bytes([8; 32]);
            assert_eq!(verify(&db, &other, None).await.unwrap().broken_at, Some(1));

            execute!(&db, "update audit set detail = '{}' where seq = 5").unwrap();
            assert_eq!(verify(&db, &master, None).await.unwrap().broken_at, Some(5));
            execute!(&db, "update audit set detail = 'null' where seq = 5").unwrap();
            assert_eq!(verify(&db, &master, None).await.unwrap().broken_at, None);
            execute!(&db, "delete from audit where seq = 10").unwrap();
            assert_eq!(verify(&db, &master, None).await.unwrap().broken_at, Some(10));
            execute!(&db, "delete from audit where seq = 3").unwrap();
            assert_eq!(verify(&db, &master, None).await.unwrap().broken_at, Some(3));
        }
    }

    #[tokio::test]
    async fn nodes_that_link_at_once_make_one_chain() {
        let master = MasterKey::from_bytes([7; 32]);
        for db in databases("audit_at_once").await {
            let work = || {
                let (db, master) = (db.clone(), master.clone());
                async move {
                    append(&db, 20).await;
                    // SQLite may tell one of them to come back.
                    link(&db, &master).await.ok();
                }
            };
            let done: Vec<_> = (0..4).map(|_| tokio::spawn(work())).collect();
            for task in done {
                task.await.unwrap();
            }
            link(&db, &master).await.unwrap();
            let verdict = verify(&db, &master, None).await.unwrap();
            assert_eq!((verdict.lines, verdict.broken_at), (80, None));
            let counted: Vec<i64> =
                crate::storage::db::query_scalar!(&db, fetch_all, "select count from audit_daily").unwrap();
            assert_eq!(counted, [80]);
        }
    }
}
