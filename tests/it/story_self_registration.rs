//! Dependents and voluntarily insured persons: from 資格照会 to an account whose login ID is the address.

mod browser;
mod input;
mod inquiry;
mod races;
mod sign_in;

use serde_json::json;

use crate::support::{
    app::{Backend, INSURER, TestApp, on_both_backends},
    family::{KIYOSHI, SAKURA, TSUTOMU, give_address, inquire, register},
    journey::{accept_documents, allow, complete, confirm, log_in, set_out},
    members::HANAKO,
    relying_party::Ask,
};

on_both_backends! {
    a_dependent_registers_from_the_app_and_back
    a_voluntarily_insured_person_registers_without_any_app
    going_back_keeps_what_was_typed
}

const SCOPES: &[&str] = &["profile", "birthdate", "email", "membership", "insured_number"];

async fn a_dependent_registers_from_the_app_and_back(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let rp = app.relying_party().await;
    let browser = app.http_browser();

    // Prompt Create 1.0: the app asks for a registration.
    let attempt = rp.begin(&Ask { more: vec![("prompt", "create".to_owned())], ..Ask::scopes(SCOPES) });
    let start = set_out(&browser, &attempt).await;
    assert_eq!(start.url.path(), "/registration");
    let eligibility = start.click("#to-eligibility").await;
    assert!(eligibility.text().contains("上記同意の上、個人情報・利用規約同意ステップに進む"));
    assert!(eligibility.select("#insurer_number").is_empty(), "there is one insurer, so it is not asked for");
    let documents = inquire(&eligibility, &SAKURA).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.text());
    assert!(documents.text().contains("資格照会"), "the first of the steps");
    let details = accept_documents(&documents).await;
    assert_eq!(details.select("#shown-kana")[0].text, "タケダ サクラ");
    assert_eq!(details.select("#shown-birth-date")[0].text, "2001-04-03");
    assert!(details.text().contains("ここで登録するメールアドレスがログインIDとなります"));
    assert!(details.select("#kana, #shown-login-id").is_empty());
    let check = give_address(&details, &SAKURA.someone).await;
    assert_eq!(check.select("#shown-email")[0].text, SAKURA.someone.email);
    assert_eq!(check.select("#shown-birth-date")[0].text, "2001-04-03");
    assert!(!check.body.contains(SAKURA.someone.password));
    confirm(&check).await;

    let mail = app.mailbox.next(SAKURA.someone.email).await;
    assert_eq!(mail.subject, format!("【{INSURER}】初回登録のご確認(24時間以内にお手続きください)"));
    for secret in ["200001", "2001", "タケダ", "サクラ"] {
        assert!(!mail.text.contains(secret), "{secret} in {}", mail.text);
    }
    let [link] = mail.links().try_into().unwrap();
    let callback = allow(&complete(&browser, &link, SAKURA.someone.password).await).await;
    app.mailbox.next(SAKURA.someone.email).await;
    let tokens = rp.finish(attempt, &callback).await;
    let userinfo = rp.userinfo(&tokens).await.unwrap();
    for (claim, value) in [
        ("name", json!("タケダ サクラ")),
        ("birthdate", json!("2001-04-03")),
        ("email", json!(SAKURA.someone.email)),
        ("email_verified", json!(true)),
        ("member_category", json!("dependent")),
        ("symbol", json!("091")),
        ("number", json!("200001")),
        ("branch", json!("02")),
    ] {
        assert_eq!(userinfo[claim], value, "{claim} in {userinfo}");
    }
    let account = browser.get(&app.url("/account")).await;
    assert_eq!(account.select("#shown-category")[0].text, "被扶養者");

    // From now on the address is the login ID, in any case and width.
    let later = app.http_browser();
    let attempt = rp.begin(&Ask::scopes(SCOPES));
    let typed = "ｓａｋｕｒａ．TAKEDA@Mail.Example";
    let back = log_in(&set_out(&later, &attempt).await, typed, SAKURA.someone.password).await;
    let again = rp.finish(attempt, &back.location().expect("signed in")).await;
    assert_eq!(again.claims["sub"], tokens.claims["sub"]);
    app.finish().await;
}

async fn a_voluntarily_insured_person_registers_without_any_app(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.with_families().await;
    let browser = app.activate_relative(&KIYOSHI).await;
    let account = browser.get(&app.url("/account")).await;
    assert_eq!(account.select("#shown-category")[0].text, "任意継続被保険者");
    assert_eq!(account.select("#shown-name")[0].text, "オオタ キヨシ");

    // Who chooses an account sees the address, masked, and never the number.
    let rp = app.relying_party().await;
    let ask = Ask { more: vec![("prompt", "select_account".to_owned())], ..Ask::default() };
    let choice = set_out(&browser, &rp.begin(&ask)).await;
    assert!(choice.text().contains("k***@mail.example"), "{}", choice.text());

    // The login page leads here too, and prompt=create does with somebody else signed in.
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let eligibility = login.click("#register").await.click("#to-eligibility").await;
    assert!(eligibility.url.path().ends_with("/eligibility"), "{}", eligibility.url);
    let ask = Ask { more: vec![("prompt", "create".to_owned())], ..Ask::default() };
    let attempt = rp.begin(&ask);
    let start = set_out(&browser, &attempt).await;
    register(&start.click("#to-eligibility").await, &TSUTOMU).await;
    let link = app.mailbox.next_link(TSUTOMU.someone.email).await;
    let callback = allow(&complete(&browser, &link, TSUTOMU.someone.password).await).await;
    app.mailbox.next(TSUTOMU.someone.email).await;
    rp.finish(attempt, &callback).await;
    let account = browser.get(&app.url("/account")).await;
    assert_eq!(account.select("#shown-category")[0].text, "被扶養者", "the new one took over the browser");
    app.finish().await;
}

async fn going_back_keeps_what_was_typed(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.with_families().await;
    let browser = app.http_browser();
    let eligibility = app.eligibility(&browser).await;
    let path = eligibility.url.to_string();
    // A step cannot be skipped.
    for step in ["documents", "details", "confirm", "sent"] {
        let page = browser.get(&path.replace("eligibility", step)).await.follow_here().await;
        assert!(page.url.path().starts_with("/login/"), "{step} leads to {}", page.url);
    }
    let details = accept_documents(&inquire(&eligibility, &SAKURA).await).await;
    let check = give_address(&details, &SAKURA.someone).await;
    let again = check.click("#back").await;
    assert_eq!(again.form("#details-form").value("email"), Some(SAKURA.someone.email));
    assert_eq!(again.form("#details-form").value("password"), Some(""));

    let eligibility = browser.get(&path).await;
    let form = eligibility.form("#eligibility-form");
    let typed = ["symbol", "number", "branch", "kana", "birth_date"].map(|name| form.value(name).unwrap());
    assert_eq!(typed, ["091", "200001", "", "タケダ サクラ", "2001-04-03"]);
    // The same person again goes on where the registration stands, with the address kept.
    let details = inquire(&eligibility, &SAKURA).await;
    assert_eq!(details.form("#details-form").value("email"), Some(SAKURA.someone.email), "{}", details.url);
    // Another person in the same tab begins anew: nothing of the first is carried over.
    let documents = inquire(&browser.get(&path).await, &TSUTOMU).await;
    assert!(documents.url.path().ends_with("/documents"), "{}", documents.url);
    let details = accept_documents(&documents).await;
    assert_eq!(details.form("#details-form").value("email"), Some(""));
    assert_eq!(details.select("#shown-kana")[0].text, "タケダツトム", "as typed, not as in the roster");
    // And an insured person who signs in takes the tab over too.
    let login = browser.get(&path.replace("/registration/", "/login/").replace("/eligibility", "")).await;
    let documents = log_in(&login, HANAKO.login_id, HANAKO.born).await;
    let details = accept_documents(&documents).await;
    assert_eq!(details.select("#shown-login-id")[0].text, HANAKO.login_id, "{}", details.url);
    app.finish().await;
}
