//! Digests of secrets and identifiers.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

/// SHA-256 of `data` (FIPS 180-4).
pub fn sha256(data: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(data)
}

/// SHA-256 of `text` as 43 characters of base64url without padding.
pub fn sha256_base64url(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()))
}
