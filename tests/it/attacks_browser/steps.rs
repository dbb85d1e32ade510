//! Steps that are skipped, empty, taken twice, taken late or taken without cookies: none of them completes
//! anything, and each gives a page to go on from.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};
use kenpos_idp::{
    storage::{
        registration::{self, Registration},
        roster,
    },
    texts::Locale,
};
use reqwest::{Method, StatusCode};

use super::{interaction, routes};
use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    http_browser::{Form, HttpBrowser, Page},
    journey::{accept_documents, confirm, give_details, give_login_id, give_password, set_out},
    members::{HANAKO, ICHIRO},
    relying_party::Ask,
};

on_both_backends! {
    a_form_that_is_sent_twice_leads_on
    five_clicks_at_once_send_one_mail
}

/// Asks for every page and sends every form of an interaction, with a right token and nothing that was
/// entered. No session and no account may come of it.
async fn prod(app: &TestApp, browser: &HttpBrowser, page: &Page, not: &[&str]) {
    let csrf = page.select("input[name=csrf]")[0].attr("value").unwrap().to_owned();
    let id = interaction(page);
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    let mut answers = Vec::new();
    for path in routes("get").into_iter().filter(|path| path.contains("{interaction}")) {
        answers.push(browser.get(&app.url(&path.replace("{interaction}", &id))).await);
    }
    for path in routes("post").into_iter().filter(|path| path.contains("{interaction}")) {
        if !not.iter().any(|end| path.ends_with(end)) {
            let url = app.url(&path.replace("{interaction}", &id));
            let body = format!("csrf={csrf}&decision=allow&choice=continue");
            answers.push(browser.raw(Method::POST, &url, &headers, &body).await);
        }
    }
    for answer in answers {
        let at = (answer.url.path().to_owned(), page.url.path().to_owned());
        assert!(!answer.status.is_server_error(), "{at:?}: {}", answer.text());
        let end = answer.follow_here().await;
        assert!([200, 422].contains(&end.status.as_u16()), "{at:?}: {} {}", end.status, end.text());
        assert_eq!(end.location(), None, "{at:?} leads out");
        assert!(browser.cookie(page.url.as_str(), "kenpos-session").is_none(), "{at:?} gives a session");
    }
    assert_eq!(app.number("select count(*) from member").await, 0);
    let still = browser.get(page.url.as_str()).await;
    assert_eq!((still.status, still.url.path()), (StatusCode::OK, page.url.path()), "{}", still.text());
}

#[tokio::test]
async fn a_skipped_or_empty_step_completes_nothing() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();
    let login = set_out(&browser, &rp.begin(&Ask::default())).await;
    prod(&app, &browser, &login, &[]).await;
    let password = give_login_id(&login, HANAKO.login_id).await;
    prod(&app, &browser, &password, &[]).await;
    let documents = give_password(&password, HANAKO.born).await;
    prod(&app, &browser, &documents, &[]).await;
    // One document of two, and two that nobody saw.
    let half = documents.form("#documents-form").set("terms", "on").submit().await;
    assert_eq!(half.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = documents.form("#documents-form").set("privacy", "on").set("terms", "on");
    let unseen = form.set("terms_shown", "0:none").submit().await;
    assert_eq!(unseen.status, StatusCode::UNPROCESSABLE_ENTITY);
    let details = accept_documents(&documents).await;
    prod(&app, &browser, &details, &[]).await;
    assert_eq!(app.number("select count(*) from registration").await, 0);
    let check = give_details(&details, &HANAKO).await;
    // This form has nothing to enter: the button is all of it.
    prod(&app, &browser, &check, &["/confirm"]).await;
    assert_eq!(app.number("select count(*) from registration").await, 0);
    let sent = confirm(&check).await;
    prod(&app, &browser, &sent, &["/resend"]).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    let empty = browser.get(link.as_str()).await.form("#link-form").submit().await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let headed = browser.raw(Method::HEAD, link.as_str(), &[], "").await;
    assert_eq!(headed.status, StatusCode::OK);
    assert_eq!(app.number("select count(*) from member").await, 0);
    assert_eq!(app.number("select misses from registration").await, 0, "nothing was guessed");
    app.finish().await;
}

/// How the two requests of a double submit follow each other.
#[derive(Clone, Copy)]
enum Twice {
    AtOnce,
    /// Back, and once more.
    Back,
}

/// Sends a form twice; gives where each answer leads.
async fn twice(how: Twice, form: impl Fn() -> Form<'static>) -> [Page; 2] {
    let (first, second) = match how {
        Twice::AtOnce => join(form().submit(), form().submit()).await,
        Twice::Back => (form().submit().await, form().submit().await),
    };
    [assert_usable(first).await, assert_usable(second).await]
}

/// Sends a form twice and stays where the second answer leads.
async fn submit(how: Twice, form: impl Fn() -> Form<'static>) -> Page {
    let [_, second] = twice(how, form).await;
    second
}

/// A page of the flow, a way out to the client, or a page that says that it is over and where to start again.
async fn assert_usable(page: Page) -> Page {
    let page = page.follow_here().await;
    match page.status {
        StatusCode::OK | StatusCode::SEE_OTHER => {}
        StatusCode::GONE => assert_eq!(page.select("main a[href='/login']").len(), 1, "{}", page.text()),
        _ => panic!("{} at {}: {}", page.status, page.url, page.text()),
    }
    page
}

/// The page for the rest of the test, so that a closure can fill in its form twice.
fn kept(page: Page) -> &'static Page {
    Box::leak(Box::new(page))
}

async fn a_form_that_is_sent_twice_leads_on(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    for (how, someone) in [(Twice::Back, HANAKO), (Twice::AtOnce, ICHIRO)] {
        let browser = app.http_browser();
        let attempt = rp.begin(&Ask::default());
        let page = kept(set_out(&browser, &attempt).await);
        let page = submit(how, || page.form("#login-id-form").set("login_id", someone.login_id)).await;
        let password = kept(page);
        let page = submit(how, || password.form("#password-form").set("password", someone.born)).await;
        let page = kept(page);
        let accepted = || page.form("#documents-form").set("privacy", "on").set("terms", "on");
        let page = kept(submit(how, accepted).await);
        let details = || {
            let form = page.form("#details-form").set("kana", someone.kana).set("email", someone.email);
            form.set("password", someone.password)
        };
        let page = kept(submit(how, details).await);
        let sent = kept(submit(how, || page.form("#confirm-form")).await);
        assert_eq!(sent.select("#deadline").len(), 1, "still waiting for the mail: {}", sent.text());
        let mails = app.number("select count(*) from outbox").await;
        let sent_by_now = if someone.login_id == HANAKO.login_id { 1 } else { 3 };
        assert_eq!(mails, sent_by_now, "one mail for one registration");
        let link = app.mailbox.next_link(someone.email).await;
        let page = kept(browser.get(link.as_str()).await);
        let answers = twice(how, || page.form("#link-form").set("password", someone.password)).await;
        app.mailbox.next(someone.email).await;
        // Of the two one says that the link is used; the other one leads on.
        let done = answers.into_iter().find(|page| !page.select("#done-form").is_empty());
        let done = kept(done.expect("登録完了"));
        let page = submit(how, || done.form("#done-form")).await;
        let consent = kept(page);
        let answers = twice(how, || consent.form("#consent-form").click("decision", "allow")).await;
        let callbacks: Vec<_> = answers.iter().filter_map(Page::location).collect();
        assert_eq!(callbacks.len(), 1, "one code for one request");
        rp.finish(attempt, &callbacks[0]).await;

        // The login of an active member, and the sign-out.
        let page = browser.get(&app.url("/account")).await;
        let out = kept(page);
        submit(how, || out.form("#logout-form")).await;
        let login = browser.get(&app.url("/login")).await.follow_here().await;
        let password = kept(give_login_id(&login, someone.login_id).await);
        let page = submit(how, || password.form("#password-form").set("password", someone.password)).await;
        assert_eq!(page.url.path(), "/account", "{}", page.text());
        assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK);
    }
    app.finish().await;
}

async fn five_clicks_at_once_send_one_mail(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let documents = give_password(&give_login_id(&login, HANAKO.login_id).await, HANAKO.born).await;
    let details = accept_documents(&documents).await;
    let check = give_details(&details, &HANAKO).await;
    let answers = join_all((0..5).map(|_| check.form("#confirm-form").submit())).await;
    for answer in answers {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert!(answer.location().unwrap().path().ends_with("/sent"));
    }
    assert_eq!(app.number("select count(*) from outbox").await, 1);
    app.mailbox.next_link(HANAKO.email).await;
    app.finish().await;
}

/// The same below the pages, where nothing but the database keeps the requests apart.
#[tokio::test]
async fn a_registration_is_stored_once_by_any_number_of_requests() {
    let app = TestApp::start_with(Backend::PostgresRedis, |config| config.database.connections = 20).await;
    let person = roster::find_insured(app.db(), "7132", "091", "200001").await.unwrap().unwrap();
    let now = app.clock.now();
    for round in 0..100 {
        app.sql("delete from registration").await;
        let store = async |request: i32| {
            let pending = Registration {
                id: format!("registration {round}"),
                person_id: person.id.clone(),
                person_mark: String::new(),
                insurer: "7132".to_owned(),
                token_hash: format!("token {round} {request}"),
                browser: String::new(),
                interaction: String::new(),
                client_id: None,
                email: HANAKO.email.to_owned(),
                email_key: HANAKO.email.to_owned(),
                kana: HANAKO.kana.to_owned(),
                password_hash: String::new(),
                preferences: BTreeMap::new(),
                receipts: Vec::new(),
                locale: Locale::Ja,
                sends: 1,
                sent_at: now,
                expires_at: now.plus(MINUTE), // or the sweep at the start takes it away
            };
            let mut tx = app.db().begin().await.unwrap();
            let stored = registration::replace(&mut tx, &pending, now).await.unwrap();
            if stored {
                tx.commit().await.unwrap();
            }
            stored
        };
        let stored = join_all((0..10).map(store)).await;
        assert_eq!(stored.iter().filter(|stored| **stored).count(), 1, "round {round}");
    }
    app.finish().await;
}

#[tokio::test]
async fn without_cookies_and_after_its_time_a_page_says_how_to_start_again() {
    let app = TestApp::start(Backend::Embedded).await;
    let rp = app.relying_party().await;
    for late in [false, true] {
        let browser = app.http_browser();
        let steps = ["#login-id-form", "#password-form", "#documents-form"];
        let mut page = set_out(&browser, &rp.begin(&Ask::default())).await;
        for (reached, css) in steps.into_iter().enumerate() {
            if late {
                app.clock.advance(MINUTE * 30);
            } else {
                browser.clear_cookies();
            }
            let form = page.form(css);
            let form = match reached {
                0 => form.set("login_id", HANAKO.login_id),
                1 => form.set("password", HANAKO.born),
                _ => form.set("privacy", "on").set("terms", "on"),
            };
            let answer = form.submit().await;
            let expected = if late { StatusCode::GONE } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, expected, "{css}: {}", answer.text());
            let told = if late { "最初からやり直" } else { "もう一度お試し" };
            assert!(answer.text().contains(told), "{css}: {}", answer.text());
            let reloaded = browser.get(page.url.as_str()).await;
            assert_eq!(reloaded.status, StatusCode::GONE, "{css}");
            // And from the new start to the next step.
            page = reloaded.click("#restart").await.follow_here().await;
            page = give_login_id(&page, HANAKO.login_id).await;
            if reached >= 1 {
                page = give_password(&page, HANAKO.born).await;
            }
        }
    }
    app.finish().await;
}
