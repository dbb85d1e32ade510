//! Traces: what a collector gets of a sign-in, and what it never gets.

use std::collections::BTreeSet;

use kenpos_idp::{egress::house, telemetry::traces::Traces};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::StatusCode;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{
    app::{Backend, TestApp},
    collector::{Collector, Received},
    journey::{allow, set_out},
    members::ICHIRO,
    relying_party::Ask,
};

/// Has all that this thread does traced. A story runs on one thread, and so does its provider, except that SQLite
/// works on threads of its own, where the spans of one subscriber cannot be closed under another; so these
/// stories are told with PostgreSQL and Redis.
fn trace(url: &str) -> (Traces, DefaultGuard) {
    let traces = Traces::start(url, 1.0, house::Collector::new().unwrap()).unwrap();
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    (traces, tracing::subscriber::set_default(subscriber))
}

async fn flush(traces: &Traces) {
    let traces = traces.clone();
    tokio::task::spawn_blocking(move || traces.flush()).await.unwrap();
}

fn named<'a>(spans: &'a [Received], name: &str) -> &'a Received {
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name} in {names:?}"))
}

/// Names of what happened below a span.
fn below(spans: &[Received], top: &Received) -> BTreeSet<String> {
    let children = spans.iter().filter(|span| span.parent == top.id && span.trace == top.trace);
    children.flat_map(|child| below(spans, child).into_iter().chain([child.name.clone()])).collect()
}

#[tokio::test]
async fn a_sign_in_is_traced_and_nothing_of_the_member() {
    let collector = Collector::start();
    let (traces, _guard) = trace(&collector.url());
    let mut app = TestApp::start(Backend::PostgresRedis).await;
    let rp = app.relying_party().await;
    let browser = app.activate(&ICHIRO).await;
    let attempt = rp.begin(&Ask::scopes(&["profile", "email", "offline_access"]));
    let state = attempt.state.clone();
    let callback = allow(&set_out(&browser, &attempt).await).await;
    let code = rp.code(&attempt, &callback).unwrap();
    let tokens = rp.redeem(attempt, code.clone()).await.unwrap();
    rp.userinfo(&tokens).await.unwrap();
    let other = app.http_browser();
    let login = other.get(&app.url("/login")).await.follow_here().await;
    let interaction = login.url.path().rsplit('/').next().unwrap().to_owned();
    crate::support::journey::log_in(&login, ICHIRO.login_id, ICHIRO.password).await;
    let secret = app.client.secret.clone().unwrap();
    app.finish().await;
    flush(&traces).await;

    let spans = collector.spans();
    let ids: BTreeSet<(&str, &str)> = spans.iter().map(|span| (&*span.trace, &*span.id)).collect();
    for span in &spans {
        let root = span.parent.is_empty();
        assert!(root || ids.contains(&(&*span.trace, &*span.parent)), "an orphan: {span:?}");
        assert!(
            !root || matches!(span.kind, SpanKind::Server | SpanKind::Consumer),
            "no beginning: {span:?}"
        );
    }
    let token = named(&spans, "POST /token");
    assert_eq!(token.kind, SpanKind::Server);
    assert_eq!(token.attributes["http.route"], "/token");
    assert_eq!(token.attributes["http.response.status_code"], "200");
    assert!(token.attributes["kenpos.reference"].len() == 16);
    let inside = below(&spans, token);
    for kind in ["Redis ", "SQL "] {
        assert!(inside.iter().any(|name| name.starts_with(kind)), "{inside:?}");
    }
    let password = below(&spans, named(&spans, "POST /login/{interaction}/password"));
    assert!(password.contains("Argon2id"), "{password:?}");
    let mail = below(&spans, named(&spans, "mail"));
    assert!(mail.contains("SMTP") && mail.contains("SQL queue"), "{mail:?}");
    for name in ["GET /authorize", "GET /userinfo", "POST /consent/{interaction}"] {
        assert!(!below(&spans, named(&spans, name)).is_empty(), "{name}");
    }

    let texts: String = spans.iter().map(|span| span.text.as_str()).collect();
    let refresh = tokens.refresh_token.unwrap();
    let number = ICHIRO.login_id.trim_start_matches("7132-");
    let id_token = tokens.id_token.to_string();
    for never in [
        number,
        ICHIRO.born,
        ICHIRO.kana,
        ICHIRO.email,
        ICHIRO.password,
        &code,
        &state,
        &tokens.access_token,
        &refresh,
        &secret,
        &interaction,
        &id_token,
    ] {
        assert!(!texts.contains(never), "{never} was given away");
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_continues_its_trace() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let collector = Collector::start();
    let (traces, _guard) = trace(&collector.url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |app: &TestApp, path: &str, flags: &str| {
        let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
        let answer = client.get(app.url(path)).header("traceparent", parent).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    };
    let mut app = TestApp::start(Backend::PostgresRedis).await;
    ask(&app, "/jwks", "01").await;
    ask(&app, "/jwks", "00").await;
    app.restart_with(|config| config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    ask(&app, "/healthz", "01").await;
    // The proxy has decided that this one is not traced.
    ask(&app, "/.well-known/openid-configuration", "00").await;
    // What is no trace begins one.
    let answer = client.get(app.url("/readyz")).header("traceparent", "00-nonsense").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    app.finish().await;
    flush(&traces).await;

    let spans = collector.spans();
    assert_eq!(spans.iter().filter(|span| span.name == "GET /jwks").count(), 2);
    let strangers = named(&spans, "GET /jwks");
    assert!(strangers.trace != TRACE && strangers.parent.is_empty(), "{strangers:?}");
    let proxied = named(&spans, "GET /healthz");
    assert_eq!((&*proxied.trace, &*proxied.parent), (TRACE, "b7ad6b7169203331"));
    assert!(spans.iter().all(|span| span.name != "GET /.well-known/openid-configuration"));
    assert!(named(&spans, "GET /readyz").parent.is_empty());
}

/// A collector that is not there costs no request anything.
#[tokio::test]
async fn without_its_collector_everything_goes_on() {
    let (traces, _guard) = trace("http://127.0.0.1:1/v1/traces");
    let mut app = TestApp::start(Backend::PostgresRedis).await;
    app.activate(&ICHIRO).await;
    flush(&traces).await;
    let page = app.http_browser().get(&app.url("/healthz")).await;
    assert_eq!(page.status, StatusCode::OK);
    app.finish().await;
}
