//! What administrators do to operators, in the console.

use kenpos_idp::{
    cli::operator::{OperatorCommand, Rights},
    operators::Role,
};
use reqwest::{Method, StatusCode};

use super::{create, matrix::two_insurers, run, set_up, whom};
use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
    operators::PASSWORD,
};

on_both_backends! {
    an_invited_operator_sets_up_and_works
    roles_and_access_are_taken_and_given_back
}

/// Opens a page of an operator, gives the reason and goes on.
async fn act(app: &TestApp, browser: &HttpBrowser, id: &str, act: &str) -> Page {
    let page =
        browser.get(&app.url(&format!("/admin/operators/{id}"))).await.click(&format!("#to-{act}")).await;
    let unexplained = page.form("#confirm-form").set("reason", " 　").submit().await;
    assert_eq!(unexplained.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(unexplained.select("#reason-error").len(), 1, "{}", unexplained.text());
    unexplained.form("#confirm-form").set("reason", "本人の申し出").submit().await.follow_here().await
}

async fn an_invited_operator_sets_up_and_works(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let boss = app.staff(Role::Administrator, None).await.browser(&app).await;
    let page = boss.get(&app.url("/admin")).await.click("#nav-operators").await.click("#invite").await;
    let filled = page
        .form("#invite-form")
        .set("email", "No Address")
        .set("name", "佐藤 花子")
        .set("role", "office")
        .set("insurer", "7132")
        .set("reason", "着任")
        .submit()
        .await;
    assert_eq!(filled.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(filled.select("#email-error").len(), 1, "{}", filled.text());
    let form = filled.form("#invite-form");
    // What was typed stays.
    assert_eq!((form.value("name"), form.value("insurer")), (Some("佐藤 花子"), Some("7132")));
    let sent = form.set("email", "hanako@office.example").submit().await.follow_here().await;
    assert!(sent.select("#notice")[0].text.contains("メール"), "{}", sent.text());
    assert_eq!(sent.select("#state")[0].text, "設定待ち");

    let link = app.mailbox.next_link("hanako@office.example").await;
    let colleague = app.http_browser();
    let codes = set_up(&app, &colleague.get(link.as_str()).await, PASSWORD).await;
    let dashboard = codes.click("#next").await;
    let parts: Vec<_> = dashboard.select("nav.rail a").into_iter().map(|part| part.text).collect();
    assert_eq!(
        parts,
        ["ダッシュボード", "会員", "適用台帳", "同意文書", "メール"],
        "the office sees its own parts"
    );
    assert_eq!(dashboard.select("#mails-queued").len(), 0, "the queue belongs to all");
    let twice = boss.get(&app.url("/admin/operators/new")).await;
    let twice = twice
        .form("#invite-form")
        .set("email", "HANAKO@office.example")
        .set("name", "x")
        .set("reason", "x")
        .submit()
        .await;
    assert_eq!(twice.select("#email-error").len(), 1, "{}", twice.text());

    // A reset takes everything away, and the mail leads to another setup.
    let id = sent.url.path_segments().unwrap().next_back().unwrap().to_owned();
    let reset = act(&app, &boss, &id, "reset").await;
    assert!(reset.select("#notice")[0].text.contains("再設定"), "{}", reset.text());
    assert_eq!(colleague.get(&app.url("/admin")).await.follow_here().await.url.path(), "/admin/sign-in");
    let second = app.mailbox.next_link("hanako@office.example").await;
    assert_ne!(link, second);
    // The clock stands still: the time step of the setup before may be used again by another secret.
    let codes = set_up(&app, &colleague.get(second.as_str()).await, PASSWORD).await;
    assert_eq!(codes.click("#next").await.url.path(), "/admin");
    let reasons = "select count(*) from audit where action = 'operator.reset'
        and actor like 'operator:%' and detail like '%本人の申し出%'";
    assert_eq!(app.number(reasons).await, 1);
    app.finish().await;
}

async fn roles_and_access_are_taken_and_given_back(backend: Backend) {
    let app = TestApp::start(backend).await;
    let first = app.staff(Role::Administrator, None).await;
    let staff = app.staff(Role::Office, None).await;
    let (boss, office) = (first.browser(&app).await, staff.browser(&app).await);
    let at = async |browser: &HttpBrowser, path: &str| browser.get(&app.url(path)).await.status;
    assert_eq!(at(&office, "/admin/audit").await, StatusCode::FORBIDDEN);
    let page = boss.get(&app.url(&format!("/admin/operators/{}", staff.id))).await.click("#to-role").await;
    assert_eq!(page.form("#role-form").value("role"), Some("office"));
    let changed = page.form("#role-form").set("role", "auditor").set("reason", "異動").submit().await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text());
    // From the next click on, in the session that there is.
    assert_eq!(at(&office, "/admin/audit").await, StatusCode::OK);

    let disabled = act(&app, &boss, &staff.id, "disable").await;
    assert_eq!(disabled.select("#state")[0].text, "停止中", "{}", disabled.text());
    assert_eq!(at(&office, "/admin").await, StatusCode::SEE_OTHER);
    let enabled = act(&app, &boss, &staff.id, "enable").await;
    assert_eq!(enabled.select("#state")[0].text, "利用中");
    assert_eq!(at(&office, "/admin").await, StatusCode::SEE_OTHER, "the session stays void");
    staff.browser(&app).await;

    // Nobody does it to themselves, and the last administrator for all stays.
    let own = boss.get(&app.url(&format!("/admin/operators/{}", first.id))).await;
    assert_eq!(own.select("#to-disable").len(), 0, "{}", own.text());
    let page = boss.get(&app.url(&format!("/admin/operators/{}/disable", first.id))).await;
    let refused = page.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("自分自身"), "{}", refused.text());
    let local = app.staff(Role::Administrator, Some("7132")).await;
    assert!(!local.id.is_empty());
    let mut out = Vec::new();
    let command = OperatorCommand::Disable(whom(&first.email));
    let refused = kenpos_idp::cli::operator::run(app.app(), command, &b""[..], &mut out).await.unwrap_err();
    assert!(refused.to_string().contains("last administrator"), "{refused}");
    create(&app, "second@office.example", false).await;
    let command = OperatorCommand::Role {
        whom: whom(&first.email),
        rights: Rights { role: Role::Auditor, insurer: None },
    };
    let refused = kenpos_idp::cli::operator::run(app.app(), command, &b""[..], &mut out).await.unwrap_err();
    assert!(refused.to_string().contains("last administrator"), "one who is not set up does not count");
    run(&app, OperatorCommand::Disable(whom(&staff.email))).await;
    run(&app, OperatorCommand::Enable(whom(&staff.email))).await;
    app.finish().await;
}

#[tokio::test]
async fn an_administrator_of_one_insurer_stays_there() {
    let app = two_insurers().await;
    let foreign = app.staff(Role::Office, Some("7133")).await;
    let all = app.staff(Role::Auditor, None).await;
    let own = app.staff(Role::Office, Some("7132")).await;
    let local = app.staff(Role::Administrator, Some("7132")).await.browser(&app).await;
    let list = local.get(&app.url("/admin/operators")).await;
    assert!(list.text().contains(&own.email), "{}", list.text());
    assert!(!list.text().contains(&foreign.email) && !list.text().contains(&all.email), "{}", list.text());
    let page = local.get(&app.url("/admin/operators/new")).await;
    assert_eq!(page.select("#insurer option").len(), 1, "{}", page.text());
    let form = page.form("#invite-form");
    let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    for (path, insurer) in [
        ("/admin/operators/new".to_owned(), ""),
        ("/admin/operators/new".to_owned(), "7133"),
        (format!("/admin/operators/{}/role", own.id), ""),
        (format!("/admin/operators/{}/role", own.id), "7133"),
        (format!("/admin/operators/{}/role", foreign.id), "7132"),
        (format!("/admin/operators/{}/disable", all.id), "7132"),
        (format!("/admin/operators/{}/reset", foreign.id), "7132"),
    ] {
        let body = format!(
            "csrf={csrf}&who={who}&email=a@b.example&name=x&role=administrator&insurer={insurer}&reason=x"
        );
        let answer = local.raw(Method::POST, &app.url(&path), &headers, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} {insurer}: {}", answer.text());
    }
    // Nor may a form that was made for somebody else be sent.
    let colleague = app.staff(Role::Administrator, None).await;
    page.form("#sign-out-form").submit().await;
    colleague.sign_in_with(&app, &local).await;
    let late = page.form("#invite-form").set("email", "a@b.example").set("name", "x").set("reason", "x");
    assert_eq!(late.submit().await.status, StatusCode::CONFLICT);
    app.finish().await;
}
