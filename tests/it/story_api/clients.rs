//! Relying parties through the API.

use kenpos_idp::clients::Client;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::story_operators::matrix::two_insurers;
use crate::support::{
    api::{Program, Told},
    app::{Backend, MINUTE, TestApp, on_both_backends},
    attack::good_request,
    journey::{allow, log_in},
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_relying_party_is_registered_changed_and_stopped
    a_relying_party_is_found_by_name_and_deleted
}

const WRITE: &str = "admin:clients.read admin:clients.write";

fn registration() -> Value {
    json!({
        "metadata": {
            "client_name": "からだ手帳", "client_name#en": "Body Notes",
            "redirect_uris": ["https://karada.example.jp/callback"], "scope": "openid profile",
        },
        "reason": "依頼書 12",
    })
}

async fn patch(program: &Program, path: &str, tag: &str, metadata: Value) -> Told {
    let body = json!({ "metadata": metadata, "reason": "変更" }).to_string();
    let headers = [("content-type", "application/json"), ("if-match", tag)];
    program.send(Method::PATCH, path, &headers, body.into_bytes()).await
}

/// Whether the client proves itself with this secret.
async fn works(app: &TestApp, id: &str, secret: &str) -> bool {
    let client = Registered {
        id: id.to_owned(),
        secret: Some(secret.to_owned()),
        metadata: app.client.metadata.clone(),
    };
    let answer = app.token(&client, &[("grant_type", "refresh_token"), ("refresh_token", "x")]).await;
    answer.error() != "invalid_client"
}

async fn a_relying_party_is_registered_changed_and_stopped(backend: Backend) {
    let app = TestApp::start(backend).await;
    let program = app.program(WRITE, None).await;
    // Sent again after a lost answer, it is registered once, with the same secret.
    let key = [("idempotency-key", "k1")];
    let made = program.post_with("/clients", &key, registration()).await.done(201);
    let again = program.post_with("/clients", &key, registration()).await.done(201);
    assert_eq!(made.json, again.json);
    let id = made.json["client_id"].as_str().unwrap().to_owned();
    let secret = made.json["client_secret"].as_str().unwrap().to_owned();
    let path = format!("/clients/{id}");
    assert_eq!(made.header("location"), app.url(&format!("/admin/api/v1{path}")));
    assert!(works(&app, &id, &secret).await);
    let shown = program.get(&path).await.done(200);
    assert_eq!(shown.json["metadata"]["client_name#en"], "Body Notes");
    assert!(!shown.json.to_string().contains(&secret));

    // Of two who change it at once, the second is told.
    let tag = shown.header("etag");
    let changed =
        patch(&program, &path, tag, json!({ "scope": "openid email", "client_name#en": null })).await;
    let changed = changed.done(200).json;
    assert_eq!((&changed["metadata"]["scope"], changed.get("client_secret")), (&json!("openid email"), None));
    assert!(changed["metadata"].get("client_name#en").is_none());
    let late = patch(&program, &path, tag, json!({ "scope": "openid" })).await;
    assert_eq!(late.problem(412), "precondition_failed");
    let tag = program.get(&path).await.header("etag").to_owned();
    for (metadata, pointer) in [
        (json!({ "redirect_uris": ["http://karada.example.jp/"] }), "#/metadata/redirect_uris"),
        (json!({ "scope": "openid admin:operators.write" }), "#/metadata/scope"),
        (json!({ "scope": 5 }), "#/metadata"),
        (json!({ "nonsense": "x" }), "#/metadata"),
        (json!({ "insurer": "9999" }), "#/metadata/insurer"),
    ] {
        let refused = patch(&program, &path, &tag, metadata).await;
        assert_eq!(refused.problem(422), "invalid_fields");
        assert_eq!(refused.json["errors"][0]["pointer"], pointer);
    }
    let same = patch(&program, &path, &tag, json!({})).await;
    assert_eq!((same.problem(409), &same.json["errors"][0]["code"]), ("conflict", &json!("already")));

    let rotate = format!("{path}/secret");
    let rotated = program.post(&rotate, json!({ "overlap_hours": 2, "reason": "年次" })).await.done(200);
    let newer = rotated.json["client_secret"].as_str().unwrap();
    assert_eq!(rotated.json["secrets"].as_array().unwrap().len(), 2);
    assert!(works(&app, &id, &secret).await && works(&app, &id, newer).await);
    let long = program.post(&rotate, json!({ "overlap_hours": 2161, "reason": "年次" })).await;
    assert_eq!(
        (long.problem(422), &long.json["errors"][0]["pointer"]),
        ("invalid_fields", &json!("#/overlap_hours"))
    );
    let why = json!({ "reason": "切替済" });
    program.post(&format!("{path}/end-old-secrets"), why.clone()).await.done(200);
    assert!(!works(&app, &id, &secret).await && works(&app, &id, newer).await);
    let disabled = program.post(&format!("{path}/disable"), why.clone()).await.done(200);
    assert_eq!(disabled.json["state"], "disabled");
    assert!(!works(&app, &id, newer).await);
    let twice = program.post(&format!("{path}/disable"), why.clone()).await;
    assert_eq!((twice.problem(409), &twice.json["errors"][0]["code"]), ("conflict", &json!("already")));
    program.post(&format!("{path}/enable"), why).await.done(200);
    assert!(works(&app, &id, newer).await);
    let by = format!(
        "select count(*) from audit where actor = 'client:{}' and action like 'client.%'",
        program.client.id
    );
    assert_eq!(app.number(&by).await, 6);
    app.finish().await;
}

async fn a_relying_party_is_found_by_name_and_deleted(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let program = app.program(WRITE, None).await;
    let mut ids = Vec::new();
    for name in ["みまもり手帳", "みまもり日記", "てくてく"] {
        let mut wanted = registration();
        wanted["metadata"]["client_name"] = json!(name);
        app.clock.advance(MINUTE);
        ids.push(
            program.post("/clients", wanted).await.done(201).json["client_id"].as_str().unwrap().to_owned(),
        );
    }
    let page = program.get("/clients?search=%E3%81%BF%E3%81%BE%E3%82%82%E3%82%8A&limit=1").await.done(200);
    assert_eq!(page.json["items"][0]["client_id"], json!(ids[1]), "the newest first: {}", page.json);
    let link = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    let next = program.get(link.split("/admin/api/v1").nth(1).unwrap()).await.done(200);
    assert_eq!((&next.json["items"][0]["client_id"], next.json.get("next")), (&json!(ids[0]), None));
    let cursor = page.json["next"].as_str().unwrap();
    let other = program.get(&format!("/clients?search=x&cursor={cursor}")).await;
    assert_eq!(other.problem(400), "invalid_parameter", "a cursor belongs to its search");
    let long = program.get(&format!("/clients?search={}", "x".repeat(101))).await;
    assert_eq!(long.problem(400), "invalid_parameter");
    let own = program.get(&format!("/clients?search={}", &ids[2][..8])).await.done(200);
    assert_eq!(own.json["items"][0]["client_id"], json!(ids[2]));

    // A member has allowed something; with the client it goes, and what the client has is void.
    app.activate(&HANAKO).await;
    let secret = json!({ "overlap_hours": 0, "reason": "x" });
    let secret = program.post(&format!("/clients/{}/secret", ids[0]), secret).await.done(200).json;
    let secret = secret["client_secret"].as_str().unwrap().to_owned();
    let consent = format!("select count(*) from consent where client_id = '{}'", ids[0]);
    let metadata = Client::find(app.db(), &ids[0]).await.unwrap().unwrap().metadata;
    let client = Registered { id: ids[0].clone(), secret: Some(secret.clone()), metadata };
    let browser = app.http_browser();
    let login =
        browser.get(&app.authorize_url(&good_request(&client, "openid profile"))).await.follow_here().await;
    allow(&log_in(&login, HANAKO.login_id, HANAKO.password).await).await;
    let code = app.code(&browser, &client, "openid profile").await;
    let tokens = app.redeem(&client, &code).await;
    assert_eq!((tokens.status, app.number(&consent).await), (StatusCode::OK, 1), "{}", tokens.json);

    let (path, why) = (format!("/clients/{}/delete", ids[0]), json!({ "reason": "契約終了" }));
    let early = program.post(&path, why.clone()).await;
    assert_eq!((early.problem(409), &early.json["errors"][0]["code"]), ("conflict", &json!("enabled")));
    program.post(&format!("/clients/{}/disable", ids[0]), why.clone()).await.done(200);
    let key = [("idempotency-key", "d1")];
    program.post_with(&path, &key, why.clone()).await.done(204);
    program.post_with(&path, &key, why.clone()).await.done(204);
    assert_eq!(program.post(&path, why).await.problem(404), "not_found");
    assert_eq!(program.get(&format!("/clients/{}", ids[0])).await.problem(404), "not_found");
    assert_eq!(app.number(&consent).await, 0);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    assert!(!works(&app, &ids[0], &secret).await);
    let noted = format!(
        "select count(*) from audit where action = 'client.deleted' and actor = 'client:{}' and client_id = '{}'
         and detail like '%契約終了%'",
        program.client.id, ids[0]
    );
    assert_eq!(app.number(&noted).await, 1);
    app.finish().await;
}

#[tokio::test]
async fn a_program_takes_over_neither_its_betters_nor_what_is_of_others() {
    let app = two_insurers().await;
    let all = app.program(WRITE, None).await;
    let own = app.program(WRITE, Some("7132")).await;
    let boss = app.program("admin:operators.write", None).await;
    let path = format!("/clients/{}", boss.client.id);
    let why = json!({ "reason": "x" });
    for act in ["secret", "disable"] {
        let refused = all.post(&format!("{path}/{act}"), why.clone()).await;
        assert_eq!(
            (refused.problem(409), &refused.json["errors"][0]["code"]),
            ("conflict", &json!("api_program")),
            "{act}"
        );
    }
    let mut admin = registration();
    admin["metadata"]["scope"] = json!("admin:operators.write");
    admin["metadata"]["grant_types"] = json!(["client_credentials"]);
    admin["metadata"]["response_types"] = json!([]);
    assert_eq!(all.post("/clients", admin).await.problem(422), "invalid_fields");

    let mut for_all = registration();
    let refused = own.post("/clients", for_all.clone()).await;
    assert_eq!(
        (refused.problem(422), &refused.json["errors"][0]["pointer"]),
        ("invalid_fields", &json!("#/metadata/insurer"))
    );
    for_all["metadata"]["insurer"] = json!("7132");
    let mine = own.post("/clients", for_all.clone()).await.done(201);
    for_all["metadata"]["insurer"] = json!("7133");
    let foreign =
        all.post("/clients", for_all).await.done(201).json["client_id"].as_str().unwrap().to_owned();
    for path in [format!("/clients/{foreign}"), path] {
        assert_eq!(own.get(&path).await.problem(404), "not_found");
        assert_eq!(own.post(&format!("{path}/disable"), why.clone()).await.problem(404), "not_found");
    }
    let listed = own.get("/clients").await.done(200);
    let ids: Vec<&Value> =
        listed.json["items"].as_array().unwrap().iter().map(|one| &one["client_id"]).collect();
    assert!(ids.contains(&&mine.json["client_id"]) && !ids.contains(&&json!(foreign)), "{ids:?}");
    let path = format!("/clients/{}", mine.json["client_id"].as_str().unwrap());
    let tag = own.get(&path).await.header("etag").to_owned();
    let refused = patch(&own, &path, &tag, json!({ "introspects": ["https://records.example.jp/"] })).await;
    assert_eq!(refused.problem(422), "invalid_fields");

    let page = all.get("/clients?limit=1").await.done(200);
    let next = page.json["next"].as_str().unwrap();
    let second = all.get(&format!("/clients?limit=1&cursor={next}")).await.done(200);
    assert_ne!(page.json["items"], second.json["items"]);
    assert_eq!(second.status, StatusCode::OK);
    app.finish().await;
}
