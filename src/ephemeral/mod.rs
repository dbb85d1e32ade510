//! What expires: sessions, interactions, codes, tokens, replay marks and counters.
//!
//! The contract is small on purpose: one record, one key, one compare-and-swap. No operation spans
//! keys, so Redis Cluster needs no hash tags, and every one is atomic, so of any number of racers
//! exactly one wins. Whether a record is still valid is for its owner to say, by a field compared
//! with the clock; the time to live given here is only when it may be swept up.
//!
//! An operation is never repeated when it may already have happened: a lost answer to
//! [`insert`](Ephemeral::insert), [`swap`](Ephemeral::swap) or [`take`](Ephemeral::take) is
//! [`EphemeralError::Unavailable`], never a made-up "no".

mod connection;
#[cfg(test)]
mod failures;
mod redis;
mod service;
mod sql;
#[cfg(test)]
mod suite;

use std::{fmt, io, ops::Deref, path::PathBuf, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock::{Clock, Timestamp},
    config,
    crypto::digest::sha256_base64url,
    storage::Db,
};

/// Nothing lives longer than ten years, so that no engine's arithmetic overflows.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The store of records that expire.
#[derive(Clone, Debug)]
pub struct Ephemeral(Engine);

#[derive(Clone, Debug)]
enum Engine {
    Redis(redis::Redis),
    Sql(sql::Sql),
}

/// Something that can be kept: JSON text under a key.
pub trait Record: Serialize + DeserializeOwned {
    /// First part of the key, such as `session`; unique among records, and neither `count` nor `tag`.
    const KIND: &'static str;
}

/// A record as it was read, with the exact stored text that [`Ephemeral::swap`] compares.
#[derive(Clone)]
pub struct Found<R> {
    /// The record.
    pub value: R,
    raw: String,
}

impl<R> Deref for Found<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.value
    }
}

impl<R: Record> fmt::Debug for Found<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({})", R::KIND)
    }
}

/// Why an operation on ephemeral records failed. No text here holds a key or the content of a record.
#[derive(Debug, thiserror::Error)]
pub enum EphemeralError {
    /// The service cannot be reached, did not answer in time or refused. The operation may or may not
    /// have happened.
    #[error("the ephemeral store is unavailable: {0}")]
    Unavailable(String),
    /// A record does not fit its type.
    #[error("a record of kind {kind} is not the JSON of its type")]
    Corrupt {
        /// [`Record::KIND`] of the record.
        kind: &'static str,
    },
    /// `ephemeral.url` names no service that is supported, or is malformed.
    #[error("ephemeral.url is not usable: {0}")]
    Url(String),
    /// The file of `ephemeral.ca_file` cannot be read.
    #[error("ephemeral.ca_file {path:?} cannot be read: {error}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
}

/// How a Redis is set up, as far as it matters for what is kept in it. Of a Cluster, all of its masters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether what was written outlives a restart (`appendonly`).
    pub append_only: bool,
    /// What it does when its memory is full (`maxmemory-policy`).
    pub eviction: Option<String>,
    /// What time it is there.
    pub time: Option<Timestamp>,
}

macro_rules! each {
    ($self:ident, $engine:ident => $run:expr) => {
        match &$self.0 {
            Engine::Redis($engine) => $run,
            Engine::Sql($engine) => $run,
        }
    };
}

impl Ephemeral {
    /// Records in the SQL database, swept by [`Ephemeral::sweep`].
    pub const fn sql(db: Db, clock: Clock) -> Self {
        Self(Engine::Sql(sql::Sql::new(db, clock)))
    }

    /// Records in the Redis of `cfg.url`. It is connected to when first used, so a Redis that is down
    /// is no error here.
    pub async fn redis(cfg: &config::Ephemeral, clock: Clock) -> Result<Self, EphemeralError> {
        Ok(Self(Engine::Redis(redis::Redis::new(cfg, clock).await?)))
    }

    /// The record called `name`, which is a secret or an identifier; only its SHA-256 is stored.
    pub async fn get<R: Record>(&self, name: &str) -> Result<Option<Found<R>>, EphemeralError> {
        let key = key(R::KIND, name);
        each!(self, engine => engine.get(&key).await)?.map(found).transpose()
    }

    /// Stores the record, whatever was there. A `ttl` below a millisecond counts as one.
    pub async fn put<R: Record>(&self, name: &str, value: &R, ttl: Duration) -> Result<(), EphemeralError> {
        let (key, text) = (key(R::KIND, name), write(value)?);
        each!(self, engine => engine.put(&key, &text, bounded(ttl)).await)
    }

    /// Stores the record if there is none; whether it did.
    pub async fn insert<R: Record>(
        &self,
        name: &str,
        value: &R,
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let (key, text) = (key(R::KIND, name), write(value)?);
        each!(self, engine => engine.insert(&key, &text, bounded(ttl)).await)
    }

    /// Replaces the record if it still is what was read as `expected`; whether it did.
    pub async fn swap<R: Record>(
        &self,
        name: &str,
        expected: &Found<R>,
        new: &R,
        ttl: Duration,
    ) -> Result<bool, EphemeralError> {
        let (key, text) = (key(R::KIND, name), write(new)?);
        each!(self, engine => engine.swap(&key, &expected.raw, &text, bounded(ttl)).await)
    }

    /// Replaces the record if there is one, and gives what it was: of racers who `read` the same, one gets that
    /// and the others what was written over it. Cheaper than [`Ephemeral::swap`], for those who do away with the
    /// record when they come too late.
    pub async fn replace<R: Record>(
        &self,
        name: &str,
        read: &Found<R>,
        new: &R,
        ttl: Duration,
    ) -> Result<Option<Found<R>>, EphemeralError> {
        let (key, text) = (key(R::KIND, name), write(new)?);
        let before = each!(self, engine => engine.replace(&key, &read.raw, &text, bounded(ttl)).await)?;
        before.map(found).transpose()
    }

    /// Reads and removes the record; of several takers one gets it.
    pub async fn take<R: Record>(&self, name: &str) -> Result<Option<R>, EphemeralError> {
        let key = key(R::KIND, name);
        each!(self, engine => engine.take(&key).await)?.as_deref().map(read).transpose()
    }

    /// Removes the record; whether there was one.
    pub async fn remove<R: Record>(&self, name: &str) -> Result<bool, EphemeralError> {
        let key = key(R::KIND, name);
        each!(self, engine => engine.remove(&key).await)
    }

    /// Counts an event and gives the number of them in a window that starts with the first.
    pub async fn count(&self, what: &str, window: Duration) -> Result<u64, EphemeralError> {
        let key = key("count", what);
        each!(self, engine => engine.count(&key, bounded(window)).await)
    }

    /// The number that [`Ephemeral::count`] has reached, 0 after the window.
    pub async fn counted(&self, what: &str) -> Result<u64, EphemeralError> {
        let key = key("count", what);
        each!(self, engine => engine.counted(&key).await)
    }

    /// Starts the count afresh.
    pub async fn forget(&self, what: &str) -> Result<(), EphemeralError> {
        let key = key("count", what);
        each!(self, engine => engine.remove_count(&key).await)
    }

    /// Puts `member` under `tag`, or renews it there. The member is stored as it is, so it must be no
    /// secret.
    pub async fn tag(&self, tag: &str, member: &str, ttl: Duration) -> Result<(), EphemeralError> {
        let key = key("tag", tag);
        each!(self, engine => engine.tag(&key, member, bounded(ttl)).await)
    }

    /// Takes `member` away from `tag`.
    pub async fn untag(&self, tag: &str, member: &str) -> Result<(), EphemeralError> {
        let key = key("tag", tag);
        each!(self, engine => engine.untag(&key, member).await)
    }

    /// The members under `tag` whose time is not over, in alphabetical order.
    pub async fn tagged(&self, tag: &str) -> Result<Vec<String>, EphemeralError> {
        let key = key("tag", tag);
        let mut members = each!(self, engine => engine.tagged(&key).await)?;
        members.sort_unstable();
        Ok(members)
    }

    /// Whether the service answers.
    pub async fn ping(&self) -> Result<(), EphemeralError> {
        each!(self, engine => engine.ping().await)
    }

    /// How the service is set up, for `doctor`; none where the records are in the database.
    pub async fn condition(&self) -> Result<Option<Condition>, EphemeralError> {
        match &self.0 {
            Engine::Redis(redis) => redis.condition().await.map(Some),
            Engine::Sql(_) => Ok(None),
        }
    }

    /// Name of the engine, for `doctor` and the log.
    pub fn engine(&self) -> &'static str {
        each!(self, engine => engine.name())
    }

    /// Deletes what has expired, in batches, and gives the number of rows; Redis does so by itself.
    pub async fn sweep(&self) -> Result<u64, EphemeralError> {
        match &self.0 {
            Engine::Redis(_) => Ok(0),
            Engine::Sql(sql) => sql.sweep().await,
        }
    }
}

/// The stored key: never the name itself, which may be a secret.
fn key(kind: &str, name: &str) -> String {
    format!("{kind}:{}", sha256_base64url(name))
}

fn bounded(ttl: Duration) -> Duration {
    ttl.clamp(Duration::from_millis(1), LONGEST)
}

// The parser's own message may quote the record, so it is dropped.
fn read<R: Record>(text: &str) -> Result<R, EphemeralError> {
    serde_json::from_str(text).map_err(|_| EphemeralError::Corrupt { kind: R::KIND })
}

fn found<R: Record>(raw: String) -> Result<Found<R>, EphemeralError> {
    Ok(Found { value: read(&raw)?, raw })
}

fn write<R: Record>(value: &R) -> Result<String, EphemeralError> {
    serde_json::to_string(value).map_err(|_| EphemeralError::Corrupt { kind: R::KIND })
}
