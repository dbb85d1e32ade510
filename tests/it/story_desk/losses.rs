//! A member loses the eligibility: told once, whoever or whatever ends it.

use kenpos_idp::operators::Role;
use serde_json::json;

use super::until;
use crate::support::{
    app::{Backend, DAY, TestApp, on_both_backends},
    members::{HANAKO, ICHIRO},
    receiver::Receiver,
};

on_both_backends! {
    a_loss_is_told_once
    a_loss_after_days_of_grace_comes_with_its_day
}

const HEADER: &str = "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日";

/// A roster of Hanako, who is not eligible any more from a day on, and of nobody else but Ichiro if he is in it.
fn roster(from: &str, ichiro: bool) -> String {
    let hanako = format!("91,200001,00,一般被保険者,{},1999-01-01,2021-04-01,{from}\n", HANAKO.kana);
    let ichiro = ichiro.then(|| format!("123,4567,00,一般被保険者,{},1980-05-05,2004-04-01,\n", ICHIRO.kana));
    format!("{HEADER}\n{hanako}{}", ichiro.unwrap_or_default())
}

async fn start(backend: Backend, grace_days: u32) -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    let app = TestApp::start_with(backend, |config| {
        receiver.admit(config);
        config.insurers[0].policy.grace_days = grace_days;
    })
    .await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let page = browser.get(&app.url("/admin/webhooks/new")).await;
    let form = page.form("#webhook-form").set("name", "x").set("url", &receiver.url("/hook"));
    let made = form
        .set("events", "member.eligibility_lost")
        .set("insurer", "7132")
        .set("reason", "x")
        .submit()
        .await;
    assert_eq!(made.select("#secret").len(), 1, "{}", made.text());
    (app, receiver)
}

const EVENTS: &str = "select count(*) from webhook_event";

async fn a_loss_is_told_once(backend: Backend) {
    let (mut app, mut receiver) = start(backend, 0).await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    assert_eq!(app.number(EVENTS).await, 0, "nobody asked for activations");
    // Ichiro vanishes from a full roster.
    app.import_full_roster(&roster("2026-11-25", false)).await;
    let lost: serde_json::Value = serde_json::from_str(&receiver.next().await.body).unwrap();
    assert_eq!(
        (&lost["type"], &lost["data"]["insurer"]),
        (&json!("member.eligibility_lost"), &json!("7132"))
    );
    let sub = lost["data"]["sub"].as_str().unwrap();
    // A statement ends up in the log, an address must not.
    let ichiro = format!("select count(*) from member where id = '{sub}' and email like 'ichiro.%'");
    assert_eq!(app.number(&ichiro).await, 1);
    app.import_full_roster(&roster("2026-11-25", false)).await;
    app.app().members.note_losses().await.unwrap();
    assert_eq!(app.number(EVENTS).await, 1, "once");
    // Hanako's last day goes by.
    app.clock.advance(DAY);
    assert_eq!(app.app().members.note_losses().await.unwrap(), 0, "the last day is one of eligibility");
    app.clock.advance(DAY);
    let (one, two) = (app.app().members.note_losses(), app.app().members.note_losses());
    let (one, two) = tokio::join!(one, two);
    assert_eq!(one.unwrap() + two.unwrap(), 1, "two nodes notice it once");
    receiver.next().await;
    // Who comes back and is lost again is told of again.
    app.import_full_roster(&roster("", true)).await;
    assert_eq!(app.number("select count(*) from member where eligibility_lost_at is not null").await, 0);
    app.import_full_roster(&roster("", false)).await;
    receiver.next().await;
    until(&app, "select count(*) from delivery where kind = 'webhook' and state = 'sent'", 3).await;
    assert!(receiver.unread().is_empty());
    app.finish().await;
}

async fn a_loss_after_days_of_grace_comes_with_its_day(backend: Backend) {
    let (mut app, mut receiver) = start(backend, 2).await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    app.import_full_roster(&roster("", false)).await;
    assert_eq!(app.number(EVENTS).await, 0, "the days of grace go on");
    for _ in 0..2 {
        assert_eq!(app.app().members.note_losses().await.unwrap(), 0);
        app.clock.advance(DAY);
    }
    assert_eq!(app.app().members.note_losses().await.unwrap(), 1);
    receiver.next().await;
    until(&app, "select count(*) from delivery where kind = 'webhook' and state = 'sent'", 1).await;
    app.finish().await;
}
