//! Members through the API: the rules are those of the console, whose stories are in `story_members_console`.

use kenpos_idp::admin::api::access::TABLE;
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    members::HANAKO,
};

on_both_backends! {
    a_program_finds_shows_and_acts
    a_program_of_one_insurer_reaches_its_people_alone
}

const WRITE: &str = "admin:members.read admin:members.write";

async fn a_program_finds_shows_and_acts(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate(&HANAKO).await;
    let program = app.program(WRITE, Some("7132")).await;
    let ask = |query: &str, cursor: Value| json!({ "query": query, "limit": 3, "cursor": cursor });
    let first = program.post("/members/search", ask("たけだ", Value::Null)).await.done(200).json;
    assert_eq!(first["items"].as_array().unwrap().len(), 3, "{first}");
    let second = program.post("/members/search", ask("たけだ", first["next"].clone())).await.done(200).json;
    assert_eq!((second["items"].as_array().unwrap().len(), second.get("next")), (1, None), "{second}");
    let other = program.post("/members/search", ask("たけ", first["next"].clone())).await;
    assert_eq!(other.problem(400), "invalid_parameter");
    let wrong = program.post("/members/search", json!({ "query": "武田" })).await;
    assert_eq!(
        (wrong.problem(422), &wrong.json["errors"][0]["pointer"]),
        ("invalid_fields", &json!("#/query"))
    );

    let found = program.post("/members/search", json!({ "query": HANAKO.login_id })).await.done(200).json;
    let hanako = found["items"].as_array().unwrap().iter().find(|one| one["name"] == HANAKO.kana).unwrap();
    let (person, subject) = (hanako["person"].as_str().unwrap(), hanako["subject"].as_str().unwrap());
    let shown = program.get(&format!("/members/{subject}")).await.done(200).json;
    assert_eq!((&shown["person"], &shown["login_id"]), (&json!(person), &json!(HANAKO.login_id)));
    assert_eq!((&shown["state"], &shown["email"]), (&json!("active"), &json!("h***@mail.example")));
    assert_eq!(
        (&shown["first_password"], shown["documents"].as_array().unwrap().len()),
        (&json!("replaced"), 2)
    );
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 1);
    assert!(!shown.to_string().contains("1999"), "no birth date: {shown}");

    let path = |act: &str| format!("/members/{person}/{act}");
    let why = json!({ "reason": "電話で本人確認済み" });
    app.clock.advance(MINUTE);
    let ended = program.post(&path("end-sessions"), why.clone()).await.done(200).json;
    assert_eq!(ended["sessions"], json!([]));
    assert_eq!(program.post(&path("freeze"), why.clone()).await.done(200).json["state"], "frozen");
    app.mailbox.next(HANAKO.email).await;
    let twice = program.post(&path("freeze"), why.clone()).await;
    assert_eq!((twice.problem(409), &twice.json["errors"][0]["code"]), ("conflict", &json!("stopped")));
    assert_eq!(program.post(&path("unfreeze"), why.clone()).await.done(200).json["state"], "active");
    app.mailbox.next(HANAKO.email).await;
    let email = program.post(&path("show-email"), why.clone()).await.done(200).json;
    assert_eq!(email, json!({ "email": HANAKO.email }));
    let same = json!({ "email": HANAKO.email, "reason": "x" });
    let same = program.post(&path("correct-email"), same).await;
    assert_eq!((same.problem(409), &same.json["errors"][0]["code"]), ("conflict", &json!("same_email")));
    program.post(&path("unlock"), why.clone()).await.done(200);
    let none = json!({ "client_id": "nobody", "reason": "x" });
    assert_eq!(program.post(&path("withdraw-app"), none).await.problem(409), "conflict");
    assert_eq!(program.post(&path("dismiss-deletion"), why.clone()).await.problem(409), "conflict");
    assert_eq!(program.post(&path("delete"), why.clone()).await.problem(409), "conflict");
    assert_eq!(program.get("/deletion-requests").await.done(200).json["items"], json!([]));
    let held = program.post(&path("export"), why.clone()).await.done(200).json;
    assert_eq!(held["member"][0]["email"], HANAKO.email);

    // A lost answer is asked for again, and the code is the same.
    let key = [("idempotency-key", "reset-1")];
    let restart = json!({ "code": true, "reason": "IDとパスワードを忘れた" });
    let reset = program.post_with(&path("reset"), &key, restart.clone()).await.done(200).json;
    app.mailbox.next(HANAKO.email).await;
    assert_eq!(reset["activation_code"].as_str().unwrap().len(), 14, "{reset}");
    assert_eq!(program.post_with(&path("reset"), &key, restart.clone()).await.done(200).json, reset);
    assert_eq!(program.post(&path("reset"), restart).await.problem(409), "conflict");
    app.clock.advance(MINUTE);
    let plain = program.post(&path("reissue"), why.clone()).await.done(200).json;
    assert_eq!((&plain["issued"], plain.get("activation_code")), (&json!("birth_date"), None));

    let lines = program.get(&format!("{}?limit=4", path("timeline"))).await.done(200).json;
    assert_eq!(lines["items"][0]["action"], "member.reissued", "{lines}");
    assert_eq!(lines["items"][0]["actor"], json!(format!("client:{}", program.client.id)));
    let next = lines["next"].as_str().unwrap();
    let more = program.get(&format!("{}?limit=200&cursor={next}", path("timeline"))).await.done(200).json;
    let actions: Vec<_> = more["items"].as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert!(actions.contains(&&json!("roster.person_added")), "{more}");
    let gone =
        program.post(&path("delete"), json!({ "unasked": true, "reason": "手紙" })).await.done(200).json;
    assert_eq!(gone["state"], "closed");
    let reader = app.program("admin:members.read", None).await;
    assert_eq!(reader.post(&path("export"), why).await.problem(403), "insufficient_scope");
    app.finish().await;
}

async fn a_program_of_one_insurer_reaches_its_people_alone(backend: Backend) {
    let app = TestApp::of_two(backend).await;
    let all = app.program(WRITE, None).await;
    let found = all.post("/members/search", json!({ "query": HANAKO.login_id })).await.done(200).json;
    let person = found["items"][0]["person"].as_str().unwrap().to_owned();
    let momiji = app.program(WRITE, Some("8001")).await;
    let none = momiji.post("/members/search", json!({ "query": HANAKO.login_id })).await.done(200).json;
    assert_eq!(none["items"], json!([]));
    let named = momiji.post("/members/search", json!({ "query": "タケダ", "insurer": "7132" })).await;
    assert_eq!(named.problem(422), "invalid_fields");
    let body = json!({ "reason": "x", "code": true, "email": "x@mail.example", "client_id": "x" });
    for (path, method, _) in TABLE.iter().filter(|(path, ..)| path.contains("{member}")) {
        let path = path.trim_start_matches("/admin/api/v1").replace("{member}", &person);
        let told = if method.as_str() == "GET" {
            momiji.get(&path).await
        } else {
            // Each takes some of the fields: what is too much is taken away.
            let mut body = body.clone();
            let takes = match path.rsplit('/').next().unwrap() {
                "reset" | "reissue" => "code",
                "correct-email" => "email",
                "withdraw-app" => "client_id",
                _ => "",
            };
            body.as_object_mut().unwrap().retain(|name, _| name == "reason" || name == takes);
            momiji.post(&path, body).await
        };
        assert_eq!(told.problem(404), "not_found", "{path}");
    }
    assert_eq!(
        app.number("select count(*) from audit where actor like 'client:%' and action like 'member.%'").await,
        0
    );
    app.finish().await;
}
