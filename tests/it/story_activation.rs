//! From the app to the first registration and back, and on to every later sign-in.

mod guesses;
mod link;
mod steps;

use reqwest::StatusCode;

use crate::support::{
    app::{Backend, CLIENT, INSURER, TestApp, on_both_backends},
    attack::encoded,
    journey::{
        accept_documents, allow, complete, confirm, give_details, give_login_id, give_password, log_in,
        register, set_out,
    },
    members::HANAKO,
    relying_party::Ask,
};

on_both_backends! {
    the_whole_story
    a_restart_in_the_middle_loses_nothing
    a_link_opened_on_another_device_leads_back
    an_app_in_english_gets_pages_and_mails_in_english
}

const EVERYTHING: &[&str] =
    &["profile", "birthdate", "email", "membership", "insured_number", "offline_access"];

async fn the_whole_story(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();

    let attempt = rp.begin(&Ask::scopes(EVERYTHING));
    let login = set_out(&browser, &attempt).await;
    assert!(login.text().contains(CLIENT), "{}", login.text());
    let password = give_login_id(&login, "７１３２ー０９１２００００１").await;
    assert_eq!(password.select("#shown-login-id")[0].text, HANAKO.login_id);
    let documents = give_password(&password, HANAKO.born).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    let details = accept_documents(&documents).await;
    assert_eq!(details.select("#shown-login-id")[0].text, HANAKO.login_id);
    assert_eq!(details.form("#details-form").value("kana"), Some(""), "a name is never pre-filled");
    let check = give_details(&details, &HANAKO).await;
    assert_eq!(check.select("#shown-email")[0].text, HANAKO.email);
    assert!(!check.body.contains(HANAKO.password));
    let sent = confirm(&check).await;
    assert!(sent.text().contains("まだ登録は完了していません"), "{}", sent.text());
    assert_eq!(sent.select("#deadline")[0].text, "2026年11月24日(火)10時15分");
    assert_eq!(sent.select("#shown-email")[0].text, HANAKO.email, "in full, to be checked");
    assert!(!sent.url.as_str().contains("hanako"), "{}", sent.url);

    let mail = app.mailbox.next(HANAKO.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】初回登録のご確認(24時間以内にお手続きください)"));
    assert!(mail.text.contains("有効期限:2026年11月24日(火)10時15分まで(24時間)"), "{}", mail.text);
    assert!(mail.text.contains("まだ登録は完了していません"));
    for secret in ["200001", "19990101", "タケダ"] {
        assert!(!mail.text.contains(secret), "{secret} in {}", mail.text);
    }
    let [link] = mail.links().try_into().unwrap();
    let consent = complete(&browser, &link, HANAKO.password).await;
    assert!(consent.text().contains(CLIENT));
    let callback = allow(&consent).await;
    let notice = app.mailbox.next(HANAKO.email).await;
    assert_eq!(notice.subject, format!("【{INSURER}】初回登録が完了しました"));

    let tokens = rp.finish(attempt, &callback).await;
    assert_eq!(tokens.claims["acr"], "aal1");
    assert_eq!(tokens.claims["amr"], serde_json::json!(["pwd"]));
    assert_eq!(tokens.claims["auth_time"], app.clock.now().seconds());
    for personal in ["name", "email", "birthdate", "number", "symbol"] {
        assert!(tokens.claims.get(personal).is_none(), "{personal} in {}", tokens.claims);
    }
    let userinfo = rp.userinfo(&tokens).await.unwrap();
    for (claim, value) in [
        ("family_name#ja-Kana-JP", "タケダ"),
        ("given_name#ja-Kana-JP", "ハナコ"),
        ("name", HANAKO.kana),
        ("birthdate", "1999-01-01"),
        ("email", HANAKO.email),
        ("member_category", "insured"),
        ("eligibility_status", "eligible"),
        ("insurer_code", "7132"),
        ("insurer_number", "06139497"),
        ("symbol", "091"),
        ("number", "200001"),
    ] {
        assert_eq!(userinfo[claim], value, "{claim} in {userinfo}");
    }
    assert_eq!(userinfo["email_verified"], true);

    let later = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(EVERYTHING));
    let back = log_in(&set_out(&later, &attempt).await, HANAKO.login_id, HANAKO.password).await;
    let again = rp.finish(attempt, &back.location().expect("no registration, no consent")).await;
    assert_eq!(again.claims["sub"], tokens.claims["sub"]);
    assert_ne!(again.claims["sid"], tokens.claims["sid"]);

    let silent = rp.begin(&Ask::scopes(EVERYTHING).silently());
    let back = browser.get(silent.url.as_str()).await;
    let silent = rp.finish(silent, &back.location().unwrap()).await;
    assert_eq!(silent.claims["sid"], tokens.claims["sid"]);

    let refreshed = rp.refresh(tokens.refresh_token.as_deref().unwrap()).await.unwrap();
    assert_eq!(refreshed.claims["sub"], tokens.claims["sub"]);
    assert_eq!(refreshed.claims["auth_time"], tokens.claims["auth_time"]);
    assert_ne!(refreshed.refresh_token, tokens.refresh_token);
    assert_eq!(rp.userinfo(&refreshed).await.unwrap(), userinfo);

    let out = browser.get(rp.logout_url(&tokens, "bye").as_str()).await;
    assert_eq!(out.location().unwrap().as_str(), "https://app.example.jp/goodbye?state=bye");
    let attempt = rp.begin(&Ask::default().silently());
    let back = browser.get(attempt.url.as_str()).await;
    assert_eq!(rp.code(&attempt, &back.location().unwrap()), Err("login_required".to_owned()));
    let account = browser.get(&app.url("/account")).await;
    assert_eq!(account.status, StatusCode::SEE_OTHER, "signed out here too");
    app.finish().await;
}

async fn a_restart_in_the_middle_loses_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(&["profile"]));
    let login = set_out(&browser, &attempt).await;
    app.restart().await;
    let documents = log_in(&login, HANAKO.login_id, HANAKO.born).await;
    app.restart().await;
    let details = accept_documents(&documents).await;
    let check = give_details(&details, &HANAKO).await;
    app.restart().await;
    let sent = confirm(&check).await;
    app.restart().await;
    assert_eq!(browser.get(sent.url.as_str()).await.status, StatusCode::OK);
    let link = app.mailbox.next_link(HANAKO.email).await;
    let consent = complete(&browser, &link, HANAKO.password).await;
    app.restart().await;
    let back = allow(&consent).await;
    app.mailbox.next(HANAKO.email).await;
    app.restart().await;
    let tokens = rp.finish(attempt, &back).await;
    app.restart().await;
    rp.userinfo(&tokens).await.unwrap();
    let silent = rp.begin(&Ask::scopes(&["profile"]).silently());
    let back = browser.get(silent.url.as_str()).await.location().unwrap();
    let silent = rp.finish(silent, &back).await;
    assert_eq!(silent.claims["sid"], tokens.claims["sid"]);
    app.finish().await;
}

async fn a_link_opened_on_another_device_leads_back(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let (computer, phone) = (app.http_browser(), app.http_browser());
    let attempt = rp.begin(&Ask::scopes(&["profile"]));
    let sent = register(&set_out(&computer, &attempt).await, &HANAKO).await;
    let page = |name: &str| sent.url.as_str().replace("/sent", &format!("/{name}"));
    let link = app.mailbox.next_link(HANAKO.email).await;
    assert_eq!(computer.get(&page("status")).await.body, r#"{"state":"waiting"}"#);
    let early = sent.click("#completed").await.follow_here().await;
    assert!(early.url.path().ends_with("/sent"), "not done yet: {}", early.url);
    assert!(early.text().contains("まだ登録の完了を確認できていません"), "{}", early.text());

    let done = complete(&phone, &link, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    assert_eq!(done.status, StatusCode::OK);
    assert_eq!(done.select("h1")[0].text, "登録完了");
    assert_eq!(done.select("#to-service")[0].text, "サービスに戻る");
    // OIDC Core §4: the page that starts a login is told at which provider.
    let back = format!("https://app.example.jp/login?{}", encoded(&[("iss", app.url(""))]));
    assert_eq!(done.select("#to-service")[0].attr("href"), Some(back.as_str()));
    assert_eq!(phone.cookie(&app.url("/"), "kenpos-session"), None, "nobody is signed in there");
    assert_eq!(phone.get(&page("status")).await.body, r#"{"state":"ended"}"#);

    assert_eq!(computer.get(&page("status")).await.body, r#"{"state":"completed"}"#);
    let done = computer.get(sent.url.as_str()).await.follow_here().await;
    assert_eq!(done.select("h1")[0].text, "登録完了");
    assert!(done.text().contains(CLIENT));
    let consent = done.form("#done-form").submit().await.follow_here().await;
    let tokens = rp.finish(attempt, &allow(&consent).await).await;
    assert_eq!(rp.userinfo(&tokens).await.unwrap()["name"], HANAKO.kana);
    // The way in by waiting is used up: pressing again leads in peace to no second session.
    let session = computer.cookie(&app.url("/"), "kenpos-session");
    let again = done.form("#done-form").submit().await;
    assert_eq!((again.status, again.select("h1")[0].text.as_str()), (StatusCode::OK, "登録完了"));
    assert_eq!(computer.cookie(&app.url("/"), "kenpos-session"), session);
    computer.clear_cookies();
    assert_eq!(computer.get(&page("done")).await.status, StatusCode::GONE);
    app.finish().await;
}

async fn an_app_in_english_gets_pages_and_mails_in_english(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();
    let more = vec![("ui_locales", "fr en".to_owned())];
    let attempt = rp.begin(&Ask { more, ..Ask::scopes(&["profile"]) });
    let login = set_out(&browser, &attempt).await;
    assert_eq!(login.select("html")[0].attr("lang"), Some("en"));
    let sent = register(&login, &HANAKO).await;
    assert_eq!(sent.headers["content-language"], "en");
    let mail = app.mailbox.next(HANAKO.email).await;
    assert!(
        mail.subject.is_ascii() || mail.subject.contains("Mihon Health Insurance Society"),
        "{}",
        mail.subject
    );
    assert!(mail.text.contains("24 November 2026"), "{}", mail.text);
    let [link] = mail.links().try_into().unwrap();
    // Another device, set to Japanese: the page of the link follows the registration.
    let page = app.http_browser().get(link.as_str()).await;
    assert_eq!(page.select("html")[0].attr("lang"), Some("en"));
    let consent = complete(&browser, &link, HANAKO.password).await;
    assert_eq!(consent.select("html")[0].attr("lang"), Some("en"));
    let tokens = rp.finish(attempt, &allow(&consent).await).await;
    assert_eq!(rp.userinfo(&tokens).await.unwrap()["locale"], "en");
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}
