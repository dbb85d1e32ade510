//! Requests that would have the provider send a browser, or itself, where it should not.

use std::time::Duration;

use reqwest::Method;
use tokio::{net::TcpListener, time::timeout};
use url::Url;

use crate::{
    report::Report,
    support::{
        attack::{encoded, good_request, with},
        http_browser::{HttpBrowser, Page},
    },
    target::Target,
};

/// What a hostile address is made of a registered one.
fn hostile(registered: &str) -> Vec<(&'static str, String)> {
    let url = Url::parse(registered).expect("a redirect URI");
    let origin = url.origin().ascii_serialization();
    let (scheme, rest) = origin.split_once("://").expect("an origin");
    let (host, path) = (rest.split(':').next().unwrap_or_default(), url.path());
    vec![
        ("userinfo before another host", format!("{origin}@evil.example{path}")),
        ("two at signs", format!("{scheme}://a@b@evil.example{path}")),
        ("userinfo", format!("{scheme}://user:password@{rest}{path}")),
        ("..;/", format!("{origin}/..;{path}")),
        ("%2e%2e", format!("{origin}/%2e%2e{path}")),
        ("a path of one's own", format!("{origin}{path}/%2e%2e/evil")),
        ("backslash", format!("{origin}\\@evil.example{path}")),
        ("fragment", format!("{origin}{path}#x")),
        ("another query", format!("{origin}{path}?next=evil")),
        ("other case", format!("{origin}{}", path.to_uppercase())),
        ("suffix of the host", format!("{scheme}://{host}.evil.example{path}")),
        ("look-alike host", format!("{scheme}://{}{path}", host.replace(['a', '1'], "а"))),
        ("javascript:", "javascript:alert(1)".to_owned()),
        ("data:", "data:text/html,x".to_owned()),
        ("leading space", format!(" {registered}")),
        ("control character", format!("{registered}\r\nLocation: https://evil.example/")),
        ("NUL", format!("{registered}\0")),
        ("no scheme", format!("//{rest}{path}")),
        ("nothing", String::new()),
    ]
}

fn seen(page: &Page) -> String {
    let location = page.location().map(|url| url.to_string());
    format!("{} {}", page.status.as_u16(), location.unwrap_or_default()).trim().to_owned()
}

async fn ask(target: &Target, pairs: &[(&str, String)]) -> Page {
    HttpBrowser::new().raw(Method::GET, &target.authorize(pairs), &[("Accept", "text/html")], "").await
}

pub async fn run(target: &Target, report: &mut Report) {
    let Some(client) = &target.client else {
        return report.not_run("hostile redirect URIs", "--client-id and --redirect-uri");
    };
    let good = || good_request(client, "openid");
    for (what, uri) in hostile(&client.metadata.redirect_uris[0]) {
        for mode in ["", "query", "fragment", "form_post"] {
            let mut request = with(good(), "redirect_uri", &uri);
            if !mode.is_empty() {
                request.push(("response_mode", mode.to_owned()));
            }
            let page = ask(target, &request).await;
            let holds = page.status == 400 && page.location().is_none();
            let name = format!("redirect_uri: {what}{}{mode}", if mode.is_empty() { "" } else { ", " });
            report.case(&name, &uri, "400, a page that leads nowhere", seen(&page), holds);
        }
    }
    let uri = client.metadata.redirect_uris[0].clone();
    for (what, pairs) in [
        ("client that nobody knows", with(good(), "client_id", "nobody")),
        ("no client", with(good(), "client_id", "")),
        ("redirect_uri twice", [good(), vec![("redirect_uri", "https://evil.example/".to_owned())]].concat()),
        ("client_id twice", [good(), vec![("client_id", "x".to_owned())]].concat()),
    ] {
        let page = ask(target, &pairs).await;
        let holds = page.status == 400 && page.location().is_none();
        report.case(
            &format!("a bad client never redirects: {what}"),
            what,
            "400, no redirect",
            seen(&page),
            holds,
        );
    }
    scopes_and_objects(target, report, &uri).await;
    resumed(target, report).await;
}

async fn scopes_and_objects(target: &Target, report: &mut Report, uri: &str) {
    let client = target.client.as_ref().expect("asked before");
    let huge = "scope ".repeat(2_000);
    let page = ask(target, &with(good_request(client, "openid"), "scope", &huge)).await;
    let holds =
        page.status.is_client_error() || page.location().is_some_and(|to| to.as_str().starts_with(uri));
    report.case("huge scope lists", "2,000 scopes", "4xx, or an error to the app", seen(&page), holds);
    // Whatever it answers, it must not call this machine.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    for (what, place) in [
        ("loopback", format!("https://{address}/request.jwt")),
        ("link-local", "https://169.254.169.254/latest/meta-data/".to_owned()),
        ("file", "file:///etc/passwd".to_owned()),
    ] {
        let page = ask(target, &with(good_request(client, "openid"), "request_uri", &place)).await;
        let called = timeout(Duration::from_millis(300), listener.accept()).await.is_ok();
        let leads_on = page.location().is_some_and(|to| !to.as_str().contains("error="));
        let text = format!("{}{}", seen(&page), if called { ", and called it" } else { "" });
        report.case(
            &format!("request_uri: {what}"),
            &place,
            "an error, and no call",
            text,
            !called && !leads_on,
        );
    }
}

async fn resumed(target: &Target, report: &mut Report) {
    let client = target.client.as_ref().expect("asked before");
    let browser = HttpBrowser::new();
    let page = browser.get(&target.authorize(&good_request(client, "openid"))).await;
    let Some(parked) = page.location().filter(|to| to.as_str().starts_with(&target.issuer)) else {
        return report.case("parameters changed on resume", "/authorize", "a login page", seen(&page), false);
    };
    let id = parked.path_segments().and_then(|mut parts| parts.nth(1)).unwrap_or_default().to_owned();
    let changed = [
        ("redirect_uri", "https://evil.example/".to_owned()),
        ("scope", "openid insured_number".to_owned()),
        ("client_id", "nobody".to_owned()),
    ];
    let again = browser.get(&target.url(&format!("/authorize/{id}?{}", encoded(&changed)))).await;
    let holds = again.location().is_none_or(|to| to.as_str().starts_with(&target.issuer));
    report.case(
        "parameters changed on resume",
        "redirect_uri, scope, client_id",
        "they change nothing",
        seen(&again),
        holds,
    );
    let stranger = HttpBrowser::new();
    let other = stranger.get(&target.url(&format!("/login/{id}"))).await;
    let holds = !other.body.contains("login-id-form") || other.status.is_client_error();
    report.case(
        "fixation through a pre-made interaction",
        "/login/ID of another browser",
        "no form to go on with",
        seen(&other),
        holds,
    );
}
