//! The two browsers of the tests, tried on a small server of our own.

use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{AppendHeaders, Html, IntoResponse, Redirect},
    routing::{any, get},
};

use crate::support::{browser::Browser, http_browser::HttpBrowser};

const PAGE: &str = r#"<!doctype html><html lang="ja"><title>試験</title>
<meta name="viewport" content="width=device-width"><main>
<h1>お名前を  入力してください</h1>
<form id="name" method="post" action="/echo?from=form">
  <input type="hidden" name="csrf" value="secret">
  <input name="name" value="前">
  <textarea name="note">a
b</textarea>
  <input type="checkbox" name="agree">
  <input type="radio" name="colour" value="red" checked><input type="radio" name="colour" value="blue">
  <select name="era"><option>昭和</option><option value="h">平成</option></select>
  <fieldset disabled><input name="off" value="1"></fieldset>
  <button name="act" value="next">次へ</button>
  <button name="act" value="back" formaction="/back">戻る</button>
</form>
<input form="name" name="outside" value="2"><a href="echo">見る</a>
<p style="margin-top: 1500px">終わり</p>
<noscript><p>JavaScriptなし</p></noscript></main>
<script>setTimeout(() => {
  const late = document.createElement('button');
  late.id = 'late';
  late.disabled = true;
  late.textContent = '遅い';
  late.onclick = () => { location.href = '/echo?late'; };
  document.querySelector('main').prepend(late);
  setTimeout(() => { late.disabled = false; }, 150);
}, 150);</script></html>"#;

/// Serves on a free port for as long as the test runs; returns its address.
async fn serve() -> String {
    let router = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/strict", get(|| async { ([(header::REFERRER_POLICY, "no-referrer")], Html(PAGE)) }))
        .route("/echo", any(echo))
        .route("/back", any(echo))
        .route("/again", any(|| async { Redirect::temporary("/echo?again") }))
        .route("/out", get(|RawQuery(to): RawQuery| async move { Redirect::to(&to.unwrap_or_default()) }))
        .route("/loop", get(|| async { Redirect::to("/loop") }))
        .route("/cookies", get(cookies));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Says what came, line by line.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: String) -> String {
    let header = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let names = ["origin", "referer", "sec-fetch-site", "cookie"];
    let lines: Vec<String> = names.iter().map(|name| format!("{name}: {}", header(name))).collect();
    format!("{method} {uri}\n{}\n{body}", lines.join("\n"))
}

async fn cookies(RawQuery(query): RawQuery) -> impl IntoResponse {
    let set = if query.is_some() {
        ["lax=; Max-Age=0", "strict=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "none=4; SameSite=None"]
    } else {
        ["lax=1; Path=/; HttpOnly", "strict=2; SameSite=Strict", "none=3; SameSite=None"]
    };
    (AppendHeaders(set.map(|cookie| (header::SET_COOKIE, cookie))), Redirect::to("/echo"))
}

#[tokio::test]
async fn a_form_is_sent_as_a_browser_sends_it() {
    let site = serve().await;
    let page = HttpBrowser::new().get(&site).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.select("h1")[0].text, "お名前を 入力してください");
    assert!(page.text().ends_with("終わり JavaScriptなし"), "{}", page.text());
    assert_eq!(page.select("input[type=hidden]")[0].attr("value"), Some("secret"));

    let form =
        page.form("#name").set("name", "花 子").set("agree", "on").set("colour", "blue").set("era", "h");
    assert_eq!(form.value("csrf"), Some("secret"));
    let echo = form.submit().await.body;
    let (head, body) = echo.rsplit_once('\n').unwrap();
    assert_eq!(
        head,
        format!(
            "POST /echo?from=form\norigin: {site}\nreferer: {site}/\nsec-fetch-site: same-origin\ncookie: -"
        )
    );
    let sent: Vec<(String, String)> = serde_html_form::from_str(body).unwrap();
    let sent: Vec<String> = sent.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        sent,
        [
            "csrf=secret",
            "name=花 子",
            "note=a\r\nb",
            "agree=on",
            "colour=blue",
            "era=h",
            "outside=2",
            "act=next"
        ]
    );

    let back = page.form("#name").unset("csrf").click("act", "back").submit().await;
    assert_eq!(back.url.path(), "/back");
    assert!(back.body.ends_with("outside=2&act=back") && !back.body.contains("csrf"), "{}", back.body);
    let link = page.click("a").await;
    assert!(link.text().starts_with(&format!("GET /echo origin: - referer: {site}/")), "{}", link.text());
}

#[tokio::test]
#[should_panic(expected = "the form has no surname")]
async fn a_field_that_is_not_there_is_not_filled_in() {
    let page = HttpBrowser::new().get(&serve().await).await;
    let _ = page.form("#name").set("surname", "x");
}

#[tokio::test]
async fn redirects_are_followed_when_asked_and_as_far_as_asked() {
    let (site, other) = (serve().await, serve().await);
    let browser = HttpBrowser::new();
    let out = browser.get(&format!("{site}/out?/out?{other}/echo")).await;
    assert_eq!(out.location().unwrap().path(), "/out");
    let edge = out.clone().follow_here().await;
    assert_eq!(edge.location().unwrap().as_str(), format!("{other}/echo"));
    let end = out.follow().await;
    assert_eq!((end.status, end.url.as_str()), (StatusCode::OK, format!("{other}/echo").as_str()));
    assert!(end.body.contains("sec-fetch-site: none"), "{}", end.body);

    // 307 repeats the POST; here the page lets nobody know where the form came from.
    let page = browser.get(&format!("{site}/strict")).await;
    let headers = [("origin", "https://evil.example")];
    let again = browser.raw(Method::POST, &format!("{site}/again"), &headers, "a=1").await.follow().await;
    assert!(again.body.starts_with("POST /echo?again") && again.body.ends_with("a=1"), "{}", again.body);
    let hidden = page.form("#name").submit().await.body;
    assert!(hidden.contains("origin: null\nreferer: -\nsec-fetch-site: same-origin"), "{hidden}");
}

#[tokio::test]
#[should_panic(expected = "more than 10 redirects")]
async fn endless_redirects_end() {
    let site = serve().await;
    HttpBrowser::new().get(&format!("{site}/loop")).await.follow().await;
}

#[tokio::test]
async fn cookies_stay_with_their_origin_and_go_when_told() {
    let (site, other) = (serve().await, serve().await);
    let browser = HttpBrowser::new();
    let echo = browser.get(&format!("{site}/cookies")).await.follow().await;
    assert!(echo.body.contains("cookie: lax=1; none=3; strict=2"), "{}", echo.body);
    assert_eq!(browser.cookie(&site, "strict").as_deref(), Some("2"));
    assert_eq!(browser.cookie(&other, "strict"), None);

    browser.get(&format!("{site}/cookies?end")).await;
    let raw = browser.raw(Method::PUT, &format!("{site}/echo"), &[("origin", "null")], "x").await;
    assert!(raw.body.contains("PUT /echo\norigin: null\nreferer: -\nsec-fetch-site: -\ncookie: none=4"));
    browser.clear_cookies();
    assert_eq!(browser.cookie(&site, "none"), None);
}

#[tokio::test]
async fn foreign_pages_send_what_same_site_allows() {
    let site = serve().await;
    // One server under two names is two sites.
    let foreign = site.replace("127.0.0.1", "localhost");
    let browser = HttpBrowser::new();
    browser.get(&format!("{site}/cookies")).await;
    let followed = browser.get(&foreign).await.visit(&format!("{site}/echo")).await.body;
    assert!(followed.contains("sec-fetch-site: cross-site\ncookie: lax=1; none=3"), "{followed}");
}

#[tokio::test]
async fn chromium_fills_clicks_waits_and_takes_pictures() {
    let site = serve().await;
    let phone = Browser::phone().await;
    phone.open(&site).await;
    assert_eq!(phone.text("h1").await, "お名前を 入力してください");
    let seen = phone.script("return [innerWidth, navigator.language, 'ontouchstart' in window]").await;
    assert_eq!(seen, serde_json::json!([390, "ja", true]));
    let picture = phone.screenshot("smoke-phone").await;
    let (width, height) = png_size(&picture);
    assert!(width == 2 * 390 && height > 2 * 1500, "not the full page: {width}×{height}");
    phone.fill("[name=name]", "花子").await;
    phone.click("button[value=next]").await;
    let url = phone.wait_for_url(|url| url.path() == "/echo").await;
    assert_eq!(url.query(), Some("from=form"));
    let echo = phone.text("body").await;
    assert!(echo.contains("name=%E8%8A%B1%E5%AD%90&"), "{echo}");
    assert!(
        echo.contains(&format!("origin: {site}\nreferer: {site}/\nsec-fetch-site: same-origin")),
        "{echo}"
    );
    phone.close().await;
}

#[tokio::test]
async fn chromium_waits_for_what_comes_late() {
    let site = serve().await;
    let desktop = Browser::desktop().await;
    desktop.open(&format!("{site}/strict")).await;
    desktop.wait_for("#late").await;
    desktop.click("#late").await;
    desktop.wait_for_url(|url| url.query() == Some("late")).await;
    desktop.open(&format!("{site}/strict")).await;
    desktop.click("button[value=next]").await;
    // What the browser without JavaScript believes about browsers.
    let echo = desktop.text("body").await;
    assert!(echo.contains("origin: null\nreferer: -\nsec-fetch-site: same-origin"), "{echo}");
    assert_eq!(desktop.url().await.path(), "/echo");
}

#[tokio::test]
#[should_panic(expected = "title: 試験")]
async fn a_failure_tells_what_the_page_showed() {
    let site = serve().await;
    let desktop = Browser::desktop().await;
    desktop.open(&site).await;
    desktop.script("return missing.value").await;
}

/// Width and height of a PNG file, from its first chunk.
fn png_size(path: &std::path::Path) -> (u32, u32) {
    let png = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!(&png[1..4], b"PNG");
    (number(16), number(20))
}
