//! Attacks on codes, access tokens and refresh tokens: each serves one client, one purpose and one time.

mod lineage;
mod misuse;
mod withdrawn;

use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, MINUTE, TestApp, metadata, on_both_backends},
    attack::{Answer, CHALLENGE, VERIFIER, good_request, parameter, with},
    members::HANAKO,
};

on_both_backends! {
    a_code_serves_its_client_and_its_request_alone
    fifty_redemptions_at_once_give_one_success_and_revoke_it
    a_late_replay_revokes_what_the_code_gave
}

const EVERYTHING: &str = "openid email offline_access";

fn assert_refused(answer: &Answer, error: &str, what: &str) {
    assert_eq!(answer.error(), error, "{what}: {}", answer.json);
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    assert_eq!(answer.status, status, "{what}");
    assert_eq!(answer.headers["cache-control"], "no-store", "{what}");
    assert!(answer.json.get("access_token").is_none(), "{what}: {}", answer.json);
}

async fn a_code_serves_its_client_and_its_request_alone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let uri = app.client.metadata.redirect_uris[0].clone();
    let other_uri = other.metadata.redirect_uris[0].clone();
    let altered = format!("{}{}", &code[..42], if code.ends_with('A') { 'B' } else { 'A' });
    let long = VERIFIER.repeat(4);
    let odd = format!("{}!", &VERIFIER[..42]);
    for (what, by, code, uri, verifier, error) in [
        ("another client", &other, &code, &other_uri, Some(VERIFIER), "invalid_grant"),
        ("another client, right URI", &other, &code, &uri, Some(VERIFIER), "invalid_grant"),
        ("an altered code", &app.client, &altered, &uri, Some(VERIFIER), "invalid_grant"),
        ("another URI", &app.client, &code, &other_uri, Some(VERIFIER), "invalid_grant"),
        ("a longer URI", &app.client, &code, &format!("{uri}/"), Some(VERIFIER), "invalid_grant"),
        ("no URI", &app.client, &code, &String::new(), Some(VERIFIER), "invalid_request"),
        ("no code", &app.client, &String::new(), &uri, Some(VERIFIER), "invalid_request"),
        ("no verifier", &app.client, &code, &uri, None, "invalid_grant"),
        ("an empty verifier", &app.client, &code, &uri, Some(""), "invalid_grant"),
        ("the challenge itself", &app.client, &code, &uri, Some(CHALLENGE), "invalid_grant"),
        ("a short verifier", &app.client, &code, &uri, Some(&VERIFIER[..42]), "invalid_grant"),
        ("a long verifier", &app.client, &code, &uri, Some(&long), "invalid_grant"),
        ("an odd verifier", &app.client, &code, &uri, Some(&odd), "invalid_grant"),
    ] {
        let mut fields = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", uri)];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        assert_refused(&app.token(by, &fields).await, error, what);
    }
    // None of that spoilt it for the client whose code it is.
    assert_eq!(app.redeem(&app.client, &code).await.text("scope"), EVERYTHING);
    app.finish().await;
}

#[tokio::test]
async fn pkce_is_not_to_be_talked_down() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid").await;
    let good = good_request(&app.client, "openid");
    let without = |name: &str| good.iter().filter(|(known, _)| *known != name).cloned().collect::<Vec<_>>();
    for request in [
        with(good.clone(), "code_challenge_method", "plain"),
        with(good.clone(), "code_challenge_method", "s256"),
        with(good.clone(), "code_challenge", &CHALLENGE[..42]),
        with(good.clone(), "code_challenge", &format!("{CHALLENGE}=")),
        with(good.clone(), "code_challenge", &CHALLENGE.replace('-', "+")),
        with(good.clone(), "code_challenge", ""),
        without("code_challenge_method"),
        without("code_challenge"),
        without("code_challenge").into_iter().filter(|(name, _)| *name != "code_challenge_method").collect(),
    ] {
        let page = browser.get(&app.authorize_url(&request)).await;
        let callback = page.location().expect("an error for the client");
        assert_eq!(parameter(&callback, "error").as_deref(), Some("invalid_request"), "{request:?}");
        assert_eq!(parameter(&callback, "code"), None, "{request:?}");
    }

    // A client that may leave PKCE out: a verifier without a challenge means that somebody removed it.
    let mut lax = metadata("https://lax.example.jp");
    lax.pkce_optional = true;
    let lax = app.register(lax).await;
    app.code(&browser, &lax, "openid").await;
    let bare: Vec<_> = good_request(&lax, "openid")
        .into_iter()
        .filter(|(name, _)| !name.starts_with("code_challenge"))
        .collect();
    let page = browser.get(&app.authorize_url(&bare)).await;
    let code = parameter(&page.location().unwrap(), "code").unwrap();
    assert_refused(&app.redeem(&lax, &code).await, "invalid_grant", "a verifier without a challenge");
    let uri = lax.metadata.redirect_uris[0].as_str();
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
    assert_eq!(app.token(&lax, &fields).await.status, StatusCode::OK);
    app.finish().await;
}

async fn fifty_redemptions_at_once_give_one_success_and_revoke_it(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let answers = join_all((0..50).map(|_| app.redeem(&app.client, &code))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(won.len(), 1, "{answers:?}");
    for answer in lost {
        assert_refused(answer, "invalid_grant", "a code that was used");
    }
    assert_eq!(app.userinfo(won[0].text("access_token")).await.error(), "invalid_token");
    let refreshed = app.refresh(&app.client, won[0].text("refresh_token")).await;
    assert_refused(&refreshed, "invalid_grant", "a grant that was revoked");
    app.finish().await;
}

async fn a_late_replay_revokes_what_the_code_gave(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let first = app.redeem(&app.client, &code).await;
    let second = app.refresh(&app.client, first.text("refresh_token")).await;
    app.clock.advance(MINUTE * 5);
    // Another client that comes by the code neither gets nor breaks anything.
    assert_refused(&app.redeem(&other, &code).await, "invalid_grant", "another client's replay");
    assert_eq!(app.userinfo(second.text("access_token")).await.status, StatusCode::OK);
    assert_refused(&app.redeem(&app.client, &code).await, "invalid_grant", "a replay");
    for tokens in [&first, &second] {
        assert_eq!(app.userinfo(tokens.text("access_token")).await.error(), "invalid_token");
        let refreshed = app.refresh(&app.client, tokens.text("refresh_token")).await;
        assert_refused(&refreshed, "invalid_grant", "after the replay");
    }
    assert_refused(&app.redeem(&app.client, &code).await, "invalid_grant", "and again");
    let line = "select count(*) from audit where action = 'token.replayed' and insurer = '7132'
                and member_id is not null and client_id is not null and detail = '{\"what\":\"code\"}'";
    assert_eq!(app.number(line).await, 1, "one line, for those who look into it");
    // A code that nobody used is void after its minute.
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    app.clock.advance(MINUTE);
    assert_refused(&app.redeem(&app.client, &code).await, "invalid_grant", "an old code");
    app.finish().await;
}
