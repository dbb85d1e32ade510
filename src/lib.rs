//! kenpos-idp: the OpenID Connect identity provider of the KENPOS health portal.
//!
//! Reading order: [`clock`] and [`storage`] carry everything, [`ephemeral`] holds what expires,
//! [`members`] and [`clients`] are the rules of the domain, [`oidc`] is the protocol, [`pages`] is what a
//! member sees, [`web`] is the plumbing between a request and a handler, and [`cli`] starts it all.
//! Imports run one way only; `tests/it/house.rs` holds the rules.

pub mod cli;
pub mod clock;
pub mod config;
pub mod members;
pub mod storage;
pub mod texts;
