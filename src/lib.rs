//! kenpos-idp: the OpenID Connect identity provider of the KENPOS health portal.
//!
//! Reading order: [`clock`] and [`storage`] carry everything, [`ephemeral`] holds what expires,
//! [`members`], [`clients`] and [`operators`] are the rules of the domain, [`oidc`] is the protocol, [`pages`]
//! is what a member sees and [`admin`] what an operator sees, [`web`] is the plumbing between a request and a handler, and [`cli`] starts it all.
//! Imports run one way only; `tests/it/house.rs` holds the rules.

pub mod admin;
pub mod app;
pub mod audit;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod egress;
pub mod ephemeral;
pub mod fault;
pub mod mail;
pub mod members;
pub mod oidc;
pub mod operators;
pub mod pages;
pub mod routes;
pub mod storage;
pub mod telemetry;
pub mod texts;
pub mod web;

/// Real servers for the tests of this crate and for those in `tests/`.
#[cfg(test)]
#[path = "../tests/support/backends.rs"]
mod backends;

/// A real browser for the tests of pages.
#[cfg(test)]
#[path = "../tests/support/browser.rs"]
#[allow(dead_code, reason = "some parts serve the stories of tests/it alone")]
mod browser;
