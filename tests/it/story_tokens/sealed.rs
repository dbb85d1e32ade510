//! ID tokens and userinfo, signed and encrypted as a client registered.

use josekit::{
    jwe::{self, ECDH_ES, JweDecrypter, RSA_OAEP_256},
    jwk::{Jwk, alg::ec::EcCurve},
    jws::{ES256, EdDSA, JwsVerifier, PS256, RS256},
};
use kenpos_idp::{
    clients::Metadata,
    crypto::{Algorithm, ContentEncryption, KeyManagement},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::part;
use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::Answer,
    http_browser::{HttpBrowser, Page},
    members::HANAKO,
    relying_party::Registered,
};

/// GET `/userinfo` as it comes.
async fn userinfo(app: &TestApp, token: &str) -> Page {
    let bearer = format!("Bearer {token}");
    HttpBrowser::new().raw(Method::GET, &app.url("/userinfo"), &[("Authorization", &bearer)], "").await
}

async fn tokens(app: &TestApp, browser: &HttpBrowser, client: &Registered) -> Answer {
    let code = app.code(browser, client, "openid email offline_access").await;
    app.redeem(client, &code).await
}

/// The claims of a JWT that the key of its `kid` in `/jwks` has signed with `alg`.
async fn verified(app: &TestApp, jwt: &str, alg: Algorithm) -> Value {
    let header = part(jwt, 0);
    assert_eq!(header["alg"], alg.name());
    let jwks = HttpBrowser::new().get(&app.url("/jwks")).await;
    let jwks: Value = serde_json::from_str(&jwks.body).unwrap();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let key = Jwk::from_bytes(key.to_string()).unwrap();
    let verifier: Box<dyn JwsVerifier> = match alg {
        Algorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&key).unwrap()),
        Algorithm::Ps256 => Box::new(PS256.verifier_from_jwk(&key).unwrap()),
        Algorithm::Es256 => Box::new(ES256.verifier_from_jwk(&key).unwrap()),
        Algorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(&key).unwrap()),
    };
    let (payload, _) = josekit::jws::deserialize_compact(jwt, verifier.as_ref()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// And every other algorithm.
#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let mut app = TestApp::start_with(Backend::Embedded, |config| {
        config.keys.algorithms = Algorithm::ALL.to_vec();
    })
    .await;
    let browser = app.activate(&HANAKO).await;
    let discovery = browser.get(&app.url("/.well-known/openid-configuration")).await;
    let discovery: Value = serde_json::from_str(&discovery.body).unwrap();
    for alg in Algorithm::ALL {
        for list in ["id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"] {
            assert!(discovery[list].as_array().unwrap().contains(&json!(alg.name())), "{list}: {alg}");
        }
        let registered = Metadata {
            id_token_signed_response_alg: Some(alg),
            userinfo_signed_response_alg: Some(alg),
            ..metadata(&format!("https://{}.example.jp", alg.name().to_lowercase()))
        };
        let client = app.register(registered).await;
        let tokens = tokens(&app, &browser, &client).await;
        let id_token = verified(&app, tokens.text("id_token"), alg).await;
        let page = userinfo(&app, tokens.text("access_token")).await;
        assert_eq!(page.headers["content-type"], "application/jwt");
        assert_eq!(page.headers["cache-control"], "no-store");
        let claims = verified(&app, &page.body, alg).await;
        assert_eq!(claims["sub"], id_token["sub"]);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(app.url("")), &json!(client.id)));
        assert_eq!(claims["email"], HANAKO.email);
        assert!(claims.get("nonce").is_none());
        // Signed userinfo opens nothing.
        assert_eq!(app.userinfo(&page.body).await.error(), "invalid_token");
    }
    app.finish().await;
}

/// What is inside, with the header of the outside.
fn decrypted(text: &str, decrypter: &dyn JweDecrypter) -> (String, Value) {
    assert_eq!(text.split('.').count(), 5, "{text}");
    let (payload, _) = jwe::deserialize_compact(text, decrypter).unwrap();
    (String::from_utf8(payload).unwrap(), part(text, 0))
}

#[tokio::test]
async fn id_tokens_and_userinfo_are_encrypted_to_the_key_of_the_client() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let mut rsa = Jwk::generate_rsa_key(2048).unwrap();
    let mut ec = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    let cases: [(&mut Jwk, KeyManagement); 2] =
        [(&mut rsa, KeyManagement::RsaOaep256), (&mut ec, KeyManagement::EcdhEs)];
    for (key, alg) in cases {
        key.set_key_use("enc");
        key.set_key_id("k1");
        let mut public: Value = serde_json::from_str(&key.to_public_key().unwrap().to_string()).unwrap();
        (public["kid"], public["use"]) = (json!("k1"), json!("enc"));
        let registered = Metadata {
            jwks: Some(json!({ "keys": [public] })),
            id_token_encrypted_response_alg: Some(alg),
            id_token_encrypted_response_enc: Some(ContentEncryption::A256Gcm),
            userinfo_encrypted_response_alg: Some(alg),
            userinfo_encrypted_response_enc: Some(ContentEncryption::A256Gcm),
            ..metadata(&format!("https://{}.example.jp", alg.name().to_lowercase()))
        };
        let both = Metadata { userinfo_signed_response_alg: Some(Algorithm::Es256), ..registered.clone() };
        let (client, signing) = (app.register(registered).await, app.register(both).await);
        let decrypter: Box<dyn JweDecrypter> = match alg {
            KeyManagement::RsaOaep256 => Box::new(RSA_OAEP_256.decrypter_from_jwk(key).unwrap()),
            KeyManagement::EcdhEs => Box::new(ECDH_ES.decrypter_from_jwk(key).unwrap()),
        };
        let first = tokens(&app, &browser, &client).await;
        let refreshed = app.refresh(&client, first.text("refresh_token")).await;
        for answer in [&first, &refreshed] {
            let (jwt, header) = decrypted(answer.text("id_token"), decrypter.as_ref());
            assert_eq!((&header["alg"], &header["enc"]), (&json!(alg.name()), &json!("A256GCM")));
            assert_eq!((&header["cty"], &header["kid"]), (&json!("JWT"), &json!("k1")));
            assert_eq!(verified(&app, &jwt, Algorithm::Rs256).await["aud"], client.id.as_str());
        }
        let page = userinfo(&app, first.text("access_token")).await;
        assert_eq!(page.headers["content-type"], "application/jwt");
        let (claims, header) = decrypted(&page.body, decrypter.as_ref());
        let claims: Value = serde_json::from_str(&claims).unwrap();
        assert_eq!((&claims["email"], header.get("cty")), (&json!(HANAKO.email), None));
        let nested = tokens(&app, &browser, &signing).await;
        let page = userinfo(&app, nested.text("access_token")).await;
        let (jwt, header) = decrypted(&page.body, decrypter.as_ref());
        assert_eq!(header["cty"], "JWT");
        assert_eq!(verified(&app, &jwt, Algorithm::Es256).await["aud"], signing.id.as_str());
    }
    app.finish().await;
}

#[tokio::test]
async fn a_code_is_not_spent_while_the_key_of_the_client_is_out_of_reach() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    // Nothing listens there, and the way out is shut besides.
    let registered = Metadata {
        jwks_uri: Some("https://127.0.0.1:9/jwks".to_owned()),
        id_token_encrypted_response_alg: Some(KeyManagement::RsaOaep256),
        ..metadata("https://keys.example.jp")
    };
    let client = app.register(registered).await;
    let code = app.code(&browser, &client, "openid offline_access").await;
    for _ in 0..2 {
        let refused = app.redeem(&client, &code).await;
        assert!(refused.status.is_client_error() || refused.status.is_server_error());
        assert_ne!(refused.error(), "invalid_grant", "{}", refused.json);
    }
    let statement = "update client set metadata = replace(metadata, 'id_token_encrypted_response_alg', 'x')";
    app.sql(statement).await;
    assert_eq!(app.redeem(&client, &code).await.status, reqwest::StatusCode::OK);
    app.finish().await;
}
