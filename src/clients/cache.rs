//! Clients as they were read last, so that not every request reads and parses its own again.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::Client;
use crate::storage::{Db, StorageError};

/// A change that another node made is seen after so long at most.
const FRESH: Duration = Duration::from_secs(1);
/// More clients than this are not kept at once; an attacker may register many.
const MOST: usize = 1_000;

/// How often this process has changed clients: a change made here is seen at once. Who reads a client just
/// while its change is committed may still keep what it was before, and for a second at most.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Forgets what is kept of every client, everywhere in this process.
pub(super) fn changed() {
    CHANGES.fetch_add(1, Ordering::SeqCst);
}

#[derive(Debug)]
struct Kept {
    client: Arc<Client>,
    read_at: Instant,
    changes: u64,
}

/// The enabled clients that were asked for lately. One that is not there is looked for each time.
#[derive(Debug, Default)]
pub struct ClientCache(RwLock<HashMap<String, Kept>>);

impl ClientCache {
    /// Forgets all, for who changed clients without a word to this process.
    pub fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The enabled client of this `client_id`, as it is or was until a second ago.
    pub async fn find(&self, db: &Db, id: &str) -> Result<Option<Arc<Client>>, StorageError> {
        // Before it is read, so that a change in between makes what is read stale.
        let changes = CHANGES.load(Ordering::SeqCst);
        if let Some(kept) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(id)
            && kept.changes == changes
            && kept.read_at.elapsed() < FRESH
        {
            return Ok(Some(Arc::clone(&kept.client)));
        }
        let read_at = Instant::now();
        let client = Client::find(db, id).await?.map(Arc::new);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &client {
            if all.len() >= MOST {
                all.clear();
            }
            all.insert(id.to_owned(), Kept { client: Arc::clone(client), read_at, changes });
        } else {
            all.remove(id);
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clients::Metadata,
        clock::{Clock, Entropy},
        storage::db::execute,
    };

    #[tokio::test]
    async fn a_change_made_here_is_seen_at_once_and_one_made_elsewhere_soon() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let (now, cache) = (Clock::system().now(), ClientCache::default());
        let id = Entropy::system().id();
        assert!(cache.find(&db, &id).await.unwrap().is_none());
        let mut client = Client::new(id.clone(), Metadata::default(), now);
        client.insert(&db, now).await.unwrap();
        let first = cache.find(&db, &id).await.unwrap().unwrap();
        let name = |client: &Client| client.metadata.client_name.clone();

        client.metadata = Metadata { client_name: "Changed here".to_owned(), ..client.metadata };
        assert!(client.save(&db, now).await.unwrap());
        let second = cache.find(&db, &id).await.unwrap().unwrap();
        assert_eq!((name(&second).as_str(), first.version + 1), ("Changed here", second.version));

        // As another node would: without a word to this process.
        let elsewhere = "update client set disabled_at = 1 where id = $1";
        execute!(&db, elsewhere, &id).unwrap();
        let aged = {
            let mut all = cache.0.write().unwrap();
            let kept = all.get_mut(&id).unwrap();
            kept.read_at = kept.read_at.checked_sub(FRESH).unwrap();
            kept.client.id.clone()
        };
        assert!(cache.find(&db, &aged).await.unwrap().is_none());
    }
}
