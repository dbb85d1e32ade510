//! Table `signing_key`: the private keys, sealed under the master key, and where each is in its life.

use std::{fmt::Display, sync::Arc};

use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::{
    On, StorageError, Tx,
    db::{execute, query},
    from_json, instant,
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
    fn impossible(&self, column: &'static str, reason: &dyn Display) -> StorageError {
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
            alg: self.alg.parse().map_err(|error| self.impossible("alg", &error))?,
            state: self.state.parse().map_err(|error| self.impossible("state", &error))?,
            created_at: Timestamp::from_millis(self.created_at),
            activated_at: instant(self.activated_at),
            retired_at: instant(self.retired_at),
        })
    }

    /// Opens the private key and checks all that the row says of it.
    fn open(&self, master: &MasterKey) -> Result<SigningKey, StorageError> {
        let json = master
            .open(PURPOSE, &self.kid, &self.private_key)
            .map(Zeroizing::new)
            .map_err(|error| self.impossible("private_key", &error))?;
        let key =
            SigningKey::from_private_json(&json).map_err(|error| self.impossible("private_key", &error))?;
        if key.kid() != self.kid {
            return Err(self.impossible("kid", &"not the thumbprint of the key"));
        }
        if key.alg().name() != self.alg {
            return Err(self.impossible("alg", &"not the algorithm of the key"));
        }
        let public: Value = from_json("signing_key", "public_key", &self.kid, &self.public_key)?;
        if public != *key.public_jwk() {
            return Err(self.impossible("public_key", &"not the public part of the key"));
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

/// Deletes a key in this state; false if it is in another one by now.
pub async fn delete(tx: &mut Tx, kid: &str, state: KeyState) -> Result<bool, StorageError> {
    let deleted = execute!(tx, "delete from signing_key where kid = $1 and state = $2", kid, state.name())?;
    Ok(deleted == 1)
}

/// Deletes the keys that were retired before the instant and gives their number.
pub async fn delete_retired(on: impl Into<On<'_>>, before: Timestamp) -> Result<u64, StorageError> {
    execute!(on, "delete from signing_key where state = 'retired' and retired_at < $1", before.millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Db;

    const ENTROPY: Entropy = Entropy::system();
    const NOW: Timestamp = Timestamp::from_millis(1_000);

    async fn database() -> Db {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        db
    }

    fn master() -> MasterKey {
        MasterKey::from_bytes([3; 32])
    }

    async fn add(db: &Db, state: KeyState) -> (SigningKey, bool) {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let added = insert(db, &master(), &ENTROPY, &key, state, NOW).await.unwrap();
        (key, added)
    }

    #[tokio::test]
    async fn one_key_of_an_algorithm_is_active_and_one_is_next() {
        let db = database().await;
        let (first, added) = add(&db, KeyState::Active).await;
        assert!(added);
        assert!(!add(&db, KeyState::Active).await.1);
        assert!(add(&db, KeyState::Next).await.1);
        assert!(!add(&db, KeyState::Next).await.1);
        assert!(add(&db, KeyState::Retired).await.1 && add(&db, KeyState::Retired).await.1);
        let records = list(&db).await.unwrap();
        let active: Vec<_> = records.iter().filter(|record| record.state == KeyState::Active).collect();
        assert_eq!((active.len(), active[0].kid.as_str()), (1, first.kid()));
        assert_eq!(active[0].activated_at, Some(NOW));
    }

    #[tokio::test]
    async fn a_transition_happens_once_and_only_from_its_state() {
        let db = database().await;
        let (active, _) = add(&db, KeyState::Active).await;
        let (next, _) = add(&db, KeyState::Next).await;
        let later = Timestamp::from_millis(2_000);
        let mut tx = db.begin().await.unwrap();
        assert!(!retire(&mut tx, next.kid(), later).await.unwrap());
        assert!(!activate(&mut tx, active.kid(), later).await.unwrap());
        assert!(retire(&mut tx, active.kid(), later).await.unwrap());
        assert!(!retire(&mut tx, active.kid(), later).await.unwrap());
        assert!(activate(&mut tx, next.kid(), later).await.unwrap());
        assert!(!activate(&mut tx, next.kid(), later).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(delete_retired(&db, later).await.unwrap(), 0);
        assert_eq!(delete_retired(&db, Timestamp::from_millis(2_001)).await.unwrap(), 1);
        let left = list(&db).await.unwrap();
        assert_eq!(left.iter().map(|record| record.kid.as_str()).collect::<Vec<_>>(), [next.kid()]);
    }

    #[tokio::test]
    async fn the_private_key_is_not_in_the_database_in_the_clear() {
        let db = database().await;
        let (key, _) = add(&db, KeyState::Active).await;
        let row = &rows(&db).await.unwrap()[0];
        assert!(!row.private_key.contains(key.kid()) && !row.public_key.contains("\"d\""));
        let loaded = load(&db, &master()).await.unwrap();
        assert_eq!(loaded[0].1.public_jwk(), key.public_jwk());
    }

    #[tokio::test]
    async fn a_tampered_row_is_an_error_that_names_it() {
        let other = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let sealed_elsewhere = master().seal(PURPOSE, other.kid(), &other.private_json(), &ENTROPY);
        let cases = [
            ("alg", "ES256".to_owned()),
            ("alg", "none".to_owned()),
            ("state", "sleeping".to_owned()),
            ("private_key", "AAAA".to_owned()),
            ("private_key", sealed_elsewhere),
            ("public_key", other.public_jwk().to_string()),
        ];
        for (column, value) in cases {
            let db = database().await;
            let (key, _) = add(&db, KeyState::Active).await;
            let kid = key.kid();
            let update = match column {
                "alg" => "update signing_key set alg = $1 where kid = $2",
                "state" => "update signing_key set state = $1 where kid = $2",
                "private_key" => "update signing_key set private_key = $1 where kid = $2",
                _ => "update signing_key set public_key = $1 where kid = $2",
            };
            execute!(&db, update, value, kid).unwrap();
            let error = load(&db, &master()).await.unwrap_err().to_string();
            assert!(error.contains(&format!("signing_key.{column} of row {kid}:")), "{error}");
        }
    }

    #[tokio::test]
    async fn another_master_key_opens_nothing() {
        let db = database().await;
        add(&db, KeyState::Active).await;
        let error = load(&db, &MasterKey::from_bytes([4; 32])).await.unwrap_err().to_string();
        assert!(error.contains("signing_key.private_key") && error.contains("master key"), "{error}");
    }
}
