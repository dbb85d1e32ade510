//! A first registration and a sign-in in a real browser whose JavaScript is switched off: links and forms alone.

use crate::support::{
    app::{Backend, TestApp},
    browser::Browser,
    members::HANAKO,
};

async fn sign_in(browser: &Browser, app: &TestApp, password: &str) {
    browser.open(&app.url("/login")).await;
    // What is refused comes back with its message, without a script.
    browser.fill("#login_id", "7132").await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.wait_for("#login_id-error").await;
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", password).await;
    browser.click("#login").await;
}

#[tokio::test]
async fn the_whole_registration_and_a_sign_in_need_no_script() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = Browser::desktop_without_scripts().await;
    sign_in(&browser, &app, HANAKO.born).await;

    // With scripts the box waits until its text was scrolled to the end; without, the whole text stands above it.
    browser.wait_for("html:not(.js) #privacy:enabled").await;
    browser.screenshot("no-script-documents").await;
    browser.click("#next").await;
    browser.wait_for("#privacy-error").await;
    browser.click("#privacy").await;
    browser.click("#terms").await;
    browser.click("#next").await;

    browser.fill("#kana", HANAKO.kana).await;
    browser.fill("#email", "hanako").await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#next").await;
    browser.wait_for("#email-error").await;
    browser.screenshot("no-script-details").await;
    browser.fill("#email", HANAKO.email).await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#next").await;
    assert_eq!(browser.text("#shown-email").await, HANAKO.email);
    browser.click("#send").await;
    browser.wait_for("#deadline").await;
    browser.screenshot("no-script-sent").await;

    let link = app.mailbox.next_link(HANAKO.email).await;
    browser.open(link.as_str()).await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#complete").await;
    // With scripts this page goes on by itself.
    browser.click("#done-form button").await;
    browser.wait_for_url(|url| url.path() == "/account").await;
    app.mailbox.next(HANAKO.email).await;

    browser.click("#logout").await;
    browser.wait_for_url(|url| url.path() == "/logout").await;
    sign_in(&browser, &app, HANAKO.password).await;
    browser.wait_for_url(|url| url.path() == "/account").await;
    browser.close().await;
    app.finish().await;
}
