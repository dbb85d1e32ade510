//! What a client sees that is too slow, too much or too many; on the wire, in HTTP/1.1 and HTTP/2.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::stream;
use hyper::{Request, Version, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kenpos_idp::{config::Server, storage::Db};
use reqwest::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use crate::support::{
    app::{Backend, TestApp},
    journey::log_in,
    members::NOBODY,
    receiver::KeyPairFiles,
};

/// Far more than the server needs to close.
const PATIENCE: Duration = Duration::from_secs(20);
const SLOW_BODY: &[u8] = b"POST /token HTTP/1.1\r\nHost: x\r\n\
    Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant";
/// The preface of HTTP/2 and empty settings (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// HEADERS of stream 1 that more should follow (RFC 9113 §6.2): no flag is set.
const HALF_A_HEAD: &[u8] = b"\0\0\x01\x01\0\0\0\0\x01\x82";

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A provider and how its clients reach it.
struct Wire {
    app: TestApp,
    files: Option<KeyPairFiles>,
}

impl Wire {
    async fn start(tls: bool, change: impl FnOnce(&mut Server)) -> Self {
        let files = tls.then(KeyPairFiles::new);
        let app = TestApp::start_with(Backend::Embedded, |config| {
            if let Some(files) = &files {
                config.server.issuer = config.server.issuer.replace("http://", "https://");
                config.server.tls.certificate = Some(files.certificate.clone());
                config.server.tls.key = Some(files.key.clone());
            }
            change(&mut config.server);
        })
        .await;
        Self { app, files }
    }

    async fn connect(&self, protocol: &str) -> Box<dyn Stream> {
        let stream = TcpStream::connect(self.app.address()).await.unwrap();
        let Some(files) = &self.files else { return Box::new(stream) };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&files.pem()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = ServerName::try_from("127.0.0.1").unwrap();
        Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap())
    }

    /// An HTTP/2 request with these header fields and this body.
    async fn ask(&self, fields: &[(String, String)], body: Body) -> StatusCode {
        let io = TokioIo::new(self.connect("h2").await);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut request = Request::post("https://127.0.0.1/token").version(Version::HTTP_2);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let answer = time::timeout(PATIENCE, sender.send_request(request.body(body).unwrap()));
        let status = answer.await.expect("no answer").unwrap().status();
        driver.abort();
        status
    }
}

/// What comes until the server closes.
async fn rest(stream: &mut (impl Stream + ?Sized)) -> String {
    let mut came = Vec::new();
    let closed = time::timeout(PATIENCE, stream.read_to_end(&mut came)).await;
    let _ = closed.expect("the server does not close");
    String::from_utf8_lossy(&came).into_owned()
}

#[tokio::test]
async fn a_body_that_does_not_come_gets_408() {
    for tls in [false, true] {
        let wire = Wire::start(tls, |server| server.body_timeout_seconds = 1).await;
        let mut stream = wire.connect("http/1.1").await;
        stream.write_all(SLOW_BODY).await.unwrap();
        stream.flush().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("invalid_request"), "{answer}");
        // An octet now and then is no faster.
        let mut stream = wire.connect("http/1.1").await;
        stream.write_all(SLOW_BODY).await.unwrap();
        let dripping = async {
            for _ in 0..60 {
                time::sleep(Duration::from_millis(100)).await;
                if stream.write_all(b"x").await.is_err() || stream.flush().await.is_err() {
                    break;
                }
                let mut octet = [0; 12];
                if let Ok(Ok(12)) = time::timeout(Duration::from_millis(1), stream.read(&mut octet)).await {
                    return String::from_utf8_lossy(&octet).into_owned();
                }
            }
            rest(&mut stream).await
        };
        let answer = dripping.await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        let body = Body::from_stream(stream::pending::<Result<&[u8], std::io::Error>>());
        let form = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        assert_eq!(wire.ask(&[form], body).await, StatusCode::REQUEST_TIMEOUT, "HTTP/2");
        wire.app.finish().await;
    }
}

#[tokio::test]
async fn who_dawdles_over_a_head_is_left() {
    let wire = Wire::start(true, |server| server.header_timeout_seconds = 1).await;
    // No handshake.
    let mut stream = TcpStream::connect(wire.app.address()).await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    for (protocol, sent) in [
        ("http/1.1", &b"GET /healthz HTTP/1.1\r\nHost: x\r\n"[..]),
        ("h2", PREFACE),
        ("h2", &[PREFACE, HALF_A_HEAD].concat()[..]),
    ] {
        let mut stream = wire.connect(protocol).await;
        stream.write_all(sent).await.unwrap();
        stream.flush().await.unwrap();
        assert!(!rest(&mut stream).await.contains("200 OK"), "{protocol}");
    }
    wire.app.finish().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_gets_431() {
    let limits = |server: &mut Server| {
        server.header_limit_bytes = 8 * 1024;
        server.header_fields = 20;
    };
    let wire = Wire::start(false, limits).await;
    let many = "X-Field: x\r\n".repeat(30);
    let large = format!("Cookie: {}\r\n", "a=b; ".repeat(4_000));
    for fields in [&many, &large] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
        let mut stream = wire.connect("http/1.1").await;
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        // Who sends on and on may be hung up on before the answer is read.
        let hung_up = answer.is_empty() && fields.len() > 8 * 1024;
        assert!(hung_up || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    wire.app.finish().await;
    let wire = Wire::start(true, limits).await;
    let many: Vec<_> = (0..30).map(|n| (format!("x-field-{n}"), "x".to_owned())).collect();
    let large = [("x-large".to_owned(), "x".repeat(12 * 1024))];
    for fields in [&many[..], &large] {
        assert_eq!(wire.ask(fields, Body::empty()).await, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    wire.app.finish().await;
}

#[tokio::test]
async fn one_address_has_its_share_of_the_connections() {
    let wire = Wire::start(false, |server| server.max_connections_per_address = 2).await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut first = wire.connect("http/1.1").await;
    let _second = wire.connect("http/1.1").await;
    let mut third = wire.connect("http/1.1").await;
    let _ = third.write_all(request).await;
    assert_eq!(rest(&mut third).await, "", "closed without an answer");
    first.write_all(request).await.unwrap();
    assert!(rest(&mut first).await.ends_with("ok"));
    drop(first);
    let again = async {
        loop {
            let mut next = wire.connect("http/1.1").await;
            let _ = next.write_all(request).await;
            if rest(&mut next).await.ends_with("ok") {
                break;
            }
        }
    };
    time::timeout(PATIENCE, again).await.expect("the share is given back");
    wire.app.finish().await;

    let wire = Wire::start(false, |server| {
        server.max_connections_per_address = 2;
        server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let mut several = Vec::new();
    for _ in 0..5 {
        several.push(wire.connect("http/1.1").await);
    }
    for stream in &mut several {
        stream.write_all(request).await.unwrap();
        assert!(rest(stream).await.ends_with("ok"), "a proxy brings many");
    }
    wire.app.finish().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_503_with_retry_after() {
    let wire = Wire::start(false, |server| server.request_timeout_seconds = 1).await;
    let Db::Sqlite(pool, _) = wire.app.db() else { panic!("the embedded backend") };
    // Nothing can be written while somebody else writes.
    let mut other = pool.acquire().await.unwrap();
    sqlx::query("begin immediate").execute(&mut *other).await.unwrap();
    let page = wire.app.http_browser().get(&wire.app.url("/login")).await;
    sqlx::query("rollback").execute(&mut *other).await.unwrap();
    drop(other);
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text());
    assert!(page.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(page.select("h1")[0].text, "ただいま混み合っています");
    wire.app.finish().await;
}

#[tokio::test]
async fn who_guesses_too_often_is_told_when_to_come_back() {
    let app = TestApp::start_with(Backend::Embedded, |config| config.limits.per_address = 1).await;
    let login = app.http_browser().get(&app.url("/login")).await.follow_here().await;
    let wrong = log_in(&login, NOBODY.login_id, "not this one").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let refused = log_in(&login, NOBODY.login_id, "not this one").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["retry-after"], "600");
    app.finish().await;
}
