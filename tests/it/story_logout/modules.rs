//! RP-Initiated Logout, module by module as the certification suite has it, each with a `state` of 128
//! characters; and what the specification says beyond.

use kenpos_idp::{
    clients::Metadata,
    crypto::{Algorithm, KeyState, Keyring, SigningKey},
};
use reqwest::{Method, StatusCode};

use super::{part, start, tokens, told_at};
use crate::support::{
    app::{Backend, HOUR, TestApp, metadata, on_both_backends},
    attack::{encoded, parameter},
    http_browser::{HttpBrowser, Page},
    members::{HANAKO, ICHIRO},
    relying_party::{Ask, Registered},
};

on_both_backends! {
    oidcc_rp_initiated_logout
    oidcc_frontchannel_rp_initiated_logout
}

const GOODBYE: &str = "https://app.example.jp/goodbye";

/// A member who is signed in, with an ID token.
struct Scene {
    app: TestApp,
    browser: HttpBrowser,
    id_token: String,
    state: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let mut app = TestApp::start(backend).await;
        let browser = app.activate(&HANAKO).await;
        let id_token = tokens(&app, &browser, &app.client, "openid").await.text("id_token").to_owned();
        Self { app, browser, id_token, state: "s".repeat(128) }
    }

    async fn logout(&self, parameters: &[(&str, &str)]) -> Page {
        logout(&self.app, &self.browser, parameters).await
    }

    /// The session is over, and the relying party notices.
    async fn assert_out(&self) {
        let rp = self.app.relying_party().await;
        let silent = rp.begin(&Ask::default().silently());
        let back = self.browser.get(silent.url.as_str()).await.location().unwrap();
        assert_eq!(rp.code(&silent, &back), Err("login_required".to_owned()));
    }

    /// The member is asked, and nothing has happened yet; then agrees and is logged out, going nowhere.
    async fn assert_asked_and_kept_here(&self, parameters: &[(&str, &str)]) {
        let asked = self.logout(parameters).await;
        assert_eq!((asked.status, asked.select("#logout-form").len()), (StatusCode::OK, 1), "{parameters:?}");
        assert!(self.app.is_signed_in(&self.browser).await);
        let out = asked.form("#logout-form").submit().await;
        assert_eq!((out.status, out.location()), (StatusCode::OK, None), "{parameters:?}");
        assert!(out.text().contains("ログアウトしました"));
        assert!(out.select("meta[http-equiv], #onward, iframe").is_empty());
        self.assert_out().await;
    }
}

async fn logout(app: &TestApp, browser: &HttpBrowser, parameters: &[(&str, &str)]) -> Page {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    browser.get(&app.url(&format!("/logout?{}", encoded(&pairs)))).await
}

async fn oidcc_rp_initiated_logout(backend: Backend) {
    let scene = Scene::set(backend).await;
    // An expired hint is still a hint, and so is one whose key is retired.
    scene.app.app().signing.rotate().await.unwrap();
    let state = scene.state.as_str();
    let parameters =
        [("id_token_hint", scene.id_token.as_str()), ("post_logout_redirect_uri", GOODBYE), ("state", state)];
    let out = scene.logout(&parameters).await;
    assert_eq!(out.location().unwrap().as_str(), format!("{GOODBYE}?state={state}"), "and nothing else");
    scene.assert_out().await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let scene = Scene::set(Backend::Embedded).await;
    let out =
        scene.logout(&[("id_token_hint", &scene.id_token), ("post_logout_redirect_uri", GOODBYE)]).await;
    assert_eq!(out.location().unwrap().as_str(), GOODBYE);
    scene.assert_out().await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let scene = Scene::set(Backend::Embedded).await;
    scene.assert_asked_and_kept_here(&[]).await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let scene = Scene::set(Backend::Embedded).await;
    scene.assert_asked_and_kept_here(&[("state", &scene.state)]).await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let scene = Scene::set(Backend::Embedded).await;
    let out = scene.logout(&[("id_token_hint", &scene.id_token), ("state", &scene.state)]).await;
    assert_eq!((out.status, out.location()), (StatusCode::OK, None));
    // The way back starts a login, at this provider (OIDC Core §4).
    let service = out.select("#to-service")[0].attr("href").unwrap().to_owned();
    let issuer = encoded(&[("iss", scene.app.url(""))]);
    assert_eq!(service, format!("https://app.example.jp/login?{issuer}"));
    scene.assert_out().await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    for bad in ["https://app.example.jp/goodbye/evil", "https://evil.example/", "javascript:alert(1)"] {
        let scene = Scene::set(Backend::Embedded).await;
        let parameters = [
            ("id_token_hint", scene.id_token.as_str()),
            ("post_logout_redirect_uri", bad),
            ("state", scene.state.as_str()),
        ];
        assert!(!scene.logout(&parameters).await.body.contains(bad), "{bad}");
        scene.assert_asked_and_kept_here(&parameters).await;
        scene.app.finish().await;
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let scene = Scene::set(Backend::Embedded).await;
    let parameters = [
        ("id_token_hint", scene.id_token.as_str()),
        ("post_logout_redirect_uri", "https://app.example.jp/goodbye?foo=bar"),
        ("state", scene.state.as_str()),
    ];
    scene.assert_asked_and_kept_here(&parameters).await;
    scene.app.finish().await;
}

/// The claims of an ID token, signed anew.
fn resigned(id_token: &str, header: &str, key: Option<&Keyring>) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    let claims = part(id_token, 1);
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    key.map_or_else(
        || format!("{}.{}.", encode(header), encode(&claims.to_string())),
        |key| key.sign(Algorithm::Rs256, None, &claims).unwrap(),
    )
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let scene = Scene::set(Backend::Embedded).await;
    let unsigned = resigned(&scene.id_token, r#"{"alg":"none"}"#, None);
    let parameters =
        [("id_token_hint", unsigned.as_str()), ("post_logout_redirect_uri", GOODBYE), ("state", "s")];
    scene.assert_asked_and_kept_here(&parameters).await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let scene = Scene::set(Backend::Embedded).await;
    let key = SigningKey::generate(Algorithm::Rs256).unwrap();
    let foreign = resigned(&scene.id_token, "", Some(&Keyring::new(vec![(key.into(), KeyState::Active)])));
    let parameters =
        [("id_token_hint", foreign.as_str()), ("post_logout_redirect_uri", GOODBYE), ("state", "s")];
    scene.assert_asked_and_kept_here(&parameters).await;
    scene.app.finish().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let scene = Scene::set(Backend::Embedded).await;
    let parameters = [("post_logout_redirect_uri", GOODBYE), ("state", scene.state.as_str())];
    scene.assert_asked_and_kept_here(&parameters).await;
    scene.app.finish().await;
}

#[tokio::test]
async fn what_the_specification_says_beyond() {
    let scene = Scene::set(Backend::Embedded).await;
    let (app, browser) = (&scene.app, &scene.browser);
    // client_id alone: the member is asked, and goes there when they agreed.
    let asked = scene
        .logout(&[
            ("client_id", &app.client.id),
            ("post_logout_redirect_uri", GOODBYE),
            ("state", "a b&c"),
            ("ui_locales", "en"),
        ])
        .await;
    assert!(asked.text().contains("Log out?"), "{}", asked.text());
    let out = asked.form("#logout-form").submit().await;
    let back = out.location().unwrap();
    assert_eq!(parameter(&back, "state").as_deref(), Some("a b&c"));
    assert_eq!(back.origin().ascii_serialization(), "https://app.example.jp");
    // An hour later the hint has expired, and nobody is signed in: it still tells whose URI it is.
    app.clock.advance(HOUR);
    let gone = [("id_token_hint", scene.id_token.as_str()), ("post_logout_redirect_uri", GOODBYE)];
    assert_eq!(scene.logout(&gone).await.location().unwrap().as_str(), GOODBYE);
    // A hint that means somebody else is asked about.
    let browser_of = app.signed_in(&HANAKO, HANAKO.password).await;
    let id_token = tokens(app, &browser_of, &app.client, "openid").await.text("id_token").to_owned();
    let sid = part(&id_token, 1)["sid"].as_str().unwrap().to_owned();
    let hinted = async |hint: &str| {
        logout(app, &browser_of, &[("id_token_hint", &id_token), ("logout_hint", hint)]).await
    };
    for other in [ICHIRO.login_id, "nobody@mail.example", "x"] {
        assert_eq!(hinted(other).await.select("#logout-form").len(), 1, "{other}");
    }
    assert!(app.is_signed_in(&browser_of).await);
    let own = [sid.as_str(), HANAKO.login_id, HANAKO.email];
    assert!(hinted(own[1]).await.select("#logout-form").is_empty());
    assert!(!app.is_signed_in(&browser_of).await);
    // POST does the same as GET.
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let body =
        encoded(&[("id_token_hint", id_token.clone()), ("post_logout_redirect_uri", GOODBYE.to_owned())]);
    let out = browser.raw(Method::POST, &app.url("/logout"), &headers, &body).await.follow_here().await;
    assert_eq!(out.location().unwrap().as_str(), GOODBYE);
    scene.app.finish().await;
}

/// A client at `origin` whose page in a frame is told of logouts.
async fn framed_at(app: &TestApp, origin: &str) -> Registered {
    let frontchannel_logout_uri = Some(format!("{origin}/frontchannel?x=1"));
    let required = Metadata { frontchannel_logout_session_required: true, ..metadata(origin) };
    app.register(Metadata { frontchannel_logout_uri, ..required }).await
}

async fn oidcc_frontchannel_rp_initiated_logout(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let one = framed_at(&app, "https://one.example.jp").await;
    let two = framed_at(&app, "https://two.example.jp").await;
    framed_at(&app, "https://unused.example.jp").await;
    let browser = app.activate(&HANAKO).await;
    let id_token = tokens(&app, &browser, &one, "openid").await.text("id_token").to_owned();
    let other = tokens(&app, &browser, &two, "openid").await.text("id_token").to_owned();
    let goodbye = "https://one.example.jp/goodbye";
    let parameters =
        [("id_token_hint", id_token.as_str()), ("post_logout_redirect_uri", goodbye), ("state", "a\"b;'<c")];
    let page = logout(&app, &browser, &parameters).await;
    assert_eq!(page.status, StatusCode::OK);
    let frames: Vec<_> =
        page.select("iframe").iter().map(|frame| frame.attr("src").unwrap().to_owned()).collect();
    let query = |id_token: &str| {
        let sid = part(id_token, 1)["sid"].as_str().unwrap().to_owned();
        encoded(&[("iss", app.url("")), ("sid", sid)])
    };
    assert_eq!(
        frames,
        [
            format!("https://one.example.jp/frontchannel?x=1&{}", query(&id_token)),
            format!("https://two.example.jp/frontchannel?x=1&{}", query(&other))
        ]
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-src https://one.example.jp https://two.example.jp;"), "{policy}");
    // Onward by itself with JavaScript, and by hand without: no page leaves after a time of its own choosing
    // (WCAG 2.2, 2.2.1).
    let onward = format!("{goodbye}?{}", encoded(&[("state", "a\"b;'<c".to_owned())]));
    assert_eq!(page.select("#onward")[0].attr("href"), Some(onward.as_str()));
    assert!(page.select("meta[http-equiv]").is_empty());
    assert!(!app.is_signed_in(&browser).await);
    // A second look has nobody to tell and goes on at once.
    assert_eq!(logout(&app, &browser, &parameters).await.location().unwrap().as_str(), onward);
    // Without a place to go on to, the page stays.
    let browser = app.signed_in(&HANAKO, HANAKO.password).await;
    tokens(&app, &browser, &two, "openid").await;
    let page = super::log_out(&app, &browser).await;
    assert_eq!(page.select("iframe").len(), 1);
    assert!(
        page.select("meta[http-equiv], #onward").is_empty() && page.text().contains("ログアウトしました")
    );
    app.finish().await;
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let (mut app, mut receiver) = start(Backend::Embedded).await;
    let client = told_at(&app, "https://one.example.jp", &receiver.url("/one")).await;
    let browser = app.activate(&HANAKO).await;
    let session = tokens(&app, &browser, &client, "openid").await;
    let goodbye = "https://one.example.jp/goodbye";
    let parameters = [("id_token_hint", session.text("id_token")), ("post_logout_redirect_uri", goodbye)];
    let out = logout(&app, &browser, &parameters).await;
    assert_eq!(out.location().unwrap().as_str(), goodbye);
    super::check_token(&app, &receiver.next().await, &client, session.text("id_token"));
    app.finish().await;
}
