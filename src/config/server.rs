//! `[server]`: who this provider is on the network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

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
    /// Bytes that a request body may have.
    pub body_limit_bytes: usize,
    /// Seconds that requests under way get at shutdown.
    pub drain_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            metrics_listen: None,
            trusted_proxies: Vec::new(),
            request_timeout_seconds: 20,
            body_limit_bytes: 64 * 1024,
            drain_seconds: 20,
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
