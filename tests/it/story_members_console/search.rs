//! Who is found by what, and who by whom.

use std::fmt::Write as _;

use kenpos_idp::{
    members::sample::write_roster,
    operators::Role,
    storage::{
        Db,
        member_search::{Key, statement},
    },
};
use reqwest::StatusCode;
use sqlx::AssertSqlSafe;

use super::{find, names, office};
use crate::support::{
    app::{Backend, HOUR, TestApp, on_both_backends},
    family::SAKURA,
    insurers::KAEDE,
    members::HANAKO,
};

on_both_backends! {
    people_are_found_by_whatever_the_office_knows
    a_long_list_has_pages
    who_works_for_one_insurer_finds_its_people_alone
    a_wrong_search_says_what_to_mend
}

async fn people_are_found_by_whatever_the_office_knows(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate(&HANAKO).await;
    app.activate_relative(&SAKURA).await;
    let browser = office(&app, Role::Office, Some("7132")).await;
    let family = ["タケダ ハナコ", "タケダ ケンタ", "タケダ サクラ", "タケダ ツトム"];
    let empty = browser.get(&app.url("/admin/members")).await;
    assert!(empty.select("#found, #none").is_empty(), "nobody is listed unasked");
    // Login ID, and 記号・番号 in any width, padding and kind of hyphen: the whole family.
    for query in [
        "7132-091200001",
        "７１３２ー０９１２００００１",
        "91-200001",
        "０９１－２００００１",
        "91・200001",
        "91-200001-01",
    ] {
        assert_eq!(names(&find(&app, &browser, query).await), family, "{query}");
    }
    // Names from the beginning, in any kana; who has not registered is found too.
    for query in ["タケダ ケ", "たけだけ", "ﾀｹﾀﾞ ｹ", "タケダ・ケ"] {
        assert_eq!(names(&find(&app, &browser, query).await), ["タケダ ケンタ"], "{query}");
    }
    let takeda = find(&app, &browser, "たけだ").await;
    let mut sorted = family.to_vec();
    sorted.sort_unstable();
    assert_eq!(names(&takeda), sorted);
    assert!(takeda.text().contains("未登録") && takeda.text().contains("登録済み"), "{}", takeda.text());
    // Addresses from the beginning, in any case; lists show them masked.
    for query in ["sakura.t", "SAKURA.TAKEDA@MAIL.example", "ｓａｋｕｒａ"] {
        let found = find(&app, &browser, query).await;
        assert_eq!(names(&found), ["タケダ サクラ"], "{query}");
        assert!(found.text().contains("S***@mail.example"), "{}", found.text());
        assert!(!found.select("#found")[0].text.contains("Takeda@"), "{}", found.text());
    }
    // The subject that a mail of the system named.
    let subject = app
        .app()
        .members
        .search(&kenpos_idp::members::search::Wanted::Email("hanako".to_owned()), None, None, 1)
        .await
        .unwrap();
    let subject = subject[0].account.clone().unwrap().id;
    assert_eq!(names(&find(&app, &browser, &subject).await), ["タケダ ハナコ"]);
    for query in ["ダケタ", "999-999999", "7132-999999999", "akura", "%", "_akura", "a'--", "ハナコ"] {
        let none = find(&app, &browser, query).await;
        assert_eq!(none.select("#none").len(), 1, "{query}: {}", none.text());
    }
    app.finish().await;
}

async fn a_long_list_has_pages(backend: Backend) {
    let app = TestApp::start(backend).await;
    let mut csv = "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日\n".to_owned();
    for number in 1..=120 {
        writeln!(csv, "500,{number},00,一般被保険者,サトウ タロウ,1980-01-01,2004-04-01,").unwrap();
    }
    app.import_roster(&csv).await;
    let staff = app.staff(Role::Auditor, None).await;
    let browser = staff.browser(&app).await;
    let mut page = find(&app, &browser, "さとうた").await;
    let mut numbers = Vec::new();
    let mut pages = 1;
    loop {
        numbers.extend(page.select("#found td:nth-child(2)").into_iter().map(|cell| cell.text));
        if page.select("#next").is_empty() {
            break;
        }
        page = page.click("#next").await;
        let query = page.url.query().unwrap().to_owned();
        assert!(!query.contains('%') && query.len() < 64, "nothing personal in {query}");
        pages += 1;
    }
    assert_eq!((pages, numbers.len()), (3, 120));
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 120, "nobody stands there twice");
    let first = page.click("#first").await;
    assert_eq!(first.select("#found tbody tr").len(), 50);
    // The address of a result works for this operator alone, and not for long.
    let other = office(&app, Role::Auditor, Some("7132")).await;
    let stolen = other.get(first.url.as_str()).await;
    assert!(stolen.select("#found").is_empty() && stolen.select("#ended").len() == 1, "{}", stolen.text());
    let strange = browser.get(&format!("{}%00&after=%00", first.url)).await;
    assert_eq!((strange.status, strange.select("#ended").len()), (StatusCode::OK, 1), "{}", strange.text());
    app.clock.advance(HOUR);
    let late = staff.browser(&app).await;
    assert_eq!(late.get(first.url.as_str()).await.select("#ended").len(), 1);
    app.finish().await;
}

async fn who_works_for_one_insurer_finds_its_people_alone(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    app.activate(&HANAKO).await;
    let all = office(&app, Role::Office, None).await;
    let momiji = office(&app, Role::Office, Some("8001")).await;
    assert_eq!(names(&find(&app, &all, "91-200001").await).len(), 4, "two of each");
    let own = find(&app, &momiji, "91-200001").await;
    assert_eq!(names(&own), ["モリ カエデ", "タケダ サクラ"]);
    for query in ["タケダ ハ", "hanako", HANAKO.login_id] {
        assert_eq!(find(&app, &momiji, query).await.select("#none").len(), 1, "{query}");
    }
    // Another insurer cannot be asked for, and its people are not there, whatever the path.
    let page = momiji.get(&app.url("/admin/members")).await;
    let form = page.form("#search-form");
    let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
    let body = format!("csrf={csrf}&who={who}&query=7132-091200001&insurer=7132");
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    let forged = momiji.raw(reqwest::Method::POST, &app.url("/admin/members"), &headers, &body).await;
    assert_eq!(forged.status, StatusCode::NOT_FOUND);
    let found = super::member(&app, &all, &HANAKO).await;
    let (person, subject) = (found.url.path().to_owned(), found.select("#subject")[0].text.clone());
    for path in [person.clone(), format!("/admin/members/{subject}")] {
        assert_eq!(all.get(&app.url(&path)).await.status, StatusCode::OK, "{path}");
        for act in [
            "",
            "/email",
            "/registration/reset",
            "/registration/reissue",
            "/apps/x",
            "/unlock",
            "/end-sessions",
            "/freeze",
            "/unfreeze",
            "/delete",
            "/dismiss-deletion",
            "/show-email",
            "/export",
        ] {
            let url = app.url(&format!("{path}{act}"));
            assert_eq!(momiji.get(&url).await.status, StatusCode::NOT_FOUND, "{url}");
            let body = format!("csrf={csrf}&who={who}&reason=x&email=evil%40mail.example&code=on");
            let expected =
                if act.is_empty() { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
            let done = momiji.raw(reqwest::Method::POST, &url, &headers, &body).await;
            assert_eq!(done.status, expected, "{url}");
        }
    }
    let page = find(&app, &all, KAEDE.login_id).await;
    assert_eq!(names(&page), ["モリ カエデ", "タケダ サクラ"]);
    let narrowed = all.get(&app.url("/admin/members")).await;
    let narrowed = narrowed.form("#search-form").set("query", "タ").set("insurer", "8001").submit().await;
    assert_eq!(names(&narrowed.follow_here().await), ["タケダ サクラ"]);
    assert_eq!(
        app.number("select count(*) from audit where actor like 'operator:%' and action like 'member.%'")
            .await,
        0
    );
    app.finish().await;
}

async fn a_wrong_search_says_what_to_mend(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = office(&app, Role::Office, None).await;
    for (query, says) in [
        ("", "入力してください"),
        ("武田 花子", "カタカナ"),
        ("200001", "ハイフン"),
        ("1-2-3-4", "ハイフン"),
        ("a b", "半角英数字"),
    ] {
        let page = find(&app, &browser, query).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(page.select("#query-error")[0].text.contains(says), "{query}: {}", page.text());
        assert_eq!(page.select("#query")[0].attr("value").unwrap_or_default(), query, "what was typed stays");
    }
    app.finish().await;
}

#[tokio::test]
async fn postgres_walks_along_the_indexes_too() {
    let app = TestApp::start(Backend::PostgresRedis).await;
    let Db::Postgres(pool, _) = app.db() else { panic!("no PostgreSQL") };
    let mut csv = Vec::new();
    write_roster(&mut csv, app.app().members.insurer("7132").unwrap(), 2000, 1).unwrap();
    app.import_roster_of("7132", &String::from_utf8(csv).unwrap(), false).await;
    sqlx::query("analyze").execute(pool).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    // A small table is read at once unless that is forbidden; what is left says which index serves.
    sqlx::query("set local enable_seqscan = off").execute(&mut *tx).await.unwrap();
    for (key, index, condition) in [
        (Key::Kana("タ"), "roster_person_by_kana", "kana_folded"),
        (Key::Email("t"), "member_by_email_start", "email_key"),
        (Key::Number("091", "200001"), "roster_person_by_number", "symbol"),
    ] {
        let explain =
            [("$1", "'7132'"), ("$2", "'a'"), ("$3", "'b'"), ("$4", "'c'"), ("$5", "'d'"), ("$6", "9")]
                .iter()
                .fold(format!("explain {}", statement(key, " collate \"C\"")), |text, (name, value)| {
                    text.replace(&format!("limit {name}"), "limit 9").replace(name, value)
                });
        let lines: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut *tx).await.unwrap();
        let plan = lines.join("\n");
        assert!(!plan.contains("Seq Scan on roster_person"), "{plan}");
        if matches!(key, Key::Number(..)) {
            // A family, whichever index on the number leads to it.
            assert!(
                lines.iter().any(|line| line.contains("Index Cond") && line.contains(condition)),
                "{plan}"
            );
            continue;
        }
        let used = lines.iter().position(|line| line.contains(index)).unwrap_or_else(|| panic!("{plan}"));
        let bounds = lines.iter().skip(used).find(|line| line.contains("Index Cond")).unwrap();
        assert!(bounds.contains("insurer") && bounds.contains(condition), "{plan}");
        let sorts = lines.iter().any(|line| line.trim_start().starts_with("->  Sort"));
        assert!(!sorts, "it is in order already: {plan}");
    }
    drop(tx);
    app.finish().await;
}
