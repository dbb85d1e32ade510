//! A client is registered in the console, and a real relying party signs in with the values copied from the
//! page. A screenshot of each page is left in `target/test-artefacts`, on a desk and on a phone.

use kenpos_idp::{clients::Client, operators::Role};

use crate::support::{
    app::{Backend, TestApp},
    browser::Browser,
    members::HANAKO,
    relying_party::Registered,
    web_app::WebApp,
};

async fn keep(browser: &Browser, name: &str) {
    browser.keep(&format!("clients-{name}")).await;
}

async fn sign_in_as_member(browser: &Browser) {
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#login-id-form button[type=submit]").await;
    browser.fill("#password", HANAKO.password).await;
    browser.click("#login").await;
}

#[tokio::test]
async fn a_client_registered_in_the_console_signs_members_in() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let staff = app.staff(Role::ClientManager, None).await;
    let browser = Browser::desktop().await;
    staff.sign_in_on(&app, &browser).await;
    browser.click("#nav-clients").await;
    keep(&browser, "list").await;
    browser.click("#register").await;
    keep(&browser, "new").await;
    let site = WebApp::listen().await;
    browser.fill("#client_name", "からだ手帳").await;
    browser.fill("#redirect_uris", "http://karada.example.jp/callback").await;
    browser.fill("#reason", "依頼書 12").await;
    browser.click("button#register").await;
    assert!(browser.text("#redirect_uris-error").await.contains("https://"));
    keep(&browser, "new-wrong").await;
    browser.fill("#redirect_uris", &site.url("/callback")).await;
    browser.fill("#post_logout_redirect_uris", &site.url("/goodbye")).await;
    browser.click("input[name=scope][value=membership]").await;
    browser.click("button#register").await;
    let (id, secret) = (browser.text("#client-id").await, browser.text("#client-secret").await);
    keep(&browser, "told").await;

    // What the page says is all that the app needs.
    let metadata = Client::find(app.db(), &id).await.unwrap().unwrap().metadata;
    let site = site.serve(&app, &Registered { id: id.clone(), secret: Some(secret), metadata }).await;
    browser.open(&site.url("/")).await;
    browser.click("#login").await;
    sign_in_as_member(&browser).await;
    browser.click("#allow").await;
    assert_eq!(browser.text("#name").await, HANAKO.kana);
    assert_eq!(site.tokens().claims["aud"], id.as_str());
    browser.click("#logout").await;
    browser.wait_for_url(|url| url.path() == "/goodbye").await;

    look_around(&app, &browser, &id, "").await;
    browser.prefer_dark(true).await;
    browser.open(&app.url(&format!("/admin/clients/{id}"))).await;
    keep(&browser, "detail-dark").await;
    browser.close().await;

    let phone = Browser::phone().await;
    staff.sign_in_on(&app, &phone).await;
    for (name, path) in [("list", "/admin/clients"), ("new", "/admin/clients/new")] {
        phone.open(&app.url(path)).await;
        keep(&phone, &format!("{name}-phone")).await;
    }
    look_around(&app, &phone, &id, "-phone").await;
    phone.close().await;
    app.finish().await;
}

/// Every page about a client, and a trial to its end.
async fn look_around(app: &TestApp, browser: &Browser, id: &str, suffix: &str) {
    for (name, path) in [
        ("detail", ""),
        ("edit-basics", "/edit/basics"),
        ("edit-addresses", "/edit/addresses"),
        ("edit-scopes", "/edit/scopes"),
        ("edit-lifetimes", "/edit/lifetimes"),
        ("edit-security", "/edit/security"),
        ("edit-logout", "/edit/logout"),
        ("secret", "/secret"),
        ("settings", "/settings"),
        ("disable", "/disable"),
        ("try", "/try"),
    ] {
        browser.open(&app.url(&format!("/admin/clients/{id}{path}"))).await;
        browser.wait_for("h1").await;
        keep(browser, &format!("{name}{suffix}")).await;
    }
    browser.click("#try").await;
    sign_in_as_member(browser).await;
    assert!(browser.text("#outcome").await.contains("合格"));
    keep(browser, &format!("tried{suffix}")).await;
}
