//! Strangers: nobody learns who is registered, nobody's mailbox is flooded, no birth date is found out.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, HOUR, TestApp, on_both_backends},
    http_browser::Page,
    journey::log_in,
    members::{HANAKO, ICHIRO, LOST, NOBODY},
    recovery::{send_login_id_form, send_password_form},
};

on_both_backends! {
    the_answers_to_everybody_are_the_same
    a_member_gets_five_mails_a_day
    one_birth_date_on_many_ids_raises_the_alarm
    strangers_do_not_use_up_the_tries_of_a_familiar_address
    too_many_tries_from_one_address_are_refused
    a_forged_host_is_not_in_the_link
}

/// An answer without what differs between any two visits.
fn comparable(page: &Page) -> String {
    let token =
        page.select("input[name=csrf]").first().and_then(|csrf| csrf.attr("value").map(str::to_owned));
    let body = token.map_or_else(|| page.body.clone(), |token| page.body.replace(&token, "VARIES"));
    let headers: Vec<_> = page
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "set-cookie"].contains(&name.as_str()))
        .collect();
    format!("{} {headers:?}\n{body}", page.status)
}

async fn the_answers_to_everybody_are_the_same(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let mut seen = Vec::new();
    // Registered, registered with another birth date, not registered, not eligible, and nobody.
    for (someone, born) in [
        (HANAKO, HANAKO.born),
        (HANAKO, "19990102"),
        (ICHIRO, ICHIRO.born),
        (LOST, LOST.born),
        (NOBODY, NOBODY.born),
    ] {
        let browser = app.http_browser();
        let page = browser.get(&app.url("/recovery/password")).await;
        let password = send_password_form(&page, someone.login_id, born).await;
        let page = browser.get(&app.url("/recovery/login-id")).await;
        let login_id = send_login_id_form(&page, someone.email, born).await;
        assert_eq!(password.status, StatusCode::SEE_OTHER, "{}", password.text());
        let pages = [comparable(&password), comparable(&login_id)];
        seen.push((
            pages,
            comparable(&password.follow_here().await),
            comparable(&login_id.follow_here().await),
        ));
    }
    for other in &seen[1..] {
        assert_eq!(&seen[0], other);
    }
    // One mail each to her who is registered and knows her birth date; no trace of a mail to anybody else.
    app.mailbox.next_link(HANAKO.email).await;
    app.mailbox.next_link(HANAKO.email).await;
    assert_eq!(app.number("select count(*) from outbox where kind like 'recovery%'").await, 2);
    assert_eq!(app.number("select count(*) from recovery").await, 2);
    assert_eq!(app.number("select count(*) from audit where action = 'recovery.mailed'").await, 2);
    assert_eq!(app.number("select count(*) from audit where action = 'recovery.refused'").await, 8);
    app.finish().await;
}

async fn a_member_gets_five_mails_a_day(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let mut pages = Vec::new();
    for _ in 0..7 {
        pages.push(comparable(&app.forgot_password(HANAKO.login_id, HANAKO.born).await));
    }
    assert!(pages.iter().all(|page| page == &pages[0]), "the page is always the same");
    for _ in 0..5 {
        app.mailbox.next_link(HANAKO.email).await;
    }
    app.clock.advance(2 * HOUR);
    app.forgot_password(HANAKO.login_id, HANAKO.born).await;
    // Redis counts by its own clock, which no test moves.
    if backend == Backend::Embedded {
        app.clock.advance(24 * HOUR);
        app.password_link(&HANAKO).await;
    }
    app.finish().await;
}

/// Here all come from one address, which is familiar once the member signed in from it.
async fn strangers_do_not_use_up_the_tries_of_a_familiar_address(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    for year in 1950..1955 {
        app.forgot_password(HANAKO.login_id, &format!("{year}0101")).await;
    }
    app.forgot_password(HANAKO.login_id, HANAKO.born).await;
    assert_eq!(app.number("select count(*) from recovery").await, 0, "the right one is not looked at");
    app.signed_in(&HANAKO, HANAKO.password).await;
    app.password_link(&HANAKO).await;
    app.finish().await;
}

async fn one_birth_date_on_many_ids_raises_the_alarm(backend: Backend) {
    let app = TestApp::start(backend).await;
    for number in 1..=10 {
        app.forgot_password(&format!("7132-0910009{number:02}"), HANAKO.born).await;
    }
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let page = log_in(&login, HANAKO.login_id, HANAKO.born).await;
    assert!(!page.select("#activation-stopped").is_empty(), "{}", page.text());
    app.finish().await;
}

async fn too_many_tries_from_one_address_are_refused(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.limits.per_address = 3).await;
    for _ in 0..3 {
        assert_eq!(app.forgot_password(NOBODY.login_id, NOBODY.born).await.status, StatusCode::OK);
    }
    let refused = app.forgot_password(HANAKO.login_id, HANAKO.born).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let refused = app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        refused.form("#forgot-login-id-form").value("email"),
        Some(HANAKO.email),
        "what was typed stays"
    );
    app.finish().await;
}

async fn a_forged_host_is_not_in_the_link(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let browser = app.http_browser();
    let page = browser.get(&app.url("/recovery/password")).await;
    let csrf = page.form("#forgot-password-form").value("csrf").unwrap().to_owned();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ];
    let body = format!("csrf={csrf}&login_id={}&birth_date={}", HANAKO.login_id, HANAKO.born);
    let sent = browser.raw(Method::POST, &app.url("/recovery/password"), &headers, &body).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    let mail = app.mailbox.next(HANAKO.email).await;
    assert!(mail.links()[0].as_str().starts_with(&app.url("/recovery/password/link/")), "{}", mail.text);
    assert!(!mail.text.contains("evil") && !mail.html.as_deref().unwrap_or_default().contains("evil"));
    app.finish().await;
}
