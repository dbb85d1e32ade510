//! Requests that no page of the member sent.

use reqwest::{Method, StatusCode};

use super::PAGES;
use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    http_browser::HttpBrowser,
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    no_other_site_can_change_anything
    a_page_of_one_member_changes_nothing_for_the_next
    without_a_session_nothing_is_changed
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Everything that changes something, with a body that would.
fn changes() -> [(&'static str, String); 9] {
    let password = format!("password={}", HANAKO.password);
    [
        ("/account/profile", "language=en".to_owned()),
        ("/account/password", format!("{password}&new_password=しろくまと海辺で7回踊る")),
        ("/account/email", format!("{password}&email=x@mail.example")),
        ("/account/preferences", "topics=checkup".to_owned()),
        ("/account/sessions/others", String::new()),
        ("/account/deletion", password.clone()),
        ("/account/deletion/withdraw", String::new()),
        ("/account/apps", "client=x".to_owned()),
        ("/account/report", password),
    ]
}

/// The `csrf` and the `who` of a page.
async fn tokens(app: &TestApp, browser: &HttpBrowser) -> (String, String) {
    let page = app.account(browser, "/preferences").await;
    let form = page.form("#preferences-form");
    (form.value("csrf").unwrap().to_owned(), form.value("who").unwrap().to_owned())
}

/// What an attack must leave as it was.
async fn state(app: &TestApp) -> i64 {
    app.number(
        "select (select count(*) from audit) + (select count(*) from preference_change)
             + (select count(*) from email_change) + (select count(*) from deletion_request)
             + (select count(*) from member where locale = 'en' or state <> 'active')",
    )
    .await
}

async fn no_other_site_can_change_anything(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let (csrf, who) = tokens(&app, &browser).await;
    let other = app.http_browser();
    let login = other.get(&app.url("/login")).await.follow_here().await;
    let foreign = login.form("#login-id-form").value("csrf").unwrap().to_owned();
    let before = state(&app).await;
    for (path, body) in changes() {
        let url = app.url(path);
        for token in ["", foreign.as_str()] {
            let body = format!("csrf={token}&who={who}&{body}");
            let answer = browser.raw(Method::POST, &url, &[FORM], &body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with the token {token:?}");
        }
        let right = format!("csrf={csrf}&who={who}&{body}");
        for header in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
            let answer = browser.raw(Method::POST, &url, &[FORM, header], &right).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {header:?}");
        }
        let json = [("Content-Type", "text/plain")];
        let answer = browser.raw(Method::POST, &url, &json, &right).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        // A link is no form.
        let answer = browser.get(&format!("{url}?{right}")).await;
        assert!(answer.status == StatusCode::OK || answer.status == StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(state(&app).await, before);
    for path in PAGES {
        let page = browser.get(&app.url(path)).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
    }
    app.finish().await;
}

async fn a_page_of_one_member_changes_nothing_for_the_next(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let page = app.account(&browser, "/preferences").await;
    let (csrf, who) = tokens(&app, &browser).await;
    // Hanako walks away, Ichiro signs in at the same browser, and the old tab is still open.
    app.account(&browser, "").await.form("#logout-form").submit().await;
    app.try_to_sign_in(&browser, ICHIRO.login_id, ICHIRO.password).await;
    let before = state(&app).await;
    let refused = page.form("#preferences-form").set("topics", "checkup").submit().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("別の画面で手続きが進んだ"), "{}", refused.text());
    for (path, body) in changes() {
        let body = format!("csrf={csrf}&who={who}&{body}");
        let answer = browser.raw(Method::POST, &app.url(path), &[FORM], &body).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
    }
    assert_eq!(state(&app).await, before);
    app.finish().await;
}

async fn without_a_session_nothing_is_changed(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let (csrf, who) = tokens(&app, &browser).await;
    app.account(&browser, "").await.form("#logout-form").submit().await;
    let before = state(&app).await;
    for (path, body) in changes() {
        let body = format!("csrf={csrf}&who={who}&{body}");
        let answer = browser.raw(Method::POST, &app.url(path), &[FORM], &body).await;
        assert!(answer.location().is_some_and(|to| to.path().starts_with("/login/")), "{path}");
    }
    // What a form may carry is not always a name that there is.
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let (csrf, who) = tokens(&app, &browser).await;
    for (path, field) in [("/account/apps", "client"), ("/account/sessions", "session")] {
        for value in ["", "%00", "x%0d%0ay", &"a".repeat(10_000)] {
            let body = format!("csrf={csrf}&who={who}&{field}={value}");
            let answer = browser.raw(Method::POST, &app.url(path), &[FORM], &body).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path} {value:.20}");
        }
    }
    assert_eq!(state(&app).await, before + 1, "nothing but the sign-in");
    app.finish().await;
}
