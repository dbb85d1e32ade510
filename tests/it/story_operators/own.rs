//! What operators change about themselves.

use kenpos_idp::operators::Role;
use reqwest::StatusCode;

use super::shown_factor;
use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    operators::{PASSWORD, STEP, code_of, give},
};

on_both_backends! {
    a_password_is_changed_with_the_one_before
    a_factor_is_changed_with_the_one_before
    sessions_are_seen_and_ended
}

const NEW: &str = "あさがおと汽車で9時に歌う";

async fn a_password_is_changed_with_the_one_before(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let staff = app.staff(Role::Office, Some("7132")).await;
    let (here, elsewhere) = (staff.browser(&app).await, staff.browser(&app).await);
    let page = here.get(&app.url("/admin/account")).await.click("#to-password").await;
    let wrong = page.form("#password-form").set("password", "wrong").set("new_password", NEW).submit().await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text());
    let weak =
        page.form("#password-form").set("password", PASSWORD).set("new_password", "short").submit().await;
    assert_eq!(weak.select("#new_password-error").len(), 1, "{}", weak.text());
    let before = here.cookie(page.url.as_str(), "kenpos-operator");
    let done = weak.form("#password-form").set("password", PASSWORD).set("new_password", NEW).submit().await;
    let done = done.follow_here().await;
    assert_eq!(done.select("#notice").len(), 1, "{}", done.text());
    assert_ne!(here.cookie(page.url.as_str(), "kenpos-operator"), before, "the id of the session is renewed");
    assert_eq!(elsewhere.get(&app.url("/admin")).await.status, StatusCode::SEE_OTHER);
    assert!(app.mailbox.next(&staff.email).await.subject.contains("変更"));

    app.clock.advance(STEP);
    let page = app.http_browser().get(&app.url("/admin/sign-in")).await;
    let old = give(&page, &staff.email, PASSWORD, &staff.code(&app)).await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = give(&page, &staff.email, NEW, &staff.code(&app)).await;
    assert_eq!(new.url.path(), "/admin", "{}", new.text());
    app.finish().await;
}

async fn a_factor_is_changed_with_the_one_before(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let staff = app.staff(Role::Auditor, None).await;
    let browser = staff.browser(&app).await;
    app.clock.advance(STEP);
    let page = browser.get(&app.url("/admin/account/factor")).await;
    let factor = shown_factor(&page);
    assert_ne!(code_of(&app, &factor), staff.code(&app));
    let fill = async |password: &str, code: &str, new: &str| {
        let form = page.form("#factor-form").set("password", password).set("code", code).set("new_code", new);
        form.submit().await
    };
    let (old, new) = (staff.code(&app), code_of(&app, &factor));
    for (password, code, new) in [
        ("wrong", &*old, &*new),
        (PASSWORD, "000000", &*new),
        (PASSWORD, &*old, "000000"),
        (PASSWORD, &*new, &*new),
    ] {
        let answer = fill(password, code, new).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    }
    let codes = fill(PASSWORD, &old, &new).await;
    assert_eq!(codes.select("#codes li").len(), 10, "{}", codes.text());
    let fresh = codes.select("#codes li")[0].text.clone();
    app.mailbox.next(&staff.email).await;
    assert_eq!(codes.click("#next").await.url.path(), "/admin/account");

    app.clock.advance(STEP);
    let page = app.http_browser().get(&app.url("/admin/sign-in")).await;
    for (code, path) in [
        (staff.code(&app), "/admin/sign-in"),
        (staff.recovery_codes[0].clone(), "/admin/sign-in"),
        (code_of(&app, &factor), "/admin"),
    ] {
        let answer = give(&page, &staff.email, PASSWORD, &code).await;
        assert_eq!(answer.url.path(), path, "{}", answer.text());
    }
    // The codes anew, with one of them.
    let page = browser.get(&app.url("/admin/account/recovery-codes")).await;
    let renewed =
        page.form("#recovery-codes-form").set("password", PASSWORD).set("code", &fresh).submit().await;
    assert_eq!(renewed.select("#codes li").len(), 10, "{}", renewed.text());
    let left = renewed.click("#next").await;
    assert_eq!(left.select("#codes-left")[0].text, "10");
    app.finish().await;
}

async fn sessions_are_seen_and_ended(backend: Backend) {
    let app = TestApp::start(backend).await;
    let staff = app.staff(Role::ClientManager, None).await;
    let (first, second, third) =
        (staff.browser(&app).await, staff.browser(&app).await, staff.browser(&app).await);
    let page = third.get(&app.url("/admin/account")).await;
    assert_eq!(page.select("#sessions > li").len(), 3, "{}", page.text());
    let page = page.form("#end-form-3").submit().await.follow_here().await;
    assert_eq!(page.select("#sessions > li").len(), 2, "{}", page.text());
    assert_eq!(first.get(&app.url("/admin")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(second.get(&app.url("/admin")).await.status, StatusCode::OK);
    let page = page.form("#others-form").submit().await.follow_here().await;
    assert_eq!(page.select("#sessions > li").len(), 1, "{}", page.text());
    assert_eq!(second.get(&app.url("/admin")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(third.get(&app.url("/admin")).await.status, StatusCode::OK);
    app.finish().await;
}
