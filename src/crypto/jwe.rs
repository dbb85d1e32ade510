//! Encryption to a relying party's key (RFC 7516), in compact form.

use std::fmt;

use josekit::jwe::{self, ECDH_ES, JweEncrypter, JweHeader, RSA_OAEP_256};
use serde::{Deserialize, Serialize};

use super::public_key::PublicKey;

/// How the content key reaches the relying party (RFC 7518 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyManagement {
    /// RSAES OAEP with SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// Diffie–Hellman on P-256 or X25519, direct.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
}

impl KeyManagement {
    /// Every one, as metadata lists them.
    pub const ALL: [Self; 2] = [Self::RsaOaep256, Self::EcdhEs];

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
        }
    }
}

impl fmt::Display for KeyManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How the content is encrypted (RFC 7518 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// AES-128-CBC with HMAC-SHA-256: what an absent `enc` means (OIDC Registration §2).
    #[default]
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-256-GCM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl ContentEncryption {
    /// Every one, as metadata lists them.
    pub const ALL: [Self; 2] = [Self::A128CbcHs256, Self::A256Gcm];

    /// The `enc` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256Gcm => "A256GCM",
        }
    }
}

/// The content could not be encrypted to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content could not be encrypted to the client's key")]
pub struct JweError;

/// Encrypts to the key. `cty` is `JWT` where the content is a signed one (RFC 7519 §5.2).
pub fn encrypt(
    content: &[u8],
    cty: Option<&str>,
    (alg, enc): (KeyManagement, ContentEncryption),
    key: &PublicKey,
) -> Result<String, JweError> {
    let encrypter = encrypter(alg, key).ok_or(JweError)?;
    let mut header = JweHeader::new();
    header.set_content_encryption(enc.name());
    if let Some(cty) = cty {
        header.set_content_type(cty);
    }
    if let Some(kid) = key.kid() {
        header.set_key_id(kid);
    }
    jwe::serialize_compact(content, &header, encrypter.as_ref()).map_err(|_| JweError)
}

pub(super) fn encrypter(alg: KeyManagement, key: &PublicKey) -> Option<Box<dyn JweEncrypter>> {
    let jwk = key.jwk()?;
    Some(match alg {
        KeyManagement::RsaOaep256 => Box::new(RSA_OAEP_256.encrypter_from_jwk(&jwk).ok()?),
        KeyManagement::EcdhEs => Box::new(ECDH_ES.encrypter_from_jwk(&jwk).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use josekit::jwk::{
        Jwk,
        alg::{ec::EcCurve, ecx::EcxCurve},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::crypto::public_key::JwkSet;

    fn set(private: &Jwk) -> JwkSet {
        let public: Value = serde_json::from_str(&private.to_public_key().unwrap().to_string()).unwrap();
        JwkSet::parse(&json!({ "keys": [public] })).unwrap()
    }

    #[test]
    fn what_was_encrypted_opens_with_the_private_key() {
        let rsa = Jwk::generate_rsa_key(2048).unwrap();
        let ec = Jwk::generate_ec_key(EcCurve::P256).unwrap();
        let x25519 = Jwk::generate_ecx_key(EcxCurve::X25519).unwrap();
        for (alg, private) in [
            (KeyManagement::RsaOaep256, &rsa),
            (KeyManagement::EcdhEs, &ec),
            (KeyManagement::EcdhEs, &x25519),
        ] {
            for enc in ContentEncryption::ALL {
                let key = set(private).for_encryption(alg).unwrap();
                let text = encrypt(b"content", Some("JWT"), (alg, enc), &key).unwrap();
                let opened = match alg {
                    KeyManagement::RsaOaep256 => {
                        jwe::deserialize_compact(&text, &RSA_OAEP_256.decrypter_from_jwk(private).unwrap())
                    }
                    KeyManagement::EcdhEs => {
                        jwe::deserialize_compact(&text, &ECDH_ES.decrypter_from_jwk(private).unwrap())
                    }
                };
                let (content, header) = opened.unwrap();
                assert_eq!(content, b"content");
                assert_eq!(header.content_type(), Some("JWT"));
                assert_eq!(header.claim("enc"), Some(&json!(enc.name())));
            }
        }
        assert_eq!(set(&rsa).for_encryption(KeyManagement::EcdhEs), None);
        assert_eq!(set(&ec).for_encryption(KeyManagement::RsaOaep256), None);
    }

    #[test]
    fn a_key_for_encryption_goes_before_one_for_anything() {
        let keys: Vec<Value> = ["any", "mine"]
            .into_iter()
            .map(|kid| {
                let mut key = Jwk::generate_ec_key(EcCurve::P256).unwrap().to_public_key().unwrap();
                key.set_key_id(kid);
                if kid == "mine" {
                    key.set_key_use("enc");
                }
                serde_json::from_str(&key.to_string()).unwrap()
            })
            .collect();
        let set = JwkSet::parse(&json!({ "keys": keys })).unwrap();
        assert_eq!(set.for_encryption(KeyManagement::EcdhEs).unwrap().kid(), Some("mine"));
    }
}
