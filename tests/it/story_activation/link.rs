//! The mailed link: once, for a day, with the right password, and for the newest registration only.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::support::{
    app::{Backend, DAY, HOUR, MILLISECOND, TestApp, almost, on_both_backends},
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, complete, confirm, give_details, log_in, register},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    a_link_lives_for_exactly_a_day
    looking_at_a_link_never_spends_it
    five_wrong_passwords_destroy_a_registration
    sending_again_voids_the_link_before
    a_newer_registration_voids_the_one_before
    a_link_works_once_however_many_press_the_button
    guesses_in_parallel_are_five_at_most
    a_button_pressed_many_times_sends_one_mail
    an_address_in_use_is_told_to_its_owner_alone
}

/// Registers Hanako; gives the page 「メールを送信しました」 and the link.
async fn registered(app: &mut TestApp, browser: &HttpBrowser) -> (Page, Url) {
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let sent = register(&login, &HANAKO).await;
    (sent, app.mailbox.next_link(HANAKO.email).await)
}

/// What the waiting page is told.
async fn state(sent: &Page, browser: &HttpBrowser) -> String {
    let status = sent.url.as_str().replace("/sent", "/status");
    let answer: serde_json::Value = serde_json::from_str(&browser.get(&status).await.body).unwrap();
    answer["state"].as_str().unwrap().to_owned()
}

/// The mails and the page of a link that is dead must not tell why.
async fn assert_dead(link: &Url) {
    let page = HttpBrowser::new().get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::GONE, "{}", page.text());
    assert!(page.text().contains("このURLは使えません"), "{}", page.text());
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}

async fn a_link_lives_for_exactly_a_day(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let (sent, link) = registered(&mut app, &browser).await;
    app.clock.advance(almost(DAY));
    let page = browser.get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::OK, "alive one millisecond before its end");
    assert_eq!(state(&sent, &browser).await, "waiting");
    app.clock.advance(MILLISECOND);
    assert_dead(&link).await;
    let late = page.form("#link-form").set("password", HANAKO.password).submit().await;
    assert_eq!(late.status, StatusCode::GONE, "the page was open in time, the button came too late");
    assert_eq!(state(&sent, &browser).await, "ended");
    let ended = browser.get(sent.url.as_str()).await;
    assert_eq!(ended.status, StatusCode::GONE);
    // 「初回登録を最初からやり直し」
    let login = ended.click("#restart").await.follow_here().await;
    register(&login, &HANAKO).await;
    app.clock.advance(almost(DAY));
    let link = app.mailbox.next_link(HANAKO.email).await;
    let account = complete(&browser, &link, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account", "still the browser that started: {}", account.text());
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn looking_at_a_link_never_spends_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let (sent, link) = registered(&mut app, &browser).await;
    let scanner = app.http_browser();
    for _ in 0..10 {
        assert_eq!(scanner.get(link.as_str()).await.status, StatusCode::OK);
        assert_eq!(scanner.raw(Method::HEAD, link.as_str(), &[], "").await.status, StatusCode::OK);
        // A scanner that presses buttons has no password.
        let page = scanner.get(link.as_str()).await;
        assert_eq!(page.form("#link-form").submit().await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // A post from nowhere has no token of a page.
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = format!("password={}", HANAKO.password);
        let blind = scanner.raw(Method::POST, link.as_str(), &form, &body).await;
        assert_eq!(blind.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(state(&sent, &browser).await, "waiting");
    let account = complete(&browser, &link, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account");
    app.mailbox.next(HANAKO.email).await;
    assert_dead(&link).await;
    app.finish().await;
}

async fn five_wrong_passwords_destroy_a_registration(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let (sent, link) = registered(&mut app, &browser).await;
    for left in (1..=4).rev() {
        // Neither the temporary password nor another one.
        let page = complete(&browser, &link, if left % 2 == 0 { HANAKO.born } else { "another one" }).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text().contains(&format!("あと{left}回")), "{}", page.text());
    }
    let page = complete(&browser, &link, "another one").await;
    assert_eq!(page.status, StatusCode::GONE, "{}", page.text());
    assert_dead(&link).await;
    assert_eq!(state(&sent, &browser).await, "ended");
    // The page and the tab that waits both name the reason, among others.
    let waiting = browser.get(sent.url.as_str()).await;
    assert_eq!(waiting.select("h1")[0].text, "初回登録を続けられません");
    for told in [&page, &waiting] {
        assert!(told.text().contains("間違ったパスワードの入力が続いた"), "{}", told.text());
        assert!(!told.text().contains("仮パスワード"), "{}", told.text());
    }
    // Only the registration is gone: the temporary password still opens a new one.
    let (_, link) = registered(&mut app, &browser).await;
    complete(&browser, &link, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn sending_again_voids_the_link_before(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let (mut sent, mut link) = registered(&mut app, &browser).await;
    for left in (0..5).rev() {
        assert!(sent.text().contains(&format!("あと{}回", left + 1)), "{}", sent.text());
        app.clock.advance(HOUR);
        sent = sent.form("#resend-form").submit().await.follow_here().await;
        let before = std::mem::replace(&mut link, app.mailbox.next_link(HANAKO.email).await);
        assert_ne!(before, link);
        assert_dead(&before).await;
    }
    assert!(sent.select("#resend-form").is_empty(), "no sixth time: {}", sent.text());
    let sixth = sent.url.as_str().replace("/sent", "/resend").replace("?again=true", "");
    let csrf = browser.get(link.as_str()).await.form("#link-form").value("csrf").unwrap().to_owned();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let refused = browser.raw(Method::POST, &sixth, &form, &format!("csrf={csrf}")).await.follow_here().await;
    assert!(refused.text().contains("再送できる回数の上限"), "{}", refused.text());
    // The last link lives a day from when it was sent, and the parked interaction with it.
    app.clock.advance(almost(DAY));
    let account = complete(&browser, &link, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn a_newer_registration_voids_the_one_before(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let (stranger, owner) = (app.http_browser(), app.http_browser());
    let (waiting, old) = registered(&mut app, &stranger).await;
    let (_, new) = registered(&mut app, &owner).await;
    assert_dead(&old).await;
    assert_eq!(state(&waiting, &stranger).await, "ended");
    complete(&owner, &new, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    // Nobody gets in by waiting on the page of a registration that was replaced.
    assert_eq!(state(&waiting, &stranger).await, "ended");
    let done = stranger.get(&waiting.url.as_str().replace("/sent", "/done")).await;
    assert_eq!(done.status, StatusCode::GONE, "{}", done.text());
    assert_eq!(stranger.cookie(&app.url("/"), "kenpos-session"), None);
    app.finish().await;
}

async fn a_link_works_once_however_many_press_the_button(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let (_, link) = registered(&mut app, &browser).await;
    let elsewhere = app.http_browser();
    let page = elsewhere.get(link.as_str()).await;
    let press = || page.form("#link-form").set("password", HANAKO.password).submit();
    let answers = join_all((0..50).map(|_| press())).await;
    let completed = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    let refused = answers.iter().filter(|answer| answer.status == StatusCode::GONE).count();
    assert_eq!((completed, refused), (1, 49));
    assert_eq!(press().await.status, StatusCode::GONE, "and never again");
    assert_dead(&link).await;
    // One notice, so one activation.
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn guesses_in_parallel_are_five_at_most(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let (_, link) = registered(&mut app, &browser).await;
    let page = app.http_browser().get(link.as_str()).await;
    let guess = |n: usize| page.form("#link-form").set("password", &format!("guess {n}")).submit();
    let answers = join_all((0..50).map(guess)).await;
    let told = answers.iter().filter(|answer| answer.status == StatusCode::UNPROCESSABLE_ENTITY).count();
    assert!(told <= 4, "{told} guesses were answered");
    assert_dead(&link).await;
    app.finish().await;
}

async fn a_button_pressed_many_times_sends_one_mail(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&login, HANAKO.login_id, HANAKO.born).await).await;
    let check = give_details(&details, &HANAKO).await;
    for sent in join_all((0..10).map(|_| confirm(&check))).await {
        assert!(sent.url.path().ends_with("/sent"), "{} {}", sent.url, sent.text());
        assert_eq!(state(&sent, &browser).await, "waiting");
    }
    let sent = confirm(&check).await;
    assert!(sent.url.path().ends_with("/sent"), "and once more later: {}", sent.text());
    let link = app.mailbox.next_link(HANAKO.email).await;
    complete(&browser, &link, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn an_address_in_use_is_told_to_its_owner_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let owner = app.activate(&ICHIRO).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let free = register(&login, &HANAKO).await;
    app.mailbox.next_link(HANAKO.email).await;

    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let upper = ICHIRO.email.to_uppercase();
    let mut hanako = HANAKO;
    hanako.email = Box::leak(upper.into_boxed_str());
    let taken = register(&login, &hanako).await;
    let address = |page: &Page| page.select("#shown-email")[0].text.clone();
    assert_eq!(
        taken.text().replace(&address(&taken), ""),
        free.text().replace(&address(&free), ""),
        "the page cannot tell"
    );
    let mail = app.mailbox.next(ICHIRO.email).await;
    assert!(mail.subject.ends_with("ご入力のメールアドレスについて"), "{}", mail.subject);
    assert!(mail.links().is_empty());
    assert_eq!(owner.get(&app.url("/account")).await.status, StatusCode::OK);
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let account = log_in(&login, ICHIRO.login_id, ICHIRO.password).await;
    assert_eq!(account.url.path(), "/account", "the owner is as before");
    app.finish().await;
}
