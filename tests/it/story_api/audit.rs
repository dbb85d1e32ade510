//! The audit as a file, through the API.

use serde_json::{Value, json};

use crate::{
    story_operators::matrix::second_insurer,
    support::{
        app::{Backend, MINUTE, TestApp, on_both_backends},
        members::HANAKO,
    },
};

on_both_backends! {
    the_audit_is_exported_as_it_is_found
}

async fn the_audit_is_exported_as_it_is_found(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.insurers.push(second_insurer())).await;
    app.activate(&HANAKO).await;
    let program = app.program("admin:audit.read", Some("7132")).await;
    app.clock.advance(MINUTE);
    let csv = program.post("/audit/export", json!({ "action": "member.activated" })).await.done(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = csv.json.as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("at,id,actor,action,insurer,member_id,client_id,detail"), "{text}");
    assert!(lines.len() == 2 && lines[1].contains("member.activated,7132,"), "{text}");

    let jsonl = program.post("/audit/export", json!({ "format": "json" })).await.done(200);
    assert_eq!(jsonl.header("content-type"), "application/jsonl; charset=utf-8");
    let lines: Vec<Value> =
        jsonl.json.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = program.post("/audit/search", json!({ "limit": 200 })).await.done(200).json;
    let ids = |list: &[Value]| list.iter().map(|line| line["id"].clone()).collect::<Vec<_>>();
    // The search sees that there was an export; the export noted itself before its first line left.
    assert_eq!(ids(&lines), ids(found["items"].as_array().unwrap()));
    assert!(lines.iter().all(|line| line["insurer"] == "7132"), "{lines:?}");
    assert_eq!(
        (&lines[0]["action"], &lines[0]["actor"]),
        (&json!("audit.exported"), &json!(format!("client:{}", program.client.id)))
    );

    let other = app.program("admin:audit.read", Some("7133")).await;
    let named = other.post("/audit/export", json!({ "insurer": "7132" })).await;
    assert_eq!(
        (named.problem(422), &named.json["errors"][0]["pointer"]),
        ("invalid_fields", &json!("#/insurer"))
    );
    let own = other.post("/audit/export", json!({ "format": "json", "action": "member.activated" })).await;
    assert_eq!(own.done(200).json, Value::Null);
    for wrong in [json!({ "format": "pdf" }), json!({ "limit": 1 })] {
        assert_eq!(program.post("/audit/export", wrong).await.problem(400), "invalid_body");
    }
    app.finish().await;
}
