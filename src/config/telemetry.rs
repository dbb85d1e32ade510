//! `[telemetry]`: logs, traces, and the audit's way out.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::Problems;

/// How the server speaks to its operators.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// `json` (a line an event) or `pretty`.
    pub format: LogFormat,
    /// What to log, in the syntax of `tracing_subscriber::EnvFilter`, such as `info,kenpos_idp=debug`.
    pub level: String,
    /// Where spans go (OTLP over HTTP, in protobuf), such as `http://127.0.0.1:4318/v1/traces`; absent: nowhere.
    pub traces_url: Option<String>,
    /// Part of the requests and mails that are traced, 0 to 1, unless a trusted proxy has decided.
    pub traces_ratio: f64,
    /// Where the lines of the audit go beside the database; absent: nowhere. See [`AuditTarget`].
    pub audit: Option<String>,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For a person at a terminal.
    Pretty,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            level: "info".to_owned(),
            traces_url: None,
            traces_ratio: 0.1,
            audit: None,
        }
    }
}

impl Telemetry {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        if let Err(error) = EnvFilter::try_new(&self.level) {
            problems.add("telemetry.level", format_args!("must be as in info,kenpos_idp=debug: {error}"));
        }
        if let Some(text) = &self.traces_url {
            let fine = Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.username().is_empty()
            });
            let rule = "must be an http or https URL, such as http://127.0.0.1:4318/v1/traces";
            problems.require(fine, "telemetry.traces_url", rule);
        }
        problems.require(
            (0.0..=1.0).contains(&self.traces_ratio),
            "telemetry.traces_ratio",
            "must be 0 to 1",
        );
        if let Some(text) = &self.audit {
            let rule = "must be stdout, unix:/PATH or tcp:ADDRESS:PORT";
            problems.require(text.parse::<AuditTarget>().is_ok(), "telemetry.audit", rule);
        }
    }

    /// Where the lines of the audit go; a validated configuration names nothing else.
    pub fn audit_target(&self) -> Option<AuditTarget> {
        self.audit.as_deref()?.parse().ok()
    }
}

/// Where the lines of the audit go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditTarget {
    /// `stdout`: JSON, a line each, on standard output.
    Stdout,
    /// `unix:/dev/log`: syslog (RFC 5424) over a datagram socket of this machine.
    Unix(PathBuf),
    /// `tcp:192.0.2.7:601`: syslog (RFC 5424) over TCP, framed by octet counting (RFC 6587 §3.4.1).
    Tcp(SocketAddr),
}

/// The text names no such target.
#[derive(Debug, thiserror::Error)]
#[error("neither stdout nor unix:/PATH nor tcp:ADDRESS:PORT")]
pub struct UnknownTarget;

impl FromStr for AuditTarget {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        match text.split_once(':') {
            None if text == "stdout" => Ok(Self::Stdout),
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp", address)) => Ok(Self::Tcp(address.parse().map_err(|_| UnknownTarget)?)),
            _ => Err(UnknownTarget),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let with = |change: fn(&mut Telemetry)| {
            let (mut telemetry, mut problems) = (Telemetry::default(), Problems::default());
            change(&mut telemetry);
            telemetry.validate(&mut problems);
            problems.into_result().is_ok()
        };
        assert!(with(|_| {}));
        assert!(with(|t| t.traces_url = Some("http://127.0.0.1:4318/v1/traces".to_owned())));
        assert!(!with(|t| t.traces_url = Some("127.0.0.1:4318".to_owned())));
        assert!(!with(|t| t.traces_url = Some("http://u:p@127.0.0.1/".to_owned())));
        assert!(with(|t| t.level = "warn,kenpos_idp::oidc=debug".to_owned()));
        assert!(!with(|t| t.level = "bogus=xx=1".to_owned()));
        assert!(!with(|t| t.traces_ratio = 1.5));
        assert!(!with(|t| t.traces_ratio = f64::NAN));
        for (text, fine) in [
            ("stdout", true),
            ("unix:/dev/log", true),
            ("tcp:192.0.2.7:601", true),
            ("tcp:[2001:db8::7]:601", true),
            ("stderr", false),
            ("unix:log", false),
            ("tcp:192.0.2.7", false),
            ("udp:192.0.2.7:514", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<AuditTarget>().is_ok(), fine, "{text}");
        }
    }
}
