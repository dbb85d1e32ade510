//! Signed request objects (RFC 9101, OIDC Core §6), by value and by reference.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use kenpos_idp::{
    clients::Metadata,
    crypto::{Algorithm, KeyState, Keyring, SigningKey},
};
use serde_json::{Value, json};

use super::pushed::reference;
use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{Pairs, good_request, parameter, with},
    documents::{Document, Documents},
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    what_is_in_a_signed_object_goes_before_what_is_beside_it
    where_every_request_must_be_signed_only_the_object_counts
}

/// A key of a client.
pub fn key(alg: Algorithm) -> Keyring {
    Keyring::new(vec![(Arc::new(SigningKey::generate(alg).unwrap()), KeyState::Active)])
}

/// A good request as the claims of an object.
pub fn object(app: &TestApp, client: &Registered, scope: &str) -> Value {
    let now = app.clock.now().seconds();
    let mut claims = json!({ "iss": client.id, "aud": app.url(""), "exp": now + 300, "nbf": now });
    for (name, value) in good_request(client, scope) {
        claims[name] = json!(value);
    }
    claims
}

/// What has to stand beside it (OIDC Core §6.1).
pub fn beside<'a>(client: &Registered, jwt: &str) -> Pairs<'a> {
    let mut request = good_request(client, "openid");
    request.retain(|(name, _)| ["response_type", "client_id", "scope", "redirect_uri"].contains(name));
    with(request, "request", jwt)
}

async fn what_is_in_a_signed_object_goes_before_what_is_beside_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let key = key(Algorithm::Es256);
    let client =
        app.register(Metadata { jwks: Some(key.jwks().clone()), ..metadata("https://jar.example.jp") });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    let mut claims = object(&app, &client, "openid email");
    claims["claims"] = json!({ "id_token": { "birthdate": null } });
    claims["max_age"] = json!(3600);
    for typ in [None, Some("JWT"), Some("oauth-authz-req+jwt")] {
        let jwt = key.sign(Algorithm::Es256, typ, &claims).unwrap();
        let callback = app.allowed(&browser, &with(beside(&client, &jwt), "state", "beside")).await;
        assert_eq!(parameter(&callback, "state").as_deref(), Some("af0ifjsldkj"), "{callback}");
        let tokens = app.redeem(&client, &parameter(&callback, "code").unwrap()).await;
        assert_eq!(tokens.text("scope"), "openid email");
        assert_eq!(super::claims_of(tokens.text("id_token"))["birthdate"], "1999-01-01");
    }
    let jwt = key.sign(Algorithm::Es256, None, &claims).unwrap();
    let pushed = app.push(&client, &vec![("client_id", client.id.clone()), ("request", jwt)]).await;
    assert!(parameter(&app.allowed(&browser, &reference(&client, &pushed)).await, "code").is_some());
    app.finish().await;
}

async fn where_every_request_must_be_signed_only_the_object_counts(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let key = key(Algorithm::Ps256);
    let client = app.register(Metadata {
        jwks: Some(key.jwks().clone()),
        request_object_signing_alg: Some(Algorithm::Ps256),
        require_signed_request_object: true,
        ..metadata("https://fapi.example.jp")
    });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    assert_eq!(app.error(&browser, &good_request(&client, "openid")).await, "invalid_request");
    let unsigned = app.push(&client, &good_request(&client, "openid")).await;
    assert_eq!(unsigned.error(), "invalid_request");
    let claims = object(&app, &client, "openid");
    let jwt = key.sign(Algorithm::Ps256, None, &claims).unwrap();
    let callback = app.allowed(&browser, &with(beside(&client, &jwt), "max_age", "nonsense")).await;
    assert!(parameter(&callback, "code").is_some(), "what is beside it is not even looked at: {callback}");
    let now = app.clock.now().seconds();
    for (name, value) in [
        ("exp", json!(now + 70 * 60)),
        ("nbf", json!(now - 61 * 60)),
        ("exp", Value::Null),
        ("nbf", Value::Null),
    ] {
        let mut stale = claims.clone();
        stale[name] = value;
        stale.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let jwt = key.sign(Algorithm::Ps256, None, &stale).unwrap();
        let pushed = app.push(&client, &vec![("client_id", client.id.clone()), ("request", jwt)]).await;
        assert_eq!(pushed.error(), "invalid_request_object", "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_object_that_the_client_did_not_sign_for_this_is_worth_nothing() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let (rsa, ec, stranger) = (key(Algorithm::Rs256), key(Algorithm::Es256), key(Algorithm::Rs256));
    let keys: Vec<_> = [&rsa, &ec].into_iter().map(|ring| ring.jwks()["keys"][0].clone()).collect();
    let client = app.register(Metadata {
        jwks: Some(json!({ "keys": keys })),
        request_object_signing_alg: Some(Algorithm::Rs256),
        ..metadata("https://jar.example.jp")
    });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    let good = object(&app, &client, "openid");
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        rsa.sign(Algorithm::Rs256, None, &claims).unwrap()
    };
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = rsa.sign(Algorithm::Rs256, None, &good).unwrap();
    let signature = signed.rsplit('.').next().unwrap();
    let under = |header: Value| format!("{}.{}.{signature}", part(&header), part(&good));
    let kid = rsa.jwks()["keys"][0]["kid"].clone();
    let now = app.clock.now().seconds();
    for (what, jwt) in [
        ("none", format!("{}.{}.", part(&json!({ "alg": "none" })), part(&good))),
        ("HS256 with the public key", under(json!({ "alg": "HS256", "kid": kid }))),
        ("another algorithm", ec.sign(Algorithm::Es256, None, &good).unwrap()),
        ("another's key", stranger.sign(Algorithm::Rs256, None, &good).unwrap()),
        ("unknown kid", under(json!({ "alg": "RS256", "kid": "unknown" }))),
        ("its own key", under(json!({ "alg": "RS256", "jwk": stranger.jwks()["keys"][0] }))),
        ("a key elsewhere", under(json!({ "alg": "RS256", "jku": "https://evil.example/jwks" }))),
        ("another kind", rsa.sign(Algorithm::Rs256, Some("at+jwt"), &good).unwrap()),
        ("altered", signed.replace('.', ".e30")),
        ("cut", signed[..signed.len() - 3].to_owned()),
        ("no JWT", "x".to_owned()),
        ("another issuer", changed("iss", json!("other"))),
        ("another audience", changed("aud", json!("https://other.example.jp"))),
        ("a client assertion", changed("sub", json!(client.id))),
        ("expired", changed("exp", json!(now - 60))),
        ("not yet", changed("nbf", json!(now + 61))),
        ("another client inside", changed("client_id", json!(app.client.id))),
        ("another response_type inside", changed("response_type", json!("id_token"))),
        ("an object in it", changed("request", json!(signed))),
    ] {
        let request = with(beside(&client, &jwt), "state", "af0ifjsldkj");
        assert_eq!(app.error(&browser, &request).await, "invalid_request_object", "{what}");
    }
    let both =
        with(with(beside(&client, &signed), "request_uri", "https://x.example/"), "state", "af0ifjsldkj");
    assert_eq!(app.error(&browser, &both).await, "invalid_request");
    app.finish().await;
}

/// What conformance module `oidcc-request-uri-signed-rs256` does, and what must not come of it.
#[tokio::test]
async fn oidcc_request_uri_signed_rs256() {
    let server = Documents::start().await;
    let mut app = TestApp::start_with(Backend::Embedded, |config| server.allow(config)).await;
    let key = key(Algorithm::Rs256);
    let place = format!("{}/request", server.origin);
    let elsewhere = format!("{}/elsewhere", server.origin);
    let client = app.register(Metadata {
        jwks: Some(key.jwks().clone()),
        request_uris: vec![format!("{place}#of-an-older-version"), elsewhere.clone()],
        ..metadata("https://jar.example.jp")
    });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    let jwt = key.sign(Algorithm::Rs256, None, &object(&app, &client, "openid email")).unwrap();
    server.serve("/request", "application/oauth-authz-req+jwt", jwt.clone());
    let by = |uri: &str| {
        let mut request = with(beside(&client, ""), "request_uri", uri);
        request.retain(|(name, _)| *name != "request");
        with(request, "state", "af0ifjsldkj")
    };
    let hash = BASE64_URL_SAFE_NO_PAD.encode(kenpos_idp::crypto::digest::sha256(jwt.as_bytes()));
    for fragment in ["#of-an-older-version".to_owned(), String::new(), format!("#{hash}")] {
        let callback = app.allowed(&browser, &by(&format!("{place}{fragment}"))).await;
        let tokens = app.redeem(&client, &parameter(&callback, "code").unwrap()).await;
        assert_eq!(tokens.text("scope"), "openid email", "{fragment}");
    }
    let before = server.asked("/request");
    assert_eq!(app.error(&browser, &by(&format!("{place}#{}", "A".repeat(43)))).await, "invalid_request_uri");
    assert_eq!(server.asked("/request"), before + 1);
    assert_eq!(app.error(&browser, &by(&format!("{place}?x"))).await, "invalid_request_uri");
    assert_eq!(server.asked("/request?x"), 0, "what is not registered is not called");
    // A redirect is not followed, and what is too large or unsigned is no request.
    let moved = vec![("Location", place.clone())];
    let document = |status, headers, body: Vec<u8>| Document { status, headers, body, delay: Duration::ZERO };
    for (document, error) in [
        (document(302, moved, Vec::new()), "invalid_request_uri"),
        (document(404, Vec::new(), Vec::new()), "invalid_request_uri"),
        (document(200, Vec::new(), vec![b'x'; 33 * 1024]), "invalid_request_uri"),
        (document(200, Vec::new(), vec![0xff; 10]), "invalid_request_uri"),
        (document(200, Vec::new(), b"a.b.c".to_vec()), "invalid_request_object"),
    ] {
        server.put("/elsewhere", document);
        assert_eq!(app.error(&browser, &by(&elsewhere)).await, error);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_reference_leads_nowhere_that_is_not_registered_and_public() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let inside =
        ["https://127.0.0.1/r", "https://169.254.169.254/latest", "https://[::1]/r", "https://10.0.0.1/r"];
    let client = app.register(Metadata {
        request_uris: inside.map(str::to_owned).to_vec(),
        ..metadata("https://jar.example.jp")
    });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    let foreign =
        ["https://evil.example/r", "http://127.0.0.1/r", "file:///etc/passwd", "https://127.0.0.1/r/../s"];
    for uri in inside.into_iter().chain(foreign) {
        let mut request = with(beside(&client, ""), "request_uri", uri);
        request.push(("state", "af0ifjsldkj".to_owned()));
        assert_eq!(app.error(&browser, &request).await, "invalid_request_uri", "{uri}");
    }
    app.finish().await;
}
