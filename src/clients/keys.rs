//! The public keys of clients, by value (`jwks`) or fetched (`jwks_uri`) and kept for a while.

use std::{sync::Arc, time::Duration};

use super::Metadata;
use crate::{
    clock::{Clock, Timestamp},
    crypto::{Algorithm, JwkSet, JwkSetError, PublicKey, jwe::KeyManagement},
    egress::{Egress, EgressError, Policy, Slots},
};

/// What a JWK Set may be. Some servers say text/plain, and nothing hangs on it.
const POLICY: Policy = Policy { max_bytes: 64 * 1024, content_types: &[] };
/// How long a set is kept where its server does not say.
const KEPT: Duration = Duration::from_secs(600);
/// Bounds of what its server may say: long enough to spare it, short enough that a key that was withdrawn
/// is soon one no more.
const KEPT_BOUNDS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// Shortest time between two fetches of one set, whatever kids are asked for.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a set outlives its time while its server cannot be reached.
const GRACE: Duration = Duration::from_secs(3600);
/// Sets that are kept at most.
const MOST: usize = 1000;

/// Why there is no key of the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeysError {
    /// The server of `jwks_uri` cannot be reached: 503, and the client may try again.
    #[error("the client's jwks_uri: {0}")]
    Unreachable(EgressError),
    /// `jwks_uri` may not be called, or is not the URL of a JWK Set: the client's own mistake.
    #[error("the client's jwks_uri: {0}")]
    Refused(EgressError),
    /// What the client gave is no JWK Set.
    #[error("the client's keys: {0}")]
    Malformed(JwkSetError),
    /// No key fits the algorithm and `kid`.
    #[error("the client has no key for this")]
    NoKey,
}

/// The keys of clients; clones share what was fetched.
#[derive(Clone, Debug)]
pub struct ClientKeys {
    egress: Egress,
    clock: Clock,
    fetched: Slots<State>,
}

/// The set of one `jwks_uri`.
#[derive(Debug, Default)]
struct State {
    set: Option<Arc<JwkSet>>,
    /// When the set should be fetched again.
    fresh_until: Timestamp,
    /// When a fetch was last tried.
    tried_at: Option<Timestamp>,
    /// What became of the last fetch, if it failed.
    failure: Option<ClientKeysError>,
}

impl ClientKeys {
    /// Keys that are fetched through the guarded way out.
    pub fn new(egress: Egress, clock: Clock) -> Self {
        Self { egress, clock, fetched: Slots::new(MOST) }
    }

    /// The keys that may have signed with the algorithm; with a `kid`, only those of that name. A `kid`
    /// that is not in the set makes it be fetched again, at most every ten seconds. Never empty.
    pub async fn verification(
        &self,
        metadata: &Metadata,
        alg: Algorithm,
        kid: Option<&str>,
    ) -> Result<Vec<PublicKey>, ClientKeysError> {
        self.find(metadata, |set| Some(set.for_verification(alg, kid)).filter(|keys| !keys.is_empty())).await
    }

    /// The key to encrypt to.
    pub async fn encryption(
        &self,
        metadata: &Metadata,
        alg: KeyManagement,
    ) -> Result<PublicKey, ClientKeysError> {
        self.find(metadata, |set| set.for_encryption(alg)).await
    }

    async fn find<T>(
        &self,
        metadata: &Metadata,
        pick: impl Fn(&JwkSet) -> Option<T>,
    ) -> Result<T, ClientKeysError> {
        if let Some(jwks) = &metadata.jwks {
            let set = JwkSet::parse(jwks).map_err(ClientKeysError::Malformed)?;
            return pick(&set).ok_or(ClientKeysError::NoKey);
        }
        let url = metadata.jwks_uri.as_deref().ok_or(ClientKeysError::NoKey)?;
        let slot = self.fetched.of(url);
        let mut state = slot.lock().await;
        let now = self.clock.now();
        let found = state.set.as_deref().and_then(&pick);
        if let Some(found) = found {
            if now < state.fresh_until {
                return Ok(found);
            }
            self.refresh(url, &mut state, now).await;
            let outlived = now >= state.fresh_until.plus(GRACE);
            return match (&state.failure, state.set.as_deref().and_then(&pick)) {
                (Some(failure), _) if outlived => Err(failure.clone()),
                (_, Some(found)) => Ok(found),
                (_, None) => Err(ClientKeysError::NoKey),
            };
        }
        self.refresh(url, &mut state, now).await;
        match (&state.failure, state.set.as_deref().and_then(&pick)) {
            (_, Some(found)) => Ok(found),
            (Some(failure), None) => Err(failure.clone()),
            (None, None) => Err(ClientKeysError::NoKey),
        }
    }

    /// Fetches the set again unless that was just tried; a set that is there outlives a failure.
    async fn refresh(&self, url: &str, state: &mut State, now: Timestamp) {
        if state.tried_at.is_some_and(|at| now < at.plus(PAUSE)) {
            return;
        }
        state.tried_at = Some(now);
        let fetched = self.egress.fetch(url, &POLICY).await.map_err(|error| match error {
            EgressError::Unreachable(_) => ClientKeysError::Unreachable(error),
            EgressError::Refused(_) | EgressError::Answer(_) => ClientKeysError::Refused(error),
        });
        let read = fetched.and_then(|fetched| {
            let set = JwkSet::from_json(&fetched.body).map_err(ClientKeysError::Malformed)?;
            Ok((set, fetched.max_age.unwrap_or(KEPT)))
        });
        match read {
            Ok((set, kept)) => {
                state.set = Some(Arc::new(set));
                state.fresh_until = now.plus(kept.clamp(KEPT_BOUNDS.0, KEPT_BOUNDS.1));
                state.failure = None;
            }
            Err(failure) => {
                tracing::info!(%failure, "the keys of a client could not be fetched");
                state.failure = Some(failure);
            }
        }
    }
}
