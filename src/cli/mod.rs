//! The commands of the binary.

pub mod demo;
pub mod keys;
pub mod roster;
pub mod serve;
