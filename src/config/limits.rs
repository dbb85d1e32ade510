//! `[limits]`: how much one client address, and everyone together, may try.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Problems;

/// Budgets of attempts that guess at something: passwords, names, mailed links.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Seconds over which attempts and visits are counted.
    pub window_seconds: u64,
    /// Attempts of one client address (IPv6: its /64).
    pub per_address: u64,
    /// Attempts of a network: IPv4 /24, IPv6 /56.
    pub per_network: u64,
    /// Failed attempts on the IDs of one insurer.
    pub per_insurer: u64,
    /// Attempts of everyone.
    pub overall: u64,
    /// Logins, registrations and authorization requests that one client address (IPv6: its /64) begins.
    pub visits_per_address: u64,
    /// Requests to the operators' API that one client makes in a minute.
    pub api_per_minute: u64,
    /// Device authorizations that one client address (IPv6: its /64) begins.
    pub devices_per_address: u64,
    /// Device authorizations that one client begins.
    pub devices_per_client: u64,
    /// Different login IDs with one and the same birth date within an hour that raise a spray alarm.
    pub spray_ids_per_date: u64,
    /// Different login IDs of one insurer failing within an hour that raise a spray alarm.
    pub spray_ids_per_hour: u64,
    /// Days for which failed sign-ins are kept, counted by member, client address and hour.
    pub failures_kept_days: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window_seconds: 600,
            per_address: 60,
            per_network: 300,
            per_insurer: 3_000,
            overall: 20_000,
            visits_per_address: 1_200,
            api_per_minute: 600,
            devices_per_address: 60,
            devices_per_client: 3_000,
            spray_ids_per_date: 10,
            spray_ids_per_hour: 300,
            failures_kept_days: 400,
        }
    }
}

impl Limits {
    /// The time over which attempts and visits are counted.
    pub const fn window(&self) -> Duration {
        Duration::from_secs(self.window_seconds)
    }

    /// How long failed sign-ins are kept.
    pub const fn failures_kept(&self) -> Duration {
        Duration::from_secs(self.failures_kept_days.saturating_mul(86_400))
    }

    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        for (name, value) in [
            ("window_seconds", self.window_seconds),
            ("per_address", self.per_address),
            ("per_network", self.per_network),
            ("per_insurer", self.per_insurer),
            ("overall", self.overall),
            ("visits_per_address", self.visits_per_address),
            ("api_per_minute", self.api_per_minute),
            ("devices_per_address", self.devices_per_address),
            ("devices_per_client", self.devices_per_client),
            ("spray_ids_per_hour", self.spray_ids_per_hour),
            ("failures_kept_days", self.failures_kept_days),
        ] {
            problems.require(value >= 1, &format!("limits.{name}"), "must be 1 or more");
        }
        problems.require(self.spray_ids_per_date >= 2, "limits.spray_ids_per_date", "must be 2 or more");
    }
}
