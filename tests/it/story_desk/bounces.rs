//! An address that bounces: its member is asked about it at the next login, and the office sees it.

use kenpos_idp::operators::Role;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
    journey::{allow, log_in, set_out},
    members::HANAKO,
    relying_party::{Ask, Attempt, RelyingParty},
};

on_both_backends! {
    who_logs_in_is_asked_about_an_address_that_bounces_and_goes_on
    another_address_is_registered_on_the_way
}

const MARKS: &str = "select count(*) from bounce";

/// A login through the app in a fresh browser; the page after the password.
async fn login(app: &TestApp, rp: &RelyingParty) -> (HttpBrowser, Attempt, Page) {
    let (browser, attempt) = (app.http_browser(), rp.begin(&Ask::scopes(&["profile"])));
    let page = set_out(&browser, &attempt).await;
    let page = log_in(&page, HANAKO.login_id, HANAKO.password).await;
    (browser, attempt, page)
}

fn is_asked(page: &Page) -> bool {
    page.url.path().starts_with("/login/") && page.url.path().ends_with("/email")
}

async fn who_logs_in_is_asked_about_an_address_that_bounces_and_goes_on(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    let (_, attempt, consent) = login(&app, &rp).await;
    let callback = allow(&consent).await;
    rp.finish(attempt, &callback).await;
    app.mark_bounced(HANAKO.email).await;

    // The office sees it in the console and through the API.
    let program = app.program("admin:members.read", Some("7132")).await;
    let found = program.post("/members/search", json!({ "query": HANAKO.login_id })).await.done(200).json;
    let person = found["items"][0]["person"].as_str().unwrap();
    assert_eq!(program.get(&format!("/members/{person}")).await.done(200).json["email_bounces"], true);
    let office = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let shown = office.get(&app.url(&format!("/admin/members/{person}"))).await;
    assert_eq!(shown.select("#email-bounces").len(), 1, "{}", shown.text());

    let (browser, attempt, page) = login(&app, &rp).await;
    assert!(is_asked(&page), "{} {}", page.url, page.text());
    assert!(page.text().contains(HANAKO.email), "{}", page.text());
    // No answer is none: the way around leads back to it. Another tab is not held up by this one.
    let around = page.url.path().replace("/login/", "/authorize/").replace("/email", "");
    let around = page.visit(&around).await.follow_here().await;
    assert!(is_asked(&around), "{}", around.url);
    let beside = rp.begin(&Ask::scopes(&["profile"]));
    let callback = set_out(&browser, &beside).await.location().expect("a code for who is signed in");
    rp.finish(beside, &callback).await;
    let later = page.form("#otherwise-form").click("choice", "later").submit().await.follow_here().await;
    let callback = later.location().unwrap_or_else(|| panic!("{} {}", later.url, later.text()));
    rp.finish(attempt, &callback).await;
    let again = page.form("#otherwise-form").click("choice", "later").submit().await;
    assert!(again.status == StatusCode::GONE || again.status == StatusCode::SEE_OTHER, "{}", again.status);
    // This session is not asked again, and an app that asks silently is not told.
    for ask in [Ask::scopes(&["profile"]), Ask::scopes(&["profile"]).silently()] {
        let attempt = rp.begin(&ask);
        let callback = set_out(&browser, &attempt).await.location().expect("a code");
        rp.finish(attempt, &callback).await;
    }
    assert_eq!(app.number(MARKS).await, 1);

    // At the next login it is; the member knows better, and mails go there again.
    let (_, attempt, page) = login(&app, &rp).await;
    let right = page.form("#otherwise-form").click("choice", "right").submit().await.follow_here().await;
    rp.finish(attempt, &right.location().expect("a code")).await;
    assert_eq!(app.number(MARKS).await, 0);
    let noted = "select count(*) from audit where action = 'mail.bounce_cleared' and actor like 'member:%'
                 and insurer = '7132' and detail like '%bounce%'";
    assert_eq!(app.number(noted).await, 1);
    let (_, attempt, page) = login(&app, &rp).await;
    rp.finish(attempt, &page.location().expect("a code")).await;
    app.finish().await;
}

async fn another_address_is_registered_on_the_way(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    app.mark_bounced(HANAKO.email).await;
    let (browser, attempt, page) = login(&app, &rp).await;
    let change = |email: &str, password: &str| {
        let form = page.form("#email-form").set("email", email).set("password", password);
        form.click("choice", "change").submit()
    };
    for (email, password, field) in [
        ("new@mail.example", "", "password"),
        ("new@mail.example", "wrong password", "password"),
        ("no address", HANAKO.password, "email"),
        (HANAKO.email, HANAKO.password, "email"),
    ] {
        let refused = change(email, password).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
        assert_eq!(refused.select(&format!("#{field}-error")).len(), 1, "{}", refused.text());
        assert_eq!(refused.form("#email-form").value("email"), Some(email), "what was typed stays");
    }
    // Another member at this browser changes nothing of hers.
    let stranger = page.form("#otherwise-form").set("who", "x").click("choice", "right").submit().await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
    assert_eq!(app.number(MARKS).await, 1);

    let sent = change("new@mail.example", HANAKO.password).await.follow_here().await;
    assert_eq!(sent.select("#pending").len(), 1, "{}", sent.text());
    let callback = allow(&sent.click("#next").await.follow_here().await).await;
    rp.finish(attempt, &callback).await;
    let link = app.mailbox.next_link("new@mail.example").await;
    let mailed = browser.get(link.as_str()).await;
    let done = mailed.form("#link-form").set("password", HANAKO.password).submit().await;
    assert!(done.status.is_success() || done.status.is_redirection(), "{}", done.text());
    assert_eq!(app.number("select count(*) from audit where action = 'member.email_changed'").await, 1);
    let (_, attempt, page) = login(&app, &rp).await;
    rp.finish(attempt, &page.location().expect("a code: nothing is asked any more")).await;
    app.finish().await;
}
