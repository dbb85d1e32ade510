//! The app against the real provider, which runs on a port of its own.

use std::{collections::HashMap, time::Duration};

use axum::{
    body::Body,
    http::header::{LOCATION, SET_COOKIE},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use super::*;
use crate::{
    app::App,
    cli::serve::Running,
    clients::Client,
    clock::Timestamp,
    config::Config,
    members::device::Device,
    oidc::{registration::supported, scope::Scope},
    storage::{consent, db::execute, member},
};

/// 2026-11-23T10:15:00+09:00
const NOW: Timestamp = Timestamp::from_millis(1_795_396_500_000);
const ORIGIN: &str = "http://127.0.0.1:8090";
const HOST_NAME: &str = "127.0.0.1:8090";

/// A provider with one client, the app, and one member.
struct Provider {
    running: Running,
    clock: Clock,
    client_id: String,
    secret: String,
    _folder: TempDir,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config: Config = serde_json::from_value(json!({
            "server": { "issuer": format!("http://{}", listener.local_addr().unwrap()), "drain_seconds": 1 },
            "database": { "url": format!("sqlite://{}?mode=rwc", folder.path().join("idp.db").display()) },
            "keys": { "directory": folder.path().join("keys") },
            "mail": { "host": "localhost", "from": "no-reply@example.jp", "security": "none" },
            "insurers": [{
                "code": "7132", "number": "06139497", "name": "見本健康保険組合",
                "contact": { "name": "事務局" },
            }],
        }))
        .unwrap();
        config.demo = true;
        config.validate().unwrap();
        let (clock, entropy) = (Clock::manual(NOW), Entropy::system());
        let app = App::open(config, clock.clone(), entropy.clone()).await.unwrap();
        let metadata = HealthApp::metadata(&ORIGIN.parse().unwrap());
        metadata.validate(&supported(&app.members.config)).unwrap();
        let (client, secret) =
            Client::create(&app.members.db, &app.members.master, &entropy, NOW, None, metadata)
                .await
                .unwrap();
        let running = Running::start(app, listener).unwrap();
        let provider =
            Self { running, clock, client_id: client.id, secret: secret.unwrap(), _folder: folder };
        provider.add_member().await;
        provider
    }

    async fn add_member(&self) {
        let db = &self.running.app.members.db;
        execute!(
            db,
            "insert into roster_person (id, insurer, identity, category, symbol, number, kana, kana_folded,
                                        birth_date, temporary_since, created_at, updated_at)
             values ('p', '7132', 'p', 'insured', '091', '000001', 'ケンポ ハナコ', 'ケンポハナコ',
                     '1980-01-02', 0, 0, 0)"
        )
        .unwrap();
        execute!(
            db,
            "insert into member (id, insurer, person_id, state, kana, email, email_key, locale,
                                 created_at, updated_at)
             values ('m', '7132', 'p', 'active', 'ケンポ <b>ハナコ', 'h@example.jp', 'h@example.jp', 'ja', 0, 0)"
        )
        .unwrap();
        let scope = Scope::NAMES.join(" ");
        consent::remember(db, "m", &self.client_id, &scope, NOW).await.unwrap();
    }

    fn issuer(&self) -> Url {
        format!("http://{}", self.running.address).parse().unwrap()
    }

    /// The cookie of a browser that is signed in at the provider.
    async fn session(&self) -> String {
        let members = &self.running.app.members;
        let member = member::find(&members.db, "m").await.unwrap().unwrap();
        let documents = members.documents_for(&member.insurer, crate::texts::Locale::Ja).unwrap();
        members.accept_documents(&member, &documents, [true; 2]).await.unwrap();
        format!("kenpos-session={}", members.start_session(&member, Device::default()).await.unwrap())
    }

    fn app(&self) -> Browser {
        Browser::of(&self.issuer(), self.client_id.clone(), self.secret.clone(), self.clock.clone())
    }
}

/// What the provider answers a browser with this cookie: status and where it leads.
async fn ask_provider(url: &str, cookie: &str) -> (u16, String) {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let response = http.get(url).header("cookie", cookie).send().await.unwrap();
    let to = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (response.status().as_u16(), to.unwrap_or_default())
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    to: String,
    body: String,
}

/// A browser in front of the app.
struct Browser {
    app: HealthApp,
    cookie: String,
}

impl Browser {
    fn of(issuer: &Url, client_id: String, secret: String, clock: Clock) -> Self {
        let origin = ORIGIN.parse().unwrap();
        let app = HealthApp::new(issuer.clone(), origin, client_id, secret, clock, Entropy::system());
        Self { app, cookie: String::new() }
    }

    /// A browser in front of an app whose provider does not exist.
    fn alone() -> Self {
        // Port 9 discards what it gets where it is served, and hardly anybody does.
        let issuer = "http://127.0.0.1:9".parse().unwrap();
        Self::of(&issuer, "app".to_owned(), "secret".to_owned(), Clock::manual(NOW))
    }

    /// Begins a login without a provider and gives its state.
    fn begin(&mut self, state: &str) {
        let attempt = relying_party::Attempt::sample(state);
        self.cookie = format!("{COOKIE_NAME}={}", self.app.0.browsers.begin(None, attempt));
    }

    async fn send(&mut self, request: axum::http::request::Builder) -> Answer {
        let request =
            request.header(COOKIE, format!("other=1; {}", self.cookie)).body(Body::empty()).unwrap();
        let (parts, body) = self.app.clone().router().oneshot(request).await.unwrap().into_parts();
        if let Some(set) = parts.headers.get(SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(set.ends_with("; HttpOnly; SameSite=Lax; Path=/"), "{set}");
            set.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let to = parts.headers.get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
        Answer {
            status: parts.status,
            headers: parts.headers,
            to: to.unwrap_or_default(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::builder().uri(path).header(HOST, HOST_NAME)).await
    }

    async fn post(&mut self, path: &str) -> Answer {
        let request = Request::builder().method("POST").uri(path);
        self.send(request.header(HOST, HOST_NAME).header(ORIGIN_HEADER, ORIGIN)).await
    }

    /// A whole login by a browser that is signed in at the provider.
    async fn login(&mut self, session: &str) -> Answer {
        let begun = self.get("/login").await;
        let (status, to) = ask_provider(&begun.to, session).await;
        assert_eq!(status, 303, "{to}");
        self.get(to.strip_prefix(ORIGIN).unwrap()).await
    }
}

const ORIGIN_HEADER: axum::http::HeaderName = super::ORIGIN;

fn query(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn the_provider_accepts_the_request_for_a_login() {
    let provider = Provider::start().await;
    let mut browser = provider.app();
    let answer = browser.get("/login?prompt=login&target_link_uri=https://evil.example").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.to.starts_with(&format!("{}authorize?", provider.issuer())), "{}", answer.to);
    let sent = query(&answer.to);
    assert_eq!(sent["redirect_uri"], format!("{ORIGIN}/callback"));
    assert_eq!(sent["scope"], "openid profile email birthdate membership offline_access");
    assert_eq!((sent["code_challenge_method"].as_str(), sent["prompt"].as_str()), ("S256", "login"));
    assert_eq!((sent["state"].len(), sent["nonce"].len()), (43, 43));
    assert!(!answer.to.contains("evil") && !answer.to.contains(&provider.secret));
    let (status, to) = ask_provider(&answer.to, "").await;
    assert!(status == 303 && to.starts_with("/login/"), "{status} {to}");
    let (status, to) = ask_provider(&browser.get("/login?prompt=create").await.to, "").await;
    assert!(status == 303 && to.starts_with("/registration"), "{status} {to}");
    provider.running.stop().await;
}

#[tokio::test]
async fn a_member_signs_in_refreshes_and_signs_out() {
    let provider = Provider::start().await;
    let session = provider.session().await;
    let mut browser = provider.app();
    browser.get("/login").await;
    let before = browser.cookie.clone();
    let answer = browser.login(&session).await;
    assert_eq!((answer.status, answer.to.as_str()), (StatusCode::SEE_OTHER, "/"), "{}", answer.body);
    assert_ne!(browser.cookie, before, "the ID from before the login lives on");

    let home = browser.get("/").await;
    for shown in [
        "ケンポ &lt;b&gt;ハナコさん",
        "見本健康保険組合 被保険者",
        "name#ja-Kana-JP",
        "1980-01-02",
        "<code>offline_access</code>",
        "<code>at_<wbr>hash</code>",
        "2026-11-23 10:25:00",
    ] {
        assert!(home.body.contains(shown), "{shown} is missing in {}", home.body);
    }
    assert!(!home.body.contains("<b>"));

    provider.clock.advance(Duration::from_secs(3600));
    assert_eq!(browser.post("/refresh").await.status, StatusCode::SEE_OTHER);
    let home = browser.get("/").await;
    assert!(
        home.body.contains("2026-11-23 11:15:00に情報を更新しました。更新トークンは新しい"),
        "{}",
        home.body
    );
    assert!(home.body.contains("2026-11-23 11:25:00"), "{}", home.body);

    let session = provider.session().await;
    browser.login(&session).await;
    let answer = browser.post("/logout").await;
    assert!(answer.to.starts_with(&format!("{}logout?", provider.issuer())), "{}", answer.to);
    assert!(browser.get("/").await.body.contains("href=\"/login\""));
    let (status, to) = ask_provider(&answer.to, &session).await;
    assert_eq!((status, to.as_str()), (303, &*format!("{ORIGIN}/?state=signed-out")));
    assert!(browser.get("/?state=signed-out").await.body.contains("ログアウトしました"));
    provider.running.stop().await;
}

#[tokio::test]
async fn a_login_works_after_the_keys_were_rotated_and_a_dead_grant_signs_out() {
    let provider = Provider::start().await;
    let session = provider.session().await;
    let mut browser = provider.app();
    assert_eq!(browser.login(&session).await.to, "/");
    // The next key was published before it signs; the one after it was not.
    for _ in 0..2 {
        provider.running.app.signing.rotate().await.unwrap();
    }
    assert_eq!(browser.login(&session).await.to, "/");

    let db = &provider.running.app.members.db;
    assert!(consent::withdraw(db, "m", &provider.client_id).await.unwrap());
    assert_eq!(browser.post("/refresh").await.status, StatusCode::UNAUTHORIZED);
    assert!(!browser.get("/").await.body.contains("ハナコ"));
    provider.running.stop().await;
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_asked_again_later() {
    let mut browser = Browser::alone();
    let answer = browser.get("/login").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains("ログイン先につながりません"), "{}", answer.body);

    let provider = Provider::start().await;
    let session = provider.session().await;
    let mut browser = provider.app();
    assert_eq!(browser.login(&session).await.to, "/");
    browser.get("/login").await;
    let address = provider.running.address;
    provider.running.stop().await;
    assert_eq!(browser.post("/refresh").await.status, StatusCode::BAD_GATEWAY);
    assert!(browser.get("/").await.body.contains("ハナコ"), "a provider that is down signs nobody out");
    // Redemption fails, and then the next login knows that it must discover again.
    browser.begin("s");
    let answer = browser.get(&format!("/callback?code=c&state=s&iss=http://{address}")).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.body);
    assert_eq!(browser.get("/login").await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_callback_that_this_browser_did_not_ask_for_is_refused() {
    let iss = "iss=http://127.0.0.1:9";
    let mut browser = Browser::alone();
    let answer = browser.get(&format!("/callback?code=c&state=s&{iss}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "no cookie");
    browser.cookie = format!("{COOKIE_NAME}=unknown");
    assert_eq!(browser.get(&format!("/callback?code=c&state=s&{iss}")).await.status, StatusCode::BAD_REQUEST);
    browser.begin("s");
    for query in [
        format!("code=c&state=other&{iss}"),
        format!("code=c&{iss}"),
        format!("code=c&state=s&state=s&{iss}"),
    ] {
        assert_eq!(
            browser.get(&format!("/callback?{query}")).await.status,
            StatusCode::BAD_REQUEST,
            "{query}"
        );
    }
    let answer = browser.get(&format!("/callback?code=c&state=s&{iss}")).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "the right state is not taken");
    let answer = browser.get(&format!("/callback?code=c&state=s&{iss}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "the state is taken twice");
}

#[tokio::test]
async fn a_response_of_another_issuer_is_refused() {
    let mut browser = Browser::alone();
    for iss in ["", "&iss=", "&iss=http://127.0.0.1:9/", "&iss=https://evil.example"] {
        for answer in ["code=c", "error=access_denied"] {
            browser.begin("s");
            let answer = browser.get(&format!("/callback?{answer}&state=s{iss}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{iss}");
            assert!(answer.body.contains("別のログイン先"), "{}", answer.body);
        }
    }
    let answer = browser.get("/login?iss=https://evil.example/%3Cb%3E").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("https://evil.example/&lt;b&gt;"), "{}", answer.body);
    let own = browser.get("/login?iss=http://127.0.0.1:9").await;
    assert_eq!(own.status, StatusCode::BAD_GATEWAY, "the provider's own name is not taken");
}

#[tokio::test]
async fn a_refusal_has_a_friendly_page_without_markup_of_others() {
    let mut browser = Browser::alone();
    for (error, status, text) in [
        ("access_denied", StatusCode::OK, "ログインを取りやめました"),
        ("temporarily_unavailable", StatusCode::BAD_GATEWAY, "いま使えません"),
        ("invalid_scope", StatusCode::BAD_REQUEST, "ログインできませんでした"),
    ] {
        browser.begin("s");
        let query = format!("error={error}&error_description=%3Cscript%3E&state=s&iss=http://127.0.0.1:9");
        let answer = browser.get(&format!("/callback?{query}")).await;
        assert_eq!(answer.status, status);
        assert!(answer.body.contains(text) && answer.body.contains("&lt;script&gt;"), "{}", answer.body);
        assert!(!answer.body.contains("<script"));
    }
}

#[tokio::test]
async fn only_the_app_s_own_pages_may_post_and_only_its_own_name_is_answered() {
    let mut browser = Browser::alone();
    for origin in ["http://127.0.0.1:8080", "http://127.0.0.1:8090.evil.example", "null", ""] {
        let request = Request::builder().method("POST").uri("/logout").header(HOST, HOST_NAME);
        let answer = browser.send(request.header(ORIGIN_HEADER, origin)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let request = Request::builder().method("POST").uri("/logout").header(HOST, HOST_NAME);
    assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN, "no Origin");
    for path in ["/logout", "/refresh"] {
        assert_eq!(browser.post(path).await.to, "/", "nobody is signed in");
        assert_eq!(browser.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    for host in ["evil.example:8090", "127.0.0.1", "127.0.0.1:8090@evil.example", ""] {
        let answer = browser.send(Request::builder().uri("/").header(HOST, host)).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[tokio::test]
async fn every_answer_is_hardened_and_loads_nothing_from_elsewhere() {
    let mut browser = Browser::alone();
    for path in ["/", "/login", "/callback", "/nowhere", "/health_app.css", "/icon.svg"] {
        let answer = browser.get(path).await;
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("form-action 'self' http://127.0.0.1:9;"), "{policy}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        let body = answer.body.replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1:9/", "");
        for outside in ["src=\"http", "href=\"http", "url(", "@import", "style=\"", "<script"] {
            assert!(!body.contains(outside), "{outside} in {path}");
        }
    }
}

/// The pages by name, the member's claims made up.
fn pictures() -> [(&'static str, String); 4] {
    let member = SignedIn::sample(&json!({
        "sub": "3yAVSBAQKjCAEYvmPlSUVQ", "name": "ケンポ <b>ハナコ", "name#ja-Kana-JP": "ケンポ ハナコ",
        "email": "hanako.with.a.long.name@mail.example.jp", "email_verified": true, "birthdate": "1980-01-02",
        "insurer_code": "7132", "insurer_name": "見本健康保険組合", "member_category": "insured",
        "updated_at": 1_795_396_500, "identity_assurance": 0, "amr": ["pwd", "<b>"], "<b>": { "a": "<b>" },
    }));
    let mut nameless = member.clone();
    nameless.userinfo.clear();
    let detail = "the provider cannot be used: Request failed: <b>";
    let (ja, en) =
        ("ログイン先につながりません", "The provider does not answer. Please try again a little later.");
    [
        ("welcome", pages::welcome(true)),
        ("member", pages::member(&member)),
        ("nameless", pages::member(&nameless)),
        ("problem", pages::problem(ja, en, Some(detail))),
    ]
}

#[test]
fn nothing_of_others_becomes_markup() {
    for (name, html) in pictures() {
        assert!(!html.contains("<b>"), "{name}: {html}");
        assert_eq!(html.contains("&lt;b&gt;"), name != "welcome", "{name}: {html}");
    }
}

/// `cargo test --lib health_app -- --ignored` writes the pages to `target/gallery`, to be looked at.
#[test]
#[ignore = "writes files for a person to look at"]
fn write_the_pages() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, html) in pictures() {
        let html = html.replace("=\"/health_app.css", "=\"health_app.css").replace("=\"/icon", "=\"icon");
        std::fs::write(folder.join(format!("health_app-{name}.html")), html).unwrap();
    }
    std::fs::write(folder.join("health_app.css"), include_str!("../health_app.css")).unwrap();
    std::fs::write(folder.join("icon.svg"), include_str!("../health_app.svg")).unwrap();
}
