//! Systems that are told of what happens, as their receivers see it.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kenpos_idp::{
    audit::{Act, Actor, Reason},
    cli::webhook::{self, ActArgs, WantedArgs, WebhookCommand, Why},
    clients::{Client, webhook::EventKind},
    members::login_id,
    operators::Role,
};
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{confirm, until};
use crate::{
    story_operators::matrix::second_insurer,
    support::{
        app::{Backend, DAY, HOUR, TestApp, metadata, on_both_backends},
        http_browser::{HttpBrowser, Page},
        members::{HANAKO, ICHIRO},
        receiver::{Received, Receiver},
    },
};

on_both_backends! {
    what_happens_is_told_and_signed
    what_does_not_arrive_is_sent_again
    what_nobody_takes_is_given_up_and_shown
    members_are_named_as_the_app_knows_them
    the_insurer_of_a_client_hears_that_it_leaves
    who_may_look_may_not_act_and_others_see_nothing
}

/// A provider of two insurers that may call the receiver.
async fn start(backend: Backend) -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    let app = TestApp::start_with(backend, |config| {
        receiver.admit(config);
        config.registration.open = true;
        config.insurers.push(second_insurer());
    })
    .await;
    (app, receiver)
}

/// What the receiver does with a message (Standard Webhooks 1.0.0): with OpenSSL's own HMAC, not the
/// provider's. The number of signatures.
fn verify(app: &TestApp, received: &Received, secret: &str) -> usize {
    let header = |name: &str| received.headers[name].to_str().unwrap().to_owned();
    assert_eq!(received.content_type, "application/json");
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    assert_eq!(timestamp.parse::<i64>().unwrap(), app.clock.now().seconds(), "fresh at each attempt");
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = PKey::hmac(&key).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.update(format!("{id}.{timestamp}.{}", received.body).as_bytes()).unwrap();
    let expected = format!("v1,{}", BASE64_STANDARD.encode(signer.sign_to_vec().unwrap()));
    let signatures = header("webhook-signature");
    let signatures: Vec<&str> = signatures.split(' ').collect();
    assert!(signatures.contains(&&*expected), "{signatures:?} lack {expected}");
    for personal in [HANAKO.email, HANAKO.kana, HANAKO.born, "091200001", "タケダ"] {
        assert!(!received.body.contains(personal), "{}", received.body);
    }
    signatures.len()
}

fn said(received: &Received) -> Value {
    serde_json::from_str(&received.body).unwrap()
}

/// Fills in the form of a new webhook with every event.
async fn add(app: &TestApp, browser: &HttpBrowser, url: &str, insurer: &str, client: &str) -> Page {
    let page = browser.get(&app.url("/admin/webhooks/new")).await;
    let mut form = page.form("#webhook-form").set("name", "基幹システム").set("url", url);
    for kind in EventKind::ALL {
        form = form.set("events", kind.name());
    }
    form.set("insurer", insurer).set("client", client).set("reason", "連携の開始").submit().await
}

/// A new webhook: its page, and its secret.
async fn added(app: &TestApp, browser: &HttpBrowser, url: &str, insurer: &str) -> (Page, String) {
    let made = add(app, browser, url, insurer, "").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let secret = made.select("#secret")[0].text.clone();
    (made.click("#next").await, secret)
}

async fn reset(app: &TestApp, login_id: &str) {
    let typed = login_id::parse(login_id, &app.app().config().insurers).unwrap();
    let members = &app.app().members;
    let subject = members.subject_of(&typed, None).await.unwrap().unwrap();
    let (actor, reason) = (Actor::command_line("test"), Reason::parse("x").unwrap());
    members.reset_member(&subject, false, Act { actor: &actor, reason: &reason }).await.unwrap().unwrap();
}

async fn what_happens_is_told_and_signed(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let (page, secret) = added(&app, &browser, &receiver.url("/hook"), "").await;
    assert!(!page.body.contains("whsec_"), "the secret is shown once");
    added(&app, &browser, &receiver.url("/other-insurer"), "7133").await;

    app.activate(&HANAKO).await;
    let received = receiver.next().await;
    verify(&app, &received, &secret);
    let activated = said(&received);
    assert_eq!((received.path.as_str(), &activated["type"]), ("/hook", &json!("member.activated")));
    assert_eq!(activated["data"]["insurer"], "7132");
    let sub = activated["data"]["sub"].as_str().unwrap().to_owned();
    assert_eq!(app.number(&format!("select count(*) from member where id = '{sub}'")).await, 1);
    assert_eq!(activated["data"].as_object().unwrap().len(), 2, "identifiers alone: {activated}");

    reset(&app, HANAKO.login_id).await;
    app.mailbox.next(HANAKO.email).await;
    let received = receiver.next().await;
    verify(&app, &received, &secret);
    assert_eq!(
        (&said(&received)["type"], &said(&received)["data"]["sub"]),
        (&json!("member.reset"), &json!(sub))
    );

    let body = json!({ "redirect_uris": ["https://new.example.jp/callback"], "client_name": "x" });
    let made = app.json(Method::POST, &app.url("/register"), None, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    let received = receiver.next().await;
    verify(&app, &received, &secret);
    assert_eq!(said(&received)["type"], "client.changed");
    assert_eq!(said(&received)["data"], json!({ "client_id": made.json["client_id"] }));

    // A rotation: for a day both secrets sign.
    let rotated = confirm(&page.click("#to-rotate-secret").await).await;
    let second = rotated.select("#secret")[0].text.clone();
    assert_ne!(second, secret);
    assert_eq!(rotated.select("#rotated").len(), 1);
    let page = rotated.click("#next").await;
    assert!(!page.body.contains("whsec_") && page.select("#secrets")[0].text == "2", "{}", page.text());
    let tested = confirm(&page.click("#to-test").await).await;
    assert_eq!(tested.select("#notice").len(), 1, "{}", tested.text());
    let received = receiver.next().await;
    assert_eq!((verify(&app, &received, &secret), verify(&app, &received, &second)), (2, 2));
    assert_eq!(said(&received)["type"], "webhook.test");
    app.clock.advance(DAY);
    let browser = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let page = browser.get(tested.url.as_str()).await;
    confirm(&page.click("#to-test").await).await;
    assert_eq!(verify(&app, &receiver.next().await, &second), 1);
    until(&app, "select count(*) from delivery where state = 'queued'", 0).await;
    let page = browser.get(page.url.as_str()).await;
    assert_eq!(page.select("#deliveries tbody tr").len(), 5, "{}", page.text());

    // Disabled, it hears nothing, and nothing later either.
    confirm(&page.click("#to-disable").await).await;
    app.activate(&ICHIRO).await;
    let page = browser.get(page.url.as_str()).await;
    let enabled = confirm(&page.click("#to-enable").await).await;
    assert_eq!(enabled.select("#state")[0].text, "利用中", "{}", enabled.text());
    until(&app, "select count(*) from delivery where state = 'queued'", 0).await;
    assert!(receiver.unread().is_empty(), "{:?}", receiver.unread());
    let stored = "select count(*) from audit where detail like '%whsec_%'";
    assert_eq!(app.number(stored).await, 0);
    app.finish().await;
}

async fn the_insurer_of_a_client_hears_that_it_leaves(backend: Backend) {
    let (app, mut receiver) = start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    added(&app, &browser, &receiver.url("/own"), "7132").await;
    added(&app, &browser, &receiver.url("/other-insurer"), "7133").await;
    let request = json!({ "redirect_uris": ["https://app.example.jp/callback"] });
    let created = app.json(Method::POST, &app.url("/register"), None, &request).await;
    let text = |name: &str| created.json[name].as_str().unwrap().to_owned();
    // An operator gave it to the members of one insurer since.
    let mut client = Client::find(app.db(), &text("client_id")).await.unwrap().unwrap();
    client.metadata.insurer = Some("7132".to_owned());
    assert!(client.save(app.db(), app.clock.now()).await.unwrap());
    let bearer = format!("Bearer {}", text("registration_access_token"));
    let uri = text("registration_client_uri");
    let gone = HttpBrowser::new().raw(Method::DELETE, &uri, &[("Authorization", bearer.as_str())], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    let received = receiver.next().await;
    let told = said(&received);
    assert_eq!((received.path.as_str(), &told["type"]), ("/own", &json!("client.changed")));
    assert_eq!(told["data"]["client_id"], text("client_id"), "{told}");
    app.finish().await;
}

async fn what_does_not_arrive_is_sent_again(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let (_, secret) = added(&app, &browser, &receiver.url("/hook"), "7132").await;
    receiver.stop().await;
    app.activate(&HANAKO).await;
    until(&app, "select attempts from delivery", 1).await;
    until(&app, "select count(*) from delivery where leased_until = 0", 1).await;
    app.restart().await;
    receiver.answer(StatusCode::INTERNAL_SERVER_ERROR, None);
    receiver.start_again().await;
    app.clock.advance(Duration::from_secs(60));
    let first = receiver.next().await;
    verify(&app, &first, &secret);
    until(&app, "select count(*) from delivery where attempts = 2 and leased_until = 0", 1).await;
    receiver.answer(StatusCode::NO_CONTENT, None);
    app.clock.advance(HOUR);
    let second = receiver.next().await;
    verify(&app, &second, &secret);
    // The receiver can tell that it is the same.
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert_eq!(first.body, second.body);
    until(&app, "select count(*) from delivery where state = 'sent'", 1).await;
    app.finish().await;
}

async fn what_nobody_takes_is_given_up_and_shown(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let staff = app.staff(Role::Administrator, None).await;
    let browser = staff.browser(&app).await;
    // What is not public is refused in the form, what turns out to lead elsewhere when it is sent.
    let hostile =
        ["http://hook.example.jp/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/x", "x"];
    for url in hostile {
        let page = add(&app, &browser, url, "", "").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
        assert_eq!(page.select("#url-error").len(), 1, "{url}: {}", page.text());
        assert_eq!(page.select("#name")[0].attr("value"), Some("基幹システム"), "what was typed stays");
    }
    assert_eq!(app.number("select count(*) from webhook").await, 0);
    let other = Receiver::start().await;
    let (page, secret) = added(&app, &browser, &receiver.url("/hook"), "").await;
    receiver.answer(StatusCode::TEMPORARY_REDIRECT, Some(&other.url("/stolen")));
    confirm(&page.click("#to-test").await).await;
    receiver.next().await;
    until(&app, "select count(*) from delivery where state = 'failed'", 1).await;
    assert!(other.unread().is_empty());

    receiver.answer(StatusCode::SERVICE_UNAVAILABLE, None);
    app.activate(&HANAKO).await;
    receiver.next().await;
    let waits = "select count(*) from delivery where state = 'queued' and leased_until = 0";
    until(&app, waits, 1).await;
    app.clock.advance(3 * DAY);
    until(&app, "select count(*) from delivery where state = 'failed'", 2).await;
    let browser = staff.browser(&app).await;
    let dashboard = browser.get(&app.url("/admin")).await;
    assert_eq!(dashboard.select("#webhooks-failed")[0].text, "2", "{}", dashboard.text());
    let list = browser.get(&app.url("/admin/deliveries?state=failed")).await;
    assert_eq!(list.select("#rows tbody tr").len(), 2, "{}", list.text());
    assert!(list.text().contains("断念"), "{}", list.text());

    // The office has it tried again.
    receiver.answer(StatusCode::OK, None);
    let retry = list.select("#rows a[href$=retry]")[0].attr("href").unwrap().to_owned();
    let done = confirm(&list.visit(&retry).await).await;
    assert_eq!(done.select("#notice").len(), 1, "{}", done.text());
    let received = receiver.next().await;
    verify(&app, &received, &secret);
    until(&app, "select count(*) from delivery where state = 'sent'", 1).await;
    assert_eq!(app.number("select count(*) from audit where action = 'delivery.retried'").await, 1);
    app.finish().await;
}

async fn members_are_named_as_the_app_knows_them(backend: Backend) {
    let (mut app, mut receiver) = start(backend).await;
    let browser = app.staff(Role::Administrator, None).await.browser(&app).await;
    let (one, two) = (
        app.register(metadata("https://one.example.jp")).await,
        app.register(metadata("https://two.example.jp")).await,
    );
    for (path, client) in [("/one", &one), ("/two", &two)] {
        let made = add(&app, &browser, &receiver.url(path), "7132", &client.id).await;
        assert_eq!(made.select("#secret").len(), 1, "{}", made.text());
    }
    let unknown = add(&app, &browser, &receiver.url("/x"), "7132", "nobody").await;
    assert_eq!(unknown.select("#client-error").len(), 1, "{}", unknown.text());
    let member = app.activate(&HANAKO).await;
    let mut told = [receiver.next().await, receiver.next().await];
    told.sort_by(|a, b| a.path.cmp(&b.path));
    let subs = told.each_ref().map(|received| said(received)["data"]["sub"].as_str().unwrap().to_owned());
    let own = "select count(*) from member where id in ";
    assert_eq!(
        app.number(&format!("{own}('{}', '{}')", subs[0], subs[1])).await,
        0,
        "not the provider's own"
    );
    assert_ne!(subs[0], subs[1], "nobody can compare");
    assert_ne!(told[0].headers["webhook-id"], told[1].headers["webhook-id"]);
    for (client, sub) in [(&one, &subs[0]), (&two, &subs[1])] {
        let tokens = app.redeem(client, &app.code(&member, client, "openid").await).await;
        let info = app.userinfo(tokens.text("access_token")).await;
        assert_eq!(info.json["sub"], **sub, "as in the ID token");
    }
    app.finish().await;
}

async fn who_may_look_may_not_act_and_others_see_nothing(backend: Backend) {
    let (app, receiver) = start(backend).await;
    let administrator = app.staff(Role::Administrator, Some("7132")).await.browser(&app).await;
    // Nobody has others told of what is not their business.
    for insurer in ["", "7133"] {
        let page = administrator.get(&app.url("/admin/webhooks/new")).await;
        let form = page.form("#sign-out-form");
        let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
        let body = format!(
            "csrf={csrf}&who={who}&name=x&url=https%3A%2F%2Fhook.example.jp%2F&events=member.reset&insurer={insurer}&reason=x"
        );
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
        let answer = administrator.raw(Method::POST, &app.url("/admin/webhooks/new"), &headers, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{insurer}: {}", answer.text());
    }
    let (page, _) = added(&app, &administrator, &receiver.url("/hook"), "7132").await;
    let path = page.url.path().to_owned();
    let auditor = app.staff(Role::Auditor, None).await.browser(&app).await;
    let seen = auditor.get(&app.url(&path)).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.select("main a[href*='rotate-secret'], main a[href$=edit]").is_empty(), "{}", seen.body);
    for act in ["edit", "test", "disable", "rotate-secret"] {
        assert_eq!(
            auditor.get(&app.url(&format!("{path}/{act}"))).await.status,
            StatusCode::FORBIDDEN,
            "{act}"
        );
    }
    let elsewhere = app.staff(Role::Administrator, Some("7133")).await.browser(&app).await;
    for act in ["", "/edit", "/test"] {
        let answer = elsewhere.get(&app.url(&format!("{path}{act}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{act}");
    }
    assert_eq!(elsewhere.get(&app.url("/admin/webhooks")).await.select("#none").len(), 1);
    let office = app.staff(Role::Office, None).await.browser(&app).await;
    assert_eq!(office.get(&app.url("/admin/webhooks")).await.status, StatusCode::FORBIDDEN);

    // Two look at the same; the second is told.
    let edit = async || administrator.get(&app.url(&format!("{path}/edit"))).await;
    let (first, second) = (edit().await, edit().await);
    let change = async |page: &Page, name: &str| {
        page.form("#webhook-form").set("name", name).set("reason", "x").submit().await
    };
    let done = change(&first, "一").await.follow_here().await;
    assert!(done.text().contains('一'), "{}", done.text());
    let late = change(&second, "二").await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text());
    assert_eq!(late.select("#name")[0].attr("value"), Some("二"));
    app.finish().await;
}

/// Runs a command; what it prints.
async fn run(app: &TestApp, command: WebhookCommand) -> Value {
    let mut out = Vec::new();
    webhook::run(app.app(), command, &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[tokio::test]
async fn the_command_line_does_the_same() {
    let (app, mut receiver) = start(Backend::Embedded).await;
    let why = || Why { reason: "連携".to_owned(), operator: "root".to_owned(), json: true };
    let wanted = |url: String| WantedArgs {
        name: "基幹システム".to_owned(),
        url,
        events: vec![EventKind::Reset, EventKind::Activated, EventKind::Reset],
        insurer: Some("7132".to_owned()),
        client: None,
    };
    let refused = WebhookCommand::Create { wanted: wanted("https://192.168.0.1/".to_owned()), why: why() };
    assert!(webhook::run(app.app(), refused, &mut Vec::new()).await.is_err());
    let made = run(&app, WebhookCommand::Create { wanted: wanted(receiver.url("/cli")), why: why() }).await;
    let (id, secret) = (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned());
    let act = || ActArgs { id: id.clone(), why: why() };
    run(&app, WebhookCommand::Test(act())).await;
    assert_eq!(verify(&app, &receiver.next().await, &secret), 1);
    let rotated = run(&app, WebhookCommand::RotateSecret(act())).await;
    assert!(rotated["secret"].as_str().unwrap().starts_with("whsec_"), "{rotated}");
    until(&app, "select count(*) from delivery where state = 'sent'", 1).await;
    let shown = run(&app, WebhookCommand::Show { id: id.clone(), json: true }).await;
    assert_eq!((&shown["events"], &shown["secrets"]), (&json!("member.activated member.reset"), &json!(2)));
    assert_eq!(shown["deliveries"][0]["event"], "webhook.test", "{shown}");
    assert!(!shown.to_string().contains("whsec_"));
    let change = WebhookCommand::Update { id: id.clone(), wanted: wanted(receiver.url("/new")), why: why() };
    run(&app, change).await;
    run(&app, WebhookCommand::Disable(act())).await;
    assert!(webhook::run(app.app(), WebhookCommand::Disable(act()), &mut Vec::new()).await.is_err());
    run(&app, WebhookCommand::Enable(act())).await;
    let list = run(&app, WebhookCommand::List { json: true }).await;
    assert_eq!(list[0]["url"], receiver.url("/new"), "{list}");
    let actions = "select count(distinct action) from audit where actor = 'cli:root'";
    assert_eq!(app.number(actions).await, 6);
    app.finish().await;
}
