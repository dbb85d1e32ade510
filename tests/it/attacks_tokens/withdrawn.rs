//! What rests on a member, a client and a consent ends with any of them.

use reqwest::StatusCode;

use super::{EVERYTHING, assert_refused};
use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    journey::log_in,
    members::HANAKO,
};
use kenpos_idp::storage::consent;

on_both_backends! {
    nothing_outlives_what_it_rests_on
    a_disabled_client_gets_nothing
}

/// What may happen, and how it is mended afterwards.
const EVENTS: &[(&str, &str, &str)] = &[
    ("frozen", "update member set state = 'frozen'", "update member set state = 'active'"),
    ("closed", "update member set state = 'closed'", "update member set state = 'active'"),
    ("reset", "update member set state = 'reset'", "update member set state = 'active'"),
    (
        "eligibility ended yesterday",
        "update roster_person set valid_until = '2026-11-22'",
        "update roster_person set valid_until = null",
    ),
    (
        "eligibility has not begun",
        "update roster_person set valid_from = '2026-11-24'",
        "update roster_person set valid_from = null",
    ),
    (
        "not in the roster any more",
        "update roster_person set lost_at = 1795000000000",
        "update roster_person set lost_at = null",
    ),
];

async fn nothing_outlives_what_it_rests_on(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    for (what, happens, mended) in EVENTS {
        let unused = app.code(&browser, &app.client, EVERYTHING).await;
        let code = app.code(&browser, &app.client, EVERYTHING).await;
        let tokens = app.redeem(&app.client, &code).await;
        assert_eq!(app.userinfo(tokens.text("access_token")).await.status, StatusCode::OK, "{what}");
        assert!(app.sql(happens).await > 0, "{what}");
        assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token", "{what}");
        assert_refused(&app.redeem(&app.client, &unused).await, "invalid_grant", what);
        let refreshed = app.refresh(&app.client, tokens.text("refresh_token")).await;
        assert_refused(&refreshed, "invalid_grant", what);
        let account = browser.get(&app.url("/account")).await;
        assert_eq!(account.status, StatusCode::SEE_OTHER, "{what}: the session too");
        app.sql(mended).await;
        // The refusal revoked it for good.
        let refreshed = app.refresh(&app.client, tokens.text("refresh_token")).await;
        assert_refused(&refreshed, "invalid_grant", what);
    }

    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let tokens = app.redeem(&app.client, &code).await;
    let member = tokens_member(&app).await;
    assert!(consent::withdraw(app.db(), &member, &app.client.id).await.unwrap());
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    // A smaller consent than the grant is not enough either.
    consent::remember(app.db(), &member, &app.client.id, "openid", app.clock.now()).await.unwrap();
    let refreshed = app.refresh(&app.client, tokens.text("refresh_token")).await;
    assert_refused(&refreshed, "invalid_grant", "consent withdrawn");

    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let tokens = app.redeem(&app.client, &code).await;
    app.clock.advance(MINUTE);
    app.sql(&format!("update member set sessions_valid_from = {}", app.clock.now().millis())).await;
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    let refreshed = app.refresh(&app.client, tokens.text("refresh_token")).await;
    assert_refused(&refreshed, "invalid_grant", "signed out everywhere");
    assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER);
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    log_in(&login, HANAKO.login_id, HANAKO.password).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    assert_eq!(app.redeem(&app.client, &code).await.status, StatusCode::OK, "a new sign-in is good");
    app.finish().await;
}

/// The subject of the only member.
async fn tokens_member(app: &TestApp) -> String {
    let people = app.app().members.clone();
    let person =
        kenpos_idp::storage::roster::find_insured(&people.db, "7132", "091", "200001").await.unwrap();
    kenpos_idp::storage::member::of_person(&people.db, &person.unwrap().id).await.unwrap().unwrap().id
}

async fn a_disabled_client_gets_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let tokens = app.redeem(&app.client, &code).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    assert_eq!(app.sql("update client set disabled_at = 1").await, 1);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_refused(&app.redeem(&app.client, &code).await, "invalid_client", "a code");
    let refreshed = app.refresh(&app.client, tokens.text("refresh_token")).await;
    assert_refused(&refreshed, "invalid_client", "a refresh token");
    app.finish().await;
}
