//! Attacks through a member's own browser.

mod forgery;
mod markup;
mod steps;

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, CLIENT, TestApp, on_both_backends},
    attack::{encoded, good_request, parameter, with},
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, complete, confirm, give_details, give_login_id, log_in, set_out},
    members::{HANAKO, ICHIRO},
    relying_party::Ask,
};

on_both_backends! {
    an_interaction_belongs_to_one_browser
    a_click_counts_for_the_member_who_saw_the_page
}

/// The routes of `src/routes.rs` that answer this method, as they stand there.
fn routes(method: &str) -> BTreeSet<&'static str> {
    let source = include_str!("../../src/routes.rs");
    let routes = source.split(".route(\"").skip(1).filter_map(|rest| {
        let (path, handlers) = rest.split_once('"')?;
        handlers.split(".route(").next()?.lines().next()?.contains(&format!("{method}(")).then_some(path)
    });
    routes.collect()
}

/// The interaction of a page's path.
fn interaction(page: &Page) -> String {
    page.url.path_segments().unwrap().nth(1).unwrap().to_owned()
}

async fn an_interaction_belongs_to_one_browser(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let victim = app.activate(&ICHIRO).await;
    let rp = app.relying_party().await;
    // The attacker goes as far as the mail, and hands the addresses of each step to somebody else.
    let attacker = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(&["email"]));
    let documents = log_in(&set_out(&attacker, &attempt).await, HANAKO.login_id, HANAKO.born).await;
    let sent = confirm(&give_details(&accept_documents(&documents).await, &HANAKO).await).await;
    let id = interaction(&sent);
    let stranger = app.http_browser();
    let own = stranger.get(&app.url("/login")).await.follow_here().await;
    let strangers_csrf = own.form("#login-id-form").value("csrf").unwrap().to_owned();
    let account = victim.get(&app.url("/account")).await;
    let victims_csrf = account.form("form[action='/logout']").value("csrf").unwrap().to_owned();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for (browser, csrf) in [(&stranger, &strangers_csrf), (&victim, &victims_csrf)] {
        for path in routes("get").into_iter().filter(|path| path.contains("{interaction}")) {
            let page = browser.get(&app.url(&path.replace("{interaction}", &id))).await;
            assert_nothing_leaks(&page, path);
        }
        for path in routes("post").into_iter().filter(|path| path.contains("{interaction}")) {
            let fields = format!(
                "csrf={csrf}&login_id={}&password={}&decision=allow&choice=continue&symbol=91&number=1",
                HANAKO.login_id, HANAKO.born
            );
            let url = app.url(&path.replace("{interaction}", &id));
            let page = browser.raw(Method::POST, &url, &[form, ("Accept", "text/html")], &fields).await;
            assert_nothing_leaks(&page, path);
        }
    }
    // The one whose it is goes on undisturbed.
    let link = app.mailbox.next_link(HANAKO.email).await;
    let consent = complete(&attacker, &link, HANAKO.password).await;
    assert_eq!(consent.select("#consent-form").len(), 1, "{}", consent.text());
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

/// 410 with a way to start again, or at most the JSON that says that it is over, and nothing about whose it was.
fn assert_nothing_leaks(page: &Page, path: &str) {
    for secret in [HANAKO.login_id, HANAKO.email, "200001", "タケダ", CLIENT, "app.example.jp"] {
        assert!(!page.body.contains(secret), "{path} tells {secret}: {}", page.text());
        assert!(!format!("{:?}", page.headers).contains(secret), "{path} tells {secret}");
    }
    if path.ends_with("/status") {
        assert!(["{\"state\":\"ended\"}", "{\"state\":\"completed\"}"].contains(&page.body.as_str()));
    } else if path.ends_with("/done") && page.status == StatusCode::OK {
        // For somebody who is signed in, their own registration is what was asked about.
        assert!(page.select("form[action^='/registration']").is_empty(), "{}", page.body);
    } else {
        assert_eq!(page.status, StatusCode::GONE, "{path}: {}", page.text());
        assert_eq!(page.select("#restart[href='/login']").len(), 1, "{path}");
    }
}

async fn a_click_counts_for_the_member_who_saw_the_page(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let take_over = async || {
        let login = browser.get(&app.url("/login")).await.follow_here().await;
        let account = log_in(&login, ICHIRO.login_id, ICHIRO.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
    };
    let come_back = async || {
        let login = browser.get(&app.url("/login")).await.follow_here().await;
        log_in(&login, HANAKO.login_id, HANAKO.password).await;
    };
    // Hanako is asked; then Ichiro signs in to the same browser, in another tab; then the first tab goes on.
    let request = good_request(&app.client, "openid email");
    let consent = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    assert!(consent.text().contains(HANAKO.kana));
    take_over().await;
    let asked = consent.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
    assert!(asked.text().contains(ICHIRO.kana), "Ichiro is asked himself: {} {}", asked.url, asked.text());
    assert_eq!(app.number("select count(*) from consent").await, 0, "nobody allowed anything");
    // A refusal is nobody else's either.
    let denied = asked.form("#consent-form").click("decision", "deny").submit().await;
    assert_eq!(parameter(&denied.location().unwrap(), "error").as_deref(), Some("access_denied"));

    // The same for the choice of an account.
    let code = app.code(&browser, &app.client, "openid").await;
    let tokens = app.redeem(&app.client, &code).await;
    let ichiros = app.userinfo(tokens.text("access_token")).await.text("sub").to_owned();
    come_back().await;
    app.code(&browser, &app.client, "openid").await;
    let request = with(good_request(&app.client, "openid"), "prompt", "select_account");
    let choice = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    assert!(choice.text().contains(HANAKO.kana), "{}", choice.text());
    take_over().await;
    let asked = choice.form("#account-form").click("choice", "continue").submit().await.follow_here().await;
    assert_eq!(asked.location(), None, "no code for whoever is there now");
    assert!(asked.text().contains(ICHIRO.kana), "asked again: {}", asked.text());
    let back = asked.form("#account-form").click("choice", "continue").submit().await.follow_here().await;
    let code = parameter(&back.location().unwrap(), "code").unwrap();
    let tokens = app.redeem(&app.client, &code).await;
    let sub = app.userinfo(tokens.text("access_token")).await.text("sub").to_owned();
    assert_eq!(sub, ichiros);
    app.finish().await;
}

#[tokio::test]
async fn a_session_that_was_brought_along_is_not_taken_over() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let planted = "A".repeat(43);
    let browser = app.http_browser();
    let start = browser.get(&app.url("/login")).await.follow_here().await;
    let password = give_login_id(&start, HANAKO.login_id).await;
    let csrf = password.form("#password-form").value("csrf").unwrap().to_owned();
    let own = browser.cookie(start.url.as_str(), "kenpos-browser").unwrap();
    let cookies = format!("kenpos-browser={own}; kenpos-session={planted}");
    let headers = [
        ("Cookie", cookies.as_str()),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    let body = encoded(&[("csrf", csrf), ("password", HANAKO.password.to_owned())]);
    let page = browser.raw(Method::POST, password.url.as_str(), &headers, &body).await;
    assert_eq!(page.location().unwrap().path(), "/account");
    let first = browser.cookie(start.url.as_str(), "kenpos-session").unwrap();
    assert_ne!(first, planted);
    let account = app.url("/account");
    let opens = async |session: &str| {
        let cookie = format!("kenpos-session={session}");
        let page = HttpBrowser::new().raw(Method::GET, &account, &[("Cookie", &cookie)], "").await;
        page.status == StatusCode::OK
    };
    assert!(opens(&first).await && !opens(&planted).await);
    // A second sign-in ends the session before it.
    let again = browser.get(&app.url("/login")).await.follow_here().await;
    log_in(&again, HANAKO.login_id, HANAKO.password).await;
    let second = browser.cookie(start.url.as_str(), "kenpos-session").unwrap();
    assert!(opens(&second).await && !opens(&first).await);
    // And a sign-out ends it on the server, not only in the browser.
    let out = browser.get(&account).await.form("form[action='/logout']").submit().await;
    assert_eq!(out.status, StatusCode::OK);
    assert!(!opens(&second).await);
    app.finish().await;
}
