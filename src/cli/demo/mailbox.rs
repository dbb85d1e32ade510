//! The demo's mailbox page: what was mailed, for whoever tries the demo.
//!
//! Everything in a mail is a stranger's word: it is escaped, its HTML part is shown in a sandbox, and
//! the site answers only to this machine's own names, so that no other web site can read mails here.

use std::{fmt::Write as _, net::IpAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use jiff::tz::{self, TimeZone};
use serde::{Deserialize, Serialize};
use url::Url;

use super::received::{Received, ReceivedMail, web_address};
use crate::{clock::Timestamp, texts::Locale};

/// No inline script or style, nothing from elsewhere.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A mail's own HTML: no script, no request; links open beside the sandbox.
const PART_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'";

/// The site: `/`, `/mail/{number}` and, for scripts, `/api/mails`.
pub fn router(received: Received) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/mail/{number}", get(mail))
        .route("/mail/{number}/html", get(html_part))
        .route("/api/mails", get(api))
        .route("/mailbox.css", get(([(CONTENT_TYPE, "text/css")], include_str!("mailbox.css"))))
        .route("/mailbox.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("mailbox.js"))))
        .with_state(received)
        .layer(middleware::from_fn(guard))
}

/// Answers only to this machine's names, and hardens every answer.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_this_machine(host) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Against DNS rebinding: the name in the browser's address bar must be ours.
fn is_this_machine(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
    let name = url.host_str().unwrap_or_default();
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

async fn list(State(received): State<Received>, headers: HeaderMap) -> Html<String> {
    let words = Words::of(&headers);
    let mails = received.all();
    let newest = mails.last().map_or(0, |mail| mail.number);
    let mut body = format!(
        "<header><h1>{}</h1><a href=\"/\">{}</a></header>\n<p class=\"quiet\">{}</p>\n",
        words.title, words.reload, words.about
    );
    if mails.is_empty() {
        let _ = write!(body, "<p>{}</p>", words.empty);
    } else {
        body.push_str("<ul>\n");
        for mail in mails.iter().rev() {
            let _ = writeln!(
                body,
                "<li><a href=\"/mail/{}\"><strong>{}</strong><span>{}</span><time>{}</time></a></li>",
                mail.number,
                escape(words.subject(mail)),
                escape(&mail.to.join(", ")),
                japan_time(mail.received_at)
            );
        }
        body.push_str("</ul>");
    }
    page(&words, words.title, Some(newest), &body)
}

async fn mail(
    State(received): State<Received>,
    Path(number): Path<usize>,
    headers: HeaderMap,
) -> Result<Html<String>, StatusCode> {
    let words = Words::of(&headers);
    let mail = received.get(number).ok_or(StatusCode::NOT_FOUND)?;
    let subject = words.subject(&mail);
    let mut body = format!("<p><a href=\"/\">← {}</a></p>\n<h1>{}</h1>\n<dl>", words.title, escape(subject));
    for (term, value) in [
        (words.from, mail.header("From").unwrap_or(&mail.from)),
        (words.to, &*mail.to.join(", ")),
        (words.at, &*japan_time(mail.received_at)),
    ] {
        let _ = write!(body, "<dt>{term}</dt><dd>{}</dd>", escape(value));
    }
    let _ = write!(body, "</dl>\n<pre>{}</pre>\n", with_links(&mail.text));
    if mail.html.is_some() {
        let _ = write!(
            body,
            "<h2>{title}</h2>\n<iframe title=\"{title}\" src=\"/mail/{number}/html\" \
             sandbox=\"allow-popups allow-popups-to-escape-sandbox\"></iframe>",
            title = words.html
        );
    }
    Ok(page(&words, subject, None, &body))
}

async fn html_part(
    State(received): State<Received>,
    Path(number): Path<usize>,
) -> Result<Response, StatusCode> {
    let mail = received.get(number).ok_or(StatusCode::NOT_FOUND)?;
    let html = mail.html.as_deref().ok_or(StatusCode::NOT_FOUND)?;
    // A page that forbids framing would stay blank inside the frame.
    let html = format!("<base target=\"_blank\">{html}");
    Ok(([(CONTENT_SECURITY_POLICY, PART_POLICY)], Html(html)).into_response())
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: usize,
}

#[derive(Serialize)]
struct ApiMail {
    #[serde(flatten)]
    mail: Arc<ReceivedMail>,
    links: Vec<Url>,
}

/// Mails newer than number `after`, oldest first.
async fn api(State(received): State<Received>, Query(After { after }): Query<After>) -> Json<Vec<ApiMail>> {
    let newer = received.all().into_iter().filter(|mail| mail.number > after);
    Json(newer.map(|mail| ApiMail { links: mail.links(), mail }).collect())
}

/// The few words of the page.
struct Words {
    lang: Locale,
    title: &'static str,
    about: &'static str,
    reload: &'static str,
    empty: &'static str,
    no_subject: &'static str,
    from: &'static str,
    to: &'static str,
    at: &'static str,
    html: &'static str,
}

const JA: Words = Words {
    lang: Locale::Ja,
    title: "受信箱",
    about: "デモが送ったメールはすべてここに届きます。外部へは送信されません。",
    reload: "再読み込み",
    empty: "メールはまだありません。",
    no_subject: "(件名なし)",
    from: "差出人",
    to: "宛先",
    at: "受信日時",
    html: "HTML表示",
};

const EN: Words = Words {
    lang: Locale::En,
    title: "Mailbox",
    about: "Every mail of the demo arrives here; none leaves this machine.",
    reload: "Reload",
    empty: "There is no mail yet.",
    no_subject: "(no subject)",
    from: "From",
    to: "To",
    at: "Received",
    html: "As HTML",
};

impl Words {
    fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let known = |tag: &str| Locale::from_tag(tag.split(';').next().unwrap_or(tag).trim());
        match accepted.split(',').find_map(known) {
            Some(Locale::En) => EN,
            Some(Locale::Ja) | None => JA,
        }
    }

    fn subject<'a>(&self, mail: &'a ReceivedMail) -> &'a str {
        if mail.subject.trim().is_empty() { self.no_subject } else { &mail.subject }
    }
}

fn page(words: &Words, title: &str, newest: Option<usize>, body: &str) -> Html<String> {
    let (data, script) = match newest {
        Some(newest) => {
            (format!(" data-newest=\"{newest}\""), "\n<script src=\"/mailbox.js\" defer></script>")
        }
        None => (String::new(), ""),
    };
    Html(format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"/mailbox.css\">{script}\n</head>\n\
         <body{data}>\n{body}\n</body>\n</html>\n",
        words.lang,
        escape(title),
    ))
}

/// For HTML text and for attributes in double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Escaped, with every web address a link.
fn with_links(text: &str) -> String {
    let linked = |word: &str| {
        let bare = word.trim_end();
        match web_address(bare) {
            Some(url) => format!(
                "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">{}</a>{}",
                escape(url.as_str()),
                escape(bare),
                &word[bare.len()..]
            ),
            None => escape(word),
        }
    };
    text.split_inclusive(char::is_whitespace).map(linked).collect()
}

pub(super) fn japan_time(at: Timestamp) -> String {
    let zone = TimeZone::fixed(tz::offset(9));
    jiff::Timestamp::from_millisecond(at.millis())
        .map_or_else(|_| String::new(), |at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::*;
    use tower::ServiceExt as _;

    use super::*;
    use crate::cli::demo::received::Envelope;

    async fn site() -> Router {
        let received = Received::in_memory();
        let envelope = Envelope {
            from: "a@idp.example".to_owned(),
            to: vec!["\"<script>alert(1)</script>\"@example.jp".to_owned()],
            received_at: Timestamp::from_millis(1_795_396_500_000),
        };
        let message = "From: \"<script>alert(2)</script>\" <a@idp.example>\r\n\
            Subject: </title><script>alert(3)</script>\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\n<script>alert(4)</script>\r\n\
            https://idp.example/r/a?b=1&c=\"><script>\r\njavascript:alert(5)\r\n\
            --b\r\nContent-Type: text/html\r\n\r\n<script>alert(6)</script><p>part</p>\r\n--b--\r\n";
        received.add(&envelope, message.as_bytes()).await.unwrap();
        router(received)
    }

    async fn fetch(path: &str, host: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder()
            .uri(path)
            .header(HOST, host)
            .header(ACCEPT_LANGUAGE, "en-GB,ja;q=0.5")
            .body(Body::empty())
            .unwrap();
        let response = site().await.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn nothing_of_a_mail_becomes_markup() {
        for path in ["/", "/mail/1"] {
            let (status, headers, body) = fetch(path, "localhost:8025").await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(body.matches("<script").count(), body.matches("<script src=\"/mailbox.js\"").count());
            assert!(body.contains("&lt;script&gt;alert(3)"), "{body}");
            assert!(!headers[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("unsafe"));
        }
        let (_, _, body) = fetch("/mail/1", "localhost").await;
        assert!(body.contains("href=\"https://idp.example/r/a?b=1&amp;c="), "{body}");
        assert!(!body.contains("href=\"javascript:"), "{body}");
        assert!(body.contains("2026-11-23 10:15:00"), "{body}");
    }

    #[tokio::test]
    async fn the_html_part_is_shown_in_a_sandbox() {
        let (status, headers, body) = fetch("/mail/1/html", "127.0.0.1:8025").await;
        assert_eq!(status, StatusCode::OK);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("sandbox") && !policy.contains("allow-scripts"), "{policy}");
        assert!(!policy.contains("allow-same-origin") && policy.contains("default-src 'none'"), "{policy}");
        assert!(body.contains("<p>part</p>"));
    }

    #[tokio::test]
    async fn scripts_get_mails_as_json() {
        let (_, headers, body) = fetch("/api/mails", "localhost").await;
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        let mails: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(mails[0]["number"], 1);
        assert_eq!(fetch("/api/mails?after=1", "localhost").await.2, "[]");
        assert_eq!(fetch("/mail/2", "localhost").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn other_names_get_nothing() {
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@evil.example"]
        {
            assert_eq!(fetch("/api/mails", host).await.0, StatusCode::MISDIRECTED_REQUEST, "{host:?}");
        }
        for host in ["localhost:8025", "mail.localhost", "[::1]:8025", "127.0.0.1"] {
            assert_eq!(fetch("/api/mails", host).await.0, StatusCode::OK, "{host:?}");
        }
    }

    proptest! {
        #[test]
        fn linked_text_holds_no_markup_but_links(text in any::<String>()) {
            let html = with_links(&text);
            let markup = html.matches('<').count();
            prop_assert_eq!(markup, html.matches("<a href=\"http").count() + html.matches("</a>").count());
        }
    }
}
