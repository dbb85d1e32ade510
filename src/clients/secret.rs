//! Client secrets: generated, high-entropy, stored as SHA-256, two valid at once during a rotation.
//!
//! A client that signs with its secret (`client_secret_jwt`) makes us need the secret itself: it is kept
//! beside its hash, sealed under the master key and bound to the client.

use std::{ops::BitOr, time::Duration};

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Entropy, Timestamp},
    crypto::{MasterKey, SealError, digest},
};

/// Purpose under which the secrets of `client_secret_jwt` are sealed; each is bound to its `client_id`.
const PURPOSE: &str = "client-secret";

/// A secret as it is stored. A fast hash is enough: 256 random bits cannot be guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// SHA-256, base64url.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The secret under the master key; for `client_secret_jwt` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

impl StoredSecret {
    /// Whether the secret still works.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Keeps the text, which no other method needs.
    pub fn seal(&mut self, text: &str, master: &MasterKey, client_id: &str, entropy: &Entropy) {
        self.sealed = Some(master.seal(PURPOSE, client_id, text.as_bytes(), entropy));
    }

    /// The text, if it was kept.
    pub fn open(&self, master: &MasterKey, client_id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SealError> {
        let opened = self.sealed.as_ref().map(|sealed| master.open(PURPOSE, client_id, sealed));
        Ok(opened.transpose()?.map(Zeroizing::new))
    }
}

/// Makes a secret; its text is shown once and never stored.
pub fn generate(entropy: &Entropy, now: Timestamp) -> (String, StoredSecret) {
    let text = entropy.secret();
    let hash = digest::sha256_base64url(&text);
    let stored = StoredSecret { hash, created_at: now, expires_at: None, sealed: None };
    (text, stored)
}

/// Lets the secrets of before work a while longer, and forgets those that ended.
pub fn retire(secrets: &mut Vec<StoredSecret>, now: Timestamp, overlap: Duration) {
    let end = now.plus(overlap);
    for secret in secrets.iter_mut() {
        secret.expires_at = Some(secret.expires_at.map_or(end, |before| before.min(end)));
    }
    secrets.retain(|secret| secret.is_valid(now));
}

/// Whether `presented` is one of the valid secrets, compared in constant time.
pub fn verify(secrets: &[StoredSecret], presented: &str, now: Timestamp) -> bool {
    let hash = digest::sha256_base64url(presented);
    // Every one is compared, whichever it is.
    let matches = secrets
        .iter()
        .map(|known| digest::equal(known.hash.as_bytes(), hash.as_bytes()) & known.is_valid(now));
    matches.fold(false, BitOr::bitor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_secrets_work_during_a_rotation_and_an_ended_one_does_not() {
        let now = Timestamp::from_millis(1_000_000);
        let entropy = Entropy::system();
        let (old_text, mut old) = generate(&entropy, now);
        let (new_text, new) = generate(&entropy, now);
        old.expires_at = Some(now.plus(Duration::from_secs(60)));
        let secrets = [old, new];
        assert!(verify(&secrets, &old_text, now));
        assert!(verify(&secrets, &new_text, now));
        assert!(!verify(&secrets, &old_text, now.plus(Duration::from_secs(60))));
        assert!(!verify(&secrets, &secrets[1].hash, now));
        assert!(!verify(&secrets, "", now));
        assert!(!verify(&[], &new_text, now));
    }

    #[test]
    fn a_retired_secret_ends_with_its_overlap_and_never_later_than_before() {
        let now = Timestamp::from_millis(1_000_000);
        let (_, secret) = generate(&Entropy::system(), now);
        let mut secrets = vec![secret];
        retire(&mut secrets, now, Duration::from_secs(60));
        retire(&mut secrets, now, Duration::from_secs(3600));
        assert_eq!(secrets[0].expires_at, Some(now.plus(Duration::from_secs(60))));
        retire(&mut secrets, now, Duration::ZERO);
        assert!(secrets.is_empty());
    }

    #[test]
    fn a_sealed_secret_opens_for_its_client_alone() {
        let (entropy, master) = (Entropy::system(), MasterKey::from_bytes([4; 32]));
        let (text, mut stored) = generate(&entropy, Timestamp::from_millis(1));
        assert_eq!(stored.open(&master, "app").unwrap(), None);
        stored.seal(&text, &master, "app", &entropy);
        assert_eq!(stored.open(&master, "app").unwrap().unwrap().as_slice(), text.as_bytes());
        assert!(stored.open(&master, "other").is_err());
        assert!(!serde_json::to_string(&stored).unwrap().contains(&text));
    }
}
