//! `[database]`: where durable records live.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Problems;

/// The SQL engine.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://PATH` (the default is a file of the working directory) or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: String,
    /// Most connections of the pool.
    pub connections: u32,
    /// Whether `serve` brings the schema up to date; otherwise `kenpos-idp migrate` does.
    pub migrate_at_start: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: "sqlite://data/kenpos.sqlite".to_owned(), connections: 10, migrate_at_start: true }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.split(':').next().unwrap_or_default();
        f.debug_struct("Database")
            .field("url", &format_args!("{scheme}:…"))
            .field("connections", &self.connections)
            .field("migrate_at_start", &self.migrate_at_start)
            .finish()
    }
}

impl Database {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        let known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| self.url.starts_with(scheme));
        problems.require(known, "database.url", "must start with sqlite: or postgres:");
        problems.require((1..=1000).contains(&self.connections), "database.connections", "must be 1 to 1000");
    }
}
