//! In a real browser: the frame that watches over the session, and the frames that are told of its end.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::OriginalUri, response::Html, routing::get};
use kenpos_idp::clients::Metadata;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::good_request,
    browser::Browser,
    members::HANAKO,
    relying_party::Registered,
};

/// A relying party that watches over the session with the frame of the provider (Session Management §3.1).
struct Watcher {
    client: Registered,
    /// What its page for front-channel logout was called with.
    called: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Watcher {
    async fn start(app: &TestApp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Another site than that of the provider, which is at 127.0.0.1.
        let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let frontchannel_logout_uri = Some(format!("{origin}/frontchannel"));
        let client = app.register(Metadata { frontchannel_logout_uri, ..metadata(&origin) }).await;
        let page = PAGE
            .replace("FRAME", &app.url("/session/check"))
            .replace("ISSUER", &app.url(""))
            .replace("CLIENT", &client.id);
        let called: Arc<Mutex<Vec<String>>> = Arc::default();
        let calls = Arc::clone(&called);
        let front = move |OriginalUri(uri): OriginalUri| async move {
            calls.lock().unwrap().push(uri.to_string());
            Html("<!doctype html><title>bye</title>")
        };
        let router = Router::new()
            .route("/callback", get(|| async move { Html(page) }))
            .route("/frontchannel", get(front))
            .route("/goodbye", get(|| async { Html("<!doctype html><h1 id=bye>bye</h1>") }));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { client, called, server }
    }
}

const PAGE: &str = r#"<!doctype html><meta charset=utf-8><title>app</title>
<p id=state>waiting</p><iframe id=op src="FRAME"></iframe>
<script>
const session = new URLSearchParams(location.search).get("session_state");
const op = document.getElementById("op");
const ask = () => op.contentWindow.postMessage("CLIENT " + session, "ISSUER");
const bad = () => op.contentWindow.postMessage("nonsense", "ISSUER");
const said = [];
addEventListener("message", (event) => {
  if (event.origin === "ISSUER") {
    said.push(event.data);
    document.getElementById("state").className = event.data;
    document.getElementById("state").textContent = event.data;
  }
});
op.addEventListener("load", ask);
</script>"#;

async fn log_in(app: &TestApp, browser: &Browser, client: &Registered) {
    browser.open(&app.authorize_url(&good_request(client, "openid"))).await;
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#login").await;
    browser.click("#allow").await;
}

/// And its frames for front-channel logout.
#[tokio::test]
async fn oidcc_session_management_rp_initiated_logout() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let site = Watcher::start(&app).await;
    // Chromium keeps cookies from frames of other sites unless its user allows them.
    let browser = Browser::desktop_with_cookies_in_frames().await;
    log_in(&app, &browser, &site.client).await;
    browser.wait_for("#state.unchanged").await;
    let watching = browser.url().await;
    browser.script("said.length = 0; bad()").await;
    browser.wait_for("#state.error").await;
    // Pages of the provider change nothing.
    browser.open(&app.url("/account")).await;
    browser.open(watching.as_str()).await;
    browser.wait_for("#state.unchanged").await;

    // The code was never redeemed there, so nothing is told; redeem one for the front channel.
    let url = format!("{}&prompt=none", app.authorize_url(&good_request(&site.client, "openid")));
    browser.open(&url).await;
    let back = browser.wait_for_url(|url| url.path() == "/callback").await;
    let code = crate::support::attack::parameter(&back, "code").unwrap();
    let session = app.redeem(&site.client, &code).await;
    let hint = session.text("id_token");
    let goodbye = &site.client.metadata.post_logout_redirect_uris[0];
    let query = [
        ("id_token_hint", hint.to_owned()),
        ("post_logout_redirect_uri", goodbye.clone()),
        ("state", "bye".to_owned()),
    ];
    browser.open(&app.url(&format!("/logout?{}", crate::support::attack::encoded(&query)))).await;
    browser.wait_for("#bye").await;
    assert_eq!(browser.url().await.as_str(), format!("{goodbye}?state=bye"));
    let called = site.called.lock().unwrap().clone();
    let sid = super::part(hint, 1)["sid"].as_str().unwrap().to_owned();
    let query = crate::support::attack::encoded(&[("iss", app.url("")), ("sid", sid)]);
    assert_eq!(called, [format!("/frontchannel?{query}")]);

    browser.open(watching.as_str()).await;
    browser.wait_for("#state.changed").await;
    browser.close().await;
    app.finish().await;
}

#[tokio::test]
async fn the_frame_may_be_framed_and_nothing_else_may() {
    let app = TestApp::start(Backend::Embedded).await;
    let browser = app.http_browser();
    let frame = browser.get(&app.url("/session/check")).await;
    let policy = frame.headers["content-security-policy"].to_str().unwrap();
    assert!(!frame.headers.contains_key("x-frame-options"));
    assert!(policy.contains("frame-ancestors *") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(frame.select("form, a, input").len(), 0, "nothing to click");
    for path in ["/login", "/logout", "/nowhere"] {
        let page = browser.get(&app.url(path)).await.follow_here().await;
        assert_eq!(page.headers["x-frame-options"], "DENY", "{path}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
    app.finish().await;
}
