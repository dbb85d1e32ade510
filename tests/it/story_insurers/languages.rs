//! Which language a page speaks, and what it says of texts that it has not in that language.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    attack::{good_request, with},
    http_browser::Page,
    insurers::{KAEDE, MOMIJI},
    journey::log_in,
    members::HANAKO,
};

on_both_backends! {
    the_language_is_chosen_by_the_reader_the_app_and_the_browser
    what_an_insurer_has_not_in_english_is_marked
    every_refusal_speaks_the_readers_language
}

fn lang(page: &Page) -> String {
    page.select("html")[0].attr("lang").unwrap().to_owned()
}

async fn the_language_is_chosen_by_the_reader_the_app_and_the_browser(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    let accepting = async |path: &str, header: &str| {
        let headers = [("Accept-Language", header), ("Accept", "text/html")];
        lang(&app.http_browser().raw(Method::GET, &app.url(path), &headers, "").await)
    };
    for (header, expected) in [
        ("en", "en"),
        ("fr, en;q=0.8, ja;q=0.9", "ja"),
        ("en;q=0, *", "ja"),
        ("en;q=9, ja;q=0.1", "ja"),
        (";;,=", "ja"),
    ] {
        assert_eq!(accepting("/registration", header).await, expected, "{header}");
    }
    assert_eq!(accepting("/registration?ui_locales=fr+en+ja", "ja").await, "en");
    assert_eq!(accepting("/registration?ui_locales=fr", "en").await, "en");
    // The app's wish goes before the browser's, the reader's own choice before both.
    let browser = app.http_browser();
    let request = with(good_request(&app.client, "openid"), "ui_locales", "fr en");
    let login = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    assert_eq!(lang(&login), "en");
    let japanese = login.click(".languages a[hreflang=ja]").await;
    assert_eq!(lang(&japanese), "ja");
    assert_eq!(lang(&browser.get(&app.authorize_url(&request)).await.follow_here().await), "ja");
    // A member's own language holds where nothing else was chosen.
    let member = app.activate(&HANAKO).await;
    let account = member.get(&app.url("/account/profile")).await;
    account.form("#language-form").set("language", "en").submit().await;
    let fresh = app.http_browser();
    let login = fresh.get(&app.url("/login")).await.follow_here().await;
    assert_eq!(lang(&login), "ja");
    assert_eq!(lang(&log_in(&login, HANAKO.login_id, HANAKO.password).await), "en");
    app.finish().await;
}

async fn what_an_insurer_has_not_in_english_is_marked(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    app.activate(&KAEDE).await;
    let browser = app.http_browser();
    let login = app.entry(&browser, "8001").await.click(".languages a[hreflang=en]").await;
    assert_eq!(lang(&login), "en");
    let marked = |page: &Page, css: &str, text: &str| {
        let piece = &page.select(css)[0];
        assert_eq!((piece.text.as_str(), piece.attr("lang")), (text, Some("ja")), "{css}");
    };
    marked(&login, ".head-name", MOMIJI);
    marked(&login, ".contact-name", "もみじ事務局");
    let choice = login.click("#choose-insurer").await;
    marked(&choice, "#insurer-8001 b", MOMIJI);
    let mihon = &choice.select("#insurer-7132 b")[0];
    assert_eq!((mihon.text.as_str(), mihon.attr("lang")), ("Mihon Health Insurance Society", Some("en")));
    let account = log_in(&login, KAEDE.login_id, KAEDE.password).await;
    marked(&account, "#shown-insurer", MOMIJI);
    let forgot = app.http_browser().get(&app.url("/recovery/password?ui_locales=en")).await;
    marked(&forgot, "#insurer option[value='8001']", MOMIJI);
    app.finish().await;
}

async fn every_refusal_speaks_the_readers_language(backend: Backend) {
    let app = TestApp::of_two(backend).await;
    let japanese = |text: &str| text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}'));
    for (locale, other) in [("ja", false), ("en", true)] {
        let browser = app.http_browser();
        let login = browser.get(&app.url(&format!("/login?ui_locales={locale}"))).await;
        let login = login.follow_here().await;
        let path = login.url.path().to_owned();
        for (form, field, value) in [
            ("#login-id-form", "login_id", "x"),
            ("#login-id-form", "login_id", "9999-091200001"),
            ("#login-id-form", "login_id", "7132-1"),
            ("#login-id-form", "login_id", ""),
        ] {
            let page = login.form(form).set(field, value).submit().await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(japanese(&page.select(".error")[0].text), !other, "{value}: {}", page.text());
        }
        let choice = browser.get(&app.url(&format!("{path}/insurer"))).await;
        let page = choice.form("#insurer-number-form").set("insurer_number", "123").submit().await;
        assert_eq!(japanese(&page.select(".error")[0].text), !other, "{}", page.text());
        for missing in ["/i/9999", "/nowhere", "/login/nothing"] {
            let page = browser.get(&app.url(missing)).await;
            assert_eq!(japanese(&page.select("#message")[0].text), !other, "{missing}: {}", page.text());
        }
    }
    app.finish().await;
}
