//! What the API says about requests that are not as they should be, and about those that come twice.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    app::{Backend, DAY, TestApp, on_both_backends},
    log,
};

on_both_backends! {
    what_comes_twice_is_done_once
    a_list_comes_in_pages
}

const JSON: (&str, &str) = ("content-type", "application/json");
/// Those of an office too: nobody gives a role that may more than they.
const SCOPES: &str = "admin:operators.read admin:operators.write admin:audit.read admin:numbers.read \
                      admin:members.read admin:members.write admin:roster.read admin:roster.write \
                      admin:documents.read admin:mails.read admin:mails.write";

#[tokio::test]
async fn what_is_wrong_is_said_as_a_problem() {
    let app = TestApp::start(Backend::Embedded).await;
    let program = app.program(SCOPES, None).await;
    let post = async |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        program.send(Method::POST, path, headers, body.to_vec()).await
    };
    for (body, pointer) in [
        (&b""[..], "#"),
        (b"{", "#"),
        (b"[]", "#"),
        (b"[\"x@office.example\", \"x\", \"office\", null, \"ja\", \"x\"]", "#"),
        (b"\xff\xfe", "#"),
        (b"{\"name\": 1}", "#/name"),
        (b"{\"role\": \"boss\"}", "#/role"),
        (b"{\"nonsense\": 1}", "#/nonsense"),
        (b"{\"email\":\"a\",\"email\":\"b\"}", "#/email"),
        (b"{} {}", "#"),
    ] {
        let told = post("/operators", &[JSON], body).await;
        assert_eq!(told.problem(400), "invalid_body", "{body:?}");
        let found = told.json["errors"][0]["pointer"].as_str().unwrap();
        assert!(found == pointer || found == "#", "{body:?}: {found}");
    }
    let deep = "[".repeat(100_000);
    assert!([400, 413].contains(&post("/operators", &[JSON], deep.as_bytes()).await.status.as_u16()));
    let huge = format!("\"{}\"", "a".repeat(2_000_000));
    assert_eq!(post("/operators", &[JSON], huge.as_bytes()).await.problem(413), "too_large");
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(post("/operators", &[form], b"email=x").await.problem(415), "unsupported_media_type");
    assert_eq!(post("/operators", &[], b"{}").await.problem(415), "unsupported_media_type");
    let whole = |field: &str, value: &str| {
        let mut whole = json!({ "email": "x@office.example", "name": "x", "role": "office", "reason": "x" });
        whole[field] = json!(value);
        whole
    };
    for (field, value) in [
        ("email", "no address"),
        ("name", " "),
        ("reason", " ".repeat(501).as_str()),
        ("reason", "\u{3000}"),
        ("insurer", "9999"),
    ] {
        let told = program.post("/operators", whole(field, value)).await;
        assert_eq!(told.problem(422), "invalid_fields", "{field}");
        assert_eq!(told.json["errors"][0]["pointer"], format!("#/{field}"));
    }

    for path in [
        "/operators?limit=0",
        "/operators?limit=201",
        "/operators?limit=x",
        "/operators?cursor=x",
        "/operators?x=1",
    ] {
        assert_eq!(program.get(path).await.problem(400), "invalid_parameter", "{path}");
    }
    for path in [
        "",
        "/",
        "/nowhere",
        "/operators/",
        "/operators/%00",
        "/operators/%FF",
        "/operators/x",
        "/operators/x/y",
    ] {
        assert_eq!(program.get(path).await.problem(404), "not_found", "{path}");
    }
    // Another spelling of a path is another path.
    for path in ["/%6Fperators", "/operators/../self", "//operators", "/operators;x"] {
        let told = program.get(path).await;
        assert!(told.status == StatusCode::NOT_FOUND || path.contains(".."), "{path}: {}", told.status);
    }
    let method = program.send(Method::DELETE, "/operators", &[], Vec::new()).await;
    assert_eq!(method.problem(405), "method_not_allowed");
    assert!(method.header("allow").contains("POST"), "{method:?}");
    let described = program.bare(Method::GET, "/problems/conflict", &[]).await.done(200).json;
    assert_eq!(described["status"], 409);
    assert_eq!(program.get("/problems/nonsense").await.problem(404), "not_found");
    app.finish().await;
}

#[tokio::test]
async fn a_client_that_asks_too_often_waits() {
    let app = TestApp::start_with(Backend::Embedded, |config| config.limits.api_per_minute = 3).await;
    let (program, other) = (app.program(SCOPES, None).await, app.program(SCOPES, None).await);
    for _ in 0..3 {
        program.get("/self").await.done(200);
    }
    let told = program.get("/self").await;
    assert_eq!((told.problem(429), told.header("retry-after")), ("too_many_requests", "60"));
    other.get("/self").await.done(200);
    app.clock.advance(crate::support::app::MINUTE);
    program.get("/self").await.done(200);
    app.finish().await;
}

async fn what_comes_twice_is_done_once(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    log::keep_secret("once@office.example");
    let (program, other) = (app.program(SCOPES, None).await, app.program(SCOPES, None).await);
    let key = [("idempotency-key", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"")];
    let body = json!({ "email": "once@office.example", "name": "一度", "role": "office", "reason": "x" });
    // What was refused may be tried again.
    let mut wrong = body.clone();
    wrong["email"] = json!("no address");
    assert_eq!(program.post_with("/operators", &key, wrong).await.problem(422), "invalid_fields");
    // Of many at once one does it; each is told the same, or to come back.
    let many = (0..8).map(|_| program.post_with("/operators", &key, body.clone()));
    let many = futures_util::future::join_all(many).await;
    let done: Vec<_> = many.iter().filter(|told| told.status == StatusCode::CREATED).collect();
    assert!(!done.is_empty());
    for told in &many {
        assert!(told.status == StatusCode::CREATED || told.problem(409) == "idempotency_in_progress");
    }
    let again = program.post_with("/operators", &key, body.clone()).await.done(201);
    assert_eq!((again.header("idempotent-replayed"), &again.json), ("true", &done[0].json));
    assert_eq!(again.header("location"), done[0].header("location"));
    app.mailbox.next_link("once@office.example").await;
    let count = "select count(*) from operator where name = '一度'";
    assert_eq!(app.number(count).await, 1);

    let mut another = body.clone();
    another["name"] = json!("二度");
    let mismatch = program.post_with("/operators", &key, another).await;
    assert_eq!(mismatch.problem(422), "idempotency_mismatch");
    // The key is the client's own.
    assert_eq!(other.post_with("/operators", &key, body.clone()).await.problem(409), "conflict");
    let bad = program.post_with("/operators", &[("idempotency-key", "a b")], body.clone()).await;
    assert_eq!(bad.problem(400), "invalid_parameter");
    // A day later it is forgotten.
    app.clock.advance(DAY);
    let token = app.token(&program.client, &[("grant_type", "client_credentials")]).await;
    let later = app.program_with(program.client.clone(), token.text("access_token"));
    if backend == Backend::Embedded {
        assert_eq!(later.post_with("/operators", &key, body).await.problem(409), "conflict");
    }
    app.finish().await;
}

async fn a_list_comes_in_pages(backend: Backend) {
    let app = TestApp::start(backend).await;
    for role in kenpos_idp::operators::Role::ALL {
        app.staff(role, None).await;
    }
    let (program, other) = (app.program(SCOPES, None).await, app.program(SCOPES, None).await);
    let all = program.get("/operators").await.done(200);
    assert_eq!((all.json["items"].as_array().unwrap().len(), all.json.get("next")), (4, None));
    let (mut path, mut seen) = ("/operators?limit=2".to_owned(), Vec::new());
    loop {
        let page = program.get(&path).await.done(200);
        seen.extend(page.json["items"].as_array().unwrap().clone());
        let Some(next) = page.json.get("next").and_then(|next| next.as_str()) else { break };
        let link = format!("<{}?limit=2&cursor={next}>; rel=\"next\"", app.url("/admin/api/v1/operators"));
        assert_eq!(page.header("link"), link);
        // It tells nothing, is nobody else's, and cannot be altered.
        assert!(!next.contains('@') && !next.contains("office"), "{next}");
        path = format!("/operators?limit=2&cursor={next}");
        assert_eq!(other.get(&path).await.problem(400), "invalid_parameter");
        assert_eq!(program.get(&format!("{path}A")).await.problem(400), "invalid_parameter");
    }
    assert_eq!(json!(seen), all.json["items"]);
    app.finish().await;
}
