//! Those who forgot their login ID or their password.

mod links;
mod unknown;

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, INSURER, MINUTE, TestApp, on_both_backends},
    browser::Browser,
    journey::{allow, give_login_id, give_password, log_in, set_out},
    members::{HANAKO, ICHIRO},
    recovery::{assert_dead, renew, send_login_id_form, send_password_form},
    relying_party::Ask,
};

on_both_backends! {
    a_forgotten_password_is_replaced_and_ends_everything
    a_forgotten_login_id_is_shown_once
    a_paused_login_id_is_freed_by_a_new_password
}

const NEW: &str = "海辺の灯台と七つの貝殻";

async fn a_forgotten_password_is_replaced_and_ends_everything(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let phone = app.activate(&HANAKO).await;
    let attempt = rp.begin(&Ask::scopes(&["profile", "offline_access"]));
    let back = allow(&set_out(&phone, &attempt).await).await;
    let tokens = rp.finish(attempt, &back).await;
    app.clock.advance(MINUTE);
    app.forgot_login_id(HANAKO.email, HANAKO.born).await;
    let other_link = app.mailbox.next_link(HANAKO.email).await;

    let computer = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(&["profile", "offline_access"]));
    let password = give_login_id(&set_out(&computer, &attempt).await, HANAKO.login_id).await;
    let forgot = password.click("#forgot-password").await;
    assert_eq!(forgot.form("#forgot-password-form").value("login_id"), Some(HANAKO.login_id), "carried over");
    let sent = send_password_form(&forgot, HANAKO.login_id, "平成11年1月1日").await.follow_here().await;
    assert_eq!(sent.select("h1")[0].text, "お手続きを受け付けました");
    let mail = app.mailbox.next(HANAKO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】パスワードの再設定(60分以内にお手続きください)"));
    assert!(mail.text.contains("有効期限:2026年11月23日(月)11時16分まで(60分)"), "{}", mail.text);
    for secret in ["200001", "19990101", "タケダ"] {
        assert!(!mail.text.contains(secret), "{secret} in {}", mail.text);
        assert!(!mail.html.as_deref().unwrap().contains(secret), "{secret}");
    }
    let [link] = mail.links().try_into().unwrap();
    app.clock.advance(50 * MINUTE);

    let page = computer.get(link.as_str()).await;
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert!(!page.body.contains("200001") && !page.text().contains(HANAKO.email), "{}", page.body);
    for weak in ["", "short", "19990101hanako", "7132-091200001x", "passwordpassword"] {
        let refused = page.form("#renew-form").set("password", weak).submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}: {}", refused.text());
    }
    let done = renew(&computer, &link, NEW).await.follow_here().await;
    assert_eq!(done.select("h1")[0].text, "パスワードを設定しました");
    let notice = app.mailbox.next(HANAKO.email).await;
    assert_eq!(notice.subject, format!("【{INSURER}】パスワードが再設定されました"));
    assert_dead(&link).await;
    assert_dead(&other_link).await;

    // The sign-in of the app goes on where it was, after 50 minutes, without asking for the login ID.
    let password = done.click("#to-login").await.follow_here().await;
    assert_eq!(password.select("#shown-login-id")[0].text, HANAKO.login_id);
    let wrong = give_password(&password, HANAKO.password).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "the old password is dead");
    let back = give_password(&password, NEW).await;
    let again = rp.finish(attempt, &back.location().expect("back to the app")).await;
    assert_eq!(again.claims["sub"], tokens.claims["sub"]);
    rp.userinfo(&again).await.unwrap();
    let history = app.account(&computer, "/history").await.text();
    assert!(history.contains("からパスワードを再設定しました"), "{history}");

    assert_eq!(phone.get(&app.url("/account")).await.status, StatusCode::SEE_OTHER, "signed out");
    rp.userinfo(&tokens).await.unwrap_err();
    let refused = rp.refresh(tokens.refresh_token.as_deref().unwrap()).await.unwrap_err();
    assert!(refused.contains("invalid_grant"), "{refused}");
    app.finish().await;
}

async fn a_forgotten_login_id_is_shown_once(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let forgot = login.click("#forgot-login-id").await;
    assert!(forgot.text().contains("ログインIDの決まり"), "how an ID is composed: {}", forgot.text());
    assert!(forgot.text().contains("KENPOS事務局"), "whom to call");
    let sent = send_login_id_form(&forgot, &HANAKO.email.to_uppercase(), "H11.1.1").await.follow_here().await;
    assert_eq!(sent.select("h1")[0].text, "お手続きを受け付けました");
    let mail = app.mailbox.next(HANAKO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】ログインIDのご確認(30分以内にお手続きください)"));
    for secret in ["200001", "7132", "19990101", "タケダ"] {
        assert!(!mail.text.contains(secret) && !mail.subject.contains(secret), "{secret} in {}", mail.text);
    }
    let [link] = mail.links().try_into().unwrap();
    let page = browser.get(link.as_str()).await;
    assert!(!page.body.contains("200001"), "nothing before the birth date");
    let wrong = page.form("#reveal-form").set("birth_date", ICHIRO.born).submit().await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("あと4回"), "{}", wrong.text());
    let shown = page.form("#reveal-form").set("birth_date", HANAKO.born).submit().await;
    assert_eq!(shown.select("#shown-login-id")[0].text, HANAKO.login_id);
    assert_eq!(shown.headers["referrer-policy"], "no-referrer");
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_dead(&link).await;
    let again = page.form("#reveal-form").set("birth_date", HANAKO.born).submit().await;
    assert_eq!(again.status, StatusCode::GONE);
    let login = shown.click("#to-login").await;
    assert!(login.url.path().starts_with("/login/"), "the sign-in from before: {}", login.url);
    let account = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account");
    let history = app.account(&browser, "/history").await.text();
    assert!(history.contains("からログインIDを表示しました"), "{history}");
    app.finish().await;
}

async fn a_paused_login_id_is_freed_by_a_new_password(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for _ in 0..6 {
        log_in(&login, HANAKO.login_id, "not this one").await;
    }
    let paused = log_in(&login, HANAKO.login_id, HANAKO.password).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS);
    let link = app.password_link(&HANAKO).await;
    let done = renew(&app.http_browser(), &link, NEW).await.follow_here().await;
    app.mailbox.next(HANAKO.email).await;
    // In another browser than the one that asked, the way leads to the login page.
    let login = done.click("#to-login").await.follow_here().await;
    let account = log_in(&login, HANAKO.login_id, NEW).await;
    assert_eq!(account.url.path(), "/account", "{}", account.text());
    app.finish().await;
}

/// A real browser on a phone. Screenshots are left in `target/test-artefacts`.
#[tokio::test]
async fn a_phone_goes_from_a_forgotten_password_to_a_new_one() {
    let mut app = TestApp::start(Backend::Embedded).await;
    app.activate(&HANAKO).await;
    let browser = Browser::phone().await;
    let keep = async |page: &str| browser.keep(&format!("recovery-{page}")).await;
    browser.open(&app.url("/login")).await;
    browser.click("#forgot-login-id").await;
    browser.fill("#email", "hanako@").await;
    browser.fill("#birth_date", "昭和64年2月1日").await;
    browser.click("#send").await;
    browser.wait_for("#errors").await;
    keep("login-id-wrong").await;
    browser.fill("#email", HANAKO.email).await;
    browser.fill("#birth_date", HANAKO.born).await;
    keep("login-id").await;
    browser.click("#send").await;
    browser.wait_for("#no-mail").await;
    keep("login-id-sent").await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    browser.open(link.as_str()).await;
    browser.fill("#birth_date", "平成11年1月1日").await;
    keep("reveal").await;
    browser.click("#show").await;
    assert_eq!(browser.text("#shown-login-id").await, HANAKO.login_id);
    keep("revealed").await;
    browser.click("#to-login").await;
    browser.fill("#login_id", HANAKO.login_id).await;
    browser.click("#next").await;
    browser.click("#forgot-password").await;
    browser.fill("#birth_date", HANAKO.born).await;
    keep("password").await;
    browser.click("#send").await;
    browser.wait_for("#no-mail").await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    browser.open(link.as_str()).await;
    browser.fill("#password", NEW).await;
    keep("renew").await;
    browser.click("#save").await;
    app.mailbox.next(HANAKO.email).await;
    browser.wait_for("#to-login").await;
    keep("renewed").await;
    browser.click("#to-login").await;
    browser.fill("#password", NEW).await;
    browser.click("#login").await;
    browser.wait_for_url(|url| url.path() == "/account").await;
    browser.open(link.as_str()).await;
    browser.wait_for("#again").await;
    keep("void").await;
    browser.close().await;
    app.finish().await;
}
