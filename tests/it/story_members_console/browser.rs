//! The story as both see it: the office at its desk in one browser, the member on a phone in another. Screenshots
//! and the printed letter are left in `target/test-artefacts`.

use kenpos_idp::operators::Role;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    browser::Browser,
    journey::{complete, log_in},
    members::HANAKO,
};

on_both_backends! {
    an_operator_resets_a_member_who_then_activates_again
}

async fn keep(browser: &Browser, name: &str) {
    browser.keep(&format!("console-members-{name}")).await;
}

/// From the search to the page of Hanako.
async fn look_up(browser: &Browser, suffix: &str) {
    browser.click("#nav-members").await;
    browser.wait_for("#query").await;
    keep(browser, &format!("search{suffix}")).await;
    browser.fill("#query", "たけだ").await;
    browser.click("#search").await;
    browser.wait_for("#found").await;
    assert!(!browser.url().await.as_str().contains("%E3"), "no name in the address");
    keep(browser, &format!("found{suffix}")).await;
    browser.fill("#query", HANAKO.login_id).await;
    browser.click("#search").await;
    browser.click("#found tr:first-child a").await;
    browser.wait_for("#facts").await;
    keep(browser, &format!("member{suffix}")).await;
}

/// First-time registration on the member's phone, up to the mail.
async fn activate(app: &TestApp, phone: &Browser, code: &str) {
    phone.open(&app.url("/login")).await;
    phone.fill("#login_id", HANAKO.login_id).await;
    phone.click("#login-id-form button[type=submit]").await;
    phone.fill("#password", HANAKO.born).await;
    if !code.is_empty() {
        phone.fill("#code", code).await;
    }
    phone.click("#login").await;
    for document in ["privacy", "terms"] {
        phone.wait_for(&format!("#{document}-text")).await;
        phone
            .script(&format!(
                "const text = document.querySelector('#{document}-text'); text.scrollTop = text.scrollHeight"
            ))
            .await;
        phone.click(&format!("#{document}")).await;
    }
    phone.click("#next").await;
    phone.fill("#kana", "たけだ はなこ").await;
    phone.fill("#password", HANAKO.password).await;
    phone.fill("#email", HANAKO.email).await;
    phone.click("#next").await;
    phone.click("#send").await;
    phone.wait_for("#deadline").await;
}

async fn an_operator_resets_a_member_who_then_activates_again(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| {
        config.insurers[0].policy.activation = kenpos_idp::config::insurer::Activation::BirthdateAndCode;
    })
    .await;
    let staff = app.staff(Role::Office, Some("7132")).await;
    let desk = Browser::desktop().await;
    staff.sign_in_on(&app, &desk).await;
    look_up(&desk, "").await;

    // Once from the letter to the end, once more after the reset.
    let phone = Browser::phone().await;
    let mut subjects = Vec::new();
    for act in ["reissue", "reset"] {
        desk.click(&format!("#to-{act}")).await;
        desk.fill("#reason", "来所、資格確認書で本人確認").await;
        keep(&desk, act).await;
        desk.click("#confirm").await;
        desk.wait_for("#letter").await;
        keep(&desk, &format!("{act}-issued")).await;
        desk.print(&format!("console-members-{act}-letter")).await;
        let code = desk.script("return document.querySelectorAll('#letter dd.code')[1].textContent").await;
        if act == "reset" {
            app.mailbox.next(HANAKO.email).await;
        }
        app.clock.advance(MINUTE);
        activate(&app, &phone, code.as_str().unwrap()).await;
        let link = app.mailbox.next_link(HANAKO.email).await;
        complete(&app.http_browser(), &link, HANAKO.password).await;
        app.mailbox.next(HANAKO.email).await;
        desk.click("#next").await;
        desk.wait_for("#facts").await;
        subjects.push(desk.text("#subject").await);
        assert_eq!(desk.text("#state").await, "登録済み");
    }
    assert_eq!(subjects[0], subjects[1]);
    phone.close().await;
    keep(&desk, "member-after").await;
    desk.close().await;

    let small = Browser::phone().await;
    staff.sign_in_on(&app, &small).await;
    look_up(&small, "-phone").await;
    for act in ["reset", "email", "freeze"] {
        small.click(&format!("#to-{act}")).await;
        small.wait_for("#reason").await;
        keep(&small, &format!("{act}-phone")).await;
        small.click("#cancel").await;
    }
    small.close().await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    assert_eq!(log_in(&login, HANAKO.login_id, HANAKO.password).await.url.path(), "/account");
    app.finish().await;
}
