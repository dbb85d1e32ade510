//! Resource indicators (RFC 8707): for which API an access token is.
//!
//! A client registers the resources that it may ask tokens for. A token for a resource is for nothing else:
//! userinfo refuses it, unless the issuer itself was registered and asked for too.

use super::{authorize::params::Params, error::OAuthError, grant::Grant};
use crate::clients::Client;

/// The error of RFC 8707 §2.
pub const INVALID_TARGET: &str = "invalid_target";

/// What the error says.
pub const UNREGISTERED: &str = "resource must be one that the client registered (RFC 8707 section 2)";

/// The resources of a request, each registered by the client, none twice; [`INVALID_TARGET`] otherwise.
pub fn asked(client: &Client, params: &Params) -> Result<Vec<String>, &'static str> {
    let mut asked: Vec<String> = Vec::new();
    for resource in params.resources() {
        if !client.metadata.resources.contains(resource) {
            return Err(UNREGISTERED);
        }
        if !asked.contains(resource) {
            asked.push(resource.clone());
        }
    }
    Ok(asked)
}

/// As [`asked`], for the endpoints that programs post to.
pub fn of_request(client: &Client, params: &Params) -> Result<Vec<String>, OAuthError> {
    asked(client, params).map_err(|reason| OAuthError::new(INVALID_TARGET, reason))
}

/// The audience of an access token that rests on a grant (RFC 8707 §2.2): what the token request names, as
/// long as the authorization request named it too or named nothing; what that one named, if this one names
/// nothing. An empty audience is userinfo.
pub fn audience(client: &Client, grant: &Grant, params: &Params) -> Result<Vec<String>, OAuthError> {
    let asked = of_request(client, params)?;
    if asked.is_empty() {
        // What is not registered any more is left out, but never so that the token would open something else.
        let kept: Vec<String> =
            grant.resource.iter().filter(|name| client.metadata.resources.contains(name)).cloned().collect();
        if kept.is_empty() && !grant.resource.is_empty() {
            return Err(OAuthError::new(INVALID_TARGET, UNREGISTERED));
        }
        return Ok(kept);
    }
    if grant.resource.is_empty() || asked.iter().all(|name| grant.resource.contains(name)) {
        Ok(asked)
    } else {
        let reason = "resource was not named in the authorization request (RFC 8707 section 2.2)";
        Err(OAuthError::new(INVALID_TARGET, reason))
    }
}
