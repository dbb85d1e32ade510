//! What is held of a person (開示請求).

use kenpos_idp::{operators::Role, storage::held};
use reqwest::StatusCode;
use serde_json::Value;

use super::{member, office};
use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    journey::{allow, set_out},
    members::{HANAKO, ICHIRO},
    relying_party::Ask,
};

on_both_backends! {
    a_disclosure_is_complete_and_opens_nothing
}

async fn export(
    app: &TestApp,
    browser: &crate::support::http_browser::HttpBrowser,
    someone: &crate::support::members::Someone,
) -> Value {
    let confirm = member(app, browser, someone).await.click("#to-export").await;
    let file = confirm.form("#confirm-form").set("reason", "開示請求 2026-12").submit().await;
    assert_eq!(file.status, StatusCode::OK, "{}", file.body);
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"member.json\"");
    assert_eq!(file.headers["content-type"], "application/json; charset=utf-8");
    serde_json::from_str(&file.body).unwrap()
}

async fn a_disclosure_is_complete_and_opens_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let phone = app.activate(&HANAKO).await;
    let attempt = rp.begin(&Ask::scopes(&["profile"]));
    let back = allow(&set_out(&phone, &attempt).await).await;
    rp.finish(attempt, &back).await;
    let more = phone.get(&app.url("/account/profile/more")).await;
    more.form("#more-form").set("nickname", "はなちゃん").submit().await;
    let page = phone.get(&app.url("/account/preferences")).await;
    let topic = page.select("[name=topics]")[0].attr("value").unwrap().to_owned();
    page.form("#preferences-form").set("topics", &topic).submit().await;
    app.forgot_password(HANAKO.login_id, HANAKO.born).await;
    app.mailbox.next_link(HANAKO.email).await;

    let browser = office(&app, Role::Office, Some("7132")).await;
    let held = export(&app, &browser, &HANAKO).await;
    for table in held::TABLES.iter().map(|table| table.name).chain(["session", held::HISTORY]) {
        assert!(held[table].is_array(), "no {table}");
    }
    assert_eq!(held["roster_person"][0]["birth_date"], "1999-01-01");
    assert_eq!(held["roster_person"][0]["kana"], HANAKO.kana);
    assert_eq!(held["member"][0]["email"], HANAKO.email);
    assert_eq!(held["member"][0]["id"], held["subject"]);
    assert_eq!(held["member"][0]["activated_at"], "2026-11-23T01:15:00.000Z");
    assert_eq!(held["receipt"].as_array().unwrap().len(), 2);
    assert_eq!(held["profile"][0]["nickname"], "はなちゃん");
    assert!(held["consent"][0]["scope"].as_str().unwrap().contains("profile"));
    assert_eq!(held["pairwise_subject"].as_array().unwrap().len(), 1);
    let wanted =
        held["preference"].as_array().unwrap().iter().find(|one| one["topic"] == topic.as_str()).unwrap();
    assert_eq!(wanted["wanted"], true, "{wanted}");
    assert!(!held["preference_change"].as_array().unwrap().is_empty());
    assert_eq!(held["recovery"][0]["kind"], "password");
    assert_eq!(held["session"].as_array().unwrap().len(), 1);
    let actions: Vec<_> =
        held["audit"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    for action in ["member.exported", "member.activated", "member.consented", "registration.mail_sent"] {
        assert!(actions.contains(&action), "no {action} in {actions:?}");
    }
    let text = held.to_string();
    for secret in ["password_hash", "token_hash", "$argon2", "code_hash", "sealed"] {
        assert!(!text.contains(secret), "{secret}");
    }
    // Who has not registered is held in the roster, and in the history.
    let held = export(&app, &browser, &ICHIRO).await;
    assert_eq!(held["subject"], Value::Null);
    assert_eq!(
        (held["roster_person"].as_array().unwrap().len(), held["member"].as_array().unwrap().len()),
        (1, 0)
    );
    assert_eq!(held["audit"][0]["action"], "member.exported");
    assert_eq!(
        app.number(
            "select count(*) from audit where action = 'member.exported' and detail like '%開示請求%'"
        )
        .await,
        2
    );
    app.finish().await;
}
