//! Logging out: who ends what, and who is told.

mod back_channel;
mod browser;
mod ends;
mod modules;

use kenpos_idp::clients::Metadata;
use reqwest::StatusCode;

use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::{Answer, part},
    http_browser::{HttpBrowser, Page},
    receiver::{Received, Receiver},
    relying_party::Registered,
};

/// A provider that may call the receiver.
async fn start(backend: Backend) -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    let app = TestApp::start_with(backend, |config| receiver.admit(config)).await;
    (app, receiver)
}

/// A client at `origin` that is told of logouts at this URL.
async fn told_at(app: &TestApp, origin: &str, uri: &str) -> Registered {
    let backchannel_logout_uri = Some(uri.to_owned());
    let more = Metadata { backchannel_logout_session_required: true, ..metadata(origin) };
    app.register(Metadata { backchannel_logout_uri, ..more }).await
}

/// Tokens of the member who is signed in to the browser.
async fn tokens(app: &TestApp, browser: &HttpBrowser, client: &Registered, scope: &str) -> Answer {
    let answer = app.redeem(client, &app.code(browser, client, scope).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    answer
}

/// 「ログアウト」 on the account's page.
async fn log_out(app: &TestApp, browser: &HttpBrowser) -> Page {
    app.account(browser, "").await.form("#logout-form").submit().await
}

/// Checks a logout token as a relying party does (Back-Channel Logout §2.6) against the ID token of the session.
fn check_token(app: &TestApp, received: &Received, client: &Registered, id_token: &str) {
    assert_eq!(received.content_type, "application/x-www-form-urlencoded");
    let token = received.body.strip_prefix("logout_token=").expect("nothing but the token");
    assert_eq!(part(token, 0)["typ"], "logout+jwt");
    let claims = app.app().signing.current().verify_typed("logout+jwt", token).expect("signed by us");
    let session = part(id_token, 1);
    assert_eq!(claims["iss"], session["iss"]);
    assert_eq!(claims["aud"], client.id.as_str());
    assert_eq!((&claims["sub"], &claims["sid"]), (&session["sub"], &session["sid"]));
    let now = app.clock.now().seconds();
    assert_eq!(claims["iat"], now);
    assert!(claims["exp"].as_i64().unwrap() > now && claims["exp"].as_i64().unwrap() <= now + 120);
    assert!(!claims["jti"].as_str().unwrap().is_empty());
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(claims["events"], serde_json::json!({ event: {} }));
    assert_eq!(claims.get("nonce"), None);
    // It passes for nothing else.
    assert!(app.app().signing.current().verify(token).is_err(), "no ID token");
}
