//! The account as a member sees it on a phone, by day and by night. Screenshots are left in
//! `target/test-artefacts`.

use crate::support::{
    app::{Backend, TestApp},
    browser::Browser,
    members::HANAKO,
};

const NEW: &str = "しろくまと海辺で7回踊る";

async fn keep(browser: &Browser, name: &str) {
    browser.keep_both(&format!("account-{name}")).await;
}

async fn go(browser: &Browser, link: &str) {
    browser.click(&format!("#to-{link}")).await;
    browser.wait_for_url(|url| url.path() == format!("/account/{link}")).await;
}

async fn back(browser: &Browser) {
    browser.click("#back").await;
    browser.wait_for_url(|url| url.path() == "/account").await;
}

#[tokio::test]
async fn a_phone_looks_after_the_account() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let elsewhere = app.activate(&HANAKO).await;
    app.code(&elsewhere, &app.client, "openid profile email insured_number offline_access").await;
    let browser = Browser::phone().await;
    browser.open(&app.url("/account")).await;
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#login").await;
    browser.wait_for("#to-profile").await;
    keep(&browser, "overview").await;
    go(&browser, "profile").await;
    keep(&browser, "profile").await;
    back(&browser).await;

    go(&browser, "sessions").await;
    assert_eq!(browser.text("#sessions li:first-child h2").await, "Linux・Chrome この端末");
    keep(&browser, "sessions").await;
    browser.click("#end-2").await;
    browser.wait_for("#notice").await;
    assert!(!app.is_signed_in(&elsewhere).await);
    back(&browser).await;
    go(&browser, "apps").await;
    keep(&browser, "apps").await;
    browser.click("#withdraw-1").await;
    browser.wait_for("#none").await;
    back(&browser).await;
    go(&browser, "preferences").await;
    browser.click("#topic-1").await;
    browser.click("#save").await;
    browser.wait_for("#notice").await;
    keep(&browser, "preferences").await;
    back(&browser).await;

    go(&browser, "password").await;
    browser.fill("#password", "wrong").await;
    browser.fill("#new_password", NEW).await;
    browser.click("#reveal-new_password").await;
    browser.click("#save").await;
    browser.wait_for("#password-error").await;
    keep(&browser, "password-wrong").await;
    browser.fill("#password", HANAKO.password).await;
    browser.fill("#new_password", NEW).await;
    browser.wait_for("#strength [data-word]").await;
    keep(&browser, "password").await;
    browser.click("#save").await;
    browser.wait_for("#notice").await;
    app.mailbox.next(HANAKO.email).await;

    go(&browser, "email").await;
    browser.fill("#email", "new@mail.example").await;
    browser.fill("#password", NEW).await;
    browser.click("#send").await;
    browser.wait_for("#pending").await;
    keep(&browser, "email").await;
    let link = app.mailbox.next_link("new@mail.example").await;
    browser.open(link.as_str()).await;
    browser.fill("#password", NEW).await;
    keep(&browser, "email-link").await;
    browser.click("#complete").await;
    browser.wait_for("#done").await;
    keep(&browser, "email-done").await;
    app.mailbox.next(HANAKO.email).await;
    browser.click("#to-account").await;
    go(&browser, "history").await;
    keep(&browser, "history").await;
    back(&browser).await;

    go(&browser, "deletion").await;
    browser.fill("#password", NEW).await;
    keep(&browser, "deletion").await;
    browser.click("#request").await;
    browser.wait_for("#with-office").await;
    app.mailbox.next("new@mail.example").await;
    keep(&browser, "deletion-requested").await;
    back(&browser).await;
    go(&browser, "report").await;
    browser.fill("#password", NEW).await;
    keep(&browser, "report").await;
    browser.click("#report").await;
    browser.wait_for("#reported").await;
    keep(&browser, "reported").await;
    app.mailbox.next("new@mail.example").await;
    browser.close().await;
    app.finish().await;
}
