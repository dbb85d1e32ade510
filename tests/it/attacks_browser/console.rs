//! The forms of the operators' console, forged as those of members are.

use std::collections::BTreeSet;

use kenpos_idp::operators::Role;

use super::{forgery::forge, routes};
use crate::support::{
    app::{Backend, TestApp},
    operators::{PASSWORD, STEP},
};

#[tokio::test]
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
    let invite =
        [("email", "evil@office.example"), ("name", "x"), ("role", "administrator"), ("reason", "x")];
    let new_password = ("new_password", "あさがおと汽車で9時に歌う");
    let client = |rest: &str| format!("/admin/clients/{}{rest}", app.client.id);
    let (basics, secret) = (client("/edit/basics"), client("/secret"));
    let (trial, stop) = (client("/try"), client("/disable"));
    let evil = [("client_name", "evil"), ("redirect_uris", "https://evil.example/"), ("reason", "x")];
    let forms: [(&'static str, &str, &str, &[(&str, &str)]); 14] = [
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
    for (path, page, css, fields) in forms {
        forged.insert(path);
        forge(&app, &browser, &browser.get(&app.url(page)).await, css, fields).await;
    }
    let invited = app.app().operators.operator(&colleague.id).await.unwrap().unwrap();
    let (actor, reason) =
        (kenpos_idp::audit::Actor::system(), kenpos_idp::audit::Reason::parse("x").unwrap());
    let act = kenpos_idp::audit::Act { actor: &actor, reason: &reason };
    let link = app.app().operators.reset_factors(&invited, false, act).await.unwrap().unwrap();
    forged.insert("/admin/setup/{token}");
    let stranger = app.http_browser();
    let setup = stranger.get(link.url.as_str()).await;
    forge(&app, &stranger, &setup, "#setup-form", &[("password", PASSWORD), ("code", "123456")]).await;

    let all: BTreeSet<_> = routes("post").into_iter().filter(|path| path.starts_with("/admin")).collect();
    assert_eq!(forged, all, "every form of the console is forged here");
    assert_eq!(browser.get(&app.url("/admin")).await.status, 200, "still signed in");
    app.finish().await;
}
