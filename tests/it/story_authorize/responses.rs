//! How the answer travels, and the response types that are off unless somebody needs them.

use kenpos_idp::{
    clients::{GrantType, GrantTypes, Metadata, ResponseTypes},
    crypto::{Algorithm, jwt::at_hash},
};
use reqwest::StatusCode;

use super::{claims_of, in_fragment};
use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{good_request, parameter, with},
    members::HANAKO,
};

on_both_backends! {
    a_code_in_a_fragment
    tokens_from_the_authorization_endpoint
    a_code_that_comes_back_takes_the_token_with_it_that_came_beside_it
}

const TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

/// A client from before PKCE that may ask for anything.
fn legacy() -> Metadata {
    Metadata {
        response_types: ResponseTypes(TYPES.map(str::to_owned).to_vec()),
        grant_types: GrantTypes(vec![GrantType::AuthorizationCode, GrantType::Implicit]),
        ..metadata("https://legacy.example.jp")
    }
}

async fn a_code_in_a_fragment(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let request = with(good_request(&app.client, "openid"), "response_mode", "fragment");
    let callback = app.allowed(&browser, &request).await;
    assert_eq!(callback.query(), None);
    assert_eq!(in_fragment(&callback, "iss"), Some(app.url("")));
    assert_eq!(in_fragment(&callback, "state").as_deref(), Some("af0ifjsldkj"));
    let code = in_fragment(&callback, "code").unwrap();
    assert_eq!(app.redeem(&app.client, &code).await.status, StatusCode::OK);
    let callback = app.ask(&browser, &with(request, "scope", "email")).await.location().unwrap();
    assert_eq!(in_fragment(&callback, "error").as_deref(), Some("invalid_scope"), "{callback}");
    app.finish().await;
}

async fn tokens_from_the_authorization_endpoint(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.protocol.front_channel_tokens = true).await;
    let client = app.register(legacy()).await;
    let browser = app.activate(&HANAKO).await;
    for name in TYPES.into_iter().filter(|name| *name != "code") {
        let request = with(good_request(&client, "openid email offline_access"), "response_type", name);
        let callback = app.allowed(&browser, &request).await;
        assert_eq!(callback.query(), None, "{name}");
        let get = |parameter| in_fragment(&callback, parameter);
        assert_eq!((get("iss"), get("state").as_deref()), (Some(app.url("")), Some("af0ifjsldkj")), "{name}");
        let has = |part| name.split(' ').any(|word| word == part);
        assert_eq!(
            (get("code").is_some(), get("id_token").is_some(), get("access_token").is_some()),
            (has("code"), has("id_token"), has("token")),
            "{name}: {callback}"
        );
        assert_eq!(get("refresh_token"), None, "{name}");
        let (code, access_token) = (get("code"), get("access_token"));
        if let Some(id_token) = get("id_token") {
            let claims = claims_of(&id_token);
            let hash = |token: &Option<String>| token.as_ref().map(|token| at_hash(Algorithm::Rs256, token));
            assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
            assert_eq!(claims["c_hash"].as_str(), hash(&code).as_deref(), "{name}");
            assert_eq!(claims["at_hash"].as_str(), hash(&access_token).as_deref(), "{name}");
            // Whoever has no access token and no code cannot ask userinfo (OIDC Core §5.4).
            assert_eq!(claims.get("email").is_some(), name == "id_token", "{name}");
        }
        if let Some(token) = &access_token {
            assert_eq!(
                (get("token_type").as_deref(), get("expires_in").as_deref()),
                (Some("Bearer"), Some("600"))
            );
            assert_eq!(get("scope").as_deref(), Some("openid email"));
            assert_eq!(app.userinfo(token).await.text("email"), HANAKO.email);
        }
        if let Some(code) = &code {
            assert_eq!(app.redeem(&client, code).await.status, StatusCode::OK, "{name}");
        }
        // The consent is what it rests on.
        if name == "code id_token token" {
            browser.get(&app.url("/account/apps")).await.form("#withdraw-form-1").submit().await;
            assert_eq!(app.userinfo(&access_token.unwrap()).await.status, StatusCode::UNAUTHORIZED);
        }
    }
    app.finish().await;
}

/// RFC 6749 §4.1.2: whoever has the code may have read the whole answer.
async fn a_code_that_comes_back_takes_the_token_with_it_that_came_beside_it(backend: Backend) {
    let mut app = TestApp::start_with(backend, |config| config.protocol.front_channel_tokens = true).await;
    let client = app.register(legacy()).await;
    let browser = app.activate(&HANAKO).await;
    let userinfo = async |token: &str| app.userinfo(token).await.status;
    for name in ["code token", "code id_token token"] {
        let request = with(good_request(&client, "openid email"), "response_type", name);
        let callback = app.allowed(&browser, &request).await;
        let beside = in_fragment(&callback, "access_token").unwrap();
        let code = in_fragment(&callback, "code").unwrap();
        let other = in_fragment(&app.allowed(&browser, &request).await, "access_token").unwrap();
        let first = app.redeem(&client, &code).await;
        let tokens = [first.text("access_token"), &beside];
        for token in tokens {
            assert_eq!(userinfo(token).await, StatusCode::OK, "{name}");
        }
        // Another client that has the code can neither use it nor end anything.
        assert_eq!(app.redeem(&app.client, &code).await.error(), "invalid_grant");
        assert_eq!(userinfo(&beside).await, StatusCode::OK, "{name}");
        assert_eq!(app.redeem(&client, &code).await.error(), "invalid_grant");
        for token in tokens {
            assert_eq!(userinfo(token).await, StatusCode::UNAUTHORIZED, "{name}");
        }
        assert_eq!(userinfo(&other).await, StatusCode::OK, "of another answer");
    }
    app.finish().await;
}

#[tokio::test]
async fn what_is_off_or_not_registered_or_would_end_up_in_a_log_is_refused_in_the_right_mode() {
    let mut app =
        TestApp::start_with(Backend::Embedded, |config| config.protocol.front_channel_tokens = true).await;
    let client = app.register(legacy()).await;
    let browser = app.activate(&HANAKO).await;
    let error = async |client, changes: &[(&'static str, &str)]| {
        let request = changes
            .iter()
            .fold(good_request(client, "openid"), |request, (name, value)| with(request, name, value));
        let callback = app.ask(&browser, &request).await.location().unwrap();
        assert_eq!(callback.query(), None, "{callback}");
        assert_eq!(in_fragment(&callback, "state").as_deref(), Some("af0ifjsldkj"));
        in_fragment(&callback, "error").unwrap()
    };
    let hybrid = ("response_type", "code id_token");
    assert_eq!(error(&client, &[hybrid, ("nonce", "")]).await, "invalid_request");
    assert_eq!(error(&client, &[hybrid, ("response_mode", "query")]).await, "invalid_request");
    assert_eq!(error(&client, &[("response_type", "token")]).await, "unsupported_response_type");
    assert_eq!(error(&app.client, &[hybrid]).await, "unauthorized_client");
    let request =
        with(with(good_request(&client, "openid"), hybrid.0, hybrid.1), "response_mode", "form_post");
    let mut page = app.ask(&browser, &request).await;
    if page.url.path().starts_with("/consent/") {
        page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
    }
    let fields: Vec<_> =
        page.select("#form-post input").iter().map(|f| f.attr("name").unwrap().to_owned()).collect();
    assert_eq!(fields, ["code", "id_token", "session_state", "state", "iss"]);
    app.finish().await;

    let app = TestApp::start(Backend::Embedded).await;
    let client = app.register(legacy()).await;
    let request = with(good_request(&client, "openid"), hybrid.0, hybrid.1);
    let callback = app.ask(&app.http_browser(), &request).await.location().unwrap();
    assert_eq!(in_fragment(&callback, "error").as_deref(), Some("unsupported_response_type"));
    assert_eq!(parameter(&callback, "error"), None);
    app.finish().await;
}
