//! Every way in which a session ends: relying parties are told, and what was not granted for the member's
//! absence ends with it.

use kenpos_idp::{
    cli::operate::{self, ActArgs, CodeArgs},
    members::{
        login_id,
        roster::{Outcome, RosterImport},
    },
    storage::{delivery, recovery},
};
use reqwest::StatusCode;

use super::{check_token, log_out, start, tokens, told_at};
use crate::support::{
    app::{Backend, HOUR, MILLISECOND, MINUTE, TestApp, on_both_backends},
    attack::Answer,
    http_browser::HttpBrowser,
    members::{HANAKO, hanako_until},
    receiver::Receiver,
    recovery::renew,
    relying_party::{Ask, Registered},
};

on_both_backends! {
    a_logout_ends_what_was_not_for_the_absence
    two_clients_cannot_tell_that_they_share_a_session
    a_device_that_is_ended_on_the_account_page
    everywhere_else_but_here
    a_new_password_and_a_report
    a_forgotten_password
    the_office_ends_resets_and_loses_somebody
    who_is_cut_off_after_the_change_is_made_up_for
    a_last_day_ends_at_midnight
}

async fn two_clients_cannot_tell_that_they_share_a_session(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let one = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let two = told_at(&app, "https://two.example.jp", &receiver.url("/two")).await;
    let browser = app.activate(&HANAKO).await;
    let (first, second) =
        (tokens(&app, &browser, &one, "openid").await, tokens(&app, &browser, &two, "openid").await);
    let claims = [&first, &second].map(|answer| super::part(answer.text("id_token"), 1));
    for joint in ["sid", "sub"] {
        assert_ne!(claims[0][joint], claims[1][joint], "{joint}");
    }
    // Each is told by its own name of the session, and the hint of either ends it.
    let hint = second.text("id_token");
    let query = crate::support::attack::encoded(&[("id_token_hint", hint.to_owned())]);
    let looked = browser.raw(reqwest::Method::HEAD, &app.url(&format!("/logout?{query}")), &[], "").await;
    assert_eq!(looked.status, StatusCode::OK);
    assert!(app.is_signed_in(&browser).await, "who only looks ends nothing");
    browser.get(&app.url(&format!("/logout?{query}"))).await;
    assert!(!app.is_signed_in(&browser).await);
    for _ in 0..2 {
        let told = receiver.next().await;
        let (client, tokens) = if told.path == "/one" { (&one, &first) } else { (&two, &second) };
        check_token(&app, &told, client, tokens.text("id_token"));
    }
    app.finish().await;
}

/// A session with tokens, of a client that is told of its end.
struct Scene {
    app: TestApp,
    receiver: Receiver,
    client: Registered,
    browser: HttpBrowser,
    tokens: Answer,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let (mut app, receiver) = start(backend).await;
        let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
        let browser = app.activate(&HANAKO).await;
        let tokens = tokens(&app, &browser, &client, "openid").await;
        Self { app, receiver, client, browser, tokens }
    }

    /// The relying party is told of the end, once, and has nothing any more.
    async fn assert_ended(&mut self) {
        let Self { app, receiver, client, browser, tokens } = self;
        check_token(app, &receiver.next().await, client, tokens.text("id_token"));
        assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
        assert!(!app.is_signed_in(browser).await);
        let rp = app.relying_party_of(client).await;
        let silent = rp.begin(&Ask::default().silently());
        let back = browser.get(silent.url.as_str()).await.location().unwrap();
        assert_eq!(rp.code(&silent, &back), Err("login_required".to_owned()));
        // The safety net of the database tells nobody twice.
        app.clock.advance(MINUTE);
        assert!(receiver.unread().is_empty());
    }

    async fn sign_in_again(&mut self, password: &str) {
        self.browser = self.app.signed_in(&HANAKO, password).await;
        self.tokens = tokens(&self.app, &self.browser, &self.client, "openid").await;
    }
}

fn act() -> ActArgs {
    ActArgs {
        login_id: HANAKO.login_id.to_owned(),
        reason: "電話で本人確認済み".to_owned(),
        operator: "jimu".to_owned(),
        insurer: None,
        json: true,
    }
}

async fn a_logout_ends_what_was_not_for_the_absence(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    let (app, client) = (&scene.app, &scene.client);
    let offline = tokens(app, &scene.browser, client, "openid offline_access").await;
    let unused = app.code(&scene.browser, client, "openid offline_access").await;
    log_out(app, &scene.browser).await;
    assert_eq!(app.redeem(client, &unused).await.error(), "invalid_grant");
    // Back-Channel Logout §2.7: what was granted for the member's absence goes on.
    assert_eq!(app.userinfo(offline.text("access_token")).await.status, StatusCode::OK);
    let refreshed = app.refresh(client, offline.text("refresh_token")).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.json);
    scene.assert_ended().await;
    scene.app.finish().await;
}

async fn a_device_that_is_ended_on_the_account_page(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    let other = scene.app.signed_in(&HANAKO, HANAKO.password).await;
    let page = scene.app.account(&other, "/sessions").await;
    page.form("form[action='/account/sessions']").submit().await;
    scene.assert_ended().await;
    assert!(scene.app.is_signed_in(&other).await);
    scene.app.finish().await;
}

async fn everywhere_else_but_here(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    let other = scene.app.signed_in(&HANAKO, HANAKO.password).await;
    let here = tokens(&scene.app, &other, &scene.client, "openid").await;
    let page = scene.app.account(&other, "/sessions").await;
    page.form("form[action='/account/sessions/others']").submit().await;
    scene.assert_ended().await;
    // The present session goes on under its `sid`; its client is told when it ends.
    log_out(&scene.app, &other).await;
    check_token(&scene.app, &scene.receiver.next().await, &scene.client, here.text("id_token"));
    scene.app.finish().await;
}

async fn a_new_password_and_a_report(backend: Backend) {
    const NEW: &str = "ひまわり畑で5時に会う";
    let mut scene = Scene::set(backend).await;
    let other = scene.app.signed_in(&HANAKO, HANAKO.password).await;
    let page = scene.app.account(&other, "/password").await;
    let form = page.form("#password-form").set("password", HANAKO.password).set("new_password", NEW);
    form.submit().await;
    scene.app.mailbox.next(HANAKO.email).await;
    scene.assert_ended().await;
    scene.sign_in_again(NEW).await;
    let page = scene.app.account(&other, "/report").await;
    page.form("#report-form").set("password", NEW).submit().await;
    scene.app.mailbox.next(HANAKO.email).await;
    scene.assert_ended().await;
    scene.app.finish().await;
}

async fn a_forgotten_password(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    let link = scene.app.password_link(&HANAKO).await;
    renew(&scene.app.http_browser(), &link, "ひまわり畑で5時に会う").await;
    scene.app.mailbox.next(HANAKO.email).await;
    scene.assert_ended().await;
    scene.app.finish().await;
}

async fn the_office_ends_resets_and_loses_somebody(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    operate::end_sessions(scene.app.app(), &act(), &mut Vec::new()).await.unwrap();
    scene.assert_ended().await;
    scene.sign_in_again(HANAKO.password).await;
    scene.app.clock.advance(MINUTE);
    lose_everybody(&scene.app).await;
    scene.assert_ended().await;
    scene.app.import_roster(crate::support::members::ROSTER).await;
    scene.sign_in_again(HANAKO.password).await;
    let code = CodeArgs { code: false, letter: None };
    operate::reset(scene.app.app(), &act(), &code, &mut Vec::new()).await.unwrap();
    scene.app.mailbox.next(HANAKO.email).await;
    scene.assert_ended().await;
    scene.app.finish().await;
}

/// The change of the account is committed, and the process ends before it could tell anybody.
async fn who_is_cut_off_after_the_change_is_made_up_for(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    let members = &scene.app.app().members;
    let typed = login_id::parse(HANAKO.login_id, &members.config.insurers).unwrap();
    let member = members.subject_of(&typed, None).await.unwrap().unwrap().member.unwrap();
    let now = scene.app.clock.now().plus(MILLISECOND);
    let mut tx = members.db.begin().await.unwrap();
    recovery::end_sessions(&mut tx, &member.id, now).await.unwrap();
    delivery::sessions_ended(&mut tx, &member.id, now).await.unwrap();
    tx.commit().await.unwrap();
    scene.app.restart().await;
    assert!(scene.receiver.unread().is_empty());
    scene.app.clock.advance(MINUTE);
    scene.assert_ended().await;
    scene.app.finish().await;
}

/// Nobody imports anything at midnight, and apps are told all the same.
async fn a_last_day_ends_at_midnight(backend: Backend) {
    let (mut app, receiver) = start(backend).await;
    app.import_roster(&hanako_until("2026-11-24")).await;
    // 23:58 of the last day.
    app.clock.advance(HOUR * 13 + MINUTE * 43);
    let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let browser = app.activate(&HANAKO).await;
    let tokens = tokens(&app, &browser, &client, "openid").await;
    let mut scene = Scene { app, receiver, client, browser, tokens };
    let members = scene.app.app().members.clone();
    members.tell_of_lost_eligibility().await.unwrap();
    scene.app.clock.advance(MINUTE);
    assert!(scene.app.is_signed_in(&scene.browser).await);
    assert!(scene.receiver.unread().is_empty());
    scene.app.clock.advance(MINUTE);
    members.tell_of_lost_eligibility().await.unwrap();
    scene.assert_ended().await;
    members.tell_of_lost_eligibility().await.unwrap();
    scene.app.clock.advance(MINUTE);
    assert!(scene.receiver.unread().is_empty());
    scene.app.finish().await;
}

/// A complete roster that Hanako is not in.
async fn lose_everybody(app: &TestApp) {
    let members = &app.app().members;
    let import = RosterImport {
        db: &members.db,
        clock: &members.clock,
        entropy: &members.entropy,
        insurer: members.insurer("7132").unwrap(),
        file_name: "roster.csv",
        actor: "test",
        complete: true,
        preview: false,
    };
    let csv = "記号,番号,区分,氏名カナ,生年月日\n123,4567,一般被保険者,スズキ イチロウ,S55.5.5\n";
    let report = import.run(csv.as_bytes(), |_, _| ()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Applied);
}
