//! The `claims` parameter (OIDC Core §5.5).

use kenpos_idp::clients::Metadata;
use reqwest::StatusCode;
use serde_json::json;

use super::claims_of;
use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{good_request, parameter, with},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    oidcc_claims_essential
    single_claims_are_shown_remembered_and_withdrawn
    only_the_claims_of_the_clients_scopes_are_given
    a_subject_that_is_asked_for_is_the_one_or_nobody
}

async fn oidcc_claims_essential(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let claims = json!({ "userinfo": { "name": { "essential": true } } }).to_string();
    let request = with(good_request(&app.client, "openid"), "claims", &claims);
    let code = parameter(&app.allowed(&browser, &request).await, "code").unwrap();
    let tokens = app.redeem(&app.client, &code).await;
    assert!(claims_of(tokens.text("id_token")).get("name").is_none());
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(userinfo.text("name"), HANAKO.kana);
    for absent in ["email", "given_name", "birthdate"] {
        assert!(userinfo.json.get(absent).is_none(), "{}", userinfo.json);
    }
    app.finish().await;
}

async fn single_claims_are_shown_remembered_and_withdrawn(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let claims = json!({
        "userinfo": { "birthdate": null, "family_name#JA-kana-JP": null },
        "id_token": { "email": null, "auth_time": { "essential": true } }
    });
    let request = with(good_request(&app.client, "openid"), "claims", &claims.to_string());
    let consent = app.ask(&browser, &request).await;
    let shown: Vec<_> = consent.select("#claims li").into_iter().map(|item| item.text).collect();
    assert_eq!(shown, ["生年月日", "メールアドレス", "氏"]);
    let code = parameter(&app.allowed(&browser, &request).await, "code").unwrap();
    let tokens = app.redeem(&app.client, &code).await;
    let id_token = claims_of(tokens.text("id_token"));
    assert_eq!(id_token["email"], HANAKO.email);
    assert!(id_token["auth_time"].is_i64() && id_token.get("birthdate").is_none());
    let access_token = tokens.text("access_token");
    let userinfo = app.userinfo(access_token).await;
    assert_eq!(userinfo.text("birthdate"), "1999-01-01");
    assert_eq!(userinfo.text("family_name#ja-Kana-JP"), "タケダ");
    assert!(userinfo.json.get("email").is_none());
    // Asked once: the same again, and less, need no page. More does.
    let silent = with(request.clone(), "prompt", "none");
    assert!(parameter(&app.allowed(&browser, &silent).await, "code").is_some());
    let more = json!({ "userinfo": { "birthdate": null, "insurer_name": null } }).to_string();
    assert_eq!(app.error(&browser, &with(silent.clone(), "claims", &more)).await, "consent_required");
    let apps = browser.get(&app.url("/account/apps")).await;
    assert!(apps.select("#apps .dots").iter().any(|list| list.text.contains("生年月日")));
    apps.form("#withdraw-form-1").submit().await;
    assert_eq!(app.userinfo(access_token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.error(&browser, &silent).await, "consent_required");
    app.finish().await;
}

async fn only_the_claims_of_the_clients_scopes_are_given(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(Metadata {
        scope: "openid email".to_owned(),
        health_insurance_business: false,
        ..metadata("https://other.example.jp")
    });
    let other = other.await;
    let all = json!({
        "userinfo": { "name": null, "email": null, "symbol": { "essential": true }, "number": null },
        "id_token": { "number": { "essential": true }, "birthdate": null, "nonsense": null }
    });
    let ask = async |client| {
        let request = with(good_request(client, "openid"), "claims", &all.to_string());
        let code = parameter(&app.allowed(&browser, &request).await, "code").unwrap();
        let tokens = app.redeem(client, &code).await;
        (claims_of(tokens.text("id_token")), app.userinfo(tokens.text("access_token")).await.json)
    };
    let (id_token, userinfo) = ask(&other).await;
    assert_eq!(userinfo["email"], HANAKO.email);
    for name in ["name", "symbol", "number", "birthdate"] {
        assert!(userinfo.get(name).is_none() && id_token.get(name).is_none(), "{name}");
    }
    // 健康保険事業: the numbers, but never in an ID token.
    let sensitive =
        json!({ "userinfo": { "birthdate": null }, "id_token": { "number": null, "birthdate": null } });
    let request = with(good_request(&app.client, "openid"), "claims", &sensitive.to_string());
    let code = parameter(&app.allowed(&browser, &request).await, "code").unwrap();
    let id_token = claims_of(app.redeem(&app.client, &code).await.text("id_token"));
    assert_eq!((id_token["birthdate"].as_str(), id_token.get("number")), (Some("1999-01-01"), None));
    app.finish().await;
}

async fn a_subject_that_is_asked_for_is_the_one_or_nobody(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let hanako = app.activate(&HANAKO).await;
    let ichiro = app.activate(&ICHIRO).await;
    let code = app.code(&hanako, &app.client, "openid").await;
    let id_token = claims_of(app.redeem(&app.client, &code).await.text("id_token"));
    app.code(&ichiro, &app.client, "openid").await;
    let claims = json!({ "id_token": { "sub": { "value": id_token["sub"] } } }).to_string();
    let request = with(with(good_request(&app.client, "openid"), "claims", &claims), "prompt", "none");
    assert!(parameter(&app.allowed(&hanako, &request).await, "code").is_some());
    assert_eq!(app.error(&ichiro, &request).await, "login_required");
    app.finish().await;
}

#[tokio::test]
async fn malformed_and_deep_claims_are_refused_and_an_acr_out_of_reach_is_an_error() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid").await;
    let deep = format!("{{\"userinfo\":{}{}}}", "{\"a\":".repeat(2000), "}".repeat(2000));
    let arrays = format!("{{\"id_token\":{{\"acr\":{{\"value\":{}", "[".repeat(9000));
    let long = json!({ "userinfo": { "x".repeat(13_000): null } }).to_string();
    for claims in ["[]", "{", "null", r#"{"userinfo":7}"#, &deep, &arrays, &long] {
        let request = with(good_request(&app.client, "openid"), "claims", claims);
        assert_eq!(app.error(&browser, &request).await, "invalid_request", "{} bytes", claims.len());
    }
    let acr = |said: serde_json::Value| {
        let claims = json!({ "id_token": { "acr": said } }).to_string();
        with(good_request(&app.client, "openid"), "claims", &claims)
    };
    let never = acr(json!({ "essential": true, "values": ["urn:never"] }));
    assert_eq!(app.error(&browser, &never).await, "unmet_authentication_requirements");
    let wish = acr(json!({ "values": ["urn:never"] }));
    let code = parameter(&app.allowed(&browser, &wish).await, "code").unwrap();
    assert_eq!(claims_of(app.redeem(&app.client, &code).await.text("id_token"))["acr"], "aal1");
    app.finish().await;
}
