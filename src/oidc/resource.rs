//! Resource indicators (RFC 8707): for which API an access token is.
//!
//! A client registers the resources that it may ask tokens for. A token for a resource is for nothing else:
//! userinfo refuses it, unless the issuer itself was registered and asked for too.

use super::{authorize::params::Params, error::OAuthError, grant::Grant, scope::Scopes};
use crate::{app::App, clients::Client};

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

/// Path of the operators' API, whose URL is the audience of its tokens.
pub const API: &str = "/admin/api/v1";

/// The resources of a client that speaks for itself. With a scope of the operators' API the token is for that
/// and for nothing else, whether the client names it or not; without one it is never for it.
pub fn of_own_request(
    app: &App,
    client: &Client,
    scope: &Scopes,
    params: &Params,
) -> Result<Vec<String>, OAuthError> {
    let api = app.config().server.url(API);
    let named: Vec<&String> = params.resources().collect();
    let admin = scope.permissions().next().is_some();
    match admin {
        true if named.iter().all(|name| **name == api) => Ok(vec![api]),
        true => Err(OAuthError::new(INVALID_TARGET, "these scopes are for the operators' API alone")),
        false if named.contains(&&api) => {
            Err(OAuthError::new(INVALID_TARGET, "the operators' API needs one of its scopes"))
        }
        false => of_request(client, params),
    }
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
