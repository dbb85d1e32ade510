//! `[telemetry]`: logs.

use serde::{Deserialize, Serialize};

/// How the server speaks to its operators.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// `json` (a line an event) or `pretty`.
    pub format: LogFormat,
    /// What to log, in the syntax of `tracing_subscriber::EnvFilter`, such as `info,kenpos_idp=debug`.
    pub level: String,
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
        Self { format: LogFormat::Json, level: "info".to_owned() }
    }
}
