//! `[lifetimes]`: how long everything that expires lives.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Problems;

/// Lifetimes in seconds; a client may have shorter ones.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// A parked authorization request.
    pub interaction_seconds: u64,
    /// An authorization code (single use).
    pub code_seconds: u64,
    /// The codes of a device (RFC 8628).
    pub device_code_seconds: u64,
    /// An access token.
    pub access_token_seconds: u64,
    /// An ID token.
    pub id_token_seconds: u64,
    /// A refresh token that is not used.
    pub refresh_idle_seconds: u64,
    /// A refresh token family from its start.
    pub refresh_absolute_seconds: u64,
    /// Age of a sign-in up to which userinfo gives 記号・番号 for it; absent: any age.
    pub insured_number_sign_in_seconds: Option<u64>,
    /// A session that is not used.
    pub session_idle_seconds: u64,
    /// A session from its start.
    pub session_absolute_seconds: u64,
    /// The mailed link of a first-time registration.
    pub registration_link_seconds: u64,
    /// The mailed link to a new password.
    pub password_link_seconds: u64,
    /// The mailed link that shows a forgotten login ID.
    pub login_id_link_seconds: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            interaction_seconds: 30 * 60,
            code_seconds: 60,
            device_code_seconds: 10 * 60,
            access_token_seconds: 10 * 60,
            id_token_seconds: 10 * 60,
            refresh_idle_seconds: 30 * 24 * 3600,
            refresh_absolute_seconds: 180 * 24 * 3600,
            insured_number_sign_in_seconds: None,
            session_idle_seconds: 30 * 60,
            session_absolute_seconds: 12 * 3600,
            registration_link_seconds: 24 * 3600,
            password_link_seconds: 3600,
            login_id_link_seconds: 30 * 60,
        }
    }
}

impl Lifetimes {
    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        for (name, value) in [
            ("interaction_seconds", self.interaction_seconds),
            ("code_seconds", self.code_seconds),
            ("device_code_seconds", self.device_code_seconds),
            ("access_token_seconds", self.access_token_seconds),
            ("id_token_seconds", self.id_token_seconds),
            ("refresh_idle_seconds", self.refresh_idle_seconds),
            ("refresh_absolute_seconds", self.refresh_absolute_seconds),
            ("session_idle_seconds", self.session_idle_seconds),
            ("session_absolute_seconds", self.session_absolute_seconds),
            ("registration_link_seconds", self.registration_link_seconds),
            ("password_link_seconds", self.password_link_seconds),
            ("login_id_link_seconds", self.login_id_link_seconds),
        ] {
            problems.require(
                (1..=366 * 24 * 3600).contains(&value),
                &format!("lifetimes.{name}"),
                "must be 1 second to 366 days",
            );
        }
        problems.require(
            self.insured_number_sign_in_seconds.is_none_or(|most| most >= 1),
            "lifetimes.insured_number_sign_in_seconds",
            "must be 1 second or more",
        );
        // RFC 6749 §4.1.2 recommends at most ten minutes.
        problems.require(self.code_seconds <= 600, "lifetimes.code_seconds", "must be 600 at most");
    }

    /// A parked authorization request.
    pub const fn interaction(&self) -> Duration {
        Duration::from_secs(self.interaction_seconds)
    }

    /// A parked request while the activation mail is out: the link's life and one interaction more.
    pub const fn interaction_with_mail(&self) -> Duration {
        Duration::from_secs(self.registration_link_seconds + self.interaction_seconds)
    }

    /// An authorization code.
    pub const fn code(&self) -> Duration {
        Duration::from_secs(self.code_seconds)
    }

    /// The codes of a device.
    pub const fn device_code(&self) -> Duration {
        Duration::from_secs(self.device_code_seconds)
    }

    /// An access token.
    pub const fn access_token(&self) -> Duration {
        Duration::from_secs(self.access_token_seconds)
    }

    /// An ID token.
    pub const fn id_token(&self) -> Duration {
        Duration::from_secs(self.id_token_seconds)
    }

    /// A refresh token between two uses.
    pub const fn refresh_idle(&self) -> Duration {
        Duration::from_secs(self.refresh_idle_seconds)
    }

    /// A refresh token family.
    pub const fn refresh_absolute(&self) -> Duration {
        Duration::from_secs(self.refresh_absolute_seconds)
    }

    /// A session between two uses.
    pub const fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_idle_seconds)
    }

    /// A session from its start.
    pub const fn session_absolute(&self) -> Duration {
        Duration::from_secs(self.session_absolute_seconds)
    }

    /// The mailed link.
    pub const fn registration_link(&self) -> Duration {
        Duration::from_secs(self.registration_link_seconds)
    }

    /// The link to a new password.
    pub const fn password_link(&self) -> Duration {
        Duration::from_secs(self.password_link_seconds)
    }

    /// The link that shows a login ID.
    pub const fn login_id_link(&self) -> Duration {
        Duration::from_secs(self.login_id_link_seconds)
    }
}
