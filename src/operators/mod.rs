//! The operators: who they are, how they sign in, what they may, and what they do to each other. Rules of the
//! domain, no HTTP; console, API and command line call the same functions.
//!
//! An act of an operator takes an [`Act`](crate::audit::Act) and writes its line of the audit in its own
//! transaction; what is done to members is in [`crate::members::operator`]. What a role may is said in
//! [`role`], and nowhere else.

pub mod factor;
pub mod feed;
pub mod log;
pub mod manage;
pub mod numbers;
pub mod own;
pub mod queues;
pub mod role;
pub mod session;
pub mod setup;
pub mod sign_in;
pub mod webhooks;

pub use crate::storage::operator::{Operator, Role};
pub use role::{Permission, is_within, may, reaches};

use std::ops::Deref;

use crate::{
    audit::{self, Event},
    fault::Fault,
    members::Members,
    storage::On,
};

/// The rules of operators, over the desk of the rules of members.
#[derive(Clone, Debug)]
pub struct Operators(Members);

impl Deref for Operators {
    type Target = Members;

    fn deref(&self) -> &Members {
        &self.0
    }
}

impl Operators {
    /// The rules over the same desk.
    pub const fn new(members: Members) -> Self {
        Self(members)
    }

    /// Writes a line of the audit, in the transaction of the act.
    pub async fn record(&self, on: impl Into<On<'_>>, event: Event<'_>) -> Result<(), Fault> {
        Ok(audit::record(on, &self.entropy, self.clock.now(), event).await?)
    }
}
