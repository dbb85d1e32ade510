//! The Redis service that the configuration names, and how it is connected to.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion,
    PushInfo, PushKind, RedisResult, TlsCertificates, TlsMode,
    aio::MultiplexedConnection,
    cluster::{ClusterClient, ClusterClientBuilder},
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    EphemeralError,
    connection::{Connection, reason},
};
use crate::config::{self, ephemeral::Service as Named};

/// Where to connect to, and how long that may take.
pub(super) struct Service {
    kind: Kind,
    connect: Duration,
    response: Duration,
}

enum Kind {
    Single(Client),
    Sentinel(Sentinel),
    Cluster(ClusterClient),
}

struct Sentinel {
    sentinels: Vec<ConnectionAddr>,
    password: Option<SecretString>,
    master: String,
    /// The master's settings but for its address.
    data: ConnectionInfo,
    authority: Option<TlsCertificates>,
}

impl Service {
    pub(super) async fn new(cfg: &config::Ephemeral) -> Result<Self, EphemeralError> {
        let service = match cfg.service() {
            Some(service) => service.map_err(|rule| EphemeralError::Url(rule.to_owned()))?,
            None => return Err(EphemeralError::Url("it is not set".to_owned())),
        };
        let authority = match &cfg.ca_file {
            Some(path) => Some(authority(path).await?),
            None => None,
        };
        let kind = Kind::new(service, cfg, authority).map_err(|error| EphemeralError::Url(reason(&error)))?;
        Ok(Self { kind, connect: cfg.connect_timeout(), response: cfg.response_timeout() })
    }

    pub(super) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Single(_) => "Redis",
            Kind::Sentinel(_) => "Redis Sentinel",
            Kind::Cluster(_) => "Redis Cluster",
        }
    }

    /// Connects within the time allowed; the server's goodbye will mark the attempt as `spent`.
    pub(super) async fn connect(&self, spent: Arc<AtomicBool>) -> RedisResult<Connection> {
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
                Kind::Single(client) => {
                    Connection::Node(client.get_multiplexed_async_connection_with_config(&config).await?)
                }
                Kind::Sentinel(sentinel) => Connection::Node(sentinel.connect(&config).await?),
                Kind::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
            })
        };
        tokio::time::timeout(self.connect, connect)
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }
}

impl Kind {
    fn new(service: Named, cfg: &config::Ephemeral, authority: Option<TlsCertificates>) -> RedisResult<Self> {
        Ok(match service {
            Named::Single(url) => {
                let info = with_resp3(url.expose_secret())?;
                Self::Single(match authority {
                    Some(authority) => Client::build_with_tls(info, authority)?,
                    None => Client::open(info)?,
                })
            }
            Named::Sentinel { sentinels, master, data } => Self::Sentinel(Sentinel {
                sentinels: sentinels.iter().map(|url| address(url)).collect::<RedisResult<_>>()?,
                password: cfg.sentinel_password.clone(),
                master,
                data: with_resp3(data.expose_secret())?,
                authority,
            }),
            Named::Cluster(nodes) => {
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

impl Sentinel {
    /// Asks the Sentinels who the master is, and the master whether it agrees.
    async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let settings = self.data.redis_settings();
        let mut builder =
            SentinelClientBuilder::new(self.sentinels.clone(), &self.master, SentinelServerType::Master)?
                .set_client_to_redis_protocol(ProtocolVersion::RESP3)
                .set_client_to_redis_db(settings.db());
        if let Some(username) = settings.username() {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = settings.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(password) = &self.password {
            builder = builder.set_client_to_sentinel_password(password.expose_secret());
        }
        if matches!(self.data.addr(), ConnectionAddr::TcpTls { .. }) {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(authority) = &self.authority {
            builder = builder
                .set_client_to_redis_certificates(authority.clone())
                .set_client_to_sentinel_certificates(authority.clone());
        }
        builder.build()?.get_async_connection_with_config(config).await
    }
}

fn address(url: &str) -> RedisResult<ConnectionAddr> {
    Ok(url.into_connection_info()?.addr().clone())
}

/// RESP3 (Redis 6), which tells the client at once when the server hangs up.
fn with_resp3(url: &str) -> RedisResult<ConnectionInfo> {
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
