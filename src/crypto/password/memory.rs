//! The memory of Argon2id runs.
//!
//! It is used again: given back to the allocator after each run, it would leave holes of megabytes that little
//! things then fill, and a process that checked a few passwords would have ten times the memory it needs.

use std::sync::{Mutex, PoisonError};

use argon2::{Argon2, Block, Params, PasswordHash, password_hash::Error as HashError};

use crate::crypto::digest;

/// Room for as many runs as there were at once, to begin with none.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Vec<Room>>);

/// Room for one run.
#[derive(Debug, Default)]
pub(super) struct Room(Vec<Block>);

impl Memory {
    /// Does a run in a room of its own.
    pub(super) fn within<T>(&self, run: impl FnOnce(&mut Room) -> T) -> T {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let done = run(&mut room);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        done
    }
}

impl Room {
    /// The hash of a password, with algorithm, version and parameters of `like`.
    pub(super) fn hash(
        &mut self,
        like: &PasswordHash,
        password: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), HashError> {
        let version = like.version.map(argon2::Version::try_from).transpose()?.unwrap_or_default();
        let params = Params::try_from(like)?;
        if self.0.len() < params.block_count() {
            self.0.resize(params.block_count(), Block::new());
        }
        let argon2 = Argon2::new(argon2::Algorithm::try_from(like.algorithm.as_str())?, version, params);
        Ok(argon2.hash_password_into_with_memory(password, salt, out, &mut self.0)?)
    }

    /// Whether a password is the one that was hashed.
    pub(super) fn matches(&mut self, stored: &PasswordHash, password: &[u8]) -> Result<bool, HashError> {
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Err(HashError::PasswordInvalid);
        };
        let mut computed = vec![0; expected.len()];
        self.hash(stored, password, salt, &mut computed)?;
        Ok(digest::equal(&computed, expected.as_bytes()))
    }
}
