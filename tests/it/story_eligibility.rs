//! Eligibility ends and begins with the roster, and changes of category change the login ID.

mod category;

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, DAY, HOUR, MINUTE, TestApp, on_both_backends},
    attack::{good_request, parameter},
    http_browser::Page,
    journey::log_in,
    members::{HANAKO, LOST, ROSTER, Someone, hanako_until},
};

on_both_backends! {
    who_leaves_is_signed_out_at_once_and_may_come_back
    days_of_grace_are_for_who_signs_in_again
    a_last_day_ends_what_was_given_before_the_days_of_grace
    an_eligibility_that_ran_out_brings_nothing_back
    who_leaves_on_the_way_does_not_become_a_member
}

const SCOPES: &str = "openid profile offline_access";

/// The roster without Hanako, and so without her dependent.
fn without_hanako() -> String {
    ROSTER.split_inclusive('\n').filter(|line| !line.starts_with("91,200001")).collect()
}

async fn try_password(app: &TestApp, someone: &Someone, password: &str) -> Page {
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    log_in(&login, someone.login_id, password).await
}

fn assert_not_eligible(page: &Page) {
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text());
    assert_eq!(page.select("h1")[0].text, "資格を確認できませんでした");
    assert!(page.text().contains("03-1234-5678"), "whom to call: {}", page.text());
}

async fn who_leaves_is_signed_out_at_once_and_may_come_back(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    let subject = app.userinfo(tokens.text("access_token")).await.text("sub").to_owned();
    let unused = app.code(&browser, &app.client, SCOPES).await;
    app.clock.advance(MINUTE);

    app.import_full_roster(&without_hanako()).await;
    assert!(!app.is_signed_in(&browser).await);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.redeem(&app.client, &unused).await.error(), "invalid_grant");
    let refresh = tokens.text("refresh_token");
    assert_not_eligible(&try_password(&app, &HANAKO, HANAKO.password).await);
    let wrong = try_password(&app, &HANAKO, "not this one").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "only who knows the password is told");
    // Who came from an app can go back to it.
    let login = app.ask(&app.http_browser(), &good_request(&app.client, "openid")).await;
    let refused = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_not_eligible(&refused);
    let back = refused.form("#cancel-form").submit().await.location().unwrap();
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));

    // A year later she is back: same account, same password, same subject, nothing of before revived.
    app.clock.advance(DAY * 365);
    app.import_full_roster(ROSTER).await;
    assert_eq!(app.refresh(&app.client, refresh).await.error(), "invalid_grant");
    assert!(!app.is_signed_in(&browser).await);
    let birth_date = try_password(&app, &HANAKO, HANAKO.born).await;
    assert_eq!(birth_date.status, StatusCode::UNPROCESSABLE_ENTITY, "there is nothing to register again");
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    assert_eq!(app.userinfo(tokens.text("access_token")).await.text("sub"), subject);
    assert_eq!(app.number("select count(*) from member").await, 1);
    app.finish().await;
}

/// Ten days of grace.
async fn graceful(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |config| config.insurers[0].policy.grace_days = 10).await
}

async fn days_of_grace_are_for_who_signs_in_again(backend: Backend) {
    let mut app = graceful(backend).await;
    let browser = app.activate(&HANAKO).await;
    assert!(app.account(&browser, "").await.select("#grace").is_empty());
    let before = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    let unused = app.code(&browser, &app.client, SCOPES).await;
    app.clock.advance(MINUTE);

    // 2026-11-23: the day before was her last one, so the grace ends with December 2nd.
    app.import_full_roster(&without_hanako()).await;
    assert!(!app.is_signed_in(&browser).await);
    assert_eq!(app.userinfo(before.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.refresh(&app.client, before.text("refresh_token")).await.error(), "invalid_grant");
    assert_eq!(app.redeem(&app.client, &unused).await.error(), "invalid_grant");

    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let account = app.account(&browser, "").await;
    assert!(account.select("#grace")[0].text.contains("2026年12月2日まで"), "{}", account.text());
    let given = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    assert_eq!(app.userinfo(given.text("access_token")).await.status, StatusCode::OK);
    app.clock.advance(DAY * 9);
    app.import_full_roster(&without_hanako()).await;
    let renewed = app.refresh(&app.client, given.text("refresh_token")).await;
    assert_eq!(renewed.status, StatusCode::OK, "the next file without her changes nothing");
    app.signed_in(&HANAKO, HANAKO.password).await;

    app.clock.advance(DAY);
    assert_eq!(app.userinfo(renewed.text("access_token")).await.error(), "invalid_token");
    assert_not_eligible(&try_password(&app, &HANAKO, HANAKO.password).await);
    // Back after the grace: what was given before it stays dead, although nobody asked for it meanwhile.
    app.import_full_roster(ROSTER).await;
    for dead in [&before, &renewed] {
        assert_eq!(app.refresh(&app.client, dead.text("refresh_token")).await.error(), "invalid_grant");
    }
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    assert!(app.account(&browser, "").await.select("#grace").is_empty());

    // Back within the grace: what the loss ended stays ended.
    app.clock.advance(MINUTE);
    app.import_full_roster(&without_hanako()).await;
    app.import_full_roster(ROSTER).await;
    assert!(!app.is_signed_in(&browser).await);
    app.signed_in(&HANAKO, HANAKO.password).await;
    app.finish().await;
}

async fn a_last_day_ends_what_was_given_before_the_days_of_grace(backend: Backend) {
    let mut app = graceful(backend).await;
    app.import_roster(&hanako_until("2026-11-25")).await;
    let browser = app.activate(&HANAKO).await;
    let before = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    app.clock.advance(DAY);
    let before = app.refresh(&app.client, before.text("refresh_token")).await;
    assert_eq!(before.status, StatusCode::OK, "the 24th is the last day");
    // 2026-11-25, three minutes past midnight in Japan, and no import ran.
    app.clock.advance(DAY - HOUR * 10 - MINUTE * 12);
    assert_eq!(app.refresh(&app.client, before.text("refresh_token")).await.error(), "invalid_grant");

    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let given = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    app.clock.advance(MINUTE);
    // Files that say the same again, or do not have her any more, change nothing.
    app.import_full_roster(&hanako_until("2026-11-25")).await;
    app.import_full_roster(&without_hanako()).await;
    assert!(app.is_signed_in(&browser).await);
    assert_eq!(app.userinfo(given.text("access_token")).await.status, StatusCode::OK);
    // Her eligibility goes on after all: nothing from before the loss comes back to life.
    app.import_roster(ROSTER).await;
    assert_eq!(app.refresh(&app.client, before.text("refresh_token")).await.error(), "invalid_grant");
    app.clock.advance(MINUTE);

    // An end in the past, told late, ends it at once, and lets her in again.
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    app.clock.advance(MINUTE);
    app.import_roster(&hanako_until("2026-11-20")).await;
    assert!(!app.is_signed_in(&browser).await);
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let account = app.account(&browser, "").await;
    assert!(account.select("#grace")[0].text.contains("2026年11月29日まで"), "{}", account.text());
    app.finish().await;
}

async fn an_eligibility_that_ran_out_brings_nothing_back(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.import_roster(&hanako_until("2026-11-25")).await;
    let browser = app.activate(&HANAKO).await;
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    app.clock.advance(DAY);
    let renewed = app.refresh(&app.client, tokens.text("refresh_token")).await;
    assert_eq!(renewed.status, StatusCode::OK, "the 24th is the last day");
    app.clock.advance(DAY);
    assert_eq!(app.userinfo(renewed.text("access_token")).await.error(), "invalid_token");
    assert_not_eligible(&try_password(&app, &HANAKO, HANAKO.password).await);
    // The refresh token is not shown to anybody meanwhile, and then the roster lets her in again.
    app.clock.advance(DAY);
    app.import_roster(ROSTER).await;
    assert_eq!(app.refresh(&app.client, renewed.text("refresh_token")).await.error(), "invalid_grant");
    app.signed_in(&HANAKO, HANAKO.password).await;
    // An end in the past, told late, ends it at once.
    app.clock.advance(MINUTE);
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    app.clock.advance(MINUTE);
    app.import_roster(&hanako_until("2026-11-01")).await;
    assert!(!app.is_signed_in(&browser).await);
    assert_not_eligible(&try_password(&app, &HANAKO, HANAKO.password).await);
    app.finish().await;
}

async fn who_leaves_on_the_way_does_not_become_a_member(backend: Backend) {
    let app = TestApp::start(backend).await;
    // Whose eligibility ended three weeks ago has no temporary password either.
    let refused = try_password(&app, &LOST, LOST.born).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let documents = try_password(&app, &HANAKO, HANAKO.born).await;
    app.import_full_roster(&without_hanako()).await;
    let ended = crate::support::journey::accept_documents(&documents).await;
    assert_eq!(ended.status, StatusCode::GONE, "{}", ended.text());
    app.finish().await;
}
