//! The same from the command line.

use std::os::unix::fs::PermissionsExt as _;

use kenpos_idp::cli::{
    deletion,
    operate::{self, ActArgs},
    people::{self, SearchArgs, TimelineArgs},
};
use serde_json::Value;

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    scripts_find_people_and_act
}

fn act(login_id: &str) -> ActArgs {
    ActArgs {
        login_id: login_id.to_owned(),
        reason: "電話で本人確認済み".to_owned(),
        operator: "jimu".to_owned(),
        insurer: None,
        json: true,
    }
}

async fn search(app: &TestApp, query: &str, after: Option<String>) -> Value {
    let args = SearchArgs { query: query.to_owned(), insurer: None, limit: 2, after, json: true };
    let mut out = Vec::new();
    people::search(app.app(), &args, &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

async fn scripts_find_people_and_act(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    app.activate(&HANAKO).await;
    let first = search(&app, "タケダ", None).await;
    assert_eq!(first["people"].as_array().unwrap().len(), 2, "{first}");
    let next = first["next"].as_str().unwrap().to_owned();
    let second = search(&app, "タケダ", Some(next)).await;
    assert_eq!((second["people"].as_array().unwrap().len(), &second["next"]), (2, &Value::Null), "{second}");
    let hanako = search(&app, "hanako", None).await["people"][0].clone();
    assert_eq!((&hanako["state"], &hanako["email"]), (&"active".into(), &"h***@mail.example".into()));
    let refused =
        SearchArgs { query: "武田".to_owned(), insurer: None, limit: 1, after: None, json: false };
    people::search(app.app(), &refused, &mut Vec::new()).await.unwrap_err();

    let out = &mut Vec::new();
    people::correct_email(app.app(), &act(HANAKO.login_id), "right@mail.example", out).await.unwrap();
    app.mailbox.next(HANAKO.email).await;
    app.mailbox.next("right@mail.example").await;
    people::freeze(app.app(), &act(hanako["subject"].as_str().unwrap()), out).await.unwrap();
    app.mailbox.next(HANAKO.email).await;
    operate::unfreeze(app.app(), &act(HANAKO.login_id), out).await.unwrap();
    app.mailbox.next(HANAKO.email).await;
    let refused = people::withdraw_app(app.app(), &act(HANAKO.login_id), "nobody", out).await.unwrap_err();
    assert!(refused.to_string().contains("no access"), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hanako.json");
    people::export(app.app(), &act(HANAKO.login_id), &file, out).await.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let held: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(held["member"][0]["email"], HANAKO.email);
    people::export(app.app(), &act(HANAKO.login_id), &file, out).await.unwrap_err();

    // A dependent without an account has no login ID: the person that a search gave will do.
    let sakura = search(&app, "タケダ サ", None).await["people"][0]["person"].as_str().unwrap().to_owned();
    app.clock.advance(MINUTE);
    people::freeze(app.app(), &act(&sakura), out).await.unwrap();
    let mut lines = Vec::new();
    let whose = TimelineArgs { login_id: sakura, insurer: None, json: true };
    people::timeline(app.app(), &whose, &mut lines).await.unwrap();
    let lines: Value = serde_json::from_slice(&lines).unwrap();
    assert_eq!(lines[0]["action"], "member.frozen", "{lines}");
    assert_eq!(lines.as_array().unwrap().last().unwrap()["action"], "roster.person_added");

    deletion::delete(app.app(), &act(HANAKO.login_id), (false, true), out).await.unwrap();
    app.mailbox.next(HANAKO.email).await;
    deletion::delete(app.app(), &act(ICHIRO.login_id), (false, true), out).await.unwrap_err();
    app.finish().await;
}
