//! The master key: seals what must not lie in clear in the database.

use std::{fmt, path::Path};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer, symm};

use crate::clock::Entropy;

/// The key that everything sealed depends on.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

/// A sealed value was made with another key or for another purpose, or was altered.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened")]
pub struct SealError;

impl MasterKey {
    /// Reads the key file of `dir`, or makes it.
    pub fn load_or_create(dir: &Path, entropy: &Entropy) -> std::io::Result<Self> {
        let path = dir.join("master.key");
        if !path.exists() {
            std::fs::create_dir_all(dir)?;
            std::fs::write(&path, entropy.bytes::<32>())?;
        }
        std::fs::read(path)?.try_into().map(Self).map_err(|_| std::io::ErrorKind::InvalidData.into())
    }

    /// From 32 bytes.
    #[cfg(test)]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn key(&self, purpose: &str) -> Result<Vec<u8>, openssl::error::ErrorStack> {
        let key = PKey::hmac(&self.0)?;
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(purpose.as_bytes())
    }

    /// Seals `plain`, bound to `purpose` and `aad`.
    pub fn seal(&self, purpose: &str, aad: &str, plain: &[u8], entropy: &Entropy) -> String {
        let nonce = entropy.bytes::<12>();
        let mut tag = [0; 16];
        let sealed = self
            .key(purpose)
            .and_then(|key| {
                let cipher = symm::Cipher::aes_256_gcm();
                symm::encrypt_aead(cipher, &key, Some(&nonce), aad.as_bytes(), plain, &mut tag)
            })
            .unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &tag, &sealed].concat())
    }

    /// Opens what [`MasterKey::seal`] gave.
    pub fn open(&self, purpose: &str, aad: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError)?;
        let (nonce, rest) = bytes.split_at_checked(12).ok_or(SealError)?;
        let (tag, sealed) = rest.split_at_checked(16).ok_or(SealError)?;
        let key = self.key(purpose).map_err(|_| SealError)?;
        symm::decrypt_aead(symm::Cipher::aes_256_gcm(), &key, Some(nonce), aad.as_bytes(), sealed, tag)
            .map_err(|_| SealError)
    }
}
