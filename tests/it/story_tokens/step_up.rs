//! 記号・番号 only from a recent sign-in, where the operator wants it so (RFC 9470).

use std::time::Duration;

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    journey::log_in,
    members::HANAKO,
};

on_both_backends! {
    numbers_need_a_recent_sign_in
}

async fn numbers_need_a_recent_sign_in(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| {
        config.lifetimes.insured_number_sign_in_seconds = Some(300);
    })
    .await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid insured_number offline_access").await;
    let tokens = app.redeem(&app.client, &code).await;
    assert_eq!(app.userinfo(tokens.text("access_token")).await.text("number"), "200001");
    app.clock.advance(MINUTE * 5);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.status, StatusCode::OK);
    app.clock.advance(Duration::from_secs(1));
    // A refresh is no sign-in.
    let tokens = app.refresh(&app.client, tokens.text("refresh_token")).await;
    let refused = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.error(), "insufficient_user_authentication");
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.ends_with("max_age=\"300\""), "{challenge}");
    assert!(!refused.json.to_string().contains("200001"));
    // Without the numbers the same sign-in will do.
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.text("refresh_token")),
        ("scope", "openid"),
    ];
    let narrow = app.token(&app.client, &fields).await;
    assert_eq!(app.userinfo(narrow.text("access_token")).await.status, StatusCode::OK);
    // And with a new sign-in the numbers are there again.
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    log_in(&login, HANAKO.login_id, HANAKO.password).await;
    let code = app.code(&browser, &app.client, "openid insured_number").await;
    let tokens = app.redeem(&app.client, &code).await;
    assert_eq!(app.userinfo(tokens.text("access_token")).await.text("number"), "200001");
    app.finish().await;
}
