//! The plumbing between a request and a handler.

pub mod assets;
mod colour;
pub mod templates;
