//! The last import is undone.

use kenpos_idp::{
    cli::roster_log::{self, ImportsArgs, UndoArgs},
    operators::Role,
};
use reqwest::StatusCode;
use serde_json::Value;

use super::{HEADER, act, checked};
use crate::support::{
    app::{Backend, DAY, TestApp, on_both_backends},
    http_browser::HttpBrowser,
    journey::log_in,
    members::{HANAKO, ICHIRO, Someone},
};

on_both_backends! {
    the_last_import_is_undone_but_for_who_registered_since
    the_command_line_undoes_too
}

/// A browser in which a member has just logged in.
async fn log_in_as(app: &TestApp, someone: &Someone) -> HttpBrowser {
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    log_in(&login, someone.login_id, someone.password).await;
    assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK, "{}", someone.login_id);
    browser
}

/// Everything that an import writes about persons.
async fn roster(app: &TestApp) -> i64 {
    // A number that stands for the rows: counts and lengths of what they hold.
    app.number(
        "select cast(count(*) * 1000000 + coalesce(sum(length(identity) * 7 + length(kana) * 31 + length(birth_date)
                + length(category) * 3 + case when lost_at is null then 1000 else 0 end), 0) as bigint)
         from roster_person",
    )
    .await
}

async fn the_last_import_is_undone_but_for_who_registered_since(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&ICHIRO).await;
    app.import_roster(&format!("{HEADER}91,400000,一般被保険者,カゼムラ ソラ,1970-01-01,\n")).await;
    app.clock.advance(DAY);
    let session = log_in_as(&app, &ICHIRO).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let before = roster(&app).await;
    // Adds one, changes Hanako's name, gives a number to somebody else, and loses the others.
    let file = format!(
        "{HEADER}91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n91,200001,一般被保険者,タケダ ハナヨ,1999-01-01,\n\
         91,400000,一般被保険者,ツキハラ ツキコ,1985-05-05,\n"
    );
    let page = checked(&app, &browser, true, file.as_bytes()).await;
    let done = act(&page, "#to-apply").await;
    assert_ne!(roster(&app).await, before);
    assert_ne!(session.get(&app.url("/account")).await.status, StatusCode::OK, "the eligibility is lost");

    let undo = done.click("#to-undo").await;
    assert!(undo.text().contains("取り消せないもの"), "{}", undo.text());
    let undone = act(&done, "#to-undo").await;
    assert_eq!(undone.select("#undo-removed")[0].text, "2", "{}", undone.text());
    assert_eq!(undone.select("#undo-kept")[0].text, "0");
    assert_eq!(undone.select("#undo-stuck").len(), 0, "{}", undone.text());
    assert_eq!(roster(&app).await, before, "the roster is as before");
    assert_eq!(app.number("select count(*) from roster_before").await, 0);
    assert_eq!(
        app.number("select count(*) from audit where action = 'roster.undone' and detail like '%月次%'")
            .await,
        1
    );
    // What ended stays ended, but the account is there again.
    assert_ne!(session.get(&app.url("/account")).await.status, StatusCode::OK);
    log_in_as(&app, &ICHIRO).await;
    // It cannot be undone twice.
    assert_eq!(undone.select("#to-undo").len(), 0);
    let again = undo.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());

    // Who has registered since stays.
    app.import_full_roster(&format!("{HEADER}123,4567,一般被保険者,スズキ イチロウ,S55.5.5,\n")).await;
    let file = format!(
        "{HEADER}91,200001,一般被保険者,タケダ ハナコ,1999-01-01,\n91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n"
    );
    app.run("delete from roster_person where kana like '%ハナ_'").await;
    let page = checked(&app, &browser, false, file.as_bytes()).await;
    let done = act(&page, "#to-apply").await;
    app.activate(&HANAKO).await;
    let undone = act(&done, "#to-undo").await;
    assert_eq!((&*undone.select("#undo-removed")[0].text, &*undone.select("#undo-kept")[0].text), ("1", "1"));
    log_in_as(&app, &HANAKO).await;
    app.finish().await;
}

async fn run<F: AsyncFnOnce(&mut Vec<u8>)>(command: F) -> Value {
    let mut out = Vec::new();
    command(&mut out).await;
    serde_json::from_slice(&out).unwrap()
}

async fn the_command_line_undoes_too(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.clock.advance(DAY);
    let before = roster(&app).await;
    app.import_roster(&format!("{HEADER}91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n")).await;
    let imports = ImportsArgs { insurer: None, limit: 20, json: true };
    let listed = run(async |out| roster_log::imports(app.app(), &imports, out).await.unwrap()).await;
    assert_eq!(
        (&listed[0]["state"], &listed[0]["added"], &listed[0]["undoable"]),
        (&"applied".into(), &1.into(), &true.into())
    );
    assert_eq!(listed[1]["undoable"], false, "only the last one");
    let mut undo = UndoArgs {
        insurer: Some("7132".to_owned()),
        reason: "取り違え".to_owned(),
        operator: "root".to_owned(),
        preview: true,
        json: true,
    };
    let would = run(async |out| roster_log::undo(app.app(), &undo, out).await.unwrap()).await;
    assert_eq!((&would["done"], &would["removed"]), (&"preview".into(), &"1".into()));
    assert_ne!(roster(&app).await, before);
    undo.preview = false;
    let done = run(async |out| roster_log::undo(app.app(), &undo, out).await.unwrap()).await;
    assert_eq!((&done["done"], &done["removed"]), (&"undone".into(), &"1".into()));
    assert_eq!(roster(&app).await, before);
    let twice = roster_log::undo(app.app(), &undo, &mut Vec::new()).await;
    assert!(twice.unwrap_err().to_string().contains("no import"));
    app.finish().await;
}
