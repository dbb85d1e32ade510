//! Access tokens that are JWTs (RFC 9068), and for which API they are (RFC 8707).

use kenpos_idp::{
    clients::{AccessTokenFormat, Metadata},
    crypto::Algorithm,
};
use reqwest::StatusCode;
use serde_json::json;

use super::part;
use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::{Answer, Pairs, VERIFIER, encoded, good_request, parameter, with},
    http_browser::HttpBrowser,
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_jwt_says_what_rfc_9068_wants_and_dies_like_any_token
    resource_restricts_a_token_to_what_was_registered_and_asked_for
}

const API: &str = "https://api.example.jp/v1";
const OTHER: &str = "https://other-api.example.jp/";

/// A client whose access tokens are JWTs.
async fn wallet(app: &TestApp) -> Registered {
    let metadata = Metadata {
        access_token_format: AccessTokenFormat::Jwt,
        resources: vec![API.to_owned(), OTHER.to_owned(), app.url("")],
        id_token_signed_response_alg: Some(Algorithm::Es256),
        ..metadata("https://wallet.example.jp")
    };
    app.register(metadata).await
}

/// Redeems the code of an authorization request with these resources, asking at `/token` for others.
async fn tokens(
    app: &TestApp,
    browser: &HttpBrowser,
    client: &Registered,
    (named, asked): (&[&str], &[&str]),
) -> Answer {
    let mut request = good_request(client, "openid email offline_access");
    request.extend(named.iter().map(|resource| ("resource", (*resource).to_owned())));
    let mut page = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    if page.url.path().starts_with("/consent/") {
        page = page.form("#consent-form").click("decision", "allow").submit().await.follow_here().await;
    }
    let code = parameter(&page.location().unwrap(), "code").unwrap();
    let redirect_uri = client.metadata.redirect_uris[0].as_str();
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    fields.extend(asked.iter().map(|resource| ("resource", *resource)));
    app.token(client, &fields).await
}

async fn a_jwt_says_what_rfc_9068_wants_and_dies_like_any_token(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let client = wallet(&app).await;
    let first = tokens(&app, &browser, &client, (&[], &[])).await;
    let access = first.text("access_token").to_owned();
    let header = part(&access, 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let (claims, id_token) = (part(&access, 1), part(first.text("id_token"), 1));
    let now = app.clock.now().seconds();
    assert_eq!(claims["jti"].as_str().unwrap().len(), 22);
    let mut rest = claims.clone();
    rest.as_object_mut().unwrap().remove("jti");
    assert_eq!(
        rest,
        json!({
            "iss": app.url(""), "aud": app.url(""), "sub": id_token["sub"], "client_id": client.id,
            "iat": now, "exp": now + 600, "scope": "openid email offline_access",
            "auth_time": id_token["auth_time"], "acr": "aal1", "amr": ["pwd"],
        })
    );
    assert_eq!(app.userinfo(&access).await.text("email"), HANAKO.email);
    // An access token is no ID token, and the other way round (RFC 8725 §3.11).
    assert_eq!(app.userinfo(first.text("id_token")).await.error(), "invalid_token");
    let logout =
        format!("/logout?id_token_hint={access}&post_logout_redirect_uri=https://wallet.example.jp/goodbye");
    assert_eq!(browser.get(&app.url(&logout)).await.location(), None);
    // Truncated, flipped, with its signature of another form, or by its jti alone: nothing.
    let mut forged: Vec<String> = (0..access.len()).step_by(31).map(|end| access[..end].to_owned()).collect();
    for at in (0..access.len()).step_by(17) {
        let mut octets = access.clone().into_bytes();
        octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(octets).unwrap();
        forged.extend((text != access).then_some(text));
    }
    forged.extend([claims["jti"].as_str().unwrap().to_owned(), format!("{access}.x"), format!("{access}=")]);
    for token in forged.iter().filter(|token| !token.is_empty()) {
        assert_eq!(app.userinfo(token).await.error(), "invalid_token", "{token}");
    }

    let another = app.refresh(&client, first.text("refresh_token")).await;
    let another = another.text("access_token").to_owned();
    assert_ne!(another, access, "two tokens of one second differ by jti");
    let revoked = app.call("/revoke", &client, &[], &[("token", &access)]).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert_eq!(app.userinfo(&access).await.error(), "invalid_token");
    assert_eq!(app.userinfo(&another).await.status, StatusCode::OK);
    browser.get(&app.url("/account/apps")).await.form("#withdraw-form-1").submit().await;
    assert_eq!(app.userinfo(&another).await.error(), "invalid_token");
    let about = Answer::of(app.call("/introspect", &client, &[], &[("token", &another)]).await);
    assert_eq!(about.json, json!({ "active": false }));
    app.finish().await;
}

async fn resource_restricts_a_token_to_what_was_registered_and_asked_for(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let client = wallet(&app).await;
    let us = app.url("");
    let aud = |answer: &Answer| part(answer.text("access_token"), 1)["aud"].clone();

    let both = tokens(&app, &browser, &client, (&[API, OTHER], &[])).await;
    assert_eq!(aud(&both), json!([API, OTHER]));
    assert_eq!(app.userinfo(both.text("access_token")).await.error(), "invalid_token", "meant for others");
    let one = tokens(&app, &browser, &client, (&[API, OTHER], &[OTHER])).await;
    assert_eq!(aud(&one), json!(OTHER));
    // The family keeps what the authorization request named.
    let refresh = |token: &str, asked: &[&str]| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let mut fields: Pairs<'_> = fields.map(|(name, value)| (name, value.to_owned())).to_vec();
        fields.extend(asked.iter().map(|resource| ("resource", (*resource).to_owned())));
        fields
    };
    let ask = async |fields: Pairs<'_>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.token(&client, &fields).await
    };
    let next = ask(refresh(one.text("refresh_token"), &[])).await;
    assert_eq!(aud(&next), json!([API, OTHER]));
    let next = ask(refresh(next.text("refresh_token"), &[API, API])).await;
    assert_eq!(aud(&next), json!(API), "once is enough");
    let foreign = ask(refresh(next.text("refresh_token"), &[&us])).await;
    assert_eq!((foreign.status, foreign.error()), (StatusCode::BAD_REQUEST, "invalid_target"));
    // Named together with an API, userinfo is open too.
    let mixed = tokens(&app, &browser, &client, (&[API, &us], &[])).await;
    assert_eq!(app.userinfo(mixed.text("access_token")).await.status, StatusCode::OK);
    // Where the authorization request named none, the token request may; a refused one spends nothing.
    let refused = tokens(&app, &browser, &client, (&[API], &["https://evil.example/"])).await;
    assert_eq!(refused.error(), "invalid_target");
    let late = tokens(&app, &browser, &client, (&[], &[API])).await;
    assert_eq!(aud(&late), json!(API));

    for wrong in ["https://evil.example/", "api", "https://api.example.jp/v1/", "https://api.example.jp/v1#x"]
    {
        let request = with(good_request(&client, "openid"), "resource", wrong);
        let callback = browser.get(&app.authorize_url(&request)).await.location().unwrap();
        assert_eq!(parameter(&callback, "error").as_deref(), Some("invalid_target"), "{wrong}");
        assert_eq!(parameter(&callback, "code"), None);
    }
    // An empty one is none, and other parameters still must not be repeated.
    let request = with(good_request(&client, "openid"), "resource", "");
    let callback = browser.get(&app.authorize_url(&request)).await.location().unwrap();
    assert!(parameter(&callback, "code").is_some());
    let twice = format!("{}&scope=openid", encoded(&request));
    let callback = browser.get(&app.url(&format!("/authorize?{twice}"))).await.location().unwrap();
    assert_eq!(parameter(&callback, "error").as_deref(), Some("invalid_request"));

    // A resource that was taken from the client meanwhile.
    let statement = format!("update client set metadata = replace(metadata, '\"{API}\"', '\"urn:x\"')");
    assert!(app.sql(&statement).await > 0);
    let gone = ask(refresh(next.text("refresh_token"), &[API])).await;
    assert_eq!(gone.error(), "invalid_target");
    let rest = ask(refresh(next.text("refresh_token"), &[])).await;
    assert_eq!(aud(&rest), json!(OTHER));
    app.finish().await;
}
