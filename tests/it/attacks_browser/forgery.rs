//! Requests that another site makes a member's browser send, and pages that it would like to frame.

use std::collections::BTreeSet;

use kenpos_idp::clients::{GrantType, Metadata};
use reqwest::{Method, StatusCode};

use super::{interaction, routes};
use crate::support::{
    app::{Backend, TestApp, metadata},
    attack::{encoded, good_request, with},
    http_browser::{HttpBrowser, Page},
    journey::{
        accept_documents, complete, confirm, give_details, give_login_id, give_password, log_in, set_out,
    },
    members::{HANAKO, ICHIRO},
    relying_party::Ask,
};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const HTML: (&str, &str) = ("Accept", "text/html");

/// Forges the form `css` of a page, with the fields that would do the deed, and sees that nothing happens.
pub async fn forge(app: &TestApp, browser: &HttpBrowser, page: &Page, css: &str, fields: &[(&str, &str)]) {
    assert_guarded(page);
    let form = page.form(css);
    let url = page.url.join(page.select(css)[0].attr("action").unwrap()).unwrap();
    let csrf = form.value("csrf").expect("a token in every form").to_owned();
    let kept = ["privacy_shown", "terms_shown", "session", "who", "client", "client_id", "version", "seen"];
    let kept = kept.into_iter().filter_map(|name| Some((name, form.value(name)?.to_owned())));
    let mut honest: Vec<_> = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    honest.extend(kept);
    let foreign = HttpBrowser::new().get(&app.url("/login")).await.follow_here().await;
    let foreign = foreign.form("#login-id-form").value("csrf").unwrap().to_owned();
    let with_token = |token: &str| encoded(&with(honest.clone(), "csrf", token));
    let doubled = format!("csrf={foreign}&{}", with_token(&csrf));
    let beside = format!("https://{}.evil.example", url.host_str().unwrap());
    let right = with_token(&csrf);
    let before = app.stored().await;
    let attacks: Vec<(&str, String, Vec<(&str, &str)>)> = vec![
        ("no token", encoded(&honest), vec![FORM, HTML]),
        ("an empty token", with_token(""), vec![FORM, HTML]),
        ("another browser's token", with_token(&foreign), vec![FORM, HTML]),
        ("a token that was cut", with_token(&csrf[..42]), vec![FORM, HTML]),
        ("two tokens", doubled, vec![FORM, HTML]),
        ("a foreign origin", right.clone(), vec![FORM, HTML, ("Origin", "https://evil.example")]),
        ("an origin beside", right.clone(), vec![FORM, HTML, ("Origin", &beside)]),
        ("a null origin", right.clone(), vec![FORM, HTML, ("Origin", "null")]),
        ("cross-site", right.clone(), vec![FORM, HTML, ("Sec-Fetch-Site", "cross-site")]),
        ("same-site", right.clone(), vec![FORM, HTML, ("Sec-Fetch-Site", "same-site")]),
        ("no page at all", right.clone(), vec![FORM, HTML, ("Sec-Fetch-Site", "none")]),
        ("text/plain", right.clone(), vec![("Content-Type", "text/plain"), HTML]),
        ("multipart", right.clone(), vec![("Content-Type", "multipart/form-data; boundary=x"), HTML]),
        ("no type", right, vec![HTML]),
    ];
    for (what, body, headers) in attacks {
        let answer = browser.raw(Method::POST, url.as_str(), &headers, &body).await;
        let expected = match (url.path(), headers[0] == FORM) {
            (_, false) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            // Relying parties may post to this one, so it asks instead.
            ("/logout", true) => StatusCode::OK,
            _ => StatusCode::FORBIDDEN,
        };
        assert_eq!(answer.status, expected, "{what} at {}: {}", url.path(), answer.text());
        assert_guarded(&answer);
    }
    assert_eq!(app.stored().await, before, "something happened at {}", url.path());
}

/// The forms of the member's own account, each from its page.
async fn forge_account(app: &TestApp, browser: &HttpBrowser, note: &mut impl FnMut(&'static str) -> bool) {
    // Another device to end, a request to take back, and a link to open.
    let elsewhere = app.http_browser();
    let login = elsewhere.get(&app.url("/login")).await.follow_here().await;
    log_in(&login, HANAKO.login_id, HANAKO.password).await;
    let password = ("password", HANAKO.password);
    let new = ("new_password", "しろくまと海辺で7回踊る");
    let email = ("email", "new@mail.example");
    let forms: [(&'static str, &str, &[(&str, &str)]); 9] = [
        ("/account/profile", "#language-form", &[("language", "en")]),
        ("/account/profile/more", "#more-form", &[("nickname", "evil")]),
        ("/account/password", "#password-form", &[password, new]),
        ("/account/email", "#email-form", &[password, email]),
        ("/account/preferences", "#preferences-form", &[("topics", "checkup")]),
        ("/account/sessions", "#end-form-2", &[]),
        ("/account/apps", "#withdraw-form-1", &[]),
        ("/account/report", "#report-form", &[password]),
        ("/account/deletion", "#deletion-form", &[password]),
    ];
    for (path, css, fields) in forms {
        note(path);
        forge(app, browser, &browser.get(&app.url(path)).await, css, fields).await;
    }
    note("/account/sessions/others");
    forge(app, browser, &browser.get(&app.url("/account/sessions")).await, "#others-form", &[]).await;
    let deletion = browser.get(&app.url("/account/deletion")).await;
    let deletion = deletion.form("#deletion-form").set("password", HANAKO.password).submit().await;
    note("/account/deletion/withdraw");
    forge(app, browser, &deletion.follow_here().await, "#withdraw-form", &[]).await;
    let page = browser.get(&app.url("/account/email")).await;
    page.form("#email-form").set(email.0, email.1).set(password.0, password.1).submit().await;
}

/// The code of a device, and what the member says to it.
async fn forge_device(app: &TestApp, browser: &HttpBrowser, note: &mut impl FnMut(&'static str) -> bool) {
    let mut metadata = metadata("https://tv.example.jp");
    metadata.grant_types.0.push(GrantType::DeviceCode);
    let tv = app.register(metadata).await;
    let device = app.call("/device_authorization", &tv, &[], &[("scope", "openid")]).await;
    let device: serde_json::Value = serde_json::from_str(&device.body).unwrap();
    let code = ("user_code", device["user_code"].as_str().unwrap());
    note("/device");
    let page = browser.get(&app.url("/device")).await;
    forge(app, browser, &page, "#device-form", &[code]).await;
    let page = page.form("#device-form").set(code.0, code.1).submit().await.follow_here().await;
    note("/device/{id}");
    forge(app, browser, &page, "#device-confirm-form", &[("decision", "allow")]).await;
}

/// The forms of those who forgot something, and those behind their links.
async fn forge_recovery(
    app: &mut TestApp,
    browser: &HttpBrowser,
    note: &mut impl FnMut(&'static str) -> bool,
) {
    let born = ("birth_date", HANAKO.born);
    note("/recovery/login-id");
    let page = browser.get(&app.url("/recovery/login-id")).await;
    forge(app, browser, &page, "#forgot-login-id-form", &[("email", HANAKO.email), born]).await;
    note("/recovery/password");
    let page = browser.get(&app.url("/recovery/password")).await;
    forge(app, browser, &page, "#forgot-password-form", &[("login_id", HANAKO.login_id), born]).await;
    app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    note("/recovery/login-id/link/{token}");
    forge(app, browser, &browser.get(link.as_str()).await, "#reveal-form", &[born]).await;
    let link = app.password_link(&HANAKO).await;
    note("/recovery/password/link/{token}");
    let new = ("password", "しろくまと海辺で7回踊る");
    forge(app, browser, &browser.get(link.as_str()).await, "#renew-form", &[new]).await;
}

/// The forms of those whose documents or login ID changed, and of those in whose name somebody registers.
async fn forge_changes(
    app: &mut TestApp,
    browser: &HttpBrowser,
    note: &mut impl FnMut(&'static str) -> bool,
) {
    app.sql("update receipt set version = 'older'").await;
    note("/documents/{interaction}");
    let page =
        browser.get(&app.authorize_url(&good_request(&app.client, "openid"))).await.follow_here().await;
    forge(app, browser, &page, "#documents-form", &[("privacy", "on"), ("terms", "on")]).await;
    accept_documents(&page).await;
    app.mark_bounced(HANAKO.email).await;
    note("/login/{interaction}/email");
    let elsewhere = app.http_browser();
    let login =
        elsewhere.get(&app.authorize_url(&good_request(&app.client, "openid"))).await.follow_here().await;
    let page = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    forge(app, &elsewhere, &page, "#otherwise-form", &[("choice", "right")]).await;
    page.form("#otherwise-form").click("choice", "right").submit().await;
    app.sql("update roster_person set former_login = 'email' where number = '200001'").await;
    note("/login/{interaction}/new-login-id");
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let page = log_in(&login, HANAKO.email, HANAKO.password).await;
    forge(app, browser, &page, "#new-login-id-form", &[("choice", "take")]).await;
    page.form("#new-login-id-form").click("choice", "later").submit().await;
    app.sql("update roster_person set email = 'known@mail.example' where number = '004567'").await;
    note("/registration/report/{token}");
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    log_in(&login, ICHIRO.login_id, ICHIRO.born).await;
    let link = app.mailbox.next_link("known@mail.example").await;
    forge(app, browser, &browser.get(link.as_str()).await, "#not-mine-form", &[]).await;
}

/// The forms that there are where several insurers are.
async fn forge_insurers(note: &mut impl FnMut(&'static str) -> bool) {
    let mut app = TestApp::of_two(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    note("/login/{interaction}/insurer");
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let choice = login.click("#choose-insurer").await;
    forge(&app, &browser, &choice, "#insurer-form", &[("insurer", "8001")]).await;
    note("/login/{interaction}/members-only");
    let only = Metadata { insurer: Some("8001".to_owned()), ..metadata("https://momiji-app.example.jp") };
    let client = app.register(only).await;
    let request = good_request(&client, "openid");
    let page = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    forge(&app, &browser, &page, "#members-only-form", &[("choice", "back")]).await;
    app.finish().await;
}

/// No frame, no foreign or inline script, no cache, and cookies out of the reach of scripts.
pub fn assert_guarded(page: &Page) {
    let at = page.url.path();
    let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let policy = header("content-security-policy");
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(directive), "{at}: {policy}");
    }
    for loose in ["unsafe", "*", "data:", "blob:", "evil"] {
        assert!(!policy.contains(loose), "{at}: {policy}");
    }
    assert_eq!(header("x-frame-options"), "DENY", "{at}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{at}");
    assert_eq!(header("cache-control"), "no-store", "{at}");
    assert!(["same-origin", "no-referrer"].contains(&header("referrer-policy")), "{at}");
    let inline =
        "script:not([src]), style, [style], iframe, object, embed, base, [onclick], [onerror], [onload]";
    assert!(page.select(inline).is_empty(), "{at}: {}", page.body);
    for script in page.select("script[src]") {
        assert!(script.attr("src").unwrap().starts_with("/assets/"), "{at}");
    }
    for cookie in page.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap().to_ascii_lowercase();
        // The browser state of Session Management 1.0 is for a script of ours in other sites' frames.
        let state = cookie.starts_with("kenpos-state=");
        let attributes = if state {
            ["; secure", "; samesite=none", "; path=/"]
        } else {
            ["; httponly", "; samesite=lax", "; path=/"]
        };
        for attribute in attributes {
            assert!(cookie.contains(attribute), "{at}: {cookie}");
        }
        assert!(!cookie.contains("domain="), "{at}: {cookie}");
    }
}

#[tokio::test]
async fn no_form_of_ours_can_be_sent_by_another_site() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();
    let mut forged = BTreeSet::new();
    let mut note = |path: &'static str| forged.insert(path);

    let attempt = rp.begin(&Ask::scopes(&["email"]));
    let login = set_out(&browser, &attempt).await;
    let id = interaction(&login);
    note("/login/{interaction}");
    forge(&app, &browser, &login, "#login-id-form", &[("login_id", HANAKO.login_id)]).await;
    note("/login/{interaction}/cancel");
    forge(&app, &browser, &login, "#cancel-form", &[("decision", "cancel")]).await;
    note("/login/{interaction}/number");
    let number = login.click("#by-number").await;
    let action = format!("form[action$='{id}/number']");
    forge(&app, &browser, &number, &action, &[("symbol", "91"), ("number", "200001")]).await;
    let password = give_login_id(&login, HANAKO.login_id).await;
    note("/login/{interaction}/password");
    forge(&app, &browser, &password, "#password-form", &[("password", HANAKO.born)]).await;
    note("/registration/{interaction}/eligibility");
    let eligibility = login.click("#register").await.click("#to-eligibility").await;
    let fields =
        [("symbol", "91"), ("number", "200001"), ("kana", "タケダ ケンタ"), ("birth_date", "19990101")];
    forge(&app, &browser, &eligibility, "#eligibility-form", &fields).await;
    let documents = give_password(&password, HANAKO.born).await;
    note("/registration/{interaction}/documents");
    forge(&app, &browser, &documents, "#documents-form", &[("privacy", "on"), ("terms", "on")]).await;
    let details = accept_documents(&documents).await;
    note("/registration/{interaction}/details");
    let fields = [("kana", HANAKO.kana), ("password", HANAKO.password), ("email", "evil@mail.example")];
    forge(&app, &browser, &details, "#details-form", &fields).await;
    let check = give_details(&details, &HANAKO).await;
    note("/registration/{interaction}/confirm");
    forge(&app, &browser, &check, "#confirm-form", &[]).await;
    let sent = confirm(&check).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    note("/registration/{interaction}/resend");
    forge(&app, &browser, &sent, "#resend-form", &[]).await;
    note("/registration/link/{token}");
    let mailed = browser.get(link.as_str()).await;
    forge(&app, &browser, &mailed, "#link-form", &[("password", HANAKO.password)]).await;
    // The link is opened elsewhere, so this browser goes on from its own page.
    complete(&app.http_browser(), &link, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    let done = sent.click("#completed").await;
    note("/registration/{interaction}/done");
    forge(&app, &browser, &done, "#done-form", &[]).await;
    let consent = done.form("#done-form").submit().await.follow_here().await;
    note("/consent/{interaction}");
    forge(&app, &browser, &consent, "#consent-form", &[("decision", "allow")]).await;
    consent.form("#consent-form").click("decision", "allow").submit().await;
    let request = with(good_request(&app.client, "openid"), "prompt", "select_account");
    let choice = browser.get(&app.authorize_url(&request)).await.follow_here().await;
    note("/login/{interaction}/account");
    forge(&app, &browser, &choice, "#account-form", &[("choice", "continue")]).await;
    forge_device(&app, &browser, &mut note).await;
    forge_account(&app, &browser, &mut note).await;
    app.mailbox.next(HANAKO.email).await;
    let link = app.mailbox.next_link("new@mail.example").await;
    note("/account/email/link/{token}");
    let mailed = browser.get(link.as_str()).await;
    forge(&app, &browser, &mailed, "#link-form", &[("password", HANAKO.password)]).await;
    forge_recovery(&mut app, &browser, &mut note).await;
    forge_changes(&mut app, &browser, &mut note).await;
    forge_insurers(&mut note).await;
    note("/logout");
    let account = browser.get(&app.url("/account")).await;
    forge(&app, &browser, &account, "#logout-form", &[]).await;

    // These are for programs, and no cookie lets them do anything that it should not.
    let programs = BTreeSet::from([
        "/authorize",
        "/par",
        "/register",
        "/token",
        "/userinfo",
        "/introspect",
        "/revoke",
        "/device_authorization",
    ]);
    let all: BTreeSet<_> = routes("post").difference(&programs).copied().collect();
    // The console's stand in console.rs.
    let all: BTreeSet<_> = all.into_iter().filter(|path| !path.starts_with("/admin")).collect();
    assert_eq!(forged, all, "every form of src/routes.rs is forged here");
    assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK, "still signed in");
    app.finish().await;
}

#[tokio::test]
async fn no_page_can_be_framed_and_none_is_kept() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    // The last is made to be framed, and tests/it/story_logout/browser.rs looks at it.
    let files = ["/assets/{*path}", "/favicon.ico", "/jwks", "/session/check"];
    let discovery = |path: &str| path.starts_with("/.well-known/");
    for path in routes("get").into_iter().filter(|path| !files.contains(path) && !discovery(path)) {
        let unknown =
            path.replace("{interaction}", "q7Zk3vX0aJm2Yt8RbLwN1g").replace("{token}", &"A".repeat(43));
        for browser in [&browser, &app.http_browser()] {
            assert_guarded(&browser.get(&app.url(&unknown)).await);
        }
    }
    for path in ["/nowhere", "/login/%FF/password", "/registration?i=%FF", "/assets/../Cargo.toml"] {
        assert_guarded(&browser.get(&app.url(path)).await);
    }
    let rp = app.relying_party().await;
    let consent = set_out(&browser, &rp.begin(&Ask::default())).await;
    assert_eq!(consent.select("#consent-form").len(), 1);
    assert_guarded(&consent);
    consent.form("#consent-form").click("decision", "allow").submit().await;
    let request = with(good_request(&app.client, "openid"), "response_mode", "form_post");
    assert_guarded(&browser.get(&app.authorize_url(&request)).await);
    app.finish().await;
}

#[tokio::test]
async fn nobody_is_signed_out_or_sent_away_by_another_site() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let browser = app.activate(&HANAKO).await;
    let other = app.register(metadata("https://other.example.jp")).await;
    let code = app.code(&browser, &app.client, "openid").await;
    let own_hint = app.redeem(&app.client, &code).await.text("id_token").to_owned();
    // A genuine hint of somebody else's session must not end this one.
    let ichiro = app.activate(&ICHIRO).await;
    let code = app.code(&ichiro, &app.client, "openid").await;
    let foreign_hint = app.redeem(&app.client, &code).await.text("id_token").to_owned();
    let goodbye = "https://app.example.jp/goodbye";
    let stay: [&[(&str, &str)]; 6] = [
        &[],
        &[("client_id", &app.client.id)],
        &[("client_id", &app.client.id), ("post_logout_redirect_uri", goodbye)],
        &[("id_token_hint", &foreign_hint)],
        &[("id_token_hint", &foreign_hint), ("post_logout_redirect_uri", goodbye)],
        &[("id_token_hint", &own_hint), ("client_id", &other.id), ("post_logout_redirect_uri", goodbye)],
    ];
    for fields in stay {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let query = encoded(&fields);
        let asked = browser.get(&app.url(&format!("/logout?{query}"))).await;
        assert_eq!((asked.status, asked.select("#logout-form").len()), (StatusCode::OK, 1), "{query}");
        let cross = [FORM, HTML, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")];
        let asked = browser.raw(Method::POST, &app.url("/logout"), &cross, &query).await;
        assert_eq!((asked.status, asked.select("#logout-form").len()), (StatusCode::OK, 1), "{query}");
        assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::OK, "{query}");
    }
    let doubled =
        format!("x=1&x=2&post_logout_redirect_uri={goodbye}&post_logout_redirect_uri=https://evil.example");
    for uri in [
        "https://evil.example/",
        "https://app.example.jp/goodbye/",
        "https://app.example.jp/goodbye?x",
        "https://app.example.jp/callback",
        "https://other.example.jp/goodbye",
        "https://app.example.jp@evil.example/goodbye",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil.example",
        "https://app.example.jp/goodbye\r\nX: y",
    ] {
        let fields = [("id_token_hint", own_hint.clone()), ("post_logout_redirect_uri", uri.to_owned())];
        assert_ends_here(&browser, &app, &encoded(&fields), uri).await;
    }
    assert_ends_here(&browser, &app, &format!("id_token_hint={own_hint}&{doubled}"), "twice").await;
    app.finish().await;
}

/// The session of the hint ends, or had ended, and no place that was asked for is led to.
async fn assert_ends_here(browser: &HttpBrowser, app: &TestApp, query: &str, what: &str) {
    let asked = browser.get(&app.url(&format!("/logout?{query}"))).await;
    assert_eq!((asked.status, asked.location()), (StatusCode::OK, None), "{what}");
    let page = asked.form("#logout-form").submit().await;
    assert_eq!((page.status, page.location()), (StatusCode::OK, None), "{what}");
    for link in page.select("main a[href]") {
        let href = link.attr("href").unwrap();
        assert!(
            href.starts_with('/') || href.starts_with("https://app.example.jp/"),
            "{what} links to {href}"
        );
    }
    assert_eq!(browser.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER, "{what}: signed out");
}
