//! Keys that change under a running relying party, and ID tokens that this provider never gave it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use josekit::jws::{HS256, JwsHeader, JwsSigner, RS256, serialize_compact};
use kenpos_idp::crypto::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{installed, json_of, sign_in, start};
use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::{encoded, part},
    http_browser::HttpBrowser,
    journey::{allow, set_out},
    members::HANAKO,
    party::Party,
    relying_party::{Ask, RelyingParty, Tokens},
};

/// A login of a member who is signed in; the error is the library's.
async fn log_in(browser: &HttpBrowser, rp: &RelyingParty) -> Result<Tokens, String> {
    let attempt = rp.begin(&Ask::default());
    let page = set_out(browser, &attempt).await;
    let callback = match page.location() {
        Some(callback) => callback,
        None => allow(&page).await,
    };
    let code = rp.code(&attempt, &callback)?;
    rp.redeem(attempt, code).await
}

/// What looks like this ID token and is none for its client, by what is wrong with it.
async fn forgeries(app: &TestApp, genuine: &str) -> Vec<(&'static str, String)> {
    let (header, claims) = (part(genuine, 0), part(genuine, 1));
    let kid = header["kid"].as_str().unwrap();
    let url = app.url("/jwks");
    let keys = app.json(reqwest::Method::GET, &url, None, &Value::Null).await.json;
    let public = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let under = |kid: &str, signer: &dyn JwsSigner| {
        let mut header = JwsHeader::new();
        header.set_key_id(kid);
        serialize_compact(claims.to_string().as_bytes(), &header, signer).unwrap()
    };
    let stranger = RS256.generate_key_pair(2048).unwrap();
    let stranger = RS256.signer_from_der(stranger.to_der_private_key()).unwrap();
    let public_as_secret = HS256.signer_from_bytes(public["n"].as_str().unwrap()).unwrap();
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let ours = |claims: &Value| app.app().signing.current().sign(Algorithm::Rs256, None, claims).unwrap();
    let (start, signature) = genuine.rsplit_once('.').unwrap();
    let mut another = changed("aud", json!("another"));
    another["azp"] = json!("another");
    let altered = encode(&changed("sub", json!("somebody-else")));
    vec![
        ("alg none", format!("{}.{}.", encode(&json!({ "alg": "none" })), encode(&claims))),
        (
            "alg none under our kid",
            format!("{}.{}.", encode(&json!({ "alg": "none", "kid": kid })), encode(&claims)),
        ),
        ("no signature", format!("{start}.")),
        ("a key of somebody else under our kid", under(kid, &stranger)),
        ("a key that nobody knows", under("unknown", &stranger)),
        ("our public key as a secret", under(kid, &public_as_secret)),
        ("an altered subject", format!("{}.{altered}.{signature}", encode(&header))),
        ("another client's", ours(&another)),
        ("another issuer", ours(&changed("iss", json!("https://evil.example")))),
        ("expired", ours(&changed("exp", json!(app.clock.now().seconds() - 3600)))),
    ]
}

#[tokio::test]
async fn the_openidconnect_crate_follows_the_keys_and_takes_no_forged_id_token() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let mut rp = app.relying_party().await;
    log_in(&browser, &rp).await.unwrap();
    // The next key was published before it signs: whoever has the keys of before can go on.
    app.app().signing.rotate().await.unwrap();
    log_in(&browser, &rp).await.unwrap();
    // What it has never heard of it refuses, until it asks again.
    app.app().signing.rotate().await.unwrap();
    let refused = log_in(&browser, &rp).await.unwrap_err();
    assert!(refused.contains("NoMatchingKey"), "{refused}");
    rp.fetch_keys().await;
    let genuine = log_in(&browser, &rp).await.unwrap().id_token.to_string();

    assert_eq!(rp.takes(&genuine), Ok(()));
    for (what, forged) in forgeries(&app, &genuine).await {
        assert!(rp.takes(&forged).is_err(), "{what}: {forged}");
    }
    app.finish().await;
}

#[tokio::test]
async fn authlib_follows_the_keys_and_takes_no_forged_id_token() {
    let mut app = start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let python = installed("authlib", "requirements.txt").join("bin/python").display().to_string();
    let insecure = [("AUTHLIB_INSECURE_TRANSPORT", "1".to_owned())];
    let party = Party::start(&app, "authlib", &[python, "app.py".to_owned()], &insecure, metadata).await;
    let browser = app.http_browser();
    let first = json_of(&sign_in(&browser, &party.url("/login")).await);
    for _ in 0..2 {
        app.app().signing.rotate().await.unwrap();
    }
    // Its keys are of before both; it fetches them itself.
    let again = json_of(&browser.get(&party.url("/login")).await.follow().await);
    assert_eq!(again["claims"]["sub"], first["claims"]["sub"]);

    let check = async |id_token: &str| {
        let query = encoded(&[("id_token", id_token.to_owned())]);
        browser.get(&party.url(&format!("/check?{query}"))).await
    };
    let genuine =
        json_of(&browser.get(&party.url("/id_token")).await)["id_token"].as_str().unwrap().to_owned();
    assert_eq!(json_of(&check(&genuine).await)["sub"], first["claims"]["sub"]);
    for (what, forged) in forgeries(&app, &genuine).await {
        let answer = check(&forged).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {} {forged}", answer.body);
    }
    app.finish().await;
}
