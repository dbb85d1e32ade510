//! The signing keys in use: made at the first start, rotated by one command for every node.

use std::sync::Arc;

use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, spawn_blocking},
    time::sleep,
};

use serde_json::{Value, json};

use super::published::Published;
use crate::{
    audit::{self, Act, Event},
    clock::{Clock, Entropy},
    config,
    crypto::{Algorithm, KeyState, Keyring, MasterKey, SigningKey, jwk::JwkError},
    storage::{
        Db, StorageError,
        signing_key::{self, KeyRecord},
    },
};

/// What the audit calls a rotation.
const ROTATED: &str = "key.rotated";

/// Why signing keys could not be made, read or rotated.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The table could not be read or written, or a row of it is impossible.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No new key could be made.
    #[error(transparent)]
    Key(#[from] JwkError),
    /// The thread that made a key ended early.
    #[error("making a key was interrupted: {0}")]
    Interrupted(#[from] JoinError),
    /// Another rotation came between; this one changed nothing.
    #[error("the keys were rotated by someone else at the same time; nothing was changed")]
    Raced,
    /// No key has this ID.
    #[error("there is no key of this ID")]
    Unknown,
}

/// What a retirement did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Retired {
    /// The algorithm.
    pub alg: Algorithm,
    /// Key ID that is gone: what it signed is refused from now on.
    pub retired: String,
    /// Key ID that signs in its place, if it was the one that signed.
    pub active: Option<String>,
}

/// What a rotation did to the keys of one algorithm.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rotated {
    /// The algorithm.
    pub alg: Algorithm,
    /// Key ID that signs no more.
    pub retired: String,
    /// Key ID that signs now.
    pub active: String,
    /// Key ID that is published and will sign after the next rotation.
    pub next: String,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RotationReport {
    /// Each algorithm of the configuration.
    pub rotated: Vec<Rotated>,
    /// Number of keys that were retired long ago and are gone now.
    pub deleted: u64,
}

/// The keyring of this node, which follows the database; clones share it.
#[derive(Clone, Debug)]
pub struct Signing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    master: MasterKey,
    clock: Clock,
    entropy: Entropy,
    settings: config::Keys,
    current: watch::Sender<Current>,
}

/// The rows as they were read last, and what they make.
#[derive(Debug, Default)]
struct Current {
    records: Vec<KeyRecord>,
    ring: Arc<Keyring>,
    published: Arc<Published>,
}

impl Signing {
    /// Reads the keys of the database. An algorithm of the configuration that has none gets an active
    /// and a next one, also when several nodes start at once.
    pub async fn load(
        db: Db,
        master: MasterKey,
        clock: Clock,
        entropy: Entropy,
        settings: &config::Keys,
    ) -> Result<Self, SigningError> {
        let current = watch::Sender::default();
        let signing =
            Self(Arc::new(Inner { db, master, clock, entropy, settings: settings.clone(), current }));
        signing.complete().await?;
        signing.refresh().await?;
        Ok(signing)
    }

    /// The keyring of this moment.
    pub fn current(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.current.borrow().ring)
    }

    /// Its public keys, as they are published.
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.0.current.borrow().published)
    }

    /// Reads the keys again if the table changed, and deletes those that were retired long enough ago;
    /// gives whether the keyring is a new one. On an error the keyring stays as it was.
    pub async fn refresh(&self) -> Result<bool, SigningError> {
        let Inner { db, master, clock, settings, current, .. } = &*self.0;
        let expired = clock.now().minus(settings.keep_retired());
        let mut records = signing_key::list(db).await?;
        if records.iter().any(|record| record.retired_at.is_some_and(|at| at < expired)) {
            signing_key::delete_retired(db, expired).await?;
            records = signing_key::list(db).await?;
        }
        if records == current.borrow().records {
            return Ok(false);
        }
        let (records, keys): (Vec<_>, Vec<_>) = signing_key::load(db, master)
            .await?
            .into_iter()
            .map(|(record, key)| {
                let state = record.state;
                (record, (key, state))
            })
            .unzip();
        let ring = Keyring::new(keys);
        let published = Arc::new(Published::new(ring.jwks()));
        current.send_replace(Current { records, ring: Arc::new(ring), published });
        Ok(true)
    }

    /// Looks at the table every so often for as long as the task lives, so that a rotation needs no
    /// restart. While the database is down the keyring of before goes on, and the log says so once.
    pub fn spawn_refresh(&self) -> JoinHandle<()> {
        let signing = self.clone();
        tokio::spawn(async move {
            let mut failing = false;
            loop {
                sleep(signing.0.settings.refresh()).await;
                let refreshed = signing.refresh().await;
                match &refreshed {
                    Ok(true) => tracing::info!("the signing keys changed and were read again"),
                    Err(error) if !failing => {
                        tracing::error!(%error, "the signing keys cannot be read; those of before go on");
                    }
                    _ => {}
                }
                failing = refreshed.is_err();
            }
        })
    }

    /// Lets the next key of each algorithm sign, retires the active one and publishes a new next one, all
    /// or nothing. Other nodes follow with their next refresh.
    pub async fn rotate(&self) -> Result<RotationReport, SigningError> {
        self.rotate_noting(Event::system(ROTATED)).await
    }

    /// [`Signing::rotate`], done by somebody for a reason.
    pub async fn rotate_by(&self, act: Act<'_>) -> Result<RotationReport, SigningError> {
        self.rotate_noting(act.event(ROTATED, Value::Null)).await
    }

    async fn rotate_noting(&self, mut event: Event<'_>) -> Result<RotationReport, SigningError> {
        let Inner { db, master, clock, entropy, settings, .. } = &*self.0;
        self.complete().await?;
        let records = signing_key::list(db).await?;
        let kid = |alg, state| {
            let found = records.iter().find(|record| record.alg == alg && record.state == state);
            found.map(|record| record.kid.clone()).ok_or(SigningError::Raced)
        };
        // Keys take long to make, so they are made before the transaction.
        let fresh = generate(settings.algorithms.clone()).await?;
        let mut rotated = Vec::new();
        let now = clock.now();
        let mut tx = db.begin().await?;
        for key in &fresh {
            let alg = key.alg();
            let (old, new) = (kid(alg, KeyState::Active)?, kid(alg, KeyState::Next)?);
            let done = signing_key::retire(&mut tx, &old, now).await?
                && signing_key::activate(&mut tx, &new, now).await?
                && signing_key::insert(&mut tx, master, entropy, key, KeyState::Next, now).await?;
            if !done {
                return Err(SigningError::Raced);
            }
            rotated.push(Rotated { alg, retired: old, active: new, next: key.kid().to_owned() });
        }
        let deleted = signing_key::delete_retired(&mut tx, now.minus(settings.keep_retired())).await?;
        if event.detail.is_null() {
            event.detail = json!({});
        }
        event.detail["rotated"] = json!(rotated);
        audit::record(&mut tx, entropy, now, event).await?;
        tx.commit().await?;
        self.refresh().await?;
        Ok(RotationReport { rotated, deleted })
    }

    /// The keys as they stand, by algorithm and age, none opened.
    pub async fn list(&self) -> Result<Vec<KeyRecord>, SigningError> {
        Ok(signing_key::list(&self.0.db).await?)
    }

    /// Withdraws one key at once, because it became known or is not wanted: what it signed is refused from
    /// now on. If it was the one that signs, the next one does, and a new next one is published.
    pub async fn retire(&self, kid: &str, act: Act<'_>) -> Result<Retired, SigningError> {
        let Inner { db, master, clock, entropy, settings, .. } = &*self.0;
        self.complete().await?;
        let records = signing_key::list(db).await?;
        let old = records.iter().find(|record| record.kid == kid).ok_or(SigningError::Unknown)?;
        let wanted = settings.algorithms.contains(&old.alg);
        let fresh = if wanted && old.state != KeyState::Retired { vec![old.alg] } else { Vec::new() };
        let fresh = generate(fresh).await?;
        let next = records.iter().find(|record| record.alg == old.alg && record.state == KeyState::Next);
        let next = next.filter(|_| old.state == KeyState::Active).map(|record| record.kid.clone());
        let now = clock.now();
        let mut tx = db.begin().await?;
        let mut done = signing_key::delete(&mut tx, kid, old.state).await?;
        if let Some(next) = &next {
            done &= signing_key::activate(&mut tx, next, now).await?;
        }
        for key in &fresh {
            done &= signing_key::insert(&mut tx, master, entropy, key, KeyState::Next, now).await?;
        }
        if !done {
            return Err(SigningError::Raced);
        }
        let retired = Retired { alg: old.alg, retired: kid.to_owned(), active: next };
        let event = act.event("key.retired", json!({ "key": retired, "state": old.state }));
        audit::record(&mut tx, entropy, now, event).await?;
        tx.commit().await?;
        self.refresh().await?;
        Ok(retired)
    }

    /// Makes the active and next keys that are missing. A node that makes one at the same time may win;
    /// then its key holds and ours is forgotten.
    async fn complete(&self) -> Result<(), SigningError> {
        let Inner { db, master, clock, entropy, settings, .. } = &*self.0;
        let records = signing_key::list(db).await?;
        for state in [KeyState::Active, KeyState::Next] {
            let has = |alg| records.iter().any(|record| record.alg == alg && record.state == state);
            let missing = settings.algorithms.iter().copied().filter(|alg| !has(*alg)).collect();
            for key in generate(missing).await? {
                signing_key::insert(db, master, entropy, &key, state, clock.now()).await?;
            }
        }
        Ok(())
    }
}

/// A new key for each of these algorithms, made off the async runtime.
async fn generate(algorithms: Vec<Algorithm>) -> Result<Vec<SigningKey>, SigningError> {
    let made = spawn_blocking(|| algorithms.into_iter().map(SigningKey::generate).collect::<Result<_, _>>());
    Ok(made.await??)
}

#[cfg(test)]
mod tests;
