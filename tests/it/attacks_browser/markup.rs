//! Markup where text is expected: names, parameters and paths are shown, never run or followed.

use reqwest::Method;
use scraper::{Html, Selector};
use url::Url;

use super::forgery::assert_guarded;
use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::{encoded, good_request, with},
    http_browser::Page,
    journey::{accept_documents, give_login_id, log_in},
    members::{HANAKO, ICHIRO},
};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}{%x%}";

/// The text stands on the page as text, or not at all.
fn assert_inert(page: &Page, what: &str) {
    assert_guarded(page);
    assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{what}: {}", page.body);
    assert!(page.select("img, svg[onload], a[href^='javascript:']").is_empty(), "{what}");
    let here = page.url.origin();
    for link in page.select("a[href], form[action]") {
        let to = link.attr("href").or(link.attr("action")).unwrap();
        let to = page.url.join(to).unwrap_or_else(|_| panic!("{what}: a link to {to}"));
        let known = to.origin() == here || ["tel", "mailto"].contains(&to.scheme());
        assert!(
            known || to.host_str().unwrap_or_default().ends_with(".example.jp"),
            "{what}: a link to {to}"
        );
    }
}

#[tokio::test]
async fn names_and_parameters_are_text() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let mut named = metadata("https://xss.example.jp");
    named.client_name = HOSTILE.to_owned();
    let client = app.register(named).await;
    let request = with(good_request(&client, "openid email"), "login_hint", HOSTILE);
    let visitor = app.http_browser();
    let login = visitor.get(&app.authorize_url(&request)).await.follow_here().await;
    assert_inert(&login, "client_name and login_hint");
    assert_eq!(login.form("#login-id-form").value("login_id"), Some(HOSTILE));
    assert!(login.text().contains("alert(1)") && login.text().contains("{{7*7}}"));
    assert_inert(&give_login_id(&login, HOSTILE).await, "a login ID");

    app.sql(&format!("update member set kana = '{}'", HOSTILE.replace('\'', "''"))).await;
    let consent = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    assert_inert(&consent, "a name on the consent page");
    assert!(consent.text().contains(HOSTILE), "{}", consent.text());
    assert_inert(&browser.get(&app.url("/account")).await, "a name on the account page");
    consent.form("#consent-form").click("decision", "allow").submit().await;
    let request = with(with(request, "state", HOSTILE), "response_mode", "form_post");
    let posted = browser.get(&app.authorize_url(&request)).await;
    assert_inert(&posted, "state");
    assert_eq!(posted.form("#form-post").value("state"), Some(HOSTILE));
    let refused = browser.get(&app.authorize_url(&with(request.clone(), "max_age", HOSTILE))).await;
    assert_inert(&refused, "an error for the client");
    let choice = with(request.clone(), "prompt", "select_account");
    assert_inert(&browser.get(&app.authorize_url(&choice)).await.follow_here().await, "select_account");

    let hostile = |name: &'static str| encoded(&[(name, HOSTILE.to_owned())]);
    for path in [
        format!("/authorize?{}", hostile("client_id")),
        format!("/authorize?client_id={}&{}", client.id, hostile("redirect_uri")),
        format!("/authorize?{}&{}", hostile("error"), hostile("error_description")),
        format!("/registration?{}", hostile("i")),
        format!("/recovery/login-id?{}", hostile("i")),
        format!("/recovery/password?{}", hostile("i")),
        format!("/login?{}", hostile("ui_locales")),
        format!("/logout?{}&{}&{}", hostile("state"), hostile("id_token_hint"), hostile("client_id")),
        format!("/logout?client_id={}&{}", client.id, hostile("post_logout_redirect_uri")),
        format!("/nowhere?{}", hostile("x")),
        format!("/{}", hostile("").trim_start_matches('=')),
        format!("/login/{}", hostile("").trim_start_matches('=')),
        format!("/registration/link/{}", hostile("").trim_start_matches('=')),
    ] {
        for browser in [&browser, &app.http_browser()] {
            let page = browser.get(&app.url(&path)).await.follow_here().await;
            assert_inert(&page, &path);
        }
    }
    let headers = [("Accept", "text/html"), ("Accept-Language", HOSTILE), ("User-Agent", HOSTILE)];
    assert_inert(&visitor.raw(Method::GET, &app.url("/nowhere"), &headers, "").await, "headers");
    app.finish().await;
}

#[tokio::test]
async fn what_is_typed_at_registration_is_text() {
    let app = TestApp::start(Backend::Embedded).await;
    let browser = app.http_browser();
    let start = browser.get(&app.url("/login")).await.follow_here().await;
    let number = start.click("#by-number").await;
    let form = number.form("form[action$='/number']");
    assert_inert(&form.set("symbol", HOSTILE).set("number", HOSTILE).submit().await, "記号 and 番号");
    let details = accept_documents(&log_in(&start, ICHIRO.login_id, ICHIRO.born).await).await;
    let form =
        details.form("#details-form").set("kana", HOSTILE).set("email", HOSTILE).set("password", HOSTILE);
    let refused = form.submit().await;
    assert_inert(&refused, "基本設定");
    assert_eq!(refused.form("#details-form").value("kana"), Some(HOSTILE));
    assert_eq!(refused.form("#details-form").value("password"), Some(""), "a password is never given back");
    app.finish().await;
}

#[tokio::test]
async fn the_links_to_other_languages_stay_here() {
    let app = TestApp::start(Backend::Embedded).await;
    for path in
        ["//evil.example/", "//evil.example/login", "/\\evil.example/", "/\\/evil.example", "///evil.example"]
    {
        let request = format!(
            "GET {path}?a=1 HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
            app.address()
        );
        let answer = app.octets(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        let links = Selector::parse("a[hreflang]").unwrap();
        let page = Html::parse_document(&answer);
        let hrefs: Vec<_> = page.select(&links).map(|link| link.attr("href").unwrap()).collect();
        assert_eq!(hrefs.len(), 2, "{answer}");
        let here = Url::parse(&app.url("/")).unwrap();
        for href in hrefs {
            // A browser reads two slashes or backslashes as the start of another host.
            assert_eq!(here.join(href).unwrap().origin(), here.origin(), "{path}: {href}");
        }
    }
    app.finish().await;
}
