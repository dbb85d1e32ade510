//! Every integration test, in one binary: a file a story.

#[path = "../support/mod.rs"]
mod support;

mod house;
mod support_smoke;
