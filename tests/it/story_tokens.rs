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

use crate::support::attack::part;
