//! The protocol: OAuth 2.0 and OpenID Connect endpoints, tokens and claims.

pub mod access_token;
pub mod authorize;
pub mod backchannel_logout;
pub mod claims;
pub mod claims_request;
pub mod client_auth;
pub mod cors;
pub mod device;
mod direct;
pub mod discovery;
pub mod error;
pub mod grant;
pub mod interaction;
pub mod introspect;
pub mod jwks;
pub mod logout;
pub mod permission;
mod posted;
pub mod registration;
pub mod resource;
pub mod revoke;
pub mod scope;
mod seal;
pub mod session_management;
pub mod signing;
pub mod token;
pub mod userinfo;
