//! A server of a relying party on loopback, with a certificate made on the fly: what the provider itself calls.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use kenpos_idp::{
    config::Config,
    web::{
        connection::{Guests, Patience, Site},
        tls::Tls,
    },
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long a request may take to come before the test fails; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Files of a certificate for 127.0.0.1 and localhost.
pub struct KeyPairFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    _folder: TempDir,
}

impl KeyPairFiles {
    /// Makes one.
    pub fn new() -> Self {
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self { certificate, key, _folder: folder }
    }

    /// The PEM text of the certificate.
    pub fn pem(&self) -> Vec<u8> {
        fs::read(&self.certificate).unwrap()
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Path and query.
    pub path: String,
    /// Content type.
    pub content_type: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
}

/// What the server does with a request.
#[derive(Clone)]
struct Desk {
    answer: Arc<Mutex<(StatusCode, Option<String>)>>,
    received: watch::Sender<Vec<Received>>,
}

/// The server.
pub struct Receiver {
    address: SocketAddr,
    files: KeyPairFiles,
    desk: Desk,
    read: usize,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Receiver {
    /// Listens on a free port and answers 200 to everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new((StatusCode::OK, None)));
        let desk = Desk { answer, received: watch::Sender::new(Vec::new()) };
        let mut receiver = Self { address, files: KeyPairFiles::new(), desk, read: 0, running: None };
        receiver.listen(listener).await;
        receiver
    }

    async fn listen(&mut self, listener: TcpListener) {
        let site = Site {
            router: Router::new().fallback(take).with_state(self.desk.clone()),
            tls: Some(Tls::load(&self.files.certificate, &self.files.key).await.unwrap()),
            patience: Patience {
                most: 100,
                head: PATIENCE,
                idle: PATIENCE,
                head_bytes: 64 * 1024,
                head_fields: 100,
            },
            guests: Guests::new(100, &[]),
        };
        let stop = CancellationToken::new();
        self.running = Some((stop.clone(), tokio::spawn(site.serve(listener, stop))));
    }

    /// Is no longer there.
    pub async fn stop(&mut self) {
        let (stop, task) = self.running.take().expect("the receiver runs");
        stop.cancel();
        task.await.unwrap();
    }

    /// Is there again, at the same address.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.listen(listener).await;
    }

    /// Lets the provider call it, although it is on loopback.
    pub fn admit(&self, config: &mut Config) {
        config.egress.ca_file = Some(self.files.certificate.clone());
        config.egress.allowed_hosts = vec![self.address.to_string()];
    }

    /// An absolute URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// Answers so from now on.
    pub fn answer(&self, status: StatusCode, location: Option<&str>) {
        *self.desk.answer.lock().unwrap() = (status, location.map(str::to_owned));
    }

    /// The next request that nobody read yet, waiting for it.
    pub async fn next(&mut self) -> Received {
        let mut all = self.desk.received.subscribe();
        let came = tokio::time::timeout(PATIENCE, all.wait_for(|all| all.len() > self.read)).await;
        let received = came.expect("no request came").unwrap()[self.read].clone();
        self.read += 1;
        received
    }

    /// Requests that nobody read.
    pub fn unread(&self) -> Vec<Received> {
        self.desk.received.borrow()[self.read..].to_vec()
    }
}

async fn take(
    State(desk): State<Desk>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
    let received = Received {
        path: uri.to_string(),
        content_type: content_type.to_owned(),
        headers: headers.clone(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    desk.received.send_modify(|all| all.push(received));
    match desk.answer.lock().unwrap().clone() {
        (status, Some(location)) => (status, [(header::LOCATION, location)]).into_response(),
        (status, None) => status.into_response(),
    }
}
