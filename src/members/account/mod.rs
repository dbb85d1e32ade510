//! What signed-in members do to their own accounts.
//!
//! Whatever an intruder with a stolen session could use to take the account over or to shut its owner out
//! for good asks for the current password: password, e-mail address, freezing, deletion. Wrong ones count
//! like those of a sign-in. What only takes access away, or can be set back at once, does not.

mod bounce;
mod choices;
mod credential;
mod deletion;
mod email;
mod password;
mod profile;

mod report;
mod sessions;

pub use credential::Credential;
pub use email::{EmailCompletion, EmailRequest};
pub use password::PasswordChange;
pub use profile::{GENDERS, Typed as TypedProfile, read as read_profile};
pub use report::Report;
pub use sessions::ListedSession;

use std::time::Duration;

use super::{
    EmailAddress, LoginId, Members,
    login_id::Typed,
    roster::{Category, Person},
};
use crate::{
    clock::Timestamp,
    config::Insurer,
    fault::Fault,
    mail::message::{AccountMail, Mail, MailKind},
    storage::{Tx, email_change, member::Member, recovery},
    texts::Locale,
};

impl Members {
    /// What the member types to sign in.
    pub fn login_id_of(&self, member: &Member, person: &Person) -> Option<Typed> {
        match person.category {
            Category::Insured => {
                let insurer = self.insurer(&member.insurer)?;
                LoginId::from_parts(insurer, &person.symbol, &person.number).ok().map(Typed::Number)
            }
            Category::Dependent | Category::Voluntary => {
                EmailAddress::parse(member.email.as_deref()?).ok().map(Typed::Email)
            }
        }
    }

    /// Voids every mailed link of an account that waits to be opened: to a new password, a new address or the
    /// login ID. Each change that ends what was given before ends them too.
    pub(super) async fn void_links(&self, tx: &mut Tx, member_id: &str) -> Result<(), Fault> {
        email_change::erase(&mut *tx, member_id).await?;
        recovery::erase_of_member(tx, member_id).await?;
        Ok(())
    }
}

/// A login ID for a screen that others may see: `7132-•••••••01`, `t***@example.jp`.
pub fn masked(login_id: &Typed) -> String {
    match login_id {
        Typed::Number(id) => {
            let digits = format!("{}{}", id.symbol(), id.number());
            let shown = digits.len().min(2);
            let (hidden, last) = digits.split_at(digits.len() - shown);
            format!("{}-{}{last}", id.insurer(), "•".repeat(hidden.len()))
        }
        Typed::Email(email) => email.masked(),
    }
}

/// The instant from which on sessions and grants of a member are good, when all from before must end. It
/// is later than everything given up to now, within the millisecond too.
pub(super) fn next_epoch(member: &Member, now: Timestamp) -> Timestamp {
    now.max(member.sessions_valid_from).plus(Duration::from_millis(1))
}

/// A mail about an account.
fn mail_to(insurer: &Insurer, to: &str, locale: Locale, mail: AccountMail) -> Mail {
    Mail::of(insurer, to, locale, MailKind::Account(mail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::login_id::{self, tests::insurer};

    #[test]
    fn a_masked_login_id_keeps_its_ends() {
        let shown = |text: &str| masked(&login_id::parse(text, &[insurer()]).unwrap());
        assert_eq!(shown("7132-091200001"), "7132-•••••••01");
        assert_eq!(shown("taro@example.jp"), "t***@example.jp");
    }
}
