//! The configuration: a TOML file and the environment, merged, then validated once.
//!
//! A file of this folder is a section of the TOML file. Each section has its defaults in `Default`,
//! refuses keys it does not know, and says all that is wrong with it in [`Problems`], by key.

pub mod ephemeral;
pub mod insurer;
pub mod keys;
pub mod passwords;
pub mod mail;

pub use ephemeral::Ephemeral;
pub use insurer::Insurer;
pub use keys::Keys;
pub use passwords::Passwords;
pub use mail::MailSettings;

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
