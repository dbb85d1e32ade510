//! What modules of the OpenID Foundation's conformance suite found here, under their names.

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, TestApp},
    attack::encoded,
    members::HANAKO,
};

/// The module wants an error or a question where the address to go on to is not the client's.
#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let hint = app.redeem(&app.client, &code).await.text("id_token").to_owned();
    let registered = &app.client.metadata.post_logout_redirect_uris[0];
    for bad in ["https://app.example.jp/elsewhere".to_owned(), format!("{registered}?foo=bar")] {
        let query = encoded(&[("id_token_hint", hint.clone()), ("post_logout_redirect_uri", bad)]);
        let page = browser.get(&app.url(&format!("/logout?{query}"))).await;
        assert_eq!((page.status, page.select("#logout-form").len()), (StatusCode::OK, 1), "{query}");
        assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK, "still signed in");
    }
    let query = encoded(&[("id_token_hint", hint), ("post_logout_redirect_uri", registered.clone())]);
    let out = browser.get(&app.url(&format!("/logout?{query}"))).await;
    assert_eq!(out.location().unwrap().as_str(), registered);
    app.finish().await;
}
