//! Relying parties without an operator: they register, prove themselves with keys of their own, show their
//! logo, change and leave.

use kenpos_idp::crypto::Algorithm;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, HOUR, MINUTE, TestApp, on_both_backends},
    assertions::{ClientKey, with_assertion},
    attack::{VERIFIER, good_request},
    documents::Documents,
    http_browser::HttpBrowser,
    journey::log_in,
    members::HANAKO,
};

on_both_backends! {
    a_client_registers_changes_and_leaves
    a_client_signs_with_keys_that_it_replaces
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

fn request(documents: &Documents) -> Value {
    json!({
        "client_name": "からだ手帳", "client_name#en": "Body Notes",
        "redirect_uris": ["https://app.example.jp/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "contacts": ["dev@example.jp"],
        "logo_uri": documents.serve("/logo.png", "image/png", PNG),
        "policy_uri": "https://app.example.jp/policy", "tos_uri": "https://app.example.jp/terms",
        "tos_uri#en": "https://app.example.jp/terms/en",
        "initiate_login_uri": "https://app.example.jp/login",
        "sector_identifier_uri": documents.serve(
            "/sector", "application/json", json!(["https://app.example.jp/callback"]).to_string(),
        ),
        "unknown": { "ignored": true }, "health_insurance_business": true,
    })
}

async fn a_client_registers_changes_and_leaves(backend: Backend) {
    let documents = Documents::start().await;
    let mut app = TestApp::start_with(backend, |config| documents.allow(config)).await;
    let initial = app.initial_access_token(1).await;
    let request = request(&documents);
    let created = app.json(Method::POST, &app.url("/register"), Some(&initial), &request).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    assert_eq!(created.headers["cache-control"], "no-store");
    assert_eq!(created.json["client_secret_expires_at"], 0);
    assert_eq!(created.json["client_id_issued_at"], app.clock.now().seconds());
    for (name, value) in request.as_object().unwrap() {
        let ours = ["unknown", "health_insurance_business"].contains(&name.as_str());
        assert_eq!(created.json.get(name), Some(value).filter(|_| !ours), "{name}");
    }
    assert_eq!(created.json["scope"], "email offline_access openid profile");
    // The token was good for one client.
    let second = app.json(Method::POST, &app.url("/register"), Some(&initial), &request).await;
    assert_eq!((second.status, second.error()), (StatusCode::UNAUTHORIZED, "invalid_token"));

    // It works, and members see who asks.
    let client = created.registered();
    app.activate(&HANAKO).await;
    let browser = app.http_browser();
    let url = format!("{}&ui_locales=en", app.authorize_url(&good_request(&client, "openid email")));
    let login = browser.get(&url).await.follow_here().await;
    assert!(login.text().contains("Body Notes"), "{}", login.text());
    let html = login.body.replace("&#x2f;", "/");
    for needed in ["/logo/", "https://app.example.jp/policy", "https://app.example.jp/terms/en"] {
        assert!(html.contains(needed), "{needed} is not on the login page");
    }
    let logo = browser.get(&app.url(&format!("/logo/{}", client.id))).await;
    assert_eq!((logo.status, logo.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/png"));
    browser.get(&app.url(&format!("/logo/{}", client.id))).await;
    assert_eq!(documents.asked("/logo.png"), 1);
    let consent = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert!(consent.text().contains("app.example.jp"), "the host is not on the consent page");
    let code = app.code(&browser, &client, "openid email").await;
    assert_eq!(app.redeem(&client, &code).await.status, StatusCode::OK);

    // It reads and changes what it registered, with a token that is replaced.
    let here = created.text("registration_client_uri").to_owned();
    let token = created.text("registration_access_token").to_owned();
    let read = app.json(Method::GET, &here, Some(&token), &Value::Null).await;
    assert_eq!(
        (read.status, &read.json["initiate_login_uri"]),
        (StatusCode::OK, &request["initiate_login_uri"])
    );
    assert!(read.json.get("client_secret").is_none());
    let change = json!({
        "client_id": client.id, "client_secret": client.secret, "client_name": "てくてく",
        "redirect_uris": ["https://app.example.jp/callback"], "token_endpoint_auth_method": "client_secret_jwt",
    });
    let changed = app.json(Method::PUT, &here, Some(&token), &change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.json);
    assert_eq!(changed.json["client_name"], "てくてく");
    assert!(changed.json.get("policy_uri").is_none(), "a PUT replaces everything");
    let newer = changed.text("registration_access_token");
    assert_ne!(newer, token);
    // The answer might have been lost: the old token works a minute longer, and not more.
    assert_eq!(app.json(Method::GET, &here, Some(&token), &Value::Null).await.status, StatusCode::OK);
    app.clock.advance(MINUTE);
    let old = app.json(Method::GET, &here, Some(&token), &Value::Null).await;
    assert_eq!((old.status, old.error()), (StatusCode::UNAUTHORIZED, "invalid_token"));

    // Its method takes a secret that we can read: it got a new one, and proves itself with it.
    let secret = changed.text("client_secret").to_owned();
    let claims = app.assertion_claims(&client.id, "1");
    let signer = josekit::jws::HS256.signer_from_bytes(secret.as_bytes()).unwrap();
    let payload = josekit::jwt::JwtPayload::from_map(claims.as_object().unwrap().clone()).unwrap();
    let header = josekit::jws::JwsHeader::new();
    let assertion = josekit::jwt::encode_with_signer(&payload, &header, &signer).unwrap();
    assert_eq!(app.prove(&assertion).await.error(), "invalid_grant");
    assert_eq!(app.token(&client, &[("grant_type", "refresh_token")]).await.error(), "invalid_client");

    // It leaves, with what members allowed it.
    let authorization = format!("Bearer {newer}");
    let headers = [("Authorization", authorization.as_str())];
    let gone = HttpBrowser::new().raw(Method::DELETE, &here, &headers, "").await;
    assert_eq!((gone.status, gone.body.as_str()), (StatusCode::NO_CONTENT, ""));
    let gone = app.json(Method::GET, &here, Some(newer), &Value::Null).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.prove(&assertion).await.error(), "invalid_client");
    let left = app.number(&format!("select count(*) from consent where client_id = '{}'", client.id)).await;
    assert_eq!(left, 0);
    app.finish().await;
}

async fn a_client_signs_with_keys_that_it_replaces(backend: Backend) {
    let documents = Documents::start().await;
    let mut app = TestApp::start_with(backend, |config| {
        documents.allow(config);
        config.registration.open = true;
    })
    .await;
    let (first, second) = (ClientKey::new(Algorithm::Es256), ClientKey::new(Algorithm::Ps256));
    let serve =
        |key: &ClientKey| documents.serve("/jwks", "application/jwk-set+json", key.jwks().to_string());
    let request = json!({
        "redirect_uris": ["https://app.example.jp/callback"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": serve(&first),
    });
    let created = app.json(Method::POST, &app.url("/register"), None, &request).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    assert!(created.json.get("client_secret").is_none());
    let client = created.registered();
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &client, "openid").await;
    let proof = first.sign(&app.assertion_claims(&client.id, "1"));
    let mut fields = with_assertion(&proof);
    fields.retain(|(name, _)| *name != "code");
    fields.extend([("code", code.as_str()), ("code_verifier", VERIFIER)]);
    let tokens = app.token_with(&[], &fields).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);

    // Ten proofs at once make one fetch; a new key is found, although not more often than every 10 seconds.
    let proofs: Vec<_> =
        (0..10).map(|n| first.sign(&app.assertion_claims(&client.id, &format!("many {n}")))).collect();
    for answer in futures_util::future::join_all(proofs.iter().map(|proof| app.prove(proof))).await {
        assert_eq!(answer.error(), "invalid_grant");
    }
    assert_eq!(documents.asked("/jwks"), 1);
    serve(&second);
    let early = second.sign(&app.assertion_claims(&client.id, "2"));
    assert_eq!(app.prove(&early).await.error(), "invalid_client");
    assert_eq!(documents.asked("/jwks"), 1);
    app.clock.advance(10 * std::time::Duration::from_secs(1));
    assert_eq!(app.prove(&early).await.error(), "invalid_grant");
    assert_eq!(documents.asked("/jwks"), 2);
    let withdrawn = first.sign(&app.assertion_claims(&client.id, "3"));
    assert_eq!(app.prove(&withdrawn).await.error(), "invalid_client");

    // A server that is down for a while costs nothing at first, and then 503, never a false refusal.
    documents.put(
        "/jwks",
        crate::support::documents::Document {
            status: 500,
            headers: Vec::new(),
            body: Vec::new(),
            delay: std::time::Duration::ZERO,
        },
    );
    app.clock.advance(11 * MINUTE);
    assert_eq!(
        app.prove(&second.sign(&app.assertion_claims(&client.id, "4"))).await.error(),
        "invalid_grant"
    );
    app.clock.advance(2 * HOUR);
    let refused = app.prove(&second.sign(&app.assertion_claims(&client.id, "5"))).await;
    assert_eq!(refused.error(), "invalid_client", "an answer that is no JWK Set is the client's mistake");
    app.finish().await;
}
