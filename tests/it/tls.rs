//! The server on the wire: TLS, and connections that dawdle, idle or are too many.

use std::{sync::Arc, time::Duration};

use kenpos_idp::cli::doctor;
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
        version::{TLS12, TLS13},
    },
};

use crate::support::{
    app::{Backend, TestApp},
    receiver::KeyPairFiles,
};

/// A provider that ends TLS itself.
async fn start(files: &KeyPairFiles) -> TestApp {
    TestApp::start_with(Backend::Embedded, |config| {
        config.server.issuer = config.server.issuer.replace("http://", "https://");
        config.server.tls.certificate = Some(files.certificate.clone());
        config.server.tls.key = Some(files.key.clone());
    })
    .await
}

/// A client's side of a handshake with this version and these protocols (RFC 7301).
async fn handshake(
    app: &TestApp,
    files: &KeyPairFiles,
    version: &'static SupportedProtocolVersion,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&files.pem()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(app.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn tls_is_spoken_in_both_versions_and_both_protocols() {
    let files = KeyPairFiles::new();
    let app = start(&files).await;
    for (version, number) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        for protocols in [["h2", "http/1.1"], ["http/1.1", "other"]] {
            let stream = handshake(&app, &files, version, &protocols).await.unwrap();
            let connection = stream.get_ref().1;
            assert_eq!(connection.protocol_version(), Some(number));
            assert_eq!(connection.alpn_protocol(), Some(protocols[0].as_bytes()));
        }
    }
    let mut stream = handshake(&app, &files, &TLS13, &["http/1.1"]).await.unwrap();
    stream.write_all(b"GET /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    let answer = answer.to_lowercase();
    assert!(answer.starts_with("http/1.1 303"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=63072000\r\n"), "{answer}");
    assert!(answer.contains("set-cookie: __host-kenpos-browser="), "{answer}");
    // Over HTTP/2, as browsers and relying parties do.
    let certificate = reqwest::Certificate::from_pem(&files.pem()).unwrap();
    let client = reqwest::Client::builder().no_proxy().add_root_certificate(certificate).build().unwrap();
    let found = client.get(app.url("/.well-known/openid-configuration")).send().await.unwrap();
    assert_eq!(found.status(), StatusCode::OK);
    let metadata: serde_json::Value = serde_json::from_str(&found.text().await.unwrap()).unwrap();
    assert_eq!(metadata["issuer"], app.url(""));
    // Who speaks no TLS gets no page.
    let plain = app.octets(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!plain.contains("200"), "{plain}");
    app.finish().await;
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections() {
    let (files, other) = (KeyPairFiles::new(), KeyPairFiles::new());
    let app = start(&files).await;
    let known = KeyPairFiles::new();
    std::fs::copy(&files.certificate, &known.certificate).unwrap();
    for (from, to) in [(&other.certificate, &files.certificate), (&other.key, &files.key)] {
        std::fs::copy(from, to).unwrap();
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while handshake(&app, &other, &TLS13, &["h2"]).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the new certificate is not shown");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(handshake(&app, &known, &TLS13, &["h2"]).await.is_err(), "the old one is not shown any more");
    app.finish().await;
}

/// What comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut came = Vec::new();
    let reading = stream.read_to_end(&mut came);
    let closed = tokio::time::timeout(Duration::from_secs(20), reading).await;
    let _ = closed.expect("the server does not close");
    String::from_utf8_lossy(&came).into_owned()
}

#[tokio::test]
async fn who_dawdles_or_idles_is_left() {
    let app = TestApp::start_with(Backend::Embedded, |config| {
        config.server.header_timeout_seconds = 1;
        config.server.idle_timeout_seconds = 1;
    })
    .await;
    let whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    // Nothing at all, half a head, half a preface of HTTP/2, and a request with half of another behind it.
    let dawdlers: [&[u8]; 4] =
        [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"PRI * HTTP/2.0\r\n", b"POST /token HTTP/1.1\r\n"];
    for sent in dawdlers {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        assert!(!rest(&mut stream).await.contains("200 OK"));
    }
    let mut idler = TcpStream::connect(app.address()).await.unwrap();
    idler.write_all(whole).await.unwrap();
    let answer = rest(&mut idler).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
    let mut half = TcpStream::connect(app.address()).await.unwrap();
    half.write_all(&[&whole[..], b"GET /healthz"].concat()).await.unwrap();
    assert!(rest(&mut half).await.ends_with("ok"));
    app.finish().await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_the_server_stops() {
    let files = KeyPairFiles::new();
    let mut app = start(&files).await;
    let mut stream = handshake(&app, &files, &TLS13, &["http/1.1"]).await.unwrap();
    let idle = handshake(&app, &files, &TLS13, &["h2"]).await.unwrap();
    // Its handler waits for the rest of the body.
    let head = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\na";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // for the head to be read before the stop
    let stopping = async {
        app.stop().await;
        app.start_again().await;
    };
    let finishing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(b"=b").await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let ((), answer) = tokio::join!(stopping, finishing);
    assert!(answer.starts_with("HTTP/1.1 40") && answer.contains("error"), "{answer}");
    drop(idle);
    app.finish().await;
}

#[tokio::test]
async fn one_connection_too_many_waits_for_another_to_end() {
    let app = TestApp::start_with(Backend::Embedded, |config| {
        config.server.max_connections = 1;
        config.server.idle_timeout_seconds = 3600;
        config.server.header_timeout_seconds = 3600;
    })
    .await;
    let first = TcpStream::connect(app.address()).await.unwrap();
    let mut second = TcpStream::connect(app.address()).await.unwrap();
    second.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    let waiting = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(waiting.is_err(), "it was answered while another was there");
    drop(first);
    assert!(rest(&mut second).await.ends_with("ok"));
    app.finish().await;
}

#[tokio::test]
async fn the_doctor_looks_at_the_certificate() {
    let files = KeyPairFiles::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kenpos.toml");
    let told = async |issuer: &str| {
        let text = format!(
            "[server]\nissuer = \"{issuer}\"\n[server.tls]\ncertificate = {:?}\nkey = {:?}\n\
             [database]\nurl = \"sqlite://{}/kenpos.sqlite\"\n[keys]\ndirectory = {:?}\n\
             [mail]\nhost = \"127.0.0.1\"\nport = 1\nsecurity = \"none\"\nfrom = \"no-reply@example.jp\"\n\
             [[insurers]]\ncode = \"7132\"\nnumber = \"06139497\"\nname = \"x\"\ncontact = {{ name = \"y\" }}\n",
            files.certificate,
            files.key,
            folder.path().display(),
            folder.path().join("keys"),
        );
        std::fs::write(&file, text).unwrap();
        let mut out = Vec::new();
        doctor::run(Some(&file), false, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    };
    let report = told("https://localhost").await;
    assert!(report.contains("ok    certificate: is for localhost"), "{report}");
    let report = told("https://login.example.jp").await;
    assert!(report.contains("FAIL  certificate: is not for login.example.jp"), "{report}");
    std::fs::write(&files.key, "no key").unwrap();
    let report = told("https://localhost").await;
    assert!(report.contains("FAIL  certificate: ") && report.contains("no PEM file"), "{report}");
}
