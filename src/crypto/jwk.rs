//! A signing key: made, read back from its JWK, and ready to sign.

use std::{collections::BTreeMap, fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use josekit::{
    JoseError,
    jwk::{
        Jwk,
        alg::{ec::EcCurve, ed::EdCurve},
    },
    jws::{ES256, EdDSA, JwsSigner, JwsVerifier, PS256, RS256},
};
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value, json};

pub use crate::config::keys::Algorithm;
use crate::crypto::digest::sha256;

/// Bits of a new RSA key, the least that RFC 7518 §3.3 allows; keys live for months, not decades.
const RSA_BITS: u32 = 2048;

/// Where a signing key is in its life. Each is published in the JWKS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Signs.
    Active,
    /// Published before it signs, so that relying parties know it by then.
    Next,
    /// Signs no more; kept until the last token that it signed has expired.
    Retired,
}

impl KeyState {
    /// The word in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Next => "next",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word is no state of a key.
#[derive(Debug, thiserror::Error)]
#[error("must be next, active or retired")]
pub struct UnknownKeyState;

impl FromStr for KeyState {
    type Err = UnknownKeyState;

    fn from_str(name: &str) -> Result<Self, UnknownKeyState> {
        [Self::Active, Self::Next, Self::Retired]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or(UnknownKeyState)
    }
}

/// Why a key could not be made or read. Tells what is wrong, never what the key is.
#[derive(Debug, thiserror::Error)]
pub enum JwkError {
    /// OpenSSL made no key.
    #[error("no {alg} key could be made: {error}")]
    Generate {
        /// Algorithm of the key.
        alg: Algorithm,
        /// What went wrong.
        error: JoseError,
    },
    /// The JWK is not a private key of its algorithm.
    #[error("not the JWK of a signing key: {0}")]
    Malformed(&'static str),
}

/// A private key with all that signing and verifying needs, parsed once.
pub struct SigningKey {
    kid: String,
    alg: Algorithm,
    private: Jwk,
    public: Value,
    signer: Box<dyn JwsSigner>,
    verifier: Box<dyn JwsVerifier>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("alg", &self.alg).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key, from OpenSSL's generator. RSA takes up to a second: not on the async runtime.
    pub fn generate(alg: Algorithm) -> Result<Self, JwkError> {
        let made = match alg {
            Algorithm::Rs256 | Algorithm::Ps256 => Jwk::generate_rsa_key(RSA_BITS),
            Algorithm::Es256 => Jwk::generate_ec_key(EcCurve::P256),
            Algorithm::EdDsa => Jwk::generate_ed_key(EdCurve::Ed25519),
        };
        let mut jwk = made.map_err(|error| JwkError::Generate { alg, error })?;
        jwk.set_algorithm(alg.name());
        Self::from_jwk(jwk)
    }

    /// Reads [`SigningKey::private_json`] back.
    pub fn from_private_json(json: &[u8]) -> Result<Self, JwkError> {
        // The messages of josekit may quote the JWK.
        Self::from_jwk(Jwk::from_bytes(json).map_err(|_| JwkError::Malformed("not a JSON Web Key"))?)
    }

    fn from_jwk(mut private: Jwk) -> Result<Self, JwkError> {
        let alg: Algorithm = private
            .algorithm()
            .and_then(|name| name.parse().ok())
            .ok_or(JwkError::Malformed("alg is missing or unknown"))?;
        let mut public = public_members(&private).ok_or(JwkError::Malformed("kty is unknown"))?;
        let kid = thumbprint(&public).ok_or(JwkError::Malformed("a public member is missing"))?;
        private.set_key_id(&kid);
        for (name, value) in [("use", "sig"), ("alg", alg.name()), ("kid", &kid)] {
            public.insert(name.to_owned(), json!(value));
        }
        let unusable = |_| JwkError::Malformed("the members do not fit the algorithm");
        let signer = signer(alg, &private).map_err(unusable)?;
        let verifier = verifier(alg, &Jwk::from_map(public.clone()).map_err(unusable)?).map_err(unusable)?;
        Ok(Self { kid, alg, private, public: Value::Object(public), signer, verifier })
    }

    /// Key ID: the JWK thumbprint of RFC 7638.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that the key is for (RFC 8725 §3.1).
    pub const fn alg(&self) -> Algorithm {
        self.alg
    }

    /// What the JWKS says of the key: its public members with `kid`, `use` and `alg`.
    pub const fn public_jwk(&self) -> &Value {
        &self.public
    }

    /// The private JWK, to be sealed and stored.
    pub fn private_json(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.private.to_string().into_bytes())
    }

    pub(super) fn signer(&self) -> &dyn JwsSigner {
        self.signer.as_ref()
    }

    pub(super) fn verifier(&self) -> &dyn JwsVerifier {
        self.verifier.as_ref()
    }
}

fn signer(alg: Algorithm, jwk: &Jwk) -> Result<Box<dyn JwsSigner>, JoseError> {
    Ok(match alg {
        Algorithm::Rs256 => Box::new(RS256.signer_from_jwk(jwk)?),
        Algorithm::Ps256 => Box::new(PS256.signer_from_jwk(jwk)?),
        Algorithm::Es256 => Box::new(ES256.signer_from_jwk(jwk)?),
        Algorithm::EdDsa => Box::new(EdDSA.signer_from_jwk(jwk)?),
    })
}

fn verifier(alg: Algorithm, jwk: &Jwk) -> Result<Box<dyn JwsVerifier>, JoseError> {
    Ok(match alg {
        Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(jwk)?),
        Algorithm::Ps256 => Box::new(PS256.verifier_from_jwk(jwk)?),
        Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(jwk)?),
        Algorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(jwk)?),
    })
}

/// Members that make up a public key, by `kty` (RFC 7638 §3.2, RFC 8037 §2).
fn required_members(kty: &str) -> Option<&'static [&'static str]> {
    match kty {
        "RSA" => Some(&["e", "kty", "n"]),
        "EC" => Some(&["crv", "kty", "x", "y"]),
        "OKP" => Some(&["crv", "kty", "x"]),
        _ => None,
    }
}

pub(super) fn public_members(jwk: &Jwk) -> Option<Map<String, Value>> {
    let names = required_members(jwk.key_type())?;
    Some(names.iter().filter_map(|name| Some(((*name).to_owned(), jwk.parameter(name)?.clone()))).collect())
}

/// The JWK thumbprint (RFC 7638 §3) as base64url of SHA-256; none if the JWK is no public key.
pub fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let names = required_members(jwk.get("kty")?.as_str()?)?;
    // Sorted by name and without spaces, as §3.3 wants it.
    let members: BTreeMap<&str, &str> =
        names.iter().map(|name| Some((*name, jwk.get(*name)?.as_str()?))).collect::<Option<_>>()?;
    let canonical = serde_json::to_vec(&members).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(sha256(&canonical)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_those_of_the_standards() {
        // RFC 7638 §3.1
        let rsa = json!({
            "kty": "RSA", "alg": "RS256", "e": "AQAB", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(
            thumbprint(rsa.as_object().unwrap()).unwrap(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        // RFC 8037 appendix A.3
        let ed = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        assert_eq!(
            thumbprint(ed.as_object().unwrap()).unwrap(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        for none in [json!({}), json!({ "kty": "oct", "k": "AA" }), json!({ "kty": "EC", "x": "", "y": 1 })] {
            assert_eq!(thumbprint(none.as_object().unwrap()), None, "{none}");
        }
    }

    #[test]
    fn the_published_jwk_has_no_private_member_and_the_stored_one_reads_back() {
        for alg in Algorithm::ALL {
            let key = SigningKey::generate(alg).unwrap();
            let public = key.public_jwk().as_object().unwrap();
            for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
                assert!(!public.contains_key(private), "{alg}: {private}");
            }
            assert_eq!(public["use"], "sig");
            assert_eq!(public["alg"], alg.name());
            assert_eq!(public["kid"], key.kid());
            assert_eq!(thumbprint(public).unwrap(), key.kid());
            let read = SigningKey::from_private_json(&key.private_json()).unwrap();
            assert_eq!((read.kid(), read.alg(), read.public_jwk()), (key.kid(), alg, key.public_jwk()));
            let shown = format!("{key:?}");
            let secret = serde_json::from_slice::<Value>(&key.private_json()).unwrap()["d"].clone();
            assert!(!shown.contains(secret.as_str().unwrap()), "{shown}");
        }
    }

    #[test]
    fn a_jwk_that_is_no_signing_key_is_an_error() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let jwk: Map<String, Value> = serde_json::from_slice(&key.private_json()).unwrap();
        let with = |name: &str, value: Value| {
            let mut jwk = jwk.clone();
            jwk.insert(name.to_owned(), value);
            serde_json::to_vec(&jwk).unwrap()
        };
        let public = serde_json::to_vec(key.public_jwk()).unwrap();
        let cases = [
            b"".to_vec(),
            b"[]".to_vec(),
            b"{}".to_vec(),
            public,
            with("alg", json!("RS256")),
            with("alg", json!("none")),
            with("kty", json!("RSA")),
            with("kty", json!("oct")),
            with("crv", json!("P-384")),
            with("d", json!("!")),
            with("x", json!(1)),
        ];
        for case in cases {
            assert!(SigningKey::from_private_json(&case).is_err(), "{}", String::from_utf8_lossy(&case));
        }
    }
}
