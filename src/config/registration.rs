//! `[registration]`: clients that register themselves (OIDC Registration, RFC 7591).

use serde::{Deserialize, Serialize};

use super::Problems;

/// Who may register, and for what.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registration {
    /// Whether anyone may register a client; otherwise only who has an initial access token.
    pub open: bool,
    /// Clients that may be there without an initial access token.
    pub open_clients: u64,
    /// Registrations that one client address may try in an hour.
    pub per_address_hour: u64,
    /// Scopes that such clients may have. Never `insured_number`.
    pub scopes: Vec<String>,
    /// For a run of the conformance suite alone: such clients may go without PKCE and may have public
    /// subjects.
    pub certification: bool,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            open: false,
            open_clients: 100,
            per_address_hour: 20,
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            certification: false,
        }
    }
}

impl Registration {
    /// Says what is wrong with the section. Whether a scope exists is for the protocol to say.
    pub fn validate(&self, problems: &mut Problems) {
        let key = "registration.scopes";
        let has = |wanted: &str| self.scopes.iter().any(|scope| scope == wanted);
        problems.require(has("openid"), key, "must have openid");
        // 健康保険法 §194-2: an operator has to know who asks for it.
        problems.require(!has("insured_number"), key, "must not have insured_number");
        let admin = self.scopes.iter().any(|scope| scope.starts_with("admin:"));
        problems.require(!admin, key, "must not have scopes of the operators' API");
        problems.require(self.per_address_hour >= 1, "registration.per_address_hour", "must be 1 or more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_closed_and_valid_and_the_insured_number_is_out_of_reach() {
        let problems = |settings: Registration| {
            let mut problems = Problems::default();
            settings.validate(&mut problems);
            problems.into_result().err().unwrap_or_default()
        };
        assert!(!Registration::default().open && problems(Registration::default()).is_empty());
        for scopes in [vec!["openid".to_owned(), "insured_number".to_owned()], vec!["profile".to_owned()]] {
            assert_eq!(problems(Registration { scopes, ..Registration::default() }).len(), 1);
        }
        let scopes = vec!["openid".to_owned(), "admin:members.read".to_owned()];
        assert_eq!(problems(Registration { scopes, ..Registration::default() }).len(), 1);
        assert_eq!(problems(Registration { per_address_hour: 0, ..Registration::default() }).len(), 1);
    }
}
