//! Public keys of relying parties (RFC 7517), and the signed JWTs that they send.

use josekit::{
    jwk::Jwk,
    jws::{self, ES256, EdDSA, HS256, JwsVerifier, PS256, RS256},
};
use serde_json::{Map, Value};

use super::{Algorithm, JwtError, jwe::KeyManagement, jwk::public_members};

/// Most keys that a set may have.
const MOST: usize = 50;
/// Characters of the longest JWT that is looked at.
const MAX_LENGTH: usize = 32 * 1024;
/// Members that only private and symmetric keys have (RFC 7518 §6.3.2, §6.4).
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a JWK Set is none that can be used. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetError {
    /// Not the JSON of a JWK Set (RFC 7517 §5).
    #[error("must be a JWK Set: an object whose keys is an array of objects")]
    Malformed,
    /// Too many keys.
    #[error("must have 1 to 50 keys")]
    Count,
    /// A private or symmetric key, which now too many know.
    #[error("must hold public keys alone")]
    Secret,
    /// An RSA key below 2048 bits, or members that make no key.
    #[error("holds a key that is malformed or too weak: RSA takes 2048 bits or more")]
    Unusable,
}

/// The public keys of a relying party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet(Vec<PublicKey>);

/// A public key of a relying party, with what its JWK says of its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Map<String, Value>);

impl JwkSet {
    /// Reads a JWK Set. Keys of unknown types are left out (RFC 7517 §5); a set with a private key is
    /// refused as a whole.
    pub fn parse(set: &Value) -> Result<Self, JwkSetError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwkSetError::Malformed)?;
        if keys.is_empty() || keys.len() > MOST {
            return Err(JwkSetError::Count);
        }
        let keys: Vec<_> =
            keys.iter().map(Value::as_object).collect::<Option<_>>().ok_or(JwkSetError::Malformed)?;
        if keys.iter().any(|key| SECRET_MEMBERS.iter().any(|name| key.contains_key(*name))) {
            return Err(JwkSetError::Secret);
        }
        let known = keys.into_iter().cloned().map(PublicKey).filter(|key| key.kind().is_some());
        let set = Self(known.collect());
        if set.0.iter().all(PublicKey::is_sound) { Ok(set) } else { Err(JwkSetError::Unusable) }
    }

    /// Reads the JSON text of a JWK Set.
    pub fn from_json(text: &[u8]) -> Result<Self, JwkSetError> {
        Self::parse(&serde_json::from_slice(text).map_err(|_| JwkSetError::Malformed)?)
    }

    /// The keys that may have signed with the algorithm; with a `kid`, only those of that name.
    pub fn for_verification(&self, alg: Algorithm, kid: Option<&str>) -> Vec<PublicKey> {
        let fits = |key: &&PublicKey| {
            key.kind() == Some(kind_of(alg))
                && key.may("sig", "verify", alg.name())
                && kid.is_none_or(|kid| key.text("kid") == Some(kid))
        };
        self.0.iter().filter(fits).cloned().collect()
    }

    /// The key to encrypt to: the first that fits, as one that says `use: enc` goes before the others.
    pub fn for_encryption(&self, alg: KeyManagement) -> Option<PublicKey> {
        let operation = if alg == KeyManagement::EcdhEs { "deriveKey" } else { "encrypt" };
        let fits = |key: &&PublicKey| {
            key.kind().is_some_and(|kind| match alg {
                KeyManagement::RsaOaep256 => kind == Kind::Rsa,
                KeyManagement::EcdhEs => matches!(kind, Kind::P256 | Kind::X25519),
            }) && key.may("enc", operation, alg.name())
        };
        self.0.iter().filter(fits).min_by_key(|key| key.text("use") != Some("enc")).cloned()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    Ed25519,
    X25519,
}

const fn kind_of(alg: Algorithm) -> Kind {
    match alg {
        Algorithm::Rs256 | Algorithm::Ps256 => Kind::Rsa,
        Algorithm::Es256 => Kind::P256,
        Algorithm::EdDsa => Kind::Ed25519,
    }
}

impl PublicKey {
    /// Its `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn kind(&self) -> Option<Kind> {
        match (self.text("kty")?, self.text("crv")) {
            ("RSA", _) => Some(Kind::Rsa),
            ("EC", Some("P-256")) => Some(Kind::P256),
            ("OKP", Some("Ed25519")) => Some(Kind::Ed25519),
            ("OKP", Some("X25519")) => Some(Kind::X25519),
            _ => None,
        }
    }

    /// Whether `use`, `key_ops` and `alg` allow it, where they are given (RFC 7517 §4.2–4.4).
    fn may(&self, usage: &str, operation: &str, alg: &str) -> bool {
        let operations = self.0.get("key_ops").and_then(Value::as_array);
        self.text("use").is_none_or(|given| given == usage)
            && operations.is_none_or(|given| given.iter().any(|op| op == operation))
            && self.text("alg").is_none_or(|given| given == alg)
    }

    /// Whether the members make a key, and one that is strong enough.
    fn is_sound(&self) -> bool {
        match self.kind() {
            Some(Kind::Rsa) => self.verifier(Algorithm::Rs256).is_some(),
            Some(Kind::P256) => self.verifier(Algorithm::Es256).is_some(),
            Some(Kind::Ed25519) => self.verifier(Algorithm::EdDsa).is_some(),
            Some(Kind::X25519) => super::jwe::encrypter(KeyManagement::EcdhEs, self).is_some(),
            None => false,
        }
    }

    /// The bare key: what its JWK says of its use was looked at already.
    pub(super) fn jwk(&self) -> Option<Jwk> {
        // josekit checks the members but reads past those of another type.
        let jwk = Jwk::from_map(self.0.clone()).ok()?;
        Jwk::from_map(public_members(&jwk)?).ok()
    }

    fn verifier(&self, alg: Algorithm) -> Option<Box<dyn JwsVerifier>> {
        let jwk = self.jwk()?;
        Some(match alg {
            Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&jwk).ok()?),
            Algorithm::Ps256 => Box::new(PS256.verifier_from_jwk(&jwk).ok()?),
            Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(&jwk).ok()?),
            Algorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(&jwk).ok()?),
        })
    }
}

/// A signed JWT from a relying party: a client assertion or a request object. What it says before
/// [`verify`](Self::verify) only serves to find the client and its key.
#[derive(Clone)]
pub struct ForeignJwt {
    text: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl std::fmt::Debug for ForeignJwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForeignJwt(hidden)")
    }
}

impl ForeignJwt {
    /// Takes a compact JWS apart. One that brings its own key (`jwk`, `jku`, `x5u`) or demands extensions
    /// (`crit`) is refused (RFC 8725 §3.10).
    pub fn read(text: &str) -> Result<Self, JwtError> {
        let object = |part: &str| -> Option<Map<String, Value>> {
            use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        if text.len() > MAX_LENGTH {
            return Err(JwtError::Invalid);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwtError::Invalid);
        };
        let (Some(header), Some(claims)) = (object(header), object(claims)) else {
            return Err(JwtError::Invalid);
        };
        if ["jwk", "jku", "x5u", "crit"].iter().any(|name| header.contains_key(*name)) {
            return Err(JwtError::Invalid);
        }
        Ok(Self { text: text.to_owned(), header, claims })
    }

    /// `alg` of the header.
    pub fn alg(&self) -> Option<&str> {
        self.header.get("alg")?.as_str()
    }

    /// `kid` of the header.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid")?.as_str()
    }

    /// Whether `typ` of the header, if there is one, is that of this kind or of any: a JWT made for another purpose
    /// is none for this one (RFC 8725 §3.11).
    pub fn is_of_kind(&self, kind: &str) -> bool {
        let typ = self.header.get("typ").map(|typ| typ.as_str().unwrap_or_default());
        typ.is_none_or(|typ| ["JWT", kind].iter().any(|known| typ.eq_ignore_ascii_case(known)))
    }

    /// A claim as text, not verified yet.
    pub fn unverified(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// The claims, if one of the keys signed them with the algorithm.
    pub fn verify(&self, alg: Algorithm, keys: &[PublicKey]) -> Result<&Map<String, Value>, JwtError> {
        let verified = keys
            .iter()
            .filter_map(|key| key.verifier(alg))
            .any(|verifier| jws::deserialize_compact(&self.text, verifier.as_ref()).is_ok());
        if verified && self.alg() == Some(alg.name()) { Ok(&self.claims) } else { Err(JwtError::Invalid) }
    }

    /// The claims, if they were signed with HS256 and the secret (RFC 7518 §3.2).
    pub fn verify_hs256(&self, secret: &[u8]) -> Result<&Map<String, Value>, JwtError> {
        let verifier = HS256.verifier_from_bytes(secret).map_err(|_| JwtError::Invalid)?;
        let signed = jws::deserialize_compact(&self.text, &verifier).is_ok();
        if signed && self.alg() == Some("HS256") { Ok(&self.claims) } else { Err(JwtError::Invalid) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::crypto::{KeyState, Keyring, SigningKey};

    fn keys(alg: Algorithm) -> (Keyring, Value) {
        let key = SigningKey::generate(alg).unwrap();
        let public = key.public_jwk().clone();
        (Keyring::new(vec![(Arc::new(key), KeyState::Active)]), public)
    }

    #[test]
    fn each_algorithm_verifies_with_its_own_key_alone() {
        for alg in Algorithm::ALL {
            let (ring, public) = keys(alg);
            let set = JwkSet::parse(&json!({ "keys": [{ "kty": "unknown" }, public] })).unwrap();
            let jwt = ForeignJwt::read(&ring.sign(alg, None, &json!({ "iss": "c" })).unwrap()).unwrap();
            let found = set.for_verification(alg, jwt.kid());
            assert_eq!(jwt.verify(alg, &found).unwrap()["iss"], "c", "{alg}");
            assert!(set.for_verification(alg, Some("other")).is_empty());
            for other in Algorithm::ALL.into_iter().filter(|other| *other != alg) {
                assert!(set.for_verification(other, None).is_empty(), "{alg} {other}");
                assert!(jwt.verify(other, &found).is_err(), "{alg} {other}");
            }
            let (_, stranger) = keys(alg);
            let stranger = JwkSet::parse(&json!({ "keys": [stranger] })).unwrap();
            assert!(jwt.verify(alg, &stranger.for_verification(alg, None)).is_err());
            // The public key as an HMAC secret (RFC 8725 §2.1).
            assert!(jwt.verify_hs256(public.to_string().as_bytes()).is_err());
        }
    }

    #[test]
    fn a_key_serves_only_what_its_jwk_allows() {
        let (_, public) = keys(Algorithm::Es256);
        let with = |name: &str, value: Value| {
            let mut key = public.clone();
            key[name] = value;
            JwkSet::parse(&json!({ "keys": [key] })).unwrap()
        };
        assert!(with("use", json!("enc")).for_verification(Algorithm::Es256, None).is_empty());
        assert!(with("alg", json!("ES384")).for_verification(Algorithm::Es256, None).is_empty());
        assert!(with("key_ops", json!(["encrypt"])).for_verification(Algorithm::Es256, None).is_empty());
        assert_eq!(with("key_ops", json!(["verify"])).for_verification(Algorithm::Es256, None).len(), 1);
    }

    #[test]
    fn a_set_that_should_not_be_trusted_is_refused() {
        let weak = json!({ "kty": "RSA", "e": "AQAB", "n": "u".repeat(171) });
        let secret = json!({ "kty": "oct", "k": "AAAA" });
        let private: Value =
            serde_json::from_slice(&SigningKey::generate(Algorithm::EdDsa).unwrap().private_json()).unwrap();
        for (set, error) in [
            (json!([]), JwkSetError::Malformed),
            (json!({ "keys": {} }), JwkSetError::Malformed),
            (json!({ "keys": [1] }), JwkSetError::Malformed),
            (json!({ "keys": [] }), JwkSetError::Count),
            (json!({ "keys": vec![json!({}); 51] }), JwkSetError::Count),
            (json!({ "keys": [secret] }), JwkSetError::Secret),
            (json!({ "keys": [private] }), JwkSetError::Secret),
            (json!({ "keys": [weak] }), JwkSetError::Unusable),
            (
                json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] }),
                JwkSetError::Unusable,
            ),
        ] {
            assert_eq!(JwkSet::parse(&set), Err(error), "{set}");
        }
    }

    #[test]
    fn a_jwt_that_brings_its_own_key_or_extensions_is_refused() {
        use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        for header in
            [json!({ "jwk": {} }), json!({ "jku": "" }), json!({ "x5u": "" }), json!({ "crit": [] })]
        {
            assert!(ForeignJwt::read(&format!("{}.{}.", part(header), part(json!({})))).is_err());
        }
        let none = format!("{}.{}.", part(json!({ "alg": "none" })), part(json!({ "iss": "c" })));
        let none = ForeignJwt::read(&none).unwrap();
        assert!(none.verify_hs256(&[7; 32]).is_err() && none.verify(Algorithm::Rs256, &[]).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", parts in "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}") {
            let _ = JwkSet::from_json(text.as_bytes());
            for jwt in [text, parts] {
                if let Ok(jwt) = ForeignJwt::read(&jwt) {
                    prop_assert!(jwt.verify_hs256(&[1; 32]).is_err());
                }
            }
        }
    }
}
