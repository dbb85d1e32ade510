//! What belongs to one insurer stays with it: accounts, rosters, counters, alarms.

use kenpos_idp::members::roster::Outcome;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    family::{Relative, SAKURA},
    http_browser::Page,
    insurers::{KAEDE, MOMIJI, MOMIJI_ROSTER, head},
    journey::{give_login_id, give_password, log_in},
    members::{HANAKO, ICHIRO, LOST, Someone, TOO_YOUNG},
};

on_both_backends! {
    the_same_number_is_two_people
    one_address_is_a_login_id_at_both
    a_roster_ends_nobody_elses_eligibility
    an_alarm_is_one_insurers
    guesses_at_one_pause_nobody_at_the_other
}

fn assert_wrong(page: &Page) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
}

async fn the_same_number_is_two_people(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    // The birth date of one does not open the number of the other.
    assert_wrong(&log_in(&login, KAEDE.login_id, HANAKO.born).await);
    assert_wrong(&log_in(&login, HANAKO.login_id, KAEDE.born).await);
    let hanako = app.activate(&HANAKO).await;
    let kaede = app.activate(&KAEDE).await;
    for (browser, someone) in [(&hanako, HANAKO), (&kaede, KAEDE)] {
        let account = browser.get(&app.url("/account")).await;
        assert_eq!(account.select("#shown-name")[0].text, someone.kana);
    }
    assert_wrong(&log_in(&login, KAEDE.login_id, HANAKO.password).await);
    assert_eq!(app.number("select count(distinct id) from member where state = 'active'").await, 2);
    // A link of one does not change the other: the code of the login ID decides, not the page's brand.
    let other = app.entry(&app.http_browser(), "7132").await;
    assert_eq!(head(&log_in(&other, KAEDE.login_id, KAEDE.password).await), MOMIJI);
    app.finish().await;
}

async fn one_address_is_a_login_id_at_both(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    app.with_families().await;
    let there = Relative {
        someone: Someone { password: "もみじ狩りの朝に8人", ..SAKURA.someone }, ..SAKURA
    };
    app.register_at("7132", &SAKURA).await;
    app.register_at("8001", &there).await;
    let address = SAKURA.someone.email;
    // At an entry, the address means that insurer's account and no other.
    for (code, right, wrong) in [
        ("7132", SAKURA.someone.password, there.someone.password),
        ("8001", there.someone.password, SAKURA.someone.password),
    ] {
        let login = app.entry(&app.http_browser(), code).await;
        assert_wrong(&log_in(&login, address, wrong).await);
        let account = log_in(&login, address, right).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
    }
    // Elsewhere the password tells, unless it is the same.
    app.sql("update member set password_hash = (select password_hash from member where insurer = '7132')")
        .await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let choice = log_in(&login, address, SAKURA.someone.password).await;
    assert!(choice.url.path().ends_with("/insurer"), "{} {}", choice.url, choice.text());
    assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER, "nobody is signed in");
    let password = choice.form("#insurer-form").click("insurer", "8001").submit().await.follow_here().await;
    assert!(password.url.path().ends_with("/password"), "{}", password.url);
    let account = give_password(&password, SAKURA.someone.password).await;
    assert_eq!((head(&account), account.url.path()), (MOMIJI.to_owned(), "/account"));
    app.finish().await;
}

async fn a_roster_ends_nobody_elses_eligibility(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    let hanako = app.activate(&HANAKO).await;
    let kaede = app.activate(&KAEDE).await;
    let mihon = "select count(*) from roster_person where insurer = '7132' and lost_at is null";
    let before = app.number(mihon).await;
    // The full roster of the one loses Kaede; the other's people are as they were.
    let without =
        MOMIJI_ROSTER.lines().filter(|line| !line.contains("カエデ")).collect::<Vec<_>>().join("\n");
    let report = app.import_roster_of("8001", &without, true).await;
    assert_eq!((report.outcome, report.counts.lost), (Outcome::Applied, 1));
    assert_eq!(app.number(mihon).await, before);
    assert_eq!(hanako.get(&app.url("/account")).await.status, StatusCode::OK);
    assert_eq!(kaede.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER);
    // A file that says whose it is is not taken for another's.
    let report = app.import_roster_of("7132", MOMIJI_ROSTER, true).await;
    assert_eq!((report.outcome, report.refused), (Outcome::Refused, 3));
    assert_eq!(app.number(mihon).await, before);
    app.finish().await;
}

async fn an_alarm_is_one_insurers(backend: Backend) {
    let app = TestApp::of_two_with(backend, |config| config.limits.spray_ids_per_date = 3).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for someone in [HANAKO, ICHIRO, TOO_YOUNG, LOST] {
        log_in(&login, someone.login_id, "19610101").await;
    }
    let stopped = give_login_id(&login, HANAKO.login_id).await;
    assert_eq!(stopped.select("#activation-stopped").len(), 1, "{}", stopped.text());
    assert_wrong(&give_password(&stopped, HANAKO.born).await);
    let open = give_login_id(&login, KAEDE.login_id).await;
    assert!(open.select("#activation-stopped").is_empty(), "{}", open.text());
    let documents = give_password(&open, KAEDE.born).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    let alarms = "select count(*) from audit where action = 'insurer.spray_alarm' and insurer = ";
    assert_eq!(app.number(&format!("{alarms}'7132'")).await, 1);
    assert_eq!(app.number(&format!("{alarms}'8001'")).await, 0);
    app.finish().await;
}

async fn guesses_at_one_pause_nobody_at_the_other(backend: Backend) {
    let mut app = TestApp::of_two_with(backend, |config| config.limits.per_insurer = 6).await;
    app.activate(&HANAKO).await;
    app.activate(&KAEDE).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for _ in 0..6 {
        log_in(&login, HANAKO.login_id, "not this one").await;
    }
    let paused = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS);
    let account = log_in(&login, KAEDE.login_id, KAEDE.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.finish().await;
}
