//! The audit's way out: its lines, in the order of their numbers, to standard output or to syslog.
//!
//! What is sent was committed before: the lines come from the table, after [`chain::link`](crate::audit::chain)
//! gave them their numbers, and how far they were sent stands in the database. So none is lost when a node or
//! the receiver dies; a line may come twice, with the same number. One node sends at a time.
//!
//! What a receiver over TCP had taken into its buffers when it died is gone there, since syslog acknowledges
//! nothing: a gap in the numbers shows it, and `audit export` has the lines.

use std::{fmt::Write as _, io, io::Write as _, path::PathBuf, time::Duration};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UnixDatagram},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::log::Format;
use crate::{
    clock::Clock,
    config::telemetry::AuditTarget,
    fault::Fault,
    members::Members,
    storage::{Db, audit_chain, audit_feed},
};

/// Lines that are sent before their number is noted.
const BATCH: i64 = 200;
/// How often it is looked for new lines.
const POLL: Duration = Duration::from_secs(2);
/// How long no other node sends. Longer than a batch may take.
const LEASE: Duration = Duration::from_secs(60);
/// How long a batch may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Facility 10 (authpriv), severity 6 (informational): RFC 5424 §6.2.1.
const PRIORITY: u8 = 10 * 8 + 6;
/// Octets of the longest MSGID (RFC 5424 §6.2.7).
const LONGEST_ID: usize = 32;

/// Why lines were not sent.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The database.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The receiver.
    #[error("the receiver of the audit: {0}")]
    Receiver(#[from] io::Error),
}

impl From<crate::storage::StorageError> for FeedError {
    fn from(error: crate::storage::StorageError) -> Self {
        Self::Fault(error.into())
    }
}

/// Follows the audit.
pub struct Feed {
    db: Db,
    clock: Clock,
    /// Who holds the lease: a name of this feed alone.
    holder: String,
    /// HOSTNAME of syslog: the issuer's.
    host: String,
    sink: Sink,
}

impl Feed {
    /// A feed to `target`; sends nothing before [`Feed::run`] or [`Feed::pass`].
    pub fn new(members: &Members, target: AuditTarget) -> Self {
        let issuer = url::Url::parse(&members.config.server.issuer).ok();
        let host = issuer.as_ref().and_then(url::Url::host_str).unwrap_or("-").to_owned();
        let sink = match target {
            AuditTarget::Stdout => Sink::Stdout,
            AuditTarget::Unix(path) => Sink::Unix(path),
            AuditTarget::Tcp(address) => Sink::Tcp(address, None),
        };
        let (db, clock, holder) = (members.db.clone(), members.clock.clone(), members.entropy.id());
        Self { db, clock, holder, host, sink }
    }

    /// Sends what there is, again and again, until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let passed = self.pass().await;
            match &passed {
                Ok(_) if failing => tracing::info!("the audit is sent on again"),
                Ok(_) => {}
                Err(error) if failing => tracing::debug!(%error, "the audit is still not sent on"),
                Err(error) => tracing::error!(%error, "the audit is not sent on; its lines wait"),
            }
            failing = passed.is_err();
            if let Ok(lines) = audit_feed::behind(&self.db).await {
                metrics::gauge!("kenpos_audit_behind")
                    .set(f64::from(i32::try_from(lines).unwrap_or(i32::MAX)));
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(POLL) => {}
            }
        }
        if let Err(error) = audit_feed::release(&self.db, &self.holder).await {
            tracing::debug!(%error, "the lease of the audit's way out ends by itself");
        }
    }

    /// Sends the lines that have a number and were not sent; how many. None while another node does so.
    pub async fn pass(&mut self) -> Result<u64, FeedError> {
        let mut sent = 0;
        loop {
            let now = self.clock.now();
            let lease = audit_feed::lease(&self.db, &self.holder, now, now.plus(LEASE)).await?;
            let Some(from) = lease else { return Ok(sent) };
            let due = audit_chain::after(&self.db, from, BATCH).await?;
            let Some(last) = due.last() else { return Ok(sent) };
            let lines: Vec<Line> = due.iter().map(Line::of).collect();
            let written = timeout(PATIENCE, self.sink.write(&lines, &self.host)).await;
            let written = written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            if let Err(error) = written {
                self.sink.reset();
                return Err(error.into());
            }
            if !audit_feed::advance(&self.db, &self.holder, from, last.seq).await? {
                return Ok(sent);
            }
            metrics::counter!("kenpos_audit_lines_sent_total").increment(lines.len() as u64);
            sent += lines.len() as u64;
        }
    }
}

/// A line of the audit as it is sent.
struct Line {
    /// When it happened (RFC 3339).
    at: String,
    action: String,
    /// A JSON object: that of an export, its number and its hash.
    json: String,
}

impl Line {
    fn of(link: &audit_chain::Link) -> Self {
        let mut object = Format::object(&link.entry);
        object["seq"] = link.seq.into();
        object["hash"] = link.hash.clone().into();
        let at = super::log::utc(link.entry.at);
        Self { at, action: link.entry.action.clone(), json: object.to_string() }
    }

    /// RFC 5424 §6. The message is JSON, which has no line break.
    fn syslog(&self, host: &str) -> String {
        let id: String = self.action.chars().filter(char::is_ascii_graphic).take(LONGEST_ID).collect();
        let id = if id.is_empty() { "-" } else { &id };
        format!("<{PRIORITY}>1 {} {host} kenpos-idp - {id} - {}", self.at, self.json)
    }
}

/// Where lines go.
enum Sink {
    Stdout,
    Unix(PathBuf),
    Tcp(std::net::SocketAddr, Option<TcpStream>),
}

impl Sink {
    /// Returns when all lines are handed over.
    async fn write(&mut self, lines: &[Line], host: &str) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let text: String = lines.iter().flat_map(|line| [&line.json, "\n"]).collect();
                // A pipe that nobody reads blocks.
                tokio::task::spawn_blocking(move || {
                    let mut out = io::stdout().lock();
                    out.write_all(text.as_bytes())?;
                    out.flush()
                })
                .await
                .map_err(io::Error::other)?
            }
            Self::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                for line in lines {
                    socket.send(line.syslog(host).as_bytes()).await?;
                }
                Ok(())
            }
            Self::Tcp(address, connection) => {
                let mut stream = match connection.take() {
                    Some(stream) if is_open(&stream) => stream,
                    _ => TcpStream::connect(*address).await?,
                };
                let mut framed = String::new();
                for line in lines {
                    let text = line.syslog(host);
                    let _ = write!(framed, "{} {text}", text.len());
                }
                stream.write_all(framed.as_bytes()).await?;
                stream.flush().await?;
                *connection = Some(stream);
                Ok(())
            }
        }
    }

    /// Forgets a connection on which something went wrong.
    fn reset(&mut self) {
        if let Self::Tcp(_, connection) = self {
            *connection = None;
        }
    }
}

/// Whether the other side has not hung up. A receiver of syslog sends nothing.
fn is_open(stream: &TcpStream) -> bool {
    let would_block = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
    stream.try_read(&mut [0; 64]).is_err_and(|error| would_block(&error))
}
