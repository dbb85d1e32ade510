//! `[ephemeral]`: where sessions, codes, tokens and counters live.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::Problems;

/// The store of what expires. Without a URL it is the SQL database; several nodes need Redis.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ephemeral {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DB]` for one server,
    /// `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/MASTER[/DB]` for Sentinel and
    /// `redis+cluster://[USER:PASSWORD@]HOST[:PORT],…` for Cluster; with `rediss` each speaks TLS.
    /// Secret, because it may hold a password.
    #[serde(skip_serializing)]
    pub url: Option<SecretString>,
    /// Password of the Sentinels themselves, if they want one.
    #[serde(skip_serializing)]
    pub sentinel_password: Option<SecretString>,
    /// PEM file of the certificate authority that signed the servers' certificates; the system's
    /// authorities if absent.
    pub ca_file: Option<PathBuf>,
    /// What every key begins with, so that a Redis can be shared.
    pub prefix: String,
    /// Milliseconds within which a connection must stand.
    pub connect_timeout_ms: u64,
    /// Milliseconds within which an answer must come.
    pub response_timeout_ms: u64,
}

impl Default for Ephemeral {
    fn default() -> Self {
        Self {
            url: None,
            sentinel_password: None,
            ca_file: None,
            prefix: "kenpos:".to_owned(),
            connect_timeout_ms: 2_000,
            response_timeout_ms: 2_000,
        }
    }
}

/// What the URL says: which kind of service, and where. Each URL is a `redis://` or `rediss://` one.
#[derive(Clone, Debug)]
pub enum Service {
    /// One server.
    Single(SecretString),
    /// Sentinels that know where the master is.
    Sentinel {
        /// URLs of the Sentinels, without credentials.
        sentinels: Vec<String>,
        /// Name that the Sentinels give to the master.
        master: String,
        /// The master's URL but for its host: credentials, database and TLS.
        data: SecretString,
    },
    /// Nodes from which the whole cluster can be found.
    Cluster(Vec<SecretString>),
}

impl Ephemeral {
    /// The Redis to use, or `None` for the SQL database; the error is the rule that the URL breaks.
    pub fn service(&self) -> Option<Result<Service, &'static str>> {
        self.url.as_ref().map(|url| Service::parse(url.expose_secret()))
    }

    /// Longest wait for a connection.
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// Longest wait for an answer.
    pub const fn response_timeout(&self) -> Duration {
        Duration::from_millis(self.response_timeout_ms)
    }

    /// Says what is wrong with the section at `key`.
    pub fn validate(&self, key: &str, problems: &mut Problems) {
        if let Some(Err(rule)) = self.service() {
            problems.add(&format!("{key}.url"), rule);
        }
        // Braces would make Redis Cluster keep every key on one node.
        problems.require(
            self.prefix.len() <= 64
                && self.prefix.bytes().all(|b| b.is_ascii_graphic() && b != b'{' && b != b'}'),
            &format!("{key}.prefix"),
            "must be at most 64 visible ASCII characters without braces",
        );
        for (name, millis) in [
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("response_timeout_ms", self.response_timeout_ms),
        ] {
            problems.require(
                (10..=60_000).contains(&millis),
                &format!("{key}.{name}"),
                "must be 10 to 60000",
            );
        }
    }
}

impl Service {
    /// Reads `ephemeral.url`; the error is the rule that it breaks and quotes nothing of it.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("must be a URL such as redis://localhost:6379")?;
        let (tls, kind) = scheme.split_once('+').unwrap_or((scheme, "single"));
        if tls != "redis" && tls != "rediss" {
            return Err(
                "must start with redis:// or rediss://, or with +sentinel or +cluster before the ://",
            );
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) =
            authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let login = if login.is_empty() { String::new() } else { format!("{login}@") };
        match kind {
            "single" => Ok(Self::Single(node(url.to_owned())?.into())),
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, "0"));
                if master.is_empty()
                    || !master.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                {
                    return Err("must end with the master's name: redis+sentinel://HOST,HOST/MASTER");
                }
                let sentinels = hosts.split(',').map(|host| {
                    let port = if host.rsplit(']').next().is_some_and(|end| end.contains(':')) {
                        ""
                    } else {
                        ":26379"
                    };
                    node(format!("{tls}://{host}{port}"))
                });
                let data = node(format!("{tls}://{login}localhost/{database}"))?.into();
                Ok(Self::Sentinel {
                    sentinels: sentinels.collect::<Result<_, _>>()?,
                    master: master.to_owned(),
                    data,
                })
            }
            "cluster" if path.is_empty() => {
                let nodes =
                    hosts.split(',').map(|host| node(format!("{tls}://{login}{host}")).map(Into::into));
                Ok(Self::Cluster(nodes.collect::<Result<_, _>>()?))
            }
            "cluster" => Err("must end with the hosts: a Redis Cluster has only database 0"),
            _ => Err("must be of the kind redis://, redis+sentinel:// or redis+cluster://"),
        }
    }
}

fn node(url: String) -> Result<String, &'static str> {
    const RULE: &str = "must name hosts as HOST or HOST:PORT, with percent-encoding in the password, \
                        and a database as its number";
    let parsed = url::Url::parse(&url).map_err(|_| RULE)?;
    let database = parsed.path().trim_start_matches('/');
    let whole = parsed.host_str().is_some_and(|host| !host.is_empty() && !host.contains(','));
    let number = database.is_empty() || database.parse::<u16>().is_ok();
    if whole && number { Ok(url) } else { Err(RULE) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(url: &str) -> Service {
        Service::parse(url).unwrap()
    }

    #[test]
    fn sentinels_get_their_port_and_not_the_credentials_of_the_master() {
        let url = "rediss+sentinel://app:p%40ss@one,two:5000,[::1]/kenpos/3";
        let Service::Sentinel { sentinels, master, data } = parsed(url) else { panic!("not a Sentinel") };
        assert_eq!(sentinels, ["rediss://one:26379", "rediss://two:5000", "rediss://[::1]:26379"]);
        assert_eq!(master, "kenpos");
        assert_eq!(data.expose_secret(), "rediss://app:p%40ss@localhost/3");
    }

    #[test]
    fn every_node_of_a_cluster_gets_the_credentials() {
        let Service::Cluster(nodes) = parsed("redis+cluster://:pw@a:7000,b") else { panic!("not a cluster") };
        let nodes: Vec<_> = nodes.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(nodes, ["redis://:pw@a:7000", "redis://:pw@b"]);
    }

    #[test]
    fn what_no_client_could_use_is_refused() {
        for url in [
            "",
            "localhost:6379",
            "http://localhost",
            "redis://",
            "redis://a,b",
            "redis://a/x",
            "redis+sentinel://a,b",
            "redis+sentinel://a,,b/m",
            "redis+sentinel://a/m/x",
            "redis+cluster://a/1",
            "redis+cluster://a,",
            "redis+ring://a",
        ] {
            assert!(Service::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_shows_neither_in_debug_output_nor_in_problems() {
        let section = |url: &str| Ephemeral { url: Some(url.to_owned().into()), ..Ephemeral::default() };
        let good = section("redis+cluster://:s3cret@a,b");
        assert!(!format!("{good:?} {:?}", good.service()).contains("s3cret"));
        let mut problems = Problems::default();
        section("redis://:s3cret@a:b:c/x").validate("ephemeral", &mut problems);
        let problems = problems.into_result().unwrap_err();
        assert!(problems[0].starts_with("ephemeral.url: must name hosts") && !problems[0].contains("s3cret"));
    }

    #[test]
    fn a_prefix_that_would_pin_all_keys_to_one_node_is_refused() {
        let mut problems = Problems::default();
        Ephemeral { prefix: "{kenpos}:".to_owned(), ..Ephemeral::default() }
            .validate("ephemeral", &mut problems);
        assert_eq!(problems.into_result().unwrap_err().len(), 1);
        let mut problems = Problems::default();
        Ephemeral::default().validate("ephemeral", &mut problems);
        assert!(problems.into_result().is_ok());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(url in "rediss?(\\+sentinel|\\+cluster)?://.{0,40}") {
            let _ = Service::parse(&url);
        }
    }
}
