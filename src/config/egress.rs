//! `[egress]`: the provider's own requests to relying parties, such as for their keys.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Problems;

/// Which servers the provider may call besides those with public addresses, and how long it waits.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    /// PEM file of certificate authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// `HOST` or `HOST:PORT` (443 if absent) that may have a private or loopback address: clients in the
    /// same house.
    pub allowed_hosts: Vec<String>,
    /// Seconds that a request may take, from the look-up of the name to the last byte.
    pub timeout_seconds: u64,
}

impl Default for Egress {
    fn default() -> Self {
        Self { ca_file: None, allowed_hosts: Vec::new(), timeout_seconds: 5 }
    }
}

impl Egress {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        for host in &self.allowed_hosts {
            problems.require(
                host_and_port(host).is_some(),
                "egress.allowed_hosts",
                format!("{host:?} must be a host name or address, with a port if it is not 443"),
            );
        }
        problems.require(
            (1..=15).contains(&self.timeout_seconds),
            "egress.timeout_seconds",
            "must be 1 to 15",
        );
    }

    /// Whether the host, as it stands in a URL, may have an address that is not public.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        self.allowed_hosts
            .iter()
            .filter_map(|text| host_and_port(text))
            .any(|allowed| allowed.0.eq_ignore_ascii_case(host) && allowed.1 == port)
    }
}

/// Reads an entry of `allowed_hosts` as a URL would: `[::1]:8443` too.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let url = url::Url::parse(&format!("https://{text}/")).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    (bare && nobody).then_some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_host_is_one_host_at_one_port() {
        let egress = Egress {
            allowed_hosts: ["app.internal", "localhost:8443", "[::1]:9000"].map(str::to_owned).to_vec(),
            ..Egress::default()
        };
        assert!(egress.allows("app.internal", 443) && egress.allows("LOCALHOST", 8443));
        assert!(egress.allows("[::1]", 9000));
        assert!(!egress.allows("app.internal", 8443) && !egress.allows("localhost", 443));
        assert!(!egress.allows("x.app.internal", 443));
        let mut problems = Problems::default();
        egress.validate(&mut problems);
        assert!(problems.into_result().is_ok());
    }

    #[test]
    fn what_is_no_host_is_named() {
        for wrong in ["", "a/b", "u@h", "https://h", "h:99999", "h?x", "h#x"] {
            let mut problems = Problems::default();
            Egress { allowed_hosts: vec![wrong.to_owned()], ..Egress::default() }.validate(&mut problems);
            assert!(problems.into_result().is_err(), "{wrong}");
        }
        let mut problems = Problems::default();
        Egress { timeout_seconds: 0, ..Egress::default() }.validate(&mut problems);
        assert!(problems.into_result().is_err());
    }
}
