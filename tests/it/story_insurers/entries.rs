//! In whose name a page speaks, and how a member gets to the right one.

use kenpos_idp::config::insurer::SelfRegistering;
use reqwest::{Method, StatusCode};

use crate::support::{
    app::{Backend, INSURER, TestApp, on_both_backends},
    family::{SAKURA, inquire},
    insurers::{KAEDE, MOMIJI, MOMIJI_HOST, head},
    journey::{give_login_id, log_in, register},
    members::HANAKO,
    recovery::{renew, send_login_id_form, send_password_form},
};

on_both_backends! {
    the_login_id_tells_the_insurer
    the_entry_of_an_insurer_speaks_in_its_name
    a_host_of_an_insurer_leads_to_its_entry
    who_is_at_no_insurer_chooses_one
    an_insurer_decides_who_registers_alone
    mails_and_their_pages_are_the_insurers_own
    one_insurer_shows_nothing_of_all_this
}

async fn the_login_id_tells_the_insurer(backend: Backend) {
    let app = TestApp::of_two(backend).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    assert_eq!(head(&login), "KENPOS");
    for (someone, name, phone) in [(HANAKO, INSURER, "03-1234-5678"), (KAEDE, MOMIJI, "06-9876-5432")] {
        let password = give_login_id(&login, someone.login_id).await;
        assert_eq!(head(&password), name);
        assert!(password.text().contains(phone), "{}", password.text());
    }
    let unknown = give_login_id(&login, "9999-091200001").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unknown.text());
    // An address tells nothing, whether it is known or not.
    assert_eq!(head(&give_login_id(&login, "nobody@mail.example").await), "KENPOS");
    app.finish().await;
}

async fn the_entry_of_an_insurer_speaks_in_its_name(backend: Backend) {
    let app = TestApp::of_two(backend).await;
    let browser = app.http_browser();
    let login = app.entry(&browser, "8001").await;
    assert!(login.url.path().starts_with("/login/"), "{}", login.url);
    assert_eq!(head(&login), MOMIJI);
    assert!(login.text().contains("8001-091200001"), "its login IDs are explained: {}", login.text());
    let style = login.select("link[rel=stylesheet]");
    assert!(style.iter().any(|link| link.attr("href") == Some("/assets/brand/f5a623.css")));
    for link in ["#register", "#forgot-login-id", "#by-number"] {
        let page = login.click(link).await;
        assert_eq!(head(&page), MOMIJI, "{link}");
        assert!(page.select("#insurer, #insurer_number").is_empty(), "{link} asks for what is known");
        assert!(!page.text().contains("03-1234-5678"), "{link} names the other office");
    }
    // From two boxes comes a login ID of this insurer.
    let number = login.click("#by-number").await;
    let form = number.form("#login-number-form").set("symbol", "91").set("number", "200001");
    let password = form.submit().await.follow_here().await;
    assert!(password.text().contains(KAEDE.login_id), "{}", password.text());
    // A member of the other insurer is led to the right one by the login ID.
    assert_eq!(head(&give_login_id(&login, HANAKO.login_id).await), INSURER);
    for unknown in ["/i/9999", "/i/", "/i/8001%2f..", "/i/%FF", "/i/8001'--", "/i/9999/registration"] {
        let page = browser.get(&app.url(unknown)).await;
        assert!([400, 404].contains(&page.status.as_u16()), "{unknown}: {}", page.status);
        assert_eq!(head(&page), "KENPOS");
    }
    app.finish().await;
}

async fn a_host_of_an_insurer_leads_to_its_entry(backend: Backend) {
    let app = TestApp::of_two(backend).await;
    let browser = app.http_browser();
    let ask = async |method: Method, path: &str, host: &str| {
        let headers = [("Host", host), ("Accept", "text/html"), ("X-Forwarded-Host", "evil.example")];
        browser.raw(method, &app.url(path), &headers, "").await
    };
    for host in [MOMIJI_HOST, "MOMIJI.example.jp:443"] {
        for (path, entry) in
            [("/", "/i/8001"), ("/login", "/i/8001"), ("/registration", "/i/8001/registration")]
        {
            let page = ask(Method::GET, path, host).await;
            assert_eq!(page.headers["location"], app.url(entry), "{host}{path}");
            assert_eq!(page.headers.get("set-cookie"), None, "no cookie under another name");
        }
    }
    // Nothing else is served there: no cookies, no tokens, no links under a second origin.
    for (method, path) in [
        (Method::POST, "/token"),
        (Method::POST, "/login"),
        (Method::GET, "/.well-known/openid-configuration"),
        (Method::GET, "/authorize"),
        (Method::GET, "/recovery/password"),
        (Method::GET, "/account"),
    ] {
        let page = ask(method, path, MOMIJI_HOST).await;
        assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert!(!page.body.contains(MOMIJI_HOST), "{}", page.body);
    }
    assert_eq!(ask(Method::GET, "/healthz", MOMIJI_HOST).await.status, StatusCode::OK);
    // Any other name changes nothing and is repeated nowhere.
    for host in ["evil.example", "momiji.example.jp.evil.example", "momiji.example.jp@evil.example", "x"] {
        let page = ask(Method::GET, "/login", host).await;
        let location = page.headers.get("location").map_or("", |location| location.to_str().unwrap());
        assert!(location.is_empty() || location.starts_with("/login/"), "{host}: {location}");
        assert!(!page.body.contains("evil"), "{}", page.body);
    }
    app.finish().await;
}

async fn who_is_at_no_insurer_chooses_one(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    app.activate(&KAEDE).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let choice = login.click("#choose-insurer").await;
    assert_eq!(choice.select("#insurer-form button").len(), 2);
    let chosen = choice.form("#insurer-form").click("insurer", "8001").submit().await.follow_here().await;
    assert_eq!((head(&chosen), chosen.url.path()), (MOMIJI.to_owned(), login.url.path()));
    // By the number of the certificate, full-width or not; another one is refused.
    let choice = chosen.click("#choose-insurer").await;
    for (typed, name) in
        [("０６１３９４９７", Some(INSURER)), ("33120015", None), ("06139498", None), ("", None)]
    {
        let form = choice.form("#insurer-number-form").set("insurer_number", typed);
        let page = form.submit().await.follow_here().await;
        match name {
            Some(name) => assert_eq!(head(&page), name),
            None => assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}"),
        }
    }
    // A login ID of one insurer does not stay when another is chosen.
    let password = give_login_id(&login, HANAKO.login_id).await;
    assert_eq!(head(&password), INSURER);
    let next = choice.form("#insurer-form").click("insurer", "8001").submit().await.follow_here().await;
    assert_eq!((head(&next), next.form("#login-id-form").value("login_id")), (MOMIJI.to_owned(), Some("")));

    // 資格照会 goes by 保険者番号 or by the choice, and recovery asks for the insurer of an address.
    let start = browser.get(&app.url("/registration")).await;
    let eligibility = start.click("#to-eligibility").await.follow_here().await;
    let choice = eligibility.click("#choose-insurer").await;
    let known = choice.form("#insurer-form").click("insurer", "7132").submit().await.follow_here().await;
    assert_eq!((head(&known), known.select("#insurer_number").len()), (INSURER.to_owned(), 0));
    let forgot = browser.get(&app.url("/recovery/login-id")).await;
    let refused = send_login_id_form(&forgot, KAEDE.email, KAEDE.born).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.select("#insurer-error").is_empty(), "{}", refused.text());
    for (code, comes) in [("7132", false), ("8001", true)] {
        let form = forgot.form("#forgot-login-id-form").set("insurer", code);
        form.set("email", KAEDE.email).set("birth_date", KAEDE.born).submit().await;
        if comes {
            app.mailbox.next_link(KAEDE.email).await;
        }
    }
    app.finish().await;
}

async fn an_insurer_decides_who_registers_alone(backend: Backend) {
    let app = TestApp::of_two_with(backend, |config| {
        config.insurers[0].policy.self_registration = vec![SelfRegistering::Voluntary];
        config.insurers[1].policy.self_registration = vec![];
    })
    .await;
    app.with_families().await;
    for (code, part) in [("7132", 1), ("8001", 0)] {
        let browser = app.http_browser();
        let start = browser.get(&app.url(&format!("/i/{code}/registration"))).await.follow_here().await;
        assert_eq!(start.select("#to-eligibility").len(), part, "{}", start.text());
        assert_eq!(start.select("#only").len(), 1, "{}", start.text());
        let id = start.url.query_pairs().next().unwrap().1.into_owned();
        let eligibility = browser.get(&app.url(&format!("/registration/{id}/eligibility"))).await;
        let refused = inquire(&eligibility, &SAKURA).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
    }
    app.finish().await;
}

async fn mails_and_their_pages_are_the_insurers_own(backend: Backend) {
    let mut app = TestApp::of_two(backend).await;
    let browser = app.http_browser();
    let login = app.entry(&browser, "8001").await;
    register(&login, &KAEDE).await;
    let mail = app.mailbox.next(KAEDE.email).await;
    assert_eq!(mail.from, "no-reply@momiji.example.jp");
    assert!(mail.subject.contains(MOMIJI) && mail.text.contains("06-9876-5432"), "{}", mail.text);
    assert!(mail.header("Reply-To").unwrap().contains("office@momiji.example.jp"));
    assert!(!mail.text.contains(INSURER) && !mail.text.contains(MOMIJI_HOST), "{}", mail.text);
    let link = mail.links()[0].clone();
    assert!(link.as_str().starts_with(&app.url("/registration/link/")), "{link}");
    let page = browser.get(link.as_str()).await;
    assert_eq!(head(&page), MOMIJI);
    page.form("#link-form").set("password", KAEDE.password).submit().await;
    app.mailbox.next(KAEDE.email).await;

    let forgot = app.http_browser().get(&app.url("/recovery/password")).await;
    let sent = send_password_form(&forgot, KAEDE.login_id, KAEDE.born).await.follow_here().await;
    assert!(sent.url.path().ends_with("/sent"), "{}", sent.text());
    let mail = app.mailbox.next(KAEDE.email).await;
    assert_eq!(mail.from, "no-reply@momiji.example.jp");
    let link = mail.links()[0].clone();
    let other = app.http_browser();
    assert_eq!(head(&other.get(link.as_str()).await), MOMIJI);
    renew(&other, &link, "しろくまと海辺で7回踊る").await;
    app.mailbox.next(KAEDE.email).await;

    // The other insurer has no sender of its own.
    app.activate(&HANAKO).await;
    let mails = app.mailbox.unread();
    assert!(mails.is_empty());
    let account = app.http_browser();
    let login = account.get(&app.url("/login")).await.follow_here().await;
    assert_eq!(head(&log_in(&login, HANAKO.login_id, HANAKO.password).await), INSURER);
    let account = app.http_browser();
    let login = app.entry(&account, "7132").await;
    assert_eq!(
        head(&log_in(&login, KAEDE.login_id, "しろくまと海辺で7回踊る").await),
        MOMIJI,
        "whose account it is"
    );
    app.finish().await;
}

async fn one_insurer_shows_nothing_of_all_this(backend: Backend) {
    let app = TestApp::start(backend).await;
    let browser = app.http_browser();
    let login = browser.get(&app.url("/login")).await.follow_here().await;
    let id = login.url.path().trim_start_matches("/login/").to_owned();
    let paths = [
        format!("/login/{id}"),
        format!("/login/{id}/number"),
        format!("/registration?i={id}"),
        format!("/registration/{id}/eligibility"),
        format!("/recovery/login-id?i={id}"),
        "/recovery/password".to_owned(),
    ];
    for path in paths {
        let page = browser.get(&app.url(&path)).await;
        assert_eq!((page.status, head(&page)), (StatusCode::OK, INSURER.to_owned()), "{path}");
        let asked = page.select("#choose-insurer, #other-insurer, #insurer, #insurer_number");
        assert!(asked.is_empty(), "{path}: {}", page.text());
    }
    let choice = browser.get(&app.url(&format!("/login/{id}/insurer"))).await;
    assert_eq!(choice.location().unwrap().path(), login.url.path());
    app.finish().await;
}
