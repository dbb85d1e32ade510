//! What a member lets a client have: scopes, and claims that were asked for one by one.

use std::collections::BTreeSet;

use super::{claims, claims_request::ClaimsRequest, scope::Scopes};
use crate::storage::consent::Consent;

/// Scopes and single claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// The scopes.
    pub scopes: Scopes,
    /// Claims beside those of the scopes.
    pub claims: BTreeSet<String>,
}

impl Permission {
    /// What a request or a grant needs.
    pub fn needed(scopes: &Scopes, claims: &ClaimsRequest) -> Self {
        let covered = |name: &str| claims::scope_of(name).is_some_and(|scope| scopes.has(scope));
        let claims = claims.names().filter(|name| !covered(name)).map(str::to_owned).collect();
        Self { scopes: scopes.clone(), claims }
    }

    /// What was allowed before.
    pub fn given(consent: &Consent) -> Self {
        Self {
            scopes: Scopes::parse(&consent.scope),
            claims: consent.claims.split_ascii_whitespace().map(str::to_owned).collect(),
        }
    }

    /// Whether `given` is enough: a claim is also allowed with the scope that it belongs to.
    pub fn within(&self, given: &Self) -> bool {
        let of_scope = |name: &str| claims::scope_of(name).is_some_and(|scope| given.scopes.has(scope));
        self.scopes.within(&given.scopes)
            && self.claims.iter().all(|name| given.claims.contains(name) || of_scope(name))
    }

    /// Both together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { scopes: self.scopes.union(&other.scopes), claims: &self.claims | &other.claims }
    }

    /// The claims as they are stored.
    pub fn claims_text(&self) -> String {
        self.claims.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(scope: &str, claims: &str) -> Permission {
        Permission::needed(&Scopes::parse(scope), &ClaimsRequest::parse(claims).unwrap())
    }

    #[test]
    fn a_claim_is_covered_by_itself_or_by_its_scope() {
        let email = needed("openid", r#"{"userinfo":{"email":null}}"#);
        assert!(!email.within(&needed("openid", "{}")));
        assert!(!email.within(&needed("openid profile", r#"{"id_token":{"name":null}}"#)));
        assert!(email.within(&needed("openid email", "{}")));
        assert!(email.within(&needed("openid", r#"{"id_token":{"email":null,"name":null}}"#)));
        assert!(!needed("openid email", "{}").within(&email), "one claim is not the scope");
    }

    #[test]
    fn what_a_scope_gives_anyway_is_not_asked_for_twice() {
        let both = needed("openid email", r#"{"userinfo":{"email":null,"birthdate":null,"sub":null}}"#);
        assert_eq!(both.claims_text(), "birthdate");
        assert_eq!(
            both.union(&needed("openid", r#"{"userinfo":{"name":null}}"#)).claims_text(),
            "birthdate name"
        );
    }
}
