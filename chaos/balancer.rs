//! What stands before the nodes: sends each request to the next node that is well, as a load balancer does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use kenpos_idp::clock::Entropy;
use reqwest::{Client, RequestBuilder, header::HeaderMap, redirect::Policy};

/// The address that members and apps know.
pub const ISSUER: &str = "https://login.example.jp";
/// How often each node is asked whether it lives, and how long it may take to say so.
const CHECK: Duration = Duration::from_millis(500);
/// Longer than any request may take by the configuration.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer, or none that helps.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// No node takes connections.
    Refused,
    /// The connection ended before the answer; it may have been done or not.
    Broken,
    /// No answer in time; it may have been done or not.
    TimedOut,
    /// An answer that says to come back later, or that something is wrong.
    Status(u16),
    /// An answer that nothing here expects.
    Unexpected(String),
}

impl Trouble {
    /// Its kind, as it is counted.
    pub fn kind(&self) -> String {
        match self {
            Self::Refused => "no node".to_owned(),
            Self::Broken => "broken off".to_owned(),
            Self::TimedOut => "no answer".to_owned(),
            Self::Status(status) => status.to_string(),
            Self::Unexpected(what) => what.clone(),
        }
    }
}

/// An answer of a node.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

struct Slot {
    address: SocketAddr,
    well: AtomicBool,
}

/// The nodes, and whose turn it is.
pub struct Balancer {
    client: Client,
    slots: Vec<Slot>,
    turn: AtomicUsize,
}

impl Balancer {
    /// Balances between these nodes, all well at first.
    pub fn new(nodes: &[SocketAddr]) -> Arc<Self> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(2))
            // A connection to a node that was killed must not be taken for one to its successor.
            .pool_idle_timeout(Duration::from_secs(5))
            .build()
            .expect("a client");
        let slots = nodes.iter().map(|node| Slot { address: *node, well: AtomicBool::new(true) }).collect();
        let balancer = Arc::new(Self { client, slots, turn: AtomicUsize::new(0) });
        for number in 0..nodes.len() {
            let balancer = Arc::clone(&balancer);
            tokio::spawn(async move {
                loop {
                    let slot = &balancer.slots[number];
                    let url = format!("http://{}/healthz", slot.address);
                    let asked = balancer.client.get(url).timeout(CHECK).send().await;
                    slot.well.store(asked.is_ok_and(|answer| answer.status() == 200), Ordering::Relaxed);
                    tokio::time::sleep(CHECK).await;
                }
            });
        }
        balancer
    }

    /// Sends what `build` makes for a base URL to a node that is well: `to` if it is, else the next one. A
    /// refused connection is tried at another node, because nothing can have happened; all else is told.
    pub async fn send(
        &self,
        to: Option<usize>,
        build: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Result<Answer, Trouble> {
        let first = to.unwrap_or_else(|| self.turn.fetch_add(1, Ordering::Relaxed));
        let order = (0..self.slots.len()).map(|step| (first + step) % self.slots.len());
        let (well, ill): (Vec<_>, Vec<_>) =
            order.partition(|number| self.slots[*number].well.load(Ordering::Relaxed));
        for number in well.into_iter().chain(ill) {
            let slot = &self.slots[number];
            let request = build(&self.client, &format!("http://{}", slot.address)).header("Host", host());
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) if error.is_connect() => {
                    slot.well.store(false, Ordering::Relaxed);
                    continue;
                }
                Err(error) if error.is_timeout() => return Err(Trouble::TimedOut),
                Err(_) => return Err(Trouble::Broken),
            };
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.text().await.map_err(|_| Trouble::Broken)?;
            if status >= 500 || status == 429 || status == 408 {
                return Err(Trouble::Status(status));
            }
            return Ok(Answer { status, headers, body });
        }
        Err(Trouble::Refused)
    }
}

fn host() -> &'static str {
    ISSUER.trim_start_matches("https://")
}

/// A fresh network address for a visitor, so that the limits on guessing see many people.
pub fn somebody() -> String {
    let [a, b, c] = Entropy::system().bytes::<3>();
    format!("10.{a}.{b}.{c}")
}
