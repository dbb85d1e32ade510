//! Mails about an account that there is, to its member or to the insurer's office.

use url::Url;

use crate::clock::Timestamp;

/// What a mail about an account tells.
#[derive(Clone, PartialEq, Eq)]
pub enum AccountMail {
    /// To a new address: the link that proves it.
    ConfirmEmail {
        /// The page that asks for the password; a secret.
        link: Url,
        /// When the link is void.
        deadline: Timestamp,
    },
    /// To a new address that the office wrote down: the link that proves it.
    CorrectEmail {
        /// The page that asks for the password; a secret.
        link: Url,
        /// When the link is void.
        deadline: Timestamp,
    },
    /// To the address from before: the office has sent such a link to another.
    EmailBeingCorrected,
    /// To an address that a member wanted to change to: it belongs to another account.
    EmailInUse,
    /// To the address from before: it was replaced.
    EmailChanged,
    /// The password was replaced.
    PasswordChanged,
    /// The account was frozen because its member reported misuse.
    Frozen,
    /// The account was frozen by the office.
    FrozenByOffice,
    /// The office lets the frozen account be used again.
    Unfrozen,
    /// The member asked for the account to be deleted.
    DeletionRequested,
    /// The account was deleted, as its member asked.
    Deleted,
    /// The office will not delete the account.
    DeletionDismissed,
    /// To the office: a member reported misuse.
    OfficeReport {
        /// The subject.
        member: String,
    },
    /// To the office: a member asks for deletion.
    OfficeDeletion {
        /// The subject.
        member: String,
    },
}

impl AccountMail {
    /// Name in the outbox and in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConfirmEmail { .. } => "confirm_email",
            Self::CorrectEmail { .. } => "correct_email",
            Self::EmailBeingCorrected => "email_being_corrected",
            Self::EmailInUse => "email_in_use",
            Self::EmailChanged => "email_changed",
            Self::PasswordChanged => "password_changed",
            Self::Frozen => "account_frozen",
            Self::FrozenByOffice => "account_frozen_by_office",
            Self::Unfrozen => "account_unfrozen",
            Self::DeletionRequested => "deletion_requested",
            Self::Deleted => "account_deleted",
            Self::DeletionDismissed => "deletion_dismissed",
            Self::OfficeReport { .. } => "office_report",
            Self::OfficeDeletion { .. } => "office_deletion",
        }
    }

    /// When the mail is of no more use.
    pub const fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::ConfirmEmail { deadline, .. } | Self::CorrectEmail { deadline, .. } => Some(*deadline),
            _ => None,
        }
    }
}
