//! What an authorization request may have, and what it must have.

use kenpos_idp::clients::{AuthMethod, GrantType, GrantTypes, Metadata, ResponseTypes};
use reqwest::{Method, StatusCode};

use super::discovered;
use crate::{
    story_authorize::in_fragment,
    support::{
        app::{Backend, TestApp, metadata},
        attack::{VERIFIER, encoded, good_request, parameter, part, with},
        http_browser::HttpBrowser,
        members::HANAKO,
    },
};

/// A member who is signed in and has agreed: good requests are answered at once.
async fn ready() -> (TestApp, HttpBrowser) {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid").await;
    (app, browser)
}

/// With each of these parameters a member who is signed in gets back at once, with what would have come without
/// it, and anybody else to the login.
async fn changes_nothing(parameters: &[(&'static str, &str)]) {
    let (app, browser) = ready().await;
    for (name, value) in parameters {
        let request = with(good_request(&app.client, "openid"), name, value);
        let callback = app.ask(&browser, &request).await.location().unwrap();
        let code = parameter(&callback, "code").unwrap_or_else(|| panic!("{name}={value}: {callback}"));
        let tokens = app.redeem(&app.client, &code).await;
        assert_eq!(part(tokens.text("id_token"), 1)["acr"], "aal1", "{name}={value}");
        let login = app.ask(&app.http_browser(), &request).await;
        assert_eq!(login.status, StatusCode::OK, "{name}={value}: {}", login.text());
        assert!(login.url.path().starts_with("/login/"), "{name}={value}: {}", login.url);
    }
    app.finish().await;
}

#[tokio::test]
async fn oidcc_display_page() {
    changes_nothing(&[("display", "page")]).await;
}

#[tokio::test]
async fn oidcc_display_popup() {
    changes_nothing(&[("display", "popup"), ("display", "touch"), ("display", "wap")]).await;
}

#[tokio::test]
async fn oidcc_login_hint() {
    changes_nothing(&[("login_hint", "buffy@host")]).await;
}

#[tokio::test]
async fn oidcc_ui_locales() {
    changes_nothing(&[("ui_locales", "se"), ("ui_locales", "xx en-GB ja")]).await;
}

#[tokio::test]
async fn oidcc_claims_locales() {
    changes_nothing(&[("claims_locales", "se")]).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    changes_nothing(&[("extra", "foobar")]).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let app = TestApp::start(Backend::Embedded).await;
    let supported = discovered(&app).await["acr_values_supported"].clone();
    app.finish().await;
    let supported: Vec<String> = serde_json::from_value(supported).unwrap();
    assert!(supported.contains(&"aal1".to_owned()), "{supported:?}");
    changes_nothing(&[("acr_values", &supported.join(" ")), ("acr_values", "1 2")]).await;
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let (app, browser) = ready().await;
    let mut request = good_request(&app.client, "email openid");
    request.reverse();
    let code = parameter(&app.allowed(&browser, &request).await, "code").unwrap();
    let tokens = app.redeem(&app.client, &code).await;
    assert_eq!(tokens.text("scope"), "openid email");
    app.finish().await;
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let (app, browser) = ready().await;
    let mut request = good_request(&app.client, "openid");
    request.retain(|(name, _)| *name != "response_type");
    assert_eq!(app.error(&browser, &request).await, "invalid_request");
    app.finish().await;
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let (app, browser) = ready().await;
    let mut request = good_request(&app.client, "openid");
    request.retain(|(name, _)| *name != "nonce");
    let code = parameter(&app.ask(&browser, &request).await.location().unwrap(), "code").unwrap();
    let tokens = app.redeem(&app.client, &code).await;
    assert!(part(tokens.text("id_token"), 1).get("nonce").is_none());
    app.finish().await;
}

/// Of the implicit and hybrid plans: an ID token from the authorization endpoint is bound to a nonce.
#[tokio::test]
async fn oidcc_ensure_request_without_nonce_fails() {
    let app =
        TestApp::start_with(Backend::Embedded, |config| config.protocol.front_channel_tokens = true).await;
    let types = ["id_token", "id_token token", "code id_token", "code id_token token"];
    let client = app.register(Metadata {
        response_types: ResponseTypes(types.map(str::to_owned).to_vec()),
        grant_types: GrantTypes(vec![GrantType::AuthorizationCode, GrantType::Implicit]),
        ..metadata("https://legacy.example.jp")
    });
    let client = client.await;
    for name in types {
        let mut request = with(good_request(&client, "openid"), "response_type", name);
        request.retain(|(name, _)| *name != "nonce");
        let callback = app.ask(&app.http_browser(), &request).await.location().unwrap();
        assert_eq!(in_fragment(&callback, "error").as_deref(), Some("invalid_request"), "{name}: {callback}");
        assert_eq!(in_fragment(&callback, "state").as_deref(), Some("af0ifjsldkj"), "{name}: {callback}");
    }
    app.finish().await;
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let (app, browser) = ready().await;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = encoded(&good_request(&app.client, "openid"));
    let posted = browser.raw(Method::POST, &app.url("/authorize"), &form, &body).await;
    let callback = posted.follow_here().await.location().unwrap();
    assert!(parameter(&callback, "code").is_some(), "{callback}");
    app.finish().await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let (app, browser) = ready().await;
    let redirect_uri = app.client.metadata.redirect_uris[0].as_str();
    for (verifier, error) in [(None, "invalid_grant"), (Some(VERIFIER), "")] {
        let code = app.code(&browser, &app.client, "openid").await;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect_uri),
        ];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        assert_eq!(app.token(&app.client, &fields).await.error(), error, "{verifier:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let (app, browser) = ready().await;
    let client = app.register(Metadata {
        token_endpoint_auth_method: AuthMethod::ClientSecretPost,
        ..metadata("https://post.example.jp")
    });
    let client = client.await;
    let code = app.code(&browser, &client, "openid").await;
    assert_eq!(app.redeem(&client, &code).await.error(), "invalid_client", "it registered another method");
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", client.metadata.redirect_uris[0].as_str()),
        ("code_verifier", VERIFIER),
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_deref().unwrap()),
    ];
    let tokens = app.token_with(&[], &fields).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
    app.finish().await;
}

/// Who registered one URI and asks for the answer at another: answered there, or on a page that leads nowhere.
async fn redirected(registered: &str, asked: &str) -> bool {
    let (app, browser) = ready().await;
    let mut client = app.client.clone();
    if registered != client.metadata.redirect_uris[0] {
        let redirect_uris = vec![registered.to_owned()];
        client = app.register(Metadata { redirect_uris, ..metadata("https://app.example.jp") }).await;
    }
    let request = with(good_request(&client, "openid"), "redirect_uri", asked);
    let mut page = app.ask(&browser, &request).await;
    if page.url.path().starts_with("/consent/") {
        page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
    }
    let callback = page.location();
    if let Some(callback) = &callback {
        assert!(callback.as_str().starts_with(registered), "{callback}");
        let code = parameter(callback, "code").unwrap();
        assert_eq!(app.redeem(&client, &code).await.status, StatusCode::OK);
    } else {
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text());
        assert!(page.text().contains("redirect_uri"), "{}", page.text());
    }
    app.finish().await;
    callback.is_some()
}

const CALLBACK: &str = "https://app.example.jp/callback";

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    assert!(!redirected(CALLBACK, &format!("{CALLBACK}/extra")).await);
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok() {
    let uri = format!("{CALLBACK}?foo=bar");
    assert!(redirected(&uri, &uri).await);
}

#[tokio::test]
async fn oidcc_redirect_uri_query_mismatch() {
    assert!(!redirected(&format!("{CALLBACK}?foo=bar"), &format!("{CALLBACK}?foo=baz")).await);
}

#[tokio::test]
async fn oidcc_redirect_uri_query_added() {
    assert!(!redirected(CALLBACK, &format!("{CALLBACK}?foo=bar")).await);
}
