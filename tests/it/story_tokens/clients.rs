//! A client that speaks for itself (RFC 6749 §4.4), and what each client may use at `/token`.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kenpos_idp::{
    app::App,
    cli::serve::Running,
    clients::{AuthMethod, GrantType, GrantTypes},
    clock::Entropy,
};
use reqwest::{Method, StatusCode};
use tokio::net::TcpListener;

use crate::support::{
    app::{Backend, MINUTE, TestApp, metadata, on_both_backends},
    attack::Answer,
    http_browser::HttpBrowser,
    members::HANAKO,
};

on_both_backends! {
    a_client_speaks_for_itself_and_for_no_member
    lifetimes_are_shortened_for_a_client_and_never_lengthened
    a_refresh_with_fewer_scopes_leaves_the_family_as_it_was
    every_node_sees_soon_that_a_client_was_disabled
}

async fn a_client_speaks_for_itself_and_for_no_member(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let mut batch = metadata("https://batch.example.jp");
    batch.grant_types = GrantTypes(vec![GrantType::ClientCredentials]);
    batch.resources = vec!["https://api.example.jp/".to_owned()];
    let batch = app.register(batch).await;
    let browser = app.activate(&HANAKO).await;
    let ask = async |more: &[(&str, &str)]| {
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend_from_slice(more);
        app.token(&batch, &fields).await
    };
    let tokens = ask(&[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
    assert_eq!(tokens.headers["cache-control"], "no-store");
    assert_eq!((tokens.text("token_type"), &tokens.json["expires_in"]), ("Bearer", &600.into()));
    for absent in ["id_token", "refresh_token", "scope"] {
        assert!(tokens.json.get(absent).is_none(), "{}", tokens.json);
    }
    // What is about a member is refused, not left out.
    for scope in ["openid", "profile", "offline_access", "nonsense", "openid nonsense"] {
        assert_eq!(ask(&[("scope", scope)]).await.error(), "invalid_scope", "{scope}");
    }
    let userinfo = app.userinfo(tokens.text("access_token")).await;
    assert_eq!((userinfo.status, userinfo.error()), (StatusCode::FORBIDDEN, "insufficient_scope"));
    assert_eq!(ask(&[("resource", "https://other.example.jp/")]).await.error(), "invalid_target");
    let elsewhere = ask(&[("resource", "https://api.example.jp/")]).await;
    assert_eq!(app.userinfo(elsewhere.text("access_token")).await.error(), "invalid_token");
    let about = app.call("/introspect", &batch, &[], &[("token", elsewhere.text("access_token"))]).await;
    let about = Answer::of(about);
    assert_eq!((about.text("sub"), about.text("client_id")), (batch.id.as_str(), batch.id.as_str()));
    assert_eq!(about.text("aud"), "https://api.example.jp/");

    // Only clients that registered the grant, and of them only those that can prove themselves.
    let client_credentials = [("grant_type", "client_credentials")];
    assert_eq!(app.token(&app.client, &client_credentials).await.error(), "unauthorized_client");
    let mut public = metadata("https://public.example.jp");
    public.grant_types = GrantTypes(vec![GrantType::ClientCredentials]);
    public.token_endpoint_auth_method = AuthMethod::None;
    let public = app.register(public).await;
    assert_eq!(app.token(&public, &client_credentials).await.error(), "unauthorized_client");
    // And that client is not registered for codes.
    let code = app.code(&browser, &app.client, "openid").await;
    assert_eq!(app.redeem(&batch, &code).await.error(), "unauthorized_client");
    for unknown in ["password", "implicit", "urn:openid:params:grant-type:ciba", "x"] {
        assert_eq!(ask(&[]).await.status, StatusCode::OK);
        let answer = app.token(&batch, &[("grant_type", unknown)]).await;
        assert_eq!(answer.error(), "unsupported_grant_type", "{unknown}");
    }
    assert_eq!(app.token(&batch, &[]).await.error(), "invalid_request");
    app.sql("update client set disabled_at = 1").await;
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    app.finish().await;
}

async fn lifetimes_are_shortened_for_a_client_and_never_lengthened(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let mut brief = metadata("https://brief.example.jp");
    brief.access_token_lifetime = Some(120);
    brief.id_token_lifetime = Some(60);
    brief.refresh_token_lifetime = Some(3600);
    let brief = app.register(brief).await;
    let mut long = metadata("https://long.example.jp");
    long.access_token_lifetime = Some(100_000);
    let long = app.register(long).await;
    let code = app.code(&browser, &long, "openid").await;
    assert_eq!(app.redeem(&long, &code).await.json["expires_in"], 600);

    let code = app.code(&browser, &brief, "openid offline_access").await;
    let tokens = app.redeem(&brief, &code).await;
    assert_eq!(tokens.json["expires_in"], 120);
    let claims = super::part(tokens.text("id_token"), 1);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    app.clock.advance(MINUTE * 2);
    assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
    app.clock.advance(MINUTE * 57);
    let refreshed = app.refresh(&brief, tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.json);
    app.clock.advance(MINUTE);
    assert_eq!(app.refresh(&brief, refreshed.text("refresh_token")).await.error(), "invalid_grant");
    app.finish().await;
}

async fn a_refresh_with_fewer_scopes_leaves_the_family_as_it_was(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid email profile offline_access").await;
    let first = app.redeem(&app.client, &code).await;
    let refresh = async |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        app.token(&app.client, &fields).await
    };
    let narrow = refresh(first.text("refresh_token"), "openid email").await;
    assert_eq!(narrow.text("scope"), "openid email");
    assert!(app.userinfo(narrow.text("access_token")).await.json.get("name").is_none());
    let bare = refresh(narrow.text("refresh_token"), "email").await;
    assert!(bare.json.get("id_token").is_none(), "no openid, no ID token");
    assert_eq!(app.userinfo(bare.text("access_token")).await.error(), "insufficient_scope");
    let whole = app.refresh(&app.client, bare.text("refresh_token")).await;
    assert_eq!(whole.text("scope"), "openid profile email offline_access");
    let more = refresh(whole.text("refresh_token"), "openid membership").await;
    assert_eq!(more.error(), "invalid_scope");
    // Asking for too much spoils nothing.
    assert_eq!(app.refresh(&app.client, whole.text("refresh_token")).await.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn the_endpoints_for_programs_take_nothing_but_a_post_of_a_form() {
    let app = TestApp::start(Backend::Embedded).await;
    for path in ["/token", "/introspect", "/revoke", "/device_authorization"] {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let url = app.url(&format!("{path}?grant_type=client_credentials&token=x"));
            let answer = HttpBrowser::new().raw(method.clone(), &url, &[], "").await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.headers["allow"], "POST", "{method} {path}");
            assert_eq!(answer.headers["cache-control"], "no-store", "{method} {path}");
        }
        let json = [("Content-Type", "application/json")];
        let answer = HttpBrowser::new().raw(Method::POST, &app.url(path), &json, "{}").await;
        assert_eq!(Answer::of(answer).error(), "invalid_request", "{path}");
        for (fields, error) in [
            (&[("token", "x"), ("token", "x")][..], "invalid_request"),
            (&[("x", &"x".repeat(5000))], "invalid_request"),
        ] {
            let answer = Answer::of(app.call(path, &app.client, &[], fields).await);
            assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, error), "{path}");
            assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        }
        let wrong = [("Authorization", "Basic eDp5"), ("Content-Type", "application/x-www-form-urlencoded")];
        let answer = HttpBrowser::new().raw(Method::POST, &app.url(path), &wrong, "token=x").await;
        let answer = Answer::of(answer);
        assert_eq!((answer.status, answer.error()), (StatusCode::UNAUTHORIZED, "invalid_client"), "{path}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"), "{path}");
    }
    app.finish().await;
}

async fn every_node_sees_soon_that_a_client_was_disabled(backend: Backend) {
    let app = TestApp::start(backend).await;
    let mut batch = metadata("https://batch.example.jp");
    batch.grant_types = GrantTypes(vec![GrantType::ClientCredentials]);
    let batch = app.register(batch).await;
    let config = app.app().config().clone();
    let other = App::open(config, app.clock.clone(), Entropy::system()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = Running::start(other, listener).unwrap();
    let nodes = [app.url("/token"), format!("http://{}/token", other.address)];
    let credential = BASE64_STANDARD.encode(format!("{}:{}", batch.id, batch.secret.as_deref().unwrap()));
    let headers = [
        ("Authorization", &*format!("Basic {credential}")),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let ask = async |node: &str| {
        let form = "grant_type=client_credentials";
        Answer::of(HttpBrowser::new().raw(Method::POST, node, &headers, form).await).status
    };
    for node in &nodes {
        assert_eq!(ask(node).await, StatusCode::OK, "{node}");
    }
    // As a third node does it: neither of these two is told.
    app.run(&format!("update client set disabled_at = 1 where id = '{}'", batch.id)).await;
    for node in &nodes {
        let mut status = StatusCode::OK;
        for _ in 0..200 {
            status = ask(node).await;
            if status != StatusCode::OK {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{node}");
    }
    other.stop().await;
    app.finish().await;
}
