//! Table `signing_key`: the private keys, sealed under the master key, and where each is in its life.

use std::sync::Arc;

use super::{
    On, StorageError, Tx,
    db::{execute, query},
    instant,
};
use crate::{
    clock::{Entropy, Timestamp},
    crypto::{Algorithm, KeyState, MasterKey, SigningKey},
};

/// Purpose under which private keys are sealed; each is bound to its `kid`.
const PURPOSE: &str = "signing-key";

/// What is known of a key without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Key ID.
    pub kid: String,
    /// Its one algorithm.
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    kid: String,
    alg: String,
    state: String,
    private_key: String,
    public_key: String,
    created_at: i64,
    activated_at: Option<i64>,
    retired_at: Option<i64>,
}

/// The keys as they stand, by algorithm and age, none opened.
pub async fn list(on: impl Into<On<'_>>) -> Result<Vec<KeyRecord>, StorageError> {
    rows(on).await?.iter().map(Row::record).collect()
}

/// The keys, opened and ready to sign.
pub async fn load(
    on: impl Into<On<'_>>,
    master: &MasterKey,
) -> Result<Vec<(KeyRecord, Arc<SigningKey>)>, StorageError> {
    let open = |row: &Row| Ok((row.record()?, Arc::new(row.open(master)?)));
    rows(on).await?.iter().map(open).collect()
}

async fn rows(on: impl Into<On<'_>>) -> Result<Vec<Row>, StorageError> {
    query!(
        on,
        fetch_all,
        "select kid, alg, state, private_key, public_key, created_at, activated_at, retired_at
         from signing_key order by alg, created_at, kid"
    )
}

impl Row {
    fn impossible(&self, column: &'static str, reason: impl ToString) -> StorageError {
        StorageError::Impossible {
            table: "signing_key",
            column,
            row: self.kid.clone(),
            reason: reason.to_string(),
        }
    }

    fn record(&self) -> Result<KeyRecord, StorageError> {
        Ok(KeyRecord {
            kid: self.kid.clone(),
            alg: self.alg.parse().map_err(|error| self.impossible("alg", error))?,
            state: self.state.parse().map_err(|error| self.impossible("state", error))?,
            created_at: Timestamp::from_millis(self.created_at),
            activated_at: instant(self.activated_at),
            retired_at: instant(self.retired_at),
        })
    }

    /// Opens the private key and checks all that the row says of it.
    fn open(&self, master: &MasterKey) -> Result<SigningKey, StorageError> {
        let json = master
            .open(PURPOSE, &self.kid, &self.private_key)
            .map(secrecy::zeroize::Zeroizing::new)
            .map_err(|error| self.impossible("private_key", error))?;
        let key =
            SigningKey::from_private_json(&json).map_err(|error| self.impossible("private_key", error))?;
        if key.kid() != self.kid {
            return Err(self.impossible("kid", "not the thumbprint of the key"));
        }
        if key.alg().name() != self.alg {
            return Err(self.impossible("alg", "not the algorithm of the key"));
        }
        if key.public_jwk().to_string() != self.public_key {
            return Err(self.impossible("public_key", "not the public part of the key"));
        }
        Ok(key)
    }
}

/// Adds a key; false if the algorithm has one in that state already, whoever added it.
pub async fn insert(
    on: impl Into<On<'_>>,
    master: &MasterKey,
    entropy: &Entropy,
    key: &SigningKey,
    state: KeyState,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let activated_at = (state == KeyState::Active).then_some(now.millis());
    let added = execute!(
        on,
        "insert into signing_key (kid, alg, state, private_key, public_key, created_at, activated_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        key.kid(),
        key.alg().name(),
        state.name(),
        master.seal(PURPOSE, key.kid(), &key.private_json(), entropy),
        key.public_jwk().to_string(),
        now.millis(),
        activated_at
    )?;
    Ok(added == 1)
}

/// Makes the next key sign; false if it is not the next one any more.
pub async fn activate(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        tx,
        "update signing_key set state = 'active', activated_at = $2 where kid = $1 and state = 'next'",
        kid,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Makes the active key sign no more; false if it is not the active one any more.
pub async fn retire(tx: &mut Tx, kid: &str, now: Timestamp) -> Result<bool, StorageError> {
    let changed = execute!(
        tx,
        "update signing_key set state = 'retired', retired_at = $2 where kid = $1 and state = 'active'",
        kid,
        now.millis()
    )?;
    Ok(changed == 1)
}

/// Deletes the keys that were retired before the instant and gives their number.
pub async fn delete_retired(on: impl Into<On<'_>>, before: Timestamp) -> Result<u64, StorageError> {
    execute!(on, "delete from signing_key where state = 'retired' and retired_at < $1", before.millis())
}
