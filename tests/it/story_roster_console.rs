//! An operator imports a roster in the console: upload, preview, import, the refused rows, undo.

mod bad_files;
mod browser;
mod nodes;
mod undo;

use std::time::Duration;

use kenpos_idp::operators::Role;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
};

on_both_backends! {
    a_roster_is_checked_first_and_imported_when_somebody_says_so
    a_full_roster_tells_who_would_lose_the_eligibility
    refused_rows_come_back_to_be_mended
    one_import_of_an_insurer_at_a_time
}

/// Columns of the files of these stories.
const HEADER: &str = "記号,番号,区分,氏名カナ,生年月日,資格喪失日\n";

/// Uploads a file; where that leads.
async fn upload(app: &TestApp, browser: &HttpBrowser, full: bool, content: &[u8]) -> Page {
    let page = browser.get(&app.url("/admin/roster/new")).await;
    let form = page.form("#upload-form").set("insurer", "7132");
    let form = if full { form.set("full", "yes") } else { form };
    form.submit_with_file("file", "台帳.csv", content).await.follow_here().await
}

/// Reloads the page of an import until it is done with what it does by itself.
async fn settled(mut page: Page) -> Page {
    for _ in 0..600 {
        page = page.visit(page.url.path()).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        if page.select("[data-poll]").is_empty() {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("an import does not end:\n{}", page.text());
}

/// Uploads a file and waits for its check.
pub async fn checked(app: &TestApp, browser: &HttpBrowser, full: bool, content: &[u8]) -> Page {
    let page = upload(app, browser, full, content).await;
    assert!(page.url.path().starts_with("/admin/roster/"), "{}", page.text());
    settled(page).await
}

/// Does an act of an import's page, with a reason, and waits for its end.
async fn act(page: &Page, link: &str) -> Page {
    let confirm = page.click(link).await;
    assert_eq!(confirm.status, StatusCode::OK, "{}", confirm.text());
    let done =
        confirm.form("#confirm-form").set("reason", "月次の取り込み").submit().await.follow_here().await;
    assert_eq!(done.select("#confirm-form").len(), 0, "{}", done.text());
    settled(done).await
}

/// Added, changed, lost and refused, as the page has them.
fn counts(page: &Page) -> [String; 4] {
    ["added", "changed", "lost", "refused"].map(|what| {
        let found = page.select(&format!("#count-{what}"));
        found.first().map(|piece| piece.text.clone()).unwrap_or_default()
    })
}

async fn people(app: &TestApp) -> i64 {
    app.number("select count(*) from roster_person where lost_at is null").await
}

async fn a_roster_is_checked_first_and_imported_when_somebody_says_so(backend: Backend) {
    let app = TestApp::start(backend).await;
    let staff = app.staff(Role::Office, Some("7132")).await;
    let browser = staff.browser(&app).await;
    let before = people(&app).await;
    let file = format!(
        "{HEADER}91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n91,200001,一般被保険者,タケダ ハナヨ,1999-01-01,\n"
    );
    let page = checked(&app, &browser, false, file.as_bytes()).await;
    assert_eq!(counts(&page), ["1", "1", "0", "0"], "{}", page.text());
    assert!(
        page.text().contains("アオガワ アキト") && page.text().contains("タケダ ハナコ → タケダ ハナヨ"),
        "{}",
        page.text()
    );
    assert_eq!(people(&app).await, before, "nothing is written before somebody says so");
    assert_eq!(app.number("select count(*) from roster_file").await, 0, "the upload is not kept any longer");
    assert_eq!(app.number("select count(*) from roster_before").await, 0);

    // No reason, no import.
    let confirm = page.click("#to-apply").await;
    let refused = confirm.form("#confirm-form").submit().await;
    assert_eq!(
        (refused.status, refused.select("#reason-error").len()),
        (StatusCode::UNPROCESSABLE_ENTITY, 1)
    );
    assert_eq!(people(&app).await, before);

    let done = act(&page, "#to-apply").await;
    assert_eq!(counts(&done), ["1", "1", "0", ""], "{}", done.text());
    assert!(done.text().contains("担当 office") && done.text().contains("月次の取り込み"), "{}", done.text());
    assert_eq!(people(&app).await, before + 1);
    assert_eq!(app.number("select count(*) from roster_staging").await, 0);
    let audit = format!(
        "select count(*) from audit where action = 'roster.imported' and actor = 'operator:{}' and insurer = '7132'
         and detail like '%月次の取り込み%'",
        staff.id
    );
    assert_eq!(app.number(&audit).await, 1);
    // A second press on the button of before.
    let again = confirm.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());

    // The same file changes nothing, and can be discarded.
    app.clock.advance(MINUTE);
    let same = checked(&app, &browser, false, file.as_bytes()).await;
    assert_eq!(counts(&same), ["0", "0", "0", "0"]);
    let discarded = act(&same, "#to-discard").await;
    assert!(discarded.text().contains("破棄しました"), "{}", discarded.text());
    let list = browser.get(&app.url("/admin/roster")).await;
    let states: Vec<String> =
        list.select("#imports tbody tr td:nth-child(5)").into_iter().map(|td| td.text).collect();
    assert_eq!(states[..2], ["破棄しました", "取り込み済み"], "{}", list.text());
    app.finish().await;
}

async fn a_full_roster_tells_who_would_lose_the_eligibility(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let file = format!("{HEADER}123,4567,一般被保険者,スズキ イチロウ,S55.5.5,\n");
    let page = checked(&app, &browser, true, file.as_bytes()).await;
    assert_eq!(counts(&page)[2], "3", "one of those missing was not eligible before: {}", page.text());
    assert_eq!(page.select("#big-loss").len(), 1, "{}", page.text());
    assert!(page.click("#to-apply").await.text().contains("必ずご確認ください"));
    // Another import is applied meanwhile: what was looked at is no more.
    app.import_roster(&format!("{HEADER}91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n")).await;
    let stale = page.visit(page.url.path()).await;
    assert!(stale.text().contains("破棄しました"), "{}", stale.text());

    let page = checked(&app, &browser, true, file.as_bytes()).await;
    let done = act(&page, "#to-apply").await;
    assert_eq!(counts(&done)[2], "4", "{}", done.text());
    assert_eq!(people(&app).await, 1);

    // Whom the days in the file make ineligible is lost as well, full roster or not.
    let ended = format!("{HEADER}123,4567,一般被保険者,スズキ イチロウ,S55.5.5,2020-04-01\n");
    let page = checked(&app, &browser, false, ended.as_bytes()).await;
    assert_eq!(counts(&page), ["0", "0", "1", "0"], "{}", page.text());
    assert_eq!(
        (page.select("#big-loss").len(), page.select("#lost tbody tr").len()),
        (1, 1),
        "{}",
        page.text()
    );
    assert!(page.select("#changed").is_empty(), "{}", page.text());
    act(&page, "#to-discard").await;

    // A single refused row stops a full roster, and the page says so.
    let page = checked(&app, &browser, true, format!("{file}91,1,一般被保険者,山,1999,\n").as_bytes()).await;
    assert_eq!((page.select("#problem").len(), page.select("#to-apply").len()), (1, 0), "{}", page.text());
    assert_eq!(people(&app).await, 1);
    app.finish().await;
}

async fn refused_rows_come_back_to_be_mended(backend: Backend) {
    let app = TestApp::start(backend).await;
    let staff = app.staff(Role::Office, Some("7132")).await;
    let browser = staff.browser(&app).await;
    let file = format!(
        "{HEADER}91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n91,300002,一般被保険者,=cmd(),1970-01-01,\n"
    );
    let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode(&file);
    let page = checked(&app, &browser, false, &shift_jis).await;
    assert_eq!(counts(&page), ["1", "0", "0", "1"], "{}", page.text());
    let fetched = page.form("#refused-form").submit().await;
    assert_eq!(fetched.headers["content-type"], "text/csv; charset=shift_jis");
    act(&page, "#to-discard").await;

    let page = checked(&app, &browser, false, file.as_bytes()).await;
    assert_eq!(page.select("#refusals tbody td")[0].text, "3");
    let fetched = page.form("#refused-form").submit().await;
    assert_eq!(fetched.headers["content-disposition"], "attachment; filename=\"refused-rows.csv\"");
    assert_eq!(fetched.headers["content-type"], "text/csv; charset=utf-8");
    let row = "3,氏名カナはカタカナで、空にはできません。,91,300002,一般被保険者,'=cmd(),1970-01-01,";
    assert!(fetched.body.contains(row), "{}", fetched.body);
    let noted = "select count(*) from audit where action = 'roster.refused_rows_exported'";
    assert_eq!(app.number(noted).await, 2);
    act(&page, "#to-apply").await;
    // Mended, the file goes as it is.
    let mended = fetched.body.replace("'=cmd()", "ツキハラ ツキコ");
    let page = checked(&app, &browser, false, mended.as_bytes()).await;
    assert_eq!(counts(&page), ["1", "0", "0", "0"], "{}", page.text());
    app.finish().await;
}

async fn one_import_of_an_insurer_at_a_time(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let file = format!("{HEADER}91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n");
    let page = checked(&app, &browser, false, file.as_bytes()).await;
    // Somebody else's is under way, on a node that is alive.
    app.run(
        "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at, leased_until, attempts)
         values ('other', '7132', 'f', 'cli:x', false, 'staging', 1, 8000000000000, 1)",
    )
    .await;
    let busy = upload(&app, &browser, true, file.as_bytes()).await;
    assert_eq!(busy.status, StatusCode::CONFLICT, "{}", busy.text());
    let form = busy.form("#upload-form");
    assert_eq!(
        (form.value("insurer"), form.value("full")),
        (Some("7132"), Some("yes")),
        "what was chosen stays"
    );
    let confirm = page.click("#to-apply").await;
    let refused = confirm.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(
        (refused.status, refused.select("#errors").len()),
        (StatusCode::CONFLICT, 1),
        "{}",
        refused.text()
    );
    app.run("delete from roster_import where id = 'other'").await;
    act(&page, "#to-apply").await;
    app.finish().await;
}
