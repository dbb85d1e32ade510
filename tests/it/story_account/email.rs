//! A new address: the link at the new one, the notice at the old one.

use reqwest::{Method, StatusCode};
use url::Url;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
    log,
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    the_link_works_on_another_device_with_the_password_alone
    a_taken_address_looks_like_any_other
    a_link_dies_by_time_by_a_newer_one_and_by_a_new_password
    of_parallel_uses_one_wins
    an_email_login_follows_the_address
}

const NEW: &str = "hanako.new@mail.example";

/// 「確認のメールを送信する」
async fn ask(app: &TestApp, browser: &HttpBrowser, email: &str) -> Page {
    let page = app.account(browser, "/email").await;
    let form = page.form("#email-form").set("email", email).set("password", HANAKO.password);
    form.submit().await.follow_here().await
}

async fn open(browser: &HttpBrowser, link: &Url, password: &str) -> Page {
    let page = browser.get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.form("#link-form").set("password", password).submit().await
}

async fn the_link_works_on_another_device_with_the_password_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    log::keep_secret(NEW);
    let browser = app.activate(&HANAKO).await;
    let page = app.account(&browser, "/email").await;
    for (email, password, field) in [
        ("nonsense", HANAKO.password, "email"),
        (HANAKO.email, HANAKO.password, "email"),
        (NEW, "wrong", "password"),
        (NEW, "", "password"),
    ] {
        let refused = page.form("#email-form").set("email", email).set("password", password).submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{email} {password}");
        assert_eq!(refused.select(&format!("#{field}-error")).len(), 1, "{email} {password}");
        assert_eq!(refused.form("#email-form").value("email"), Some(email), "what was typed comes back");
    }
    let sent = ask(&app, &browser, NEW).await;
    let pending = &sent.select("#pending")[0].text;
    assert!(pending.contains("h***@mail.example") && pending.contains("11時15分"), "{pending}");
    let link = app.mailbox.next_link(NEW).await;

    // Scanners open links too, in every way they can.
    let phone = app.http_browser();
    for _ in 0..2 {
        let page = phone.get(link.as_str()).await;
        assert!(!page.body.contains("タケダ") && !page.body.contains("7132-"), "{}", page.text());
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
    phone.raw(Method::HEAD, link.as_str(), &[], "").await;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let bare = phone.raw(Method::POST, link.as_str(), &form, &format!("password={}", HANAKO.password)).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN, "a form that is not ours");
    assert_eq!(open(&phone, &link, "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(open(&phone, &link, "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(app.account(&browser, "/profile").await.text().contains(HANAKO.email), "nothing changed yet");

    let done = open(&phone, &link, HANAKO.password).await;
    assert!(done.select("#done")[0].text.contains("h***@mail.example"), "{}", done.text());
    assert!(!app.is_signed_in(&phone).await, "the link signs nobody in");
    let notice = app.mailbox.next(HANAKO.email).await;
    assert!(notice.subject.contains("メールアドレスを変更しました"), "{}", notice.subject);
    assert!(!notice.text.contains(NEW), "the old address does not learn the new one");
    assert!(app.account(&browser, "/profile").await.text().contains(NEW));
    let again = phone.get(link.as_str()).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert_eq!(again.select("#void").len(), 1);
    app.finish().await;
}

async fn a_taken_address_looks_like_any_other(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let taken = ask(&app, &browser, ICHIRO.email).await;
    let mail = app.mailbox.next(ICHIRO.email).await;
    assert!(mail.text.contains("別のアカウントに登録されている") && mail.links().is_empty(), "{}", mail.text);
    // The same mask, so that the pages may be compared to the byte.
    let free = ask(&app, &browser, "inari.suzuki@mail.example").await;
    app.mailbox.next_link("inari.suzuki@mail.example").await;
    assert_eq!(taken.status, free.status);
    assert_eq!(taken.body, free.body);

    // Mails to others are few: five a day.
    for _ in 0..3 {
        ask(&app, &browser, ICHIRO.email).await;
        app.mailbox.next(ICHIRO.email).await;
    }
    assert_eq!(ask(&app, &browser, ICHIRO.email).await.status, StatusCode::TOO_MANY_REQUESTS);
    app.finish().await;
}

async fn a_link_dies_by_time_by_a_newer_one_and_by_a_new_password(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let is_dead = async |link: &Url| HttpBrowser::new().get(link.as_str()).await.status == StatusCode::GONE;
    ask(&app, &browser, NEW).await;
    let first = app.mailbox.next_link(NEW).await;
    ask(&app, &browser, NEW).await;
    let second = app.mailbox.next_link(NEW).await;
    assert!(is_dead(&first).await && !is_dead(&second).await);
    for _ in 0..2 {
        app.clock.advance(29 * MINUTE);
        assert!(app.is_signed_in(&browser).await);
    }
    assert!(!is_dead(&second).await);
    let late = HttpBrowser::new().get(second.as_str()).await;
    app.clock.advance(2 * MINUTE);
    assert!(is_dead(&second).await, "60 minutes");
    let late = late.form("#link-form").set("password", HANAKO.password).submit().await;
    assert_eq!(late.status, StatusCode::GONE);

    ask(&app, &browser, NEW).await;
    let third = app.mailbox.next_link(NEW).await;
    let page = app.account(&browser, "/password").await;
    let form = page.form("#password-form").set("password", HANAKO.password);
    form.set("new_password", "しろくまと海辺で7回踊る").submit().await;
    app.mailbox.next(HANAKO.email).await;
    assert!(is_dead(&third).await, "a thief's change dies with the thief's password");
    app.finish().await;
}

async fn of_parallel_uses_one_wins(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    ask(&app, &browser, NEW).await;
    let link = app.mailbox.next_link(NEW).await;
    let page = app.http_browser().get(link.as_str()).await;
    let post = || page.form("#link-form").set("password", HANAKO.password).submit();
    let answers = futures_util::future::join_all((0..4).map(|_| post())).await;
    let done = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(done, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn an_email_login_follows_the_address(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    // Insured until now, voluntarily from now on: the address is the login ID.
    app.sql("update roster_person set category = 'voluntary' where number = '200001' and branch = '00'")
        .await;
    let overview = app.account(&browser, "").await;
    assert_eq!(overview.select("#shown-login-id")[0].text, "h***@mail.example");
    let page = ask(&app, &browser, NEW).await;
    assert!(page.text().contains("メールアドレスはログインIDです"), "{}", page.text());
    let link = app.mailbox.next_link(NEW).await;
    let done = open(&app.http_browser(), &link, HANAKO.password).await;
    assert!(done.text().contains("新しいメールアドレスがログインIDになります"), "{}", done.text());
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}
