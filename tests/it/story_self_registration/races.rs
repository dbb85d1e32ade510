//! Two at once: registrations of one person, persons with one address, and a roster that moves underneath.

use futures_util::future::join_all;
use reqwest::StatusCode;
use url::Url;

use crate::support::{
    app::{Backend, INSURER, TestApp, on_both_backends},
    family::{FAMILIES, KIYOSHI, Relative, SAKURA, TSUTOMU, give_address, inquire, register},
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, complete, confirm, log_in},
    members::{HANAKO, Someone},
};

on_both_backends! {
    a_newer_registration_of_one_person_voids_the_older
    registrations_sent_at_once_leave_one_link
    one_link_completed_in_parallel_makes_one_account
    an_address_in_use_is_told_by_mail_alone
    of_two_persons_with_one_address_one_wins
    an_import_that_ends_the_eligibility_stops_the_completion
    an_import_that_changes_the_person_stops_every_step
    an_import_that_only_respells_the_name_stops_nothing
}

async fn sent(app: &mut TestApp, relative: &Relative) -> (HttpBrowser, Page, Url) {
    let browser = app.http_browser();
    let page = register(&app.eligibility(&browser).await, relative).await;
    let link = app.mailbox.next_link(relative.someone.email).await;
    (browser, page, link)
}

/// The answer to the password at a link that was opened in time.
async fn answer(page: &Page, password: &str) -> Page {
    page.form("#link-form").set("password", password).submit().await.follow_here().await
}

async fn count(app: &TestApp, statement: &'static str) -> i64 {
    use kenpos_idp::storage::Db;
    match app.db() {
        Db::Sqlite(pool, _) => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
        Db::Postgres(pool, _) => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
    }
}

async fn members(app: &TestApp) -> i64 {
    count(app, "select count(*) from member").await
}

async fn a_newer_registration_of_one_person_voids_the_older(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let (_, _, older) = sent(&mut app, &SAKURA).await;
    let open = app.http_browser().get(older.as_str()).await;
    let elsewhere = Someone { email: "sakura@other.example", ..SAKURA.someone };
    let (browser, _, newer) = sent(&mut app, &Relative { someone: elsewhere, ..SAKURA }).await;
    let dead = answer(&open, SAKURA.someone.password).await;
    assert_eq!(dead.status, StatusCode::GONE, "{}", dead.text());
    assert_eq!(members(&app).await, 0);
    let account = complete(&browser, &newer, SAKURA.someone.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.mailbox.next(elsewhere.email).await;
    app.finish().await;
}

async fn registrations_sent_at_once_leave_one_link(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let mut checks = Vec::new();
    for _ in 0..6 {
        let details =
            accept_documents(&inquire(&app.eligibility(&app.http_browser()).await, &SAKURA).await).await;
        checks.push(give_address(&details, &SAKURA.someone).await);
    }
    for page in join_all(checks.iter().map(confirm)).await {
        assert!(page.status == StatusCode::OK || page.status == StatusCode::GONE, "{}", page.text());
    }
    let mut alive = 0;
    for _ in 0..checks.len() {
        let link = app.mailbox.next_link(SAKURA.someone.email).await;
        alive += i32::from(app.http_browser().get(link.as_str()).await.status == StatusCode::OK);
    }
    assert_eq!(alive, 1, "the links of the others died");
    app.finish().await;
}

async fn one_link_completed_in_parallel_makes_one_account(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let (_, _, link) = sent(&mut app, &SAKURA).await;
    let mut pages = Vec::new();
    for _ in 0..4 {
        pages.push(app.http_browser().get(link.as_str()).await);
    }
    let answers = join_all(pages.iter().map(|page| answer(page, SAKURA.someone.password))).await;
    let won = answers.iter().filter(|page| page.status == StatusCode::OK).count();
    let void = answers.iter().filter(|page| page.status == StatusCode::GONE).count();
    assert_eq!((won, void), (1, 3), "{:?}", answers.iter().map(Page::text).collect::<Vec<_>>());
    assert_eq!(members(&app).await, 1);
    app.mailbox.next(SAKURA.someone.email).await;
    app.finish().await;
}

async fn an_address_in_use_is_told_by_mail_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate_relative(&SAKURA).await;
    let shared = Someone { email: "SAKURA.takeda@mail.example", ..TSUTOMU.someone };
    let browser = app.http_browser();
    let page = register(&app.eligibility(&browser).await, &Relative { someone: shared, ..TSUTOMU }).await;
    assert!(page.text().contains("まだ登録は完了していません"), "the page says what it always says");
    let mail = app.mailbox.next(shared.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】ご入力のメールアドレスについて"));
    assert!(mail.links().is_empty(), "{}", mail.text);
    // Corrected in place, the registration goes on.
    let details = page.click("#back").await;
    let check = give_address(&details, &TSUTOMU.someone).await;
    confirm(&check).await;
    let link = app.mailbox.next_link(TSUTOMU.someone.email).await;
    let account = complete(&browser, &link, TSUTOMU.someone.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.mailbox.next(TSUTOMU.someone.email).await;
    app.finish().await;
}

async fn of_two_persons_with_one_address_one_wins(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let shared =
        |of: &Relative| Relative { someone: Someone { email: "us@mail.example", ..of.someone }, ..*of };
    let (_, _, first) = sent(&mut app, &shared(&SAKURA)).await;
    let (_, _, second) = sent(&mut app, &shared(&TSUTOMU)).await;
    let pages = [app.http_browser().get(first.as_str()).await, app.http_browser().get(second.as_str()).await];
    let (one, other) =
        tokio::join!(answer(&pages[0], SAKURA.someone.password), answer(&pages[1], TSUTOMU.someone.password));
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::GONE], "{} {}", one.text(), other.text());
    let loser = if one.status == StatusCode::GONE { &one } else { &other };
    assert!(loser.text().contains("このURLは使えません"), "{}", loser.text());
    assert_eq!(members(&app).await, 1);
    assert_eq!(count(&app, "select count(*) from registration").await, 0, "the loser's is erased");
    assert_eq!(count(&app, "select count(distinct member_id) from receipt").await, 1, "nothing half-written");
    app.mailbox.next("us@mail.example").await;
    app.finish().await;
}

/// Completing after the roster has changed; the page says so, and nothing is written.
async fn assert_lapsed(app: &TestApp, page: &Page, password: &str) {
    let refused = answer(page, password).await;
    assert_eq!(refused.status, StatusCode::GONE, "{}", refused.text());
    assert!(refused.text().contains("登録を完了できませんでした"), "{}", refused.text());
    assert_eq!(refused.headers["referrer-policy"], "no-referrer");
    for table in [
        "select count(*) from member",
        "select count(*) from receipt",
        "select count(*) from preference",
        "select count(*) from registration",
    ] {
        assert_eq!(count(app, table).await, 0, "{table}");
    }
    let again = answer(page, password).await;
    assert!(again.text().contains("このURLは使えません"), "{}", again.text());
}

async fn an_import_that_ends_the_eligibility_stops_the_completion(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let (browser, waiting, link) = sent(&mut app, &SAKURA).await;
    let page = app.http_browser().get(link.as_str()).await;
    app.import_roster(
        &FAMILIES.replace(
            "タケダ サクラ,2001-04-03,2021-04-01,",
            "タケダ サクラ,2001-04-03,2021-04-01,2026-11-23",
        ),
    )
    .await;
    assert_lapsed(&app, &page, SAKURA.someone.password).await;
    let ended = browser.get(waiting.url.as_str()).await;
    assert_eq!(ended.status, StatusCode::GONE, "{}", ended.text());
    // An insured person's registration stands under the same rule.
    let insured = app.http_browser();
    let login = insured.get(&app.url("/login")).await.follow_here().await;
    crate::support::journey::register(&login, &HANAKO).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    let page = app.http_browser().get(link.as_str()).await;
    app.import_roster("記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日\n91,200001,00,一般被保険者,タケダ ハナコ,1999-01-01,2021-04-01,2026-11-01\n").await;
    assert_lapsed(&app, &page, HANAKO.password).await;
    app.finish().await;
}

async fn an_import_that_changes_the_person_stops_every_step(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let (_, _, link) = sent(&mut app, &SAKURA).await;
    let page = app.http_browser().get(link.as_str()).await;
    let details =
        accept_documents(&inquire(&app.eligibility(&app.http_browser()).await, &TSUTOMU).await).await;
    // Both rows now stand for somebody else: another birth date, another category.
    let moved = FAMILIES.replace("2001-04-03", "2001-04-04").replace("03,被扶養者,", "03,任意継続被保険者,");
    app.import_roster(&moved).await;
    assert_lapsed(&app, &page, SAKURA.someone.password).await;
    let ended = give_address(&details, &TSUTOMU.someone).await;
    assert_eq!(ended.status, StatusCode::GONE, "{}", ended.text());
    // As what they are now, they may register.
    let born = Someone { born: "2001-04-04", ..SAKURA.someone };
    app.activate_relative(&Relative { someone: born, ..SAKURA }).await;
    app.activate_relative(&TSUTOMU).await;
    app.finish().await;
}

async fn an_import_that_only_respells_the_name_stops_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let (browser, _, link) = sent(&mut app, &KIYOSHI).await;
    app.import_roster(
        &FAMILIES.replace("オオタ キヨシ", "オオタ・キョシ").replace(",100001,00,", ",100001,,"),
    )
    .await;
    let account = complete(&browser, &link, KIYOSHI.someone.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.mailbox.next(KIYOSHI.someone.email).await;
    // And whoever lost eligibility later cannot sign in any more.
    app.import_roster(&FAMILIES.replace("1955-08-15,2026-04-01,", "1955-08-15,2026-04-01,2026-11-20")).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let refused = log_in(&login, KIYOSHI.someone.login_id, KIYOSHI.someone.password).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    app.finish().await;
}
