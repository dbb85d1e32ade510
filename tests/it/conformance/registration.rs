//! Clients that register themselves.

use kenpos_idp::crypto::Algorithm;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{discovered, keys, open, refused, register};
use crate::support::{
    app::{Backend, MINUTE, TestApp},
    assertions::{ClientKey, TYPE},
    attack::{Answer, VERIFIER, good_request, part},
    documents::Documents,
    members::HANAKO,
    relying_party::Registered,
};

/// The module registers redirect URIs of two hosts and says nothing of subjects: pairwise ones, our default, have
/// no sector there.
#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let request = json!({
        "redirect_uris": ["https://app.example.jp/callback", "https://example.org/redirect"],
        "response_types": ["code"], "grant_types": ["authorization_code"],
    });
    let mut pairwise = request.clone();
    pairwise["subject_type"] = json!("pairwise");
    for certification in [true, false] {
        let app = TestApp::start_with(Backend::Embedded, |config| {
            config.registration.open = true;
            config.registration.certification = certification;
        })
        .await;
        let url = app.url("/register");
        let created = app.json(Method::POST, &url, None, &request).await;
        let refused = app.json(Method::POST, &url, None, &pairwise).await;
        assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
        if certification {
            assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
            assert_eq!(created.json["subject_type"], "public");
        } else {
            assert_eq!(
                created.error(),
                "invalid_client_metadata",
                "public subjects are an operator's to give"
            );
        }
        app.finish().await;
    }
}

#[tokio::test]
async fn oidcc_3rd_party_init_login() {
    let (app, _documents) = open().await;
    let uri = "https://app.example.jp/login";
    let created = register(&app, json!({ "initiate_login_uri": uri })).await;
    assert_eq!((created.status, created.text("initiate_login_uri")), (StatusCode::CREATED, uri));
    let (here, token) = (created.text("registration_client_uri"), created.text("registration_access_token"));
    let read = app.json(Method::GET, here, Some(token), &Value::Null).await;
    assert_eq!((read.status, read.text("initiate_login_uri")), (StatusCode::OK, uri));
    app.finish().await;
}

#[tokio::test]
async fn oidcc_3rd_party_init_login_nohttps() {
    let (app, _documents) = open().await;
    let plain = json!({ "initiate_login_uri": "http://app.example.jp/login" });
    assert_eq!(refused(&app, plain).await, "invalid_client_metadata");
    app.finish().await;
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let (app, _documents) = open().await;
    let fragment = json!({ "redirect_uris": ["https://app.example.jp/callback#foobar"] });
    assert_eq!(refused(&app, fragment).await, "invalid_redirect_uri");
    app.finish().await;
}

/// An ID token of a client that registered this.
async fn id_token(fields: Value) -> String {
    let (mut app, _documents) = open().await;
    let client = register(&app, fields).await.registered();
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &client, "openid").await;
    let id_token = app.redeem(&client, &code).await.text("id_token").to_owned();
    // What signed it is published; that the signature is right, every relying party of these tests sees.
    let header = part(&id_token, 0);
    let key = keys(&app).await.into_iter().find(|key| key["kid"] == header["kid"]).expect("its key");
    assert_eq!((&key["alg"], &key["use"]), (&header["alg"], &json!("sig")));
    app.finish().await;
    id_token
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let header = part(&id_token(json!({})).await, 0);
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string(), "{header}");
}

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    for alg in Algorithm::ALL {
        let token = id_token(json!({ "id_token_signed_response_alg": alg.name() })).await;
        assert_eq!(part(&token, 0)["alg"], alg.name());
    }
}

#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let (app, _documents) = open().await;
    for (name, algorithms) in discovered(&app).await.as_object().unwrap() {
        let unsigned = name.ends_with("_alg_values_supported") && algorithms.to_string().contains("none");
        assert!(!unsigned, "{name}: {algorithms}");
    }
    for name in [
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "request_object_signing_alg",
        "token_endpoint_auth_signing_alg",
    ] {
        assert_eq!(refused(&app, json!({ name: "none" })).await, "invalid_client_metadata", "{name}");
    }
    app.finish().await;
}

/// The login page for a client with such a field is shown with this in it.
async fn login_shows(field: &str, uri: Option<&str>) {
    let (app, documents) = open().await;
    let logo = documents.serve("/logo.png", "image/png", b"\x89PNG\r\n\x1a\n and so on".as_slice());
    let client = register(&app, json!({ field: uri.unwrap_or(&logo) })).await.registered();
    let login = app.ask(&app.http_browser(), &good_request(&client, "openid")).await;
    let own = format!("/logo/{}", client.id);
    let html = login.body.replace("&#x2f;", "/");
    assert!(html.contains(uri.unwrap_or(&own)), "{field} is not on the login page: {}", login.text());
    app.finish().await;
}

#[tokio::test]
async fn oidcc_registration_logo_uri() {
    login_shows("logo_uri", None).await;
}

#[tokio::test]
async fn oidcc_registration_policy_uri() {
    login_shows("policy_uri", Some("https://app.example.jp/policy")).await;
}

#[tokio::test]
async fn oidcc_registration_tos_uri() {
    login_shows("tos_uri", Some("https://app.example.jp/terms")).await;
}

/// Serves the redirect URIs of a sector, and registers a client of two hosts in it.
async fn in_sector(app: &TestApp, documents: &Documents, listed: &Value) -> Answer {
    let sector = documents.serve("/sector", "application/json", listed.to_string());
    let uris = ["https://app.example.jp/callback", "https://other.example.jp/callback"];
    let fields =
        json!({ "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": sector });
    register(app, fields).await
}

#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let (app, documents) = open().await;
    let listed = json!(["https://other.example.jp/callback", "https://app.example.jp/callback"]);
    let created = in_sector(&app, &documents, &listed).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    assert_eq!(created.text("sector_identifier_uri"), format!("{}/sector", documents.origin));
    assert_eq!(documents.asked("/sector"), 1);
    app.finish().await;
}

#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let (app, documents) = open().await;
    for listed in [json!(["https://app.example.jp/callback"]), json!([]), json!({}), json!("x")] {
        let answer = in_sector(&app, &documents, &listed).await;
        assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
    }
    app.finish().await;
}

/// A client that proves itself with keys at its own address.
struct Prover {
    app: TestApp,
    documents: Documents,
    client: Registered,
    proofs: u32,
}

impl Prover {
    async fn start(key: &ClientKey) -> Self {
        let (app, documents) = open().await;
        let uri = documents.serve("/jwks", "application/json", key.jwks().to_string());
        let request = json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri,
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let client = register(&app, request).await.registered();
        Self { app, documents, client, proofs: 0 }
    }

    /// POST `/token` with a proof for this audience.
    async fn token(&mut self, key: &ClientKey, audience: &str, fields: &[(&str, &str)]) -> Answer {
        self.proofs += 1;
        let mut claims = self.app.assertion_claims(&self.client.id, &self.proofs.to_string());
        claims["aud"] = json!(audience);
        let proof = key.sign(&claims);
        let own = [("client_assertion_type", TYPE), ("client_assertion", proof.as_str())];
        self.app.token_with(&[], &[&own[..], fields].concat()).await
    }

    /// The tokens of a member who comes for the first time.
    async fn tokens(&mut self, key: &ClientKey, audience: &str) -> Answer {
        let browser = self.app.activate(&HANAKO).await;
        let code = self.app.code(&browser, &self.client, "openid offline_access").await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", "https://app.example.jp/callback"),
            ("code_verifier", VERIFIER),
        ];
        let tokens = self.token(key, audience, &fields).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
        tokens
    }
}

#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let key = ClientKey::new(Algorithm::Rs256);
    let mut prover = Prover::start(&key).await;
    let endpoint = prover.app.url("/token");
    prover.tokens(&key, &endpoint).await;
    assert_eq!(prover.documents.asked("/jwks"), 1);
    prover.app.finish().await;
}

#[tokio::test]
async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() {
    let key = ClientKey::new(Algorithm::Ps256);
    let mut prover = Prover::start(&key).await;
    let issuer = prover.app.url("");
    prover.tokens(&key, &issuer).await;
    prover.app.finish().await;
}

#[tokio::test]
async fn oidcc_refresh_token_rp_key_rotation() {
    let (first, second) = (ClientKey::new(Algorithm::Rs256), ClientKey::new(Algorithm::Rs256));
    let mut prover = Prover::start(&first).await;
    let endpoint = prover.app.url("/token");
    let before = prover.tokens(&first, &endpoint).await;
    prover.documents.serve("/jwks", "application/json", second.jwks().to_string());
    prover.app.clock.advance(MINUTE);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", before.text("refresh_token"))];
    let refreshed = prover.token(&second, &endpoint, &fields).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.json);
    assert_eq!(prover.documents.asked("/jwks"), 2);
    prover.app.finish().await;
}

/// RFC 9101 §10.5: a client can bind itself to signed requests.
#[tokio::test]
async fn a_client_may_register_that_all_its_requests_are_signed() {
    let (app, _documents) = open().await;
    let key = ClientKey::new(Algorithm::Es256);
    let created = register(&app, json!({ "require_signed_request_object": true, "jwks": key.jwks() })).await;
    assert_eq!(created.json["require_signed_request_object"], true, "{}", created.json);
    let request = good_request(&created.registered(), "openid");
    assert_eq!(app.error(&app.http_browser(), &request).await, "invalid_request");
    app.finish().await;
}
