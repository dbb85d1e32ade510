//! Every integration test, in one binary: a file a story.

#[path = "../support/mod.rs"]
mod support;

mod house;
mod mail;
mod services_down;
mod story_activation;
mod story_browser;
mod story_self_registration;
mod support_smoke;
