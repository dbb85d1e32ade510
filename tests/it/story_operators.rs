//! The operators' console: setting up, signing in, roles, the audit.

mod audit;
mod browser;
mod manage;
pub mod matrix;
mod own;

use kenpos_idp::{
    cli::operator::{self, CreateArgs, OperatorCommand, Rights, Whom},
    operators::Role,
    texts::Locale,
};
use reqwest::StatusCode;
use serde_json::Value;
use totp_rs::{Builder, Secret, Totp};

use crate::support::{
    app::{Backend, HOUR, MINUTE, TestApp, almost, on_both_backends},
    http_browser::Page,
    operators::{PASSWORD, STEP, code_of, give},
};

on_both_backends! {
    the_first_operator_comes_from_the_command_line
    no_answer_tells_what_was_wrong
    sessions_are_short
}

/// Arguments that name an operator.
fn whom(email: &str) -> Whom {
    Whom {
        email: email.to_owned(), reason: "人事異動".to_owned(), operator: "root".to_owned(), json: true
    }
}

/// Runs a command; what it prints.
async fn run(app: &TestApp, command: OperatorCommand) -> Value {
    let mut out = Vec::new();
    operator::run(app.app(), command, &b"\n"[..], &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// `operator create` for the first administrator.
async fn create(app: &TestApp, email: &str, mail: bool) -> Value {
    let args = CreateArgs {
        whom: whom(email),
        rights: Rights { role: Role::Administrator, insurer: None },
        name: "山田 太郎".to_owned(),
        language: Locale::Ja,
        mail,
        password_stdin: false,
    };
    run(app, OperatorCommand::Create(args)).await
}

/// The factor whose secret a page shows in text.
fn shown_factor(page: &Page) -> Totp {
    let secret = page.select("#secret")[0].text.replace(' ', "");
    Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap()
}

/// Fills in the page of a setup link.
pub async fn set_up(app: &TestApp, page: &Page, password: &str) -> Page {
    let code = code_of(app, &shown_factor(page));
    page.form("#setup-form").set("password", password).set("code", &code).submit().await
}

async fn the_first_operator_comes_from_the_command_line(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let printed = create(&app, "First@Office.example", false).await;
    let link = printed["link"].as_str().unwrap();
    assert!(link.starts_with(&app.url("/admin/setup/")), "{printed}");

    // Looking at it changes nothing, and shows the same factor again.
    let page = browser.get(link).await;
    assert_eq!(page.select("svg.qr path").len(), 1, "{}", page.body);
    assert_eq!(page.select("#secret")[0].text, browser.get(link).await.select("#secret")[0].text);
    let factor = shown_factor(&page);
    let weak = set_up(&app, &page, "password1234").await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(weak.select("#password-error").len(), 1, "{}", weak.text());
    let wrong = weak.form("#setup-form").set("password", PASSWORD).set("code", "000000").submit().await;
    assert_eq!(wrong.select("#code-error").len(), 1, "{}", wrong.text());
    let codes = set_up(&app, &wrong, PASSWORD).await;
    assert_eq!(codes.status, StatusCode::OK, "{}", codes.text());
    let recovery: Vec<String> = codes.select("#codes li").into_iter().map(|item| item.text).collect();
    assert_eq!(recovery.len(), 10);
    let dashboard = codes.click("#next").await;
    assert_eq!((dashboard.status, dashboard.url.path()), (StatusCode::OK, "/admin"), "{}", dashboard.text());
    assert!(dashboard.text().contains("山田 太郎"));

    // The link works once, in any browser.
    let again = set_up(&app, &wrong, PASSWORD).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert_eq!(app.http_browser().get(link).await.status, StatusCode::GONE);

    let out = dashboard.form("#sign-out-form").submit().await.follow_here().await;
    assert_eq!(out.url.path(), "/admin/sign-in");
    assert_eq!(browser.get(&app.url("/admin")).await.follow_here().await.url.path(), "/admin/sign-in");
    // The code of the setup was used.
    let email = "first@office.example";
    let reused = give(&out, email, PASSWORD, &code_of(&app, &factor)).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reused.text());
    app.clock.advance(STEP);
    let code = code_of(&app, &factor);
    let wide: String = code.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
    let inside = give(&reused, email, PASSWORD, &wide).await;
    assert_eq!(inside.url.path(), "/admin", "{}", inside.text());

    // A recovery code works in place of the phone, once.
    let other = app.http_browser();
    let page = other.get(&app.url("/admin/sign-in")).await;
    let inside = give(&page, email, PASSWORD, &recovery[3].to_lowercase()).await;
    assert_eq!(inside.url.path(), "/admin", "{}", inside.text());
    let page = app.http_browser().get(&app.url("/admin/sign-in")).await;
    let twice = give(&page, email, PASSWORD, &recovery[3]).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);

    let listed = run(&app, OperatorCommand::List { json: true }).await;
    assert_eq!(listed[0]["email"], "First@office.example", "{listed}");
    assert_eq!((&listed[0]["role"], &listed[0]["state"]), (&"administrator".into(), &"active".into()));
    let created = "select count(*) from audit where action = 'operator.created' and actor = 'cli:root'";
    assert_eq!(app.number(created).await, 1);
    assert_eq!(app.number("select count(*) from audit where action = 'operator.signed_in'").await, 2);
    assert_eq!(app.number("select count(*) from audit where action = 'operator.sign_in_failed'").await, 2);
    app.finish().await;
}

async fn no_answer_tells_what_was_wrong(backend: Backend) {
    let app = TestApp::start(backend).await;
    let staff = app.staff(Role::Office, Some("7132")).await;
    let waiting = create(&app, "waiting@office.example", false).await;
    assert_eq!(waiting["done"], "created");
    let good = staff.code(&app);
    let page = async || app.http_browser().get(&app.url("/admin/sign-in")).await;
    let mut answers = Vec::new();
    for (email, password, code) in [
        (&*staff.email, "wrong", &*good),
        (&*staff.email, PASSWORD, "000000"),
        (&*staff.email, PASSWORD, ""),
        ("nobody@office.example", PASSWORD, &*good),
        ("waiting@office.example", "", &*good),
        ("no address", PASSWORD, &*good),
    ] {
        let answer = give(&page().await, email, password, code).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{email}");
        answers.push(answer.select("#errors")[0].text.clone());
        assert_eq!(answer.select("#password")[0].attr("value"), None);
        assert_eq!(answer.select("#code")[0].attr("value"), None);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // A code beside a wrong password is not used up.
    assert_eq!(give(&page().await, &staff.email, PASSWORD, &good).await.url.path(), "/admin");

    // Five wrong ones make a pause, whether or not there is somebody, and the right ones do not end it.
    app.clock.advance(STEP);
    for email in [&*staff.email, "nobody@elsewhere.example"] {
        for _ in 0..5 {
            assert_eq!(
                give(&page().await, email, "wrong", "000000").await.status,
                StatusCode::UNPROCESSABLE_ENTITY
            );
        }
        let paused = give(&page().await, email, PASSWORD, &staff.code(&app)).await;
        assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS, "{email}: {}", paused.text());
    }
    let staff = app.staff(Role::Auditor, None).await;
    let inside = staff.browser(&app).await;
    run(&app, OperatorCommand::Disable(whom(&staff.email))).await;
    assert_eq!(inside.get(&app.url("/admin")).await.follow_here().await.url.path(), "/admin/sign-in");
    let disabled = staff.sign_in_with(&app, &app.http_browser()).await;
    assert_eq!(disabled.select("#errors")[0].text, answers[0]);
    // Sealed under a master key that was lost: no fault, but a factor that proves nothing until it is reset.
    let staff = app.staff(Role::ClientManager, None).await;
    app.sql("update operator set totp_sealed = 'AAAA'").await;
    let lost = staff.sign_in_with(&app, &app.http_browser()).await;
    assert_eq!(
        (lost.status, &lost.select("#errors")[0].text),
        (StatusCode::UNPROCESSABLE_ENTITY, &answers[0])
    );
    let reset = OperatorCommand::Reset { whom: whom(&staff.email), mail: false };
    assert_eq!(run(&app, reset).await["done"], "reset");
    app.finish().await;
}

async fn sessions_are_short(backend: Backend) {
    let app = TestApp::start(backend).await;
    let staff = app.staff(Role::Auditor, None).await;
    let browser = app.http_browser();
    let before = browser.get(&app.url("/admin/sign-in")).await;
    assert!(browser.cookie(before.url.as_str(), "kenpos-operator").is_none());
    staff.sign_in_with(&app, &browser).await;
    let first = browser.cookie(before.url.as_str(), "kenpos-operator").unwrap();
    let path = async || browser.get(&app.url("/admin")).await.follow_here().await.url.path().to_owned();
    app.clock.advance(almost(15 * MINUTE));
    assert_eq!(path().await, "/admin");
    app.clock.advance(15 * MINUTE);
    assert_eq!(path().await, "/admin/sign-in", "15 minutes without a click");
    assert!(browser.cookie(before.url.as_str(), "kenpos-operator").is_none(), "the cookie goes too");

    staff.sign_in_with(&app, &browser).await;
    let second = browser.cookie(before.url.as_str(), "kenpos-operator").unwrap();
    assert_ne!(first, second);
    // A second sign-in at the same browser ends the session before.
    browser.get(&app.url("/admin")).await;
    for _ in 0..(12 * 6 - 1) {
        app.clock.advance(10 * MINUTE);
        assert_eq!(path().await, "/admin");
    }
    app.clock.advance(10 * MINUTE);
    assert_eq!(path().await, "/admin/sign-in", "12 hours at most");
    assert_eq!(12 * 6 * 10 * MINUTE, 12 * HOUR);

    // A member's session opens nothing here, and an operator's nothing there.
    staff.sign_in_with(&app, &browser).await;
    let account = browser.get(&app.url("/account")).await.follow_here().await;
    assert!(account.url.path().starts_with("/login/"), "{}", account.url);
    let cookie = format!("kenpos-session={second}; kenpos-operator={first}");
    let headers = [("Cookie", cookie.as_str()), ("Accept", "text/html")];
    let forged = browser.raw(reqwest::Method::GET, &app.url("/admin"), &headers, "").await;
    assert_eq!(forged.location().unwrap().path(), "/admin/sign-in");
    app.finish().await;
}
