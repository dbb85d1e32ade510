//! Relying parties of other people's making go through everything: login, userinfo, refresh, logout. They go
//! by the clock of the machine, so the provider does too.

mod keys;

use std::time::Duration;

use kenpos_idp::{clients::Metadata, clock::Clock};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, TestApp, metadata, on_both_backends},
    attack::encoded,
    backends::{free_port, program},
    browser::Browser,
    http_browser::{HttpBrowser, Page},
    journey::{allow, log_in, set_out},
    members::HANAKO,
    party::{PageApp, Party, installed},
    receiver::KeyPairFiles,
    relying_party::Ask,
};

on_both_backends! {
    openidconnect
    openid_client
    authlib
    oidc_client_ts
    mod_auth_openidc
}

async fn start(backend: Backend) -> TestApp {
    TestApp::start_at(Clock::system(), backend, |_| {}).await
}

/// Logs in where this page of a relying party leads to, and allows what it asks for if that is asked.
async fn sign_in(browser: &HttpBrowser, url: &str) -> Page {
    let login = browser.get(url).await.follow().await;
    let page = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    if page.select("#consent-form").is_empty() {
        return page.follow().await;
    }
    page.form("#consent-form").click("decision", "allow").submit().await.follow().await
}

fn json_of(page: &Page) -> Value {
    assert_eq!(page.status, StatusCode::OK, "{}: {}", page.url, page.body);
    serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("{}: {}", page.url, page.body))
}

/// Claims of the ID token are of this provider, client and member; what is known of her comes from userinfo.
fn assert_hanako(app: &TestApp, party: &Party, claims: &Value, userinfo: &Value) {
    assert_eq!(claims["iss"], app.url(""));
    let audience = &claims["aud"];
    assert!(audience == &json!(party.client.id) || audience == &json!([party.client.id]), "{claims}");
    assert_eq!(claims.get("email"), None);
    assert_eq!(userinfo["sub"], claims["sub"]);
    assert_userinfo(userinfo);
}

fn assert_userinfo(userinfo: &Value) {
    assert_eq!(userinfo["name"], HANAKO.kana, "{userinfo}");
    assert_eq!(userinfo["email"], HANAKO.email);
    assert_eq!(userinfo["email_verified"], true);
    assert_eq!(userinfo["insurer_code"], "7132");
}

/// The crate, as the other stories use it.
async fn openidconnect(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.activate(&HANAKO).await;
    let rp = app.relying_party().await;
    let attempt = rp.begin(&Ask::scopes(&["profile", "email", "membership", "offline_access"]));
    let callback = allow(&set_out(&browser, &attempt).await).await;
    let first = rp.finish(attempt, &callback).await;
    assert_userinfo(&rp.userinfo(&first).await.unwrap());

    let second = rp.refresh(first.refresh_token.as_deref().unwrap()).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert_eq!(first.claims["sub"], second.claims["sub"]);
    assert_userinfo(&rp.userinfo(&second).await.unwrap());

    let goodbye = browser.get(rp.logout_url(&second, "bye").as_str()).await.location().unwrap();
    let expected = format!("{}?state=bye", rp.client.metadata.post_logout_redirect_uris[0]);
    assert_eq!(goodbye.as_str(), expected);
    assert!(!app.is_signed_in(&browser).await);
    app.finish().await;
}

async fn openid_client(backend: Backend) {
    let app = start(backend).await;
    let command = [program("node", "nodejs"), "app.mjs".to_owned()];
    let party = Party::start(&app, "openid-client", &command, &[], metadata).await;
    goes_through_everything(app, party).await;
}

async fn authlib(backend: Backend) {
    let app = start(backend).await;
    let python = installed("authlib", "requirements.txt").join("bin/python").display().to_string();
    let command = [python, "app.py".to_owned()];
    // The library's switch for http.
    let insecure = [("AUTHLIB_INSECURE_TRANSPORT", "1".to_owned())];
    let party = Party::start(&app, "authlib", &command, &insecure, metadata).await;
    goes_through_everything(app, party).await;
}

async fn goes_through_everything(mut app: TestApp, party: Party) {
    app.activate(&HANAKO).await;
    let browser = app.http_browser();
    let signed_in = sign_in(&browser, &party.url("/login")).await;
    assert_eq!(signed_in.url.path(), "/callback");
    let first = json_of(&signed_in);
    assert_hanako(&app, &party, &first["claims"], &first["userinfo"]);
    // An answer to nothing, and the same answer again.
    let forged = encoded(&[("code", "x".to_owned()), ("state", "y".to_owned()), ("iss", app.url(""))]);
    for url in [party.url(&format!("/callback?{forged}")), signed_in.url.to_string()] {
        assert_eq!(browser.get(&url).await.status, StatusCode::BAD_REQUEST, "{url}");
    }

    // The second one comes of what the first one gave.
    for _ in 0..2 {
        let refreshed = json_of(&browser.get(&party.url("/refresh")).await);
        assert_eq!(refreshed["rotated"], true);
        assert_hanako(&app, &party, &refreshed["claims"], &refreshed["userinfo"]);
        assert_eq!(refreshed["claims"]["sub"], first["claims"]["sub"]);
        assert_eq!(refreshed["claims"]["auth_time"], first["claims"]["auth_time"]);
    }

    assert!(app.is_signed_in(&browser).await);
    let goodbye = browser.get(&party.url("/logout")).await.follow().await;
    assert_eq!(goodbye.url.path(), "/goodbye", "{}", goodbye.text());
    assert_eq!(json_of(&goodbye), json!({ "goodbye": true }));
    assert!(!app.is_signed_in(&browser).await);
    let other = browser.get(&party.url("/goodbye?state=another")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);

    let again = json_of(&sign_in(&browser, &party.url("/login")).await);
    assert_eq!(again["claims"]["sub"], first["claims"]["sub"]);
    assert_ne!(again["claims"]["sid"], first["claims"]["sid"]);
    app.finish().await;
}

async fn oidc_client_ts(backend: Backend) {
    let mut app = start(backend).await;
    app.activate(&HANAKO).await;
    let site = PageApp::start(&app).await;
    let browser = Browser::phone().await;
    let shown = async |id: &str| -> Value {
        browser.wait_for("#ready").await;
        let text = browser.text(&format!("#error, #{id}")).await;
        serde_json::from_str(&text).unwrap()
    };
    browser.open(&site.origin).await;
    browser.wait_for("#ready").await;
    browser.click("#login").await;
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#login").await;
    browser.click("#allow").await;
    let member = shown("member").await;
    assert_userinfo(&member);

    browser.click("#refresh").await;
    let refreshed = shown("refreshed").await;
    assert_eq!(refreshed["rotated"], true, "{refreshed}");
    assert_eq!(refreshed["profile"]["sub"], member["sub"]);
    assert_userinfo(&refreshed["profile"]);

    browser.click("#logout").await;
    browser.wait_for_url(|url| url.path() == "/goodbye").await;
    assert_eq!(shown("goodbye").await, "また来ます");
    browser.open(&app.url("/account")).await;
    browser.wait_for("#login_id").await;
    browser.close().await;
    app.finish().await;
}

/// Registration of an Apache that is told of logouts at this port.
fn apache_metadata(origin: &str, tls_port: u16) -> Metadata {
    let told_at = format!("https://127.0.0.1:{tls_port}/members/callback?logout=backchannel");
    Metadata {
        redirect_uris: vec![format!("{origin}/members/callback")],
        post_logout_redirect_uris: vec![format!("{origin}/goodbye.html")],
        backchannel_logout_uri: Some(told_at),
        backchannel_logout_session_required: true,
        ..metadata(origin)
    }
}

async fn start_apache(app: &TestApp, files: &KeyPairFiles, tls_port: u16) -> Party {
    let command = ["-d", ".", "-f", "httpd.conf", "-DFOREGROUND"].map(str::to_owned);
    let command = [vec![program("apache2", "apache2-bin")], command.to_vec()].concat();
    let more = [
        ("TLS_PORT", tls_port.to_string()),
        ("CERTIFICATE", files.certificate.display().to_string()),
        ("KEY", files.key.display().to_string()),
        ("PASSPHRASE", "of this test alone".to_owned()),
    ];
    let register = |origin: &str| apache_metadata(origin, tls_port);
    Party::start(app, "mod_auth_openidc", &command, &more, register).await
}

async fn mod_auth_openidc(backend: Backend) {
    let (files, tls_port) = (KeyPairFiles::new(), free_port());
    let mut app = TestApp::start_at(Clock::system(), backend, |config| {
        config.egress.ca_file = Some(files.certificate.clone());
        config.egress.allowed_hosts = vec![format!("127.0.0.1:{tls_port}")];
    })
    .await;
    app.activate(&HANAKO).await;
    let party = start_apache(&app, &files, tls_port).await;
    let browser = app.http_browser();
    let pages = party.url("/members/");
    let callback = |query: &[(&str, String)]| party.url(&format!("/members/callback?{}", encoded(query)));
    let state = async || json_of(&browser.get(&callback(&[("info", "json".to_owned())])).await);

    let page = sign_in(&browser, &pages).await;
    assert_eq!((page.url.as_str(), page.text().as_str()), (pages.as_str(), "会員のページ"));
    let first = state().await;
    assert_hanako(&app, &party, &first["id_token"], &first["userinfo"]);
    let sub = first["id_token"]["sub"].as_str().unwrap();
    assert_eq!(page.headers["x-member"], format!("{sub} {}", HANAKO.email));

    let token = first["access_token"].as_str().unwrap().to_owned();
    let refresh = callback(&[("refresh", pages.clone()), ("access_token", token)]);
    assert_eq!(browser.get(&refresh).await.follow().await.url.as_str(), pages);
    let second = state().await;
    for name in ["access_token", "refresh_token"] {
        assert_ne!(first[name], second[name], "{name}");
    }

    // A logout at the provider reaches it by the back channel.
    let is_logged_in = async || browser.get(&pages).await.status == StatusCode::OK;
    assert!(is_logged_in().await);
    app.account(&browser, "").await.form("#logout-form").submit().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while is_logged_in().await {
        assert!(tokio::time::Instant::now() < deadline, "it was not told, or did not listen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // A logout that begins there ends the session here.
    sign_in(&browser, &pages).await;
    assert!(is_logged_in().await && app.is_signed_in(&browser).await);
    let goodbye = browser.get(&callback(&[("logout", party.url("/goodbye.html"))])).await.follow().await;
    assert_eq!(goodbye.url.path(), "/goodbye.html", "{}", goodbye.text());
    assert!(!is_logged_in().await && !app.is_signed_in(&browser).await);
    app.finish().await;
}
