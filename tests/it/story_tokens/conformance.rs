//! What modules of the official conformance suite look at, by their names.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::part;
use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::Answer,
    http_browser::HttpBrowser,
    members::HANAKO,
};

on_both_backends! {
    oidcc_server
    oidcc_codereuse
    oidcc_codereuse_30seconds
    oidcc_refresh_token
    oidcc_userinfo_get
    oidcc_userinfo_post_header
    oidcc_userinfo_post_body
    oidcc_scope_email
}

/// Claims that the suite expects in an ID token of the code flow, and no others.
const ID_TOKEN_CLAIMS: [&str; 13] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "sid",
    "c_hash",
];

async fn oidcc_server(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid profile email").await;
    assert!(code.len() * 6 >= 128, "{} characters of base64url", code.len());
    let tokens = app.redeem(&app.client, &code).await;
    assert!(tokens.json["expires_in"].is_u64());
    let claims = part(tokens.text("id_token"), 1);
    for name in claims.as_object().unwrap().keys() {
        assert!(ID_TOKEN_CLAIMS.contains(&name.as_str()), "{name}");
    }
    assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
    assert!(!claims["acr"].as_str().unwrap().is_empty());
    assert_eq!(part(tokens.text("id_token"), 0)["alg"], "RS256");
    app.finish().await;
}

async fn oidcc_codereuse(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid").await;
    assert_eq!(app.redeem(&app.client, &code).await.status, StatusCode::OK);
    let again = app.redeem(&app.client, &code).await;
    assert_eq!((again.status, again.error()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    app.finish().await;
}

async fn oidcc_codereuse_30seconds(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let tokens = app.redeem(&app.client, &code).await;
    app.clock.advance(Duration::from_secs(30));
    let again = app.redeem(&app.client, &code).await;
    assert_eq!((again.status, again.error()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(app.userinfo(tokens.text("access_token")).await.status, StatusCode::UNAUTHORIZED);
    app.finish().await;
}

async fn oidcc_refresh_token(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let second = app.register(metadata("https://second.example.jp")).await;
    let code = app.code(&browser, &app.client, "openid offline_access").await;
    let first = app.redeem(&app.client, &code).await;
    app.clock.advance(Duration::from_secs(1));
    let refreshed = app.refresh(&app.client, first.text("refresh_token")).await;
    assert_eq!(refreshed.status, StatusCode::OK);
    assert_eq!(refreshed.headers["cache-control"], "no-store");
    assert_eq!(refreshed.text("token_type"), "Bearer");
    let (before, after) = (part(first.text("id_token"), 1), part(refreshed.text("id_token"), 1));
    for name in ["iss", "sub", "aud", "azp", "auth_time", "sid"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert!(after["iat"].as_i64() > before["iat"].as_i64());
    assert!(after.get("nonce").is_none());
    let code = app.code(&browser, &second, "openid offline_access").await;
    let foreign = app.redeem(&second, &code).await;
    let stolen = app.refresh(&app.client, foreign.text("refresh_token")).await;
    assert_eq!((stolen.status, stolen.error()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    app.finish().await;
}

/// Every one of these requests gets the claims. `TOKEN` stands for the access token.
async fn userinfo_answers(backend: Backend, requests: &[(Method, &[(&str, &str)], &str)]) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid profile email birthdate").await;
    let tokens = app.redeem(&app.client, &code).await;
    let token = tokens.text("access_token");
    for (method, headers, body) in requests {
        let filled: Vec<_> =
            headers.iter().map(|(name, value)| (*name, value.replace("TOKEN", token))).collect();
        let headers_of: Vec<_> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (url, body) = (app.url("/userinfo"), body.replace("TOKEN", token));
        let answer = HttpBrowser::new().raw(method.clone(), &url, &headers_of, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{headers:?}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let claims: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(claims["sub"], part(tokens.text("id_token"), 1)["sub"]);
        assert_eq!((&claims["name"], &claims["email"]), (&HANAKO.kana.into(), &HANAKO.email.into()));
        assert!(claims["updated_at"].is_u64() && claims["email_verified"].is_boolean());
    }
    app.finish().await;
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const BEARER: (&str, &str) = ("Authorization", "Bearer TOKEN");

async fn oidcc_userinfo_get(backend: Backend) {
    let lower = ("Authorization", "bearer TOKEN");
    userinfo_answers(backend, &[(Method::GET, &[BEARER], ""), (Method::GET, &[lower], "")]).await;
}

async fn oidcc_userinfo_post_header(backend: Backend) {
    userinfo_answers(backend, &[(Method::POST, &[BEARER], ""), (Method::POST, &[BEARER, FORM], "")]).await;
}

async fn oidcc_userinfo_post_body(backend: Backend) {
    userinfo_answers(backend, &[(Method::POST, &[FORM], "access_token=TOKEN")]).await;
}

/// RFC 6750 §3.1: what is wrong, each with its challenge.
#[tokio::test]
async fn what_is_no_good_request_to_userinfo_is_told_why() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let tokens = app.redeem(&app.client, &code).await;
    let token = tokens.text("access_token");
    let (url, bearer, body) =
        (app.url("/userinfo"), format!("Bearer {token}"), format!("access_token={token}"));
    let refused = async |method: Method, url: &str, headers: &[(&str, &str)], body: &str| {
        let answer = Answer::of(HttpBrowser::new().raw(method, url, headers, body).await);
        let challenge = answer.headers["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        (answer.status.as_u16(), challenge)
    };
    let (status, challenge) = refused(Method::GET, &url, &[], "").await;
    assert_eq!((status, challenge.contains("error")), (401, false), "no code where there is no token");
    let (status, challenge) = refused(Method::GET, &format!("{url}?{body}"), &[], "").await;
    assert_eq!((status, challenge.contains("\"invalid_request\"")), (400, true));
    let twice = [("Authorization", bearer.as_str()), FORM];
    let (status, challenge) = refused(Method::POST, &url, &twice, &body).await;
    assert_eq!((status, challenge.contains("\"invalid_request\"")), (400, true));
    let (status, challenge) = refused(Method::GET, &url, &[("Authorization", "Bearer x")], "").await;
    assert_eq!((status, challenge.contains("\"invalid_token\"")), (401, true));
    app.finish().await;
}

async fn oidcc_scope_email(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid email").await;
    let tokens = app.redeem(&app.client, &code).await;
    let id_token = part(tokens.text("id_token"), 1);
    assert!(id_token.get("email").is_none() && id_token.get("name").is_none());
    let claims = app.userinfo(tokens.text("access_token")).await;
    let names: Vec<_> = claims.json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["email", "email_verified", "sub"]);
    app.finish().await;
}
