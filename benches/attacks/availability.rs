//! Input that no form would send, pages that are not for everyone, and clients that are slow or many.

use std::time::Duration;

use futures_util::future::{join, join_all};
use reqwest::Method;
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};
use url::Url;

use crate::{
    report::Report,
    support::{http_browser::HttpBrowser, journey::give_login_id},
    target::{Target, form},
};

const HTML: (&str, &str) = ("Accept", "text/html");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
/// Longer than the server waits for a head or a body.
const SLOW: Duration = Duration::from_secs(40);

pub async fn run(target: &Target, report: &mut Report) {
    console(target, report).await;
    malformed(target, report).await;
    wire(target, report).await;
    flood(target, report).await;
    connections(target, report).await;
}

async fn console(target: &Target, report: &mut Report) {
    let pages = [
        "/admin",
        "/admin/members",
        "/admin/members/deletion-requests",
        "/admin/roster",
        "/admin/roster/new",
        "/admin/clients",
        "/admin/operators",
        "/admin/audit",
        "/admin/keys",
        "/admin/mails",
        "/admin/webhooks",
        "/admin/account",
    ];
    for path in pages {
        for method in [Method::GET, Method::POST, Method::HEAD] {
            let page = HttpBrowser::new().raw(method.clone(), &target.url(path), &[HTML, FORM], "").await;
            let to = page.location().map(|to| to.path().to_owned()).unwrap_or_default();
            let holds = page.status.is_client_error() || to == "/admin/sign-in";
            let seen = format!("{} {to}", page.status.as_u16());
            report.case(
                &format!("console without a session: {method} {path}"),
                path,
                "the sign-in, or 4xx",
                seen,
                holds,
            );
        }
    }
    for path in [
        "/admin%2Fmembers",
        "/%61dmin/members",
        "//admin/members",
        "/admin//members",
        "/admin/./members",
        "/admin;/members",
        "/admin/..;/admin/members",
        "/login/..%2fadmin%2fmembers",
        "/Admin/members",
        "/admin/members/",
        "/admin/members%00",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        let name = format!("encoded path: {path}");
        let Some(answer) = target.octets(request.as_bytes(), SLOW).await else {
            report.not_run(&name, "a server without TLS");
            continue;
        };
        let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
        let sign_in = answer.to_lowercase().contains("location: /admin/sign-in");
        report.case(&name, path, "4xx, or the sign-in", &status, status.starts_with('4') || sign_in);
    }
    for path in
        ["/admin/api/v1/self", "/admin/api/v1/operators", "/admin/api/v1/clients", "/admin/api/v1/keys"]
    {
        for token in ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer a b", "bearer \u{e9}"] {
            let answer = target.program(Method::GET, path, &[("Authorization", token)], "").await;
            let name = format!("API: {path} with {token:?}");
            report.case(&name, path, "401", answer.brief(), answer.status == 401);
        }
    }
}

async fn malformed(target: &Target, report: &mut Report) {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for path in ["/register", "/token", "/par", "/introspect", "/revoke", "/admin/api/v1/members/search"] {
        let answer = target.program(Method::POST, path, &[("Content-Type", "application/json")], &deep).await;
        let holds = (400..500).contains(&answer.status);
        report.case(&format!("deep JSON: {path}"), "20,000 brackets", "4xx", answer.brief(), holds);
    }
    for value in [
        "Basic",
        "Basic %",
        "Basic eA==",
        "Basic Og==",
        "Bearer",
        "Bearer ..",
        "DPoP x",
        "Digest x",
        "\u{e9}",
    ] {
        for path in ["/token", "/userinfo", "/introspect", "/par"] {
            let answer = target.program(Method::POST, path, &[FORM, ("Authorization", value)], "").await;
            let holds = [400, 401].contains(&answer.status);
            report.case(
                &format!("Authorization {value:?}: {path}"),
                value,
                "400 or 401",
                answer.brief(),
                holds,
            );
        }
    }
    let browser = HttpBrowser::new();
    let page = give_login_id(&target.login(&browser).await, "7132-999999997").await;
    let csrf = page.form("#password-form").value("csrf").unwrap_or_default().to_owned();
    let large = form(&[("csrf", csrf.as_str()), ("password", "x".repeat(1024 * 1024).as_str())]);
    let answer = browser.raw(Method::POST, page.url.as_str(), &[HTML, FORM], &large).await;
    report.case("a password of 1 MB", "POST", "413", answer.status, answer.status == 413);
    let long = form(&[("csrf", csrf.as_str()), ("password", "x".repeat(20_000).as_str())]);
    let answer = browser.raw(Method::POST, page.url.as_str(), &[HTML, FORM], &long).await;
    report.case("a password of 20 kB", "POST", "4xx", answer.status, answer.status.is_client_error());
}

/// Requests octet by octet.
async fn wire(target: &Target, report: &mut Report) {
    let head = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let slow_body = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                     Content-Length: 100\r\n\r\ngrant";
    for (name, sent, expected) in [
        ("a head that is too large", format!("{head}Cookie: {}\r\n\r\n", "a=b; ".repeat(10_000)), &["431", ""][..]),
        ("too many header fields", format!("{head}{}\r\n", "X-Field: x\r\n".repeat(150)), &["431"]),
        ("a head that does not end", head.to_owned(), &[""]),
        ("a body that does not come", slow_body.to_owned(), &["408"]),
        ("no HTTP", "\u{16}\u{3}\u{1}hello\r\n\r\n".to_owned(), &["400", ""]),
        ("two lengths", "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(), &["400"]),
        (
            "length and chunks",
            "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
            &["400", ""],
        ),
        ("a method that is none", "BREW /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), &["405"]),
    ] {
        let Some(answer) = target.octets(sent.as_bytes(), SLOW).await else {
            report.not_run(name, "a server without TLS");
            continue;
        };
        let status = answer.split(' ').nth(1).unwrap_or_default();
        let told = if status.is_empty() { "closed without an answer" } else { status };
        report.case(name, &sent, &format!("{expected:?}"), told, expected.contains(&status));
    }
    for cut in (1..slow_body.len()).step_by(7) {
        target.octets(&slow_body.as_bytes()[..cut], Duration::from_millis(1)).await;
    }
    let alive = HttpBrowser::new().get(&target.url("/readyz")).await;
    report.case("requests cut off midway", "/readyz afterwards", "200", alive.status, alive.status == 200);
}

/// Far more logins at once than are worked on at once.
async fn flood(target: &Target, report: &mut Report) {
    let mut pages = Vec::new();
    for n in 0..150 {
        let browser = HttpBrowser::new();
        let page = give_login_id(&target.login(&browser).await, &format!("7132-9997{n:05}")).await;
        if page.select("#password-form").is_empty() {
            break;
        }
        pages.push(page);
    }
    let logins = join_all(pages.iter().map(|page| page.form("#password-form").set("password", "x").submit()));
    let meanwhile = join_all((0..20).map(|_| target.program(Method::GET, "/jwks", &[], "")));
    let (answers, meanwhile) = join(logins, meanwhile).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let polite = answers
        .iter()
        .filter(|answer| [429, 503].contains(&answer.status.as_u16()))
        .all(|answer| answer.headers.contains_key("retry-after"));
    let known = statuses.iter().all(|status| [422, 429, 503].contains(status));
    let name = "a flood of logins";
    report.case(
        name,
        "150 at once",
        "422, 429 or 503, with Retry-After",
        format!("{statuses:?}"),
        known && polite,
    );
    let answered = meanwhile.iter().filter(|answer| answer.status == 200).count();
    report.case("the keys while it lasts", "/jwks", "20 answers", answered, answered == 20);
}

/// More connections of one address than it may have.
async fn connections(target: &Target, report: &mut Report) {
    let name = "too many connections of one address";
    let url = Url::parse(&target.issuer).expect("a URL");
    if target.demo.is_none() {
        return report.not_run(name, "the demo, which no proxy is before");
    }
    let place = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let mut held = Vec::new();
    let mut closed = 0;
    for _ in 0..540 {
        let Ok(mut stream) = TcpStream::connect(place).await else { break };
        let mut octet = [0; 1];
        match timeout(Duration::from_millis(if held.len() < 500 { 1 } else { 100 }), stream.read(&mut octet))
            .await
        {
            Err(_) => held.push(stream),
            Ok(_) => closed += 1,
        }
    }
    let seen = format!("{} held, {closed} closed", held.len());
    report.case(name, "540 at once", "512 are held, the rest closed", seen, held.len() <= 512 && closed > 0);
    drop(held);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let alive = HttpBrowser::new().get(&target.url("/readyz")).await;
    report.case("afterwards", "/readyz", "200", alive.status, alive.status == 200);
}
