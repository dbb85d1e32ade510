//! Keys, tokens, passwords and digests.

pub mod digest;
