//! The main story as a member sees it: a real browser on a phone, from the app to the registration and back.
//! A screenshot of each step is left in `target/test-artefacts`.

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    attack::encoded,
    browser::Browser,
    journey::{complete, log_in},
    members::HANAKO,
    web_app::WebApp,
};

on_both_backends! {
    a_phone_goes_from_the_app_to_the_registration_and_back
}

/// Numbers the screenshots of a story.
struct Album {
    story: &'static str,
    pages: u32,
}

impl Album {
    async fn keep(&mut self, browser: &Browser, page: &str) {
        self.pages += 1;
        browser.keep(&format!("{}-{:02}-{page}", self.story, self.pages)).await;
    }
}

/// From the app's home page to 「メールを送信しました」.
async fn register(browser: &Browser, site: &WebApp, album: &mut Album) {
    browser.open(&site.url("/")).await;
    album.keep(browser, "app").await;
    browser.click("#login").await;
    browser.fill("#login_id", "７１３２ー０９１２００００１").await;
    album.keep(browser, "login-id").await;
    browser.click("#login-id-form button[type=submit]").await;
    assert_eq!(browser.text("#shown-login-id").await, HANAKO.login_id);
    browser.fill("#password", HANAKO.born).await;
    album.keep(browser, "password").await;
    browser.click("#login").await;

    browser.wait_for("#privacy-text").await;
    let disabled = "return document.querySelector('#privacy').disabled";
    assert_eq!(browser.script(disabled).await, true, "the box waits for the end of the text");
    album.keep(browser, "documents").await;
    browser.script("const text = document.querySelector('#privacy-text'); text.scrollTop = 40").await;
    assert_eq!(browser.script(disabled).await, true, "a little is not the end");
    browser
        .script("const text = document.querySelector('#privacy-text'); text.scrollTop = text.scrollHeight")
        .await;
    browser.click("#privacy").await;
    browser.click("#terms").await;
    album.keep(browser, "documents-accepted").await;
    browser.click("#next").await;

    browser.fill("#kana", "たけだ はなこ").await;
    browser.fill("#password", HANAKO.password).await;
    browser.fill("#email", HANAKO.email).await;
    album.keep(browser, "details").await;
    browser.click("#next").await;
    assert_eq!(browser.text("#shown-email").await, HANAKO.email);
    album.keep(browser, "confirm").await;
    browser.click("#send").await;
    browser.wait_for("#deadline").await;
    album.keep(browser, "sent").await;
}

async fn a_phone_goes_from_the_app_to_the_registration_and_back(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let site = WebApp::start(&app).await;
    let browser = Browser::phone().await;
    let story = if backend == Backend::Embedded { "story" } else { "story-scaled-out" };
    let mut album = Album { story, pages: 0 };
    register(&browser, &site, &mut album).await;

    let link = app.mailbox.next_link(HANAKO.email).await;
    browser.open(link.as_str()).await;
    browser.fill("#password", HANAKO.password).await;
    album.keep(&browser, "link").await;
    browser.click("#complete").await;
    // 登録完了, which goes on by itself.
    browser.wait_for("#allow").await;
    album.keep(&browser, "consent").await;
    browser.click("#allow").await;
    assert_eq!(browser.text("#name").await, HANAKO.kana);
    assert!(browser.url().await.as_str().starts_with(&site.url("/callback")));
    album.keep(&browser, "app-signed-in").await;
    app.mailbox.next(HANAKO.email).await;
    let first = site.tokens();

    // Back in the app there is nothing left to type.
    browser.open(&site.url("/")).await;
    browser.click("#login").await;
    assert_eq!(browser.text("#name").await, HANAKO.kana);
    assert_eq!(site.tokens().claims["sid"], first.claims["sid"]);
    browser.click("#logout").await;
    browser.wait_for_url(|url| url.path() == "/goodbye").await;

    // Later: the login alone.
    browser.open(&site.url("/login")).await;
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#login").await;
    assert_eq!(browser.text("#name").await, HANAKO.kana);
    assert_eq!(site.tokens().claims["sub"], first.claims["sub"]);
    browser.close().await;
    app.finish().await;
}

#[tokio::test]
async fn the_waiting_page_moves_on_when_the_link_is_used_on_another_device() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let site = WebApp::start(&app).await;
    let browser = Browser::desktop().await;
    register(&browser, &site, &mut Album { story: "story-desktop", pages: 0 }).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    let phone = app.http_browser();
    let done = complete(&phone, &link, HANAKO.password).await;
    let back = format!("{}?{}", site.url("/login"), encoded(&[("iss", app.url(""))]));
    assert_eq!(done.select("#to-service")[0].attr("href"), Some(back.as_str()));
    app.mailbox.next(HANAKO.email).await;
    // Nobody touches the waiting page.
    browser.wait_for("#allow").await;
    browser.click("#allow").await;
    assert_eq!(browser.text("#name").await, HANAKO.kana);
    // 「サービスに戻る」 on the phone leads to a login of its own.
    let login = done.click("#to-service").await.follow().await;
    let consented = log_in(&login, HANAKO.login_id, HANAKO.password).await.follow().await;
    assert!(consented.text().contains(HANAKO.kana), "{}", consented.text());
    browser.close().await;
    app.finish().await;
}
