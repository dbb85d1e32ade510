//! Tokens as relying parties and resource servers meet them: formats, audiences, lifetimes, what may be asked
//! about them, and how they end. Names of the official conformance suite stand where a module matches.

mod clients;
mod conformance;
mod cors;
mod introspection;
mod jwt;
mod profile;
mod revocation;
mod sealed;
mod step_up;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// A part of a JWT: 0 is the header, 1 the claims.
fn part(jwt: &str, index: usize) -> Value {
    let part = jwt.split('.').nth(index).unwrap_or_else(|| panic!("no JWT: {jwt}"));
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
