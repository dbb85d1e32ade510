//! Corners where an identity provider easily goes wrong: what other sites post, two people in one browser,
//! services that are busy or away, and everything that is counted.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use secrecy::SecretString;

use crate::support::{
    app::{Backend, TestApp},
    http_browser::{HttpBrowser, Page},
    journey::{allow, register, set_out},
    members::{HANAKO, ICHIRO, NOBODY},
    relying_party::Ask,
};
use kenpos_idp::{
    members::{login_id, sign_in::SignIn},
    storage::client,
};

/// A form that another site posts: browsers leave `SameSite=Lax` cookies out, and bring them with the GET
/// of a redirect.
async fn posted_by_another_site(browser: &HttpBrowser, url: &str, body: &str) -> Page {
    let headers = [
        ("Cookie", ""),
        ("Origin", "https://app.example.jp"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    browser.raw(Method::POST, url, &headers, body).await.follow_here().await
}

#[tokio::test]
async fn a_logout_that_the_app_posts_ends_the_session() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    let attempt = rp.begin(&Ask::default());
    let back = allow(&set_out(&browser, &attempt).await).await;
    let tokens = rp.finish(attempt, &back).await;

    let url = rp.logout_url(&tokens, "bye");
    let out = posted_by_another_site(&browser, &app.url("/logout"), url.query().unwrap()).await;
    assert_eq!(out.location().unwrap().as_str(), "https://app.example.jp/goodbye?state=bye");
    let account = browser.get(&app.url("/account")).await;
    assert_eq!(account.status, StatusCode::SEE_OTHER, "still signed in");
    app.finish().await;
}

#[tokio::test]
async fn a_request_that_the_app_posts_finds_the_session_and_spoils_no_other_tab() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    let consent = set_out(&browser, &rp.begin(&Ask::default())).await;

    let attempt = rp.begin(&Ask::default());
    let query = attempt.url.query().unwrap();
    let second = posted_by_another_site(&browser, &app.url("/authorize"), query).await;
    assert!(second.url.path().starts_with("/consent/"), "not signed in: {} {}", second.url, second.text());
    // Whatever else another site posts, the cookie that holds the tabs together stays.
    let forged = posted_by_another_site(&browser, &app.url("/login/x"), "login_id=1").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    allow(&consent).await;
    let code = rp.code(&attempt, &allow(&second).await);
    assert!(code.is_ok(), "{code:?}");
    app.finish().await;
}

#[tokio::test]
async fn the_failures_of_an_insurer_have_a_budget() {
    let app = TestApp::start_with(Backend::Embedded, |config| config.limits.per_insurer = 2).await;
    let members = &app.app().members;
    let guess = async |id: &str| {
        let typed = login_id::parse(id, &app.app().config().insurers).unwrap();
        members.sign_in(&typed, None, "wrong".into(), "", [192, 0, 2, 1].into()).await.unwrap()
    };
    assert!(matches!(guess(HANAKO.login_id).await, SignIn::Wrong));
    assert!(matches!(guess(NOBODY.login_id).await, SignIn::Wrong));
    assert!(matches!(guess(ICHIRO.login_id).await, SignIn::Limited));
    app.clock.advance(Duration::from_secs(600));
    assert!(matches!(guess(ICHIRO.login_id).await, SignIn::Wrong));
    app.finish().await;
}

#[tokio::test]
async fn a_full_queue_costs_nobody_an_attempt() {
    let mut app = TestApp::start_with(Backend::Embedded, |config| {
        (config.passwords.concurrent, config.passwords.queue) = (1, 0);
    })
    .await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    register(&login, &HANAKO).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    let page = browser.get(link.as_str()).await;
    let try_link = async || page.form("#link-form").set("password", HANAKO.password).submit().await;

    let everything = app.app().members.passwords.admit().unwrap();
    for _ in 0..6 {
        assert_eq!(try_link().await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    drop(everything);
    let done = try_link().await.follow_here().await;
    assert!(done.url.path().ends_with("/done"), "{}", done.text());
    app.mailbox.next(HANAKO.email).await;

    let members = &app.app().members;
    let typed = login_id::parse(HANAKO.login_id, &app.app().config().insurers).unwrap();
    let password = || SecretString::from(HANAKO.password);
    let everything = members.passwords.admit().unwrap();
    for _ in 0..6 {
        assert!(members.sign_in(&typed, None, password(), "", [192, 0, 2, 1].into()).await.is_err());
    }
    drop(everything);
    let outcome = members.sign_in(&typed, None, password(), "", [192, 0, 2, 1].into()).await.unwrap();
    assert!(matches!(outcome, SignIn::Welcome(_)), "{outcome:?}");
    app.finish().await;
}

#[tokio::test]
async fn five_wrong_passwords_destroy_a_registration_however_many_links_it_had() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let sent = register(&login, &HANAKO).await;
    let wrong = async |link: &url::Url| {
        let page = browser.get(link.as_str()).await;
        page.form("#link-form").set("password", "not the right one").submit().await.status
    };
    let first = app.mailbox.next_link(HANAKO.email).await;
    for _ in 0..4 {
        assert_eq!(wrong(&first).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    sent.form("#resend-form").submit().await;
    let second = app.mailbox.next_link(HANAKO.email).await;
    assert_eq!(wrong(&second).await, StatusCode::GONE);
    app.finish().await;
}

#[tokio::test]
async fn what_a_client_may_have_is_looked_at_again() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    let attempt = rp.begin(&Ask::scopes(&["email", "offline_access"]));
    let back = allow(&set_out(&browser, &attempt).await).await;
    let tokens = rp.finish(attempt, &back).await;
    assert_eq!(rp.userinfo(&tokens).await.unwrap()["email"], HANAKO.email);

    let allow_only = async |scope: &str| {
        let mut row = client::find(app.db(), &app.client.id).await.unwrap().unwrap();
        let mut metadata = app.client.metadata.clone();
        scope.clone_into(&mut metadata.scope);
        row.metadata = serde_json::to_string(&metadata).unwrap();
        assert!(client::update(app.db(), &row).await.unwrap());
        app.app().clients.clear();
    };
    allow_only("openid offline_access").await;
    assert!(rp.userinfo(&tokens).await.unwrap().get("email").is_none(), "no longer registered for it");
    let refreshed = rp.refresh(tokens.refresh_token.as_deref().unwrap()).await.unwrap();
    assert!(rp.userinfo(&refreshed).await.unwrap().get("email").is_none());
    assert_eq!(refreshed.claims.get("nonce"), None, "the nonce belongs to the sign-in");
    allow_only("openid email").await;
    let refused = rp.refresh(refreshed.refresh_token.as_deref().unwrap()).await.unwrap_err();
    assert!(refused.contains("unauthorized_client"), "{refused}");
    app.finish().await;
}

#[tokio::test]
async fn a_waiting_page_is_not_told_an_end_by_a_store_that_is_down() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let sent = register(&login, &HANAKO).await;
    app.mailbox.next_link(HANAKO.email).await;
    while app.queued_mails().await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.db().close().await;
    let status = sent.visit("status").await;
    assert_eq!(status.status, StatusCode::SERVICE_UNAVAILABLE, "{}", status.body);
    app.restart().await;
    assert!(sent.visit("status").await.body.contains("waiting"));
    app.finish().await;
}

#[tokio::test]
async fn an_age_of_zero_asks_for_the_password_at_once() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    let at_once = Ask { max_age: Some(Duration::ZERO), ..Ask::default() };
    let page = set_out(&browser, &rp.begin(&at_once)).await;
    assert!(page.url.path().starts_with("/login/"), "{}", page.url);
    app.finish().await;
}
