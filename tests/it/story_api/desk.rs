//! Webhooks, queues, keys and documents through the API.

use serde_json::{Value, json};

use crate::{
    story_operators::matrix::second_insurer,
    support::{
        app::{Backend, TestApp, on_both_backends},
        members::HANAKO,
        receiver::Receiver,
    },
};

on_both_backends! {
    a_webhook_is_added_changed_tried_and_disabled
    mails_keys_and_documents_are_looked_after
}

async fn a_webhook_is_added_changed_tried_and_disabled(backend: Backend) {
    let mut receiver = Receiver::start().await;
    let app = TestApp::start_with(backend, |config| {
        receiver.admit(config);
        config.insurers.push(second_insurer());
    })
    .await;
    let program = app.program("admin:webhooks.read admin:webhooks.write", Some("7132")).await;
    let wanted = |url: String, insurer: &str| json!({ "name": "基幹", "url": url, "events": ["member.reset"], "insurer": insurer, "reason": "x" });
    let foreign = program.post("/webhooks", wanted(receiver.url("/a"), "7133")).await;
    assert_eq!(
        (foreign.problem(422), &foreign.json["errors"][0]["pointer"]),
        ("invalid_fields", &json!("#/insurer"))
    );
    let private = program.post("/webhooks", wanted("https://10.0.0.1/".to_owned(), "7132")).await;
    assert_eq!(
        (private.problem(422), &private.json["errors"][0]["pointer"]),
        ("invalid_fields", &json!("#/url"))
    );
    let made = program.post("/webhooks", wanted(receiver.url("/a"), "7132")).await.done(201);
    let (id, tag) = (made.json["webhook"]["id"].as_str().unwrap().to_owned(), made.header("etag").to_owned());
    assert!(made.json["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/webhooks/{id}");
    assert_eq!(made.header("location"), app.url(&format!("/admin/api/v1{path}")));

    let shown = program.get(&path).await.done(200);
    assert_eq!(shown.header("etag"), tag);
    assert!(!shown.json.to_string().contains("whsec_"), "a secret is told once");
    let changed = program.put(&path, &tag, wanted(receiver.url("/b"), "7132")).await.done(200);
    assert_eq!(
        program.put(&path, &tag, wanted(receiver.url("/c"), "7132")).await.problem(412),
        "precondition_failed"
    );
    assert_eq!(changed.json["url"], receiver.url("/b"));

    let why = json!({ "reason": "点検" });
    let rotated = program.post(&format!("{path}/rotate-secret"), why.clone()).await.done(200);
    assert_ne!(rotated.json["secret"], made.json["secret"]);
    assert_eq!(rotated.json["webhook"]["secrets"], 2);
    let test = program.post(&format!("{path}/test"), why.clone()).await.done(200);
    let received = receiver.next().await;
    assert_eq!(received.path, "/b");
    super::super::story_desk::until(&app, "select count(*) from delivery where state = 'sent'", 1).await;
    let list = program.get("/deliveries?limit=1&state=sent").await.done(200);
    assert_eq!(list.json["items"][0]["id"], test.json["delivery"], "{}", list.json);
    let again = format!("/deliveries/{}/retry", test.json["delivery"].as_str().unwrap());
    let again = program.post(&again, why.clone()).await;
    assert_eq!((again.problem(409), &again.json["errors"][0]["code"]), ("conflict", &json!("not_waiting")));
    let disabled = program.post(&format!("{path}/disable"), why.clone()).await.done(200);
    assert_eq!(disabled.json["enabled"], false);
    assert_eq!(program.post(&format!("{path}/disable"), why.clone()).await.problem(409), "conflict");
    program.post(&format!("{path}/enable"), why.clone()).await.done(200);

    let other = app.program("admin:webhooks.read admin:webhooks.write", Some("7133")).await;
    assert_eq!(other.get(&path).await.problem(404), "not_found");
    assert_eq!(other.post(&format!("{path}/test"), why).await.problem(404), "not_found");
    assert_eq!(other.get("/webhooks").await.done(200).json["items"], json!([]));
    assert_eq!(other.get("/deliveries").await.done(200).json["items"], json!([]));
    app.finish().await;
}

async fn mails_keys_and_documents_are_looked_after(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.insurers.push(second_insurer())).await;
    app.activate(&HANAKO).await;
    let scopes = "admin:mails.read admin:mails.write admin:keys.read admin:keys.write admin:documents.read";
    let program = app.program(scopes, None).await;
    let page = program.get("/mails?limit=1").await.done(200);
    assert!(page.header("link").contains("rel=\"next\""), "{:?}", page.headers);
    let cursor = page.json["next"].as_str().unwrap();
    let rest = program.get(&format!("/mails?cursor={cursor}")).await.done(200);
    let mails: Vec<Value> =
        [&page, &rest].iter().flat_map(|one| one.json["items"].as_array().unwrap().clone()).collect();
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails.iter().all(|mail| mail["for"] == "h***@mail.example"), "{mails:?}");
    assert_eq!(program.get("/mails?state=lost").await.problem(400), "invalid_parameter");
    let id = mails[0]["id"].as_str().unwrap();
    let why = json!({ "reason": "user unknown" });
    assert_eq!(program.post(&format!("/mails/{id}/give-up"), why.clone()).await.problem(409), "conflict");
    program.post(&format!("/mails/{id}/bounce"), why.clone()).await.done(200);
    let marks = program.get("/bounces").await.done(200).json;
    let mark = marks["items"][0]["id"].as_str().unwrap();
    let other = app.program(scopes, Some("7133")).await;
    assert_eq!(other.post(&format!("/bounces/{mark}/clear"), why.clone()).await.problem(404), "not_found");
    assert_eq!(other.post(&format!("/mails/{id}/bounce"), why.clone()).await.problem(404), "not_found");
    program.post(&format!("/bounces/{mark}/clear"), why.clone()).await.done(204);
    assert_eq!(program.get("/bounces").await.done(200).json["items"], json!([]));

    // The keys are those of every insurer.
    assert_eq!(other.post("/keys/rotate", why.clone()).await.problem(404), "not_found");
    assert_eq!(other.get("/keys").await.done(200).json["items"].as_array().unwrap().len(), 4);
    let keys = program.post("/keys/rotate", why.clone()).await.done(200).json;
    let keys = keys["items"].as_array().unwrap();
    assert_eq!(keys.len(), 6);
    let active = keys.iter().find(|key| key["state"] == "active").unwrap()["kid"].as_str().unwrap();
    let left = program.post(&format!("/keys/{active}/retire"), why.clone()).await.done(200).json;
    assert!(!left.to_string().contains(active), "{left}");
    assert_eq!(program.post(&format!("/keys/{active}/retire"), why).await.problem(404), "not_found");

    let documents = program.get("/documents").await.done(200).json;
    let documents = documents["items"].as_array().unwrap();
    assert_eq!(documents.len(), 4, "{documents:?}");
    let accepted = |insurer: &str| {
        documents
            .iter()
            .filter(|one| one["insurer"] == insurer)
            .map(|one| one["accepted"].as_i64().unwrap())
            .sum::<i64>()
    };
    assert_eq!((accepted("7132"), accepted("7133")), (2, 0));
    app.finish().await;
}
