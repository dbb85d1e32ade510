//! Forgotten login IDs and passwords.
//!
//! Whatever is asked for, the page says the same and the same work is done: the same look-ups and counts,
//! one transaction with one mail that is worded and sealed, and taken back where there is nobody to send it
//! to. What is right goes by mail to the address of the account, and nowhere else.
//!
//! *Why the login ID of an insured person is not in the mail.* It contains the 記号・番号, which no mail
//! carries: mailboxes are shared in families, synchronised and read by others. So the mail has a link of 30
//! minutes whose page asks for the birth date once more and then shows the ID, once. Whose login ID is the
//! e-mail address itself is told so by the mail, which says nothing that its reader does not know.

mod ask;
mod link;

pub use crate::storage::recovery::{Kind, Recovery};
pub use ask::Asking;
pub use link::{PasswordReset, Reveal};

use super::{
    Members,
    email_address::EmailAddress,
    login_id::{LoginId, Typed},
    roster::{Category, Person},
};
use crate::{
    config::Insurer,
    mail::message::{Mail, MailKind, RecoveryMail},
    storage::member::Member,
    texts::Locale,
};

/// An account and its person.
type Account = (Member, Person);

/// What a member signs in with.
fn login_id_of(members: &Members, (member, person): &Account) -> Option<Typed> {
    match person.category {
        Category::Insured => {
            let insurer = members.insurer(&person.insurer)?;
            LoginId::from_parts(insurer, &person.symbol, &person.number).ok().map(Typed::Number)
        }
        Category::Dependent | Category::Voluntary => {
            EmailAddress::parse(member.email.as_deref()?).ok().map(Typed::Email)
        }
    }
}

/// A mail of an insurer to someone who forgot something.
fn mail_to(insurer: &Insurer, to: &str, locale: Locale, kind: RecoveryMail) -> Mail {
    Mail::of(insurer, to, locale, MailKind::Recovery(kind))
}
