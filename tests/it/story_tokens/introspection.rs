//! `/introspect`: what a client and a resource server are told (RFC 7662, RFC 9701).

use kenpos_idp::clients::{AuthMethod, Metadata};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::part;
use crate::support::{
    app::{Backend, MINUTE, TestApp, metadata, on_both_backends},
    attack::{Answer, good_request, parameter, with},
    journey::allow,
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_client_is_told_about_its_own_tokens_alone
    a_resource_server_is_told_about_tokens_for_its_resources
}

/// The API of the stories.
const API: &str = "https://api.example.jp/v1";

async fn introspect(app: &TestApp, by: &Registered, token: &str) -> Value {
    let answer = Answer::of(app.call("/introspect", by, &[], &[("token", token)]).await);
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer.json
}

fn with_api(origin: &str) -> Metadata {
    Metadata { resources: vec![API.to_owned()], ..metadata(origin) }
}

async fn a_client_is_told_about_its_own_tokens_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let mut public = metadata("https://spa.example.jp");
    public.token_endpoint_auth_method = AuthMethod::None;
    let public = app.register(public).await;
    let code = app.code(&browser, &app.client, "openid email offline_access").await;
    let unused = app.code(&browser, &app.client, "openid email offline_access").await;
    let tokens = app.redeem(&app.client, &code).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let claims = part(tokens.text("id_token"), 1);

    let about = introspect(&app, &app.client, access).await;
    let now = app.clock.now().seconds();
    assert_eq!(
        about,
        json!({
            "active": true, "iss": app.url(""), "client_id": app.client.id, "sub": claims["sub"],
            "token_type": "Bearer", "aud": app.url(""), "iat": now, "exp": now + 600,
            "scope": "openid email offline_access", "auth_time": claims["auth_time"], "acr": "aal1",
        })
    );
    let about = introspect(&app, &app.client, refresh).await;
    let idle = now + 30 * 86_400;
    assert_eq!(
        about,
        json!({
            "active": true, "iss": app.url(""), "client_id": app.client.id, "sub": claims["sub"],
            "scope": "openid email offline_access", "exp": idle,
        })
    );
    // A hint is only a hint.
    let hinted = [("token", access), ("token_type_hint", "refresh_token")];
    assert_eq!(Answer::of(app.call("/introspect", &app.client, &[], &hinted).await).json["active"], true);

    let inactive = json!({ "active": false });
    let flipped = format!("{}{}", &access[..42], if access.ends_with('A') { 'B' } else { 'A' });
    let secret = app.client.secret.clone().unwrap();
    let id_token = tokens.text("id_token");
    let strangers =
        [flipped.as_str(), &access[..42], &refresh[1..], id_token, &unused, &secret, "x", "a.b.c"];
    for token in strangers {
        assert_eq!(introspect(&app, &app.client, token).await, inactive, "{token}");
    }
    for token in [access, refresh] {
        assert_eq!(introspect(&app, &other, token).await, inactive, "another client's");
    }
    // RFC 7662 §2.1: nobody asks who did not prove to be somebody.
    let answer = Answer::of(app.call("/introspect", &public, &[], &[("token", access)]).await);
    assert_eq!((answer.status, answer.error()), (StatusCode::UNAUTHORIZED, "invalid_client"));
    let answer = Answer::of(app.call("/introspect", &app.client, &[], &[]).await);
    assert_eq!(answer.error(), "invalid_request");
    assert_eq!(app.redeem(&app.client, &unused).await.status, StatusCode::OK, "nothing was spent");

    // With a refresh the token before is good for a minute more, the access token for its time.
    let next = app.refresh(&app.client, refresh).await;
    assert_eq!(introspect(&app, &app.client, refresh).await["active"], true);
    app.clock.advance(MINUTE);
    assert_eq!(introspect(&app, &app.client, refresh).await, inactive);
    app.clock.advance(MINUTE * 9);
    assert_eq!(introspect(&app, &app.client, access).await, inactive);
    // What has lost its ground is inactive at once.
    let next = next.text("refresh_token");
    assert_eq!(introspect(&app, &app.client, next).await["active"], true);
    let fresh = app.refresh(&app.client, next).await;
    app.sql("update member set state = 'frozen'").await;
    for token in [fresh.text("access_token"), fresh.text("refresh_token")] {
        assert_eq!(introspect(&app, &app.client, token).await, inactive);
    }
    app.finish().await;
}

async fn a_resource_server_is_told_about_tokens_for_its_resources(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let client = app.register(with_api("https://wallet.example.jp")).await;
    let server = Metadata { introspects: vec![API.to_owned()], ..metadata("https://api.example.jp") };
    let server = app.register(server).await;
    let request = with(good_request(&client, "openid email offline_access"), "resource", API);
    let consent = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    let code = parameter(&allow(&consent).await, "code").unwrap();
    let tokens = app.redeem(&client, &code).await;
    let access = tokens.text("access_token");
    let about = introspect(&app, &server, access).await;
    assert_eq!((&about["active"], &about["aud"]), (&json!(true), &json!(API)));
    assert_eq!(about["client_id"], client.id.as_str());
    let personal = about.to_string();
    for secret in [HANAKO.email, HANAKO.kana, "200001"] {
        assert!(!personal.contains(secret), "{about}");
    }
    let inactive = json!({ "active": false });
    assert_eq!(introspect(&app, &server, tokens.text("refresh_token")).await, inactive);
    let code = app.code(&browser, &client, "openid").await;
    let plain = app.redeem(&client, &code).await;
    let plain = plain.text("access_token");
    assert_eq!(introspect(&app, &server, plain).await, inactive, "not for the API");
    assert_eq!(introspect(&app, &client, access).await["active"], true, "its own");

    // RFC 9701: the same, signed.
    let signed = ("Accept", "application/token-introspection+jwt");
    for (token, active) in [(access, true), (plain, false)] {
        let answer = app.call("/introspect", &server, &[signed], &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["content-type"], "application/token-introspection+jwt");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(part(&answer.body, 0)["typ"], "token-introspection+jwt");
        let claims = part(&answer.body, 1);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(app.url("")), &json!(server.id)));
        assert_eq!(claims["token_introspection"]["active"], active);
        assert!(claims.get("sub").is_none() && claims.get("exp").is_none(), "{claims}");
        // It opens nothing.
        assert_eq!(app.userinfo(&answer.body).await.error(), "invalid_token");
        assert_eq!(introspect(&app, &server, &answer.body).await, inactive);
    }
    let failed = app.call("/introspect", &server, &[signed], &[]).await;
    assert_eq!(failed.headers["content-type"], "application/json", "errors are JSON");
    app.finish().await;
}
