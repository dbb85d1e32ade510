//! The configuration: a TOML file and the environment, merged, then validated once.
//!
//! A file of this folder is a section of the TOML file. Each section has its defaults in `Default`,
//! refuses keys it does not know, and says all that is wrong with it in [`Problems`], by key.

pub mod database;
pub mod deliveries;
pub mod egress;
mod environment;
pub mod ephemeral;
pub mod insurer;
pub mod keys;
pub mod lifetimes;
pub mod limits;
pub mod mail;
pub mod passwords;
pub mod protocol;
pub mod registration;
pub mod roster;
pub mod server;
pub mod telemetry;

use std::{collections::BTreeSet, path::Path};

use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::{Deserialize, Serialize};

pub use database::Database;
pub use deliveries::Deliveries;
pub use egress::Egress;
pub use ephemeral::Ephemeral;
pub use insurer::Insurer;
pub use keys::Keys;
pub use lifetimes::Lifetimes;
pub use limits::Limits;
pub use mail::MailSettings;
pub use passwords::Passwords;
pub use protocol::Protocol;
pub use registration::Registration;
pub use roster::Roster;
pub use server::Server;
pub use telemetry::Telemetry;

/// Everything that can be configured; each field is a section of the TOML file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[ephemeral]`
    pub ephemeral: Ephemeral,
    /// `[keys]`
    pub keys: Keys,
    /// `[passwords]`
    pub passwords: Passwords,
    /// `[mail]`
    pub mail: MailSettings,
    /// `[deliveries]`
    pub deliveries: Deliveries,
    /// `[lifetimes]`
    pub lifetimes: Lifetimes,
    /// `[limits]`
    pub limits: Limits,
    /// `[registration]`
    pub registration: Registration,
    /// `[roster]`
    pub roster: Roster,
    /// `[egress]`
    pub egress: Egress,
    /// `[protocol]`
    pub protocol: Protocol,
    /// `[telemetry]`
    pub telemetry: Telemetry,
    /// `[[insurers]]`
    pub insurers: Vec<Insurer>,
    /// Whether this is the demo, which may use http on a loopback address. No file can say so.
    #[serde(skip)]
    pub demo: bool,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or a variable cannot be read, or holds a value of the wrong kind.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(Box<figment::Error>),
    /// The file does not exist.
    #[error("there is no configuration file {0}; see the README for an example")]
    Missing(String),
    /// What is wrong where no file was named, which is mostly the reason.
    #[error(
        "no configuration file was named (-c FILE, or KENPOS_CONFIG): only KENPOS_… variables were read\n{0}"
    )]
    Unnamed(Box<Self>),
    /// Values break rules.
    #[error("the configuration is wrong:\n  {}", .0.join("\n  "))]
    Wrong(Vec<String>),
}

impl Config {
    /// Reads `file`, if one is given, then the environment: `KENPOS_SERVER__ISSUER` is `server.issuer`.
    /// Every problem is told at once, by key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let read = Self::read(file);
        read.map_err(|error| if file.is_none() { ConfigError::Unnamed(Box::new(error)) } else { error })
    }

    fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            if !file.exists() {
                return Err(ConfigError::Missing(file.display().to_string()));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = figment
            .merge(environment::Environment::new())
            .extract()
            .map_err(|error| ConfigError::Unreadable(Box::new(error)))?;
        config.validate()?;
        Ok(config)
    }

    /// Checks every section.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.server.validate(self.demo, &mut problems);
        self.database.validate(&mut problems);
        self.ephemeral.validate("ephemeral", &mut problems);
        self.keys.validate(&mut problems);
        self.passwords.validate(&mut problems);
        self.mail.validate("mail", &mut problems);
        self.deliveries.validate(&mut problems);
        self.lifetimes.validate(&mut problems);
        self.limits.validate(&mut problems);
        self.registration.validate(&mut problems);
        self.roster.validate(&mut problems);
        self.egress.validate(&mut problems);
        self.telemetry.validate(&mut problems);
        problems.require(!self.insurers.is_empty(), "insurers", "must have at least one");
        for (index, insurer) in self.insurers.iter().enumerate() {
            insurer.validate(&format!("insurers[{index}]"), &mut problems);
        }
        self.compare_insurers(&mut problems);
        problems.into_result().map_err(ConfigError::Wrong)
    }

    /// What tells insurers apart must do so, and none may take the issuer's host.
    fn compare_insurers(&self, problems: &mut Problems) {
        let issuer = url::Url::parse(&self.server.issuer).ok();
        let mut hosts: BTreeSet<&str> = issuer.as_ref().and_then(url::Url::host_str).into_iter().collect();
        for (index, insurer) in self.insurers.iter().enumerate() {
            let others = || self.insurers.iter().take(index);
            let differ = "must differ from the others";
            let key = |name: &str| format!("insurers[{index}].{name}");
            problems.require(others().all(|other| other.code != insurer.code), &key("code"), differ);
            problems.require(others().all(|other| other.number != insurer.number), &key("number"), differ);
            for host in &insurer.hosts {
                let rule = "must be no other insurer's, nor that of server.issuer";
                problems.require(hosts.insert(host), &key("hosts"), format_args!("{host} {rule}"));
            }
        }
    }

    /// The insurer that has the host name `host` (with or without a port), beside the issuer's own.
    pub fn insurer_at(&self, host: &str) -> Option<&Insurer> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        self.insurers.iter().find(|insurer| insurer.hosts.contains(&name))
    }

    /// The insurer, where there is only one.
    pub fn only_insurer(&self) -> Option<&Insurer> {
        match self.insurers.as_slice() {
            [insurer] => Some(insurer),
            _ => None,
        }
    }
}

/// What is wrong with a configuration, key by key.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes that `key` (dotted, as in the TOML file) breaks `rule`.
    pub fn add(&mut self, key: &str, rule: impl std::fmt::Display) {
        self.0.push(format!("{key}: {rule}"));
    }

    /// Notes the problem unless `holds`.
    pub fn require(&mut self, holds: bool, key: &str, rule: impl std::fmt::Display) {
        if !holds {
            self.add(key, rule);
        }
    }

    /// Nothing wrong, or every problem.
    pub fn into_result(self) -> Result<(), Vec<String>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MINIMAL: &str = r#"
        [server]
        issuer = "https://login.example.jp"
        [mail]
        host = "relay.example.jp"
        from = "KENPOS <no-reply@example.jp>"
        [[insurers]]
        code = "7132"
        number = "06139497"
        name = "見本健康保険組合"
        contact = { name = "事務局" }
    "#;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kenpos.toml");
        fs::write(&file, text).unwrap();
        Config::load(Some(&file))
    }

    #[test]
    fn a_minimal_file_is_enough_and_the_defaults_are_those_of_the_service() {
        let config = load(MINIMAL).unwrap();
        assert_eq!(config.lifetimes.code_seconds, 60);
        assert_eq!(config.insurers[0].policy.temporary_password_days, 90);
        assert!(config.server.secure());
    }

    #[test]
    fn every_problem_is_named_by_its_key() {
        let text =
            MINIMAL.replace("https://", "http://").replace("\"7132\"", "\"x\"") + "[limits]\noverall = 0";
        let Err(ConfigError::Wrong(problems)) = load(&text) else { panic!("accepted") };
        for key in ["server.issuer", "insurers[0].code", "limits.overall"] {
            assert!(problems.iter().any(|problem| problem.starts_with(key)), "{key} in {problems:?}");
        }
    }

    #[test]
    fn what_tells_insurers_apart_does_so() {
        let second = |changes: &str| {
            let both = "[[insurers]]\nname = \"もみじ健康保険組合\"\ncontact = { name = \"事務局\" }\n";
            load(&format!("{MINIMAL}\nhosts = [\"a.example.jp\"]\n{both}{changes}"))
        };
        let good = "code = \"8001\"\nnumber = \"01040013\"\n";
        assert!(second(good).is_ok());
        let config = second(&format!("{good}hosts = [\"b.example.jp\"]")).unwrap();
        let at = |host| config.insurer_at(host).map(|insurer| insurer.code.as_str());
        assert_eq!(at("a.example.jp"), Some("7132"));
        assert_eq!(at("B.Example.JP:8443"), Some("8001"));
        for stranger in
            ["login.example.jp", "a.example.jp.evil.example", "evil.example", "", ":", "a.example.jp@x"]
        {
            assert_eq!(at(stranger), None, "{stranger}");
        }
        for (wrong, key) in [
            ("code = \"7132\"\nnumber = \"01040013\"", "insurers[1].code: must differ"),
            ("code = \"8001\"\nnumber = \"06139497\"", "insurers[1].number: must differ"),
            ("code = \"8001\"\nnumber = \"01040014\"", "insurers[1].number: must be the 8 digits"),
            (&format!("{good}hosts = [\"a.example.jp\"]"), "insurers[1].hosts: a.example.jp"),
            (&format!("{good}hosts = [\"login.example.jp\"]"), "insurers[1].hosts: login.example.jp"),
            (&format!("{good}hosts = [\"https://b.example.jp\"]"), "insurers[1].hosts: must be host names"),
            (&format!("{good}mail.from = \"a..b@example.jp\""), "insurers[1].mail.from"),
        ] {
            let Err(ConfigError::Wrong(problems)) = second(wrong) else { panic!("accepted {wrong}") };
            assert!(problems.iter().any(|problem| problem.starts_with(key)), "{key} in {problems:?}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = load(&format!("{MINIMAL}\n[server2]\nx = 1")).unwrap_err();
        assert!(error.to_string().contains("server2"), "{error}");
        assert!(matches!(Config::load(Some(Path::new("/nowhere.toml"))), Err(ConfigError::Missing(_))));
    }

    #[test]
    fn that_no_file_was_named_is_told_first() {
        let told = Config::load(None).unwrap_err().to_string();
        let named = "no configuration file was named (-c FILE, or KENPOS_CONFIG)";
        assert!(told.starts_with(named) && told.contains("server.issuer"), "{told}");
    }

    #[test]
    fn no_secret_is_in_the_debug_text() {
        let text = format!(
            "{MINIMAL}\n[database]\nurl = \"postgres://u:s3cret@db/k\"\n[ephemeral]\nurl = \"redis://:s3cret@r\""
        );
        let debug = format!("{:?}", load(&text).unwrap());
        assert!(!debug.contains("s3cret"), "{debug}");
    }
}
