//! Relying parties in the console: registered, changed by two at once, given another secret, tried, stopped.

mod browser;
mod trial;

use kenpos_idp::{clients::Client, operators::Role};
use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, HOUR, TestApp, on_both_backends},
    http_browser::{HttpBrowser, Page},
    insurers::momiji,
    members::HANAKO,
    relying_party::{Ask, Registered},
};

on_both_backends! {
    a_client_is_registered_and_its_secret_is_told_once
    what_is_wrong_is_said_at_its_field
    the_second_editor_is_told_and_loses_nothing
    two_secrets_work_during_a_rotation
    an_operator_of_one_insurer_sees_the_clients_of_that_insurer_alone
    a_client_is_stopped_started_and_deleted
}

const CALLBACK: &str = "https://karada.example.jp/callback";

/// The client of this id, as it is stored.
async fn stored(app: &TestApp, id: &str) -> Client {
    Client::find_any(app.db(), id).await.unwrap().expect("the client is there")
}

/// Opens the form that registers a client.
async fn new_form(app: &TestApp, browser: &HttpBrowser) -> Page {
    let list = browser.get(&app.url("/admin")).await.click("#nav-clients").await;
    list.click("#register").await
}

/// Registers a client and gives the answer with its secret.
async fn register(app: &TestApp, browser: &HttpBrowser, name: &str) -> Page {
    let form = new_form(app, browser).await;
    let form = form.form("#client-form").set("client_name", name).set("redirect_uris", CALLBACK);
    form.set("reason", "依頼書 12").submit().await
}

/// What a page that tells a secret tells.
async fn told(app: &TestApp, page: &Page) -> Registered {
    let text = |css: &str| page.select(css)[0].text.clone();
    let client = stored(app, &text("#client-id")).await;
    Registered { id: client.id, secret: Some(text("#client-secret")), metadata: client.metadata }
}

/// Whether the client proves itself with this secret.
async fn works(app: &TestApp, client: &Registered, secret: &str) -> bool {
    let client = Registered { secret: Some(secret.to_owned()), ..client.clone() };
    let answer = app.token(&client, &[("grant_type", "refresh_token"), ("refresh_token", "x")]).await;
    answer.error() != "invalid_client"
}

fn notice(page: &Page) -> String {
    page.select("#notice").first().map(|notice| notice.text.clone()).unwrap_or_default()
}

async fn a_client_is_registered_and_its_secret_is_told_once(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let form = new_form(&app, &browser).await;
    assert!(form.text().contains("健康保険法第194条の2"), "the legal note: {}", form.text());
    let filled = form
        .form("#client-form")
        .set("client_name", "からだ手帳")
        .set("client_name_en", "Body Notes")
        .set("redirect_uris", &format!("{CALLBACK}\nhttps://karada.example.jp/second"))
        .set("post_logout_redirect_uris", "https://karada.example.jp/goodbye")
        .set("scope", "offline_access")
        .set("reason", "依頼書 12");
    let page = filled.submit().await;
    assert_eq!(page.status, StatusCode::CREATED, "{}", page.text());
    assert_eq!(page.headers["cache-control"], "no-store");
    let client = told(&app, &page).await;
    let secret = client.secret.clone().unwrap();
    assert!(works(&app, &client, &secret).await);
    assert!(page.text().contains("再読み込みしても"), "{}", page.text());
    assert_eq!(client.metadata.redirect_uris.len(), 2);
    assert_eq!(client.metadata.translations["client_name#en"], "Body Notes");
    assert!(client.metadata.allows("offline_access") && !client.metadata.pkce_optional);

    // Nothing shows it again, and sending the same form again registers nothing.
    let again = form
        .form("#client-form")
        .set("client_name", "からだ手帳")
        .set("redirect_uris", CALLBACK)
        .set("reason", "依頼書 12")
        .submit()
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    assert_eq!(again.select("#client_id-error").len(), 1);
    let detail = browser.get(&app.url(&format!("/admin/clients/{}", client.id))).await;
    let settings = page.click("#next").await;
    for page in [&again, &detail, &settings, &browser.get(&app.url("/admin/clients")).await] {
        assert!(!page.body.contains(&secret), "{}", page.url);
    }
    assert!(detail.select("#shown-redirect_uris")[0].text.contains("/second"));
    assert!(settings.select("#text-authlib")[0].text.contains(&client.id), "{}", settings.text());
    assert_eq!(app.number("select count(*) from client where metadata like '%Body Notes%'").await, 1);
    let events = "select count(*) from audit where action = 'client.created' and detail like '%依頼書 12%'";
    assert_eq!(app.number(events).await, 1);

    // Members sign in to it.
    let member = app.activate(&HANAKO).await;
    let party = app.relying_party_of(&client).await;
    let attempt = party.begin(&Ask::scopes(&["profile"]));
    let consent = member.get(attempt.url.as_str()).await.follow_here().await;
    assert!(consent.text().contains("からだ手帳"), "{}", consent.text());
    let callback = crate::support::journey::allow(&consent).await;
    let tokens = party.finish(attempt, &callback).await;
    assert_eq!(tokens.claims["aud"], client.id.as_str());
    app.finish().await;
}

async fn what_is_wrong_is_said_at_its_field(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let before = app.number("select count(*) from client").await;
    let form = async || new_form(&app, &browser).await;
    for (field, value, at) in [
        ("client_name", " ", "client_name"),
        ("client_name", "x\u{202e}y", "client_name"),
        ("redirect_uris", "", "redirect_uris"),
        ("redirect_uris", "http://karada.example.jp/callback", "redirect_uris"),
        ("redirect_uris", "javascript:alert(1)", "redirect_uris"),
        ("redirect_uris", "https://*.example.jp/", "redirect_uris"),
        ("redirect_uris", "https://a.example.jp/#x", "redirect_uris"),
        ("redirect_uris", "https://a.example.jp;x/", "redirect_uris"),
        ("redirect_uris", "https://user@a.example.jp/", "redirect_uris"),
        ("redirect_uris", "/callback", "redirect_uris"),
        ("redirect_uris", "https://a.example.jp/cb\nhttps://b.example.jp/cb", "sector"),
        ("post_logout_redirect_uris", "data:text/html,x", "post_logout_redirect_uris"),
        ("scope", "insured_number", "scope"),
        ("token_endpoint_auth_method", "private_key_jwt", "jwks"),
        ("client_id", "a b", "client_id"),
        ("client_id", "new", "client_id"),
        ("reason", "  ", "reason"),
    ] {
        let page = form().await;
        let good = page.form("#client-form").set("client_name", "からだ手帳").set("redirect_uris", CALLBACK);
        let page = good.set("reason", "依頼書 12").set(field, value).submit().await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}: {}", page.text());
        let shown = page.select(&format!("#{at}-error"));
        // Keys have no field on this page, so the summary says it.
        assert!(
            !shown.is_empty() || at == "jwks" && page.text().contains("jwks"),
            "{field} {value}: {}",
            page.text()
        );
        // What was typed stays.
        let kept = page.form("#client-form");
        if field != "client_name" {
            assert_eq!(kept.value("client_name"), Some("からだ手帳"));
        }
        if field == "redirect_uris" {
            assert_eq!(kept.value(field).map(|text| text.replace("\r\n", "\n")).as_deref(), Some(value));
        }
    }
    assert_eq!(app.number("select count(*) from client").await, before);
    // What no person could enter.
    let page = form().await;
    let form = page.form("#client-form");
    let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
    for body in
        ["application_type=desktop", "token_endpoint_auth_method=magic", "scope=admin", "grant_types=x"]
    {
        let body = format!(
            "csrf={csrf}&who={who}&client_name=x&client_id=y&redirect_uris=https://a.example/&reason=x&{body}\
             &scope=openid&grant_types=authorization_code"
        );
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
        let answer = browser.raw(Method::POST, page.url.as_str(), &headers, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text());
    }
    assert_eq!(app.number("select count(*) from client").await, before);
    app.finish().await;
}

async fn the_second_editor_is_told_and_loses_nothing(backend: Backend) {
    let app = TestApp::start(backend).await;
    let first = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let second = app.staff(Role::Administrator, None).await.browser(&app).await;
    let client = told(&app, &register(&app, &first, "からだ手帳").await).await;
    let url = app.url(&format!("/admin/clients/{}/edit/basics", client.id));
    let (mine, theirs) = (first.get(&url).await, second.get(&url).await);
    let form =
        mine.form("#client-form").set("client_name", "からだ手帳2").set("client_uri", "https://one.example/");
    let saved = form.set("reason", "改名").submit().await.follow_here().await;
    assert!(notice(&saved).contains("保存"), "{}", saved.text());
    assert_eq!(saved.select("#shown-client_name")[0].text, "からだ手帳2");

    // The other changed one field that was changed meanwhile, and one that was not.
    let form = theirs.form("#client-form").set("client_name", "別の名前");
    let form = form.set("policy_uri", "https://karada.example.jp/policy").set("reason", "規約");
    let told_so = form.submit().await;
    assert_eq!(told_so.status, StatusCode::CONFLICT, "{}", told_so.text());
    let rows: Vec<String> = told_so.select("#changes tbody tr").into_iter().map(|row| row.text).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].contains("からだ手帳2") && rows[1].contains("https://one.example/"), "{rows:?}");
    let kept = told_so.form("#client-form");
    assert_eq!(kept.value("client_name"), Some("別の名前"), "what was typed stays");
    assert_eq!(kept.value("policy_uri"), Some("https://karada.example.jp/policy"));
    assert_eq!(kept.value("client_uri"), Some("https://one.example/"), "what was not touched is the other's");
    assert_eq!(kept.value("reason"), Some("規約"));
    assert_eq!(stored(&app, &client.id).await.metadata.client_name, "からだ手帳2", "nothing was written");
    let saved = kept.submit().await.follow_here().await;
    assert!(notice(&saved).contains("保存"), "{}", saved.text());
    let metadata = stored(&app, &client.id).await.metadata;
    assert_eq!(
        (metadata.client_name.as_str(), metadata.client_uri.as_deref()),
        ("別の名前", Some("https://one.example/"))
    );

    // A change elsewhere is told too, and takes nothing along.
    let scopes = second.get(&app.url(&format!("/admin/clients/{}/edit/scopes", client.id))).await;
    let lifetimes = first.get(&app.url(&format!("/admin/clients/{}/edit/lifetimes", client.id))).await;
    let form = lifetimes.form("#client-form").set("access_token_lifetime", "60").set("reason", "短く");
    form.submit().await;
    let form = scopes.form("#client-form").set("scope", "membership").set("reason", "加入状況");
    let told_so = form.submit().await;
    assert_eq!((told_so.status, told_so.select("#changes").len()), (StatusCode::CONFLICT, 0));
    told_so.form("#client-form").submit().await;
    let metadata = stored(&app, &client.id).await.metadata;
    assert!(metadata.allows("membership") && metadata.access_token_lifetime == Some(60));

    // A mistake keeps what was typed, and the same again is nothing to save.
    let page = first.get(&app.url(&format!("/admin/clients/{}/edit/lifetimes", client.id))).await;
    let form = page.form("#client-form").set("id_token_lifetime", "一分").set("reason", "短く");
    let page = form.submit().await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.select("#id_token_lifetime-error").len(), 1, "{}", page.text());
    assert_eq!(page.form("#client-form").value("id_token_lifetime"), Some("一分"));
    let page = page.form("#client-form").set("id_token_lifetime", "5").submit().await;
    assert_eq!(page.select("#id_token_lifetime-error").len(), 1, "{}", page.text());
    let page = page.form("#client-form").set("id_token_lifetime", "").submit().await;
    assert_eq!(page.status, StatusCode::CONFLICT, "nothing is different");
    app.finish().await;
}

async fn two_secrets_work_during_a_rotation(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let client = told(&app, &register(&app, &browser, "からだ手帳").await).await;
    let first = client.secret.clone().unwrap();
    let url = app.url(&format!("/admin/clients/{}/secret", client.id));
    let form = browser.get(&url).await;
    let unexplained = form.form("#secret-form").set("overlap", "24").submit().await;
    assert_eq!(unexplained.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = unexplained.form("#secret-form").set("overlap", "24").set("reason", "年次").submit().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let second = answer.select("#client-secret")[0].text.clone();
    assert!(answer.select("#old-until")[0].text.contains("まで"), "{}", answer.text());
    assert!(works(&app, &client, &first).await && works(&app, &client, &second).await);

    // A reload of the answer sends the form again, and makes no third.
    let reload = unexplained.form("#secret-form").set("overlap", "24").set("reason", "年次").submit().await;
    assert_eq!(reload.status, StatusCode::CONFLICT, "{}", reload.text());
    assert!(reload.select("#client-secret").is_empty());
    assert_eq!(reload.select("#secrets tbody tr").len(), 2);
    let list = browser.get(&app.url("/admin/clients?q=からだ")).await;
    assert!(list.select("#clients")[0].text.contains("古いシークレットは"), "{}", list.text());

    // The old one is ended early; the new one stays.
    let ended = browser.get(&url).await.click("#to-end").await;
    let ended = ended.form("#confirm-form").set("reason", "切替済").submit().await.follow_here().await;
    assert!(notice(&ended).contains("無効"), "{}", ended.text());
    assert!(!works(&app, &client, &first).await && works(&app, &client, &second).await);
    let again = browser.get(&app.url(&format!("/admin/clients/{}/end-old-secrets", client.id))).await;
    let again = again.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());

    // One that leaked works no longer than it has to; one that was kept ends by itself.
    let form = browser.get(&url).await;
    let answer = form.form("#secret-form").set("overlap", "0").set("reason", "漏洩").submit().await;
    let third = answer.select("#client-secret")[0].text.clone();
    assert!(!works(&app, &client, &second).await && works(&app, &client, &third).await);
    let form = browser.get(&url).await;
    form.form("#secret-form").set("overlap", "1").set("reason", "年次").submit().await;
    assert!(works(&app, &client, &third).await);
    app.clock.advance(HOUR);
    assert!(!works(&app, &client, &third).await);
    let events =
        "select count(*) from audit where action in ('client.secret_rotated', 'client.secret_ended')";
    assert_eq!(app.number(events).await, 4);
    app.finish().await;
}

async fn an_operator_of_one_insurer_sees_the_clients_of_that_insurer_alone(backend: Backend) {
    let app = TestApp::start_with(backend, |config| config.insurers.push(momiji())).await;
    let code = momiji().code;
    let all = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let own = app.staff(Role::ClientManager, Some("7132")).await.browser(&app).await;
    let form = new_form(&app, &own).await;
    let form = form.form("#client-form").set("client_name", "みほん専用").set("redirect_uris", CALLBACK);
    let mine = told(&app, &form.set("reason", "x").submit().await).await;
    assert_eq!(mine.metadata.insurer.as_deref(), Some("7132"), "there is no other choice");
    let form = new_form(&app, &all).await;
    let form = form.form("#client-form").set("client_name", "もみじ専用").set("insurer", &code);
    let other = form.set("redirect_uris", CALLBACK).set("reason", "x").submit().await;
    let other = told(&app, &other).await;
    let common = told(&app, &register(&app, &all, "みんなの").await).await;

    let list = own.get(&app.url("/admin/clients")).await;
    assert_eq!(list.select("#clients tbody tr").len(), 1, "{}", list.text());
    for foreign in [&other, &common] {
        assert!(!list.body.contains(&foreign.id));
        for rest in ["", "/edit/basics", "/secret", "/settings", "/try", "/try/callback?state=x", "/disable"]
        {
            let url = app.url(&format!("/admin/clients/{}{rest}", foreign.id));
            assert_eq!(own.get(&url).await.status, StatusCode::NOT_FOUND, "{rest}");
        }
    }
    // With a form of the own client, posted to the other's.
    let page = own.get(&app.url(&format!("/admin/clients/{}/edit/basics", mine.id))).await;
    let form = page.form("#client-form");
    let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")];
    let events = app.number("select count(*) from audit where action like 'client%'").await;
    for (path, more) in [
        (format!("/admin/clients/{}/edit/basics", other.id), "version=1&client_name=evil"),
        (format!("/admin/clients/{}/secret", common.id), "version=1&overlap=0"),
        (format!("/admin/clients/{}/disable", other.id), ""),
        (format!("/admin/clients/{}/try", other.id), "scope=openid"),
        // Nor can they give away what they have, or take what is for all.
        (format!("/admin/clients/{}/edit/basics", mine.id), "version=1&client_name=x&insurer="),
        ("/admin/clients/new".to_owned(), "client_id=z&client_name=x&insurer="),
    ] {
        let body = format!("csrf={csrf}&who={who}&reason=x&{more}");
        let answer = own.raw(Method::POST, &app.url(&path), &headers, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text());
    }
    assert_eq!(app.number("select count(*) from client where version > 1").await, 0, "nothing happened");
    assert_eq!(app.number("select count(*) from audit where action like 'client%'").await, events);
    let scopes = own.get(&app.url(&format!("/admin/clients/{}/edit/scopes", mine.id))).await;
    assert!(scopes.select("#introspects").is_empty(), "it reaches beyond the members of one insurer");
    let auditor = app.staff(Role::Auditor, None).await.browser(&app).await;
    let page = auditor.get(&app.url(&format!("/admin/clients/{}", mine.id))).await;
    assert!(page.status == StatusCode::OK && page.select("#to-secret, #to-try, #edit-basics").is_empty());
    app.finish().await;
}

async fn a_client_is_stopped_started_and_deleted(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.staff(Role::ClientManager, None).await.browser(&app).await;
    let client = told(&app, &register(&app, &browser, "からだ手帳").await).await;
    let secret = client.secret.clone().unwrap();
    let url = app.url(&format!("/admin/clients/{}", client.id));
    let act = async |link: &str| {
        let page = browser.get(&url).await.click(link).await;
        page.form("#confirm-form").set("reason", "契約終了").submit().await.follow_here().await
    };
    let refused = browser.get(&format!("{url}/delete")).await;
    let refused = refused.form("#confirm-form").set("reason", "x").submit().await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    let stopped = act("#to-disable").await;
    assert_eq!(stopped.select("#state")[0].text, "停止中");
    assert!(!works(&app, &client, &secret).await);
    assert!(stopped.select("#to-try").is_empty());
    let no_trial = browser.get(&format!("{url}/try")).await;
    assert_eq!((no_trial.select("#try-form").len(), no_trial.select("#obstacle").len()), (0, 1));
    let started = act("#to-enable").await;
    assert_eq!(started.select("#state")[0].text, "利用中");
    assert!(works(&app, &client, &secret).await);
    act("#to-disable").await;
    let deleted = act("#to-delete").await;
    assert_eq!((deleted.url.path(), notice(&deleted).contains("削除")), ("/admin/clients", true));
    assert_eq!(browser.get(&url).await.status, StatusCode::NOT_FOUND);
    let events = "select count(*) from audit where action like 'client.%' and detail like '%契約終了%'";
    assert_eq!(app.number(events).await, 4);
    app.finish().await;
}
