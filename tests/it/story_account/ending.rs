//! What a member takes away: from apps, from intruders, from the service.

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, CLIENT, MINUTE, TestApp, on_both_backends},
    members::HANAKO,
};

on_both_backends! {
    an_app_that_lost_its_access_does_not_get_it_back_by_itself
    a_report_freezes_the_account_and_tells_the_office
    a_request_to_leave_is_with_the_office_until_taken_back
}

const SCOPES: &str = "openid email offline_access";
const OFFICE: &str = "office@kenpo.example";

async fn an_app_that_lost_its_access_does_not_get_it_back_by_itself(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    assert_eq!(app.account(&browser, "/apps").await.select("#none").len(), 1);
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    let spare = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    let unused = app.code(&browser, &app.client, SCOPES).await;
    app.clock.advance(MINUTE);

    let page = app.account(&browser, "/apps").await;
    assert_eq!(page.select("#apps h2")[0].text, CLIENT);
    let shown = &page.select("#apps > li")[0].text;
    for words in ["2026年11月23日(月)10時15分", "メールアドレス", "ログアウト後の継続利用"]
    {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let page = page.form("#withdraw-form-1").submit().await.follow_here().await;
    assert_eq!(page.select("#none").len(), 1, "{}", page.text());
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    assert_eq!(app.redeem(&app.client, &unused).await.error(), "invalid_grant");

    // The member allows it again, which brings back nothing from before.
    app.clock.advance(MINUTE);
    let again = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(app.refresh(&app.client, spare.text("refresh_token")).await.error(), "invalid_grant");
    assert_eq!(app.userinfo(spare.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.userinfo(again.text("access_token")).await.status, StatusCode::OK);
    // One more scope does not end what was there.
    app.clock.advance(MINUTE);
    app.code(&browser, &app.client, "openid email offline_access profile").await;
    assert_eq!(app.refresh(&app.client, again.text("refresh_token")).await.status, StatusCode::OK);
    app.finish().await;
}

async fn a_report_freezes_the_account_and_tells_the_office(backend: Backend) {
    let office = |config: &mut kenpos_idp::config::Config| {
        config.insurers[0].contact.email = Some(OFFICE.to_owned());
    };
    let mut app = TestApp::start_with(backend, office).await;
    let browser = app.activate(&HANAKO).await;
    let intruder = app.signed_in(&HANAKO, HANAKO.password).await;
    let tokens = app.redeem(&app.client, &app.code(&intruder, &app.client, SCOPES).await).await;

    let page = app.account(&browser, "/report").await;
    for password in ["", "wrong"] {
        let refused = page.form("#report-form").set("password", password).submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let done = page.form("#report-form").set("password", HANAKO.password).submit().await.follow_here().await;
    assert_eq!(done.url.path(), "/account/report/done");
    assert!(done.text().contains("03-1234-5678") && done.text().contains("事務局"), "{}", done.text());
    for browser in [&browser, &intruder] {
        assert!(!app.is_signed_in(browser).await);
    }
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    for password in [HANAKO.password, HANAKO.born] {
        let refused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, password).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody gets in");
    }
    let mail = app.mailbox.next(OFFICE).await;
    assert!(mail.subject.contains("身に覚えのない登録・ログイン"), "{}", mail.subject);
    for secret in ["200001", "タケダ", HANAKO.email, "1999"] {
        assert!(!mail.text.contains(secret), "{secret} in {}", mail.text);
    }
    let notice = app.mailbox.next(HANAKO.email).await;
    assert!(notice.subject.contains("アカウントの利用を停止しました"), "{}", notice.subject);
    assert_eq!(app.number("select count(*) from audit where action = 'member.reported'").await, 1);
    assert_eq!(app.number("select count(*) from member where state = 'frozen'").await, 1);
    app.finish().await;
}

async fn a_request_to_leave_is_with_the_office_until_taken_back(backend: Backend) {
    let office = |config: &mut kenpos_idp::config::Config| {
        config.insurers[0].contact.email = Some(OFFICE.to_owned());
    };
    let mut app = TestApp::start_with(backend, office).await;
    let browser = app.activate(&HANAKO).await;
    let page = app.account(&browser, "/deletion").await;
    let refused = page.form("#deletion-form").set("password", "wrong").submit().await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let ask = || page.form("#deletion-form").set("password", HANAKO.password).submit();
    let asked = ask().await.follow_here().await;
    assert!(asked.select("#with-office")[0].text.contains("10時15分"), "{}", asked.text());
    ask().await; // a double submit says nothing twice
    app.mailbox.next(OFFICE).await;
    app.mailbox.next(HANAKO.email).await;
    assert!(app.is_signed_in(&browser).await, "nothing is deleted by itself");
    let back = asked.form("#withdraw-form").submit().await.follow_here().await;
    assert!(back.select("#notice")[0].text.contains("取り消しました"));
    assert_eq!(app.account(&browser, "/deletion").await.select("#deletion-form").len(), 1);
    let told = "select count(*) from audit where action like 'member.deletion_%'";
    assert_eq!(app.number(told).await, 2);
    app.finish().await;
}
