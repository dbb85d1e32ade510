//! Operators, insurers, numbers and the audit through the API.

use kenpos_idp::operators::{Permission, Role};
use reqwest::Method;
use serde_json::json;

use super::super::story_operators::{matrix::two_insurers, set_up};
use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    log,
    operators::PASSWORD,
};

on_both_backends! {
    an_operator_is_invited_changed_disabled_and_reset
    nobody_gives_a_role_that_may_more_than_they
    the_audit_is_searched_page_by_page_and_verified
}

const WRITE: &str = "admin:operators.read admin:operators.write";

async fn an_operator_is_invited_changed_disabled_and_reset(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    log::keep_secret("hanako@office.example");
    let all = Permission::ALL.map(Permission::scope).join(" ");
    let program = app.program(&all, None).await;
    let invitation = json!({
        "email": "hanako@office.example", "name": "佐藤 花子", "role": "office", "insurer": "7132",
        "reason": "着任",
    });
    let invited = program.post("/operators", invitation.clone()).await.done(201);
    let id = invited.json["id"].as_str().unwrap().to_owned();
    let path = format!("/operators/{id}");
    assert_eq!(invited.header("location"), app.url(&format!("/admin/api/v1{path}")));
    assert_eq!((&invited.json["state"], &invited.json["language"]), (&json!("waiting"), &json!("ja")));
    let twice = program.post("/operators", invitation).await;
    assert_eq!((twice.problem(409), &twice.json["errors"][0]["pointer"]), ("conflict", &json!("#/email")));
    assert_eq!(twice.json["errors"][0]["code"], "email_taken");

    let link = app.mailbox.next_link("hanako@office.example").await;
    set_up(&app, &app.http_browser().get(link.as_str()).await, PASSWORD).await;
    let shown = program.get(&path).await.done(200);
    assert_eq!(shown.json["state"], "active");

    // Of two who change the role at once, the second is told.
    let (tag, other) = (shown.header("etag"), invited.header("etag"));
    let auditor = json!({ "role": "auditor", "insurer": "7132", "reason": "異動" });
    let role = format!("{path}/role");
    assert_eq!(program.put(&role, other, auditor.clone()).await.problem(412), "precondition_failed");
    let unconditional = [("content-type", "application/json")];
    let unconditional = program.send(Method::PUT, &role, &unconditional, auditor.to_string().into()).await;
    assert_eq!(unconditional.problem(428), "precondition_required");
    let changed = program.put(&role, tag, auditor.clone()).await.done(200);
    assert_eq!((&changed.json["role"], changed.header("etag") == tag), (&json!("auditor"), false));
    assert_eq!(program.put(&role, tag, auditor.clone()).await.problem(412), "precondition_failed");
    let already = program.put(&role, changed.header("etag"), auditor).await;
    assert_eq!((already.problem(409), &already.json["errors"][0]["code"]), ("conflict", &json!("already")));

    let why = json!({ "reason": "退職" });
    let disabled = program.post(&format!("{path}/disable"), why.clone()).await.done(200);
    assert_eq!(disabled.json["state"], "disabled");
    let reset = program.post(&format!("{path}/reset"), why.clone()).await;
    assert_eq!((reset.problem(409), &reset.json["errors"][0]["code"]), ("conflict", &json!("disabled")));
    assert_eq!(program.post(&format!("{path}/enable"), why.clone()).await.done(200).json["state"], "active");
    assert_eq!(program.post(&format!("{path}/reset"), why).await.done(200).json["state"], "waiting");
    app.mailbox.next_link("hanako@office.example").await;

    // The audit names the program, and why.
    let by = format!(
        "select count(*) from audit where actor = 'client:{}' and detail like '%退職%'",
        program.client.id
    );
    assert_eq!(app.number(&by).await, 3);
    // The last administrator for all stays.
    let boss = app.staff(Role::Administrator, None).await;
    let last = program.post(&format!("/operators/{}/disable", boss.id), json!({ "reason": "x" })).await;
    assert_eq!(
        (last.problem(409), &last.json["errors"][0]["code"]),
        ("conflict", &json!("last_administrator"))
    );
    app.finish().await;
}

async fn nobody_gives_a_role_that_may_more_than_they(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    log::keep_secret("hanako@office.example");
    let program = app.program(WRITE, None).await;
    let invite = |role: &str| json!({ "email": "hanako@office.example", "name": "佐藤 花子", "role": role, "reason": "着任" });
    for role in ["administrator", "office", "client_manager", "auditor"] {
        let refused = program.post("/operators", invite(role)).await;
        assert_eq!(refused.problem(403), "insufficient_scope", "{role}");
    }
    let staff = app.staff(Role::Auditor, None).await;
    let path = format!("/operators/{}", staff.id);
    let tag = program.get(&path).await.done(200).header("etag").to_owned();
    let role = json!({ "role": "administrator", "reason": "異動" });
    let refused = program.put(&format!("{path}/role"), &tag, role).await;
    assert_eq!(refused.problem(403), "insufficient_scope");
    let keeper = app
        .program(
            &format!(
                "{WRITE} admin:numbers.read admin:clients.read admin:clients.write \
        admin:keys.read admin:webhooks.read admin:webhooks.write"
            ),
            None,
        )
        .await;
    assert_eq!(keeper.post("/operators", invite("office")).await.problem(403), "insufficient_scope");
    keeper.post("/operators", invite("client_manager")).await.done(201);
    app.mailbox.next_link("hanako@office.example").await;
    app.finish().await;
}

async fn the_audit_is_searched_page_by_page_and_verified(backend: Backend) {
    let app = TestApp::start(backend).await;
    let program = app.program("admin:audit.read admin:numbers.read", None).await;
    for n in 0..5 {
        app.clock.advance(crate::support::app::MILLISECOND);
        if n % 2 == 0 {
            app.staff(Role::ALL[n % 4], if n == 4 { Some("7132") } else { None }).await;
        }
    }
    let all = program.post("/audit/search", json!({ "action": "operator.created" })).await.done(200);
    let all = all.json["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 3);
    assert!(all[0]["at"].as_str() > all[2]["at"].as_str(), "{all:?}");
    assert_eq!(all[0]["detail"]["reason"], "a story");
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let asked = json!({ "action": "operator.created", "limit": 1, "cursor": cursor });
        let page = program.post("/audit/search", asked).await.done(200).json;
        seen.extend(page["items"].as_array().unwrap().clone());
        match page.get("next") {
            Some(next) => cursor = Some(next.clone()),
            None => break,
        }
        // It is of that search.
        let other = program.post("/audit/search", json!({ "cursor": cursor })).await;
        assert_eq!(
            (other.problem(400), &other.json["errors"][0]["parameter"]),
            ("invalid_parameter", &json!("cursor"))
        );
    }
    assert_eq!(seen, all);
    for (field, value) in
        [("from", "2026-13-01"), ("to", "20261123"), ("actor", "a\u{0}b"), ("insurer", "9999")]
    {
        let wrong = program.post("/audit/search", json!({ field: value })).await;
        assert_eq!(wrong.problem(422), "invalid_fields");
        assert_eq!(wrong.json["errors"][0]["pointer"], format!("#/{field}"));
    }
    let verdict = program.post("/audit/verify", json!({})).await.done(200).json;
    assert_eq!((&verdict["sound"], verdict.get("broken_at")), (&json!(true), None));
    let again = program.post("/audit/verify", json!({ "noted": verdict["tip"] })).await.done(200).json;
    assert_eq!(again["sound"], true);
    let forged = json!({ "noted": { "seq": verdict["tip"]["seq"], "hash": "x" } });
    assert_eq!(program.post("/audit/verify", forged).await.done(200).json["sound"], false);

    let long = json!({ "noted": { "seq": 0, "hash": "x".repeat(101) } });
    assert_eq!(program.post("/audit/verify", long).await.problem(422), "invalid_fields");

    let numbers = program.get("/numbers").await.done(200).json;
    let days = numbers["days"].as_array().unwrap();
    assert_eq!((days.len(), &days[13]["day"]), (14, &json!("2026-11-23")));
    assert!(numbers["mails"].is_object());
    app.finish().await;
}

#[tokio::test]
async fn a_program_of_one_insurer_sees_and_touches_nothing_else() {
    let app = two_insurers().await;
    let ours = app.staff(Role::Auditor, Some("7132")).await;
    let (theirs, of_all) =
        (app.staff(Role::Office, Some("7133")).await, app.staff(Role::Administrator, None).await);
    let scopes = format!("{WRITE} admin:audit.read admin:numbers.read");
    let program = app.program(&scopes, Some("7132")).await;
    let insurers = program.get("/insurers").await.done(200).json;
    assert_eq!(insurers["items"].as_array().unwrap().len(), 1);
    assert_eq!(insurers["items"][0]["code"], "7132");
    let listed = program.get("/operators").await.done(200).json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["items"][0]["id"], json!(ours.id));
    program.get(&format!("/operators/{}", ours.id)).await.done(200);
    for other in [&theirs.id, &of_all.id] {
        let path = format!("/operators/{other}");
        assert_eq!(program.get(&path).await.problem(404), "not_found");
        let why = json!({ "reason": "x" });
        for act in ["disable", "enable", "reset"] {
            assert_eq!(program.post(&format!("{path}/{act}"), why.clone()).await.problem(404), "not_found");
        }
        let role = json!({ "role": "auditor", "insurer": "7132", "reason": "x" });
        assert_eq!(program.put(&format!("{path}/role"), "*", role).await.problem(404), "not_found");
    }
    // Nobody gives more than they have.
    for insurer in [json!("7133"), json!(null)] {
        let role = json!({ "role": "auditor", "insurer": insurer, "reason": "x" });
        let refused = program.put(&format!("/operators/{}/role", ours.id), "*", role).await;
        assert_eq!(
            (refused.problem(422), &refused.json["errors"][0]["pointer"]),
            ("invalid_fields", &json!("#/insurer"))
        );
        let invitation = json!({ "email": "x@office.example", "name": "x", "role": "auditor", "insurer": insurer, "reason": "x" });
        assert_eq!(program.post("/operators", invitation).await.problem(422), "invalid_fields");
    }
    let lines = program.post("/audit/search", json!({})).await.done(200).json;
    let lines = lines["items"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["insurer"] == "7132"), "{lines:?}");
    assert_eq!(
        program.post("/audit/search", json!({ "insurer": "7133" })).await.problem(422),
        "invalid_fields"
    );
    let numbers = program.get("/numbers").await.done(200).json;
    assert!(numbers.get("mails").is_none(), "the queue belongs to all");
    app.finish().await;
}
