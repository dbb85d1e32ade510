//! What went wrong inside, as far as the answer depends on it: tried again later, or not.

use std::error::Error;

use crate::{crypto::password::PasswordError, ephemeral::EphemeralError, storage::StorageError};

/// A failure that is not the caller's. Its cause is logged once, where the answer is made.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A service that we need is down: 503, and the caller may try again.
    #[error("{0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// More passwords wait to be hashed than the queue holds: 503 with Retry-After.
    #[error("the password queue is full")]
    Busy,
    /// A mistake of the program or of its data: 500.
    #[error("{0}")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// A mistake of the program, from its error or a description.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<EphemeralError> for Fault {
    fn from(error: EphemeralError) -> Self {
        match error {
            EphemeralError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<PasswordError> for Fault {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            other => Self::Internal(Box::new(other)),
        }
    }
}
