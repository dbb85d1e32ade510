//! Who has to sign in, and how the member gets out of it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use url::Url;

use super::claims_of;
use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    attack::{good_request, parameter, with},
    journey::{give_login_id, log_in},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    oidcc_prompt_none_not_logged_in
    oidcc_prompt_none_logged_in
    oidcc_prompt_login
    oidcc_max_age_1
    oidcc_max_age_10000
    oidcc_id_token_hint
    a_hint_at_somebody_else_is_never_answered_about_the_one_who_is_there
    cancelling_the_login_tells_the_client_and_nobody_else_can_do_it
}

fn state_of(callback: &Url) -> Option<String> {
    parameter(callback, "state")
}

/// A login, and the ID token of what comes of it.
async fn id_token(app: &TestApp, callback: &Url) -> serde_json::Value {
    let code = parameter(callback, "code").unwrap_or_else(|| panic!("no code: {callback}"));
    claims_of(app.redeem(&app.client, &code).await.text("id_token"))
}

async fn oidcc_prompt_none_not_logged_in(backend: Backend) {
    let app = TestApp::start(backend).await;
    let state = "s".repeat(128);
    let request = with(with(good_request(&app.client, "openid"), "prompt", "none"), "state", &state);
    let callback = app.ask(&app.http_browser(), &request).await.location().unwrap();
    assert_eq!(parameter(&callback, "error").as_deref(), Some("login_required"));
    assert_eq!(state_of(&callback), Some(state));
    app.finish().await;
}

async fn oidcc_prompt_none_logged_in(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let request = good_request(&app.client, "openid");
    let first = id_token(&app, &app.allowed(&browser, &request).await).await;
    app.clock.advance(Duration::from_secs(5));
    let silent = with(request, "prompt", "none");
    let second = id_token(&app, &browser.get(&app.authorize_url(&silent)).await.location().unwrap()).await;
    assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
    app.finish().await;
}

async fn oidcc_prompt_login(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let request = good_request(&app.client, "openid");
    let first = id_token(&app, &app.allowed(&browser, &request).await).await;
    app.clock.advance(Duration::from_secs(1));
    let login = app.ask(&browser, &with(request, "prompt", "login")).await;
    let back = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    let second = id_token(&app, &back.location().unwrap()).await;
    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
    app.finish().await;
}

async fn oidcc_max_age_1(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let request = with(good_request(&app.client, "openid"), "max_age", "1");
    let first = id_token(&app, &app.allowed(&browser, &request).await).await;
    // To the second: one is not yet more than one.
    app.clock.advance(Duration::from_secs(1));
    assert!(parameter(&app.allowed(&browser, &request).await, "code").is_some());
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.error(&browser, &with(request.clone(), "prompt", "none")).await, "login_required");
    let login = app.ask(&browser, &request).await;
    assert!(login.url.path().starts_with("/login/"), "{}", login.url);
    let back = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    let second = id_token(&app, &back.location().unwrap()).await;
    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
    app.finish().await;
}

async fn oidcc_max_age_10000(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let request = |age| with(good_request(&app.client, "openid"), "max_age", age);
    let first = id_token(&app, &app.allowed(&browser, &request("15000")).await).await;
    app.clock.advance(Duration::from_secs(2));
    let second = id_token(&app, &app.ask(&browser, &request("10000")).await.location().unwrap()).await;
    assert_eq!((&first["auth_time"], &first["sub"]), (&second["auth_time"], &second["sub"]));
    app.finish().await;
}

async fn oidcc_id_token_hint(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let request = good_request(&app.client, "openid");
    let code = parameter(&app.allowed(&browser, &request).await, "code").unwrap();
    let hint = app.redeem(&app.client, &code).await.text("id_token").to_owned();
    // Expired, and its key retired: still a hint.
    app.clock.advance(Duration::from_secs(1200));
    app.app().signing.rotate().await.unwrap();
    let silent = with(with(request.clone(), "prompt", "none"), "id_token_hint", &hint);
    let answer = id_token(&app, &browser.get(&app.authorize_url(&silent)).await.location().unwrap()).await;
    assert_eq!(answer["sub"], claims_of(&hint)["sub"]);
    let (start, _) = hint.rsplit_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0";
    for forged in
        [format!("{start}."), format!("{hint}A"), format!("{none}.{}.", hint.split('.').nth(1).unwrap())]
    {
        let request = with(request.clone(), "id_token_hint", &forged);
        assert_eq!(app.error(&browser, &request).await, "invalid_request", "{forged}");
    }
    app.finish().await;
}

async fn a_hint_at_somebody_else_is_never_answered_about_the_one_who_is_there(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let hanako = app.activate(&HANAKO).await;
    let ichiro = app.activate(&ICHIRO).await;
    app.code(&ichiro, &app.client, "openid").await;
    let code = app.code(&hanako, &app.client, "openid").await;
    let hint = app.redeem(&app.client, &code).await.text("id_token").to_owned();
    let request = with(good_request(&app.client, "openid"), "id_token_hint", &hint);
    let silent = with(request.clone(), "prompt", "none");
    assert_eq!(app.error(&ichiro, &silent).await, "login_required");
    assert_eq!(app.error(&app.http_browser(), &silent).await, "login_required");
    // With pages: a login, as the one who was meant or as nobody.
    let login = app.ask(&ichiro, &request).await;
    assert!(login.url.path().starts_with("/login/"), "{}", login.url);
    let wrong = log_in(&login, ICHIRO.login_id, ICHIRO.password).await.location().unwrap();
    assert_eq!(parameter(&wrong, "error").as_deref(), Some("login_required"), "{wrong}");
    let login = app.ask(&ichiro, &request).await;
    let right = log_in(&login, HANAKO.login_id, HANAKO.password).await.location().unwrap();
    assert_eq!(id_token(&app, &right).await["sub"], claims_of(&hint)["sub"]);
    app.finish().await;
}

async fn cancelling_the_login_tells_the_client_and_nobody_else_can_do_it(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let request = good_request(&app.client, "openid");
    let mut login = app.ask(&browser, &request).await;
    for second_step in [false, true] {
        if second_step {
            login = give_login_id(&app.ask(&browser, &request).await, HANAKO.login_id).await;
        }
        let back = login.form("#cancel-form").submit().await.location().unwrap();
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
        assert_eq!(state_of(&back).as_deref(), Some("af0ifjsldkj"));
        assert_eq!(parameter(&back, "iss"), Some(app.url("")));
        let again = login.form("#cancel-form").submit().await;
        assert_eq!(again.status, StatusCode::GONE, "a second click: {}", again.text());
    }
    // A visit without a request has nobody to go back to.
    let visit = browser.get(&app.url("/login")).await.follow_here().await;
    assert!(visit.select("#cancel-form").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn whoever_only_looks_gets_no_code_and_spends_nothing() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid").await;
    let url = app.authorize_url(&good_request(&app.client, "openid"));
    let cookie = |name| format!("{name}={}", browser.cookie(&app.url("/"), name).unwrap());
    let cookies = [cookie("kenpos-session"), cookie("kenpos-browser")].join("; ");
    let before = app.stored().await;
    let looked = app.http_browser().raw(Method::HEAD, &url, &[("Cookie", &cookies)], "").await;
    assert_eq!((looked.status, looked.location()), (StatusCode::OK, None));
    assert_eq!(app.stored().await, before);
    let asked = app.http_browser().raw(Method::GET, &url, &[("Cookie", &cookies)], "").await;
    assert!(
        parameter(&asked.location().unwrap(), "code").is_some(),
        "GET by the same browser: {}",
        asked.text()
    );
    app.finish().await;
}
