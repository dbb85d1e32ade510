//! `[roster]`: roster files that operators upload.

use serde::{Deserialize, Serialize};

use super::Problems;

/// How large a roster may be, and how long its upload may take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Roster {
    /// Bytes that an uploaded file may have. A million rows are about 100 MB.
    pub upload_limit_bytes: usize,
    /// Seconds that an upload may take.
    pub upload_timeout_seconds: u64,
}

impl Default for Roster {
    fn default() -> Self {
        Self { upload_limit_bytes: 512 * 1024 * 1024, upload_timeout_seconds: 900 }
    }
}

impl Roster {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        problems.require(
            (64 * 1024..=8 * 1024 * 1024 * 1024).contains(&self.upload_limit_bytes),
            "roster.upload_limit_bytes",
            "must be 65536 to 8589934592",
        );
        problems.require(
            (1..=86_400).contains(&self.upload_timeout_seconds),
            "roster.upload_timeout_seconds",
            "must be 1 second to a day",
        );
    }
}
