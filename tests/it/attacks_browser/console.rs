//! The forms of the operators' console, forged as those of members are.

use std::collections::BTreeSet;

use kenpos_idp::operators::Role;

use super::{forgery::forge, routes};
use crate::{
    story_roster_console::checked,
    support::{
        app::{Backend, TestApp},
        http_browser::HttpBrowser,
        operators::{PASSWORD, STEP},
    },
};

/// The form with a file, which no other site can send either.
async fn forge_upload(app: &TestApp, browser: &HttpBrowser) {
    let url = app.url("/admin/roster/new");
    let page = browser.get(&url).await;
    let form = page.form("#upload-form");
    let (csrf, who) = (form.value("csrf").unwrap(), form.value("who").unwrap());
    let before = app.stored().await;
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
                記号,番号,区分,氏名カナ,生年月日\n91,300009,insured,アオガワ,19990101\n\r\n";
    let (token, own, insurer) = (part("csrf", csrf), part("who", who), part("insurer", "7132"));
    let good = format!("{token}{own}{insurer}{file}--x--\r\n");
    let kind = ("Content-Type", "multipart/form-data; boundary=x");
    for (what, body, header) in [
        ("no token", format!("{own}{insurer}{file}--x--\r\n"), kind),
        ("a token that was cut", format!("{}{own}{insurer}{file}--x--\r\n", part("csrf", &csrf[..42])), kind),
        ("the token after the file", format!("{own}{insurer}{file}{token}--x--\r\n"), kind),
        ("nothing but a file", format!("{file}--x--\r\n"), kind),
        ("a foreign origin", good.clone(), ("Origin", "https://evil.example")),
        ("cross-site", good.clone(), ("Sec-Fetch-Site", "cross-site")),
    ] {
        let answer = browser.raw(reqwest::Method::POST, &url, &[kind, header], &body).await;
        assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    }
    let body = format!("{token}{}{insurer}{file}--x--\r\n", part("who", "somebody else"));
    assert_eq!(browser.raw(reqwest::Method::POST, &url, &[kind], &body).await.status, 409);
    for body in ["", "--x", "--x\r\n", "--x\r\nContent-Disposition: form-data\r\n\r\n", "\0"] {
        let answer = browser.raw(reqwest::Method::POST, &url, &[kind], body).await;
        assert!(answer.status.is_client_error(), "{body:?}: {}", answer.status);
    }
    assert_eq!(app.stored().await, before);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a line a form")]
async fn no_form_of_the_console_can_be_sent_by_another_site() {
    let app = TestApp::start(Backend::Embedded).await;
    let staff = app.staff(Role::Administrator, None).await;
    let colleague = app.staff(Role::Office, None).await;
    let browser = staff.browser(&app).await;
    staff.browser(&app).await;
    let mut forged = BTreeSet::new();
    app.clock.advance(STEP);
    let code = staff.code(&app);
    let page = app.http_browser();
    let sign_in = page.get(&app.url("/admin/sign-in")).await;
    let own = [("email", &*staff.email), ("password", PASSWORD), ("code", &code)];
    forged.insert("/admin/sign-in");
    forge(&app, &page, &sign_in, "#sign-in-form", &own).await;
    let reset = app.url(&format!("/admin/operators/{}/reset", colleague.id));
    let act = browser.get(&reset).await;
    forged.insert("/admin/operators/{operator}/{act}");
    forge(&app, &browser, &act, "#confirm-form", &[("reason", "x")]).await;
    let role = app.url(&format!("/admin/operators/{}/role", colleague.id));
    let fields = [("role", "administrator"), ("insurer", ""), ("reason", "x")];
    forged.insert("/admin/operators/{operator}/role");
    forge(&app, &browser, &browser.get(&role).await, "#role-form", &fields).await;
    let wanted = kenpos_idp::members::search::Wanted::Kana("タケダハナコ".to_owned());
    let found = app.app().members.search(&wanted, None, None, 1).await.unwrap();
    let member = format!("/admin/members/{}", found[0].person.id);
    let reason = ("reason", "x");
    let about_member: [(&'static str, &str, &str, &[(&str, &str)]); 4] = [
        ("/admin/members/{member}/email", "/email", "#email-form", &[("email", "evil@mail.example"), reason]),
        ("/admin/members/{member}/registration/{act}", "/registration/reissue", "#issue-form", &[reason]),
        ("/admin/members/{member}/apps/{client}", "/apps/x", "#confirm-form", &[reason]),
        ("/admin/members/{member}/{act}", "/freeze", "#confirm-form", &[reason]),
    ];
    for (path, below, css, fields) in about_member {
        forged.insert(path);
        let page = browser.get(&app.url(&format!("{member}{below}"))).await;
        forge(&app, &browser, &page, css, fields).await;
    }
    let invite =
        [("email", "evil@office.example"), ("name", "x"), ("role", "administrator"), ("reason", "x")];
    let new_password = ("new_password", "あさがおと汽車で9時に歌う");
    let client = |rest: &str| format!("/admin/clients/{}{rest}", app.client.id);
    let (basics, secret) = (client("/edit/basics"), client("/secret"));
    let (trial, stop) = (client("/try"), client("/disable"));
    let evil = [("client_name", "evil"), ("redirect_uris", "https://evil.example/"), ("reason", "x")];
    let now = app.clock.now().millis();
    for statement in [
        format!(
            "insert into outbox (id, kind, sealed, state, recipient, recipient_mac, next_attempt_at, give_up_at,
                                 created_at)
             values ('mail', 'x', 'x', 'failed', 'x', 'x', {now}, {now}, {now})"
        ),
        "insert into bounce (recipient_mac, id, recipient, kind, created_at) values ('y', 'mark', 'x', 'x', 0)".to_owned(),
        "insert into webhook (id, name, url, events, secrets, created_at, updated_at)
         values ('hook', 'x', 'https://x.example/', ' member.reset ', '[]', 0, 0)"
            .to_owned(),
        format!(
            "insert into delivery (id, kind, target, state, next_attempt_at, give_up_at, created_at)
             values ('hook.e', 'webhook', 'hook', 'failed', {now}, {now}, {now})"
        ),
    ] {
        app.run(&statement).await;
    }
    let kid = app.app().signing.list().await.unwrap()[0].kid.clone();
    let why = [("reason", "x")];
    let hook = [("name", "x"), ("url", "https://evil.example/"), ("events", "member.reset"), why[0]];
    let retire = format!("/admin/keys/{kid}/retire");
    let desk: [(&'static str, &str, &str, &[(&str, &str)]); 8] = [
        ("/admin/mails/{mail}/{act}", "/admin/mails/mail/bounce", "#confirm-form", &why),
        ("/admin/bounces/{bounce}/clear", "/admin/bounces/mark/clear", "#confirm-form", &why),
        ("/admin/deliveries/{delivery}/{act}", "/admin/deliveries/hook.e/retry", "#confirm-form", &why),
        ("/admin/webhooks/new", "/admin/webhooks/new", "#webhook-form", &hook),
        ("/admin/webhooks/{webhook}/edit", "/admin/webhooks/hook/edit", "#webhook-form", &hook),
        ("/admin/webhooks/{webhook}/{act}", "/admin/webhooks/hook/disable", "#confirm-form", &why),
        ("/admin/keys/rotate", "/admin/keys/rotate", "#confirm-form", &why),
        ("/admin/keys/{kid}/retire", &retire, "#confirm-form", &why),
    ];
    let forms: [(&'static str, &str, &str, &[(&str, &str)]); 15] = [
        ("/admin/members", "/admin/members", "#search-form", &[("query", "タケダ")]),
        ("/admin/clients/new", "/admin/clients/new", "#client-form", &evil),
        ("/admin/clients/{client}/edit/{topic}", &basics, "#client-form", &evil),
        ("/admin/clients/{client}/secret", &secret, "#secret-form", &[("overlap", "0"), ("reason", "x")]),
        ("/admin/clients/{client}/try", &trial, "#try-form", &[("scope", "openid")]),
        ("/admin/clients/{client}/{act}", &stop, "#confirm-form", &[("reason", "x")]),
        ("/admin/operators/new", "/admin/operators/new", "#invite-form", &invite),
        ("/admin/account/password", "/admin/account/password", "#password-form", &[own[1], new_password]),
        ("/admin/account/factor", "/admin/account/factor", "#factor-form", &[own[1], own[2]]),
        ("/admin/account/recovery-codes", "/admin/account/recovery-codes", "#recovery-codes-form", &own[1..]),
        ("/admin/account/sessions", "/admin/account", "#end-form-1", &[]),
        ("/admin/account/sessions/others", "/admin/account", "#others-form", &[]),
        ("/admin/audit/export", "/admin/audit", "#export-csv-form", &[("format", "csv")]),
        ("/admin/audit/verify", "/admin/audit", "#verify-form", &[]),
        ("/admin/sign-out", "/admin", "#sign-out-form", &[]),
    ];
    for (path, page, css, fields) in desk.into_iter().chain(forms) {
        forged.insert(path);
        forge(&app, &browser, &browser.get(&app.url(page)).await, css, fields).await;
    }
    let bad =
        "記号,番号,区分,氏名カナ,生年月日\n91,300001,insured,アオガワ,19990101\n91,300002,insured,山,1999\n";
    let import = checked(&app, &browser, false, bad.as_bytes()).await;
    forged.insert("/admin/roster/{import}/refused");
    forge(&app, &browser, &import, "#refused-form", &[]).await;
    forged.insert("/admin/roster/{import}/{act}");
    forge(&app, &browser, &import.click("#to-apply").await, "#confirm-form", &[("reason", "x")]).await;
    forged.insert("/admin/roster/new");
    forge_upload(&app, &browser).await;
    let invited = app.app().operators.operator(&colleague.id).await.unwrap().unwrap();
    let (actor, reason) =
        (kenpos_idp::audit::Actor::system(), kenpos_idp::audit::Reason::parse("x").unwrap());
    let act = kenpos_idp::audit::Act { actor: &actor, reason: &reason };
    let link = app.app().operators.reset_factors(&invited, false, act).await.unwrap().unwrap();
    forged.insert("/admin/setup/{token}");
    let stranger = app.http_browser();
    let setup = stranger.get(link.url.as_str()).await;
    forge(&app, &stranger, &setup, "#setup-form", &[("password", PASSWORD), ("code", "123456")]).await;

    // Programs bring a token of their own to the API; no browser has it.
    let of_console = |path: &&str| path.starts_with("/admin") && !path.starts_with("/admin/api/");
    let all: BTreeSet<_> = routes("post").into_iter().filter(of_console).collect();
    assert_eq!(forged, all, "every form of the console is forged here");
    assert_eq!(browser.get(&app.url("/admin")).await.status, 200, "still signed in");
    app.finish().await;
}
