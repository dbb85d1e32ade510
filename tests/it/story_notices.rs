//! What the address hears that the insurer knows, and what 「身に覚えのない登録」 does.

mod office;

use reqwest::{Method, StatusCode};
use url::Url;

use crate::support::{
    app::{Backend, INSURER, MINUTE, TestApp, on_both_backends},
    family::{KIYOSHI, inquire, register as register_relative},
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, complete, confirm, give_details, log_in, register},
    members::{HANAKO, Someone},
};

on_both_backends! {
    the_roster_address_hears_of_beginning_and_end
    a_registration_that_is_not_theirs_is_stopped_on_the_way
    an_account_that_is_not_theirs_is_frozen
    a_relative_is_told_and_can_stop_it_too
}

/// The address that the insurer knows of Hanako.
const KNOWN: &str = "takeda.hanako@office.example";
const ROW: &str = "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日,メールアドレス
91,200001,00,一般被保険者,タケダ ハナコ,1999-01-01,2021-04-01,,takeda.hanako@office.example
";
const SCOPES: &str = "openid profile offline_access";

async fn with_known_address(backend: Backend) -> TestApp {
    let app = TestApp::start(backend).await;
    app.import_roster(ROW).await;
    app
}

async fn documents(app: &TestApp, browser: &HttpBrowser) -> Page {
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    log_in(&login, HANAKO.login_id, HANAKO.born).await
}

/// 「登録を止めて知らせる」
async fn stop(link: &Url) -> Page {
    let page = HttpBrowser::new().get(link.as_str()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    page.form("#not-mine-form").submit().await
}

async fn the_roster_address_hears_of_beginning_and_end(backend: Backend) {
    let mut app = with_known_address(backend).await;
    let browser = app.http_browser();
    let page = documents(&app, &browser).await;
    let began = app.mailbox.next(KNOWN).await;
    assert_eq!(began.subject, format!("【{INSURER}】初回登録のお手続きが始まりました"));
    // Who begins again the same day says nothing new.
    documents(&app, &app.http_browser()).await;
    confirm(&give_details(&accept_documents(&page).await, &HANAKO).await).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    complete(&browser, &link, HANAKO.password).await;
    let completed = app.mailbox.next(HANAKO.email).await;
    assert!(completed.text.contains("ログインIDと、ご自分で決めたパスワードで"), "{}", completed.text);
    let ended = app.mailbox.next(KNOWN).await;
    assert_eq!(ended.subject, format!("【{INSURER}】初回登録のお手続きが完了しました(お知らせ)"));
    for mail in [&began, &ended] {
        let [link] = mail.links().try_into().unwrap();
        assert!(link.path().starts_with("/registration/report/"), "{link}");
        for secret in ["200001", "1999", "タケダ", "ハナコ", HANAKO.email] {
            assert!(!mail.text.contains(secret), "{secret} in {}", mail.text);
        }
    }
    // A scanner that opens the link does nothing, with whatever method.
    let [link] = ended.links().try_into().unwrap();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        HttpBrowser::new().raw(method, link.as_str(), &[], "").await;
    }
    assert!(app.is_signed_in(&browser).await);
    app.finish().await;
}

async fn a_registration_that_is_not_theirs_is_stopped_on_the_way(backend: Backend) {
    let mut app = with_known_address(backend).await;
    let intruder = app.http_browser();
    let documents_page = documents(&app, &intruder).await;
    let details = accept_documents(&documents_page).await;
    confirm(&give_details(&details, &HANAKO).await).await;
    let notice = app.mailbox.next_link(KNOWN).await;
    let link = app.mailbox.next_link(HANAKO.email).await;

    let done = stop(&notice).await;
    assert_eq!(done.select("h1")[0].text, "登録を止めました", "{}", done.text());
    assert_eq!(
        HttpBrowser::new().get(link.as_str()).await.status,
        StatusCode::GONE,
        "the mailed link is dead"
    );
    let page = give_details(&details, &HANAKO).await;
    assert_eq!(page.status, StatusCode::GONE, "the draft is dead: {}", page.text());
    let page = documents(&app, &app.http_browser()).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody begins again: {}", page.text());
    assert_eq!(app.number("select count(*) from member").await, 0);
    let alarm = "select count(*) from audit where action = 'registration.disowned' and insurer = '7132'";
    assert_eq!(app.number(alarm).await, 1);
    // The link works once.
    let again = HttpBrowser::new().get(notice.as_str()).await;
    assert_eq!((again.status, again.select("#dead").len()), (StatusCode::GONE, 1));
    assert_eq!(again.headers["referrer-policy"], "no-referrer");
    app.finish().await;
}

async fn an_account_that_is_not_theirs_is_frozen(backend: Backend) {
    let mut app = with_known_address(backend).await;
    let intruder = app.activate(&HANAKO).await;
    app.mailbox.next(KNOWN).await;
    let notice = app.mailbox.next_link(KNOWN).await;
    let tokens = app.redeem(&app.client, &app.code(&intruder, &app.client, SCOPES).await).await;
    app.clock.advance(MINUTE);

    assert_eq!(stop(&notice).await.status, StatusCode::OK);
    assert!(!app.is_signed_in(&intruder).await);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    for password in [HANAKO.password, HANAKO.born] {
        let refused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, password).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody gets in");
    }
    assert_eq!(app.number("select count(*) from member where state = 'frozen'").await, 1);
    let alarm = "select count(*) from audit where action = 'registration.disowned' and member_id is not null";
    assert_eq!(app.number(alarm).await, 1);
    let frozen = app.mailbox.next(HANAKO.email).await;
    assert!(frozen.subject.contains("アカウントの利用を停止しました"), "{}", frozen.subject);
    app.finish().await;
}

async fn a_relative_is_told_and_can_stop_it_too(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let known = "ota@office.example";
    app.import_roster(
        "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日,メールアドレス
900,100001,00,任意継続被保険者,オオタ キヨシ,1955-08-15,2026-04-01,,ota@office.example
",
    )
    .await;
    let browser = app.http_browser();
    register_relative(&app.eligibility(&browser).await, &KIYOSHI).await;
    let notice = app.mailbox.next_link(known).await;
    let link = app.mailbox.next_link(KIYOSHI.someone.email).await;
    stop(&notice).await;
    assert_eq!(HttpBrowser::new().get(link.as_str()).await.status, StatusCode::GONE);
    let refused = inquire(&app.eligibility(&app.http_browser()).await, &KIYOSHI).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());

    // Once the office allows it, it goes on; and then the address is the login ID.
    office::unfreeze_person(&app, "900", "100001").await;
    let browser = app.http_browser();
    register_relative(&app.eligibility(&browser).await, &KIYOSHI).await;
    let link = app.mailbox.next_link(KIYOSHI.someone.email).await;
    complete(&browser, &link, KIYOSHI.someone.password).await;
    let completed = app.mailbox.next(KIYOSHI.someone.email).await;
    assert!(completed.text.contains("このメールアドレスがログインIDです"), "{}", completed.text);
    app.mailbox.next(known).await;
    app.finish().await;
}

/// Somebody who registers again with other data.
async fn register_anew(app: &mut TestApp, someone: &Someone) -> HttpBrowser {
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    register(&login, someone).await;
    let link = app.mailbox.next_link(someone.email).await;
    complete(&browser, &link, someone.password).await;
    app.mailbox.next(someone.email).await;
    browser
}
