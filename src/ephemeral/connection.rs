//! The connection to Redis: made when first needed, shared by all, and made anew when it breaks.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use redis::{
    Arg, Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value,
    aio::MultiplexedConnection, cluster_async::ClusterConnection, cluster_routing::SingleNodeRoutingInfo,
    from_redis_value,
};
use tracing::Instrument as _;

use super::{EphemeralError, service::Service};
use crate::{config, telemetry::traces::TARGET};

/// Pauses before a command that certainly was not carried out is sent again, as while a cluster moves.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(150)];

/// Whether a command may be sent a second time when the first answer was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It reads only.
    Harmless,
    /// It may have taken effect; only a refusal allows another try.
    OnlyIfRefused,
}

/// Gives everyone the same connection.
pub(super) struct Connector {
    service: Arc<Service>,
    current: Mutex<Option<Attempt>>,
}

/// A connection that is being made, stands, or has failed; once spent it serves no new command.
#[derive(Clone)]
struct Attempt {
    connection: Shared<BoxFuture<'static, RedisResult<Connection>>>,
    spent: Arc<AtomicBool>,
}

#[derive(Clone)]
pub(super) enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connector {
    /// Connects to nothing yet; fails when the configuration names nothing to connect to.
    pub(super) async fn new(cfg: &config::Ephemeral) -> Result<Self, EphemeralError> {
        Ok(Self { service: Arc::new(Service::new(cfg).await?), current: Mutex::default() })
    }

    pub(super) fn name(&self) -> &'static str {
        self.service.name()
    }

    /// Sends a command, and measures it. See [`Connector::send`].
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd, repeat: Repeat) -> RedisResult<T> {
        let span = tracing::trace_span!(
            target: TARGET,
            "Redis",
            otel.kind = "client",
            otel.name = format_args!("Redis {}", name(command)),
            otel.status_code = tracing::field::Empty,
            db.system.name = "redis",
        );
        let started = Instant::now();
        let done = self.send(command, repeat).instrument(span.clone()).await;
        metrics::histogram!("kenpos_redis_duration_seconds").record(started.elapsed().as_secs_f64());
        // That a script is not known yet is no failure.
        let unknown = ErrorKind::Server(ServerErrorKind::NoScript);
        if done.as_ref().is_err_and(|error| error.kind() != unknown) {
            metrics::counter!("kenpos_redis_errors_total").increment(1);
            span.record("otel.status_code", "ERROR");
        }
        done
    }

    /// Sends a command. It is sent again, to a server found anew, when the first one refused to carry
    /// it out, and after a lost answer if `repeat` allows it; all else is the caller's to report.
    async fn send<T: FromRedisValue>(&self, command: &Cmd, repeat: Repeat) -> RedisResult<T> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let attempt = self.current();
            let connection = match attempt.connection.clone().await {
                Ok(connection) => connection,
                Err(error) => {
                    attempt.spend();
                    return Err(error);
                }
            };
            // A cluster's connection mends itself node by node.
            let mends_itself = matches!(connection, Connection::Cluster(_));
            let error = match connection.send(command).await {
                Ok(value) => return Ok(from_redis_value(value)?),
                Err(error) => error,
            };
            if !mends_itself && is_broken(&error) {
                attempt.spend();
            }
            let again = is_refusal(&error) || repeat == Repeat::Harmless && error.is_connection_dropped();
            match pauses.next() {
                Some(pause) if again => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    /// The attempt that is not spent, or a new one that everybody waits for together.
    fn current(&self) -> Attempt {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(attempt) if !attempt.spent.load(Ordering::Acquire) => attempt.clone(),
            _ => current.insert(Attempt::start(Arc::clone(&self.service))).clone(),
        }
    }
}

impl Attempt {
    /// Runs on its own, so that it goes on when the request that asked first goes away.
    fn start(service: Arc<Service>) -> Self {
        let spent = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn({
            let spent = Arc::clone(&spent);
            async move { service.connect(spent).await }
        });
        let connection =
            async move { task.await.unwrap_or_else(|stopped| Err(io::Error::other(stopped).into())) };
        Self { connection: connection.boxed().shared(), spent }
    }

    fn spend(&self) {
        self.spent.store(true, Ordering::Release);
    }
}

impl Connection {
    async fn send(self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Node(mut node) => command.query_async(&mut node).await,
            Self::Cluster(mut cluster) => match command.query_async(&mut cluster).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => {
                    follow(&mut cluster, command, error).await
                }
                done => done,
            },
        }
    }
}

/// Sends the command to the node that a slot is moving to, announced as the cluster demands.
async fn follow(cluster: &mut ClusterConnection, command: &Cmd, ask: RedisError) -> RedisResult<Value> {
    let Some((host, port)) = ask.redirect_node().and_then(|(address, _)| address.rsplit_once(':')) else {
        return Err(ask);
    };
    let Ok(port) = port.parse() else { return Err(ask) };
    let node = SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port };
    let mut pipeline = redis::pipe();
    pipeline.cmd("ASKING").add_command(command.clone());
    match cluster.route_pipeline(pipeline, 1, 1, node).await?.pop() {
        Some(value) => value.extract_error(),
        None => Err(ask),
    }
}

/// The word that a command begins with, such as `GET`; what follows it holds keys and values.
fn name(command: &Cmd) -> &str {
    match command.args_iter().next() {
        Some(Arg::Simple(word)) => std::str::from_utf8(word).unwrap_or_default(),
        _ => "",
    }
}

/// The server said no before it did anything, so another server, or this one later, may be asked.
fn is_refusal(error: &RedisError) -> bool {
    use ServerErrorKind as Server;
    matches!(
        error.kind(),
        ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Server(
                Server::Ask
                    | Server::BusyLoading
                    | Server::ClusterDown
                    | Server::MasterDown
                    | Server::Moved
                    | Server::ReadOnly
                    | Server::TryAgain
            )
    )
}

/// The connection leads nowhere: it is cut, silent, out of step, or its server is no master any more.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown))
}

/// What went wrong, without what an answer that could not be understood was.
pub(super) fn reason(error: &RedisError) -> String {
    match error.code() {
        _ if error.is_io_error() => error.to_string(),
        Some(code) => code.to_owned(),
        None => error.category().to_owned(),
    }
}
