//! What clients can register for.

use super::scope::Scope;
use crate::{
    clients::{GrantType, Supported},
    config::Config,
};

/// Response types of the authorization endpoint.
pub const RESPONSE_TYPES: &[&str] = &["code"];

/// Grant types of the token endpoint.
pub const GRANT_TYPES: &[GrantType] = &[GrantType::AuthorizationCode, GrantType::RefreshToken];

/// What a client can ask for: what this provider has.
pub fn supported(config: &Config) -> Supported<'_> {
    Supported {
        scopes: &Scope::NAMES,
        signing: &config.keys.algorithms,
        response_types: RESPONSE_TYPES,
        grant_types: GRANT_TYPES,
    }
}
