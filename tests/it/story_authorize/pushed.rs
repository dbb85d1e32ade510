//! Pushed authorization requests (RFC 9126).

use std::time::Duration;

use kenpos_idp::clients::Metadata;
use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{Answer, Pairs, encoded, good_request, parameter, with},
    http_browser::HttpBrowser,
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_pushed_request_is_answered_once_for_its_client_alone
    a_client_that_must_push_can_do_nothing_else
}

impl TestApp {
    /// POST `/par` by a client that proves itself.
    pub async fn push(&self, client: &Registered, request: &Pairs<'_>) -> Answer {
        let fields: Vec<_> = request.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Answer::of(self.call("/par", client, &[], &fields).await)
    }
}

/// What the browser is sent with.
pub fn reference<'a>(client: &Registered, pushed: &Answer) -> Pairs<'a> {
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.json);
    vec![("client_id", client.id.clone()), ("request_uri", pushed.text("request_uri").to_owned())]
}

async fn a_pushed_request_is_answered_once_for_its_client_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid email").await;
    let pushed = app.push(&app.client, &good_request(&app.client, "openid email")).await;
    assert_eq!(pushed.headers["cache-control"], "no-store");
    assert_eq!(pushed.json["expires_in"], 90);
    let name = pushed.text("request_uri").strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
    assert_eq!(name.len(), 43, "256 bits");
    let reference = reference(&app.client, &pushed);
    // Two visits before the login; what stands beside the reference counts for nothing.
    let stranger = app.http_browser();
    for _ in 0..2 {
        let login = app.ask(&stranger, &with(reference.clone(), "prompt", "none")).await;
        assert!(login.url.path().starts_with("/login/"), "{}", login.url);
    }
    let another = with(reference.clone(), "client_id", &other.id);
    assert_eq!(app.ask(&browser, &another).await.status, StatusCode::BAD_REQUEST, "another client's");
    let hostile = with(with(reference.clone(), "scope", "openid"), "redirect_uri", "https://evil.example/");
    let callback = app.ask(&browser, &hostile).await.location().unwrap();
    assert!(callback.as_str().starts_with("https://app.example.jp/callback?"), "{callback}");
    assert_eq!(parameter(&callback, "state").as_deref(), Some("af0ifjsldkj"));
    let tokens = app.redeem(&app.client, &parameter(&callback, "code").unwrap()).await;
    assert_eq!(tokens.text("scope"), "openid email");
    let spent = app.ask(&browser, &reference).await;
    assert_eq!((spent.status, spent.location()), (StatusCode::BAD_REQUEST, None), "{}", spent.text());
    let beside = with(reference, "redirect_uri", "https://app.example.jp/callback");
    let told = app.ask(&browser, &beside).await.location().unwrap();
    assert_eq!(parameter(&told, "error").as_deref(), Some("invalid_request_uri"));
    // In time or not at all.
    let pushed = app.push(&app.client, &good_request(&app.client, "openid")).await;
    app.clock.advance(Duration::from_secs(90));
    let late = app.ask(&browser, &self::reference(&app.client, &pushed)).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    app.finish().await;
}

async fn a_client_that_must_push_can_do_nothing_else(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let client = app.register(Metadata {
        require_pushed_authorization_requests: true,
        ..metadata("https://strict.example.jp")
    });
    let client = client.await;
    let browser = app.activate(&HANAKO).await;
    assert_eq!(app.error(&browser, &good_request(&client, "openid")).await, "invalid_request");
    let pushed = app.push(&client, &good_request(&client, "openid")).await;
    assert!(parameter(&app.allowed(&browser, &reference(&client, &pushed)).await, "code").is_some());
    app.finish().await;
}

#[tokio::test]
async fn a_push_passes_the_checks_of_the_authorization_endpoint() {
    let app = TestApp::start(Backend::Embedded).await;
    let good = good_request(&app.client, "openid");
    for (name, value, error) in [
        ("redirect_uri", "https://evil.example/callback", "invalid_request"),
        ("redirect_uri", "", "invalid_request"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("scope", "email", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("claims", "[]", "invalid_request"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request"),
        ("request", "a.b.c", "invalid_request_object"),
        ("client_id", "another", "invalid_request"),
    ] {
        let answer = app.push(&app.client, &with(good.clone(), name, value)).await;
        assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, error), "{name}={value}");
    }
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let stranger = HttpBrowser::new().raw(Method::POST, &app.url("/par"), &[form], &encoded(&good)).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    let get = HttpBrowser::new().raw(Method::GET, &app.url("/par"), &[], "").await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    app.finish().await;
}

#[tokio::test]
async fn of_two_tabs_one_gets_the_answer_and_a_refusal_spends_it_too() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let pushed = app.push(&app.client, &good_request(&app.client, "openid")).await;
    let reference = reference(&app.client, &pushed);
    let (one, two) = (app.ask(&browser, &reference).await, app.ask(&browser, &reference).await);
    app.clock.advance(Duration::from_secs(600));
    let press = async |page: &crate::support::http_browser::Page, what| {
        page.form("#consent-form")
            .click("decision", what)
            .submit()
            .await
            .follow_here()
            .await
            .location()
            .unwrap()
    };
    assert_eq!(parameter(&press(&one, "deny").await, "error").as_deref(), Some("access_denied"));
    let second = press(&two, "allow").await;
    assert_eq!(parameter(&second, "error").as_deref(), Some("invalid_request_uri"), "{second}");
    assert_eq!(parameter(&second, "code"), None);
    app.finish().await;
}
