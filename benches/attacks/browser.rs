//! What other sites, other people and earlier pages can do to a browser.

use reqwest::Method;

use crate::{
    report::Report,
    support::{
        attack::{encoded, good_request},
        http_browser::{HttpBrowser, Page},
        journey::give_login_id,
    },
    target::{Target, form},
};

const HTML: (&str, &str) = ("Accept", "text/html");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const SCRIPT: &str = "\"><script>alert(1)</script>";

fn seen(page: &Page) -> String {
    let location = page.location().map(|url| url.path().to_owned());
    format!("{} {}", page.status.as_u16(), location.unwrap_or_default()).trim().to_owned()
}

pub async fn run(target: &Target, report: &mut Report) {
    framing(target, report).await;
    forgery(target, report).await;
    steps(target, report).await;
    markup(target, report).await;
    sent_away(target, report).await;
    sessions(target, report).await;
}

async fn framing(target: &Target, report: &mut Report) {
    for path in
        ["/login", "/recovery/password", "/recovery/login-id", "/registration", "/admin/sign-in", "/nothing"]
    {
        let page = HttpBrowser::new().get(&target.url(path)).await.follow_here().await;
        let header = |name: &str| {
            let value = page.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let policy = header("content-security-policy");
        let safe = policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-");
        let kept = header("cache-control").contains("no-store");
        let sniffed = header("x-content-type-options") == "nosniff";
        let expected = "frame-ancestors 'none', nothing unsafe, no-store, nosniff";
        report.case(&format!("framing: {path}"), path, expected, &policy, safe && kept && sniffed);
    }
}

/// The forms that a stranger reaches, sent by another site and without their token.
async fn forgery(target: &Target, report: &mut Report) {
    for (path, css) in [
        ("/login", "#login-id-form"),
        ("/recovery/password", "#forgot-password-form"),
        ("/recovery/login-id", "#forgot-login-id-form"),
    ] {
        let browser = HttpBrowser::new();
        let page = browser.get(&target.url(path)).await.follow_here().await;
        let csrf = page.form(css).value("csrf").unwrap_or_default().to_owned();
        let fields = [("login_id", "7132-091200001"), ("birth_date", "19990101"), ("email", "a@b.example")];
        let mut good = fields.to_vec();
        good.push(("csrf", csrf.as_str()));
        for (what, headers, body) in [
            ("no token", vec![HTML, FORM], form(&fields)),
            ("another token", vec![HTML, FORM], form(&[&fields[..], &[("csrf", "x")]].concat())),
            ("Origin of another site", vec![HTML, FORM, ("Origin", "https://evil.example")], form(&good)),
            (
                "Sec-Fetch-Site of another site",
                vec![HTML, FORM, ("Sec-Fetch-Site", "cross-site")],
                form(&good),
            ),
            ("Origin null", vec![HTML, FORM, ("Origin", "null")], form(&good)),
        ] {
            let answer = browser.raw(Method::POST, page.url.as_str(), &headers, &body).await;
            let name = format!("forgery: {path}, {what}");
            report.case(&name, page.url.path(), "403", seen(&answer), answer.status == 403);
        }
        let stranger = HttpBrowser::new();
        let answer = stranger.raw(Method::POST, page.url.as_str(), &[HTML, FORM], &form(&good)).await;
        let usable = answer.status.is_client_error() && !answer.select("h1").is_empty();
        report.case(
            &format!("cleared cookies: {path}"),
            page.url.path(),
            "4xx, a page",
            seen(&answer),
            usable,
        );
    }
}

/// Pages that belong to later steps.
async fn steps(target: &Target, report: &mut Report) {
    let browser = HttpBrowser::new();
    let page = target.login(&browser).await;
    let id = page.url.path_segments().and_then(|mut parts| parts.nth(1)).unwrap_or_default().to_owned();
    let csrf = page.form("#login-id-form").value("csrf").unwrap_or_default().to_owned();
    for path in [
        format!("/login/{id}/password"),
        format!("/registration/{id}/documents"),
        format!("/registration/{id}/details"),
        format!("/registration/{id}/confirm"),
        format!("/registration/{id}/done"),
        format!("/consent/{id}"),
        format!("/documents/{id}"),
        format!("/login/{id}/account"),
        format!("/login/{id}/new-login-id"),
    ] {
        for method in [Method::GET, Method::POST] {
            let body = if method == Method::POST { form(&[("csrf", csrf.as_str())]) } else { String::new() };
            let headers = if method == Method::POST { vec![HTML, FORM] } else { vec![HTML] };
            let answer = browser.raw(method.clone(), &target.url(&path), &headers, &body).await;
            let step = path.replace(&id, "ID");
            let completes = answer.headers.get_all("set-cookie").iter().any(|cookie| {
                cookie
                    .to_str()
                    .is_ok_and(|cookie| cookie.contains("kenpos-session=") && !cookie.contains("session=;"))
            });
            let back = answer.location().is_none_or(|to| to.as_str().starts_with(&target.issuer));
            let holds = !answer.status.is_server_error() && !completes && back;
            report.case(
                &format!("skipped step: {method} {step}"),
                &step,
                "nothing is completed",
                seen(&answer),
                holds,
            );
        }
    }
    let again = give_login_id(&page, "7132-091200001").await;
    let twice = give_login_id(&page, "7132-091200001").await;
    let holds = again.status == twice.status && !twice.select("h1").is_empty();
    report.case("a form sent twice", "login ID", "the same page", seen(&twice), holds);
}

async fn markup(target: &Target, report: &mut Report) {
    let mut urls = vec![
        ("ui_locales", target.url(&format!("/login?{}", encoded(&[("ui_locales", SCRIPT.to_owned())])))),
        ("path", target.url("/%22%3E%3Cscript%3Ealert(1)%3C/script%3E")),
        ("logout", target.url(&format!("/logout?{}", encoded(&[("client_id", SCRIPT.to_owned())])))),
        ("client_id", target.authorize(&[("client_id", SCRIPT.to_owned())])),
    ];
    if let Some(client) = &target.client {
        for name in ["state", "nonce", "login_hint", "display", "prompt"] {
            let request = crate::support::attack::with(good_request(client, "openid"), name, SCRIPT);
            urls.push((name, target.authorize(&request)));
        }
    }
    for (what, url) in urls {
        let page = HttpBrowser::new().get(&url).await.follow_here().await;
        let holds = !page.body.contains("<script>alert(1)");
        report.case(&format!("XSS through {what}"), SCRIPT, "text, if it is shown", seen(&page), holds);
    }
    let page = target.login(&HttpBrowser::new()).await;
    let shown = give_login_id(&page, SCRIPT).await;
    let holds = !shown.body.contains("<script>alert(1)");
    report.case("XSS through the login ID", SCRIPT, "text, if it is shown", seen(&shown), holds);
}

async fn sent_away(target: &Target, report: &mut Report) {
    for uri in ["https://evil.example/", "javascript:alert(1)", "//evil.example/", "data:text/html,x"] {
        let client = target.client.as_ref().map_or("nobody", |client| client.id.as_str());
        let pairs = [("post_logout_redirect_uri", uri.to_owned()), ("client_id", client.to_owned())];
        let page = HttpBrowser::new().get(&target.url(&format!("/logout?{}", encoded(&pairs)))).await;
        let leads_away = |address: &str| {
            page.url.join(address).is_ok_and(|to| {
                to.host_str() == Some("evil.example") || ["javascript", "data"].contains(&to.scheme())
            })
        };
        let ways = page.select("main a[href], main form[action], meta[http-equiv]");
        let holds = page.location().is_none_or(|to| to.as_str().starts_with(&target.issuer))
            && !ways
                .iter()
                .any(|way| leads_away(way.attr("href").or(way.attr("action")).unwrap_or_default()));
        report.case(&format!("post_logout_redirect_uri: {uri}"), uri, "no way there", seen(&page), holds);
    }
}

async fn sessions(target: &Target, report: &mut Report) {
    let Some((login_id, password)) = &target.member else {
        return report.not_run("a session that was brought along", "--login-id and --password");
    };
    let browser = HttpBrowser::new();
    let page = give_login_id(&target.login(&browser).await, login_id).await;
    let csrf = page.form("#password-form").value("csrf").unwrap_or_default().to_owned();
    let name = if target.issuer.starts_with("https:") { "__Host-kenpos-browser" } else { "kenpos-browser" };
    let own = browser.cookie(page.url.as_str(), name).unwrap_or_default();
    let planted = "A".repeat(43);
    let cookies = format!("{name}={own}; {}={planted}", name.replace("browser", "session"));
    let body = form(&[("csrf", csrf.as_str()), ("password", password.as_str())]);
    let answer = browser
        .raw(Method::POST, page.url.as_str(), &[HTML, FORM, ("Cookie", cookies.as_str())], &body)
        .await;
    let given = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|cookie| cookie.to_str().ok())
        .find(|cookie| cookie.contains("kenpos-session="))
        .unwrap_or_default();
    let flags = given.contains("HttpOnly") && given.contains("SameSite=Lax");
    let holds = !given.is_empty() && !given.contains(&planted) && flags;
    let told = if holds { "a new one" } else { "another answer" };
    report.case(
        "a session that was brought along",
        "a planted session cookie",
        "a new one, HttpOnly and Lax",
        told,
        holds,
    );
    let stranger = HttpBrowser::new();
    let cookie = format!("{}={planted}", name.replace("browser", "session"));
    let page =
        stranger.raw(Method::GET, &target.url("/account"), &[HTML, ("Cookie", cookie.as_str())], "").await;
    report.case("a session that nobody has", "/account", "303 to the login", seen(&page), page.status == 303);
}
