//! The member's own account, without JavaScript, on both backends.

mod attacks;
mod email;
mod ending;
mod password;
mod phone;
mod preferences;

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
    journey::log_in,
    members::{HANAKO, ICHIRO, Someone},
};

on_both_backends! {
    the_account_shows_what_is_held_and_little_of_it
    whoever_is_not_signed_in_comes_back_after_the_login
    the_history_tells_what_happened_page_by_page
    sessions_are_listed_and_ended_at_once
    signing_out_elsewhere_is_no_new_sign_in
}

/// Pages that are for signed-in members.
const PAGES: [&str; 10] = [
    "/account",
    "/account/profile",
    "/account/password",
    "/account/email",
    "/account/preferences",
    "/account/sessions",
    "/account/apps",
    "/account/history",
    "/account/report",
    "/account/deletion",
];

impl TestApp {
    /// A browser that signs in, and must succeed.
    pub(crate) async fn signed_in(&self, someone: &Someone, password: &str) -> HttpBrowser {
        let browser = self.http_browser();
        let account = self.try_to_sign_in(&browser, someone.login_id, password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
        browser
    }

    pub(crate) async fn try_to_sign_in(&self, browser: &HttpBrowser, login_id: &str, password: &str) -> Page {
        let login = browser.get(&self.url("/login")).await.follow_here().await;
        log_in(&login, login_id, password).await
    }

    pub(crate) async fn account(&self, browser: &HttpBrowser, page: &str) -> Page {
        let path = format!("/account{page}");
        let page = browser.get(&self.url(&path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
        page
    }

    /// Whether the browser is signed in.
    pub(crate) async fn is_signed_in(&self, browser: &HttpBrowser) -> bool {
        browser.get(&self.url("/account")).await.status == StatusCode::OK
    }
}

async fn the_account_shows_what_is_held_and_little_of_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let overview = app.account(&browser, "").await;
    assert_eq!(overview.select("#shown-login-id")[0].text, "7132-•••••••01");
    assert_eq!(overview.select("#shown-email")[0].text, "h***@mail.example");
    assert_eq!(overview.select("#shown-name")[0].text, HANAKO.kana);
    for path in PAGES {
        let page = browser.get(&app.url(path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for secret in ["200001", "091200001", HANAKO.born, "1999-01-01"] {
            assert!(!page.body.contains(secret), "{secret} on {path}");
        }
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
    }
    for link in overview.select(".menu a") {
        let page = overview.visit(link.attr("href").unwrap()).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.url);
    }

    let profile = app.account(&browser, "/profile").await;
    assert_eq!(profile.select("#shown-valid-from")[0].text, "2021年4月1日");
    assert_eq!(profile.select("#shown-email")[0].text, HANAKO.email);
    let saved = profile.form("#language-form").set("language", "en").submit().await.follow_here().await;
    assert!(saved.text().contains("The language of mails and pages has been changed"), "{}", saved.text());
    // The language stays, here and in mails.
    assert!(app.account(&browser, "").await.text().contains("Login and security"));
    let form = app.account(&browser, "/deletion").await;
    form.form("#deletion-form").set("password", HANAKO.password).submit().await;
    let mail = app.mailbox.next(HANAKO.email).await;
    assert!(mail.subject.contains("We received your request to leave"), "{}", mail.subject);
    app.finish().await;
}

async fn whoever_is_not_signed_in_comes_back_after_the_login(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    for path in PAGES {
        let browser = app.http_browser();
        let login = browser.get(&app.url(path)).await.follow_here().await;
        assert!(login.url.path().starts_with("/login/"), "{path}: {}", login.url);
        let page = log_in(&login, HANAKO.login_id, HANAKO.password).await;
        assert_eq!(page.url.path(), path);
    }
    let browser = app.http_browser();
    let page = browser.get(&app.url("/.well-known/change-password")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.location().unwrap().path(), "/account/password");
    app.finish().await;
}

async fn the_history_tells_what_happened_page_by_page(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    for _ in 0..24 {
        app.clock.advance(MINUTE);
        let refused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, "また間違えた").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Two events of one instant stay apart, whatever their order.
        app.signed_in(&HANAKO, HANAKO.password).await;
    }
    app.signed_in(&ICHIRO, ICHIRO.password).await;
    app.clock.advance(MINUTE);
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let first = app.account(&browser, "/history").await;
    let count = |page: &Page| page.select("#history > li").len();
    assert_eq!(count(&first), 20);
    assert_eq!(first.select("#history h2")[0].text, "ログインしました");
    assert!(first.text().contains("ログインに失敗しました"));
    // Something happens between two pages, and shifts nothing.
    app.signed_in(&HANAKO, HANAKO.password).await;
    let second = first.click("#older").await;
    // The failures of the hour as one, 24 + 1 sign-ins, and one with the activation that is told by itself.
    assert_eq!(count(&first) + count(&second), 28, "{}", second.text());
    assert!(second.text().contains("初回登録が完了しました"));
    assert!(second.select("#older").is_empty());
    assert_eq!(count(&second.click("#newest").await), 20);
    for bad in ["x", "1", "1.%00", "9e9.a", "99999999999999999999.a"] {
        assert_eq!(count(&app.account(&browser, &format!("/history?before={bad}")).await), 20, "{bad}");
    }
    app.clock.advance(90 * 24 * 60 * MINUTE + MINUTE);
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    assert_eq!(count(&app.account(&browser, "/history").await), 1, "older than 90 days is not shown");
    app.finish().await;
}

async fn sessions_are_listed_and_ended_at_once(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let here = app.activate(&HANAKO).await;
    let there = app.signed_in(&HANAKO, HANAKO.password).await;
    let stranger = app.activate(&ICHIRO).await;
    let page = app.account(&here, "/sessions").await;
    assert_eq!(page.select("#sessions > li").len(), 2);
    assert!(page.select("#sessions > li")[0].text.contains("この端末"), "the present one comes first");
    let cookie = there.cookie(&app.url("/"), "kenpos-session").unwrap();
    assert!(!page.body.contains(&cookie), "what is on the page opens nothing");

    // Another member's session cannot be ended, whatever is posted.
    let sid = page.form("#end-form-2").value("session").unwrap().to_owned();
    let theirs = app.account(&stranger, "/sessions").await;
    let who = theirs.form("#others-form").value("who").unwrap().to_owned();
    let csrf = theirs.form("#others-form").value("csrf").unwrap().to_owned();
    let body = format!("csrf={csrf}&who={who}&session={sid}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    stranger.raw(reqwest::Method::POST, &app.url("/account/sessions"), &form, &body).await;
    assert!(app.is_signed_in(&there).await);

    let page = page.form("#end-form-2").submit().await.follow_here().await;
    assert!(page.select("#notice")[0].text.contains("終了しました"));
    assert_eq!(page.select("#sessions > li").len(), 1);
    assert!(!app.is_signed_in(&there).await);
    assert!(app.is_signed_in(&here).await && app.is_signed_in(&stranger).await);
    // A session that was idle too long is off the list.
    let idle = app.signed_in(&HANAKO, HANAKO.password).await;
    for _ in 0..2 {
        app.clock.advance(20 * MINUTE);
        assert!(app.is_signed_in(&here).await);
    }
    assert_eq!(app.account(&here, "/sessions").await.select("#sessions > li").len(), 1);
    assert!(!app.is_signed_in(&idle).await);
    app.finish().await;
}

async fn signing_out_elsewhere_is_no_new_sign_in(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let here = app.activate(&HANAKO).await;
    let there = app.signed_in(&HANAKO, HANAKO.password).await;
    let tokens = app.redeem(&app.client, &app.code(&there, &app.client, "openid offline_access").await).await;
    app.clock.advance(MINUTE);
    let before = here.cookie(&app.url("/"), "kenpos-session").unwrap();
    let page = app.account(&here, "/sessions").await.form("#others-form").submit().await.follow_here().await;
    assert_eq!(page.select("#sessions > li").len(), 1, "{}", page.text());
    assert!(!app.is_signed_in(&there).await);
    assert_ne!(here.cookie(&app.url("/"), "kenpos-session").unwrap(), before);
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    // An app that wants a fresh sign-in must still get one.
    let url = app.authorize_url(&crate::support::attack::good_request(&app.client, "openid"));
    let aged = here.get(&format!("{url}&max_age=30")).await.follow_here().await;
    assert!(aged.url.path().starts_with("/login/"), "{}", aged.url);
    assert!(here.get(&format!("{url}&prompt=none")).await.location().unwrap().as_str().contains("code="));
    app.finish().await;
}
