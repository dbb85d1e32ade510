//! What the stories of `tests/it` share.

#![allow(dead_code, reason = "some parts are here for stories to come")]

pub mod api;
pub mod app;
pub mod assertions;
pub mod attack;
pub mod backends;
pub mod browser;
pub mod collector;
pub mod documents;
pub mod family;
pub mod http_browser;
pub mod insurers;
pub mod journey;
pub mod log;
pub mod mailbox;
pub mod members;
pub mod operators;
pub mod party;
pub mod receiver;
pub mod recovery;
pub mod relying_party;
pub mod way;
pub mod web_app;
