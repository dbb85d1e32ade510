//! `[deliveries]`: messages to relying parties, such as logout tokens.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Problems, mail::doubling};

/// How often a message that does not arrive is tried again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deliveries {
    /// Seconds to wait after the first failure; each further wait is twice as long.
    pub retry_first_seconds: u64,
    /// Seconds of the longest wait between two attempts.
    pub retry_longest_seconds: u64,
    /// Hours after which a message is given up.
    pub give_up_hours: u64,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self { retry_first_seconds: 5, retry_longest_seconds: 3_600, give_up_hours: 24 }
    }
}

impl Deliveries {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        for (name, count, most) in [
            ("retry_first_seconds", self.retry_first_seconds, 3_600),
            ("retry_longest_seconds", self.retry_longest_seconds, 86_400),
            ("give_up_hours", self.give_up_hours, 120),
        ] {
            let key = format!("deliveries.{name}");
            problems.require((1..=most).contains(&count), &key, format_args!("must be 1 to {most}"));
        }
    }

    /// How long to wait after `failures` failed attempts: doubling from the first to the longest wait.
    pub fn retry_after(&self, failures: u32) -> Duration {
        doubling(self.retry_first_seconds, self.retry_longest_seconds, failures)
    }

    /// Longest life of a message that does not arrive.
    pub const fn give_up_after(&self) -> Duration {
        Duration::from_secs(self.give_up_hours.saturating_mul(3_600))
    }
}
