//! Attacks on accounts: guessing, counting up, and finding out who is there.

use std::collections::BTreeMap;

use kenpos_idp::config::Config;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::support::{
    app::{Backend, HOUR, MINUTE, TestApp, on_both_backends},
    http_browser::Page,
    journey::{accept_documents, give_details, give_login_id, log_in},
    members::{HANAKO, ICHIRO, LOST, NOBODY, TOO_YOUNG},
};

on_both_backends! {
    no_answer_tells_who_has_an_account
    a_sprayed_birth_date_stops_activation_for_an_hour
    the_temporary_password_dies_after_ten_wrong_ones
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A fresh browser's login page.
async fn login(app: &TestApp) -> Page {
    app.http_browser().get(&app.url("/login")).await.follow_here().await
}

/// A guess in a fresh browser.
async fn guess(app: &TestApp, login_id: &str, password: &str) -> Page {
    log_in(&login(app).await, login_id, password).await
}

#[tokio::test]
async fn a_forged_host_changes_no_url_of_ours() {
    let mut app = TestApp::start(Backend::Embedded).await;
    let forged = [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "444"),
        ("X-Original-URL", "/evil"),
        ("X-Rewrite-URL", "/evil"),
        ("Forwarded", "host=evil.example;proto=https"),
        ("Accept", "text/html"),
    ];
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let stranger = app.http_browser().raw(Method::GET, &app.url(path), &forged, "").await;
        assert_eq!(stranger.body, app.http_browser().get(&app.url(path)).await.body);
    }
    for path in ["/login", "/account", "/", "/authorize", "/logout", "/nowhere", "/jwks"] {
        let page = app.http_browser().raw(Method::GET, &app.url(path), &forged, "").await;
        assert!(!page.body.contains("evil") && !format!("{:?}", page.headers).contains("evil"), "{path}");
        assert!(page.location().is_none_or(|to| to.origin() == page.url.origin()), "{path}");
    }
    let browser = app.http_browser();
    let start = browser.get(&app.url("/login")).await.follow_here().await;
    let documents = log_in(&start, HANAKO.login_id, HANAKO.born).await;
    let check = give_details(&accept_documents(&documents).await, &HANAKO).await;
    let csrf = check.form("#confirm-form").value("csrf").unwrap().to_owned();
    let headers: Vec<_> = forged.into_iter().chain([FORM]).collect();
    let sent = browser.raw(Method::POST, check.url.as_str(), &headers, &format!("csrf={csrf}")).await;
    assert_eq!(sent.location().unwrap().origin(), check.url.origin());
    let mail = app.mailbox.next(HANAKO.email).await;
    let issuer = Url::parse(&app.url("/")).unwrap();
    assert!(mail.links().iter().all(|link| link.origin() == issuer.origin()), "{:?}", mail.links());
    assert!(!mail.text.contains("evil"));
    app.finish().await;
}

/// What an answer says, without what is the request's own.
fn normalised(page: &Page, login_id: &str) -> (StatusCode, BTreeMap<String, usize>, String) {
    let mut names = BTreeMap::new();
    for name in page.headers.keys() {
        *names.entry(name.to_string()).or_default() += page.headers.get_all(name).iter().count();
    }
    let mut body = page.body.replace(login_id, "LOGIN-ID");
    let interaction = page.url.path_segments().unwrap().nth(1).unwrap_or_default();
    if !interaction.is_empty() {
        body = body.replace(interaction, "INTERACTION");
    }
    for field in page.select("input[name=csrf]") {
        body = body.replace(field.attr("value").unwrap(), "CSRF");
    }
    for reference in page.select("#reference") {
        body = body.replace(&reference.text, "REFERENCE");
    }
    (page.status, names, body)
}

async fn no_answer_tells_who_has_an_account(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.import_roster(
        "記号,番号,枝番,区分,氏名カナ,生年月日,資格取得日,資格喪失日\n\
         123,4568,00,一般被保険者,タナカ サブロウ,1981-01-02,2004-04-01,\n",
    )
    .await;
    app.activate(&HANAKO).await;
    app.activate(&ICHIRO).await;
    app.sql("update member set state = 'frozen' where kana like '%イチロウ%'").await;
    // Active, frozen, not activated yet, too young, without eligibility, and nobody at all.
    let ids = [HANAKO, ICHIRO, TOO_YOUNG, LOST, NOBODY].map(|someone| someone.login_id);
    let ids: Vec<_> = ids.into_iter().chain(["7132-123004568"]).collect();
    for round in 0..7 {
        let mut answers = Vec::new();
        for id in &ids {
            let first = give_login_id(&login(&app).await, id).await;
            let password = if round % 2 == 0 { "19770707" } else { "wrong password" };
            let page = first.form("#password-form").set("password", password).submit().await;
            answers.push((id, normalised(&first, id), normalised(&page, id)));
        }
        let (_, first, page) = &answers[0];
        let expected = if round < 5 { 422 } else { 429 };
        assert_eq!(page.0.as_u16(), expected, "round {round}: {}", page.2);
        for (id, other_first, other) in &answers {
            assert_eq!(first, other_first, "{id} is told apart before the password in round {round}");
            assert_eq!(page, other, "{id} is told apart in round {round}");
        }
    }
    // What pauses is the ID: even the right passwords are answered alike.
    let mut answers = Vec::new();
    for (id, password) in [
        (HANAKO.login_id, HANAKO.password),
        (TOO_YOUNG.login_id, TOO_YOUNG.born),
        (LOST.login_id, LOST.born),
        (NOBODY.login_id, NOBODY.born),
    ] {
        answers.push(normalised(&guess(&app, id, password).await, id));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_right_guess_that_opens_nothing_looks_like_a_wrong_one() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let wrong = normalised(&guess(&app, NOBODY.login_id, "20000101").await, NOBODY.login_id);
    for (id, password) in [
        (HANAKO.login_id, HANAKO.born),
        (LOST.login_id, LOST.born),
        (NOBODY.login_id, NOBODY.born),
        // Of a dependent of Hanako: the same symbol and number.
        (HANAKO.login_id, "20190115"),
    ] {
        assert_eq!(normalised(&guess(&app, id, password).await, id), wrong, "{id}");
    }
    app.finish().await;
}

/// Ten wrong guesses allowed to an address, ten thousand to everybody.
fn tight(config: &mut Config) {
    config.limits.per_address = 10;
}

#[tokio::test]
async fn an_address_has_a_budget_that_a_header_does_not_renew() {
    let app = TestApp::start_with(Backend::Embedded, tight).await;
    for attempt in 0..14 {
        // Connections come from loopback, which is no proxy that is trusted here.
        let page = forwarded(&app, &format!("192.0.2.{attempt}")).await;
        let expected = if attempt < 10 { 422 } else { 429 };
        assert_eq!(page.status.as_u16(), expected, "guess {attempt}: {}", page.text());
        assert_eq!(page.select("#password-form").len(), 1, "a page to go on from");
    }
    assert_eq!(app.http_browser().get(&app.url("/login")).await.follow_here().await.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_last_address_counts() {
    let trusting = |config: &mut Config| {
        tight(config);
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    };
    let app = TestApp::start_with(Backend::Embedded, trusting).await;
    let expect = async |header: &str, status: u16| {
        let page = forwarded(&app, header).await;
        assert_eq!(page.status.as_u16(), status, "{header:?}: {}", page.text());
    };
    // What the attacker writes stands left of what the proxy adds.
    for attempt in 0..10 {
        expect(&format!("198.51.100.{attempt}, 203.0.113.7"), 422).await;
    }
    for header in [
        "203.0.113.7",
        "192.0.2.1, 203.0.113.7",
        "192.0.2.1,203.0.113.7, 10.0.0.1",
        "203.0.113.7:4711",
        "::ffff:203.0.113.7",
        "127.0.0.1, 203.0.113.7",
    ] {
        expect(header, 429).await;
    }
    expect("203.0.113.8", 422).await;
    // Nothing that can be read: the proxy itself is the address, with one budget for all of that.
    let malformed =
        ["nonsense", "", ",,,", "203.0.113.7, unknown", "999.1.1.1", "1.2.3.4.5", "::::", "<script>"];
    for header in malformed.iter().chain(&["203.0.113.9,"]) {
        expect(header, 422).await;
    }
    expect("still nonsense", 422).await;
    expect("nonsense again", 429).await;
    let long = "1.1.1.1,".repeat(500) + "x";
    expect(&long, 429).await;
    app.finish().await;
}

/// A wrong guess at an ID of its own, so that no ID pauses, with an `X-Forwarded-For`.
async fn forwarded(app: &TestApp, address: &str) -> Page {
    use std::sync::atomic::{AtomicU32, Ordering};

    static IDS: AtomicU32 = AtomicU32::new(500_000);
    let id = format!("7132-888{}", IDS.fetch_add(1, Ordering::SeqCst));
    let browser = app.http_browser();
    let page = give_login_id(&browser.get(&app.url("/login")).await.follow_here().await, &id).await;
    let csrf = page.form("#password-form").value("csrf").unwrap().to_owned();
    let headers = [FORM, ("Accept", "text/html"), ("X-Forwarded-For", address)];
    browser.raw(Method::POST, page.url.as_str(), &headers, &format!("csrf={csrf}&password=wrong")).await
}

async fn a_sprayed_birth_date_stops_activation_for_an_hour(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let alarms = "select count(*) from audit where action = 'insurer.spray_alarm' and insurer = '7132'";
    // The same ID again and again is no spray; nor are nine.
    for number in [0, 0, 1, 2, 3, 4, 5, 6, 7, 8] {
        guess(&app, &format!("7132-77700000{number}"), "19800505").await;
    }
    assert_eq!(app.number(alarms).await, 0);
    assert_eq!(
        guess(&app, ICHIRO.login_id, ICHIRO.born).await.url.path().rsplit('/').next(),
        Some("documents")
    );
    // What would be understood as the date counts as the date.
    guess(&app, "7132-777000009", "１９８０\u{200b}０５０５").await;
    assert_eq!(app.number(alarms).await, 1, "ten IDs with one date");
    guess(&app, "7132-777000011", "19800505").await;
    assert_eq!(app.number(alarms).await, 1, "once");

    let stopped = guess(&app, ICHIRO.login_id, ICHIRO.born).await;
    assert_eq!(stopped.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", stopped.text());
    assert!(stopped.url.path().ends_with("/password"));
    let welcome = guess(&app, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(welcome.url.path(), "/account", "{}", welcome.text());
    app.clock.advance(HOUR - MINUTE);
    assert!(guess(&app, ICHIRO.login_id, ICHIRO.born).await.url.path().ends_with("/password"));
    app.clock.advance(MINUTE);
    let again = guess(&app, ICHIRO.login_id, ICHIRO.born).await;
    assert!(again.url.path().ends_with("/documents"), "{}", again.text());
    app.finish().await;
}

async fn the_temporary_password_dies_after_ten_wrong_ones(backend: Backend) {
    // Without the pause of an ID in between, which counts by the time of Redis itself.
    let patient = |config: &mut Config| config.insurers[0].policy.login_failures = 100;
    let app = TestApp::start_with(backend, patient).await;
    for attempt in 0..9 {
        guess(&app, HANAKO.login_id, &format!("1990010{attempt}")).await;
    }
    let open = guess(&app, HANAKO.login_id, HANAKO.born).await;
    assert!(open.url.path().ends_with("/documents"), "{}", open.text());
    // The draft of a browser that is in already ends with the temporary password, too.
    guess(&app, HANAKO.login_id, "19900110").await;
    let shut = guess(&app, HANAKO.login_id, HANAKO.born).await;
    assert_eq!(shut.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", shut.text());
    let ended = open.form("#documents-form").set("privacy", "on").set("terms", "on").submit().await;
    assert_eq!(ended.status, StatusCode::GONE, "{}", ended.text());
    app.clock.advance(HOUR * 24 * 365);
    assert!(guess(&app, HANAKO.login_id, HANAKO.born).await.url.path().ends_with("/password"), "for good");
    app.finish().await;
}

#[tokio::test]
async fn parallel_guesses_do_not_outrun_the_limit_of_an_id() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let mut pages = Vec::new();
    for _ in 0..20 {
        pages.push(give_login_id(&login(&app).await, HANAKO.login_id).await);
    }
    let guesses = pages.iter().map(|page| page.form("#password-form").set("password", "wrong").submit());
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|page| page.status == StatusCode::UNPROCESSABLE_ENTITY).count();
    assert_eq!(looked_at, 5, "{:?}", answers.iter().map(|page| page.status).collect::<Vec<_>>());
    app.finish().await;
}
