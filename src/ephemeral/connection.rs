//! The connection to Redis: made when first needed, shared by all, and made anew when it breaks.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo as _, ProtocolVersion,
    PushInfo, PushKind, RedisError, RedisResult, ServerErrorKind, TlsCertificates, TlsMode, Value,
    aio::MultiplexedConnection,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    cluster_routing::SingleNodeRoutingInfo,
    from_redis_value,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::EphemeralError;
use crate::config::{self, ephemeral::Service};

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
    service: Arc<Server>,
    current: Mutex<Option<Attempt>>,
}

/// A connection that is being made, stands, or has failed; once spent it serves no new command.
#[derive(Clone)]
struct Attempt {
    connection: Shared<BoxFuture<'static, RedisResult<Connection>>>,
    spent: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

struct Server {
    kind: ServerKind,
    connect: Duration,
    response: Duration,
}

enum ServerKind {
    Single(Client),
    Sentinel {
        sentinels: Vec<String>,
        master: String,
        data: redis::ConnectionInfo,
        password: Option<SecretString>,
        authority: Option<TlsCertificates>,
    },
    Cluster(ClusterClient),
}

impl Connector {
    /// Connects to nothing yet; fails when the configuration names nothing to connect to.
    pub(super) async fn new(cfg: &config::Ephemeral) -> Result<Self, EphemeralError> {
        let service = match cfg.service() {
            Some(service) => service.map_err(|rule| EphemeralError::Url(rule.to_owned()))?,
            None => return Err(EphemeralError::Url("it is not set".to_owned())),
        };
        let authority = match &cfg.ca_file {
            Some(path) => Some(authority(path).await?),
            None => None,
        };
        let kind =
            ServerKind::new(service, cfg, authority).map_err(|error| EphemeralError::Url(reason(&error)))?;
        let service = Server { kind, connect: cfg.connect_timeout(), response: cfg.response_timeout() };
        Ok(Self { service: Arc::new(service), current: Mutex::default() })
    }

    pub(super) fn name(&self) -> &'static str {
        match self.service.kind {
            ServerKind::Single(_) => "Redis",
            ServerKind::Sentinel { .. } => "Redis Sentinel",
            ServerKind::Cluster(_) => "Redis Cluster",
        }
    }

    /// Sends a command. It is sent again, to a server found anew, when the first one refused to carry
    /// it out, and after a lost answer if `repeat` allows it; all else is the caller's to report.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd, repeat: Repeat) -> RedisResult<T> {
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
    fn start(service: Arc<Server>) -> Self {
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

impl ServerKind {
    fn new(
        service: Service,
        cfg: &config::Ephemeral,
        authority: Option<TlsCertificates>,
    ) -> RedisResult<Self> {
        Ok(match service {
            Service::Single(url) => {
                let info = with_resp3(url.expose_secret())?;
                Self::Single(match authority {
                    Some(authority) => Client::build_with_tls(info, authority)?,
                    None => Client::open(info)?,
                })
            }
            Service::Sentinel { sentinels, master, data } => Self::Sentinel {
                sentinels,
                master,
                data: with_resp3(data.expose_secret())?,
                password: cfg.sentinel_password.clone(),
                authority,
            },
            Service::Cluster(nodes) => {
                let nodes: Vec<_> = nodes.iter().map(|url| url.expose_secret().to_owned()).collect();
                let builder = ClusterClientBuilder::new(nodes)
                    .use_protocol(ProtocolVersion::RESP3)
                    .connection_timeout(cfg.connect_timeout())
                    .response_timeout(cfg.response_timeout())
                    // A retry inside the client would not know a lost answer from a refusal.
                    .retries(0);
                Self::Cluster(match authority {
                    Some(authority) => builder.certs(authority).build()?,
                    None => builder.build()?,
                })
            }
        })
    }
}

impl Server {
    /// Connects within the time allowed; the server's goodbye will mark the attempt as `spent`.
    async fn connect(&self, spent: Arc<AtomicBool>) -> RedisResult<Connection> {
        let goodbye = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                spent.store(true, Ordering::Release);
            }
            Ok::<_, ()>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect))
            .set_response_timeout(Some(self.response))
            .set_push_sender(goodbye);
        let connect = async {
            Ok(match &self.kind {
                ServerKind::Single(client) => {
                    Connection::Node(client.get_multiplexed_async_connection_with_config(&config).await?)
                }
                ServerKind::Sentinel { .. } => Connection::Node(self.master(&config).await?),
                ServerKind::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
            })
        };
        tokio::time::timeout(self.connect, connect)
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    /// Asks the Sentinels who the master is, and the master whether it agrees.
    async fn master(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let ServerKind::Sentinel { sentinels, master, data, password, authority } = &self.kind else {
            return Err((ErrorKind::InvalidClientConfig, "no Sentinel").into());
        };
        let sentinels = sentinels.iter().map(|url| Ok(url.as_str().into_connection_info()?.addr().clone()));
        let sentinels: Vec<_> = sentinels.collect::<RedisResult<_>>()?;
        let settings = data.redis_settings();
        let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
            .set_client_to_redis_protocol(ProtocolVersion::RESP3)
            .set_client_to_redis_db(settings.db());
        if let Some(username) = settings.username() {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = settings.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(password) = password {
            builder = builder.set_client_to_sentinel_password(password.expose_secret());
        }
        if matches!(data.addr(), redis::ConnectionAddr::TcpTls { .. }) {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(authority) = authority {
            builder = builder
                .set_client_to_redis_certificates(authority.clone())
                .set_client_to_sentinel_certificates(authority.clone());
        }
        builder.build()?.get_async_connection_with_config(config).await
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

/// RESP3 (Redis 6), which tells the client at once when the server hangs up.
fn with_resp3(url: &str) -> RedisResult<redis::ConnectionInfo> {
    let info = url.into_connection_info()?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

async fn authority(path: &Path) -> Result<TlsCertificates, EphemeralError> {
    match tokio::fs::read(path).await {
        Ok(pem) => Ok(TlsCertificates { client_tls: None, root_cert: Some(pem) }),
        Err(error) => Err(EphemeralError::Authority { path: path.to_owned(), error }),
    }
}

/// What went wrong, without what an answer that could not be understood was.
pub(super) fn reason(error: &RedisError) -> String {
    match error.code() {
        _ if error.is_io_error() => error.to_string(),
        Some(code) => code.to_owned(),
        None => error.category().to_owned(),
    }
}
