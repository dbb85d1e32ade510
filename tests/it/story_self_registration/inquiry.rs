//! What 資格照会 tells, which is next to nothing, and how often it may be asked.

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    family::{KIYOSHI, MIDORI, Relative, SAKURA, TSUTOMU, inquire},
    http_browser::Page,
    members::{HANAKO, Someone},
};

on_both_backends! {
    every_refusal_is_the_same
    five_wrong_inquiries_about_a_number_pause_it
    one_birth_date_on_many_numbers_stops_registration
    an_address_has_its_budget
    twins_are_told_apart_by_their_branch
}

const HEADER: &str = "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日";

/// A page without what differs between any two visits.
fn comparable(page: &Page) -> String {
    let interaction = page.url.path_segments().unwrap().nth(1).unwrap();
    let headers: Vec<_> = page
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "set-cookie"].contains(&name.as_str()))
        .collect();
    format!("{} {headers:?}\n{}", page.status, page.body.replace(interaction, "INTERACTION"))
}

/// The same inquiry while the roster and the accounts say different things about it.
async fn every_refusal_is_the_same(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.insurers[0].policy.login_failures = 100).await;
    app.with_families().await;
    let browser = app.http_browser();
    let page = app.eligibility(&browser).await;
    let row = |category: &str, kana: &str, born: &str, lost: &str| {
        format!("{HEADER}\n77,5,01,{category},{kana},{born},2020-04-01,{lost}\n")
    };
    let asked = Relative {
        symbol: "77",
        number: "5",
        branch: "01",
        someone: Someone { kana: "モリ カオル", born: "19850505", ..SAKURA.someone },
    };
    let unknown = inquire(&page, &asked).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unknown.text().contains("資格を確認できませんでした"), "{}", unknown.text());
    let refused = comparable(&unknown);
    for (what, roster) in [
        ("another name", row("被扶養者", "モリ カオリ", "1985-05-05", "")),
        ("another birth date", row("被扶養者", "モリ カオル", "1985-05-06", "")),
        ("another branch", row("被扶養者", "モリ カオル", "1985-05-05", "").replace(",01,", ",02,")),
        ("an insured person", row("一般被保険者", "モリ カオル", "1985-05-05", "")),
        ("not eligible any more", row("被扶養者", "モリ カオル", "1985-05-05", "2026-11-23")),
        (
            "not eligible yet",
            row("任意継続被保険者", "モリ カオル", "1985-05-05", "").replace("2020", "2027"),
        ),
    ] {
        // Each of them is alone in the roster.
        let gone = "update roster_person set lost_at = 1, identity = id where symbol = '077'";
        execute(&app, gone).await;
        app.import_roster(&roster).await;
        let page = inquire(&page, &asked).await;
        assert_eq!(comparable(&page), refused, "{what}");
    }
    execute(&app, "update roster_person set lost_at = 1, identity = id where symbol = '077'").await;
    app.import_roster(&row("被扶養者", "モリ カオル", "1985-05-05", "")).await;
    let open = inquire(&page, &asked).await;
    assert!(open.url.path().ends_with("/documents"), "{}", open.text());
    // Whoever has registered gets the same answer as everybody else.
    app.activate_relative(&SAKURA).await;
    let before = inquire(&page, &Relative { branch: "09", ..SAKURA }).await;
    let registered = inquire(&page, &Relative { branch: "02", ..SAKURA }).await;
    assert_eq!(comparable(&registered), comparable(&before).replace("value=\"09\"", "value=\"02\""));
    let typed = Someone { kana: "にし みどり", ..MIDORI.someone };
    let lost = inquire(&page, &Relative { someone: typed, ..MIDORI }).await;
    assert!(lost.text().contains("資格を確認できませんでした"));
    assert!(!lost.body.contains("ニシ"), "only what was typed is on the page, as it was typed");
    app.finish().await;
}

async fn execute(app: &TestApp, statement: &'static str) {
    match app.db() {
        kenpos_idp::storage::Db::Sqlite(pool, _) => {
            sqlx::query(statement).execute(pool).await.unwrap();
        }
        kenpos_idp::storage::Db::Postgres(pool, _) => {
            sqlx::query(statement).execute(pool).await.unwrap();
        }
    }
}

async fn five_wrong_inquiries_about_a_number_pause_it(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.with_families().await;
    // Whether anybody has the number makes no difference.
    for (relative, exists) in [(SAKURA, true), (Relative { number: "300001", ..SAKURA }, false)] {
        let born = ["19710101", "19710102", "19710103", "19710104", "19710105"];
        for born in born {
            let guess = Relative { someone: Someone { born, ..relative.someone }, ..relative };
            let page = inquire(&app.eligibility(&app.http_browser()).await, &guess).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
        }
        let paused = inquire(&app.eligibility(&app.http_browser()).await, &relative).await;
        assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS, "the right one comes too late");
        assert!(paused.text().contains("30分"), "{}", paused.text());
        assert_eq!(paused.form("#eligibility-form").value("kana"), Some(relative.someone.kana));
        // Another member of the family is paused too, another family is not.
        let family = Relative { branch: TSUTOMU.branch, someone: TSUTOMU.someone, ..relative };
        let page = inquire(&app.eligibility(&app.http_browser()).await, &family).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        let page = inquire(&app.eligibility(&app.http_browser()).await, &KIYOSHI).await;
        assert!(page.url.path().ends_with("/documents"), "{}", page.text());
        // The insured person's login is another matter.
        let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
        let documents = crate::support::journey::log_in(&login, HANAKO.login_id, HANAKO.born).await;
        assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
        if backend == Backend::PostgresRedis {
            continue; // Redis counts in its own time.
        }
        app.clock.advance(31 * MINUTE);
        let page = inquire(&app.eligibility(&app.http_browser()).await, &relative).await;
        assert_eq!(page.url.path().ends_with("/documents"), exists, "{}", page.text());
    }
    app.finish().await;
}

async fn one_birth_date_on_many_numbers_stops_registration(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.with_families().await;
    let browser = app.http_browser();
    let page = app.eligibility(&browser).await;
    let numbers = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    for number in numbers {
        let guess = Relative { number, ..KIYOSHI };
        let refused = inquire(&page, &guess).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = inquire(&page, &KIYOSHI).await;
    assert_eq!(right.status, StatusCode::UNPROCESSABLE_ENTITY, "even the right one: {}", right.text());
    assert!(!right.select("#activation-stopped").is_empty(), "and the page says why, to everybody");
    app.clock.advance(61 * MINUTE);
    let right = inquire(&app.eligibility(&browser).await, &KIYOSHI).await;
    assert!(right.url.path().ends_with("/documents"), "{}", right.text());
    app.finish().await;
}

async fn an_address_has_its_budget(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.limits.per_address = 3).await;
    app.with_families().await;
    let page = app.eligibility(&app.http_browser()).await;
    // What is no inquiry at all costs nothing.
    for _ in 0..5 {
        let page = inquire(&page, &Relative { symbol: "", ..SAKURA }).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    for number in ["1", "2", "3"] {
        let page = inquire(&page, &Relative { number, ..SAKURA }).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = inquire(&page, &SAKURA).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{}", page.text());
    app.finish().await;
}

async fn twins_are_told_apart_by_their_branch(backend: Backend) {
    let app = TestApp::start(backend).await;
    let twins = format!(
        "{HEADER}\n91,200001,05,被扶養者,タケダ ユウ,2003-03-03,2021-04-01,\n\
         91,200001,06,被扶養者,タケダ ユウ,2003-03-03,2021-04-01,\n"
    );
    app.import_roster(&twins).await;
    let someone = Someone { kana: "タケダ ユウ", born: "2003-03-03", ..SAKURA.someone };
    let page = app.eligibility(&app.http_browser()).await;
    for (branch, found) in [("", false), ("5", true), ("６", true), ("07", false)] {
        let answer = inquire(&page, &Relative { branch, someone, ..SAKURA }).await;
        assert_eq!(answer.url.path().ends_with("/documents"), found, "{branch}: {}", answer.text());
    }
    app.finish().await;
}
