//! The same in a real Chromium at phone width, with a screenshot of each page in `target/test-artefacts`.

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    browser::Browser,
    family::SAKURA,
};

on_both_backends! {
    a_dependent_registers_on_a_phone
}

async fn keep(browser: &Browser, page: &str) {
    browser.keep(&format!("self-registration-{page}")).await;
}

async fn a_dependent_registers_on_a_phone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let browser = Browser::phone().await;
    let someone = SAKURA.someone;
    browser.open(&app.url("/login")).await;
    keep(&browser, "01-login").await;
    browser.click("#register").await;
    browser.wait_for("#to-eligibility").await;
    keep(&browser, "02-start").await;
    browser.click("#to-eligibility").await;
    browser.fill("#symbol", "９１").await;
    browser.fill("#number", "200001").await;
    browser.fill("#branch", "2枝").await;
    browser.fill("#kana", someone.kana).await;
    browser.fill("#birth_date", "平成13年4月31日").await;
    keep(&browser, "03-eligibility").await;
    browser.click("#next").await;
    browser.wait_for("#birth_date-error").await;
    keep(&browser, "04-eligibility-errors").await;
    let focused = "return document.activeElement.id";
    assert_eq!(browser.script(focused).await, "errors", "the focus is on the summary");
    browser.fill("#branch", "02").await;
    browser.fill("#birth_date", "平成13年4月4日").await;
    browser.click("#next").await;
    browser.wait_for_url(|url| url.path().ends_with("/eligibility")).await;
    browser.wait_for("#errors").await;
    keep(&browser, "05-eligibility-refused").await;
    browser.fill("#birth_date", someone.born).await;
    browser.click("#next").await;

    browser.wait_for("#privacy-text").await;
    browser
        .script("const text = document.querySelector('#privacy-text'); text.scrollTop = text.scrollHeight")
        .await;
    browser.click("#privacy").await;
    browser.click("#terms").await;
    keep(&browser, "06-documents").await;
    browser.click("#next").await;
    assert_eq!(browser.text("#shown-birth-date").await, "2001-04-03");
    browser.fill("#email", someone.email).await;
    browser.fill("#password", someone.password).await;
    keep(&browser, "07-details").await;
    browser.click("#next").await;
    assert_eq!(browser.text("#shown-email").await, someone.email);
    keep(&browser, "08-confirm").await;
    browser.click("#send").await;
    browser.wait_for("#deadline").await;
    keep(&browser, "09-sent").await;

    let link = app.mailbox.next_link(someone.email).await;
    browser.open(link.as_str()).await;
    browser.fill("#password", someone.password).await;
    browser.click("#complete").await;
    browser.wait_for_url(|url| url.path() == "/account").await;
    assert_eq!(browser.text("#shown-category").await, "被扶養者");
    keep(&browser, "10-account").await;
    app.mailbox.next(someone.email).await;

    browser.click("#logout").await;
    browser.wait_for_url(|url| url.path() == "/logout").await;
    browser.open(&app.url("/login")).await;
    browser.fill("#login_id", "SAKURA.takeda@mail.example").await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", someone.password).await;
    browser.click("#login").await;
    browser.wait_for_url(|url| url.path() == "/account").await;
    browser.close().await;
    app.finish().await;
}
