//! What members say about themselves, and which scopes give it to whom.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    attack::part,
    http_browser::{HttpBrowser, Page},
    members::HANAKO,
};

on_both_backends! {
    what_members_say_goes_where_its_scope_goes_and_nowhere_when_it_is_gone
}

async fn claims(app: &TestApp, browser: &HttpBrowser, scope: &str) -> Value {
    let code = app.code(browser, &app.client, scope).await;
    let tokens = app.redeem(&app.client, &code).await;
    app.userinfo(tokens.text("access_token")).await.json
}

/// From the page about more of oneself.
async fn fill(page: &Page) -> Page {
    let form = page.form("#more-form").set("nickname", " はな ").set("gender", "female");
    let form = form.set("phone", "０３ー１２３４ー５６７８").set("postal_code", "1000001");
    let form = form.set("region", "東京都").set("locality", "千代田区").set("street_address", "千代田1-1");
    form.submit().await.follow_here().await
}

/// What userinfo has for these scopes, of a member who said everything; the ID token has nothing of it.
async fn claims_of_scope(scope: &str) -> Vec<String> {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    fill(&browser.get(&app.url("/account/profile")).await.click("#more").await).await;
    let code = app.code(&browser, &app.client, scope).await;
    let tokens = app.redeem(&app.client, &code).await;
    let id_token = part(tokens.text("id_token"), 1);
    let claims = app.userinfo(tokens.text("access_token")).await.json;
    assert_eq!(claims["sub"], id_token["sub"]);
    let mut names: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
    names.retain(|name| name != "sub");
    names.sort_unstable();
    for name in &names {
        assert!(id_token.get(name).is_none(), "{name} is in the ID token");
    }
    app.finish().await;
    names
}

const PROFILE: [&str; 10] = [
    "family_name",
    "family_name#ja-Kana-JP",
    "given_name",
    "given_name#ja-Kana-JP",
    "locale",
    "name",
    "name#ja-Kana-JP",
    "nickname",
    "updated_at",
    "zoneinfo",
];

#[tokio::test]
async fn oidcc_scope_profile() {
    assert_eq!(claims_of_scope("openid profile").await, PROFILE);
}

#[tokio::test]
async fn oidcc_scope_phone() {
    assert_eq!(claims_of_scope("openid phone").await, ["phone_number", "phone_number_verified"]);
}

#[tokio::test]
async fn oidcc_scope_address() {
    assert_eq!(claims_of_scope("openid address").await, ["address"]);
}

#[tokio::test]
async fn oidcc_scope_all() {
    let mut all = PROFILE.to_vec();
    all.extend(["address", "email", "email_verified", "phone_number", "phone_number_verified"]);
    all.sort_unstable();
    assert_eq!(claims_of_scope("openid profile email address phone").await, all);
}

async fn what_members_say_goes_where_its_scope_goes_and_nowhere_when_it_is_gone(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let all = "openid profile gender phone address";
    // Nothing is made up where the member said nothing.
    let before = claims(&app, &browser, all).await;
    for name in ["nickname", "gender", "phone_number", "phone_number_verified", "address"] {
        assert!(before.get(name).is_none(), "{before}");
    }
    app.clock.advance(MINUTE);
    let page = browser.get(&app.url("/account/profile")).await.click("#more").await;
    let wrong = page.form("#more-form").set("phone", "12").set("postal_code", "1").submit().await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.select(".error").len(), 2, "{}", wrong.text());
    let saved = fill(&wrong).await;
    assert_eq!(saved.select("#notice").len(), 1, "{}", saved.text());
    assert_eq!(saved.form("#more-form").value("phone"), Some("+81312345678"));

    let after = claims(&app, &browser, all).await;
    assert_eq!((&after["nickname"], &after["gender"]), (&json!("はな"), &json!("female")));
    assert_eq!(after["phone_number"], "+81312345678");
    assert_eq!(after["phone_number_verified"], false, "nobody called there");
    assert_eq!(
        after["address"],
        json!({
            "formatted": "〒100-0001\n東京都千代田区千代田1-1", "postal_code": "100-0001", "region": "東京都",
            "locality": "千代田区", "street_address": "千代田1-1", "country": "JP",
        })
    );
    assert!(after["updated_at"].as_i64() > before["updated_at"].as_i64());
    // Saved without a change, nothing is written; emptied, nothing is left.
    let audits = "select count(*) from audit where action = 'member.profile_changed'";
    saved.form("#more-form").submit().await;
    assert_eq!(app.number(audits).await, 1);
    let form = saved.form("#more-form").set("nickname", "").set("gender", "").set("phone", "");
    let form = form.set("postal_code", "").set("region", "").set("locality", "").set("street_address", "");
    form.submit().await;
    assert_eq!(app.number(audits).await, 2);
    let emptied = claims(&app, &browser, all).await;
    for name in ["nickname", "gender", "phone_number", "phone_number_verified", "address"] {
        assert!(emptied.get(name).is_none(), "{emptied}");
    }
    app.finish().await;
}
