//! Two brands in Chromium, by day and by night, on a phone and on a desk. Screenshots are left in
//! `target/test-artefacts`.

use kenpos_idp::clients::Metadata;

use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::good_request,
    browser::Browser,
    insurers::KAEDE,
    members::HANAKO,
};

const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 48"><path fill="#c0392b" d="M24 4l5 12 13-4-6 12 8 8-14 2 2 12-8-7-8 7 2-12-14-2 8-8-6-12 13 4z"/><text x="52" y="33" font-size="24" textLength="92" lengthAdjust="spacingAndGlyphs" font-family="sans-serif" fill="#333">MOMIJI</text></svg>"##;

async fn keep(browser: &Browser, name: &str) {
    browser.keep_both(&format!("insurers-{name}")).await;
    let broken = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length";
    assert_eq!(browser.script(broken).await, 0, "{name} has a picture that does not load");
}

#[tokio::test]
async fn both_brands_are_fit_to_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("momiji.svg");
    std::fs::write(&logo, LOGO).unwrap();
    let mut app = TestApp::of_two_with(Backend::Embedded, |config| {
        config.insurers[0].colour = "#1f4e9c".to_owned();
        config.insurers[1].logo = Some(logo);
    })
    .await;
    app.activate(&HANAKO).await;
    app.activate(&KAEDE).await;
    let only = Metadata { insurer: Some("8001".to_owned()), ..metadata("https://momiji-app.example.jp") };
    let client = app.register(only).await;
    for (device, browser) in [("phone", Browser::phone().await), ("desktop", Browser::desktop().await)] {
        for locale in ["ja", "en"] {
            let name = |page: &str| format!("{page}-{device}-{locale}");
            browser.open(&app.url(&format!("/registration?ui_locales={locale}"))).await;
            browser.open(&app.url("/login")).await;
            keep(&browser, &name("login-nobodys")).await;
            browser.click("#choose-insurer").await;
            browser.wait_for("#insurer-8001").await;
            keep(&browser, &name("choice")).await;
            browser.click("#insurer-8001").await;
            browser.wait_for("#login-id-form").await;
            keep(&browser, &name("login-momiji")).await;
            browser.open(&app.url("/i/7132")).await;
            keep(&browser, &name("login-mihon")).await;
            browser.open(&app.url("/i/8001/registration")).await;
            keep(&browser, &name("registration-momiji")).await;
            browser.open(&app.url("/recovery/password")).await;
            keep(&browser, &name("forgot")).await;
            browser.open(&app.url("/i/7132")).await;
            browser.fill("#login_id", HANAKO.login_id).await;
            browser.click("#next").await;
            browser.fill("#password", HANAKO.password).await;
            browser.click("#login").await;
            browser.wait_for("#to-profile").await;
            keep(&browser, &name("account-mihon")).await;
            browser.open(&app.authorize_url(&good_request(&client, "openid"))).await;
            browser.wait_for("#members-only-form").await;
            keep(&browser, &name("members-only")).await;
            browser.open(&app.url("/account")).await;
            browser.click("#logout").await;
            browser.wait_for("h1").await;
        }
        browser.close().await;
    }
    app.finish().await;
}
