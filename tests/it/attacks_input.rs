//! Input that no form would send: too large, malformed, in the wrong place, cut off, or far too much of it.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::{join, join_all};
use kenpos_idp::config::Config;
use reqwest::{Method, StatusCode};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{
    app::{Backend, TestApp, on_both_backends},
    attack::encoded,
    http_browser::{HttpBrowser, Page},
    journey::{accept_documents, give_login_id, log_in, register},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    no_octet_of_a_request_is_trusted
    a_request_that_is_cut_off_leaves_nothing_behind
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const HTML: (&str, &str) = ("Accept", "text/html");

/// The password page of Hanako in a browser, with its token.
async fn password_page(app: &TestApp) -> (HttpBrowser, Page, String) {
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let page = give_login_id(&login, HANAKO.login_id).await;
    let csrf = page.form("#password-form").value("csrf").unwrap().to_owned();
    (browser, page, csrf)
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_any_work() {
    let app = TestApp::start(Backend::Embedded).await;
    let (browser, page, csrf) = password_page(&app).await;
    let runs = app.app().members.passwords.runs();
    let cookie = browser.cookie(page.url.as_str(), "kenpos-browser").unwrap();
    let megabyte = "あ".repeat(350_000);
    let body = encoded(&[("csrf", csrf.clone()), ("password", megabyte)]);
    for (path, accept, length) in [
        (page.url.path(), "text/html", true),
        (page.url.path(), "text/html", false),
        ("/token", "application/json", true),
        ("/token", "application/json", false),
        ("/userinfo", "application/json", true),
        ("/authorize", "text/html", true),
        ("/logout", "text/html", true),
    ] {
        let framed = if length {
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        } else {
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
        };
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\nConnection: close\r\nContent-Type: {}\r\n\
             Cookie: kenpos-browser={cookie}\r\n{framed}",
            app.address(),
            FORM.1
        );
        let answer = app.octets(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{path} {length}: {}", &answer[..answer.len().min(500)]);
        let told = if accept == "text/html" {
            "送信された内容が大きすぎます"
        } else {
            "invalid_request"
        };
        assert!(answer.contains(told), "{path} {length}: {answer}");
    }
    assert_eq!(app.app().members.passwords.runs(), runs, "nothing was hashed");
    // What fits into a request and is no password of anybody is just wrong.
    for password in ["x".repeat(60_000), "ﷺ".repeat(6_000), "\u{200b}".repeat(6_000), "a\0b".to_owned()] {
        let body = encoded(&[("csrf", csrf.clone()), ("password", password)]);
        let answer = browser.raw(Method::POST, page.url.as_str(), &[FORM, HTML], &body).await;
        assert!([422, 429].contains(&answer.status.as_u16()), "{}", answer.text());
    }
    let long = "7".repeat(20_000);
    for login_id in [&long, &format!("{long}@example.jp"), &"７".repeat(5_000), &"-".repeat(5_000)] {
        let login = browser.get(&app.url("/login")).await.follow_here().await;
        let refused = login.form("#login-id-form").set("login_id", login_id).submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
    }
    for path in ["/login/", "/registration/link/", "/nowhere/", "/authorize/"] {
        let answer = browser.get(&app.url(&format!("{path}{long}"))).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    app.finish().await;
}

#[tokio::test]
async fn names_and_addresses_of_ten_thousand_characters_are_refused() {
    let app = TestApp::start(Backend::Embedded).await;
    let browser = app.http_browser();
    let start = browser.get(&app.url("/login")).await.follow_here().await;
    let details = accept_documents(&log_in(&start, ICHIRO.login_id, ICHIRO.born).await).await;
    for kana in [
        "ア".repeat(2_000),
        "ｱﾞ".repeat(1_500),
        "ア\u{3099}".repeat(1_500),
        "　".repeat(2_000),
        "ア\0".to_owned(),
    ] {
        let form = details.form("#details-form").set("kana", &kana).set("email", ICHIRO.email);
        let refused = form.set("password", ICHIRO.password).submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
    }
    let encoded_twice_as_long = "ア".repeat(10_000);
    let form = details.form("#details-form").set("kana", &encoded_twice_as_long).set("email", ICHIRO.email);
    let refused = form.set("password", ICHIRO.password).submit().await;
    assert!([413, 422].contains(&refused.status.as_u16()), "{}", refused.text());
    let local = "a".repeat(65);
    for email in
        [&format!("{local}@example.jp"), "a@b", "a\0@example.jp", "a@example.jp\r\nBcc: x@evil.example", "@"]
    {
        let form = details.form("#details-form").set("kana", ICHIRO.kana).set("email", email);
        let refused = form.set("password", ICHIRO.password).submit().await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{email:?}: {}", refused.text());
    }
    let misses = "select sum(temporary_kana_misses) from roster_person";
    assert_eq!(app.number(misses).await, 0, "nothing of that was a guess at the name");
    app.finish().await;
}

async fn no_octet_of_a_request_is_trusted(backend: Backend) {
    let app = TestApp::start(backend).await;
    let (browser, page, csrf) = password_page(&app).await;
    // Percent signs that stand for nothing, octets that are no UTF-8, NUL, and repeated fields.
    for body in [
        format!("csrf={csrf}&password=%"),
        format!("csrf={csrf}&password=%zz%1"),
        format!("csrf={csrf}&password=%ff%fe%80"),
        format!("csrf={csrf}&password=%00"),
        format!("csrf={csrf}&password=a&password=b"),
        format!("csrf={csrf}&password[]=a&password[x]=b"),
        format!("csrf={csrf}&&&=&password"),
        format!("csrf={csrf};password=a"),
        format!("{}csrf={csrf}", "a&".repeat(20_000)),
        "%".repeat(10_000),
        String::new(),
    ] {
        let answer = browser.raw(Method::POST, page.url.as_str(), &[FORM, HTML], &body).await;
        assert!(answer.status.is_client_error(), "{body:.80}: {}", answer.status);
        assert!(!answer.select("h1").is_empty(), "{body:.80}");
    }
    for path in [
        "/login/%ff",
        "/login/%00",
        "/login/%2e%2e",
        "/login/%",
        "/registration/link/%00%ff",
        "/consent/%c0%ae",
        "/authorize/%F0%9F%8C%B8",
        "/registration?i=%ff",
        "/registration?i=1&i=2",
        "/registration/x/sent?again=maybe",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/assets//etc/passwd",
        "/assets/..%2f..%2fCargo.toml",
        "/%00",
        "/login?ui_locales=%ff",
        "/authorize?%ff=%ff&client_id=%00",
        "/logout?client_id=%00&id_token_hint=%00",
        "/logout?post_logout_redirect_uri=%00",
        "/recovery/password?i=%00",
    ] {
        for accept in [HTML, ("Accept", "application/json")] {
            let answer = browser.raw(Method::GET, &app.url(path), &[accept], "").await;
            assert!(!answer.status.is_server_error(), "{path}: {} {}", answer.status, answer.body);
            assert!(!answer.body.contains("[package]") && !answer.body.contains("root:"), "{path}");
        }
    }
    for (fields, what) in [
        ("grant_type=authorization_code&code=%00&redirect_uri=%00&client_id=%00", "NUL"),
        ("grant_type=refresh_token&refresh_token=%ff.%ff.%ff&client_id=%ff", "no UTF-8"),
        ("grant_type=refresh_token&refresh_token=..&client_id=%E3%81%82", "dots"),
        ("grant_type=%00", "grant_type"),
        ("%", "a percent sign"),
        ("", "nothing"),
    ] {
        let answer = browser.raw(Method::POST, &app.url("/token"), &[FORM], fields).await;
        assert!([400, 401].contains(&answer.status.as_u16()), "{what}: {} {}", answer.status, answer.body);
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert!(json["error"].is_string(), "{what}: {json}");
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for kind in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
        "\t",
        "application/x-www-form-urlencoded2",
    ] {
        let answer = browser.raw(Method::POST, &app.url("/token"), &[("Content-Type", kind)], &deep).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{kind}");
        assert!(answer.body.contains("invalid_request"), "{kind}: {}", answer.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_told_which_it_has() {
    let app = TestApp::start(Backend::Embedded).await;
    for (path, allowed) in [
        ("/token", "POST"),
        ("/jwks", "GET,HEAD"),
        ("/userinfo", "GET,HEAD,POST"),
        ("/login", "GET,HEAD"),
        ("/login/x/password", "GET,HEAD,POST"),
        ("/registration/x/resend", "POST"),
    ] {
        for method in ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW", "M-SEARCH", "get"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                app.address()
            );
            let answer = app.octets(request.as_bytes()).await.to_ascii_lowercase();
            assert!(answer.starts_with("http/1.1 405"), "{method} {path}: {answer}");
            assert!(
                answer.contains(&format!("allow: {}\r\n", allowed.to_ascii_lowercase())),
                "{path}: {answer}"
            );
        }
    }
    for octets in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nConnection: close\r\n\r\n",
        "\u{16}\u{3}\u{1}\0\u{1}hello",
    ] {
        let answer = app.fragment(octets.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 5") && !answer.contains("evil"), "{octets:?}: {answer}");
    }
    let huge = format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "a=b; ".repeat(200_000));
    let answer = app.fragment(huge.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let cookies = format!("kenpos-session={}; {}", "A".repeat(43), "kenpos-browser=x; ".repeat(1_000));
    let page = app.http_browser().raw(Method::GET, &app.url("/account"), &[("Cookie", &cookies)], "").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    app.finish().await;
}

async fn a_request_that_is_cut_off_leaves_nothing_behind(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let (browser, page, csrf) = password_page(&app).await;
    let cookie = browser.cookie(page.url.as_str(), "kenpos-browser").unwrap();
    let body = encoded(&[("csrf", csrf), ("password", HANAKO.born.to_owned())]);
    let whole = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nCookie: kenpos-browser={cookie}\r\nContent-Length: {}\r\n\r\n{body}",
        page.url.path(),
        app.address(),
        FORM.1,
        body.len()
    );
    // Cut off anywhere, and also when all is sent and the answer is about to be made.
    for sent in (0..whole.len()).step_by(23).chain([whole.len(); 20]) {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(&whole.as_bytes()[..sent]).await.unwrap();
        drop(stream);
    }
    let idle = async || {
        while app.app().members.passwords.in_progress() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), idle()).await.expect("every permit comes back");
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    register(&login, &ICHIRO).await;
    app.mailbox.next_link(ICHIRO.email).await;
    let ready = browser.get(&app.url("/readyz")).await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.body);
    app.finish().await;
}

/// Two at once and two waiting, each taking a while.
fn narrow(config: &mut Config) {
    config.passwords.concurrent = 2;
    config.passwords.queue = 2;
    config.passwords.memory_kib = 8 * 1024;
    config.passwords.iterations = 4;
    config.insurers[0].policy.login_failures = 1_000;
}

#[tokio::test]
async fn a_flood_of_logins_is_shed_and_the_token_endpoint_goes_on() {
    let mut app = TestApp::start_with(Backend::Embedded, narrow).await;
    let member = app.activate(&HANAKO).await;
    let code = app.code(&member, &app.client, "openid offline_access").await;
    let mut refresh = app.redeem(&app.client, &code).await.text("refresh_token").to_owned();
    let mut pages = Vec::new();
    for _ in 0..40 {
        pages.push(password_page(&app).await.1);
    }
    let passwords = app.app().members.passwords.clone();
    let done = std::sync::atomic::AtomicBool::new(false);
    let flood = async {
        let logins = pages.iter().enumerate().map(|(n, page)| {
            let password = if n % 2 == 0 { HANAKO.password } else { "wrong" };
            page.form("#password-form").set("password", password).submit()
        });
        let answers = join_all(logins).await;
        done.store(true, Ordering::SeqCst);
        answers
    };
    let meanwhile = async {
        let mut most = 0;
        let mut answered = 0;
        while !done.load(Ordering::SeqCst) || answered == 0 {
            most = most.max(passwords.in_progress());
            let answer = app.refresh(&app.client, &refresh).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
            answer.text("refresh_token").clone_into(&mut refresh);
            answered += 1;
        }
        most
    };
    let (answers, most) = join(flood, meanwhile).await;
    assert!((1..=4).contains(&most), "{most} at once: two run and two wait");
    let shed = answers.iter().filter(|page| page.status == StatusCode::SERVICE_UNAVAILABLE).count();
    assert!((1..40).contains(&shed), "{shed} of 40 were shed");
    for (n, page) in answers.iter().enumerate() {
        match page.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(page.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
                assert_eq!(page.select("h1")[0].text, "ただいま混み合っています");
            }
            StatusCode::SEE_OTHER => assert_eq!(n % 2, 0, "only the right password"),
            StatusCode::UNPROCESSABLE_ENTITY => assert_eq!(n % 2, 1, "only a wrong password"),
            other => panic!("{other}: {}", page.text()),
        }
    }
    // Afterwards it is as before.
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    assert_eq!(log_in(&login, HANAKO.login_id, HANAKO.password).await.url.path(), "/account");
    app.finish().await;
}
