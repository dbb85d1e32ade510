//! Who guesses: at passwords, birth dates and names, for people who exist and people who do not.

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, DAY, MILLISECOND, MINUTE, TestApp, almost, on_both_backends},
    http_browser::Page,
    journey::{accept_documents, give_details, give_password, log_in, register},
    members::{HANAKO, ICHIRO, LOST, NOBODY, Someone},
};

on_both_backends! {
    five_wrong_names_void_the_temporary_password
    ten_wrong_temporary_passwords_void_it
    the_temporary_password_is_dead_after_activation
    nobody_learns_whose_id_exists
    one_birth_date_on_many_ids_stops_activation_by_birth_date
}

async fn login_page(app: &TestApp) -> Page {
    app.http_browser().get(&app.url("/login")).await.follow_here().await
}

async fn try_password(app: &TestApp, login_id: &str, password: &str) -> Page {
    log_in(&login_page(app).await, login_id, password).await
}

fn assert_wrong(page: &Page) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
    assert!(page.text().contains("ログインIDまたはパスワードが正しくありません"), "{}", page.text());
}

/// A page without what differs between any two visits, and without the login ID.
fn comparable(page: &Page, login_id: &str) -> String {
    let mut body = page.body.replace(login_id, "LOGIN-ID");
    let token =
        page.select("input[name=csrf]").first().and_then(|input| input.attr("value").map(str::to_owned));
    let interaction = page.url.path_segments().unwrap().nth(1).unwrap();
    for varying in [token.as_deref(), Some(interaction)].into_iter().flatten() {
        body = body.replace(varying, "VARIES");
    }
    let headers: Vec<_> = page
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "set-cookie"].contains(&name.as_str()))
        .collect();
    format!("{} {headers:?}\n{body}", page.status)
}

async fn five_wrong_names_void_the_temporary_password(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let documents = try_password(&app, HANAKO.login_id, HANAKO.born).await;
    let details = accept_documents(&documents).await;
    let mistaken = Someone { kana: "スズキ ハナコ", ..HANAKO };
    for _ in 0..4 {
        let page = give_details(&details, &mistaken).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text().contains("入力された氏名を確認できませんでした"), "{}", page.text());
        assert!(!page.body.contains("タケダ ハナコ</"), "the right name is nowhere");
        // A form that is wrong otherwise is no guess.
        let page = give_details(&details, &Someone { password: "short", ..mistaken }).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let ended = give_details(&details, &mistaken).await;
    assert_eq!(ended.status, StatusCode::GONE, "{}", ended.text());
    let right = give_details(&details, &HANAKO).await;
    assert_eq!(right.status, StatusCode::GONE, "the right name comes too late: {}", right.text());
    assert_wrong(&try_password(&app, HANAKO.login_id, HANAKO.born).await);
    // Small kana, spaces and width are no mistakes, and nobody else is concerned.
    let details = accept_documents(&try_password(&app, ICHIRO.login_id, ICHIRO.born).await).await;
    let check = give_details(&details, &Someone { kana: "ｽｽﾞｷｲﾁﾛｳ", ..ICHIRO }).await;
    assert!(check.url.path().ends_with("/confirm"), "{}", check.text());
    assert!(app.mailbox.unread().is_empty());
    app.activate(&ICHIRO).await;
    app.finish().await;
}

async fn ten_wrong_temporary_passwords_void_it(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.insurers[0].policy.login_failures = 100).await;
    for day in 1..=9 {
        assert_wrong(&try_password(&app, HANAKO.login_id, &format!("199902{day:02}")).await);
    }
    let documents = try_password(&app, HANAKO.login_id, HANAKO.born).await;
    assert!(documents.url.path().ends_with("/documents"), "nine are not ten: {}", documents.text());
    assert_wrong(&try_password(&app, HANAKO.login_id, "19990210").await);
    assert_wrong(&try_password(&app, HANAKO.login_id, HANAKO.born).await);
    let page = accept_documents(&documents).await;
    assert_eq!(page.status, StatusCode::GONE, "who was in already is out too: {}", page.text());
    app.finish().await;
}

async fn the_temporary_password_is_dead_after_activation(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let early = try_password(&app, HANAKO.login_id, HANAKO.born).await;
    app.activate(&HANAKO).await;
    assert_wrong(&try_password(&app, HANAKO.login_id, HANAKO.born).await);
    let page = accept_documents(&early).await;
    assert_eq!(page.status, StatusCode::GONE, "a registration that was under way: {}", page.text());
    // 90 days from the roster's import, to the millisecond.
    app.clock.advance(almost(90 * DAY));
    let documents = try_password(&app, ICHIRO.login_id, ICHIRO.born).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    app.clock.advance(MILLISECOND);
    assert_wrong(&try_password(&app, ICHIRO.login_id, ICHIRO.born).await);
    app.finish().await;
}

async fn nobody_learns_whose_id_exists(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&ICHIRO).await;
    let mut seen = Vec::new();
    for someone in [NOBODY, HANAKO, ICHIRO, LOST] {
        let mut answers = Vec::new();
        for attempt in 0..7 {
            // The birth date of someone who lost the insurance is as good as any wrong one.
            let password = if someone.login_id == LOST.login_id { LOST.born } else { "20000101" };
            let page = try_password(&app, someone.login_id, password).await;
            if attempt < 5 {
                assert_wrong(&page);
            } else {
                assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
                assert!(page.text().contains("30分ほど"), "{}", page.text());
            }
            answers.push(comparable(&page, someone.login_id));
        }
        seen.push(answers);
    }
    for other in &seen[1..] {
        assert_eq!(&seen[0], other);
    }
    app.finish().await;
}

/// On the embedded store alone: Redis counts guesses by its own clock, which no test moves.
#[tokio::test]
async fn five_wrong_passwords_pause_an_id_for_half_an_hour() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&ICHIRO).await;
    for _ in 0..5 {
        assert_wrong(&try_password(&app, ICHIRO.login_id, "not this one").await);
        app.clock.advance(MINUTE);
    }
    let paused = try_password(&app, ICHIRO.login_id, ICHIRO.password).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS, "the right password has to wait too");
    app.clock.advance(almost(29 * MINUTE));
    let paused = give_password(&paused, ICHIRO.password).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS, "{}", paused.text());
    app.clock.advance(MILLISECOND);
    let account = give_password(&paused, ICHIRO.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.finish().await;
}

async fn one_birth_date_on_many_ids_stops_activation_by_birth_date(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&ICHIRO).await;
    for number in 1..=10 {
        assert_wrong(&try_password(&app, &format!("7132-0910009{number:02}"), HANAKO.born).await);
    }
    let page = try_password(&app, HANAKO.login_id, HANAKO.born).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "a hit is most likely the attacker's");
    assert!(!page.select("#activation-stopped").is_empty());
    let account = try_password(&app, ICHIRO.login_id, ICHIRO.password).await;
    assert_eq!(account.url.path(), "/account", "who is active is not concerned");
    app.clock.advance(60 * MINUTE);
    let login = login_page(&app).await;
    register(&login, &HANAKO).await;
    app.mailbox.next_link(HANAKO.email).await;
    app.finish().await;
}
