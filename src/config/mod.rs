//! The configuration: a TOML file and the environment, merged, then validated once.
//!
//! A file of this folder is a section of the TOML file. Each section has its defaults in `Default`,
//! refuses keys it does not know, and says all that is wrong with it in [`Problems`], by key.

pub mod database;
mod environment;
pub mod ephemeral;
pub mod insurer;
pub mod keys;
pub mod lifetimes;
pub mod limits;
pub mod mail;
pub mod passwords;
pub mod server;
pub mod telemetry;

use std::path::Path;

use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::{Deserialize, Serialize};

pub use database::Database;
pub use ephemeral::Ephemeral;
pub use insurer::Insurer;
pub use keys::Keys;
pub use lifetimes::Lifetimes;
pub use limits::Limits;
pub use mail::MailSettings;
pub use passwords::Passwords;
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
    /// `[lifetimes]`
    pub lifetimes: Lifetimes,
    /// `[limits]`
    pub limits: Limits,
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
    /// Values break rules.
    #[error("the configuration is wrong:\n  {}", .0.join("\n  "))]
    Wrong(Vec<String>),
}

impl Config {
    /// Reads `file`, if one is given, then the environment: `KENPOS_SERVER__ISSUER` is `server.issuer`.
    /// Every problem is told at once, by key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
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
        self.lifetimes.validate(&mut problems);
        self.limits.validate(&mut problems);
        problems.require(!self.insurers.is_empty(), "insurers", "must have at least one");
        for (index, insurer) in self.insurers.iter().enumerate() {
            insurer.validate(&format!("insurers[{index}]"), &mut problems);
            let twice = self.insurers.iter().take(index).any(|other| other.code == insurer.code);
            problems.require(!twice, &format!("insurers[{index}].code"), "must differ from the others");
        }
        problems.into_result().map_err(ConfigError::Wrong)
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
    fn an_unknown_key_is_refused_by_name() {
        let error = load(&format!("{MINIMAL}\n[server2]\nx = 1")).unwrap_err();
        assert!(error.to_string().contains("server2"), "{error}");
        assert!(matches!(Config::load(Some(Path::new("/nowhere.toml"))), Err(ConfigError::Missing(_))));
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
