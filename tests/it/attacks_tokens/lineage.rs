//! Refresh tokens rotate in one lineage, however often and by whom they are used.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;

use super::{EVERYTHING, assert_refused};
use crate::support::{
    app::{Backend, HOUR, MINUTE, TestApp, metadata, on_both_backends},
    members::HANAKO,
};

on_both_backends! {
    fifty_refreshes_at_once_give_one_lineage
    the_token_before_works_for_a_minute_and_then_ends_the_family
    a_token_that_was_tampered_with_changes_nothing
}

async fn fifty_refreshes_at_once_give_one_lineage(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let first = app.redeem(&app.client, &code).await.text("refresh_token").to_owned();
    let answers = join_all((0..50).map(|_| app.refresh(&app.client, &first))).await;
    let second = answers[0].text("refresh_token");
    assert_ne!(second, first);
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        assert_eq!(answer.text("refresh_token"), second, "one lineage");
    }
    let third = app.refresh(&app.client, second).await;
    assert_eq!(third.status, StatusCode::OK);
    assert_ne!(third.text("refresh_token"), second);
    // Two generations old, and within the minute: somebody else has it.
    assert_refused(&app.refresh(&app.client, &first).await, "invalid_grant", "an old token");
    let ended = app.refresh(&app.client, third.text("refresh_token")).await;
    assert_refused(&ended, "invalid_grant", "the family is revoked");
    for answer in answers.iter().chain([&third]) {
        assert_eq!(app.userinfo(answer.text("access_token")).await.error(), "invalid_token");
    }
    let line = "select count(*) from audit where action = 'token.replayed' and insurer = '7132'
                and member_id is not null and client_id is not null and detail = '{\"what\":\"refresh_token\"}'";
    assert_eq!(app.number(line).await, 1, "one line, for those who look into it");
    app.finish().await;
}

async fn the_token_before_works_for_a_minute_and_then_ends_the_family(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let first = app.redeem(&app.client, &code).await.text("refresh_token").to_owned();
    app.clock.advance(HOUR);
    let second = app.refresh(&app.client, &first).await;
    app.clock.advance(Duration::from_millis(59_999));
    let again = app.refresh(&app.client, &first).await;
    assert_eq!(again.text("refresh_token"), second.text("refresh_token"), "a lost answer is given again");
    // Giving it again does not start another minute.
    app.clock.advance(Duration::from_millis(1));
    assert_refused(&app.refresh(&app.client, &first).await, "invalid_grant", "after a minute");
    let ended = app.refresh(&app.client, second.text("refresh_token")).await;
    assert_refused(&ended, "invalid_grant", "the family is revoked");
    assert_eq!(app.userinfo(again.text("access_token")).await.error(), "invalid_token");
    app.finish().await;
}

async fn a_token_that_was_tampered_with_changes_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let code = app.code(&browser, &app.client, EVERYTHING).await;
    let tokens = app.redeem(&app.client, &code).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let [grant, generation, mac]: [&str; 3] = refresh.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut forged: Vec<String> = flipped(refresh);
    forged.extend((0..refresh.len()).step_by(5).map(|end| refresh[..end].to_owned()));
    for (generation, mac) in
        [("1", mac), ("00", mac), ("+0", mac), ("-1", mac), ("", mac), (generation, ""), ("0.0", mac)]
    {
        forged.push(format!("{grant}.{generation}.{mac}"));
    }
    forged.extend([
        format!("{refresh}."),
        format!("{refresh} "),
        format!(".{refresh}"),
        refresh.to_uppercase(),
    ]);
    for token in &forged {
        let error = if token.is_empty() { "invalid_request" } else { "invalid_grant" };
        assert_refused(&app.refresh(&app.client, token).await, error, token);
    }
    for token in flipped(access).iter().chain(&[access[..42].to_owned(), format!("{access}A")]) {
        assert_eq!(app.userinfo(token).await.error(), "invalid_token", "{token}");
    }
    assert_refused(&app.refresh(&other, refresh).await, "invalid_grant", "another client's");
    let more = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("scope", "openid email birthdate insured_number"),
    ];
    assert_refused(&app.token(&app.client, &more).await, "invalid_scope", "more than was granted");

    assert_eq!(app.userinfo(access).await.text("email"), HANAKO.email);
    let less = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", "openid")];
    let narrow = app.token(&app.client, &less).await;
    assert!(app.userinfo(narrow.text("access_token")).await.json.get("email").is_none());
    // An access token ends by the clock, and so does a family that nobody uses.
    app.clock.advance(MINUTE * 10);
    assert_eq!(app.userinfo(access).await.error(), "invalid_token");
    app.clock.advance(HOUR * 24 * 30);
    let idle = app.refresh(&app.client, narrow.text("refresh_token")).await;
    assert_refused(&idle, "invalid_grant", "thirty days later");
    app.finish().await;
}

/// The token with one bit changed, at every seventh place.
fn flipped(token: &str) -> Vec<String> {
    let places = (0..token.len()).step_by(7).chain([token.len() - 1]);
    places
        .map(|at| {
            let mut octets = token.as_bytes().to_vec();
            octets[at] ^= 1;
            String::from_utf8(octets).unwrap()
        })
        .collect()
}
