//! What members say about themselves, and which scopes give it to whom (oidcc-scope-profile, -phone, -address).

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    http_browser::HttpBrowser,
    members::HANAKO,
};

on_both_backends! {
    oidcc_scope_profile_phone_and_address
}

async fn claims(app: &TestApp, browser: &HttpBrowser, scope: &str) -> Value {
    let code = app.code(browser, &app.client, scope).await;
    let tokens = app.redeem(&app.client, &code).await;
    app.userinfo(tokens.text("access_token")).await.json
}

async fn oidcc_scope_profile_phone_and_address(backend: Backend) {
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
    let form = wrong.form("#more-form").set("nickname", " はな ").set("gender", "female");
    let form = form.set("phone", "０３ー１２３４ー５６７８").set("postal_code", "1000001");
    let form = form.set("region", "東京都").set("locality", "千代田区").set("street_address", "千代田1-1");
    let saved = form.submit().await.follow_here().await;
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
    // Each scope gives its own.
    let only = claims(&app, &browser, "openid phone").await;
    let names: Vec<_> = only.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["phone_number", "phone_number_verified", "sub"]);
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
