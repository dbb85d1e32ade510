//! Attacks on the way of a device: its codes at the wrong place, guessed, or pressed upon a member.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};

use super::{WAIT, decide, enter, poll, set_up, television};
use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    attack::Answer,
    http_browser::HttpBrowser,
    journey::log_in,
    members::{HANAKO, ICHIRO},
    relying_party::Registered,
};

on_both_backends! {
    fifty_polls_at_once_give_one_success_and_revoke_it
    a_device_code_is_of_use_to_its_client_alone
    devices_that_ask_for_codes_have_a_budget
}

async fn fifty_polls_at_once_give_one_success_and_revoke_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let tv = television(&app).await;
    let phone = app.activate(&HANAKO).await;
    let device = set_up(&app, &tv, "openid email").await;
    decide(&enter(&app, &phone, device.text("user_code")).await, "allow").await;
    let answers = join_all((0..50).map(|_| poll(&app, &tv, &device))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(won.len(), 1, "{answers:?}");
    assert!(lost.iter().all(|answer| answer.error() == "invalid_grant"), "{lost:?}");
    assert_eq!(app.userinfo(won[0].text("access_token")).await.error(), "invalid_token");
    app.finish().await;
}

async fn a_device_code_is_of_use_to_its_client_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let (tv, other) = (television(&app).await, television(&app).await);
    let phone = app.activate(&HANAKO).await;
    // A client that did not register the grant.
    let refused = set_up(&app, &app.client, "openid").await;
    assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, "unauthorized_client"));
    assert_eq!(set_up(&app, &tv, "email").await.error(), "invalid_scope");
    let device = set_up(&app, &tv, "openid email").await;
    assert_eq!(poll(&app, &app.client, &device).await.error(), "unauthorized_client");
    decide(&enter(&app, &phone, device.text("user_code")).await, "allow").await;
    assert_eq!(poll(&app, &other, &device).await.error(), "invalid_grant", "another client");
    let code = device.text("device_code");
    for wrong in [&code[1..], &code[..code.len() - 1], &code.replace('.', ""), &format!("{code}A"), "x.y"] {
        let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", wrong)];
        assert_eq!(app.token(&tv, &fields).await.error(), "invalid_grant", "{wrong}");
    }
    // Both codes are good for nothing else.
    for token in [code, device.text("user_code")] {
        assert_eq!(app.userinfo(token).await.error(), "invalid_token");
        assert_eq!(app.redeem(&app.client, token).await.error(), "invalid_grant");
        assert_eq!(app.refresh(&app.client, token).await.error(), "invalid_grant");
    }
    assert_eq!(poll(&app, &tv, &device).await.status, StatusCode::OK, "none of that spoilt it");

    // A member who signs out or takes the consent back before the device came.
    let device = set_up(&app, &tv, "openid email").await;
    decide(&enter(&app, &phone, device.text("user_code")).await, "allow").await;
    phone.get(&app.url("/account/apps")).await.form("#withdraw-form-1").submit().await;
    assert_eq!(poll(&app, &tv, &device).await.error(), "invalid_grant", "consent withdrawn");
    let device = set_up(&app, &tv, "openid email").await;
    decide(&enter(&app, &phone, device.text("user_code")).await, "allow").await;
    phone.get(&app.url("/account")).await.form("form[action='/logout']").submit().await;
    assert_eq!(poll(&app, &tv, &device).await.error(), "invalid_grant", "signed out");
    app.finish().await;
}

async fn devices_that_ask_for_codes_have_a_budget(backend: Backend) {
    let app = TestApp::start_with(backend, |config| {
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        (config.limits.devices_per_address, config.limits.devices_per_client) = (3, 5);
    })
    .await;
    let (tv, other) = (television(&app).await, television(&app).await);
    let ask = async |client: &Registered, address: &str| {
        let from = [("X-Forwarded-For", address)];
        let page = app.call("/device_authorization", client, &from, &[("scope", "openid")]).await;
        let answer = Answer::of(page);
        if answer.status != StatusCode::OK {
            let code = (answer.status, answer.error());
            assert_eq!(code, (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"), "{}", answer.json);
            assert_eq!(answer.headers["retry-after"], "600");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
        answer.status == StatusCode::OK
    };
    for _ in 0..3 {
        assert!(ask(&tv, "192.0.2.1").await);
    }
    assert!(!ask(&tv, "192.0.2.1").await && !ask(&other, "192.0.2.1").await, "the address");
    // What an address was refused is not the client's loss.
    assert!(ask(&tv, "192.0.2.2").await && ask(&tv, "192.0.2.2").await);
    assert!(!ask(&tv, "192.0.2.3").await, "the client");
    assert!(ask(&other, "192.0.2.3").await);
    app.finish().await;
}

#[tokio::test]
async fn user_codes_cannot_be_tried_out() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let tv = television(&app).await;
    let device = set_up(&app, &tv, "openid").await;
    // Not at all by those who are not signed in.
    let stranger = app.http_browser();
    let page = stranger.get(&app.url("/device")).await.follow_here().await;
    assert!(page.url.path().starts_with("/login/"), "{}", page.url);
    let member = app.activate(&HANAKO).await;
    let right = device.text("user_code");
    let wrong = if right == "000-000-000" { "000-000-001" } else { "000-000-000" };
    for _ in 0..10 {
        assert_eq!(enter(&app, &member, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    for code in [wrong, right] {
        assert_eq!(enter(&app, &member, code).await.status, StatusCode::TOO_MANY_REQUESTS, "{code}");
    }
    // Somebody else is not kept from it, and neither is this member a little later.
    let other = app.activate(&ICHIRO).await;
    assert_eq!(enter(&app, &other, right).await.status, StatusCode::OK);
    app.clock.advance(MINUTE * 10);
    let device = set_up(&app, &tv, "openid").await;
    assert_eq!(enter(&app, &member, device.text("user_code")).await.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn nobody_is_led_past_the_page_with_the_code() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let tv = television(&app).await;
    let victim = app.activate(&HANAKO).await;
    let attacker = app.activate(&ICHIRO).await;
    let device = set_up(&app, &tv, "openid email").await;
    // The attacker's own device code names the page.
    let id = device.text("device_code").split('.').next().unwrap();
    let url = app.url(&format!("/device/{id}"));
    let shut = |page: &crate::support::http_browser::Page| {
        assert_eq!(page.status, StatusCode::GONE, "{}", page.text());
        assert!(!page.body.contains("からだ手帳"));
    };
    shut(&victim.get(&url).await);
    // Not even when the attacker entered the code himself.
    let asked = enter(&app, &attacker, device.text("user_code")).await;
    assert_eq!(asked.url.as_str(), url);
    shut(&victim.get(&url).await);
    let form = victim.get(&app.url("/device")).await;
    let form = form.form("#device-form");
    let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
    let body = format!("csrf={csrf}&who={who}&decision=allow");
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    shut(&victim.raw(Method::POST, &url, &headers, &body).await);
    // Whoever enters it later takes it over; the page that was open before decides nothing.
    let taken = enter(&app, &victim, device.text("user_code")).await;
    assert_eq!(taken.status, StatusCode::OK);
    shut(&decide(&asked, "allow").await);
    // A page that was made for somebody else, at the same browser.
    let login = victim.get(&app.url("/login")).await.follow_here().await;
    log_in(&login, ICHIRO.login_id, ICHIRO.password).await;
    let page = taken.form("#device-confirm-form").click("decision", "allow").submit().await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text());
    app.clock.advance(WAIT);
    assert_eq!(poll(&app, &tv, &device).await.error(), "authorization_pending");
    assert_eq!(app.number("select count(*) from consent").await, 0);
    // HEAD and GET never decide.
    let page = HttpBrowser::new().raw(Method::HEAD, &app.url("/device/allowed"), &[], "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(poll(&app, &tv, &device).await.error(), "slow_down");
    app.finish().await;
}
