//! A server of a relying party on this machine, over https: what the provider fetches through `src/egress`.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use kenpos_idp::config::Config;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// What it answers at a path.
#[derive(Clone, Debug)]
pub struct Document {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How long it waits before it answers.
    pub delay: Duration,
}

/// The server; what it does not know is a 404.
pub struct Documents {
    /// `https://localhost:PORT`
    pub origin: String,
    host: String,
    folder: TempDir,
    known: Arc<Mutex<BTreeMap<String, Document>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Documents {
    /// Starts on a port of its own.
    pub async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let documents = Arc::new(Mutex::new(BTreeMap::<String, Document>::new()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (known, noted) = (Arc::clone(&documents), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, known, noted) = (tls.clone(), Arc::clone(&known), Arc::clone(&noted));
                tokio::spawn(async move {
                    let Ok(mut stream) = tls.accept(stream).await else { return };
                    let mut head = Vec::new();
                    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    let found = known.lock().unwrap().get(&path).cloned();
                    noted.lock().unwrap().push(path);
                    let found = found.unwrap_or(Document {
                        status: 404,
                        headers: Vec::new(),
                        body: Vec::new(),
                        delay: Duration::ZERO,
                    });
                    tokio::time::sleep(found.delay).await;
                    let (status, length) = (found.status, found.body.len());
                    let mut lines = vec![
                        format!("HTTP/1.1 {status} x"),
                        "Connection: close".to_owned(),
                        format!("Content-Length: {length}"),
                    ];
                    lines.extend(found.headers.iter().map(|(name, value)| format!("{name}: {value}")));
                    let answer = lines.join("\r\n") + "\r\n\r\n";
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.write_all(&found.body).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { origin: format!("https://{host}"), host, folder, known: documents, asked }
    }

    /// Lets a provider call it: its certificate, and its host although that is loopback.
    pub fn allow(&self, config: &mut Config) {
        self.trust(config);
        config.egress.allowed_hosts = vec![self.host.clone()];
    }

    /// Only its certificate.
    pub fn trust(&self, config: &mut Config) {
        config.egress.ca_file = Some(self.folder.path().join("ca.pem"));
    }

    /// Answers with this at the path.
    pub fn put(&self, path: &str, document: Document) -> String {
        self.known.lock().unwrap().insert(path.to_owned(), document);
        format!("{}{path}", self.origin)
    }

    /// Answers with a document of this content type, and gives its URL.
    pub fn serve(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> String {
        let headers = vec![("Content-Type", content_type.to_owned())];
        self.put(path, Document { status: 200, headers, body: body.into(), delay: Duration::ZERO })
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}
