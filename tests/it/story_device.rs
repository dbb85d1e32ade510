//! A device without a browser: its owner enters a code elsewhere and allows it (RFC 8628).

mod attacks;

use std::time::Duration;

use kenpos_idp::clients::{AuthMethod, GrantType, GrantTypes};
use reqwest::{Method, StatusCode};

use super::story_operators::matrix::second_insurer;
use crate::support::{
    app::{Backend, MINUTE, TestApp, metadata, on_both_backends},
    attack::Answer,
    http_browser::{HttpBrowser, Page},
    journey::log_in,
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_device_gets_its_tokens_once_its_owner_allows_it
    a_device_hears_that_its_owner_refused
    codes_end_with_their_time
    a_device_of_another_insurer_is_not_allowed
}

/// Longer than a device has to wait between two polls, however often it was told to slow down.
const WAIT: Duration = Duration::from_secs(30);

/// A television set: a public client.
async fn television(app: &TestApp) -> Registered {
    let mut metadata = metadata("https://tv.example.jp");
    metadata.grant_types = GrantTypes(vec![GrantType::AuthorizationCode, GrantType::DeviceCode]);
    metadata.token_endpoint_auth_method = AuthMethod::None;
    app.register(metadata).await
}

/// POST `/device_authorization`.
async fn set_up(app: &TestApp, client: &Registered, scope: &str) -> Answer {
    Answer::of(app.call("/device_authorization", client, &[], &[("scope", scope)]).await)
}

async fn poll(app: &TestApp, client: &Registered, device: &Answer) -> Answer {
    let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
    let fields = [("grant_type", grant_type), ("device_code", device.text("device_code"))];
    app.token(client, &fields).await
}

/// From the page with the field to the page that asks.
async fn enter(app: &TestApp, browser: &HttpBrowser, code: &str) -> Page {
    let page = browser.get(&app.url("/device")).await;
    page.form("#device-form").set("user_code", code).submit().await.follow_here().await
}

async fn decide(page: &Page, decision: &str) -> Page {
    page.form("#device-confirm-form").click("decision", decision).submit().await.follow_here().await
}

async fn a_device_of_another_insurer_is_not_allowed(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.insurers.push(second_insurer())).await;
    let mut of_another = metadata("https://tv.example.jp");
    of_another.grant_types = GrantTypes(vec![GrantType::AuthorizationCode, GrantType::DeviceCode]);
    of_another.token_endpoint_auth_method = AuthMethod::None;
    of_another.insurer = Some("7133".to_owned());
    let tv = app.register(of_another).await;
    let browser = app.activate(&HANAKO).await;
    let device = set_up(&app, &tv, "openid").await;
    let page = enter(&app, &browser, device.text("user_code")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text());
    assert!(page.text().contains("ほかの健康保険組合の加入者向け"), "{}", page.text());
    app.clock.advance(WAIT);
    assert_eq!(poll(&app, &tv, &device).await.error(), "authorization_pending");
    app.finish().await;
}

async fn a_device_gets_its_tokens_once_its_owner_allows_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let tv = television(&app).await;
    let device = set_up(&app, &tv, "openid email insured_number offline_access nonsense").await;
    assert_eq!(device.status, StatusCode::OK, "{}", device.json);
    assert_eq!(device.headers["cache-control"], "no-store");
    assert_eq!(device.text("verification_uri"), app.url("/device"));
    assert_eq!((&device.json["expires_in"], &device.json["interval"]), (&600.into(), &5.into()));
    assert_eq!(poll(&app, &tv, &device).await.error(), "authorization_pending");
    assert_eq!(poll(&app, &tv, &device).await.error(), "slow_down");
    app.clock.advance(Duration::from_millis(9_999));
    assert_eq!(poll(&app, &tv, &device).await.error(), "slow_down", "five seconds more, and again");
    app.clock.advance(WAIT);
    assert_eq!(poll(&app, &tv, &device).await.error(), "authorization_pending");

    // The link of the device leads through the login to the code filled in, and decides nothing.
    app.activate(&HANAKO).await;
    let phone = app.http_browser();
    let login = phone.get(device.text("verification_uri_complete")).await.follow_here().await;
    let page = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(page.form("#device-form").value("user_code"), Some(device.text("user_code")));
    assert!(page.text().contains("電話・メール・SMS"), "a warning: {}", page.text());
    app.clock.advance(WAIT);
    assert_eq!(poll(&app, &tv, &device).await.error(), "authorization_pending");
    let page = page.form("#device-form").submit().await.follow_here().await;
    for shown in [device.text("user_code"), "からだ手帳", HANAKO.kana, "メールアドレス"] {
        assert!(page.text().contains(shown), "{shown}: {}", page.text());
    }
    app.clock.advance(WAIT);
    assert_eq!(poll(&app, &tv, &device).await.error(), "authorization_pending");
    let done = decide(&page, "allow").await;
    assert_eq!(done.url.path(), "/device/allowed", "{}", done.text());

    let tokens = poll(&app, &tv, &device).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
    assert_eq!(tokens.text("scope"), "openid email insured_number offline_access");
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(userinfo.text("email"), HANAKO.email);
    let refreshed = app.refresh(&tv, tokens.text("refresh_token")).await;
    assert_eq!(app.userinfo(refreshed.text("access_token")).await.json, userinfo.json);
    // The member finds it among the apps with access.
    assert!(phone.get(&app.url("/account/apps")).await.text().contains("からだ手帳"));
    // One use: a second one revokes everything.
    assert_eq!(poll(&app, &tv, &device).await.error(), "invalid_grant");
    for token in [&tokens, &refreshed] {
        assert_eq!(app.userinfo(token.text("access_token")).await.error(), "invalid_token");
    }
    assert_eq!(app.refresh(&tv, refreshed.text("refresh_token")).await.error(), "invalid_grant");
    app.finish().await;
}

async fn a_device_hears_that_its_owner_refused(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let tv = television(&app).await;
    let phone = app.activate(&HANAKO).await;
    let device = set_up(&app, &tv, "openid").await;
    let typed = device.text("user_code").replace('-', "");
    let page = enter(&app, &phone, &typed).await;
    // An empty POST decides nothing.
    let form = page.form("#device-confirm-form");
    let body = format!("csrf={}&who={}", form.value("csrf").unwrap(), form.value("who").unwrap());
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let again = phone.raw(Method::POST, page.url.as_str(), &headers, &body).await.follow_here().await;
    assert_eq!(again.select("#device-confirm-form").len(), 1, "{}", again.text());
    let done = decide(&again, "deny").await;
    assert_eq!(done.url.path(), "/device/denied");
    assert_eq!(poll(&app, &tv, &device).await.error(), "access_denied");
    assert_eq!(poll(&app, &tv, &device).await.error(), "access_denied", "for good");
    assert_eq!(app.number("select count(*) from consent").await, 0);
    // What is decided cannot be decided again, and its code opens nothing.
    assert_eq!(decide(&page, "allow").await.status, StatusCode::GONE);
    assert_eq!(enter(&app, &phone, &typed).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(poll(&app, &tv, &device).await.error(), "access_denied");
    app.finish().await;
}

async fn codes_end_with_their_time(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let tv = television(&app).await;
    let phone = app.activate(&HANAKO).await;
    let [forgotten, late] = [set_up(&app, &tv, "openid").await, set_up(&app, &tv, "openid").await];
    let page = enter(&app, &phone, late.text("user_code")).await;
    app.clock.advance(MINUTE * 10);
    assert_eq!(decide(&page, "allow").await.status, StatusCode::GONE);
    let entered = enter(&app, &phone, forgotten.text("user_code")).await;
    assert_eq!(entered.status, StatusCode::UNPROCESSABLE_ENTITY);
    for device in [&forgotten, &late] {
        assert_eq!(poll(&app, &tv, device).await.error(), "expired_token");
    }
    // Allowed in time, fetched too late.
    let device = set_up(&app, &tv, "openid").await;
    decide(&enter(&app, &phone, device.text("user_code")).await, "allow").await;
    app.clock.advance(MINUTE * 10);
    assert_eq!(poll(&app, &tv, &device).await.error(), "expired_token");
    app.finish().await;
}
