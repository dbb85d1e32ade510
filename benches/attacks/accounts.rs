//! Who has an account, whose links lead where, and how often one may guess.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use tokio::time::sleep;
use url::Url;

use crate::{
    report::Report,
    support::{
        http_browser::{HttpBrowser, Page},
        journey::{self, give_login_id},
        members::Someone,
        recovery::{send_login_id_form, send_password_form},
    },
    target::{Target, form},
};

const HTML: (&str, &str) = ("Accept", "text/html");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const EVIL: &str = "evil.example";
/// Good in form, and nobody's.
const NOBODY: &str = "7132-999999999";

pub async fn run(target: &Target, report: &mut Report) {
    hosts(target, report).await;
    enumeration(target, report).await;
    if target.demo.is_none() {
        return report.not_run("mailed links", "the demo, which has a mailbox");
    }
    registration_link(target, report).await;
    recovery_links(target, report).await;
}

async fn hosts(target: &Target, report: &mut Report) {
    for path in ["/login", "/.well-known/openid-configuration", "/recovery/password", "/"] {
        for header in ["Host", "X-Forwarded-Host", "X-Original-URL", "Forwarded", "X-Forwarded-Prefix"] {
            let value = if header == "Forwarded" { "host=evil.example" } else { EVIL };
            let page =
                HttpBrowser::new().raw(Method::GET, &target.url(path), &[HTML, (header, value)], "").await;
            let leads = page.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            let holds = !page.body.contains(EVIL) && !leads.contains(EVIL);
            let seen = format!("{} {leads}", page.status.as_u16());
            report.case(&format!("poisoned {header}: {path}"), value, "nothing of it", seen, holds);
        }
    }
}

/// An answer without what the request named, and without what is random; that has the same length each time.
fn shape(page: &Page, own: &str) -> (u16, Vec<String>, usize, String) {
    let mut names: Vec<String> = page.headers.keys().map(ToString::to_string).collect();
    names.sort();
    (page.status.as_u16(), names, page.body.len(), page.text().replace(own, "*"))
}

async fn enumeration(target: &Target, report: &mut Report) {
    let Some((known, _)) = &target.member else {
        return report.not_run("enumeration", "--login-id and --password");
    };
    let mut compare = |name: &str, known: (&Page, &str), nobody: (&Page, &str)| {
        let (one, other) = (shape(known.0, known.1), shape(nobody.0, nobody.1));
        let seen = format!("{} with {} octets, {} with {}", one.0, one.2, other.0, other.2);
        let reference = |text: &str| text.split("受付番号").next().unwrap_or_default().to_owned();
        let same = (one.0, &one.1, one.2) == (other.0, &other.1, other.2)
            && reference(&one.3) == reference(&other.3);
        report.case(
            &format!("enumeration: {name}"),
            "a member's, and nobody's",
            "the same answer",
            seen,
            same,
        );
    };
    let ask = async |login_id: &str| {
        let page = target.login(&HttpBrowser::new()).await;
        let password = give_login_id(&page, login_id).await;
        let wrong = password.form("#password-form").set("password", "not this one at all").submit().await;
        (password, wrong)
    };
    let (one, other) = (ask(known).await, ask(NOBODY).await);
    compare("login ID", (&one.0, known.as_str()), (&other.0, NOBODY));
    compare("wrong password", (&one.1, known.as_str()), (&other.1, NOBODY));
    let forgot = async |login_id: &str| {
        let page = HttpBrowser::new().get(&target.url("/recovery/password")).await;
        send_password_form(&page, login_id, "19010101").await
    };
    compare("forgotten password", (&forgot(known).await, known.as_str()), (&forgot(NOBODY).await, NOBODY));
    let Some(_) = &target.demo else { return };
    let (member, forgot) = (target.person(0), async |email: &str| {
        let page = HttpBrowser::new().get(&target.url("/recovery/login-id")).await;
        send_login_id_form(&page, email, target.person(0).born).await
    });
    let (one, other) = (forgot(member.email).await, forgot("nobody0@mail.example").await);
    compare("forgotten login ID", (&one, member.email), (&other, "nobody0@mail.example"));
}

/// What mail scanners and browsers do with a link before anybody clicks.
async fn look_at(link: &Url) {
    for (method, header) in [
        (Method::HEAD, HTML),
        (Method::GET, HTML),
        (Method::GET, ("Sec-Purpose", "prefetch")),
        (Method::GET, ("User-Agent", "MailScanner")),
        (Method::POST, FORM),
        (Method::POST, HTML),
    ] {
        HttpBrowser::new().raw(method, link.as_str(), &[header], "").await;
    }
}

async fn registration_link(target: &Target, report: &mut Report) {
    let someone = target.person(1);
    let browser = HttpBrowser::new();
    journey::register(&target.login(&browser).await, &someone).await;
    let link = target.mailed(&someone, "/registration/link/").await;
    look_at(&link).await;
    let wrong = HttpBrowser::new().get(link.as_str()).await;
    let wrong = wrong.form("#link-form").set("password", "another password").submit().await;
    let expected = "no account";
    report.case(
        "mailed link with another password",
        "POST",
        expected,
        wrong.status,
        wrong.status.is_client_error(),
    );
    let done = journey::complete(&browser, &link, someone.password).await;
    let name = "HEAD, GET, prefetch and POST do not spend a link";
    report.case(
        name,
        "six of them, then the password",
        "/account",
        done.url.path(),
        done.url.path() == "/account",
    );
    let again = HttpBrowser::new().get(link.as_str()).await;
    report.case("second use of a link", "GET", "410", again.status, again.status == 410);
}

async fn recovery_links(target: &Target, report: &mut Report) {
    let someone = target.person(1);
    let ask = async || {
        let browser = HttpBrowser::new();
        let page = browser.get(&target.url("/recovery/password")).await;
        let csrf = page.form("#forgot-password-form").value("csrf").unwrap_or_default().to_owned();
        let fields = [("csrf", csrf.as_str()), ("login_id", someone.login_id), ("birth_date", someone.born)];
        let headers = [HTML, FORM, ("X-Forwarded-Host", EVIL), ("X-Forwarded-Proto", "gopher")];
        browser.raw(Method::POST, page.url.as_str(), &headers, &form(&fields)).await
    };
    ask().await;
    let first = target.mailed(&someone, "/recovery/password/link/").await;
    let ours = first.as_str().starts_with(&target.issuer);
    report.case(
        "poisoned X-Forwarded-Host: mailed link",
        EVIL,
        "the issuer's",
        first.host_str().unwrap_or_default(),
        ours,
    );
    ask().await;
    let mut second = first.clone();
    for _ in 0..50 {
        sleep(Duration::from_millis(200)).await;
        second = target.mailed(&someone, "/recovery/password/link/").await;
        if second != first {
            break;
        }
    }
    let old = HttpBrowser::new().get(first.as_str()).await;
    report.case(
        "an old link dies with the new",
        "GET",
        "410",
        old.status,
        second != first && old.status == 410,
    );
    look_at(&second).await;
    let page = HttpBrowser::new().get(second.as_str()).await;
    let new = Someone { password: "another correct horse 2", ..someone };
    let answers =
        join_all((0..5).map(|_| page.form("#renew-form").set("password", new.password).submit())).await;
    let won = answers.iter().filter(|answer| answer.status == 303).count();
    report.case("parallel uses of a link", "5 at once", "1 succeeds", won, won == 1);
    let old =
        journey::log_in(&target.login(&HttpBrowser::new()).await, someone.login_id, someone.password).await;
    let holds = old.url.path() != "/account";
    report.case("the password from before", "login", "no account", old.status, holds);
}

/// Guesses until they are refused, which takes the budget of this address.
pub async fn budgets(target: &Target, report: &mut Report) {
    let guess = async |login_id: &str, forwarded: &str| {
        let browser = HttpBrowser::new();
        let page = give_login_id(&target.login(&browser).await, login_id).await;
        let csrf = page.form("#password-form").value("csrf").unwrap_or_default().to_owned();
        let body = form(&[("csrf", csrf.as_str()), ("password", "19990101")]);
        let headers = [HTML, FORM, ("X-Forwarded-For", forwarded)];
        browser.raw(Method::POST, page.url.as_str(), &headers, &body).await
    };
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(guess("7132-999999998", "192.0.2.1").await.status.as_u16());
    }
    let holds = statuses.last() == Some(&429);
    report.case("too many guesses at one login ID", "7", "429 in the end", format!("{statuses:?}"), holds);
    let mut refused = None;
    for n in 0..70 {
        let answer = guess(&format!("7132-9998{n:05}"), &format!("192.0.2.{n}, 10.0.0.{n}, nonsense")).await;
        if answer.status == 429 {
            refused = Some((n, answer.headers.contains_key("retry-after")));
            break;
        }
    }
    let seen = refused.map_or("no 429 in 70".to_owned(), |(n, _)| format!("429 after {n}"));
    let name = "a spoofed X-Forwarded-For renews no budget";
    report.case(
        name,
        "70 IDs, each from another address",
        "429 with Retry-After",
        seen,
        refused.is_some_and(|it| it.1),
    );
}
