//! A society publishes a new version of its documents: members are asked again before anything else.

use std::path::Path;

use kenpos_idp::config::{Config, insurer::Document};
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    attack::parameter,
    http_browser::Page,
    journey::{accept_documents, allow, complete, confirm, give_details, log_in, register, set_out},
    members::{HANAKO, ICHIRO},
    relying_party::Ask,
};

on_both_backends! {
    a_new_version_is_asked_for_before_any_code
    without_an_app_it_is_asked_for_before_the_account
    a_registration_asks_again_for_what_changed_on_the_way
    one_member_cannot_accept_for_another
}

/// Publishes the privacy notice of a version, in files of `folder`.
fn publish(folder: &Path, version: &str) -> impl FnOnce(&mut Config) {
    let file = |language: &str| {
        let file = folder.join(format!("{version}.{language}"));
        std::fs::write(&file, format!("個人情報の取り扱いについて\n\n第{version}版です。")).unwrap();
        file
    };
    let document = Document { version: version.to_owned(), ja: file("ja"), en: file("en") };
    |config| {
        config.insurers[0].documents.insert("privacy".to_owned(), document);
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn receipts(version: &str) -> String {
    format!("select count(*) from receipt where kind = 'privacy' and version = '{version}'")
}

async fn a_new_version_is_asked_for_before_any_code(backend: Backend) {
    let (mut app, folder) = (TestApp::start(backend).await, folder());
    let rp = app.relying_party().await;
    let browser = app.activate(&HANAKO).await;
    let ask = Ask::scopes(&["profile", "offline_access"]);
    let attempt = rp.begin(&ask);
    let callback = allow(&set_out(&browser, &attempt).await).await;
    let before = rp.finish(attempt, &callback).await;

    app.restart_with(publish(folder.path(), "2")).await;
    app.clock.advance(MINUTE);
    // The app is not cut off.
    let refreshed = rp.refresh(before.refresh_token.as_deref().unwrap()).await.unwrap();
    rp.userinfo(&refreshed).await.unwrap();
    let silent = rp.begin(&ask.clone().silently());
    let error = browser.get(silent.url.as_str()).await.location().unwrap();
    assert_eq!(parameter(&error, "error").as_deref(), Some("interaction_required"), "{error}");

    let attempt = rp.begin(&ask);
    let page = set_out(&browser, &attempt).await;
    assert!(page.url.path().starts_with("/documents/"), "{} {}", page.url, page.text());
    assert!(page.text().contains("第2版です。"), "{}", page.text());
    let form = page.form("#documents-form");
    assert_eq!((form.value("privacy"), form.value("terms")), (None, Some("on")), "one of them is new");
    let refused = page.form("#documents-form").submit().await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unseen = page.form("#documents-form").set("privacy", "on").set("privacy_shown", "2:other");
    assert_eq!(unseen.submit().await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.number(&receipts("2")).await, 0);
    // Another way to the code does not get past it.
    let again = set_out(&browser, &rp.begin(&ask)).await;
    assert!(again.url.path().starts_with("/documents/"), "{}", again.url);

    let callback = accept_documents(&page).await.location().expect("a code");
    rp.finish(attempt, &callback).await;
    assert_eq!(app.number(&receipts("2")).await, 1);
    assert_eq!(app.number("select count(*) from receipt where kind = 'terms'").await, 1, "that was not new");
    let told =
        "select count(*) from audit where action = 'member.documents_accepted' and detail like '%\"2\"%'";
    assert_eq!(app.number(told).await, 1);
    let attempt = rp.begin(&ask.clone().silently());
    let callback = browser.get(attempt.url.as_str()).await.location().unwrap();
    rp.finish(attempt, &callback).await;
    // The page of the second attempt leads on, and a double submit keeps no second receipt.
    accept_documents(&again).await;
    assert_eq!(app.number(&receipts("2")).await, 1);
    app.finish().await;
}

async fn without_an_app_it_is_asked_for_before_the_account(backend: Backend) {
    let (mut app, folder) = (TestApp::start(backend).await, folder());
    app.activate(&HANAKO).await;
    app.restart_with(publish(folder.path(), "2")).await;
    let browser = app.http_browser();
    let page = app.try_to_sign_in(&browser, HANAKO.login_id, HANAKO.password).await;
    assert!(page.url.path().starts_with("/documents/"), "{} {}", page.url, page.text());
    let account = accept_documents(&page).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.signed_in(&HANAKO, HANAKO.password).await;
    app.finish().await;
}

async fn a_registration_asks_again_for_what_changed_on_the_way(backend: Backend) {
    let (mut app, folder) = (TestApp::start(backend).await, folder());
    let rp = app.relying_party().await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&login, HANAKO.login_id, HANAKO.born).await).await;
    let check = give_details(&details, &HANAKO).await;

    // Between consent and sending: nothing is sent before the new version is accepted.
    app.restart_with(publish(folder.path(), "2")).await;
    let documents = confirm(&check).await;
    assert!(documents.url.path().ends_with("/documents"), "{} {}", documents.url, documents.text());
    assert_eq!(documents.form("#documents-form").value("privacy"), None, "not ticked any more");
    assert_eq!(app.number("select count(*) from registration").await, 0);
    let check = accept_documents(&documents).await;
    assert!(check.url.path().ends_with("/confirm"), "what was typed is kept: {}", check.url);
    assert!(confirm(&check).await.url.path().ends_with("/sent"));
    let link = app.mailbox.next_link(HANAKO.email).await;

    // Between sending and completing: the member is there, and is asked before the account.
    app.restart_with(publish(folder.path(), "3")).await;
    let page = complete(&browser, &link, HANAKO.password).await;
    assert!(page.url.path().starts_with("/documents/"), "{} {}", page.url, page.text());
    app.mailbox.next(HANAKO.email).await;
    assert_eq!(accept_documents(&page).await.url.path(), "/account");
    assert_eq!((app.number(&receipts("2")).await, app.number(&receipts("3")).await), (1, 1));

    // And before a code, where an app waits.
    let browser = app.http_browser();
    let attempt = rp.begin(&Ask::default());
    register(&set_out(&browser, &attempt).await, &ICHIRO).await;
    let link = app.mailbox.next_link(ICHIRO.email).await;
    app.restart_with(publish(folder.path(), "4")).await;
    let page = complete(&browser, &link, ICHIRO.password).await;
    app.mailbox.next(ICHIRO.email).await;
    let callback = allow(&accept_documents(&page).await).await;
    rp.finish(attempt, &callback).await;
    app.finish().await;
}

async fn one_member_cannot_accept_for_another(backend: Backend) {
    let (mut app, folder) = (TestApp::start(backend).await, folder());
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    app.restart_with(publish(folder.path(), "2")).await;
    let browser = app.http_browser();
    let of_hanako: Page = app.try_to_sign_in(&browser, HANAKO.login_id, HANAKO.password).await;
    app.try_to_sign_in(&browser, ICHIRO.login_id, ICHIRO.password).await;
    let page = accept_documents(&of_hanako).await;
    assert!(page.url.path().starts_with("/documents/"), "asked anew: {}", page.url);
    assert_eq!(app.number(&receipts("2")).await, 0);
    // Nobody who is not signed in sees or accepts anything.
    browser.clear_cookies();
    let gone = browser.get(of_hanako.url.as_str()).await;
    assert_eq!(gone.status, StatusCode::GONE);
    app.finish().await;
}
