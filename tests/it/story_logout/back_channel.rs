//! Logout tokens: to whom, again and again until they arrive, and never where they must not go.

use std::time::Duration;

use reqwest::StatusCode;

use super::{check_token, log_out, start, tokens, told_at};
use crate::support::{
    app::{Backend, DAY, HOUR, MINUTE, TestApp, metadata, on_both_backends},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    every_client_of_the_session_is_told
    what_does_not_arrive_is_sent_again_and_survives_a_restart
    what_nobody_takes_is_given_up
    a_hostile_address_is_never_called
    a_new_sign_in_of_the_same_member_ends_nothing
}

/// Waits until the database says so.
async fn until(app: &TestApp, statement: &str, expected: i64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while app.number(statement).await != expected {
        assert!(tokio::time::Instant::now() < deadline, "{statement} does not become {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const QUEUED: &str = "select count(*) from delivery where kind = 'logout' and state = 'queued'";
const FAILED: &str = "select count(*) from delivery where kind = 'logout' and state = 'failed'";

async fn every_client_of_the_session_is_told(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let one = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let two = told_at(&app, "https://two.example.jp", &receiver.url("/two?x=1")).await;
    let unused = told_at(&app, "https://unused.example.jp", &receiver.url("/unused")).await;
    let quiet = app.client.clone();
    let browser = app.activate(&HANAKO).await;
    let elsewhere = app.activate(&ICHIRO).await;
    let first = tokens(&app, &browser, &one, "openid").await;
    tokens(&app, &browser, &one, "openid email").await;
    let second = tokens(&app, &browser, &two, "openid").await;
    tokens(&app, &browser, &quiet, "openid").await;
    tokens(&app, &elsewhere, &one, "openid").await;
    // A code that nobody redeems gives nothing to end.
    app.code(&browser, &unused, "openid").await;
    log_out(&app, &browser).await;
    let mut received = [receiver.next().await, receiver.next().await];
    received.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!((received[0].path.as_str(), received[1].path.as_str()), ("/one", "/two?x=1"));
    check_token(&app, &received[0], &one, first.text("id_token"));
    check_token(&app, &received[1], &two, second.text("id_token"));
    until(&app, QUEUED, 0).await;
    assert!(receiver.unread().is_empty(), "once each, and nobody else: {:?}", receiver.unread());
    assert_eq!(app.number("select count(*) from delivery where sealed is not null").await, 0);
    app.finish().await;
}

async fn what_does_not_arrive_is_sent_again_and_survives_a_restart(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let browser = app.activate(&HANAKO).await;
    let session = tokens(&app, &browser, &client, "openid").await;
    receiver.stop().await;
    log_out(&app, &browser).await;
    until(&app, "select attempts from delivery", 1).await;
    until(&app, "select count(*) from delivery where leased_until = 0", 1).await;
    app.restart().await;
    app.clock.advance(MINUTE);
    until(&app, "select attempts from delivery", 2).await;
    until(&app, "select count(*) from delivery where leased_until = 0", 1).await;
    receiver.answer(StatusCode::SERVICE_UNAVAILABLE, None);
    receiver.start_again().await;
    app.clock.advance(MINUTE);
    receiver.next().await;
    until(&app, "select count(*) from delivery where leased_until = 0", 1).await;
    receiver.answer(StatusCode::OK, None);
    app.restart().await;
    app.clock.advance(HOUR);
    // Made when it is sent, it is fresh.
    check_token(&app, &receiver.next().await, &client, session.text("id_token"));
    until(&app, QUEUED, 0).await;
    assert_eq!(app.number("select count(*) from delivery where state = 'sent' and sealed is null").await, 1);
    app.finish().await;
}

async fn what_nobody_takes_is_given_up(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let browser = app.activate(&HANAKO).await;
    tokens(&app, &browser, &client, "openid").await;
    receiver.answer(StatusCode::BAD_REQUEST, None);
    log_out(&app, &browser).await;
    receiver.next().await;
    until(&app, FAILED, 1).await;
    app.clock.advance(HOUR);
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    tokens(&app, &browser, &client, "openid").await;
    receiver.answer(StatusCode::INTERNAL_SERVER_ERROR, None);
    log_out(&app, &browser).await;
    receiver.next().await;
    until(&app, "select count(*) from delivery where state = 'queued' and leased_until = 0", 1).await;
    app.clock.advance(DAY);
    until(&app, FAILED, 2).await;
    assert_eq!(app.number("select count(*) from delivery where sealed is not null").await, 0);
    app.finish().await;
}

async fn a_hostile_address_is_never_called(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let other = crate::support::receiver::Receiver::start().await;
    let browser = app.activate(&HANAKO).await;
    let hostile = [
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "https://192.168.1.1/".to_owned(),
        "https://[::1]/".to_owned(),
        "https://[fe80::1]/".to_owned(),
        "https://0.0.0.0/".to_owned(),
        "https://2130706433/".to_owned(),
        "http://127.0.0.1/".to_owned(),
        "https://user@one.example.jp/".to_owned(),
        // A port of this machine that the settings do not name.
        other.url("/"),
    ];
    for (n, uri) in hostile.iter().enumerate() {
        let client = told_at(&app, &format!("https://hostile{n}.example.jp"), uri).await;
        tokens(&app, &browser, &client, "openid").await;
    }
    // One that may be called sends the provider elsewhere.
    let redirecting = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    tokens(&app, &browser, &redirecting, "openid").await;
    receiver.answer(StatusCode::TEMPORARY_REDIRECT, Some(&other.url("/stolen")));
    log_out(&app, &browser).await;
    assert_eq!(receiver.next().await.path, "/one");
    until(&app, FAILED, i64::try_from(hostile.len()).unwrap() + 1).await;
    assert!(other.unread().is_empty(), "{:?}", other.unread());
    app.finish().await;
}

async fn a_new_sign_in_of_the_same_member_ends_nothing(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let browser = app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let first = tokens(&app, &browser, &client, "openid").await;
    let sign_in = async |someone: &crate::support::members::Someone| {
        let login = browser.get(&app.url("/login")).await.follow_here().await;
        crate::support::journey::log_in(&login, someone.login_id, someone.password).await
    };
    let state = || browser.cookie(&app.url("/"), "kenpos-state").unwrap();
    let before = (state(), browser.cookie(&app.url("/"), "kenpos-session").unwrap());
    sign_in(&HANAKO).await;
    assert_eq!(before.0, state(), "relying parties see no change");
    assert_ne!(before.1, browser.cookie(&app.url("/"), "kenpos-session").unwrap());
    let again = tokens(&app, &browser, &client, "openid").await;
    let sid =
        |answer: &crate::support::attack::Answer| super::part(answer.text("id_token"), 1)["sid"].clone();
    assert_eq!(sid(&first), sid(&again));
    assert_eq!(app.userinfo(first.text("access_token")).await.status, StatusCode::OK);
    assert_eq!(app.number("select count(*) from delivery").await, 0);
    // Somebody else at the same browser is another matter.
    sign_in(&ICHIRO).await;
    assert_ne!(before.0, state());
    check_token(&app, &receiver.next().await, &client, first.text("id_token"));
    assert_eq!(app.userinfo(first.text("access_token")).await.error(), "invalid_token");
    until(&app, QUEUED, 0).await;
    assert_eq!(app.number("select count(*) from delivery").await, 1);
    app.finish().await;
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_without_a_word() {
    let (mut app, receiver) = start(Backend::Embedded).await;
    let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let browser = app.activate(&HANAKO).await;
    tokens(&app, &browser, &client, "openid").await;
    app.clock.advance(HOUR);
    assert!(!app.is_signed_in(&browser).await);
    app.signed_in(&HANAKO, HANAKO.password).await;
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    crate::support::journey::log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(app.number("select count(*) from delivery").await, 0);
    // A client that is no longer there, or wants nothing any more, is not told.
    let gone = app.register(metadata("https://gone.example.jp")).await;
    assert!(gone.metadata.backchannel_logout_uri.is_none());
    tokens(&app, &browser, &client, "openid").await;
    app.sql(&format!("update client set disabled_at = 1 where id = '{}'", client.id)).await;
    log_out(&app, &browser).await;
    until(&app, "select count(*) from delivery where state = 'sent'", 1).await;
    assert!(receiver.unread().is_empty());
    app.finish().await;
}
