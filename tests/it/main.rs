//! Every integration test, in one binary: a file a story.

#[path = "../support/mod.rs"]
mod support;

mod house;
mod mail;
mod story_activation;
mod support_smoke;
