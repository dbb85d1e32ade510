//! Nodes that die while they work on an import, and others that go on.

use std::time::Duration;

use kenpos_idp::{
    audit::{Act, Actor, Reason},
    members::roster::{LEASE, upload::Announced},
    operators::Role,
    storage::Db,
    texts::Locale,
};

use super::{HEADER, act, checked, counts, people, settled, upload};
use crate::support::app::{Backend, TestApp, on_both_backends};

on_both_backends! {
    another_node_checks_what_a_dead_one_began
    an_import_that_breaks_off_leaves_nothing_half_written
    a_restart_between_the_steps_loses_nothing
}

/// A file of that many persons.
fn file(rows: usize) -> String {
    let rows = (1..=rows).map(|n| format!("92,{n},一般被保険者,アオガワ アキト,1970-01-01,\n"));
    format!("{HEADER}{}", rows.collect::<String>())
}

async fn another_node_checks_what_a_dead_one_began(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let members = app.app().members.clone();
    let insurer = members.insurer("7132").unwrap();
    let about = Announced { id: None, insurer, file_name: "a.csv", complete: false, locale: Locale::Ja };
    let mut coming = members.begin_roster_upload(about, &Actor::command_line("x")).await.unwrap().unwrap();
    coming.push(file(3).as_bytes()).await.unwrap();
    // A node took it at once, staged two rows and died.
    let until = app.clock.now().plus(LEASE).millis();
    app.run(&format!(
        "update roster_import set attempts = 1, leased_until = {until} where state = 'uploading'"
    ))
    .await;
    let id = coming.finish().await.unwrap().unwrap();
    for line in [2, 9] {
        app.run(&format!(
            "insert into roster_staging (import_id, line, identity, category, symbol, number, kana, kana_folded,
                                         birth_date)
             values ('{id}', {line}, 'insured:092-00000{line}', 'insured', '092', '00000{line}', 'ア', 'ア',
                     '1970-01-01')"
        ))
        .await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let page = browser.get(&app.url(&format!("/admin/roster/{id}"))).await;
    assert_eq!(page.select("[data-poll]").len(), 1, "nobody interferes while the lease lasts");
    app.clock.advance(LEASE);
    let page = settled(page).await;
    assert_eq!(counts(&page), ["3", "0", "0", "0"], "{}", page.text());
    act(&page, "#to-apply").await;
    app.finish().await;
}

async fn an_import_that_breaks_off_leaves_nothing_half_written(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let before = people(&app).await;
    let page = checked(&app, &browser, false, file(2_000).as_bytes()).await;
    let id = page.url.path().rsplit('/').next().unwrap().to_owned();
    let members = app.app().members.clone();
    let (actor, reason) = (Actor::command_line("x"), Reason::parse("x").unwrap());
    let import = members.roster_import(&id).await.unwrap().unwrap();
    let decided = Act { actor: &actor, reason: &reason };
    members.apply_roster_import(&import, decided).await.unwrap().unwrap();
    // Workers that are dropped at any moment of their step.
    for millis in 0..8 {
        let texts = &app.app().texts;
        let step = members.work_on_a_roster(texts);
        let _ = tokio::time::timeout(Duration::from_millis(millis * 2), step).await;
        let now = people(&app).await;
        assert!(now == before || now == before + 2_000, "half an import: {now}");
        app.clock.advance(LEASE);
    }
    // Whatever the worker of the node met with meanwhile, a lease later it tries again.
    let mut page = page.visit(page.url.path()).await;
    for _ in 0..60 {
        if page.select("[data-poll]").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        app.clock.advance(LEASE);
        page = page.visit(page.url.path()).await;
    }
    assert!(page.text().contains("取り込み済み"), "{}", page.text());
    assert_eq!(people(&app).await, before + 2_000);
    assert_eq!(
        app.number("select count(*) from audit where action = 'roster.imported' and actor = 'cli:x'").await,
        1
    );
    app.finish().await;
}

async fn a_restart_between_the_steps_loses_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let before = people(&app).await;
    let uploaded = upload(&app, &browser, false, file(20).as_bytes()).await;
    app.restart().await;
    app.clock.advance(LEASE);
    let page = settled(uploaded).await;
    assert_eq!(page.select("#to-apply").len(), 1, "{}", page.text());
    app.restart().await;
    act(&page, "#to-apply").await;
    assert_eq!(people(&app).await, before + 20);
    app.finish().await;
}

/// The clock stands still: the step is tried again before its lease is over.
#[tokio::test]
async fn a_step_whose_connection_breaks_is_tried_again_at_once() {
    let app = TestApp::start(Backend::PostgresRedis).await;
    let browser = app.staff(Role::Office, Some("7132")).await.browser(&app).await;
    let before = people(&app).await;
    let page = checked(&app, &browser, false, file(20).as_bytes()).await;
    let Db::Postgres(pool, _) = app.db() else { panic!("another database") };
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("lock table roster_person in exclusive mode").execute(&mut *holder).await.unwrap();
    let confirm = page.click("#to-apply").await;
    confirm.form("#confirm-form").set("reason", "月次の取り込み").submit().await;
    let broken = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                  where datname = current_database() and wait_event_type = 'Lock'";
    let mut ended = 0;
    for _ in 0..600 {
        ended = sqlx::query_scalar::<_, i64>(broken).fetch_one(&mut *holder).await.unwrap();
        if ended > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ended, 1, "the step never waited");
    holder.rollback().await.unwrap();
    let page = settled(page).await;
    assert!(page.text().contains("取り込み済み"), "{}", page.text());
    assert_eq!(people(&app).await, before + 20);
    app.finish().await;
}
