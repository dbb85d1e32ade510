//! `[server]`: who this provider is on the network.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Problems;

/// Addresses of the server and what it believes about them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The issuer (OIDC Discovery §3): an https URL without query or fragment. Every absolute URL is built
    /// from it and never from a Host header. It must not change once relying parties know it.
    pub issuer: String,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Address and port of `/metrics`; absent: no metrics are served.
    pub metrics_listen: Option<SocketAddr>,
    /// Networks of the proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Seconds that a request may take.
    pub request_timeout_seconds: u64,
    /// Seconds in which the body of a request must have come.
    pub body_timeout_seconds: u64,
    /// Bytes that a request body may have.
    pub body_limit_bytes: usize,
    /// Seconds between the signal to stop and the end of listening, in which `/readyz` says that the node leaves.
    pub leave_seconds: u64,
    /// Seconds that requests under way get at shutdown.
    pub drain_seconds: u64,
    /// Octets that the head of a request may have: its first line and all header fields.
    pub header_limit_bytes: u32,
    /// Header fields that a request may have.
    pub header_fields: usize,
    /// Connections at once; one more waits until another ends.
    pub max_connections: usize,
    /// Connections at once of one address (IPv6: its /64), unless it is a trusted proxy; one more is closed.
    pub max_connections_per_address: usize,
    /// Seconds for a TLS handshake, and for the head of a request from its first byte.
    pub header_timeout_seconds: u64,
    /// Seconds that a connection may be idle between two requests, or not take any more of an answer.
    pub idle_timeout_seconds: u64,
    /// Whether browsers are told to use https for every subdomain of the issuer's host too (RFC 6797 §6.1.2).
    pub hsts_include_subdomains: bool,
    /// See [`TlsFiles`].
    pub tls: TlsFiles,
}

/// Files of the certificate, if the server ends TLS itself. They are read again when they change.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// PEM file with the certificate, and after it those that lead to its authority.
    pub certificate: Option<PathBuf>,
    /// PEM file with its private key, not encrypted.
    pub key: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            metrics_listen: None,
            trusted_proxies: Vec::new(),
            request_timeout_seconds: 20,
            body_timeout_seconds: 10,
            body_limit_bytes: 64 * 1024,
            leave_seconds: 5,
            drain_seconds: 20,
            header_limit_bytes: 32 * 1024,
            header_fields: 100,
            max_connections: 4096,
            max_connections_per_address: 512,
            header_timeout_seconds: 10,
            idle_timeout_seconds: 75,
            hsts_include_subdomains: false,
            tls: TlsFiles::default(),
        }
    }
}

impl Server {
    /// Says what is wrong with the section. `http` on a loopback address is for the demo alone.
    pub fn validate(&self, demo: bool, problems: &mut Problems) {
        let key = "server.issuer";
        match Url::parse(&self.issuer) {
            Err(_) => problems.add(key, "must be a URL such as https://login.example.jp"),
            Ok(url) => {
                let loopback = match url.host() {
                    Some(Host::Ipv4(ip)) => ip.is_loopback(),
                    Some(Host::Ipv6(ip)) => ip.is_loopback(),
                    Some(Host::Domain(name)) => name == "localhost",
                    None => false,
                };
                let secure = url.scheme() == "https" || (demo && loopback && url.scheme() == "http");
                problems.require(secure, key, "must be an https URL");
                let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
                problems.require(bare, key, "must have no query, fragment or user (OIDC Discovery §3)");
                // `Url` adds a slash to a bare origin; the issuer is compared byte for byte.
                let root = url.path() == "/" && !self.issuer.ends_with('/');
                problems.require(root, key, "must have no path and no slash at its end");
            }
        }
        problems.require(
            self.request_timeout_seconds > 0,
            "server.request_timeout_seconds",
            "must be 1 or more",
        );
        problems.require(
            (1024..=4 * 1024 * 1024).contains(&self.body_limit_bytes),
            "server.body_limit_bytes",
            "must be 1024 to 4194304",
        );
        problems.require(
            (8 * 1024..=1024 * 1024).contains(&self.header_limit_bytes),
            "server.header_limit_bytes",
            "must be 8192 to 1048576",
        );
        // The parser of HTTP/1.1 takes no more than 100.
        problems.require(
            (16..=100).contains(&self.header_fields),
            "server.header_fields",
            "must be 16 to 100",
        );
        for (name, most) in [
            ("max_connections", self.max_connections),
            ("max_connections_per_address", self.max_connections_per_address),
        ] {
            problems.require(
                (1..=1_000_000).contains(&most),
                &format!("server.{name}"),
                "must be 1 to 1000000",
            );
        }
        for (name, seconds) in [
            ("body_timeout_seconds", self.body_timeout_seconds),
            ("header_timeout_seconds", self.header_timeout_seconds),
            ("idle_timeout_seconds", self.idle_timeout_seconds),
        ] {
            problems.require(
                (1..=3600).contains(&seconds),
                &format!("server.{name}"),
                "must be 1 second to an hour",
            );
        }
        problems.require(
            self.tls.certificate.is_some() == self.tls.key.is_some(),
            "server.tls.certificate",
            "and key belong together",
        );
        problems.require(
            self.tls.certificate.is_none() || self.secure(),
            "server.tls.certificate",
            "needs an https issuer",
        );
    }

    /// Whether browsers reach the server over https, so that cookies are `__Host-` and `Secure`.
    pub fn secure(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// An absolute URL of this server; `path` starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}
