//! The address as login ID: whose it is, whose it is not, and what nobody learns.

use kenpos_idp::members::roster::RosterImport;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    family::{FAMILIES, Relative, SAKURA, TSUTOMU, register},
    http_browser::Page,
    journey::{complete, log_in},
    members::{HANAKO, Someone},
};

on_both_backends! {
    an_insured_member_cannot_sign_in_by_email
    nobody_learns_whose_address_exists
    an_address_of_two_insurers_is_told_apart_by_the_password
}

async fn try_password(app: &TestApp, login_id: &str, password: &str) -> Page {
    log_in(&app.http_browser().get(&app.url("/login")).await.follow_here().await, login_id, password).await
}

fn assert_wrong(page: &Page) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
    assert!(page.text().contains("ログインIDまたはパスワードが正しくありません"), "{}", page.text());
}

async fn an_insured_member_cannot_sign_in_by_email(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate(&HANAKO).await;
    app.activate_relative(&SAKURA).await;
    assert_wrong(&try_password(&app, HANAKO.email, HANAKO.password).await);
    // Nor does the family's number open a dependent's account.
    assert_wrong(&try_password(&app, HANAKO.login_id, SAKURA.someone.password).await);
    assert_wrong(&try_password(&app, SAKURA.someone.login_id, "20010403").await);
    let account = try_password(&app, SAKURA.someone.login_id, SAKURA.someone.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    let account = try_password(&app, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.finish().await;
}

async fn nobody_learns_whose_address_exists(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate_relative(&SAKURA).await;
    app.activate(&HANAKO).await;
    let mut seen = Vec::new();
    for (login_id, others) in [
        ("nobody@mail.example", ["NOBODY@mail.example", "Nobody@mail.example"]),
        (SAKURA.someone.login_id, ["SAKURA.takeda@mail.example", "sakura.TAKEDA@MAIL.example"]),
        (HANAKO.email, ["HANAKO.takeda@mail.example", "Hanako.Takeda@mail.example"]),
    ] {
        let mut answers = Vec::new();
        // The case of an address buys no further guesses.
        for typed in [login_id, others[0], others[1], others[0], login_id, others[1]] {
            let runs = app.app().members.passwords.runs();
            let page = try_password(&app, typed, "まちがったパスワード").await;
            let argon2 = app.app().members.passwords.runs() - runs;
            let id = page.url.path_segments().unwrap().nth(1).unwrap().to_owned();
            let token = page.form("#password-form").value("csrf").unwrap().to_owned();
            let body = page.body.replace(&id, "ID").replace(&token, "CSRF");
            let shown = page.select("#shown-login-id")[0].text.clone();
            answers.push((page.status, argon2, body.replace(&shown, "LOGIN-ID")));
        }
        let statuses: Vec<u16> = answers.iter().map(|(status, ..)| status.as_u16()).collect();
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429], "{login_id}");
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1], "an address that is a login ID looks like one that is nobody's");
    assert_eq!(seen[0], seen[2], "and so does an insured member's");
    // Redis counts in its own time.
    if backend == Backend::Embedded {
        app.clock.advance(31 * MINUTE);
        let account = try_password(&app, SAKURA.someone.login_id, SAKURA.someone.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
    }
    app.finish().await;
}

async fn an_address_of_two_insurers_is_told_apart_by_the_password(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| {
        let mut other = config.insurers[0].clone();
        (other.code, other.number) = ("8001".to_owned(), "01040013".to_owned());
        config.insurers.push(other);
    })
    .await;
    app.with_families().await;
    let members = app.app().members.clone();
    let import = RosterImport {
        db: &members.db,
        clock: &members.clock,
        entropy: &members.entropy,
        insurer: members.insurer("8001").unwrap(),
        file_name: "other.csv",
        actor: "test",
        complete: false,
        preview: false,
    };
    import.run(FAMILIES.as_bytes(), |_, _| ()).await.unwrap();
    let address = SAKURA.someone.email;
    let there = Someone { email: address, ..TSUTOMU.someone };
    for (number, relative) in [("06139497", SAKURA), ("01040013", Relative { someone: there, ..TSUTOMU })] {
        let browser = app.http_browser();
        let mut page = app.eligibility(&browser).await;
        // The journey types everything but the insurer.
        page.body = page.body.replace(
            "id=\"insurer_number\" name=\"insurer_number\" type=\"text\" value=\"\"",
            &format!("id=\"insurer_number\" name=\"insurer_number\" type=\"text\" value=\"{number}\""),
        );
        register(&page, &relative).await;
        let link = app.mailbox.next_link(address).await;
        let account = complete(&browser, &link, relative.someone.password).await;
        assert_eq!(account.url.path(), "/account", "{}", account.text());
        app.mailbox.next(address).await;
    }
    let runs = || app.app().members.passwords.runs();
    let mut costs = Vec::new();
    for (login_id, password, name) in [
        (address, SAKURA.someone.password, Some("タケダ サクラ")),
        (address, TSUTOMU.someone.password, Some("タケダツトム")),
        (address, "まちがったパスワード", None),
        ("nobody@mail.example", "まちがったパスワード", None),
    ] {
        let before = runs();
        let page = try_password(&app, login_id, password).await;
        costs.push(runs() - before);
        match name {
            Some(name) => assert_eq!(page.select("#shown-name")[0].text, name),
            None => assert_wrong(&page),
        }
    }
    assert_eq!(costs, [2, 2, 2, 2], "every attempt costs the same");
    app.finish().await;
}
