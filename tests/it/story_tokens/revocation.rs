//! `/revoke`: 200 only when the token is worth nothing (RFC 7009).

use kenpos_idp::clients::AuthMethod;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::Answer,
    backends::{Postgres, Redis},
    http_browser::Page,
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_revoked_token_is_worth_nothing
    tokens_of_others_and_what_is_no_token
}

async fn revoke(app: &TestApp, by: &Registered, token: &str) -> Page {
    app.call("/revoke", by, &[], &[("token", token)]).await
}

async fn a_revoked_token_is_worth_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let mut public = metadata("https://spa.example.jp");
    public.token_endpoint_auth_method = AuthMethod::None;
    let public = app.register(public).await;
    for client in [app.client.clone(), public] {
        let code = app.code(&browser, &client, "openid offline_access").await;
        let first = app.redeem(&client, &code).await;
        let second = app.refresh(&client, first.text("refresh_token")).await;
        // An access token goes alone.
        let answer = revoke(&app, &client, first.text("access_token")).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(app.userinfo(first.text("access_token")).await.error(), "invalid_token");
        assert_eq!(app.userinfo(second.text("access_token")).await.status, StatusCode::OK);
        // A refresh token, even an old one, takes its family and every access token with it.
        let hint = [("token", first.text("refresh_token")), ("token_type_hint", "access_token")];
        assert_eq!(app.call("/revoke", &client, &[], &hint).await.status, StatusCode::OK);
        assert_eq!(app.userinfo(second.text("access_token")).await.error(), "invalid_token");
        let refreshed = app.refresh(&client, second.text("refresh_token")).await;
        assert_eq!(refreshed.error(), "invalid_grant");
        // What is dead already is no error, and the member is not asked again because of it.
        for token in [first.text("access_token"), second.text("refresh_token")] {
            assert_eq!(revoke(&app, &client, token).await.status, StatusCode::OK);
        }
        app.code(&browser, &client, "openid offline_access").await;
    }
    app.finish().await;
}

async fn tokens_of_others_and_what_is_no_token(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let code = app.code(&browser, &app.client, "openid offline_access").await;
    let unused = app.code(&browser, &app.client, "openid offline_access").await;
    let tokens = app.redeem(&app.client, &code).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    for token in [access, refresh] {
        let answer = Answer::of(revoke(&app, &other, token).await);
        assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    }
    // A statement that we signed cannot be unsaid, and nothing is pretended.
    let answer = Answer::of(revoke(&app, &app.client, tokens.text("id_token")).await);
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, "unsupported_token_type"));
    let answer = Answer::of(revoke(&app, &app.client, "").await);
    assert_eq!(answer.error(), "invalid_request");
    let session = browser.cookie(&app.url("/"), "kenpos-session").unwrap();
    for token in [&refresh[1..], &access[1..], &unused, &session, "x", &format!("{access}.x.y")] {
        assert_eq!(revoke(&app, &app.client, token).await.status, StatusCode::OK, "{token}");
    }
    // Nobody who did not prove to be the client.
    let bare = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("client_id={}&token={access}", app.client.id);
    let url = app.url("/revoke");
    let answer = app.http_browser().raw(reqwest::Method::POST, &url, &bare, &body).await;
    assert_eq!(Answer::of(answer).error(), "invalid_client");
    assert_eq!(app.userinfo(access).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&app.client, refresh).await.status, StatusCode::OK);
    assert_eq!(app.redeem(&app.client, &unused).await.status, StatusCode::OK);
    assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK);
    app.finish().await;
}

fn assert_unavailable(answer: Page) {
    let answer = Answer::of(answer);
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.json);
    assert_eq!(answer.error(), "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn nothing_is_said_to_be_done_while_storage_is_down() {
    let mut redis = Redis::start();
    let mut postgres = Postgres::start();
    let (redis_url, database) = (redis.url(), postgres.create_database("kenpos"));
    let mut app = TestApp::start_with(Backend::PostgresRedis, |config| {
        config.database.url = database;
        config.ephemeral.url = Some(redis_url.into());
        (config.ephemeral.connect_timeout_ms, config.ephemeral.response_timeout_ms) = (500, 500);
    })
    .await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid offline_access").await;
    let tokens = app.redeem(&app.client, &code).await;
    let all = ["access_token", "refresh_token"].map(|name| tokens.text(name));
    redis.stop();
    for token in all {
        assert_unavailable(revoke(&app, &app.client, token).await);
        assert_unavailable(app.call("/introspect", &app.client, &[], &[("token", token)]).await);
    }
    redis.start_again();
    until_ready(&app).await;
    postgres.stop();
    // As a second later: until then the client is known, and a revocation needs nothing of the database.
    for token in all {
        app.app().clients.clear();
        assert_unavailable(revoke(&app, &app.client, token).await);
    }
    postgres.start_again();
    until_ready(&app).await;
    assert_eq!(app.userinfo(all[0]).await.status, StatusCode::OK, "nothing was done");
    assert_eq!(revoke(&app, &app.client, all[1]).await.status, StatusCode::OK);
    assert_eq!(app.userinfo(all[0]).await.error(), "invalid_token");
    app.finish().await;
}

/// Waits until the provider has found its services again.
async fn until_ready(app: &TestApp) {
    for _ in 0..200 {
        if app.http_browser().get(&app.url("/readyz")).await.status == StatusCode::OK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the provider does not find its services again");
}
