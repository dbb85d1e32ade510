//! Mails to members who forgot something, or whose registration an operator reset.

use url::Url;

use crate::clock::Timestamp;

/// What such a mail tells.
#[derive(Clone, PartialEq, Eq)]
pub enum RecoveryMail {
    /// The link that shows the login ID, which is made of 記号・番号 and therefore not in the mail.
    LoginId {
        /// The page that asks for the birth date; a secret.
        link: Url,
        /// When the link is void.
        deadline: Timestamp,
    },
    /// The login ID is the address that the mail went to.
    LoginIdIsAddress,
    /// The link that leads to a new password.
    Password {
        /// The page that asks for it; a secret.
        link: Url,
        /// When the link is void.
        deadline: Timestamp,
    },
    /// The password was replaced through such a link.
    PasswordReplaced,
    /// To the address from before: an operator reset the registration.
    RegistrationReset,
}

impl RecoveryMail {
    /// Name in the outbox and in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LoginId { .. } => "recovery_login_id",
            Self::LoginIdIsAddress => "recovery_address",
            Self::Password { .. } => "recovery_password",
            Self::PasswordReplaced => "password_replaced",
            Self::RegistrationReset => "registration_reset",
        }
    }

    /// When the mail is of no more use.
    pub const fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::LoginId { deadline, .. } | Self::Password { deadline, .. } => Some(*deadline),
            Self::LoginIdIsAddress | Self::PasswordReplaced | Self::RegistrationReset => None,
        }
    }
}
