//! 「試す」: what it shows, and whom it serves.

use kenpos_idp::operators::Role;
use reqwest::StatusCode;
use serde_json::Value;

use super::{register, told};
use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    attack::{encoded, good_request, parameter, with},
    http_browser::{HttpBrowser, Page},
    journey::log_in,
    members::HANAKO,
    relying_party::Registered,
};

on_both_backends! {
    a_trial_shows_everything_and_leaves_no_token
    a_trial_serves_the_session_that_began_it_once_and_soon
}

/// Begins a trial and signs the member in; the page before the callback is followed.
async fn begin(app: &TestApp, browser: &HttpBrowser, client: &Registered) -> Page {
    let page = browser.get(&app.url(&format!("/admin/clients/{}/try", client.id))).await;
    page.form("#try-form").submit().await.follow_here().await
}

/// Signs in and allows; the answer that leads to the callback, not followed.
async fn to_callback(login: &Page) -> url::Url {
    let page = log_in(login, HANAKO.login_id, HANAKO.password).await;
    // Where the member has not allowed it yet, the consent page comes before the callback.
    assert!(page.url.path().starts_with("/consent/"), "{} {}", page.url, page.text());
    let sent = page.form("#consent-form").click("decision", "allow").submit().await;
    let resumed = sent.location().unwrap();
    let last = page.visit(resumed.as_str()).await;
    last.location().unwrap_or_else(|| panic!("no callback: {} {}", last.url, last.text()))
}

async fn a_trial_shows_everything_and_leaves_no_token(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let browser = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let client = told(&app, &register(&app, &browser, "からだ手帳").await).await;
    let before = app.number("select version from client where metadata like '%からだ手帳%'").await;
    let login = begin(&app, &browser, &client).await;
    assert!(login.url.path().starts_with("/login/"), "{} {}", login.url, login.text());
    let callback = to_callback(&login).await;
    assert_eq!(callback.path(), format!("/admin/clients/{}/try/callback", client.id));
    let tried = browser.get(callback.as_str()).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
    assert_eq!(tried.select("#outcome.good").len(), 1, "{}", tried.text());
    for check in ["state", "iss-response", "signature", "iss", "aud", "nonce", "exp", "at_hash"] {
        let shown = &tried.select(&format!("#check-{check}"))[0].text;
        assert!(shown.contains("合格:") && !shown.contains("不合格"), "{shown}");
    }
    let claims: Value = serde_json::from_str(&tried.select("#claims-id_token")[0].text).unwrap();
    assert_eq!(claims["aud"], client.id.as_str());
    assert!(tried.select("#verdict-id_token")[0].text.contains("公開鍵で確かめられました"));
    for personal in ["takeda", "タケダ", "19990101", "091200001"] {
        assert!(!tried.text().contains(personal), "{personal} is shown: {}", tried.text());
    }
    // No token can be taken from the page, and none works.
    let response: Value = serde_json::from_str(&tried.select("#token-response")[0].text).unwrap();
    let start = response["access_token"].as_str().unwrap();
    assert!(start.chars().count() < 20, "{start}");
    assert!(!tried.body.contains(&parameter(&callback, "code").unwrap()));
    let grants = app.stored().await.into_iter().filter(|row| row.contains("\"family\"")).count();
    assert_eq!(grants, 0, "the grant is revoked");

    // The client is as it was, and its outcome is shown once.
    assert_eq!(app.number("select version from client where metadata like '%からだ手帳%'").await, before);
    let again = browser.get(callback.as_str()).await;
    assert_eq!(again.status, StatusCode::GONE, "{}", again.text());
    assert!(again.text().contains("終わっています"), "{}", again.text());
    assert_eq!(app.number("select count(*) from audit where action = 'client_try.begun'").await, 1);

    // Whoever refuses is told so.
    let login = begin(&app, &browser, &client).await;
    let refused = login.form("#cancel-form").submit().await.follow_here().await;
    assert!(refused.select("#error")[0].text.contains("access_denied"), "{}", refused.text());
    assert!(refused.select("#token-response").is_empty());
    app.finish().await;
}

async fn a_trial_serves_the_session_that_began_it_once_and_soon(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let member = app.activate(&HANAKO).await;
    let staff = app.staff(Role::ClientManager, None).await;
    let browser = staff.browser(&app).await;
    let colleague = app.staff(Role::Administrator, None).await.browser(&app).await;
    let client = told(&app, &register(&app, &browser, "からだ手帳").await).await;
    let other = told(&app, &register(&app, &browser, "ほかのアプリ").await).await;
    let callback = app.url(&format!("/admin/clients/{}/try/callback", client.id));

    // No request can name the console's address, by whichever way.
    let forged = with(good_request(&client, "openid"), "redirect_uri", &callback);
    for browser in [&member, &browser] {
        let answer = browser.get(&app.authorize_url(&forged)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.location().is_none());
    }
    let pushed: Vec<(&str, &str)> = forged.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let pushed = app.call("/par", &client, &[], &pushed).await;
    assert_eq!(pushed.status, StatusCode::BAD_REQUEST, "{}", pushed.body);

    let good = to_callback(&begin(&app, &browser, &client).await).await;
    // Somebody else's session, another client's page, another state, a look without a visit.
    assert_eq!(colleague.get(good.as_str()).await.status, StatusCode::GONE);
    let elsewhere = good.as_str().replace(&client.id, &other.id);
    assert_eq!(browser.get(&elsewhere).await.status, StatusCode::GONE);
    let pairs: Vec<(String, String)> = good.query_pairs().into_owned().collect();
    let altered: Vec<(&str, String)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), if name == "state" { "x".repeat(43) } else { value.clone() }))
        .collect();
    assert_eq!(browser.get(&format!("{callback}?{}", encoded(&altered))).await.status, StatusCode::GONE);
    let head = browser.raw(reqwest::Method::HEAD, good.as_str(), &[], "").await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(
        app.http_browser().get(good.as_str()).await.status,
        StatusCode::SEE_OTHER,
        "nobody is signed in"
    );
    // The code is the client's own, but the verifier never left the provider.
    let code = parameter(&good, "code").unwrap();
    let stolen = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &callback),
        ("code_verifier", crate::support::attack::VERIFIER),
    ];
    assert_eq!(app.token(&client, &stolen).await.error(), "invalid_grant");
    let tried = browser.get(good.as_str()).await;
    assert_eq!(tried.select("#outcome.good").len(), 1, "{}", tried.text());

    // A response with a strange issuer is not acted on.
    let login = begin(&app, &browser, &client).await;
    let page = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(page.select("#outcome.good").len(), 1, "allowed before, so it goes through: {}", page.text());

    // Too late: eleven minutes later, with a session that was used in between.
    let login = begin(&app, &browser, &client).await;
    app.clock.advance(11 * MINUTE);
    let late = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(late.status, StatusCode::GONE, "{} {}", late.url, late.text());
    app.finish().await;
}
