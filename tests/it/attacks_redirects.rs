//! Attacks on where the provider sends a browser: whatever a request says, only a registered redirect URI is
//! ever led to, and everything else ends on a page of the provider itself.

use reqwest::{Method, StatusCode, header::LOCATION};

use crate::support::{
    app::{Backend, CLIENT, TestApp, metadata, on_both_backends},
    attack::{encoded, good_request, parameter, with},
    http_browser::{HttpBrowser, Page},
    journey::{log_in, set_out},
    members::HANAKO,
    relying_party::Ask,
};

on_both_backends! {
    a_bad_client_is_never_redirected_for
    what_is_parked_cannot_be_changed_on_the_way
}

/// What stands for `https://app.example.jp/callback` in none of them.
const HOSTILE_REDIRECT_URIS: &[&str] = &[
    "https://app.example.jp@evil.example/callback",
    "https://a@b@evil.example/callback",
    "https://app.example.jp%40evil.example/callback",
    "https://user:password@app.example.jp/callback",
    "https://@app.example.jp/callback",
    "https://app.example.jp/..;/callback",
    "https://app.example.jp/evil/../callback",
    "https://app.example.jp/%2e%2e/callback",
    "https://app.example.jp/callback/%2e%2e/evil",
    "https://app.example.jp/callback/",
    "https://app.example.jp/Callback",
    "https://APP.example.jp/callback",
    "HTTPS://app.example.jp/callback",
    "https://app.example.jp\\callback",
    "https:\\\\app.example.jp\\callback",
    "https://evil.example\\@app.example.jp/callback",
    "https://app.example.jp/callback#fragment",
    "https://app.example.jp/callback#",
    "https://app.example.jp/callback?",
    "https://app.example.jp/callback?next=evil",
    "https://app.example.jp:443/callback",
    "https://app.example.jp:8443/callback",
    "https://app.example.jp./callback",
    "https://app.example.jp.evil.example/callback",
    "https://evil-app.example.jp/callback",
    "https://аpp.example.jp/callback",
    "https://ａｐｐ.example.jp/callback",
    "https://xn--pp-6kc.example.jp/callback",
    "https://app.example.jp/cаllback",
    "http://app.example.jp/callback",
    "//app.example.jp/callback",
    "/callback",
    "javascript:alert(1)",
    "javascript://app.example.jp/callback%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    " https://app.example.jp/callback",
    "https://app.example.jp/callback ",
    "https://app.example.jp/callback\r\nLocation: https://evil.example/",
    "https://app.example.jp/callback\0",
    "https://app.example.jp/call\tback",
    "*",
    "https://*.example.jp/callback",
    "null",
    "",
];

/// Asks as a browser does, in this language.
async fn ask(browser: &HttpBrowser, app: &TestApp, method: Method, query: &str, language: &str) -> Page {
    let headers = [("Accept", "text/html"), ("Accept-Language", language)];
    if method == Method::GET {
        return browser.raw(method, &app.url(&format!("/authorize?{query}")), &headers, "").await;
    }
    let form = [headers[0], headers[1], ("Content-Type", "application/x-www-form-urlencoded")];
    browser.raw(method, &app.url("/authorize"), &form, query).await
}

/// A page of the provider, from which nothing leads elsewhere.
fn assert_page_of_ours(page: &Page, what: &str) {
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{what}: {}", page.text());
    for header in ["location", "refresh"] {
        assert!(!page.headers.contains_key(header), "{what} leads to {:?}", page.headers[header]);
    }
    assert!(page.select("form, meta[http-equiv], iframe").is_empty(), "{what}: {}", page.body);
    for link in page.select("a[href]") {
        let href = link.attr("href").unwrap();
        let inside = page.url.join(href).unwrap();
        let harmless = inside.origin() == page.url.origin() || inside.scheme() == "tel";
        assert!(harmless, "{what} links to {href}");
    }
}

#[tokio::test]
async fn a_hostile_redirect_uri_is_never_redirected_to() {
    let mut app = TestApp::start(Backend::Embedded).await;
    // Signed in and agreed: a good request would be answered at once.
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid").await;
    let texts = [("ja", "手続きを続けられません"), ("en", "This cannot go on")];
    let mut turn = 0;
    for uri in HOSTILE_REDIRECT_URIS {
        for mode in [None, Some("query"), Some("form_post"), Some("fragment")] {
            let mut request = with(good_request(&app.client, "openid"), "redirect_uri", uri);
            if let Some(mode) = mode {
                request.push(("response_mode", mode.to_owned()));
            }
            if turn % 3 == 0 {
                request.push(("prompt", "none".to_owned()));
            }
            let method = if turn % 2 == 0 { Method::GET } else { Method::POST };
            let (language, title) = texts[turn / 2 % 2];
            let what = format!("{method} {uri:?} with {mode:?} in {language}");
            let page = ask(&browser, &app, method, &encoded(&request), language).await;
            assert_page_of_ours(&page, &what);
            assert_eq!(page.select("h1")[0].text, title, "{what}");
            assert!(page.text().contains("redirect_uri"), "{what}: {}", page.text());
            turn += 1;
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_no_choice_for_the_attacker() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid").await;
    let good = encoded(&good_request(&app.client, "openid"));
    let evil = "redirect_uri=https%3A%2F%2Fevil.example%2Fcallback";
    let long = "x".repeat(5000);
    for query in [
        format!("{good}&{evil}"),
        format!("{evil}&{good}"),
        format!("{good}&redirect_uri=https%3A%2F%2Fapp.example.jp%2Fcallback"),
        format!("{good}&redirect_uri="),
        format!("{good}&redirect_uri={long}"),
        // The first parameter to come twice is not the only one.
        format!("state=1&state=2&{good}&{evil}"),
        format!("x=1&x=2&{evil}&{good}"),
        format!("x={long}&redirect_uri={long}&{good}"),
        format!("{good}&client_id=another"),
        format!("x=1&x=2&{good}&client_id=another"),
        format!("client_id=&{good}"),
    ] {
        for mode in ["", "&response_mode=form_post"] {
            let page = ask(&browser, &app, Method::GET, &format!("{query}{mode}"), "ja").await;
            assert_page_of_ours(&page, &query);
        }
    }
    for name in ["scope", "state", "nonce", "response_type", "code_challenge", "prompt", "unheard_of"] {
        let query = format!("{good}&{name}=1&{name}=2");
        let page = ask(&browser, &app, Method::GET, &query, "ja").await;
        let callback = page.location().unwrap_or_else(|| panic!("{name}: {}", page.text()));
        assert!(callback.as_str().starts_with("https://app.example.jp/callback?"), "{callback}");
        assert_eq!(parameter(&callback, "error").as_deref(), Some("invalid_request"), "{name}");
        assert_eq!(parameter(&callback, "code"), None, "{name}");
    }
    app.finish().await;
}

async fn a_bad_client_is_never_redirected_for(backend: Backend) {
    let app = TestApp::start(backend).await;
    let disabled = app.register(metadata("https://gone.example.jp")).await;
    app.sql(&format!("update client set disabled_at = 1 where id = '{}'", disabled.id)).await;
    let browser = app.http_browser();
    let long = "a".repeat(3000);
    let upper = app.client.id.to_uppercase() + "X";
    for id in
        ["", "unknown", "' or 1=1 --", "a\0b", "\u{feff}", "日本語", "../..", &long, &upper, &disabled.id]
    {
        for mode in ["query", "form_post", "web_message"] {
            for uri in ["https://evil.example/", "https://gone.example.jp/callback", "javascript:alert(1)"] {
                let request = with(good_request(&app.client, "openid"), "client_id", id);
                let request = with(with(request, "redirect_uri", uri), "response_mode", mode);
                let page = ask(&browser, &app, Method::GET, &encoded(&request), "en").await;
                assert_page_of_ours(&page, id);
                assert!(page.text().contains("client_id"), "{id:?}: {}", page.text());
            }
        }
    }
    // Of two requests, the one that is good only with the other's client is bad.
    let other = app.register(metadata("https://other.example.jp")).await;
    let request = with(good_request(&app.client, "openid"), "client_id", &other.id);
    assert_page_of_ours(&ask(&browser, &app, Method::GET, &encoded(&request), "ja").await, "another's URI");
    app.finish().await;
}

async fn what_is_parked_cannot_be_changed_on_the_way(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(&["email"]));
    let login = set_out(&browser, &attempt).await;
    let id = login.url.path_segments().unwrap().next_back().unwrap().to_owned();
    let hostile = encoded(&[
        ("redirect_uri", "https://other.example.jp/callback".to_owned()),
        ("client_id", other.id.clone()),
        ("scope", "openid insured_number birthdate offline_access".to_owned()),
        ("state", "forced".to_owned()),
        ("response_mode", "form_post".to_owned()),
        ("prompt", "none".to_owned()),
        ("nonce", "forced".to_owned()),
    ]);
    let resumed = browser.get(&app.url(&format!("/authorize/{id}?{hostile}"))).await;
    assert_eq!(resumed.location().unwrap().path(), format!("/login/{id}"), "still to sign in");
    let consent = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert!(consent.url.path().starts_with("/consent/"), "{}", consent.text());
    let resumed = browser.get(&app.url(&format!("/authorize/{id}?{hostile}"))).await.follow_here().await;
    assert_eq!(resumed.select(".scopes h2").len(), 2, "openid and email: {}", resumed.text());
    assert!(resumed.text().contains(CLIENT));
    let form = resumed.form("#consent-form");
    let own = ["csrf", "session"].map(|name| (name, form.value(name).unwrap().to_owned()));
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    let url = app.url(&format!("/consent/{id}?{hostile}"));
    let body = format!("{}&decision=allow&{hostile}", encoded(&own));
    let back = browser.raw(Method::POST, &url, &headers, &body).await;
    let tokens = rp.finish(attempt, &back.location().expect("a callback")).await;
    assert_eq!(tokens.scopes, ["openid", "email"]);
    assert_eq!(tokens.claims["aud"], app.client.id.as_str());
    let consents = format!("select count(*) from consent where client_id = '{}'", other.id);
    assert_eq!(app.number(&consents).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn huge_scopes_and_states_are_kept_whole_or_refused() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    app.code(&browser, &app.client, "openid email").await;
    let unknown: String = (0..).map(|n| format!("x{n} ")).take(600).collect();
    for (scope, error) in [
        (format!("openid {unknown}email openid"), None),
        (format!("openid {}", "email ".repeat(600)), None),
        (format!("openid {}", unknown.repeat(2)), Some("invalid_request")),
        (unknown, Some("invalid_scope")),
    ] {
        let page = browser.get(&app.authorize_url(&good_request(&app.client, &scope))).await;
        let callback = page.location().unwrap_or_else(|| panic!("{}", page.text()));
        assert_eq!(parameter(&callback, "error").as_deref(), error, "{} bytes", scope.len());
        let Some(code) = parameter(&callback, "code") else { continue };
        assert_eq!(app.redeem(&app.client, &code).await.text("scope"), "openid email");
    }
    let awkward = "\"><script>alert(1)</script>\r\nSet-Cookie: a=b\0&code=x#y 漢字🌸%00";
    for state in ["s".repeat(4096), awkward.to_owned()] {
        let request = with(good_request(&app.client, "openid"), "state", &state);
        let page = browser.get(&app.authorize_url(&request)).await;
        let callback = page.location().unwrap();
        assert_eq!(parameter(&callback, "state").as_deref(), Some(state.as_str()));
        assert!(!page.headers.contains_key("set-cookie"));
        let posted = browser.get(&app.authorize_url(&with(request, "response_mode", "form_post"))).await;
        let fields = posted.select("#form-post input[name=state]");
        // The HTML parser itself replaces NUL and joins line ends.
        let seen = |text: &str| text.replace("\r\n", "\n").replace('\0', "\u{fffd}");
        assert_eq!(fields.iter().map(|f| seen(f.attr("value").unwrap())).collect::<Vec<_>>(), [seen(&state)]);
        assert!(posted.select("script:not([src])").is_empty());
    }
    let request = with(good_request(&app.client, "openid"), "state", &"s".repeat(4097));
    let refused = browser.get(&app.authorize_url(&request)).await;
    let callback = refused.location().unwrap();
    assert_eq!(parameter(&callback, "error").as_deref(), Some("invalid_request"));
    assert_eq!(parameter(&callback, "state"), None);
    assert!(refused.headers[LOCATION].len() < 1000);
    app.finish().await;
}

/// A developer who tries a request without a browser reads what is wrong with it.
#[tokio::test]
async fn a_program_is_told_what_the_page_would_say() {
    let app = TestApp::start(Backend::Embedded).await;
    let request = with(good_request(&app.client, "openid"), "redirect_uri", "https://evil.example/");
    let refused = app.json(Method::GET, &app.authorize_url(&request), None, &serde_json::Value::Null).await;
    assert_eq!((refused.status, refused.error()), (StatusCode::BAD_REQUEST, "invalid_request"));
    let told = refused.text("error_description");
    assert!(told.contains("redirect_uri is not the registered one"), "{told}");
    assert_eq!(refused.text("reference").len(), 16);
    app.finish().await;
}
