//! Mails that wait, and addresses that bounce.

use kenpos_idp::{
    cli::queue::{self, MarkArgs, Name, QueueCommand, RowArgs},
    operators::Role,
};
use reqwest::StatusCode;
use serde_json::Value;

use super::{confirm, until};
use crate::{
    story_operators::matrix::second_insurer,
    support::{
        app::{Backend, TestApp, on_both_backends},
        members::HANAKO,
    },
};

on_both_backends! {
    mails_are_seen_and_moved_but_never_read
    nothing_is_sent_to_an_address_that_bounces
}

async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |config| config.insurers.push(second_insurer())).await
}

/// A mail that waits for an hour; its content cannot be opened.
async fn waiting(app: &TestApp, id: &str, insurer: &str) {
    let now = app.clock.now().millis();
    app.run(&format!(
        "insert into outbox (id, kind, sealed, state, insurer, recipient, recipient_mac, last_error, attempts,
                             next_attempt_at, give_up_at, created_at)
         values ('{id}', 'password_changed', 'x', 'queued', '{insurer}', 'h***@mail.example', 'mac', '451 later', 2,
                 {}, {}, {now})",
        now + 3_600_000,
        now + 86_400_000
    ))
    .await;
}

async fn mails_are_seen_and_moved_but_never_read(backend: Backend) {
    let mut app = start(backend).await;
    app.activate(&HANAKO).await;
    for (id, insurer) in [("wait-1", "7132"), ("wait-2", "7132"), ("wait-3", "7133")] {
        waiting(&app, id, insurer).await;
    }
    let office = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let list = office.get(&app.url("/admin/mails")).await;
    assert_eq!(list.status, StatusCode::OK);
    let text = list.text();
    assert!(text.contains("h***@mail.example") && text.contains("451 later"), "{text}");
    assert!(!text.contains(HANAKO.email) && !list.body.contains("wait-3"), "{text}");
    let queued = list.form("#filter-form").set("state", "queued").submit().await;
    assert_eq!(queued.select("#rows tbody tr").len(), 2, "{}", queued.text());

    let page = office.get(&app.url("/admin/mails/wait-1/give-up")).await;
    let empty = page.form("#confirm-form").submit().await;
    assert_eq!(empty.select("#reason-error").len(), 1, "a reason is asked for");
    let done = confirm(&page).await;
    assert_eq!(done.select("#notice").len(), 1, "{}", done.text());
    assert_eq!(app.number("select count(*) from outbox where id = 'wait-1' and sealed is null").await, 1);
    let again = confirm(&page).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    confirm(&office.get(&app.url("/admin/mails/wait-2/retry")).await).await;
    until(&app, "select count(*) from outbox where id = 'wait-2' and state = 'failed' and attempts = 3", 1)
        .await;

    assert_eq!(office.get(&app.url("/admin/mails/wait-3/retry")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(office.get(&app.url("/admin/mails/nobody%00/retry")).await.status, StatusCode::NOT_FOUND);
    let auditor = app.staff(Role::Auditor, None).await.browser(&app).await;
    let seen = auditor.get(&app.url("/admin/mails?state=queued")).await;
    assert!(seen.body.contains("7133") && seen.select("main a[href$=retry]").is_empty(), "{}", seen.text());
    assert_eq!(auditor.get(&app.url("/admin/mails/wait-3/retry")).await.status, StatusCode::FORBIDDEN);

    // The command line does the same.
    let args = RowArgs {
        queue: Name::Mails,
        id: "wait-3".to_owned(),
        reason: "x".to_owned(),
        operator: "root".to_owned(),
        json: true,
    };
    let mut out = Vec::new();
    queue::run(app.app(), QueueCommand::GiveUp(args.clone()), &mut out).await.unwrap();
    assert!(queue::run(app.app(), QueueCommand::Retry(args), &mut out).await.is_err());
    let mut out = Vec::new();
    let all = QueueCommand::List { queue: Name::Mails, state: "failed".to_owned(), json: true };
    queue::run(app.app(), all, &mut out).await.unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&out).unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row["for"] == "h***@mail.example"), "{rows:?}");
    assert_eq!(app.number("select count(*) from audit where action = 'mail.given_up'").await, 2);
    app.finish().await;
}

async fn nothing_is_sent_to_an_address_that_bounces(backend: Backend) {
    let mut app = start(backend).await;
    let member = app.activate(&HANAKO).await;
    assert!(member.get(&app.url("/account")).await.select("#bounces").is_empty());
    let office = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let list = office.get(&app.url("/admin/mails?state=sent")).await;
    let bounce = list.select("#rows a[href$=bounce]")[0].attr("href").unwrap().to_owned();
    confirm(&list.visit(&bounce).await).await;
    let twice = confirm(&office.get(&app.url(&bounce)).await).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.text());

    // The member is asked for another address, and mails to this one are not sent.
    let account = member.get(&app.url("/account")).await;
    assert_eq!(account.select("#bounces").len(), 1, "{}", account.text());
    app.forgot_password(HANAKO.login_id, HANAKO.born).await;
    until(&app, "select count(*) from outbox where state = 'failed' and last_error like '%bounces%'", 1)
        .await;

    let other = app.staff(Role::Office, Some("7133")).await.browser(&app).await;
    assert_eq!(other.get(&app.url("/admin/bounces")).await.select("#none").len(), 1);
    let marks = office.get(&app.url("/admin/bounces")).await;
    assert!(
        marks.text().contains("h***@mail.example") && !marks.body.contains(HANAKO.email),
        "{}",
        marks.text()
    );
    let clear = marks.select("#marks a[href$=clear]")[0].attr("href").unwrap().to_owned();
    assert_eq!(other.get(&app.url(&clear)).await.status, StatusCode::NOT_FOUND);
    let cleared = confirm(&marks.visit(&clear).await).await;
    assert_eq!(cleared.select("#none").len(), 1, "{}", cleared.text());
    assert!(member.get(&app.url("/account")).await.select("#bounces").is_empty());
    let args =
        MarkArgs { id: "nobody".to_owned(), reason: "x".to_owned(), operator: "root".to_owned(), json: true };
    assert!(queue::run(app.app(), QueueCommand::ClearBounce(args), &mut Vec::new()).await.is_err());
    app.finish().await;
}
