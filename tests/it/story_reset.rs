//! What the office does for those who cannot help themselves: reset, reissue, unlock, end sessions.

use std::os::unix::fs::PermissionsExt as _;

use kenpos_idp::{
    cli::operate::{self, ActArgs, CodeArgs},
    config::insurer::Activation,
};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{
    app::{Backend, INSURER, MINUTE, TestApp, on_both_backends},
    http_browser::Page,
    journey::{
        accept_documents, allow, complete, confirm, give_details, give_login_id, log_in, register, set_out,
    },
    members::{HANAKO, ICHIRO, NOBODY, Someone},
    recovery::assert_dead,
    relying_party::Ask,
};

on_both_backends! {
    a_reset_member_registers_again_and_is_the_same_to_the_app
    where_the_policy_says_so_a_code_is_asked_for
    five_wrong_codes_void_a_code
    during_a_spray_alarm_a_code_opens_the_way
    who_was_given_a_code_needs_it_under_any_policy
    the_office_unlocks_and_ends_sessions
    acts_that_make_no_sense_are_refused
}

fn act(login_id: &str) -> ActArgs {
    ActArgs {
        login_id: login_id.to_owned(),
        reason: "電話で本人確認済み".to_owned(),
        operator: "jimu".to_owned(),
        insurer: None,
        json: true,
    }
}

const NO_CODE: CodeArgs = CodeArgs { code: false, letter: None };
const WITH_CODE: CodeArgs = CodeArgs { code: true, letter: None };

/// Runs `member reset`; what it prints.
async fn reset(app: &TestApp, someone: &Someone, code: &CodeArgs) -> Value {
    let mut out = Vec::new();
    operate::reset(app.app(), &act(someone.login_id), code, &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Runs `member reissue`; what it prints.
async fn reissue(app: &TestApp, someone: &Someone, code: &CodeArgs) -> Value {
    let mut out = Vec::new();
    operate::reissue(app.app(), &act(someone.login_id), code, &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn code_of(printed: &Value) -> String {
    printed["activation_code"].as_str().unwrap_or_else(|| panic!("no code in {printed}")).to_owned()
}

async fn password_page(app: &TestApp, someone: &Someone) -> Page {
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    give_login_id(&login, someone.login_id).await
}

/// The first sign-in with birth date and code.
async fn give_code(page: &Page, someone: &Someone, code: &str) -> Page {
    let form = page.form("#password-form").set("password", someone.born).set("code", code);
    form.submit().await.follow_here().await
}

fn assert_wrong(page: &Page) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
    assert!(page.text().contains("ログインIDまたはパスワードが正しくありません"), "{}", page.text());
}

async fn a_reset_member_registers_again_and_is_the_same_to_the_app(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let phone = app.activate(&HANAKO).await;
    let ask = Ask::scopes(&["profile", "offline_access"]);
    let attempt = rp.begin(&ask);
    let back = allow(&set_out(&phone, &attempt).await).await;
    let before = rp.finish(attempt, &back).await;
    let link = app.password_link(&HANAKO).await;
    app.clock.advance(MINUTE);

    let printed = reset(&app, &HANAKO, &NO_CODE).await;
    assert_eq!(printed["login_id"], HANAKO.login_id);
    assert_eq!(printed["activation"], "birth date as the temporary password");
    let notice = app.mailbox.next(HANAKO.email).await;
    assert_eq!(notice.subject, format!("【{INSURER}】登録内容が初期化されました"));
    assert_eq!(app.number("select count(*) from consent").await, 0);
    assert_eq!(app.number("select count(*) from receipt").await, 2, "history stays");
    let wiped = "select count(*) from member where email is null and password_hash is null and kana is null";
    assert_eq!(app.number(wiped).await, 1);
    let line = "select count(*) from audit where action = 'member.reset' and actor = 'cli:jimu'
                and member_id is not null and detail like '%電話で本人確認済み%'";
    assert_eq!(app.number(line).await, 1);

    assert_dead(&link).await;
    assert_eq!(phone.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER, "signed out");
    rp.userinfo(&before).await.unwrap_err();
    rp.refresh(before.refresh_token.as_deref().unwrap()).await.unwrap_err();
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    assert_wrong(&log_in(&login, HANAKO.login_id, HANAKO.password).await);
    app.forgot_password(HANAKO.login_id, HANAKO.born).await;

    app.clock.advance(MINUTE);
    let browser = app.http_browser();
    let attempt = rp.begin(&ask);
    let hanako =
        Someone { email: "hanako.new@mail.example", password: "雨上がりの虹と青い傘", ..HANAKO };
    register(&set_out(&browser, &attempt).await, &hanako).await;
    let link = app.mailbox.next_link(hanako.email).await;
    let asked_again = complete(&browser, &link, hanako.password).await;
    let after = rp.finish(attempt, &allow(&asked_again).await).await;
    app.mailbox.next(hanako.email).await;
    assert_eq!(after.claims["sub"], before.claims["sub"]);
    rp.userinfo(&after).await.unwrap();
    rp.refresh(before.refresh_token.as_deref().unwrap()).await.unwrap_err();
    assert_eq!(app.number("select count(*) from receipt").await, 4);
    assert_eq!(app.number("select count(*) from member").await, 1);
    app.finish().await;
}

async fn where_the_policy_says_so_a_code_is_asked_for(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| {
        config.insurers[0].policy.activation = Activation::BirthdateAndCode;
    })
    .await;
    let page = password_page(&app, &HANAKO).await;
    let unknown = password_page(&app, &NOBODY).await;
    assert_eq!(page.select("#code").len(), unknown.select("#code").len(), "the field is there for everybody");
    let without = give_code(&page, &HANAKO, "").await;
    assert_wrong(&without);
    let wrong = give_code(&page, &HANAKO, "ABCD-2345-EFGH").await;
    assert_eq!(wrong.text(), without.text(), "every failure says the same");
    let old = code_of(&reissue(&app, &HANAKO, &NO_CODE).await);
    let new = code_of(&reissue(&app, &HANAKO, &NO_CODE).await);
    assert_wrong(&give_code(&page, &HANAKO, &old).await);
    assert_wrong(&give_code(&page, &Someone { born: "19990102", ..HANAKO }, &new).await);
    let typed = new.replace('-', "ー").to_lowercase();
    let documents = give_code(&page, &HANAKO, &typed).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    let details = accept_documents(&documents).await;
    confirm(&give_details(&details, &HANAKO).await).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    complete(&app.http_browser(), &link, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    assert_eq!(app.number("select count(*) from activation_code").await, 0, "a code works once");
    assert_wrong(&give_code(&page, &HANAKO, &new).await);
    let account =
        log_in(&password_page(&app, &HANAKO).await.click("#back").await, HANAKO.login_id, HANAKO.password)
            .await;
    assert_eq!(account.url.path(), "/account", "who is registered needs none: {}", account.text());

    let printed = reset(&app, &HANAKO, &NO_CODE).await;
    app.mailbox.next(HANAKO.email).await;
    assert_wrong(&give_code(&page, &HANAKO, &new).await);
    let documents = give_code(&page, &HANAKO, &code_of(&printed)).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    app.finish().await;
}

async fn five_wrong_codes_void_a_code(backend: Backend) {
    let app = TestApp::start_with(backend, |config| {
        config.insurers[0].policy.activation = Activation::BirthdateAndCode;
        config.insurers[0].policy.login_failures = 100;
        config.insurers[0].policy.temporary_password_failures = 100;
    })
    .await;
    let code = code_of(&reissue(&app, &HANAKO, &NO_CODE).await);
    let page = password_page(&app, &HANAKO).await;
    for _ in 0..6 {
        // Who does not know the birth date cannot spend the tries of who does.
        assert_wrong(&give_code(&page, &Someone { born: "19990102", ..HANAKO }, "ABCD-2345-EFGH").await);
    }
    for _ in 0..4 {
        assert_wrong(&give_code(&page, &HANAKO, "ABCD-2345-EFGH").await);
    }
    for _ in 0..2 {
        let documents = give_code(&password_page(&app, &HANAKO).await, &HANAKO, &code).await;
        assert!(documents.url.path().ends_with("/documents"), "four are not five: {}", documents.text());
    }
    assert_wrong(&give_code(&page, &HANAKO, "ABCD-2345-EFGH").await);
    assert_wrong(&give_code(&page, &HANAKO, &code).await);
    app.finish().await;
}

async fn during_a_spray_alarm_a_code_opens_the_way(backend: Backend) {
    let app = TestApp::start(backend).await;
    assert_eq!(password_page(&app, &HANAKO).await.select("details #code").len(), 1, "folded");
    let code = code_of(&reissue(&app, &HANAKO, &WITH_CODE).await);
    for number in 1..=10 {
        let someone =
            Someone { login_id: Box::leak(format!("7132-0910009{number:02}").into_boxed_str()), ..HANAKO };
        let page = password_page(&app, &someone).await;
        page.form("#password-form").set("password", HANAKO.born).submit().await;
    }
    let page = password_page(&app, &HANAKO).await;
    assert!(!page.select("#activation-stopped").is_empty() && page.select("details #code").is_empty());
    assert_wrong(&give_code(&page, &HANAKO, "").await);
    let documents = give_code(&page, &HANAKO, &code).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    app.finish().await;
}

async fn who_was_given_a_code_needs_it_under_any_policy(backend: Backend) {
    let app = TestApp::start_with(backend, |config| {
        config.insurers[0].policy.login_failures = 100;
        config.insurers[0].policy.temporary_password_failures = 100;
    })
    .await;
    let opened = |page: &Page| page.url.path().ends_with("/documents");
    let page = password_page(&app, &HANAKO).await;
    let code = code_of(&reissue(&app, &HANAKO, &WITH_CODE).await);
    let stranger = give_code(&password_page(&app, &NOBODY).await, &NOBODY, "").await;
    let without = give_code(&page, &HANAKO, "").await;
    assert_wrong(&without);
    assert_eq!(without.text().replace(HANAKO.login_id, ""), stranger.text().replace(NOBODY.login_id, ""));
    assert!(opened(&give_code(&page, &HANAKO, &code).await));
    let ichiro = give_code(&password_page(&app, &ICHIRO).await, &ICHIRO, "").await;
    assert!(opened(&ichiro), "who was given none needs none: {}", ichiro.text());
    // Nor does the birth date alone open anything once the code is void by wrong ones, or by its age.
    for _ in 0..5 {
        assert_wrong(&give_code(&page, &HANAKO, "ABCD-2345-EFGH").await);
    }
    assert_wrong(&give_code(&page, &HANAKO, "").await);
    let code = code_of(&reissue(&app, &HANAKO, &WITH_CODE).await);
    app.clock.advance(std::time::Duration::from_secs(31 * 86_400));
    let page = password_page(&app, &HANAKO).await;
    assert_wrong(&give_code(&page, &HANAKO, &code).await);
    assert_wrong(&give_code(&page, &HANAKO, "").await);
    // The office may go back to the birth date alone.
    reissue(&app, &HANAKO, &NO_CODE).await;
    assert!(opened(&give_code(&page, &HANAKO, "").await));
    app.finish().await;
}

async fn the_office_unlocks_and_ends_sessions(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let phone = app.activate(&HANAKO).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for _ in 0..6 {
        log_in(&login, HANAKO.login_id, "not this one").await;
    }
    let paused = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS);
    operate::unlock(app.app(), &act(HANAKO.login_id), &mut Vec::new()).await.unwrap();
    let account = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());

    app.clock.advance(MINUTE);
    operate::end_sessions(app.app(), &act(HANAKO.email), &mut Vec::new()).await.unwrap();
    assert_eq!(phone.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER);
    app.clock.advance(MINUTE);
    let account = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account", "the password is as before");
    let acts = "select count(*) from audit where actor = 'cli:jimu'
                and action in ('member.unlocked', 'member.sessions_ended')";
    assert_eq!(app.number(acts).await, 2);
    app.finish().await;
}

async fn acts_that_make_no_sense_are_refused(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let out = &mut Vec::new();
    let refused = |result: anyhow::Result<()>, why: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(operate::reset(app.app(), &act(NOBODY.login_id), &NO_CODE, out).await, "nobody");
    refused(operate::reset(app.app(), &act("nobody@mail.example"), &NO_CODE, out).await, "nobody");
    refused(operate::reset(app.app(), &act(ICHIRO.login_id), &NO_CODE, out).await, "no account");
    refused(operate::end_sessions(app.app(), &act(ICHIRO.login_id), out).await, "no account");
    refused(operate::reissue(app.app(), &act(HANAKO.login_id), &NO_CODE, out).await, "registered");
    let silent = ActArgs { reason: "  ".to_owned(), ..act(HANAKO.login_id) };
    refused(operate::reset(app.app(), &silent, &NO_CODE, out).await, "reason");
    assert_eq!(app.number("select count(*) from audit where actor like 'cli:%'").await, 0);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.html");
    let letter = CodeArgs { code: true, letter: Some(file.clone()) };
    let printed = reset(&app, &HANAKO, &letter).await;
    assert!(printed.get("activation_code").is_none(), "{printed}");
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(
        page.contains(HANAKO.login_id) && page.contains("初回登録コード") && page.contains(INSURER),
        "{page}"
    );
    assert!(!page.contains(HANAKO.born));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    refused(operate::reissue(app.app(), &act(HANAKO.login_id), &letter, out).await, "exists already");
    refused(operate::reset(app.app(), &act(HANAKO.login_id), &NO_CODE, out).await, "reset before");
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}
