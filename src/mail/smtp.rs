//! The conversation with the relay (RFC 5321), through lettre.

use std::{fmt, fs, net::IpAddr, path::PathBuf, time::Duration};

use lettre::{
    Address, Message,
    address::AddressError,
    message::Mailbox,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use secrecy::ExposeSecret as _;
use tokio::{sync::Mutex, time::timeout};
use tracing::Instrument as _;

use super::message::Origin;
use crate::{
    config::mail::{MailSettings, Security, Sender},
    telemetry::traces::TARGET,
};

/// The configured relay cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Not an address.
    #[error("mail.{key} is no address that mail can come from: {source}")]
    Address {
        /// Key of the section.
        key: &'static str,
        /// Why.
        source: AddressError,
    },
    /// The certificates to trust cannot be read.
    #[error("mail.ca_file {path} cannot be read: {source}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The certificates to trust are none, or TLS cannot be set up.
    #[error("TLS for mail.host cannot be set up: {0}")]
    Tls(#[source] SmtpError),
}

/// The relay did not take a mail. Holds nothing of the mail: a relay's own words often repeat the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Whether trying again would be of no use.
    pub permanent: bool,
    /// What happened, for the log.
    pub reason: String,
}

/// The configured relay. Connections stay open while there is mail; see [`Relay::rest`].
pub struct Relay {
    host: String,
    port: u16,
    security: Security,
    tls: Option<TlsParameters>,
    hello: ClientId,
    credentials: Option<Credentials>,
    origin: Origin,
    timeout: Duration,
    /// Connections on which a mail was delivered in full. One whose conversation was broken off never
    /// comes back here: the answer to an old command could be taken for that to the next.
    open: Mutex<Vec<AsyncSmtpConnection>>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Relay {
    /// From the configuration; connects to nothing yet.
    pub fn new(settings: &MailSettings) -> Result<Self, RelayError> {
        let host = settings.host.trim().trim_matches(['[', ']']).to_owned();
        let tls = match settings.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls_parameters(&host, settings)?),
        };
        let credentials = match (&settings.username, &settings.password) {
            (Some(name), Some(password)) => {
                Some(Credentials::new(name.clone(), password.expose_secret().to_owned()))
            }
            _ => None,
        };
        let reply_to = match &settings.reply_to {
            Some(sender) => Some(Mailbox::new(sender.name.clone(), address("reply_to", sender)?)),
            None => None,
        };
        let origin =
            Origin { from: address("from", &settings.from)?, name: settings.from.name.clone(), reply_to };
        Ok(Self {
            host,
            port: settings.port(),
            security: settings.security,
            tls,
            hello: settings.hello_name.as_deref().map_or_else(ClientId::default, client_id),
            credentials,
            origin,
            timeout: settings.timeout(),
            open: Mutex::default(),
        })
    }

    /// Whom messages come from.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Longest time that [`Relay::send`] takes.
    pub const fn longest(&self) -> Duration {
        self.timeout.saturating_mul(2)
    }

    /// Hands a message to the relay.
    pub async fn send(&self, message: &Message) -> Result<(), Refusal> {
        let span = tracing::trace_span!(
            target: TARGET,
            "SMTP",
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            server.address = self.host,
            server.port = self.port,
        );
        let done = self.hand_over(message).instrument(span.clone()).await;
        if done.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        done
    }

    async fn hand_over(&self, message: &Message) -> Result<(), Refusal> {
        let late = |_| Refusal { permanent: false, reason: "the relay took too long".to_owned() };
        let octets = message.formatted();
        let mut connection = timeout(self.timeout, self.connection()).await.map_err(late)??;
        timeout(self.timeout, connection.send(message.envelope(), &octets)).await.map_err(late)??;
        self.open.lock().await.push(connection);
        Ok(())
    }

    /// Connects and signs in, as `doctor` does, and sends nothing.
    pub async fn check(&self) -> Result<(), Refusal> {
        let late = |_| Refusal { permanent: false, reason: "the relay took too long".to_owned() };
        let connection = timeout(self.timeout, self.connect()).await.map_err(late)??;
        self.open.lock().await.push(connection);
        self.rest().await;
        Ok(())
    }

    /// Says goodbye on the open connections, because there is no mail for now.
    pub async fn rest(&self) {
        let open = std::mem::take(&mut *self.open.lock().await);
        for mut connection in open {
            // What the relay answers to QUIT changes nothing.
            let _ = timeout(self.timeout, connection.quit()).await;
        }
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        loop {
            let open = self.open.lock().await.pop();
            let Some(mut connection) = open else { return self.connect().await };
            // The relay may have closed it meanwhile.
            if connection.test_connected().await {
                return Ok(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let from_the_start = match self.security {
            Security::Tls => self.tls.clone(),
            Security::StartTls | Security::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.timeout),
            &self.hello,
            from_the_start,
            None,
        )
        .await?;
        if let (Security::StartTls, Some(tls)) = (self.security, &self.tls) {
            // An error, not a fall-back, when the relay does not offer it.
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }
}

impl From<SmtpError> for Refusal {
    fn from(error: SmtpError) -> Self {
        let Some(code) = error.status() else {
            // Without a status the text is lettre's or the system's own, unless an answer was malformed.
            let reason = if error.is_response() { "malformed answer".to_owned() } else { error.to_string() };
            return Self { permanent: false, reason };
        };
        let code = code.to_string();
        // RFC 4954 §6: these refuse our credentials and not the mail; an operator will mend it.
        let about_us = matches!(code.as_str(), "530" | "534" | "535" | "538");
        let said = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let reason = match said.split_whitespace().next().filter(|word| is_enhanced_code(word)) {
            Some(enhanced) => format!("{code} {enhanced}"),
            None => code,
        };
        Self { permanent: error.is_permanent() && !about_us, reason }
    }
}

/// `class.subject.detail` (RFC 3463 §2), such as 5.1.1.
fn is_enhanced_code(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

fn address(key: &'static str, sender: &Sender) -> Result<Address, RelayError> {
    sender.address.parse().map_err(|source| RelayError::Address { key, source })
}

fn client_id(name: &str) -> ClientId {
    match name.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ClientId::Ipv4(ip),
        Ok(IpAddr::V6(ip)) => ClientId::Ipv6(ip),
        Err(_) => ClientId::Domain(name.to_owned()),
    }
}

fn tls_parameters(host: &str, settings: &MailSettings) -> Result<TlsParameters, RelayError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_file {
        let pem = fs::read(path).map_err(|source| RelayError::CaFile { path: path.clone(), source })?;
        let certificates = Certificate::from_pem(&pem).map_err(RelayError::Tls)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    builder.build_rustls().map_err(RelayError::Tls)
}
