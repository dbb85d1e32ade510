//! The office looks at what was stopped, and at who wants to leave.

use kenpos_idp::{
    cli::{
        Tools, deletion, member,
        operate::{self, ActArgs, CodeArgs},
    },
    clock::Entropy,
    storage::roster::{self, Sought},
};
use reqwest::StatusCode;
use serde_json::Value;

use super::{KNOWN, SCOPES, register_anew, stop, with_known_address};
use crate::support::{
    app::{Backend, INSURER, MINUTE, TestApp, on_both_backends},
    family::SAKURA,
    members::{HANAKO, ICHIRO, Someone},
};

on_both_backends! {
    a_false_alarm_is_taken_back
    a_true_alarm_ends_in_a_reset
    requests_to_leave_are_listed_carried_out_or_dismissed
    a_member_is_shown_by_address
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

/// `member unfreeze` for somebody without an account: by the person that the audit names.
pub async fn unfreeze_person(app: &TestApp, symbol: &str, number: &str) {
    let sought =
        Sought {
            insurer: "7132", symbol, number, kana_folded: "オオタキヨシ", birth_date: "1955-08-15"
        };
    let [person] = roster::find_self_registering(app.db(), &sought).await.unwrap().try_into().unwrap();
    operate::unfreeze(app.app(), &act(&person.id), &mut Vec::new()).await.unwrap();
}

async fn a_false_alarm_is_taken_back(backend: Backend) {
    let mut app = with_known_address(backend).await;
    let browser = app.activate(&HANAKO).await;
    app.mailbox.next(KNOWN).await;
    let notice = app.mailbox.next_link(KNOWN).await;
    let refused = operate::unfreeze(app.app(), &act(HANAKO.login_id), &mut Vec::new()).await.unwrap_err();
    assert!(refused.to_string().contains("nothing is stopped"), "{refused}");
    app.clock.advance(MINUTE);
    stop(&notice).await;
    app.mailbox.next(HANAKO.email).await;

    let mut out = Vec::new();
    operate::unfreeze(app.app(), &act(HANAKO.login_id), &mut out).await.unwrap();
    let printed: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(printed["done"], "unfrozen");
    let mail = app.mailbox.next(HANAKO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】アカウントの利用を再開しました"));
    assert!(!app.is_signed_in(&browser).await, "what was given before stays void");
    app.clock.advance(MINUTE);
    app.signed_in(&HANAKO, HANAKO.password).await;
    let told = "select count(*) from audit where action = 'member.unfrozen' and actor = 'cli:jimu'
                and detail like '%電話で本人確認済み%'";
    assert_eq!(app.number(told).await, 1);
    app.finish().await;
}

async fn a_true_alarm_ends_in_a_reset(backend: Backend) {
    let mut app = with_known_address(backend).await;
    app.activate(&HANAKO).await;
    app.mailbox.next(KNOWN).await;
    let notice = app.mailbox.next_link(KNOWN).await;
    app.clock.advance(MINUTE);
    stop(&notice).await;
    app.mailbox.next(HANAKO.email).await;
    let no_code = CodeArgs { code: false, letter: None };
    operate::reset(app.app(), &act(HANAKO.login_id), &no_code, &mut Vec::new()).await.unwrap();
    app.mailbox.next(HANAKO.email).await;
    app.clock.advance(MINUTE);
    let right =
        Someone { email: "hanako@right.example", password: "雨上がりの虹と青い傘", ..HANAKO };
    // The start was told today already; the end is told again.
    register_anew(&mut app, &right).await;
    app.mailbox.next(KNOWN).await;
    app.finish().await;
}

async fn listed(app: &TestApp, insurer: Option<&str>) -> Vec<Value> {
    let mut out = Vec::new();
    deletion::list(app.app(), insurer, true, &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

async fn requests_to_leave_are_listed_carried_out_or_dismissed(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    assert!(listed(&app, None).await.is_empty());
    let out = &mut Vec::new();
    for someone in [&HANAKO, &ICHIRO] {
        let browser = app.activate(someone).await;
        let refused =
            deletion::delete(app.app(), &act(someone.login_id), (false, false), out).await.unwrap_err();
        assert!(refused.to_string().contains("has not asked"), "{refused}");
        let page = app.account(&browser, "/deletion").await;
        page.form("#deletion-form").set("password", someone.password).submit().await;
        app.mailbox.next(someone.email).await;
        app.clock.advance(MINUTE);
    }
    let all = listed(&app, None).await;
    let ids: Vec<_> = all.iter().map(|request| request["login_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [HANAKO.login_id, ICHIRO.login_id], "the oldest first");
    assert_eq!(all[0]["requested"], "2026-11-23T01:15:00Z");
    assert_eq!(listed(&app, Some("7132")).await.len(), 2);
    assert!(listed(&app, Some("9001")).await.is_empty());
    let mut text = Vec::new();
    deletion::list(app.app(), None, false, &mut text).await.unwrap();
    assert_eq!(String::from_utf8(text).unwrap().lines().count(), 2);

    // Dismissed: the account goes on.
    deletion::delete(app.app(), &act(ICHIRO.login_id), (true, false), out).await.unwrap();
    let mail = app.mailbox.next(ICHIRO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】退会の申請について"));
    app.signed_in(&ICHIRO, ICHIRO.password).await;

    // Carried out: nothing personal is left with the account.
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    let tokens = app.redeem(&app.client, &app.code(&browser, &app.client, SCOPES).await).await;
    app.clock.advance(MINUTE);
    deletion::delete(app.app(), &act(HANAKO.login_id), (false, false), out).await.unwrap();
    let mail = app.mailbox.next(HANAKO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】退会の手続きが完了しました"));
    assert!(listed(&app, None).await.is_empty());
    assert!(!app.is_signed_in(&browser).await);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert_eq!(app.refresh(&app.client, tokens.text("refresh_token")).await.error(), "invalid_grant");
    for password in [HANAKO.password, HANAKO.born] {
        let refused = app.try_to_sign_in(&app.http_browser(), HANAKO.login_id, password).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let wiped = "select count(*) from member where state = 'closed' and email is null and email_key is null
                 and kana is null and password_hash is null and id in (select member_id from receipt)";
    assert_eq!(app.number(wiped).await, 1, "receipts stay");
    let gone =
        "select count(*) from preference where member_id in (select id from member where state = 'closed')";
    assert_eq!(app.number(gone).await, 0);
    assert_eq!(app.number("select count(*) from consent").await, 0);

    // Who wants to come back asks the office, and is the same again.
    let no_code = CodeArgs { code: false, letter: None };
    operate::reset(app.app(), &act(HANAKO.login_id), &no_code, out).await.unwrap();
    app.clock.advance(MINUTE);
    register_anew(&mut app, &HANAKO).await;
    assert_eq!(app.number("select count(*) from member").await, 2);
    app.finish().await;
}

async fn a_member_is_shown_by_address(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate_relative(&SAKURA).await;
    let tools = Tools {
        config: app.app().config().clone(),
        db: app.db().clone(),
        clock: app.clock.clone(),
        entropy: Entropy::system(),
    };
    let mut out = Vec::new();
    member::show(&tools, ("SAKURA.takeda@mail.example", None), true, &mut out).await.unwrap();
    let shown: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(shown["category"], "dependent");
    assert_eq!(shown["login_id"], "SAKURA.takeda@mail.example");
    assert_eq!(shown["temporary_password"], "none: registers by e-mail");
    assert_eq!(shown["account"]["state"], "active");
    assert_eq!(shown["account"]["email"], "S***@mail.example");
    let mut text = Vec::new();
    member::show(&tools, (SAKURA.someone.login_id, None), false, &mut text).await.unwrap();
    assert!(!String::from_utf8(text).unwrap().contains("2001"), "no birth date");
    let nobody = member::show(&tools, ("nobody@mail.example", None), true, &mut out).await.unwrap_err();
    assert!(nobody.to_string().contains("nobody signs in"), "{nobody}");
    app.finish().await;
}
