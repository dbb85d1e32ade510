use std::sync::LazyLock;

use josekit::jws::HS256;
use proptest::prelude::*;

use super::*;

static RING: LazyLock<Keyring> = LazyLock::new(|| {
    let key = |alg, state| (Arc::new(SigningKey::generate(alg).unwrap()), state);
    let keys = Algorithm::ALL.into_iter().map(|alg| key(alg, KeyState::Active));
    Keyring::new(keys.chain([key(Algorithm::Es256, KeyState::Next)]).collect())
});

fn claims() -> Value {
    json!({ "iss": "https://id.example", "sub": "member", "exp": 1 })
}

fn parts(jwt: &str) -> [&str; 3] {
    jwt.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn header(jwt: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts(jwt)[0]).unwrap()).unwrap()
}

/// The token with members of its header replaced and the signature of before.
fn with_header(jwt: &str, members: &Value) -> String {
    let mut header = header(jwt);
    header.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let [_, claims, signature] = parts(jwt);
    format!("{}.{claims}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(header.to_string()))
}

/// The token signed anew by its rightful key, with members of its header added.
fn resigned(alg: Algorithm, members: &Value) -> String {
    let (key, _) = RING.keys().find(|(key, _)| key.alg() == alg).unwrap();
    let header = JwsHeader::from_map(members.as_object().unwrap().clone()).unwrap();
    jws::serialize_compact(claims().to_string().as_bytes(), &header, key.signer()).unwrap()
}

fn refused(jwt: &str) -> bool {
    matches!(RING.verify(jwt), Err(JwtError::Invalid))
}

#[test]
fn every_algorithm_signs_with_its_active_key_and_verifies() {
    for alg in Algorithm::ALL {
        let jwt = RING.sign(alg, None, &claims()).unwrap();
        let (active, _) =
            RING.keys().find(|(key, state)| key.alg() == alg && *state == KeyState::Active).unwrap();
        assert_eq!(header(&jwt), json!({ "alg": alg.name(), "kid": active.kid() }));
        assert_eq!(RING.verify(&jwt).unwrap(), claims());
    }
    assert!(matches!(
        Keyring::new(vec![]).sign(Algorithm::Rs256, None, &claims()),
        Err(JwtError::NoKey(Algorithm::Rs256))
    ));
}

#[test]
fn the_jwks_holds_every_key_the_active_ones_first() {
    let keys = RING.jwks()["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 5);
    let (next, _) = RING.keys().find(|(_, state)| *state == KeyState::Next).unwrap();
    assert_eq!(keys[4]["kid"], next.kid());
}

#[test]
fn an_ecdsa_signature_is_64_bytes_however_short_its_numbers() {
    // One signature in 128 has a number with a leading zero byte.
    for i in 0..600 {
        let jwt = RING.sign(Algorithm::Es256, None, &json!({ "i": i })).unwrap();
        assert_eq!(parts(&jwt)[2].len(), 86, "{jwt}");
        assert!(RING.verify(&jwt).is_ok(), "{jwt}");
    }
}

#[test]
fn a_token_of_one_kind_never_passes_as_another() {
    let access = RING.sign(Algorithm::Es256, Some("at+jwt"), &claims()).unwrap();
    assert_eq!(header(&access)["typ"], "at+jwt");
    assert!(refused(&access));
    assert_eq!(RING.verify_typed("at+jwt", &access).unwrap(), claims());
    let id_token = RING.sign(Algorithm::Es256, None, &claims()).unwrap();
    assert!(RING.verify_typed("at+jwt", &id_token).is_err());
    let jwt = RING.sign(Algorithm::Es256, Some("JWT"), &claims()).unwrap();
    assert!(RING.verify(&jwt).is_ok());
}

#[test]
fn an_unsigned_token_is_refused() {
    for alg in Algorithm::ALL {
        let jwt = RING.sign(alg, None, &claims()).unwrap();
        for name in ["none", "None", "NONE", ""] {
            let none = with_header(&jwt, &json!({ "alg": name }));
            assert!(refused(&none));
            let [header, claims, _] = parts(&none);
            assert!(refused(&format!("{header}.{claims}.")));
            assert!(refused(&format!("{header}.{claims}")));
        }
    }
}

#[test]
fn the_public_key_is_no_shared_secret() {
    for key in RING.jwks()["keys"].as_array().unwrap() {
        let (jwk, kid) = (key.to_string(), key["kid"].as_str().unwrap());
        let secrets = [key.get("n"), key.get("x")].into_iter().flatten().filter_map(Value::as_str);
        let decoded: Vec<_> = secrets.map(|text| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).collect();
        for secret in [jwk.as_bytes(), kid.as_bytes()].into_iter().chain(decoded.iter().map(Vec::as_slice)) {
            let mut header = JwsHeader::new();
            header.set_key_id(kid);
            let signer = HS256.signer_from_bytes(secret).unwrap();
            let forged = jws::serialize_compact(claims().to_string().as_bytes(), &header, &signer).unwrap();
            assert!(refused(&forged));
            // Nor does it help to name the key's own algorithm.
            assert!(refused(&with_header(&forged, &json!({ "alg": key["alg"] }))));
        }
    }
}

#[test]
fn a_key_signs_for_its_own_algorithm_alone() {
    for alg in Algorithm::ALL {
        let jwt = RING.sign(alg, None, &claims()).unwrap();
        for (other, _) in RING.keys() {
            if other.alg() != alg {
                assert!(refused(&with_header(&jwt, &json!({ "alg": other.alg().name() }))));
                assert!(refused(&with_header(&jwt, &json!({ "kid": other.kid() }))));
            }
        }
    }
}

#[test]
fn a_key_that_is_not_on_the_ring_is_refused_even_when_the_token_brings_it() {
    let foreign = SigningKey::generate(Algorithm::Es256).unwrap();
    let sign = |members: Value| {
        let header = JwsHeader::from_map(members.as_object().unwrap().clone()).unwrap();
        jws::serialize_compact(claims().to_string().as_bytes(), &header, foreign.signer()).unwrap()
    };
    assert!(refused(&sign(json!({}))));
    assert!(refused(&sign(json!({ "jwk": foreign.public_jwk() }))));
    let ours = RING.keys().find(|(key, _)| key.alg() == Algorithm::Es256).unwrap().0.kid();
    assert!(refused(&with_header(&sign(json!({})), &json!({ "kid": ours }))));
    // With a right signature too, a header that brings its own key or wants more is not one of ours.
    for members in [
        json!({ "jwk": foreign.public_jwk() }),
        json!({ "jku": "https://evil.example/jwks" }),
        json!({ "x5u": "https://evil.example/x5u" }),
        json!({ "crit": ["b64"], "b64": true }),
        json!({ "crit": [] }),
    ] {
        assert!(refused(&resigned(Algorithm::Es256, &members)), "{members}");
    }
    assert!(RING.verify(&resigned(Algorithm::Es256, &json!({}))).is_ok());
}

#[test]
fn a_missing_kid_and_claims_that_are_no_object_are_refused() {
    let jwt = RING.sign(Algorithm::EdDsa, None, &claims()).unwrap();
    let [_, body, signature] = parts(&jwt);
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#);
    assert!(refused(&format!("{header}.{body}.{signature}")));
    for claims in [json!([]), json!("x"), json!(null)] {
        assert!(refused(&RING.sign(Algorithm::EdDsa, None, &claims).unwrap()), "{claims}");
    }
    let long = json!({ "sub": "x".repeat(MAX_LENGTH) });
    assert!(refused(&RING.sign(Algorithm::EdDsa, None, &long).unwrap()));
}

#[test]
fn every_altered_or_cut_token_is_refused() {
    for alg in Algorithm::ALL {
        let jwt = RING.sign(alg, None, &claims()).unwrap();
        for at in 0..jwt.len() {
            assert!(refused(&jwt[..at]), "{alg}: cut at {at}");
            let other = if jwt.as_bytes()[at] == b'A' { "B" } else { "A" };
            assert!(refused(&format!("{}{other}{}", &jwt[..at], &jwt[at + 1..])), "{alg}: altered at {at}");
        }
        assert!(refused(&format!("{jwt}A")) && refused(&format!("{jwt}.")) && refused(&format!("{jwt}=")));
        let [header, body, signature] = parts(&jwt);
        let zeros = BASE64_URL_SAFE_NO_PAD.encode(vec![0; signature.len() * 3 / 4]);
        assert!(refused(&format!("{header}.{body}.{zeros}")), "{alg}: zeros");
    }
}

#[test]
fn at_hash_is_that_of_the_standard() {
    // OIDC Core appendix A.3
    let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    assert_eq!(at_hash(Algorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(at_hash(Algorithm::EdDsa, token).len(), 43);
}

proptest! {
    #[test]
    fn no_text_makes_verifying_panic(text in "[A-Za-z0-9_.=-]{0,80}|.*\\..*\\..*", header in any::<Vec<u8>>()) {
        prop_assert!(refused(&text));
        let unsigned = format!("{}.e30.", BASE64_URL_SAFE_NO_PAD.encode(header));
        prop_assert!(refused(&unsigned));
    }
}
