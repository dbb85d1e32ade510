//! The protocol: what relying parties get.

pub mod signing;
