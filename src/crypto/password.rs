//! Password hashes: Argon2id, off the async runtime, behind a bounded queue.
//!
//! A run takes tens of milliseconds and megabytes on purpose, so a flood of logins could take the whole
//! machine. It cannot: so many runs at once, so many waiting, and the next is told to come back; and they run on
//! threads that come after all others.

mod memory;
mod workers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use argon2::{
    Argon2, Params, PasswordHash, PasswordHasher as _, Version,
    password_hash::{
        Error as HashError,
        phc::{Output, Salt},
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use self::{
    memory::{Memory, Room},
    workers::Workers,
};
use crate::{clock::Entropy, config, telemetry::traces::TARGET};

/// Bytes of the longest password that is hashed; 128 characters of any Unicode fit.
pub const MAX_BYTES: usize = 1024;

/// Why a password was neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// As many requests wait as may: 503 with Retry-After.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// The new password is longer than [`MAX_BYTES`].
    #[error("the password is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// What is stored is no hash of ours.
    #[error("the stored password hash is malformed: {0}")]
    Malformed(String),
    /// The run itself failed, most likely for want of memory.
    #[error("Argon2id failed: {0}")]
    Failed(String),
}

/// The hasher of this process; clones share its queue.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    params: Params,
    entropy: Entropy,
    /// Hash of a password that nobody has, made with the parameters in force.
    dummy: PasswordHash,
    memory: Memory,
    workers: Workers,
    /// Requests that may run or wait.
    capacity: usize,
    /// Runs and those who wait for one.
    admitted: Arc<Semaphore>,
    /// Runs.
    running: Arc<Semaphore>,
    /// Runs since the start.
    runs: AtomicU64,
}

/// A place in the queue for one run. Whoever counts an attempt takes a place first, so that nobody loses an
/// attempt to a full queue.
#[derive(Debug)]
pub struct Admission {
    inner: Arc<Inner>,
    place: OwnedSemaphorePermit,
}

impl Passwords {
    /// A hasher with these settings, which [`config::Passwords::validate`] has passed. Takes the time of
    /// one run, for the dummy hash.
    pub fn new(settings: &config::Passwords, entropy: Entropy) -> Result<Self, PasswordError> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, None)
            .map_err(|error| PasswordError::Failed(error.to_string()))?;
        let dummy = Argon2::from(&params)
            .hash_password_with_salt(&entropy.bytes::<32>(), &entropy.bytes::<16>())
            .map_err(failed)?;
        let capacity = settings.concurrent.saturating_add(settings.queue);
        Ok(Self(Arc::new(Inner {
            params,
            entropy,
            dummy,
            memory: Memory::default(),
            workers: Workers::start(settings.concurrent)
                .map_err(|error| PasswordError::Failed(error.to_string()))?,
            capacity,
            admitted: Arc::new(Semaphore::new(capacity)),
            running: Arc::new(Semaphore::new(settings.concurrent)),
            runs: AtomicU64::new(0),
        })))
    }

    /// A place in the queue, if there is one left.
    pub fn admit(&self) -> Result<Admission, PasswordError> {
        let place = Arc::clone(&self.0.admitted).try_acquire_owned().map_err(|_| {
            metrics::counter!("kenpos_password_hashes_refused_total").increment(1);
            PasswordError::Busy
        })?;
        Ok(Admission { inner: Arc::clone(&self.0), place })
    }

    /// The hash to store, as a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`).
    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordError> {
        if password.expose_secret().len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        let work = move |inner: &Inner, room: &mut Room| {
            let salt = inner.entropy.bytes::<16>();
            let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
            room.hash(&inner.dummy, password.expose_secret().as_bytes(), &salt, &mut hash)?;
            let (salt, hash) = (Salt::new(&salt)?, Output::new(&hash)?);
            Ok(PasswordHash { salt: Some(salt), hash: Some(hash), ..inner.dummy.clone() }.to_string())
        };
        self.admit()?.run(work).await
    }

    /// See [`Admission::verify`].
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, PasswordError> {
        self.admit()?.verify(password, hash).await
    }

    /// Whether the hash was made with other parameters than those in force, so that it should be made
    /// anew while the password is at hand.
    pub fn needs_rehash(&self, hash: &str) -> bool {
        let Ok(hash) = parse(hash) else { return true };
        let wanted = &self.0.params;
        let same = |params: Params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (wanted.m_cost(), wanted.t_cost(), wanted.p_cost())
        };
        hash.algorithm != argon2::ARGON2ID_IDENT
            || hash.version != Some(Version::default().into())
            || !Params::try_from(&hash).is_ok_and(same)
    }

    /// Argon2id runs since the start, for the metrics.
    pub fn runs(&self) -> u64 {
        self.0.runs.load(Ordering::Relaxed)
    }

    /// Requests that may run or wait at once, for the metrics.
    pub fn capacity(&self) -> usize {
        self.0.capacity
    }

    /// Requests that run or wait now, for the metrics.
    pub fn in_progress(&self) -> usize {
        self.0.capacity.saturating_sub(self.0.admitted.available_permits())
    }
}

impl Admission {
    /// Whether the password is the one that was hashed. With no hash, because nobody has that login ID,
    /// or with a password too long to be anyone's, the same work is done and the answer is no.
    pub async fn verify(self, password: SecretString, hash: Option<String>) -> Result<bool, PasswordError> {
        let stored = hash.as_deref().map(parse).transpose()?;
        self.run(move |inner, room| {
            let password = Some(password.expose_secret().as_bytes()).filter(|text| text.len() <= MAX_BYTES);
            let possible = stored.is_some() && password.is_some();
            let hash = stored.as_ref().unwrap_or(&inner.dummy);
            Ok(room.matches(hash, password.unwrap_or_default())? && possible)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Inner, &mut Room) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let Self { inner, place } = self;
        let span = tracing::trace_span!(target: TARGET, "Argon2id", otel.kind = "internal");
        let queued = Instant::now();
        let running = Arc::clone(&inner.running);
        let running =
            running.acquire_owned().instrument(span.clone()).await.map_err(|_| PasswordError::Busy)?;
        let begun = Instant::now();
        metrics::histogram!("kenpos_password_hash_wait_seconds").record((begun - queued).as_secs_f64());
        let within = Arc::clone(&inner);
        let run = inner.workers.run(move || {
            // A cancelled request stops waiting, not running: the permits go when the memory does.
            let _permits = (place, running);
            within.runs.fetch_add(1, Ordering::Relaxed);
            let done = within.memory.within(|room| work(&within, room)).map_err(failed);
            metrics::histogram!("kenpos_password_hash_duration_seconds")
                .record(begun.elapsed().as_secs_f64());
            done
        });
        run.instrument(span)
            .await
            .unwrap_or_else(|| Err(PasswordError::Failed("the run broke off".to_owned())))
    }
}

fn parse(hash: &str) -> Result<PasswordHash, PasswordError> {
    let malformed = |reason: String| PasswordError::Malformed(reason);
    let parsed = PasswordHash::new(hash).map_err(|error| malformed(error.to_string()))?;
    if parsed.salt.is_none() || parsed.hash.is_none() {
        return Err(malformed("salt or hash is missing".to_owned()));
    }
    argon2::Algorithm::try_from(parsed.algorithm.as_str()).map_err(|error| malformed(error.to_string()))?;
    Params::try_from(&parsed).map_err(|error| malformed(error.to_string()))?;
    Ok(parsed)
}

fn failed(error: HashError) -> PasswordError {
    PasswordError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
