//! The mailed links: once, for their time, the newest only, and never by looking at them.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    journey::log_in,
    members::{HANAKO, ICHIRO},
    recovery::{assert_dead, renew},
};

use super::NEW;

on_both_backends! {
    a_link_lives_for_its_minutes_and_no_longer
    looking_at_a_link_changes_nothing
    a_newer_link_voids_the_one_before
    a_link_works_once_however_many_press_the_button
    five_wrong_birth_dates_end_a_link
    a_link_dies_with_what_it_was_for
}

const MILLISECOND: Duration = Duration::from_millis(1);
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn a_link_lives_for_its_minutes_and_no_longer(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let password = app.password_link(&HANAKO).await;
    app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    let login_id = app.mailbox.next_link(HANAKO.email).await;
    let browser = app.http_browser();
    app.clock.advance(30 * MINUTE - MILLISECOND);
    let late = browser.get(login_id.as_str()).await;
    assert_eq!(late.status, StatusCode::OK);
    app.clock.advance(MILLISECOND);
    let late = late.form("#reveal-form").set("birth_date", HANAKO.born).submit().await;
    assert_eq!(late.status, StatusCode::GONE);
    assert_dead(&login_id).await;
    app.clock.advance(30 * MINUTE - MILLISECOND);
    let late = browser.get(password.as_str()).await;
    assert_eq!(late.status, StatusCode::OK);
    app.clock.advance(MILLISECOND);
    let late = late.form("#renew-form").set("password", NEW).submit().await;
    assert_eq!(late.status, StatusCode::GONE);
    assert_dead(&password).await;
    app.finish().await;
}

/// Whoever reads an old mailbox, or read it once, must not take the account with a link that lies there.
async fn a_link_dies_with_what_it_was_for(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let owner = app.activate(&HANAKO).await;
    let both = async |app: &mut TestApp, email: &str| {
        app.forgot_password(HANAKO.login_id, HANAKO.born).await;
        let password = app.mailbox.next_link(email).await;
        app.forgot_login_id(email, HANAKO.born).await;
        [password, app.mailbox.next_link(email).await]
    };
    let [password, login_id] = both(&mut app, HANAKO.email).await;
    let page = app.account(&owner, "/sessions").await;
    page.form("#others-form").submit().await;
    assert_dead(&password).await;
    assert_dead(&login_id).await;

    let [password, login_id] = both(&mut app, HANAKO.email).await;
    let page = app.account(&owner, "/email").await;
    let form = page.form("#email-form").set("email", "new@mail.example").set("password", HANAKO.password);
    form.submit().await;
    let change = app.mailbox.next_link("new@mail.example").await;
    let page = app.http_browser().get(change.as_str()).await;
    let changed = page.form("#link-form").set("password", HANAKO.password).submit().await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    app.mailbox.next(HANAKO.email).await;
    assert_dead(&password).await;
    assert_dead(&login_id).await;

    let [password, _] = both(&mut app, "new@mail.example").await;
    let page = app.account(&owner, "/password").await;
    let form = page.form("#password-form").set("password", HANAKO.password).set("new_password", NEW);
    form.submit().await;
    app.mailbox.next("new@mail.example").await;
    assert_dead(&password).await;
    app.finish().await;
}

async fn looking_at_a_link_changes_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let owner = app.activate(&HANAKO).await;
    let password = app.password_link(&HANAKO).await;
    app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    let login_id = app.mailbox.next_link(HANAKO.email).await;
    let scanner = app.http_browser();
    for link in [&password, &login_id] {
        for _ in 0..7 {
            assert_eq!(scanner.get(link.as_str()).await.status, StatusCode::OK);
            assert_eq!(scanner.raw(Method::HEAD, link.as_str(), &[], "").await.status, StatusCode::OK);
            // A scanner that presses buttons types nothing.
            let page = scanner.get(link.as_str()).await;
            assert_eq!(page.form("form").submit().await.status, StatusCode::UNPROCESSABLE_ENTITY);
            let blind = format!("password={NEW}&birth_date={}", HANAKO.born);
            let blind = scanner.raw(Method::POST, link.as_str(), &[FORM], &blind).await;
            assert_eq!(blind.status, StatusCode::FORBIDDEN, "a post from nowhere");
        }
    }
    // The token of one kind opens no page of the other.
    let token = login_id.path_segments().unwrap().next_back().unwrap();
    assert_dead(&password.join(token).unwrap()).await;
    assert_eq!(owner.get(&app.url("/account")).await.status, StatusCode::OK, "signed in as before");
    let page = scanner.get(login_id.as_str()).await;
    let shown = page.form("#reveal-form").set("birth_date", HANAKO.born).submit().await;
    assert_eq!(shown.status, StatusCode::OK);
    assert_eq!(renew(&scanner, &password, NEW).await.status, StatusCode::SEE_OTHER);
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn a_newer_link_voids_the_one_before(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let old = app.password_link(&HANAKO).await;
    let open = app.http_browser().get(old.as_str()).await;
    let new = app.password_link(&HANAKO).await;
    assert_dead(&old).await;
    let late = open.form("#renew-form").set("password", NEW).submit().await;
    assert_eq!(late.status, StatusCode::GONE);
    assert_eq!(renew(&app.http_browser(), &new, NEW).await.status, StatusCode::SEE_OTHER);
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn a_link_works_once_however_many_press_the_button(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let link = app.password_link(&HANAKO).await;
    let page = app.http_browser().get(link.as_str()).await;
    let press = |password: String| page.form("#renew-form").set("password", &password).submit();
    let answers = join_all((0..20).map(|n| press(format!("{NEW}{n}")))).await;
    let winners: Vec<_> = (0..20).filter(|n| answers[*n].status == StatusCode::SEE_OTHER).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::GONE).count(), 19);
    // One notice, so one change, and it is the winner's.
    app.mailbox.next(HANAKO.email).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let account = log_in(&login, HANAKO.login_id, &format!("{NEW}{}", winners[0])).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.finish().await;
}

async fn five_wrong_birth_dates_end_a_link(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    let page = app.http_browser().get(link.as_str()).await;
    let guess = |born: &'static str| page.form("#reveal-form").set("birth_date", born).submit();
    for left in (1..=4).rev() {
        let wrong = guess(ICHIRO.born).await;
        assert!(wrong.text().contains(&format!("あと{left}回")), "{}", wrong.text());
        assert_eq!(guess("2月30日").await.status, StatusCode::UNPROCESSABLE_ENTITY, "no date is no guess");
    }
    assert_eq!(guess(ICHIRO.born).await.status, StatusCode::GONE);
    assert_eq!(guess(HANAKO.born).await.status, StatusCode::GONE, "the right one comes too late");
    assert_dead(&link).await;
    app.finish().await;
}
