//! The provider's own tokens: signed JWTs in compact form (RFC 7515 §7.1, RFC 7519).

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use josekit::{
    JoseError,
    jws::{self, JwsHeader, JwsVerifier},
};
use openssl::sha::{sha256, sha512};
use serde_json::{Value, json};

use super::{Algorithm, KeyState, SigningKey};

/// Characters of the longest token that is looked at.
const MAX_LENGTH: usize = 16 * 1024;

/// Why a token was not made or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// There is no active key of this algorithm.
    #[error("there is no active signing key for {0}")]
    NoKey(Algorithm),
    /// OpenSSL did not sign.
    #[error("the token could not be signed: {0}")]
    Sign(#[source] JoseError),
    /// Not a token of this provider, or no longer what it was. Which of the two is nobody's business.
    #[error("not a token of this provider")]
    Invalid,
}

/// The signing keys at one moment.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Vec<(Arc<SigningKey>, KeyState)>,
    jwks: Value,
}

impl Keyring {
    /// The ring of these keys; at most one of an algorithm is active.
    pub fn new(mut keys: Vec<(Arc<SigningKey>, KeyState)>) -> Self {
        // The active ones first, RS256 before the others: relying parties that take the first key fare best.
        keys.sort_by_key(|(key, state)| (*state, key.alg()));
        let public: Vec<&Value> = keys.iter().map(|(key, _)| key.public_jwk()).collect();
        let jwks = json!({ "keys": public });
        Self { keys, jwks }
    }

    /// The keys with their states, the active ones first.
    pub fn keys(&self) -> impl Iterator<Item = (&SigningKey, KeyState)> {
        self.keys.iter().map(|(key, state)| (key.as_ref(), *state))
    }

    /// The JWK Set of `/jwks` (RFC 7517 §5): the public part of every key.
    pub const fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// Signs the claims with the active key of the algorithm; the header holds `alg`, `kid` and, if
    /// given, `typ`.
    pub fn sign(&self, alg: Algorithm, typ: Option<&str>, claims: &Value) -> Result<String, JwtError> {
        let (key, _) = self
            .keys()
            .find(|(key, state)| key.alg() == alg && *state == KeyState::Active)
            .ok_or(JwtError::NoKey(alg))?;
        let mut header = JwsHeader::new();
        if let Some(typ) = typ {
            header.set_token_type(typ);
        }
        // alg and kid are those of the signer.
        jws::serialize_compact(claims.to_string().as_bytes(), &header, key.signer()).map_err(JwtError::Sign)
    }

    /// The claims of an ID token of this provider (`id_token_hint`): one whose `typ` is absent or `JWT`.
    /// The signature is checked, the times are not: an expired hint is still a hint (OIDC Core §3.1.2.1).
    pub fn verify(&self, jwt: &str) -> Result<Value, JwtError> {
        self.verified(jwt, |typ| typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")))
    }

    /// The claims of a token of this provider whose `typ` is this one, such as `at+jwt` (RFC 9068 §4).
    /// A token of one kind never passes as another (RFC 8725 §3.11).
    pub fn verify_typed(&self, typ: &str, jwt: &str) -> Result<Value, JwtError> {
        self.verified(jwt, |found| found.is_some_and(|found| found.eq_ignore_ascii_case(typ)))
    }

    fn verified(&self, jwt: &str, typ_fits: impl Fn(Option<&str>) -> bool) -> Result<Value, JwtError> {
        if jwt.len() > MAX_LENGTH {
            return Err(JwtError::Invalid);
        }
        let select = |header: &JwsHeader| Ok(self.verifier(header).filter(|_| typ_fits(header.token_type())));
        let (claims, _) =
            jws::deserialize_compact_with_selector(jwt, select).map_err(|_| JwtError::Invalid)?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| JwtError::Invalid)?;
        if claims.is_object() { Ok(claims) } else { Err(JwtError::Invalid) }
    }

    /// The verifier of the key that the header names, if the header asks for nothing else. The key says
    /// which algorithm it is for; the header only has to agree (RFC 8725 §3.1).
    fn verifier(&self, header: &JwsHeader) -> Option<&dyn JwsVerifier> {
        let foreign = ["jwk", "jku", "x5c", "x5u", "crit"];
        if foreign.iter().any(|name| header.claim(name).is_some()) {
            return None;
        }
        let (key, _) = self.keys().find(|(key, _)| Some(key.kid()) == header.key_id())?;
        (header.algorithm() == Some(key.alg().name())).then(|| key.verifier())
    }
}

/// `at_hash` and `c_hash` (OIDC Core §3.1.3.6, §3.3.2.11): base64url of the left half of the token's hash.
/// The hash is the one of the signature algorithm; for Ed25519 that is SHA-512 (RFC 8032 §5.1).
pub fn at_hash(alg: Algorithm, token: &str) -> String {
    match alg {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => {
            BASE64_URL_SAFE_NO_PAD.encode(&sha256(token.as_bytes())[..16])
        }
        Algorithm::EdDsa => BASE64_URL_SAFE_NO_PAD.encode(&sha512(token.as_bytes())[..32]),
    }
}

#[cfg(test)]
mod tests;
