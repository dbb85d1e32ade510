//! Cryptography.

pub mod master_key;
