//! Mails to operators.

use url::Url;

use crate::clock::Timestamp;

/// What such a mail tells.
#[derive(Clone, PartialEq, Eq)]
pub enum OperatorMail {
    /// The link that sets up password and second factor.
    Setup {
        /// The page; a secret.
        link: Url,
        /// When the link is void.
        deadline: Timestamp,
    },
    /// Password or second factor was changed.
    Changed,
}

impl OperatorMail {
    /// Name in the outbox and in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Setup { .. } => "operator_setup",
            Self::Changed => "operator_changed",
        }
    }

    /// When the mail is of no more use.
    pub const fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Setup { deadline, .. } => Some(*deadline),
            Self::Changed => None,
        }
    }
}
