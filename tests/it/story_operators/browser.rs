//! The console as an operator sees it: a real browser, on a desk and on a phone. A screenshot of each page is
//! left in `target/test-artefacts`.

use kenpos_idp::operators::Role;
use totp_rs::{Builder, Secret};

use super::create;
use crate::support::{
    app::{Backend, TestApp},
    browser::Browser,
    members::HANAKO,
    operators::{PASSWORD, STEP, code_of},
};

async fn keep(browser: &Browser, name: &str) {
    browser.keep(&format!("console-{name}")).await;
}

#[tokio::test]
async fn an_operator_sets_up_signs_in_and_looks_around() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let colleague = app.staff(Role::Office, Some("7132")).await;
    let link = create(&app, "boss@office.example", false).await["link"].as_str().unwrap().to_owned();
    let browser = Browser::desktop().await;
    browser.open(&link).await;
    let secret = browser.text("#secret").await.replace(' ', "");
    let factor = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    keep(&browser, "setup").await;
    browser.fill("#password", PASSWORD).await;
    browser.fill("#code", &code_of(&app, &factor)).await;
    browser.click("#finish").await;
    browser.wait_for("#codes").await;
    keep(&browser, "codes").await;
    browser.click("#next").await;
    browser.click("#sign-out").await;
    keep(&browser, "sign-in").await;
    app.clock.advance(STEP);
    app.app().operators.link_audit().await.unwrap();
    browser.fill("#email", "boss@office.example").await;
    browser.fill("#password", PASSWORD).await;
    browser.fill("#code", &code_of(&app, &factor)).await;
    browser.click("#sign-in").await;
    browser.wait_for("#nav-audit").await;
    keep(&browser, "dashboard").await;
    look_around(&app, &browser, &colleague.id, "").await;
    browser.prefer_dark(true).await;
    browser.open(&app.url("/admin")).await;
    keep(&browser, "dashboard-dark").await;
    browser.close().await;

    let phone = Browser::phone().await;
    app.clock.advance(STEP);
    phone.open(&app.url("/admin/sign-in")).await;
    phone.fill("#email", "boss@office.example").await;
    phone.fill("#password", PASSWORD).await;
    phone.fill("#code", &code_of(&app, &factor)).await;
    keep(&phone, "sign-in-phone").await;
    phone.click("#sign-in").await;
    phone.wait_for("#nav-audit").await;
    keep(&phone, "dashboard-phone").await;
    look_around(&app, &phone, &colleague.id, "-phone").await;
    phone.close().await;
    app.finish().await;
}

async fn look_around(app: &TestApp, browser: &Browser, colleague: &str, suffix: &str) {
    let operator = format!("/admin/operators/{colleague}");
    for (name, path) in [
        ("audit", "/admin/audit"),
        ("operators", "/admin/operators"),
        ("operator", &operator),
        ("invite", "/admin/operators/new"),
        ("role", &format!("{operator}/role")),
        ("disable", &format!("{operator}/disable")),
        ("account", "/admin/account"),
        ("factor", "/admin/account/factor"),
    ] {
        browser.open(&app.url(path)).await;
        browser.wait_for("h1").await;
        keep(browser, &format!("{name}{suffix}")).await;
    }
}
