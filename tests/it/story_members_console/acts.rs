//! What the office does to members.

use kenpos_idp::operators::Role;
use reqwest::StatusCode;

use super::{act, find, member, office, timeline};
use crate::support::{
    app::{Backend, CLIENT, INSURER, MINUTE, TestApp, on_both_backends},
    http_browser::Page,
    journey::{allow, complete, log_in, register, set_out},
    members::{HANAKO, ICHIRO, Someone},
    relying_party::Ask,
};

on_both_backends! {
    a_reset_member_activates_again_and_is_the_same
    the_office_unlocks_logs_out_stops_and_starts
    an_address_is_shown_and_corrected
    an_app_loses_its_access
    requests_for_deletion_are_settled
    who_audits_looks_and_does_nothing
    what_was_typed_stays
}

fn notice(page: &Page) -> String {
    page.select("#notice").first().map(|notice| notice.text.clone()).unwrap_or_default()
}

async fn a_reset_member_activates_again_and_is_the_same(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let phone = app.activate(&HANAKO).await;
    let ask = Ask::scopes(&["profile"]);
    let attempt = rp.begin(&ask);
    let back = allow(&set_out(&phone, &attempt).await).await;
    let before = rp.finish(attempt, &back).await;
    let browser = office(&app, Role::Office, Some("7132")).await;
    let page = member(&app, &browser, &HANAKO).await;
    let subject = page.select("#subject")[0].text.clone();
    assert!(page.text().contains(CLIENT), "{}", page.text());
    assert_eq!(
        (page.select("#apps li").len(), page.select("#documents li").len()),
        (1, 2),
        "{}",
        page.text()
    );
    assert_eq!(page.select("#sessions li").len(), 1);
    let kinds = timeline(&page);
    for kind in ["member.activated", "member.consented", "registration.mail_sent", "roster.person_added"] {
        assert!(kinds.iter().any(|known| known == kind), "no {kind} in {kinds:?}");
    }

    let form = page.click("#to-reset").await;
    let unsaid = form.form("#issue-form").submit().await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(unsaid.select("#reason-error").len(), 1);
    app.clock.advance(MINUTE);
    let issued = unsaid.form("#issue-form").set("reason", "IDとパスワードを忘れた").submit().await;
    assert_eq!(issued.status, StatusCode::OK, "{}", issued.text());
    assert!(issued.select("#letter").is_empty() && issued.text().contains("生年月日"), "{}", issued.text());
    app.mailbox.next(HANAKO.email).await;
    rp.userinfo(&before).await.unwrap_err();
    let again = unsaid.form("#issue-form").set("reason", "もう一度").submit().await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    assert!(again.text().contains("すでに初期化されています"), "{}", again.text());

    app.clock.advance(MINUTE);
    let other = app.http_browser();
    let attempt = rp.begin(&ask);
    let hanako =
        Someone { email: "hanako.new@mail.example", password: "雨上がりの虹と青い傘", ..HANAKO };
    register(&set_out(&other, &attempt).await, &hanako).await;
    let link = app.mailbox.next_link(hanako.email).await;
    let asked = complete(&other, &link, hanako.password).await;
    let after = rp.finish(attempt, &allow(&asked).await).await;
    app.mailbox.next(hanako.email).await;
    assert_eq!(after.claims["sub"], before.claims["sub"]);
    let page = member(&app, &browser, &HANAKO).await;
    assert_eq!(page.select("#subject")[0].text, subject);
    let kinds = timeline(&page);
    assert!(kinds.contains(&"member.reset".to_owned()), "{kinds:?}");
    let line = page.select("#lines tr").into_iter().find(|row| row.text.contains("member.reset")).unwrap();
    assert!(
        line.text.contains("IDとパスワードを忘れた") && line.text.contains("担当 office"),
        "{}",
        line.text
    );
    app.finish().await;
}

async fn the_office_unlocks_logs_out_stops_and_starts(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let phone = app.activate(&HANAKO).await;
    let browser = office(&app, Role::Administrator, None).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for _ in 0..6 {
        log_in(&login, HANAKO.login_id, "not this one").await;
    }
    let page = member(&app, &browser, &HANAKO).await;
    assert_eq!(page.select("#paused").len(), 1, "{}", page.text());
    assert!(timeline(&page).contains(&"member.sign_in_failed".to_owned()), "{}", page.text());
    let page = act(&page, "unlock").await;
    assert!(notice(&page).contains("解除") && page.select("#paused").is_empty(), "{}", page.text());
    assert_eq!(log_in(&login, HANAKO.login_id, HANAKO.password).await.url.path(), "/account");
    app.clock.advance(MINUTE);
    let page = act(&page, "end-sessions").await;
    assert!(page.select("#sessions").is_empty(), "{}", page.text());
    assert_eq!(phone.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER);

    app.clock.advance(MINUTE);
    let page = act(&page, "freeze").await;
    assert_eq!(page.select("#state")[0].text, "停止中");
    let mail = app.mailbox.next(HANAKO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】アカウントの利用を停止しました"));
    let refused = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stale = browser.get(&app.url(&format!("{}/freeze", page.url.path()))).await;
    let twice = stale.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text());
    let page = act(&page, "unfreeze").await;
    assert_eq!(page.select("#state")[0].text, "登録済み");
    app.mailbox.next(HANAKO.email).await;
    app.clock.advance(MINUTE);
    assert_eq!(log_in(&login, HANAKO.login_id, HANAKO.password).await.url.path(), "/account");

    // Somebody without an account cannot begin to register.
    let page = act(&member(&app, &browser, &ICHIRO).await, "freeze").await;
    assert_eq!(page.select("#stopped").len(), 1, "{}", page.text());
    let refused = log_in(&login, ICHIRO.login_id, ICHIRO.born).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = act(&page, "unfreeze").await;
    assert!(page.select("#stopped").is_empty(), "{}", page.text());
    let documents = log_in(&login, ICHIRO.login_id, ICHIRO.born).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    let acts = "select count(*) from audit where actor like 'operator:%' and detail like '%電話で本人確認済み%'
                and action in ('member.unlocked', 'member.sessions_ended', 'member.frozen', 'member.unfrozen')";
    assert_eq!(app.number(acts).await, 6);
    app.finish().await;
}

async fn an_address_is_shown_and_corrected(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    let browser = office(&app, Role::Office, None).await;
    let page = member(&app, &browser, &HANAKO).await;
    assert!(
        !page.body.contains(HANAKO.email) && page.text().contains("h***@mail.example"),
        "{}",
        page.text()
    );
    let shown = act(&page, "show-email").await;
    assert!(shown.select("#email")[0].text.contains(HANAKO.email), "{}", shown.text());
    assert_eq!(app.number("select count(*) from audit where action = 'member.email_shown'").await, 1);
    assert!(!member(&app, &browser, &HANAKO).await.body.contains(HANAKO.email), "masked again");

    let form = page.click("#to-email").await;
    for (email, says) in [("hanako", "形式"), (HANAKO.email, "すでに"), (ICHIRO.email, "別の会員")] {
        let refused = form.form("#email-form").set("email", email).set("reason", "聞き間違い").submit().await;
        assert!(refused.select("#email-error")[0].text.contains(says), "{email}: {}", refused.text());
        assert_eq!(refused.select("#email")[0].attr("value"), Some(email));
        assert_eq!(refused.select("#reason")[0].attr("value"), Some("聞き間違い"));
    }
    let new = "hanako.right@mail.example";
    let done = form
        .form("#email-form")
        .set("email", new)
        .set("reason", "聞き間違い")
        .submit()
        .await
        .follow_here()
        .await;
    assert!(notice(&done).contains("確認のメール"), "{}", done.text());
    assert!(done.select("#email")[0].text.contains("の確認待ち"), "{}", done.text());
    let told = app.mailbox.next(HANAKO.email).await;
    assert_eq!(told.subject, format!("【{INSURER}】メールアドレスの変更を受け付けました"));
    let link = app.mailbox.next_link(new).await;
    let login = app.http_browser();
    let opened = login.get(link.as_str()).await;
    let changed = opened.form("#link-form").set("password", HANAKO.password).submit().await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    app.mailbox.next(HANAKO.email).await;
    assert_eq!(super::names(&find(&app, &browser, "hanako.right").await), ["タケダ ハナコ"]);
    app.finish().await;
}

async fn an_app_loses_its_access(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let phone = app.activate(&HANAKO).await;
    let attempt = rp.begin(&Ask::scopes(&["profile"]));
    let back = allow(&set_out(&phone, &attempt).await).await;
    let tokens = rp.finish(attempt, &back).await;
    let browser = office(&app, Role::Office, None).await;
    let page = member(&app, &browser, &HANAKO).await;
    let confirm = page.click("#withdraw-1").await;
    assert!(confirm.text().contains(CLIENT), "{}", confirm.text());
    let done = confirm.form("#confirm-form").set("reason", "本人の依頼").submit().await.follow_here().await;
    assert!(done.select("#apps").is_empty(), "{}", done.text());
    rp.userinfo(&tokens).await.unwrap_err();
    let twice = confirm.form("#confirm-form").set("reason", "本人の依頼").submit().await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text());
    let line = "select count(*) from audit where action = 'member.app_withdrawn' and client_id is not null
                and member_id is not null";
    assert_eq!(app.number(line).await, 1);
    app.finish().await;
}

async fn requests_for_deletion_are_settled(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = office(&app, Role::Office, Some("7132")).await;
    let list = app.url("/admin/members/deletion-requests");
    assert_eq!(browser.get(&list).await.select("#none").len(), 1);
    for someone in [&HANAKO, &ICHIRO] {
        let own = app.activate(someone).await;
        let page = own.get(&app.url("/account/deletion")).await;
        page.form("#deletion-form").set("password", someone.password).submit().await;
        app.mailbox.next(someone.email).await;
        app.clock.advance(MINUTE);
    }
    let page = browser.get(&list).await;
    let links: Vec<_> = page.select("#requests a").into_iter().map(|link| link.text).collect();
    assert_eq!(links, [HANAKO.login_id, ICHIRO.login_id], "the oldest first");
    let hanako = page.click("#requests tr:first-child a").await;
    assert_eq!(hanako.select("#deletion").len(), 1, "{}", hanako.text());
    let gone = act(&hanako, "delete").await;
    assert_eq!(gone.select("#state")[0].text, "退会済み");
    app.mailbox.next(HANAKO.email).await;
    let ichiro = page.click("#requests tr:last-child a").await;
    let kept = act(&ichiro, "dismiss-deletion").await;
    assert_eq!(kept.select("#state")[0].text, "登録済み");
    app.mailbox.next(ICHIRO.email).await;
    assert_eq!(browser.get(&list).await.select("#none").len(), 1);

    // A request by letter: the page warns that the member did not ask here.
    let warned = kept.click("#to-delete").await;
    assert!(warned.text().contains("画面での退会の申請はありません"), "{}", warned.text());
    let gone = act(&kept, "delete").await;
    assert_eq!(gone.select("#state")[0].text, "退会済み");
    app.mailbox.next(ICHIRO.email).await;
    let twice = warned.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text());
    app.finish().await;
}

async fn who_audits_looks_and_does_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let browser = office(&app, Role::Auditor, None).await;
    let page = member(&app, &browser, &HANAKO).await;
    assert!(page.select("[id^=to-]").is_empty(), "no act is offered: {}", page.body);
    for act in ["registration/reset", "email", "show-email", "export", "delete", "apps/x"] {
        let refused = browser.get(&format!("{}/{act}", page.url)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{act}");
    }
    let clients = office(&app, Role::ClientManager, None).await;
    assert_eq!(clients.get(&app.url("/admin/members")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(clients.get(page.url.as_str()).await.status, StatusCode::FORBIDDEN);
    app.finish().await;
}

async fn what_was_typed_stays(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let browser = office(&app, Role::Office, None).await;
    let page = member(&app, &browser, &HANAKO).await;
    let long = "あ".repeat(501);
    let reset = page.click("#to-reset").await;
    let refused = reset.form("#issue-form").set("code", "on").set("reason", &long).submit().await;
    assert_eq!(refused.select("#reason")[0].attr("value"), Some(&*long));
    assert!(refused.select("#code")[0].attr("checked").is_some(), "{}", refused.body);
    let freeze = page.click("#to-freeze").await;
    let refused = freeze.form("#confirm-form").set("reason", &long).submit().await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.select("#reason")[0].attr("value"), Some(&*long));
    for path in ["/nothing", "/registration/nothing", "/apps/%00"] {
        assert_eq!(browser.get(&format!("{}{path}", page.url)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for id in ["nobody", "%00", "..%2f..", &"x".repeat(4000)] {
        let missing = browser.get(&app.url(&format!("/admin/members/{id}"))).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{id}");
    }
    assert_eq!(
        app.number("select count(*) from audit where action in ('member.reset', 'member.frozen')").await,
        0
    );
    app.finish().await;
}
