//! Which role may go where: every URL of the console, asked by everybody.

use std::collections::BTreeSet;

use kenpos_idp::{clients::Metadata, config::Insurer, members::search::Wanted, operators::Role};
use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, TestApp, insurer, metadata},
    http_browser::HttpBrowser,
    members::ROSTER,
};

/// Path as in `src/routes.rs`, method, and who may: **A**dministrator, **O**ffice, **C**lient manager,
/// a**U**ditor; `*` for anybody without signing in.
const MATRIX: &[(&str, &str, &str)] = &[
    ("/admin", "GET", "AOCU"),
    ("/admin/sign-in", "GET", "*"),
    ("/admin/sign-in", "POST", "*"),
    ("/admin/sign-out", "POST", "AOCU"),
    ("/admin/setup/{token}", "GET", "*"),
    ("/admin/setup/{token}", "POST", "*"),
    ("/admin/account", "GET", "AOCU"),
    ("/admin/account/password", "GET", "AOCU"),
    ("/admin/account/password", "POST", "AOCU"),
    ("/admin/account/factor", "GET", "AOCU"),
    ("/admin/account/factor", "POST", "AOCU"),
    ("/admin/account/recovery-codes", "GET", "AOCU"),
    ("/admin/account/recovery-codes", "POST", "AOCU"),
    ("/admin/account/sessions", "POST", "AOCU"),
    ("/admin/account/sessions/others", "POST", "AOCU"),
    ("/admin/audit", "GET", "AU"),
    ("/admin/audit/export", "POST", "AU"),
    ("/admin/audit/verify", "POST", "AU"),
    ("/admin/members", "GET", "AOU"),
    ("/admin/members", "POST", "AOU"),
    ("/admin/members/deletion-requests", "GET", "AOU"),
    ("/admin/members/{member}", "GET", "AOU"),
    ("/admin/members/{member}/email", "GET", "AO"),
    ("/admin/members/{member}/email", "POST", "AO"),
    ("/admin/members/{member}/registration/{act}", "GET", "AO"),
    ("/admin/members/{member}/registration/{act}", "POST", "AO"),
    ("/admin/members/{member}/apps/{client}", "GET", "AO"),
    ("/admin/members/{member}/apps/{client}", "POST", "AO"),
    ("/admin/members/{member}/{act}", "GET", "AO"),
    ("/admin/members/{member}/{act}", "POST", "AO"),
    ("/admin/roster", "GET", "AOU"),
    ("/admin/roster/new", "GET", "AO"),
    ("/admin/roster/new", "POST", "AO"),
    ("/admin/roster/{import}", "GET", "AOU"),
    ("/admin/roster/{import}/status", "GET", "AOU"),
    ("/admin/roster/{import}/refused", "POST", "AOU"),
    ("/admin/roster/{import}/{act}", "GET", "AO"),
    ("/admin/roster/{import}/{act}", "POST", "AO"),
    ("/admin/clients", "GET", "ACU"),
    ("/admin/clients/new", "GET", "AC"),
    ("/admin/clients/new", "POST", "AC"),
    ("/admin/clients/{client}", "GET", "ACU"),
    ("/admin/clients/{client}/edit/{topic}", "GET", "AC"),
    ("/admin/clients/{client}/edit/{topic}", "POST", "AC"),
    ("/admin/clients/{client}/secret", "GET", "AC"),
    ("/admin/clients/{client}/secret", "POST", "AC"),
    ("/admin/clients/{client}/settings", "GET", "ACU"),
    ("/admin/clients/{client}/try", "GET", "AC"),
    ("/admin/clients/{client}/try", "POST", "AC"),
    ("/admin/clients/{client}/try/callback", "GET", "AC"),
    ("/admin/clients/{client}/{act}", "GET", "AC"),
    ("/admin/clients/{client}/{act}", "POST", "AC"),
    ("/admin/documents", "GET", "AOU"),
    ("/admin/documents/{insurer}/{kind}/{version}", "GET", "AOU"),
    ("/admin/mails", "GET", "AOU"),
    ("/admin/mails/{mail}/{act}", "GET", "AO"),
    ("/admin/mails/{mail}/{act}", "POST", "AO"),
    ("/admin/bounces", "GET", "AOU"),
    ("/admin/bounces/{bounce}/clear", "GET", "AO"),
    ("/admin/bounces/{bounce}/clear", "POST", "AO"),
    ("/admin/deliveries", "GET", "ACU"),
    ("/admin/deliveries/{delivery}/{act}", "GET", "AC"),
    ("/admin/deliveries/{delivery}/{act}", "POST", "AC"),
    ("/admin/webhooks", "GET", "ACU"),
    ("/admin/webhooks/new", "GET", "AC"),
    ("/admin/webhooks/new", "POST", "AC"),
    ("/admin/webhooks/{webhook}", "GET", "ACU"),
    ("/admin/webhooks/{webhook}/edit", "GET", "AC"),
    ("/admin/webhooks/{webhook}/edit", "POST", "AC"),
    ("/admin/webhooks/{webhook}/{act}", "GET", "AC"),
    ("/admin/webhooks/{webhook}/{act}", "POST", "AC"),
    ("/admin/keys", "GET", "ACU"),
    ("/admin/keys/rotate", "GET", "A"),
    ("/admin/keys/rotate", "POST", "A"),
    ("/admin/keys/{kid}/retire", "GET", "A"),
    ("/admin/keys/{kid}/retire", "POST", "A"),
    ("/admin/operators", "GET", "AU"),
    ("/admin/operators/new", "GET", "A"),
    ("/admin/operators/new", "POST", "A"),
    ("/admin/operators/{operator}", "GET", "AU"),
    ("/admin/operators/{operator}/role", "GET", "A"),
    ("/admin/operators/{operator}/role", "POST", "A"),
    ("/admin/operators/{operator}/{act}", "GET", "A"),
    ("/admin/operators/{operator}/{act}", "POST", "A"),
];

const ROLES: [(char, Role); 4] =
    [('A', Role::Administrator), ('O', Role::Office), ('C', Role::ClientManager), ('U', Role::Auditor)];

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const HTML: (&str, &str) = ("Accept", "text/html");

/// Every path of the console with its methods, as `src/routes.rs` has them.
fn routed() -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    for rest in include_str!("../../../src/routes.rs").split(".route(\"").skip(1) {
        let (path, rest) = rest.split_once('"').unwrap();
        let handlers = rest.lines().next().unwrap();
        for (method, call) in [("GET", "get("), ("POST", "post(")] {
            if path.starts_with("/admin") && !path.starts_with("/admin/api/") && handlers.contains(call) {
                found.insert((path.to_owned(), method));
            }
        }
    }
    found
}

#[test]
fn the_matrix_has_every_url_and_no_other() {
    let told: BTreeSet<_> = MATRIX.iter().map(|(path, method, _)| ((*path).to_owned(), *method)).collect();
    assert_eq!(told, routed());
    assert_eq!(told.len(), MATRIX.len(), "a URL stands there twice");
}

/// An insurer beside the one of the stories.
pub fn second_insurer() -> Insurer {
    let mut other = insurer();
    "7133".clone_into(&mut other.code);
    "33120015".clone_into(&mut other.number);
    other
}

/// A provider of two insurers.
pub async fn two_insurers() -> TestApp {
    TestApp::start_with(Backend::Embedded, |config| config.insurers.push(second_insurer())).await
}

/// What only those may do who work for every insurer; others are told that it is not there.
const FOR_ALL: [&str; 2] = ["/admin/keys/rotate", "/admin/keys/{kid}/retire"];

/// Things of 7132 that paths name, and the same of 7133: parameter, of the one, of the other.
async fn things(app: &TestApp) -> Vec<(&'static str, String, String)> {
    for insurer in ["7132", "7133"] {
        for statement in [
            format!(
                "insert into outbox (id, kind, state, insurer, recipient, recipient_mac, next_attempt_at, give_up_at,
                                     created_at)
                 values ('mail-{insurer}', 'x', 'sent', '{insurer}', 'x***@x.example', 'x', 0, 0, 0)"
            ),
            format!(
                "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at)
                 values ('import-{insurer}', '{insurer}', 'roster.csv', 'cli:x', false, 'applied', 1)"
            ),
            format!(
                "insert into bounce (recipient_mac, id, insurer, recipient, kind, created_at)
                 values ('{insurer}', 'bounce-{insurer}', '{insurer}', 'x***@x.example', 'x', 0)"
            ),
            format!(
                "insert into webhook (id, name, url, events, insurer, secrets, created_at, updated_at)
                 values ('hook-{insurer}', 'x', 'https://x.example/', ' member.reset ', '{insurer}', '[]', 0, 0)"
            ),
            format!(
                "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
                 values ('hook-{insurer}.e', 'webhook', 'hook-{insurer}', 'sent', 0, 0, 0)"
            ),
        ] {
            app.run(&statement).await;
        }
    }
    let both = |name: &'static str, before: &str, after: &str| {
        (name, format!("{before}7132{after}"), format!("{before}7133{after}"))
    };
    let keys = app.app().signing.list().await.unwrap();
    app.import_roster_of("7133", ROSTER, false).await;
    let [client, other_client] = ["7132", "7133"].map(|code| {
        let insurer = Some(code.to_owned());
        Metadata { insurer, ..metadata("https://karada.example.jp") }
    });
    let (client, other_client) = (app.register(client).await, app.register(other_client).await);
    vec![
        ("{member}", person(app, "7132").await, person(app, "7133").await),
        ("{client}", client.id, other_client.id),
        both("{mail}", "mail-", ""),
        both("{import}", "import-", ""),
        both("{bounce}", "bounce-", ""),
        both("{webhook}", "hook-", ""),
        both("{delivery}", "hook-", ".e"),
        both("{insurer}", "", ""),
        ("{kind}", "privacy".to_owned(), "privacy".to_owned()),
        ("{version}", "2026-11".to_owned(), "2026-11".to_owned()),
        ("{kid}", keys[0].kid.clone(), keys[0].kid.clone()),
    ]
}

/// An act that the page of a path knows.
fn act_of(path: &str) -> &'static str {
    match path {
        "/admin/mails/{mail}/{act}" | "/admin/deliveries/{delivery}/{act}" => "retry",
        "/admin/roster/{import}/{act}" => "undo",
        "/admin/members/{member}/{act}" => "unlock",
        "/admin/members/{member}/registration/{act}" => "reset",
        _ => "disable",
    }
}

/// The identifier of a person of an insurer's roster.
pub async fn person(app: &TestApp, insurer: &str) -> String {
    let wanted = Wanted::Kana("タケダハナコ".to_owned());
    let found = app.app().members.search(&wanted, Some(insurer), None, 1).await.unwrap();
    found[0].person.id.clone()
}

/// Asks without a CSRF token, so that whoever may gets as far as the check of it and no further.
async fn ask(app: &TestApp, browser: &HttpBrowser, method: &str, path: &str) -> StatusCode {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let (kind, body) = if path == "/admin/roster/new" && method == Method::POST {
        (("Content-Type", "multipart/form-data; boundary=x"), "--x--\r\n")
    } else {
        (FORM, "")
    };
    let answer = browser.raw(method, &app.url(path), &[kind, HTML], body).await;
    if answer.status.is_redirection() {
        let to = if path == "/admin/sign-in" { "/admin" } else { "/admin/sign-in" };
        assert_eq!(answer.location().unwrap().path(), to, "{path}");
    }
    answer.status
}

#[tokio::test]
async fn each_role_gets_what_the_matrix_says_and_nothing_else() {
    let app = two_insurers().await;
    let target = app.staff(Role::Office, Some("7132")).await;
    let foreign = app.staff(Role::Office, Some("7133")).await;
    let stranger = app.http_browser();
    let things = things(&app).await;
    for scope in [None, Some("7132")] {
        for (letter, role) in ROLES {
            // The office of 7132 is the target itself.
            let browser = match (role, scope) {
                (Role::Office, Some(_)) => target.browser(&app).await,
                _ => app.staff(role, scope).await.browser(&app).await,
            };
            for (path, method, who) in MATRIX {
                let filled = |id: &str| {
                    let path =
                        path.replace("{operator}", id).replace("{act}", act_of(path)).replace("{token}", "x");
                    let path = path.replace("{topic}", "basics");
                    things.iter().fold(path, |path, (name, own, other)| {
                        let thing = match id {
                            _ if id == foreign.id => other.as_str(),
                            "nobody" => "nobody",
                            _ => own.as_str(),
                        };
                        path.replace(name, thing)
                    })
                };
                let mine = filled(&target.id);
                let status = ask(&app, &browser, method, &mine).await;
                let may = who.contains(letter);
                let here = format!("{method} {path} by {role:?} of {scope:?}: {status}");
                match (*who, *method) {
                    ("*", "GET") => assert!([200, 303, 410].contains(&status.as_u16()), "{here}"),
                    // Nobody began what would end here.
                    (_, "GET") if may && path.ends_with("/callback") => {
                        assert_eq!(status, StatusCode::GONE, "{here}");
                    }
                    (_, "GET") if may && scope.is_some() && FOR_ALL.contains(path) => {
                        assert_eq!(status, StatusCode::NOT_FOUND, "{here}");
                    }
                    (_, "GET") if may => assert_eq!(status, StatusCode::OK, "{here}"),
                    // Not allowed, or stopped by the missing token.
                    _ => assert_eq!(status, StatusCode::FORBIDDEN, "{here}"),
                }
                let mut named =
                    "{operator} {import} {mail} {bounce} {webhook} {delivery} {insurer} {member} {client}"
                        .split(' ');
                if named.any(|name| path.contains(name)) && may && *method == "GET" {
                    let expected = if scope.is_none() { status } else { StatusCode::NOT_FOUND };
                    let status = ask(&app, &browser, method, &filled(&foreign.id)).await;
                    assert_eq!(status, expected, "{here}, of another insurer");
                    let status = ask(&app, &browser, method, &filled("nobody")).await;
                    assert_eq!(status, StatusCode::NOT_FOUND, "{here}, of nobody");
                }
                let status = ask(&app, &stranger, method, &mine).await;
                let open = if *method == "GET" {
                    status != StatusCode::SEE_OTHER
                } else {
                    status == StatusCode::FORBIDDEN
                };
                assert_eq!(open, *who == "*", "{method} {path} by nobody: {status}");
            }
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn what_a_role_may_not_do_it_may_not_do_with_a_token_either() {
    let app = two_insurers().await;
    let target = app.staff(Role::Office, Some("7132")).await;
    for (letter, role) in ROLES.into_iter().skip(1) {
        let browser = app.staff(role, None).await.browser(&app).await;
        let page = browser.get(&app.url("/admin/account")).await;
        let form = page.form("#sign-out-form");
        let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
        let body = format!(
            "csrf={csrf}&who={who}&reason=x&role=administrator&insurer=&email=x@y.example&name=x&format=csv"
        );
        for (path, _, allowed) in MATRIX.iter().filter(|(_, method, _)| *method == "POST") {
            if !allowed.contains(letter) && *allowed != "*" {
                let path = path.replace("{operator}", &target.id).replace("{act}", act_of(path));
                let path = path.replace("{client}", &app.client.id).replace("{topic}", "basics");
                let answer = browser.raw(Method::POST, &app.url(&path), &[FORM, HTML], &body).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} by {role:?}");
                assert!(answer.text().contains("権限がありません"), "{path} by {role:?}: {}", answer.text());
            }
        }
    }
    assert_eq!(app.number("select count(*) from operator where role = 'administrator'").await, 0);
    assert_eq!(app.number("select count(*) from operator where disabled_at is not null").await, 0);
    assert_eq!(app.number("select count(*) from client where version > 1").await, 0);
    app.finish().await;
}

#[tokio::test]
async fn no_spelling_of_a_path_gets_around_the_guard() {
    let app = two_insurers().await;
    let office = app.staff(Role::Office, None).await.browser(&app).await;
    for browser in [&app.http_browser(), &office] {
        for path in [
            "/%61dmin/operators",
            "/admin/%6fperators",
            "/admin%2foperators",
            "/admin%2Foperators",
            "//admin/operators",
            "/admin//operators",
            "/admin/operators/",
            "/admin/./operators",
            "/admin/x/../operators",
            "/admin/account/..;/operators",
            "/admin/account/%2e%2e/operators",
            "/admin/account/..%2foperators",
            "/ADMIN/operators",
            "/admin/operators;x=1",
            "/admin/operators%00",
            "/admin/operators%20",
            "/admin\\operators",
            "/account/../admin/operators",
        ] {
            // As octets, because a client would tidy the path up first.
            let cookie = browser.cookie(&app.url("/"), "kenpos-operator").unwrap_or_default();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: kenpos-operator={cookie}\r\nConnection: close\r\n\r\n",
                app.address()
            );
            let answer = app.octets(request.as_bytes()).await;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(["400", "403", "404", "303"].contains(&status), "{path}: {answer}");
            assert!(!answer.contains("@office.example"), "{path}");
        }
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = office
            .raw(Method::from_bytes(method.as_bytes()).unwrap(), &app.url("/admin/operators"), &[HTML], "")
            .await;
        assert!(answer.status.is_client_error(), "{method}: {}", answer.status);
    }
    app.finish().await;
}
