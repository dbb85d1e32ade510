//! The code that is handed over, and its letter.

use kenpos_idp::{config::insurer::Activation, operators::Role};
use reqwest::StatusCode;

use super::{member, office};
use crate::support::{
    app::{Backend, INSURER, TestApp, on_both_backends},
    family::SAKURA,
    journey::give_login_id,
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    a_letter_is_shown_once_and_opens_the_registration
    what_is_issued_follows_the_policy_and_the_person
}

async fn a_letter_is_shown_once_and_opens_the_registration(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = office(&app, Role::Office, None).await;
    let page = member(&app, &browser, &ICHIRO).await;
    let form = page.click("#to-reissue").await;
    let issue = form.form("#issue-form").set("code", "on").set("reason", "来所、保険者番号を確認");
    let issued = issue.submit().await;
    assert_eq!(issued.status, StatusCode::OK, "{}", issued.text());
    let letter = &issued.select("#letter")[0];
    assert_eq!(letter.attr("lang"), Some("ja"));
    assert!(letter.text.contains(ICHIRO.login_id) && letter.text.contains(INSURER), "{}", letter.text);
    assert!(!issued.body.contains(ICHIRO.born) && !issued.body.contains("1980"), "{}", issued.body);
    assert_eq!(issued.headers["referrer-policy"], "no-referrer");
    assert!(issued.headers["cache-control"].to_str().unwrap().contains("no-store"));
    let code = issued.select("#letter dd.code")[1].text.clone();
    assert_eq!(code.len(), 14, "{code}");

    // Nowhere again: not at its own address, not on the page of the member, not in the audit.
    let again = browser.get(issued.url.as_str()).await;
    assert!(!again.body.contains(&code), "{}", again.text());
    let page = member(&app, &browser, &ICHIRO).await;
    assert!(!page.body.contains(&code), "{}", page.text());
    if backend == Backend::Embedded {
        let hidden = app.stored().await;
        assert!(hidden.iter().all(|row| !row.contains(&code) && !row.contains(&code.replace('-', ""))));
    }

    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let password = give_login_id(&login, ICHIRO.login_id).await;
    let form = || password.form("#password-form").set("password", ICHIRO.born);
    let without = form().submit().await;
    assert_eq!(
        without.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "who was given a code needs it: {}",
        without.text()
    );
    let page = member(&app, &browser, &ICHIRO).await;
    assert!(page.text().contains("初回登録コードとあわせて使える"), "{}", page.text());
    let documents = form().set("code", &code).submit().await.follow_here().await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    app.finish().await;
}

async fn what_is_issued_follows_the_policy_and_the_person(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| {
        config.insurers[0].policy.activation = Activation::BirthdateAndCode;
    })
    .await;
    app.with_families().await;
    app.activate_relative(&SAKURA).await;
    let browser = office(&app, Role::Office, None).await;
    let form = member(&app, &browser, &HANAKO).await.click("#to-reissue").await;
    assert!(form.select("#code").is_empty(), "a code is issued in any case: {}", form.text());
    let issued = form.form("#issue-form").set("reason", "手紙の紛失").submit().await;
    let first = issued.select("#letter dd.code")[1].text.clone();
    let issued = form.form("#issue-form").set("reason", "手紙の紛失").submit().await;
    assert_ne!(issued.select("#letter dd.code")[1].text, first, "the older one is void");

    let sakura = member(&app, &browser, &SAKURA.someone).await;
    assert!(sakura.select("#to-reissue").is_empty(), "{}", sakura.text());
    let reset = sakura.click("#to-reset").await;
    assert!(reset.select("#code").is_empty(), "{}", reset.text());
    let issued = reset.form("#issue-form").set("reason", "メールアドレスの紛失").submit().await;
    assert!(issued.select("#letter").is_empty() && issued.text().contains("資格照会"), "{}", issued.text());
    app.mailbox.next(SAKURA.someone.email).await;
    let registered = browser.get(&app.url(&format!("{}/registration/reissue", sakura.url.path()))).await;
    let refused = registered.form("#issue-form").set("reason", "x").submit().await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    app.finish().await;
}
