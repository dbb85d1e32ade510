//! What clients can register for.

use super::{authorize::response_type::ResponseType, scope::Scope, token};
use crate::{
    clients::{GrantType, Supported},
    config::Config,
};

/// Grant types of the token endpoint.
pub const GRANT_TYPES: &[GrantType] = &token::GRANT_TYPES;

/// The same, and the authorization endpoint's own.
const GRANT_TYPES_WITH_IMPLICIT: [GrantType; 5] = {
    let [a, b, c, d] = token::GRANT_TYPES;
    [a, b, c, d, GrantType::Implicit]
};

/// Response types of the authorization endpoint.
pub fn response_types(config: &Config) -> &'static [&'static str] {
    if config.protocol.front_channel_tokens { &ResponseType::NAMES } else { &["code"] }
}

/// Grant types that there are.
pub fn grant_types(config: &Config) -> &'static [GrantType] {
    if config.protocol.front_channel_tokens { &GRANT_TYPES_WITH_IMPLICIT } else { GRANT_TYPES }
}

/// What a client can ask for: what this provider has.
pub fn supported(config: &Config) -> Supported<'_> {
    Supported {
        scopes: &Scope::NAMES,
        signing: &config.keys.algorithms,
        response_types: response_types(config),
        grant_types: grant_types(config),
    }
}
