//! `[keys]`: the folder of the master key and the life of the signing keys.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::Problems;

/// A signature algorithm of this provider (RFC 7518 §3.1, RFC 8037 §3.1), by its JOSE name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every relying party knows (OIDC Core §15.1).
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, in the order of the type.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name is no algorithm that this provider signs with.
#[derive(Debug, thiserror::Error)]
#[error("must be RS256, PS256, ES256 or EdDSA")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|alg| alg.name() == name).ok_or(UnknownAlgorithm)
    }
}

/// The section `[keys]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Folder of the master key; created with mode 0700 if missing.
    pub directory: PathBuf,
    /// Algorithms that tokens can be signed with, each with keys of its own.
    pub algorithms: Vec<Algorithm>,
    /// Seconds between two looks at the table of signing keys: how soon a node follows a rotation.
    pub refresh_seconds: u64,
    /// Hours for which a retired key stays in the JWKS; longer than the longest token lives.
    pub keep_retired_hours: u64,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("keys"),
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
            refresh_seconds: 5,
            keep_retired_hours: 24,
        }
    }
}

impl Keys {
    /// Time between two looks at the table of signing keys.
    pub const fn refresh(&self) -> Duration {
        Duration::from_secs(self.refresh_seconds)
    }

    /// Time for which a retired key stays in the JWKS.
    pub const fn keep_retired(&self) -> Duration {
        Duration::from_secs(self.keep_retired_hours.saturating_mul(3600))
    }

    /// Says what is wrong with the section.
    pub fn validate(&self, problems: &mut Problems) {
        problems.require(!self.directory.as_os_str().is_empty(), "keys.directory", "must name a folder");
        problems.require(!self.algorithms.is_empty(), "keys.algorithms", "must name at least one");
        let repeated =
            self.algorithms.iter().enumerate().find(|(i, alg)| self.algorithms[..*i].contains(alg));
        if let Some((_, alg)) = repeated {
            problems.add("keys.algorithms", format!("names {alg} twice"));
        }
        problems.require(
            (1..=300).contains(&self.refresh_seconds),
            "keys.refresh_seconds",
            "must be 1 to 300",
        );
        problems.require(
            (1..=8760).contains(&self.keep_retired_hours),
            "keys.keep_retired_hours",
            "must be 1 to 8760",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(keys: &Keys) -> Vec<String> {
        let mut problems = Problems::default();
        keys.validate(&mut problems);
        problems.into_result().err().unwrap_or_default()
    }

    #[test]
    fn the_default_is_valid_and_every_wrong_key_is_named() {
        assert!(problems(&Keys::default()).is_empty());
        let wrong = Keys {
            directory: PathBuf::new(),
            algorithms: vec![Algorithm::Es256, Algorithm::Es256],
            refresh_seconds: 0,
            keep_retired_hours: 0,
        };
        let found = problems(&wrong);
        for key in ["directory", "algorithms", "refresh_seconds", "keep_retired_hours"] {
            assert!(found.iter().any(|p| p.starts_with(&format!("keys.{key}:"))), "{key}: {found:?}");
        }
        assert_eq!(problems(&Keys { algorithms: vec![], ..Keys::default() }).len(), 1);
    }

    #[test]
    fn algorithms_go_by_their_jose_names_and_none_is_not_among_them() {
        for alg in Algorithm::ALL {
            assert_eq!(serde_json::to_value(alg).unwrap(), alg.name());
            assert_eq!(alg.name().parse::<Algorithm>().unwrap(), alg);
        }
        for name in ["none", "HS256", "rs256", ""] {
            assert!(name.parse::<Algorithm>().is_err(), "{name}");
        }
        assert!(serde_json::from_value::<Keys>(serde_json::json!({ "algorithm": ["RS256"] })).is_err());
    }
}
