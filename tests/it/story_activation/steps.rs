//! The steps in order: none can be skipped, none is done by an empty form, what is refused says why.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, DAY, HOUR, MILLISECOND, MINUTE, TestApp, almost, on_both_backends},
    http_browser::{HttpBrowser, Page},
    journey::{
        accept_documents, complete, confirm, give_details, give_login_id, give_password, log_in, register,
    },
    members::{HANAKO, Someone, TOO_YOUNG},
};

on_both_backends! {
    nobody_under_fifteen_registers
    both_documents_must_be_accepted_as_shown
    no_step_can_be_skipped
    an_empty_form_completes_nothing
    a_refused_password_is_the_only_thing_to_type_again
    going_back_keeps_everything_but_the_password
    nobody_floods_an_address_with_mails
}

/// Every page of a registration, by what stands at the end of its path.
const PAGES: [&str; 5] = ["documents", "details", "confirm", "sent", "done"];

fn at(page: &Page, last: &str) -> bool {
    page.url.path().ends_with(&format!("/{last}"))
}

fn interaction(page: &Page) -> String {
    page.url.path_segments().unwrap().nth(1).unwrap().to_owned()
}

/// Posts to `path` what a page would, whether or not there is a page that does.
async fn post(app: &TestApp, browser: &HttpBrowser, csrf: &str, path: &str, fields: &str) -> Page {
    let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
    let body = format!("csrf={csrf}&{fields}");
    browser.raw(Method::POST, &app.url(path), &form, &body).await
}

async fn nobody_under_fifteen_registers(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let person = "記号,番号,区分,氏名カナ,生年月日\n500,1,一般被保険者,アオキ ソラ,2011-11-24\n";
    app.import_roster(person).await;
    let sora = Someone {
        login_id: "7132-500000001",
        born: "20111124",
        kana: "アオキ ソラ",
        email: "sora.aoki@mail.example",
        ..HANAKO
    };
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    for young in [TOO_YOUNG, sora] {
        let refused = log_in(&login, young.login_id, young.born).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text().contains("15歳以上"), "{}", refused.text());
    }
    // The birthday begins at midnight in Japan, 13:45 from now.
    app.clock.advance(almost(13 * HOUR + 45 * MINUTE));
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    assert_eq!(log_in(&login, sora.login_id, sora.born).await.status, StatusCode::FORBIDDEN);
    app.clock.advance(MILLISECOND);
    register(&login, &sora).await;
    app.mailbox.next_link(sora.email).await;
    app.finish().await;
}

async fn both_documents_must_be_accepted_as_shown(backend: Backend) {
    let app = TestApp::start(backend).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let documents = log_in(&login, HANAKO.login_id, HANAKO.born).await;
    for (ticked, missing) in [
        (&[][..], &["個人情報の取り扱いについて", "会員利用規約について"][..]),
        (&["privacy"][..], &["会員利用規約について"][..]),
        (&["terms"][..], &["個人情報の取り扱いについて"][..]),
    ] {
        let form = ticked.iter().fold(documents.form("#documents-form"), |form, name| form.set(name, "on"));
        let refused = form.submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let summary = &refused.select("#errors")[0].text;
        for title in missing {
            assert!(summary.contains(&format!("「{title}」をお読みのうえ")), "{summary}");
        }
        assert_eq!(summary.matches("お読みのうえ").count(), missing.len(), "{summary}");
        let kept = refused.form("#documents-form");
        assert!(ticked.iter().all(|name| kept.value(name) == Some("on")), "what was ticked stays ticked");
    }
    let form = documents.form("#documents-form").set("privacy", "on").set("terms", "on");
    let other = form.set("terms_shown", "2020-01-01:another").submit().await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "another text was on the screen");
    assert!(at(&accept_documents(&documents).await, "details"));
    app.finish().await;
}

/// Where each page leads while the registration stands at `stage`; earlier pages may be opened again.
async fn leads(app: &TestApp, browser: &HttpBrowser, id: &str, open: &[&str], stage: &str) {
    for page in PAGES.iter().filter(|page| !open.contains(page)) {
        let answer = browser.get(&app.url(&format!("/registration/{id}/{page}"))).await.follow_here().await;
        assert!(at(&answer, stage), "{page} leads to {} instead of {stage}", answer.url);
    }
    for page in open {
        let answer = browser.get(&app.url(&format!("/registration/{id}/{page}"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{page} at {stage}");
    }
}

async fn no_step_can_be_skipped(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let (id, csrf) = (interaction(&login), login.form("#login-id-form").value("csrf").unwrap().to_owned());
    let good = "privacy=on&terms=on&kana=タケダハナコ&password=なのはな畑で3時に会う&email=hanako.takeda@mail.example";
    let password = browser.get(&app.url(&format!("/login/{id}/password"))).await.follow_here().await;
    assert_eq!(password.url.path(), format!("/login/{id}"), "no password before a login ID");
    for page in PAGES {
        for answer in [
            browser.get(&app.url(&format!("/registration/{id}/{page}"))).await,
            post(&app, &browser, &csrf, &format!("/registration/{id}/{page}"), good).await,
        ] {
            let end = if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                answer
            } else {
                answer.follow_here().await
            };
            let refused =
                end.status == StatusCode::METHOD_NOT_ALLOWED || end.url.path() == format!("/login/{id}");
            assert!(refused, "{page} without the temporary password: {}", end.url);
        }
    }
    let documents = log_in(&login, HANAKO.login_id, HANAKO.born).await;
    leads(&app, &browser, &id, &["documents"], "documents").await;
    for page in ["details", "confirm", "resend", "done"] {
        let answer = post(&app, &browser, &csrf, &format!("/registration/{id}/{page}"), good).await;
        assert!(at(&answer.follow_here().await, "documents"), "posting to {page}");
    }
    let details = accept_documents(&documents).await;
    leads(&app, &browser, &id, &["documents", "details"], "details").await;
    for page in ["confirm", "resend", "done"] {
        let answer = post(&app, &browser, &csrf, &format!("/registration/{id}/{page}"), good).await;
        assert!(at(&answer.follow_here().await, "details"), "posting to {page}");
    }
    let check = give_details(&details, &HANAKO).await;
    leads(&app, &browser, &id, &["documents", "details", "confirm"], "confirm").await;
    confirm(&check).await;
    leads(&app, &browser, &id, &["details", "sent"], "sent").await;
    let done = post(&app, &browser, &csrf, &format!("/registration/{id}/done"), "").await.follow_here().await;
    assert!(at(&done, "sent"), "done before it is: {}", done.url);
    assert_eq!(browser.cookie(&app.url("/"), "kenpos-session"), None);
    // Another browser finds nothing at these addresses.
    let other = app.http_browser();
    for page in PAGES {
        let answer = other.get(&app.url(&format!("/registration/{id}/{page}"))).await;
        assert_eq!(answer.status, StatusCode::GONE, "{page}");
    }
    app.mailbox.next_link(HANAKO.email).await;
    app.finish().await;
}

async fn an_empty_form_completes_nothing(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let (id, csrf) = (interaction(&login), login.form("#login-id-form").value("csrf").unwrap().to_owned());
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let empty = async |path: &str| {
        for body in ["", "x=1"] {
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let forged = browser.raw(Method::POST, &app.url(path), &form, body).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN, "{path} without a token");
        }
        post(&app, &browser, &csrf, path, "").await.status
    };
    assert_eq!(empty(&format!("/login/{id}")).await, unprocessable);
    assert_eq!(empty(&format!("/login/{id}/number")).await, unprocessable);
    let password = give_login_id(&login, HANAKO.login_id).await;
    assert_eq!(empty(&format!("/login/{id}/password")).await, unprocessable);
    let documents = give_password(&password, HANAKO.born).await;
    assert_eq!(empty(&format!("/registration/{id}/documents")).await, unprocessable);
    let details = accept_documents(&documents).await;
    assert_eq!(empty(&format!("/registration/{id}/details")).await, unprocessable);
    let check = give_details(&details, &HANAKO).await;
    confirm(&check).await;
    let link = app.mailbox.next_link(HANAKO.email).await;
    for body in ["csrf", "csrf=&password="] {
        let page = browser
            .raw(Method::POST, link.as_str(), &[("content-type", "application/x-www-form-urlencoded")], body)
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(post(&app, &browser, &csrf, link.path(), "").await.status, unprocessable);
    let account = complete(&browser, &link, HANAKO.password).await;
    assert_eq!(account.url.path(), "/account");
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn a_refused_password_is_the_only_thing_to_type_again(backend: Backend) {
    let app = TestApp::start(backend).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&login, HANAKO.login_id, HANAKO.born).await).await;
    let empty = details.form("#details-form").set("password", "").submit().await;
    let listed: Vec<_> =
        empty.select("#errors a").iter().map(|a| a.attr("href").unwrap().to_owned()).collect();
    assert_eq!(listed, ["#kana", "#password", "#email"], "in the order of the page");
    let long = "あ".repeat(129);
    for (password, reason) in [
        ("", "新しいパスワードを入力してください"),
        ("みじかい9文字です", "10文字以上"),
        (long.as_str(), "文字以内"),
        ("19990101", "10文字以上"),
        ("たぶん1999年1月1日です", "生年月日を含む"),
        ("my-19990101-secret", "生年月日を含む"),
        ("x7132-091200001y", "記号・番号を含む"),
        ("TakedaHanako!", "氏名を含む"),
        ("hanako.takeda@mail.example", "を含む"),
        ("password1234", "よく使われる"),
        ("aaaaaaaaaaaa", "推測されやすい"),
        ("1234567890", "よく使われる"),
    ] {
        let form = details.form("#details-form").set("kana", HANAKO.kana).set("email", HANAKO.email);
        let page = form.set("topics", "checkup").set("password", password).submit().await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{password}");
        let error = &page.select("#password-error")[0].text;
        assert!(error.contains(reason), "{password}: {error}");
        let kept = page.form("#details-form");
        assert_eq!(kept.value("kana"), Some(HANAKO.kana));
        assert_eq!(kept.value("email"), Some(HANAKO.email));
        assert_eq!(kept.value("topics"), Some("checkup"));
        assert_eq!(kept.value("password"), Some(""), "the password never comes back");
        assert!(page.select("#kana-error, #email-error").is_empty());
    }
    app.finish().await;
}

async fn going_back_keeps_everything_but_the_password(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&login, HANAKO.login_id, HANAKO.born).await).await;
    let mistyped = Someone { email: "hanako.takada@mail.example", ..HANAKO };
    let form = details.form("#details-form").set("kana", "たけだ　はなこ").set("email", mistyped.email);
    let check =
        form.set("password", HANAKO.password).set("topics", "checkup").submit().await.follow_here().await;
    assert!(check.text().contains(HANAKO.kana), "shown back as it was understood: {}", check.text());
    let again = check.click("#back").await;
    let kept = again.form("#details-form");
    assert_eq!(kept.value("email"), Some(mistyped.email));
    assert_eq!(kept.value("topics"), Some("checkup"));
    assert_eq!(kept.value("password"), Some(""));
    let sent = confirm(&give_details(&again, &mistyped).await).await;
    let wrong = app.mailbox.next_link(mistyped.email).await;
    // 「戻ってメールアドレスを訂正する」: the new mail voids the link that went astray.
    let corrected = confirm(&give_details(&sent.click("#back").await, &HANAKO).await).await;
    assert!(at(&corrected, "sent"), "{}", corrected.text());
    let link = app.mailbox.next_link(HANAKO.email).await;
    assert_eq!(browser.get(wrong.as_str()).await.status, StatusCode::GONE);
    complete(&browser, &link, HANAKO.password).await;
    app.mailbox.next(HANAKO.email).await;
    app.finish().await;
}

async fn nobody_floods_an_address_with_mails(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let documents = log_in(&login, HANAKO.login_id, HANAKO.born).await;
    let details = accept_documents(&documents).await;
    for _ in 0..11 {
        confirm(&give_details(&details, &HANAKO).await).await;
        app.mailbox.next_link(HANAKO.email).await;
    }
    let check = give_details(&details, &HANAKO).await;
    let sent = confirm(&check).await;
    app.mailbox.next_link(HANAKO.email).await;
    let refused = sent.form("#resend-form").submit().await.follow_here().await;
    assert!(refused.text().contains("上限に達しました"), "no thirteenth mail: {}", refused.text());
    let check = give_details(&details, &HANAKO).await;
    let refused = confirm(&check).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{}", refused.text());
    assert!(refused.select("#errors")[0].text.contains("上限に達しました"), "{}", refused.text());
    // Redis counts by its own clock, which no test moves.
    if backend == Backend::Embedded {
        app.clock.advance(DAY);
        confirm(&check).await;
        app.mailbox.next_link(HANAKO.email).await;
    }
    app.finish().await;
}
