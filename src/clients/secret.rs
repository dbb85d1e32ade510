//! Client secrets: generated, high-entropy, stored as SHA-256, two valid at once during a rotation.

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Entropy, Timestamp},
    crypto::digest,
};

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
}

/// Makes a secret; its text is shown once and never stored.
pub fn generate(entropy: &Entropy, now: Timestamp) -> (String, StoredSecret) {
    let text = entropy.secret();
    let stored = StoredSecret { hash: digest::sha256_base64url(&text), created_at: now, expires_at: None };
    (text, stored)
}

/// Whether `presented` is one of the valid secrets, compared in constant time.
pub fn verify(secrets: &[StoredSecret], presented: &str, now: Timestamp) -> bool {
    let hash = digest::sha256_base64url(presented);
    secrets.iter().fold(false, |found, secret| {
        let valid = secret.expires_at.is_none_or(|end| now < end);
        (digest::equal(secret.hash.as_bytes(), hash.as_bytes()) && valid) || found
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
