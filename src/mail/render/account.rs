//! The wording of mails about accounts.

use std::slice::from_ref;

use url::Url;

use super::{Block, Renderer};
use crate::{
    clock::Timestamp,
    mail::{account::AccountMail, message::Mail},
};

impl Renderer {
    pub(super) fn account(&self, mail: &Mail, kind: &AccountMail, now: Timestamp) -> (String, Vec<Block>) {
        match kind {
            AccountMail::ConfirmEmail { link, deadline } => {
                self.email_link(mail, "email", (link, *deadline), now)
            }
            AccountMail::CorrectEmail { link, deadline } => {
                self.email_link(mail, "email-correction", (link, *deadline), now)
            }
            AccountMail::EmailBeingCorrected => self.notice(mail, "mail-email-correcting"),
            AccountMail::EmailInUse => self.plain(
                mail,
                "mail-email-in-use-subject",
                &["mail-email-in-use-intro", "mail-email-in-use-own", "mail-email-in-use-unexpected"],
            ),
            AccountMail::EmailChanged => self.notice(mail, "mail-email-changed"),
            AccountMail::PasswordChanged => self.notice(mail, "mail-password-changed"),
            AccountMail::Frozen => {
                self.plain(mail, "mail-frozen-subject", &["mail-frozen-intro", "mail-frozen-next"])
            }
            AccountMail::FrozenByOffice => {
                self.plain(mail, "mail-frozen-subject", &["mail-frozen-office-intro", "mail-frozen-next"])
            }
            AccountMail::Unfrozen => self.notice(mail, "mail-unfrozen"),
            AccountMail::DeletionRequested => self.notice(mail, "mail-deletion"),
            AccountMail::Deleted => self.plain(
                mail,
                "mail-deleted-subject",
                &["mail-deleted-intro", "mail-deleted-kept", "mail-account-unexpected"],
            ),
            AccountMail::DeletionDismissed => self.plain(
                mail,
                "mail-deletion-dismissed-subject",
                &["mail-deletion-dismissed-intro", "mail-deletion-dismissed-next"],
            ),
            AccountMail::OfficeReport { member } => self.office(mail, "mail-office-report", member, now),
            AccountMail::OfficeDeletion { member } => self.office(mail, "mail-office-deletion", member, now),
        }
    }

    /// The link that proves a new address; `name` says who asked for it.
    fn email_link(
        &self,
        mail: &Mail,
        name: &str,
        (link, deadline): (&Url, Timestamp),
        now: Timestamp,
    ) -> (String, Vec<Block>) {
        let label = self.text(mail, "mail-email-button", &[]);
        let [until, life] = self.deadline(mail, deadline, now);
        let subject = self.text(mail, &format!("mail-{name}-subject"), from_ref(&life));
        let blocks = vec![
            self.block(mail, &format!("mail-{name}-intro")),
            self.block(mail, "mail-email-how"),
            Block::Link { url: link.to_string(), label },
            Block::Strong(self.text(mail, "mail-deadline", &[until, life])),
            self.block(mail, "mail-email-unexpected"),
        ];
        (subject, blocks)
    }

    /// What was done, and what to do if it was somebody else.
    fn notice(&self, mail: &Mail, name: &str) -> (String, Vec<Block>) {
        let (intro, subject) = (format!("{name}-intro"), format!("{name}-subject"));
        self.plain(mail, &subject, &[&intro, "mail-account-unexpected"])
    }

    /// What the office must look at. The member is named by the subject alone, which the audit knows.
    fn office(&self, mail: &Mail, name: &str, member: &str, now: Timestamp) -> (String, Vec<Block>) {
        let args = [("member", member.to_owned()), ("at", self.texts.date_time(mail.locale, now))];
        let blocks = vec![
            Block::Text(self.text(mail, &format!("{name}-intro"), &[])),
            Block::Text(self.text(mail, "mail-office-facts", &args)),
            Block::Text(self.text(mail, &format!("{name}-next"), &[])),
        ];
        (self.text(mail, &format!("{name}-subject"), &[]), blocks)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of each.
    pub(crate) fn every_kind() -> [AccountMail; 14] {
        let (link, deadline) = ("https://idp.example.jp/account/email/link/AbC-_123", 1_795_396_500_000);
        let member = || "9x2Kd0pQ".to_owned();
        [
            AccountMail::ConfirmEmail {
                link: link.parse().unwrap(),
                deadline: Timestamp::from_millis(deadline),
            },
            AccountMail::CorrectEmail {
                link: link.parse().unwrap(),
                deadline: Timestamp::from_millis(deadline),
            },
            AccountMail::EmailBeingCorrected,
            AccountMail::EmailInUse,
            AccountMail::EmailChanged,
            AccountMail::PasswordChanged,
            AccountMail::Frozen,
            AccountMail::FrozenByOffice,
            AccountMail::Unfrozen,
            AccountMail::DeletionRequested,
            AccountMail::Deleted,
            AccountMail::DeletionDismissed,
            AccountMail::OfficeReport { member: member() },
            AccountMail::OfficeDeletion { member: member() },
        ]
    }
}
