//! A roster through the API: uploaded, checked, applied, undone.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::story_operators::matrix::two_insurers;
use crate::support::{
    api::{Program, Told},
    app::{Backend, MINUTE, TestApp, on_both_backends},
};

on_both_backends! {
    a_roster_is_uploaded_looked_at_applied_and_undone
    what_cannot_be_imported_is_told_and_nothing_is_written
}

const SCOPES: &str = "admin:roster.read admin:roster.write";
const HEADER: &str = "記号,番号,区分,氏名カナ,生年月日,資格喪失日\n";
const ONE: &str = "91,300001,一般被保険者,アオガワ アキト,1970-01-01,\n";
const PEOPLE: &str = "select count(*) from roster_person where lost_at is null";

fn path(id: &str) -> String {
    format!("/roster/imports/{id}")
}

async fn upload(program: &Program, id: &str, query: &str, content: &[u8]) -> Told {
    let to = format!("{}{query}", path(id));
    program.send(Method::PUT, &to, &[("content-type", "text/csv")], content.to_vec()).await
}

/// The import once it is done with what it does by itself.
async fn settled(program: &Program, id: &str) -> Value {
    for _ in 0..600 {
        let import = program.get(&path(id)).await.done(200).json;
        if !["uploading", "checking", "applying", "undoing"].contains(&import["state"].as_str().unwrap()) {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the import does not end");
}

fn code(told: &Told) -> &str {
    told.json["errors"][0]["code"].as_str().unwrap()
}

async fn a_roster_is_uploaded_looked_at_applied_and_undone(backend: Backend) {
    let app = TestApp::start(backend).await;
    let program = app.program(SCOPES, Some("7132")).await;
    let before = app.number(PEOPLE).await;
    let today = "select count(*) from roster_person where valid_until is null";
    let eligible = app.number(today).await;
    assert!(eligible < before, "somebody's days are over");
    // Not in one instant with the import that the story begins with.
    app.clock.advance(MINUTE);
    let id = "5f0d3a10-6a53-4f0e-9d6b-2b6f0a7c1d11";
    let file = format!("{HEADER}{ONE}91,300002,一般被保険者,=cmd(),1970-01-01,\n");
    let made = upload(&program, id, "?file=roster.csv", file.as_bytes()).await.done(201);
    assert_eq!(made.header("location"), app.url(&format!("/admin/api/v1{}", path(id))));
    // Whoever lost the answer finds it there, and replaces nothing.
    let again = upload(&program, id, "?file=roster.csv", file.as_bytes()).await;
    assert_eq!((again.problem(409), code(&again)), ("conflict", "id_taken"));
    let import = settled(&program, id).await;
    assert_eq!((&import["state"], &import["refused"]), (&json!("ready"), &json!(1)), "{import}");
    assert_eq!((&import["file"], &import["full"]), (&json!("roster.csv"), &json!(false)));
    assert_eq!(import["persons"], json!({ "added": 1, "changed": 0, "unchanged": 0, "lost": 0 }));
    assert_eq!(import["check"]["eligible"], eligible);
    assert_eq!(import["check"]["refusals"], json!([{ "line": 3, "rule": "kana" }]));
    assert_eq!(app.number(PEOPLE).await, before, "nothing is written before somebody says so");
    assert_eq!(program.get(&format!("{}/undo", path(id))).await.problem(404), "not_found");

    let refused = program.get(&format!("{}/refused-rows", path(id))).await.done(200);
    assert_eq!(refused.header("content-type"), "text/csv; charset=utf-8");
    assert!(refused.json.as_str().unwrap().contains(",'=cmd(),"), "{}", refused.json);
    let noted =
        "select count(*) from audit where action = 'roster.refused_rows_exported' and insurer = '7132'";
    assert_eq!(app.number(noted).await, 1);

    let why = json!({ "reason": "月次" });
    let act = async |name: &str| program.post(&format!("{}/{name}", path(id)), why.clone()).await;
    act("apply").await.done(200);
    let import = settled(&program, id).await;
    assert_eq!((&import["state"], &import["undoable"]), (&json!("applied"), &json!(true)), "{import}");
    assert_eq!((app.number(PEOPLE).await, &import["persons"]["added"]), (before + 1, &json!(1)));
    for late in ["apply", "discard"] {
        let told = act(late).await;
        assert_eq!((told.problem(409), code(&told)), ("conflict", "past"));
    }
    let would = program.get(&format!("{}/undo", path(id))).await.done(200).json;
    assert_eq!(would, json!({ "removed": 1, "kept": 0, "restored": 0, "stuck": 0 }));
    act("undo").await.done(200);
    let import = settled(&program, id).await;
    assert_eq!((&import["state"], &import["undone"]), (&json!("undone"), &would), "{import}");
    assert_eq!(app.number(PEOPLE).await, before);
    let told = act("undo").await;
    assert_eq!((told.problem(409), code(&told)), ("conflict", "not_last"));

    // The list has pages, and names who.
    app.clock.advance(MINUTE);
    let second = "5f0d3a10-6a53-4f0e-9d6b-2b6f0a7c1d12";
    upload(&program, second, "", format!("{HEADER}{ONE}").as_bytes()).await.done(201);
    settled(&program, second).await;
    program.post(&format!("{}/discard", path(second)), why).await.done(200);
    let page = program.get("/roster/imports?limit=1").await.done(200);
    let rest = format!("/roster/imports?limit=1&cursor={}", page.json["next"].as_str().unwrap());
    let rest = program.get(&rest).await.done(200).json;
    assert_eq!([&page.json["items"][0]["id"], &rest["items"][0]["id"]], [second, id]);
    assert_eq!(rest["items"][0]["by"], format!("client:{}", program.client.id));
    app.finish().await;
}

async fn what_cannot_be_imported_is_told_and_nothing_is_written(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.roster.upload_limit_bytes = 64 * 1024).await;
    let program = app.program(SCOPES, None).await;
    let id = "another-import-of-november";
    let good = format!("{HEADER}{ONE}");
    for (query, parameter) in [("", "insurer"), ("?insurer=9999", "insurer"), ("?insurer=7132&x=1", "query")]
    {
        let told = upload(&program, id, query, good.as_bytes()).await;
        assert_eq!(told.problem(400), "invalid_parameter");
        assert_eq!(told.json["errors"][0]["parameter"], parameter);
    }
    let told = upload(&program, "short", "?insurer=7132", good.as_bytes()).await;
    assert_eq!(
        (told.problem(400), &told.json["errors"][0]["parameter"]),
        ("invalid_parameter", &json!("import"))
    );
    let json = [("content-type", "application/json")];
    let told = program.send(Method::PUT, &format!("{}?insurer=7132", path(id)), &json, b"{}".to_vec()).await;
    assert_eq!(told.problem(415), "unsupported_media_type");
    for (content, expected) in [
        (Vec::new(), "empty"),
        (b"a,b\n1,2\n".to_vec(), "header"),
        ("記号,番号,x\n1,2,3\n".as_bytes().to_vec(), "column-unknown"),
        (b"\x81,\xff\n".to_vec(), "encoding"),
        ("記号,番号\n1,2\n".as_bytes().to_vec(), "column-missing"),
    ] {
        let told = upload(&program, id, "?insurer=7132", &content).await;
        assert_eq!((told.problem(422), code(&told)), ("invalid_fields", expected));
    }
    let large = format!("{HEADER}{}", ONE.repeat(2000));
    assert_eq!(upload(&program, id, "?insurer=7132", large.as_bytes()).await.problem(413), "too_large");
    assert_eq!(program.get(&path(id)).await.problem(404), "not_found");
    assert_eq!(app.number("select count(*) from roster_file").await, 0);

    // A single refused row stops a full roster.
    let full = format!("{good}91,1,一般被保険者,山,1999,\n");
    upload(&program, id, "?insurer=7132&full=true", full.as_bytes()).await.done(201);
    let import = settled(&program, id).await;
    assert_eq!((&import["state"], &import["full"]), (&json!("refused"), &json!(true)), "{import}");
    assert!(import["problem"].is_string(), "{import}");
    let told = program.post(&format!("{}/apply", path(id)), json!({ "reason": "x" })).await;
    assert_eq!((told.problem(409), code(&told)), ("conflict", "past"));

    // One import of an insurer at a time.
    app.run(
        "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at, leased_until, attempts)
         values ('other', '7132', 'f', 'cli:x', false, 'staging', 1, 8000000000000, 1)",
    )
    .await;
    let told = upload(&program, "yet-another-import", "?insurer=7132", good.as_bytes()).await;
    assert_eq!((told.problem(409), code(&told)), ("conflict", "busy"));
    app.finish().await;
}

#[tokio::test]
async fn the_imports_of_another_insurer_are_not_there() {
    let app = two_insurers().await;
    let (own, other) = (app.program(SCOPES, Some("7132")).await, app.program(SCOPES, Some("7133")).await);
    let reader = app.program("admin:roster.read", Some("7132")).await;
    let (id, file) = ("import-of-the-first-one", format!("{HEADER}{ONE}"));
    assert_eq!(upload(&reader, id, "", file.as_bytes()).await.problem(403), "insufficient_scope");
    upload(&own, id, "?insurer=7132", file.as_bytes()).await.done(201);
    settled(&own, id).await;
    let foreign = upload(&other, "import-of-the-second", "?insurer=7132", file.as_bytes()).await;
    assert_eq!(foreign.problem(400), "invalid_parameter");
    assert_eq!(upload(&other, id, "", file.as_bytes()).await.problem(404), "not_found");
    for name in ["", "/refused-rows", "/undo"] {
        assert_eq!(other.get(&format!("{}{name}", path(id))).await.problem(404), "not_found");
    }
    for act in ["apply", "discard", "undo"] {
        let told = other.post(&format!("{}/{act}", path(id)), json!({ "reason": "x" })).await;
        assert_eq!(told.problem(404), "not_found", "{act}");
    }
    assert_eq!(other.get("/roster/imports").await.done(200).json["items"], json!([]));
    assert_eq!(settled(&own, id).await["state"], "ready");
    assert_eq!(reader.get(&path(id)).await.status, StatusCode::OK);
    app.finish().await;
}
