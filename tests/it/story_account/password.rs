//! A new password, and what ends with the old one.

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
    log,
    members::HANAKO,
};

on_both_backends! {
    a_new_password_ends_everything_that_the_old_one_gave
    what_the_policy_refuses_is_told_below_the_field
    wrong_current_passwords_count_like_those_of_a_sign_in
    guesses_of_strangers_do_not_keep_the_member_from_it
}

const NEW: &str = "しろくまと海辺で7回踊る";

/// 「パスワードを変更する」
async fn change(app: &TestApp, browser: &HttpBrowser, current: &str, new: &str) -> Page {
    let page = app.account(browser, "/password").await;
    let form = page.form("#password-form").set("password", current).set("new_password", new);
    form.submit().await.follow_here().await
}

async fn a_new_password_ends_everything_that_the_old_one_gave(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    log::keep_secret(NEW);
    let here = app.activate(&HANAKO).await;
    let there = app.signed_in(&HANAKO, HANAKO.password).await;
    let code = app.code(&there, &app.client, "openid email offline_access").await;
    let tokens = app.redeem(&app.client, &code).await;
    let unused = app.code(&there, &app.client, "openid email offline_access").await;
    let before = here.cookie(&app.url("/"), "kenpos-session").unwrap();

    // In the very instant in which everything was given.
    let page = change(&app, &here, HANAKO.password, NEW).await;
    assert_eq!(page.url.path(), "/account", "{}", page.text());
    assert!(page.select("#notice")[0].text.contains("パスワードを変更しました"));
    let after = here.cookie(&app.url("/"), "kenpos-session").unwrap();
    assert_ne!(after, before, "the present session goes on under another secret");
    let stolen = [("Cookie", format!("kenpos-session={before}"))];
    let stolen: Vec<_> = stolen.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let old = app.http_browser().raw(reqwest::Method::GET, &app.url("/account"), &stolen, "").await;
    assert_eq!(old.status, StatusCode::SEE_OTHER, "the secret from before opens nothing");
    assert!(!app.is_signed_in(&there).await);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    assert_eq!(app.redeem(&app.client, &unused).await.error(), "invalid_grant");

    let mail = app.mailbox.next(HANAKO.email).await;
    assert!(mail.subject.contains("パスワードを変更しました"), "{}", mail.subject);
    assert!(mail.text.contains("身に覚えのない"), "{}", mail.text);
    // The present browser can go on at once, and so can whoever knows the new password.
    let code = app.code(&here, &app.client, "openid email offline_access").await;
    assert_eq!(app.redeem(&app.client, &code).await.status, StatusCode::OK);
    app.signed_in(&HANAKO, NEW).await;
    let refused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, HANAKO.password).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    app.finish().await;
}

async fn what_the_policy_refuses_is_told_below_the_field(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    for (current, new, field, said) in [
        ("", NEW, "password", "パスワードを入力してください"),
        (HANAKO.password, "", "new_password", "新しいパスワードを入力してください"),
        (HANAKO.password, "みじかい", "new_password", "10文字以上"),
        (HANAKO.password, "xk7!vq 1999/1/1 mplw", "new_password", "生年月日"),
        (HANAKO.password, "xk!takedahanakovq-mp", "new_password", "氏名"),
        (HANAKO.password, HANAKO.password, "new_password", "現在のパスワードと同じ"),
    ] {
        let page = change(&app, &browser, current, new).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        let error = &page.select(&format!("#{field}-error"))[0].text;
        assert!(error.contains(said), "{error}");
        assert!(!page.body.contains(HANAKO.password), "no password comes back");
    }
    // Without the current password the policy tells nothing about the member.
    let page = change(&app, &browser, "wrong", "xk7!vq 1999/1/1 mplw").await;
    assert!(page.select("#new_password-error").is_empty());
    assert!(page.select("#password-error")[0].text.contains("現在のパスワードが正しくありません"));
    let long = "長".repeat(100_000);
    assert_eq!(change(&app, &browser, HANAKO.password, &long).await.status.as_u16() / 100, 4);
    assert_eq!(change(&app, &browser, &long, NEW).await.status.as_u16() / 100, 4);
    app.finish().await;
}

async fn guesses_of_strangers_do_not_keep_the_member_from_it(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.limits.per_insurer = 6).await;
    let browser = app.activate(&HANAKO).await;
    for turn in 0..7 {
        app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, &format!("guess {turn}")).await;
    }
    let paused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, HANAKO.password).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS);
    let page = change(&app, &browser, HANAKO.password, NEW).await;
    assert!(page.select("#notice")[0].text.contains("パスワードを変更しました"), "{}", page.text());
    app.mailbox.next(HANAKO.email).await;
    let report = app.account(&browser, "/report").await;
    let report = report.form("#report-form").set("password", NEW).submit().await;
    assert!(report.status.is_redirection() || report.status.is_success(), "{}", report.text());
    assert!(!app.is_signed_in(&browser).await, "the account is frozen");
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn wrong_current_passwords_count_like_those_of_a_sign_in(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    for turn in 0..5 {
        let page = change(&app, &browser, &format!("guess {turn}"), NEW).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let paused = change(&app, &browser, HANAKO.password, NEW).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS, "the right one is not looked at");
    assert!(paused.select("#errors")[0].text.contains("30分"), "{}", paused.text());
    // The pause is the login ID's: for the other forms and for the sign-in too.
    for (path, form) in [("/report", "#report-form"), ("/deletion", "#deletion-form")] {
        let page = app.account(&browser, path).await;
        let page = page.form(form).set("password", HANAKO.password).submit().await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    let email = app.account(&browser, "/email").await;
    let email = email.form("#email-form").set("email", "new@mail.example").set("password", HANAKO.password);
    assert_eq!(email.submit().await.status, StatusCode::TOO_MANY_REQUESTS);
    let refused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, HANAKO.password).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let history = app.account(&browser, "/history").await.text();
    assert_eq!(history.matches("現在のパスワードの入力を誤りました").count(), 5, "{history}");
    // Redis counts by a clock of its own.
    if backend == Backend::Embedded {
        app.clock.advance(30 * MINUTE);
        app.signed_in(&HANAKO, HANAKO.password).await;
    }
    app.finish().await;
}
