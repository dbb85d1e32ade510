//! What is counted, and what is not: visits, mails, names, failures, alarms.

use std::net::IpAddr;

use clap::Parser;
use futures_util::future::join_all;
use kenpos_idp::{
    cli::{
        Tools,
        client::{self, CreateArgs},
    },
    clock::Entropy,
    members::{login_id, sign_in::SignIn},
};
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, HOUR, MINUTE, TestApp, on_both_backends},
    attack::{encoded, good_request},
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, confirm, give_details, give_login_id, log_in},
    members::{HANAKO, ICHIRO, NOBODY, Someone, TOO_YOUNG},
};

on_both_backends! {
    visits_that_leave_records_behind_have_a_budget
    clicks_are_no_mails
    parallel_names_do_not_outrun_the_limit
    failed_sign_ins_are_counted_by_the_hour
    a_flood_of_guesses_keeps_no_member_out
    a_spray_of_addresses_alarms_and_stops_nobody
    a_spray_of_addresses_at_one_insurer_is_its_alarm
    an_alarm_lasts_while_the_spray_goes_on
    a_refresh_token_that_was_not_used_in_time_is_no_replay
    the_login_id_shown_is_that_of_the_registration
}

async fn visits_that_leave_records_behind_have_a_budget(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.limits.visits_per_address = 5).await;
    let request = app.authorize_url(&good_request(&app.client, "openid"));
    let paths = ["/login", "/registration/eligibility", "/account", "/account/profile"];
    let urls = paths.map(|path| app.url(path)).into_iter().chain([request]);
    for url in urls.clone() {
        assert_eq!(app.http_browser().get(&url).await.status, StatusCode::SEE_OTHER, "{url}");
    }
    for url in urls {
        let refused = app.http_browser().get(&url).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{url}");
        assert!(refused.headers.contains_key("retry-after"), "{url}");
        assert!(refused.text().contains("しばらくお待ちください"), "{}", refused.text());
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    for path in ["/authorize", "/logout"] {
        let body = encoded(&good_request(&app.client, "openid"));
        let posted = HttpBrowser::new().raw(reqwest::Method::POST, &app.url(path), &form, &body).await;
        assert_eq!(posted.status, StatusCode::TOO_MANY_REQUESTS, "{path}: {}", posted.text());
    }
    app.finish().await;
}

async fn details(app: &TestApp, browser: &HttpBrowser, someone: &Someone) -> Page {
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    accept_documents(&log_in(&login, someone.login_id, someone.born).await).await
}

async fn clicks_are_no_mails(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let check = give_details(&details(&app, &app.http_browser(), &HANAKO).await, &HANAKO).await;
    let answers = join_all((0..20).map(|_| check.form("#confirm-form").submit())).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::SEE_OTHER), "none is told to wait");
    assert_eq!(app.number("select count(*) from outbox").await, 1);
    app.mailbox.next_link(HANAKO.email).await;
    // Eleven more registrations may be mailed, and not one more.
    for mail in 2..=13 {
        let check = give_details(&details(&app, &app.http_browser(), &HANAKO).await, &HANAKO).await;
        let sent = confirm(&check).await;
        let expected = if mail <= 12 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(sent.status, expected, "mail {mail}: {}", sent.text());
        if mail <= 12 {
            app.mailbox.next_link(HANAKO.email).await;
        }
    }
    app.clock.advance(HOUR * 24);
    let check = give_details(&details(&app, &app.http_browser(), &HANAKO).await, &HANAKO).await;
    assert_eq!(confirm(&check).await.status, StatusCode::OK, "the next day");
    app.mailbox.next_link(HANAKO.email).await;
    app.finish().await;
}

async fn parallel_names_do_not_outrun_the_limit(backend: Backend) {
    let app = TestApp::start(backend).await;
    let page = details(&app, &app.http_browser(), &HANAKO).await;
    let names = ["タナカ ハナコ", "スズキ ハナコ", "サトウ ハナコ", "イトウ ハナコ", "カトウ ハナコ"];
    let wrong = names.iter().chain(&names).chain(&names).map(|kana| {
        let form = page.form("#details-form").set("kana", kana).set("password", HANAKO.password);
        form.set("email", HANAKO.email).submit()
    });
    let answers = join_all(wrong).await;
    let compared = answers.iter().filter(|page| page.status == StatusCode::UNPROCESSABLE_ENTITY).count();
    assert_eq!(compared, 4, "the fifth voids it, and no other is compared");
    assert_eq!(app.number("select count(*) from roster_person where temporary_kana_misses > 5").await, 0);
    let told = "select count(*) from audit where action = 'registration.name_mismatch'";
    assert_eq!(app.number(told).await, 5);
    // A right name costs nothing, however often it is sent.
    let page = details(&app, &app.http_browser(), &ICHIRO).await;
    for _ in 0..7 {
        assert!(give_details(&page, &ICHIRO).await.url.path().ends_with("/confirm"));
    }
    app.finish().await;
}

async fn failed_sign_ins_are_counted_by_the_hour(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let audited = "select count(*) from audit";
    let before = app.number(audited).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for someone in [&HANAKO, &NOBODY, &ICHIRO] {
        for _ in 0..3 {
            log_in(&login, someone.login_id, "not this one").await;
        }
    }
    assert_eq!(app.number(audited).await, before, "no line each");
    assert_eq!(app.number("select count(*) from sign_in_failure").await, 3);
    assert_eq!(app.number("select cast(sum(count) as bigint) from sign_in_failure").await, 9);
    app.clock.advance(HOUR);
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    log_in(&login, HANAKO.login_id, "not this one").await;
    assert_eq!(app.number("select count(*) from sign_in_failure").await, 4);
    let browser_again = app.signed_in(&HANAKO, HANAKO.password).await;
    drop(browser);
    let history = app.account(&browser_again, "/history").await;
    let shown: Vec<_> = history.select("#history > li.alarming").iter().map(|li| li.text.clone()).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[1].contains("3回") && shown[1].contains("10時15分"), "{shown:?}");
    app.finish().await;
}

async fn a_flood_of_guesses_keeps_no_member_out(backend: Backend) {
    let small = |config: &mut kenpos_idp::config::Config| config.limits.per_insurer = 8;
    let mut app = TestApp::start_with(backend, small).await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let home = IpAddr::from([192, 0, 2, 1]);
    let elsewhere = IpAddr::from([203, 0, 113, 9]);
    let sign_in = async |app: &TestApp, someone: &Someone, password: &str, address: IpAddr| {
        let typed = login_id::parse(someone.login_id, &app.app().config().insurers).unwrap();
        app.app().members.sign_in(&typed, None, password.into(), "", address).await.unwrap()
    };
    assert!(matches!(sign_in(&app, &HANAKO, HANAKO.password, home).await, SignIn::Welcome(_)));
    // The ID pauses for strangers, and not where its member signed in before.
    for _ in 0..5 {
        assert!(matches!(sign_in(&app, &HANAKO, "wrong", elsewhere).await, SignIn::Wrong));
    }
    assert!(matches!(sign_in(&app, &HANAKO, HANAKO.password, elsewhere).await, SignIn::Paused));
    assert!(matches!(sign_in(&app, &HANAKO, HANAKO.password, home).await, SignIn::Welcome(_)));
    assert!(matches!(sign_in(&app, &HANAKO, HANAKO.password, elsewhere).await, SignIn::Paused));
    // There, too, it is five.
    for _ in 0..5 {
        let wrong = sign_in(&app, &HANAKO, "wrong", home).await;
        assert!(matches!(wrong, SignIn::Wrong | SignIn::Limited), "{wrong:?}");
    }
    assert!(matches!(sign_in(&app, &HANAKO, HANAKO.password, home).await, SignIn::Paused));
    // The insurer's budget is spent: a password of one's own opens, a birth date does not.
    for n in 0..8 {
        let nobody = Someone { login_id: ["7132-999000001", "7132-999000002"][n % 2], ..NOBODY };
        sign_in(&app, &nobody, "wrong", elsewhere).await;
    }
    assert!(matches!(sign_in(&app, &TOO_YOUNG, TOO_YOUNG.born, home).await, SignIn::Limited));
    assert!(matches!(sign_in(&app, &ICHIRO, "wrong", elsewhere).await, SignIn::Limited));
    assert!(matches!(sign_in(&app, &ICHIRO, ICHIRO.password, elsewhere).await, SignIn::Welcome(_)));
    app.finish().await;
}

fn guess(app: &TestApp, login_id: &str, password: &str) -> impl Future<Output = Page> {
    let (browser, url) = (app.http_browser(), app.url("/login"));
    let (login_id, password) = (login_id.to_owned(), password.to_owned());
    async move {
        let login = browser.get(&url).await.follow_here().await;
        log_in(&login, &login_id, &password).await
    }
}

async fn a_spray_of_addresses_alarms_and_stops_nobody(backend: Backend) {
    let low = |config: &mut kenpos_idp::config::Config| config.limits.spray_ids_per_hour = 10;
    let mut app = TestApp::of_two_with(backend, low).await;
    for n in 0..15 {
        guess(&app, &format!("someone{n}@mail.example"), "correct horse").await;
    }
    let alarms = "select count(*) from audit where action like '%spray_alarm'";
    let unnamed = "select count(*) from audit where action = 'addresses.spray_alarm' and insurer is null";
    assert_eq!((app.number(alarms).await, app.number(unnamed).await), (1, 1));
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let password = give_login_id(&login, HANAKO.login_id).await;
    assert!(password.select("#activation-stopped").is_empty(), "{}", password.text());
    app.activate(&HANAKO).await;
    app.finish().await;
}

async fn a_spray_of_addresses_at_one_insurer_is_its_alarm(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.limits.spray_ids_per_hour = 10).await;
    for n in 0..15 {
        guess(&app, &format!("someone{n}@mail.example"), "correct horse").await;
    }
    let alarms = "select count(*) from audit where action like '%spray_alarm'";
    let named = "select count(*) from audit where action = 'insurer.spray_alarm' and insurer = '7132'";
    assert_eq!((app.number(alarms).await, app.number(named).await), (1, 1));
    app.finish().await;
}

async fn an_alarm_lasts_while_the_spray_goes_on(backend: Backend) {
    let app = TestApp::start(backend).await;
    let stopped = async || {
        let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
        !give_login_id(&login, ICHIRO.login_id).await.select("#activation-stopped").is_empty()
    };
    for n in 10..20 {
        guess(&app, &format!("7132-0910009{n}"), HANAKO.born).await;
    }
    assert!(stopped().await);
    app.clock.advance(MINUTE * 40);
    guess(&app, "7132-091000920", HANAKO.born).await;
    app.clock.advance(MINUTE * 40);
    assert!(stopped().await, "an hour after the last one, not after the tenth");
    app.clock.advance(MINUTE * 20);
    assert!(!stopped().await);
    let alarms = "select count(*) from audit where action = 'insurer.spray_alarm'";
    assert_eq!(app.number(alarms).await, 1, "it is one alarm");
    app.finish().await;
}

async fn a_refresh_token_that_was_not_used_in_time_is_no_replay(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.lifetimes.refresh_idle_seconds = 120).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid offline_access").await;
    let tokens = app.redeem(&app.client, &code).await;
    app.clock.advance(MINUTE * 2);
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!(userinfo.status, StatusCode::OK, "nothing was revoked as if it were stolen");
    app.finish().await;
}

async fn the_login_id_shown_is_that_of_the_registration(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let page = accept_documents(&log_in(&login, HANAKO.login_id, HANAKO.born).await).await;
    // Somebody else's is typed into the same tab, and given up again.
    give_login_id(&login, ICHIRO.login_id).await;
    let again = browser.get(page.url.as_str()).await;
    assert_eq!(again.select("#shown-login-id")[0].text, HANAKO.login_id);
    let check = give_details(&again, &HANAKO).await;
    assert_eq!(check.select("#shown-login-id")[0].text, HANAKO.login_id);
    app.finish().await;
}

/// `client create`, as it is typed.
#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    args: CreateArgs,
}

#[tokio::test]
async fn a_client_is_created_with_its_line_in_the_audit_or_not_at_all() {
    let app = TestApp::start(Backend::Embedded).await;
    let tools = Tools {
        config: app.app().config().clone(),
        db: app.db().clone(),
        clock: app.clock.clone(),
        entropy: Entropy::system(),
    };
    let typed = |id: &str| {
        let words = ["x", "--name", "App", "--redirect-uri", "https://app.example/cb", "--id", id];
        Typed::parse_from(words).args
    };
    client::create(&tools, typed("first"), &mut Vec::new()).await.unwrap();
    assert_eq!(app.number("select count(*) from audit where client_id = 'first'").await, 1);
    app.sql("alter table audit rename to audit_away").await;
    client::create(&tools, typed("second"), &mut Vec::new()).await.unwrap_err();
    assert_eq!(app.number("select count(*) from client where id = 'second'").await, 0);
    app.sql("alter table audit_away rename to audit").await;
    app.finish().await;
}
