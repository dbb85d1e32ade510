//! The wording of mails to operators.

use super::{Block, Renderer};
use crate::{
    clock::Timestamp,
    mail::{message::Mail, operator::OperatorMail},
};

impl Renderer {
    /// Subject and blocks of such a mail.
    pub(super) fn operator(&self, mail: &Mail, kind: &OperatorMail, now: Timestamp) -> (String, Vec<Block>) {
        match kind {
            OperatorMail::Setup { link, deadline } => {
                let label = self.text(mail, "mail-operator-setup-button", &[]);
                let blocks = vec![
                    self.block(mail, "mail-operator-setup-intro"),
                    self.block(mail, "mail-operator-setup-how"),
                    Block::Link { url: link.to_string(), label },
                    Block::Strong(self.text(mail, "mail-deadline", &self.deadline(mail, *deadline, now))),
                    self.block(mail, "mail-operator-unexpected"),
                ];
                (self.text(mail, "mail-operator-setup-subject", &[]), blocks)
            }
            OperatorMail::Changed => self.plain(
                mail,
                "mail-operator-changed-subject",
                &["mail-operator-changed-intro", "mail-operator-unexpected"],
            ),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of each.
    pub(crate) fn every_kind() -> [OperatorMail; 2] {
        let link = "https://idp.example.jp/admin/setup/AbC-_123".parse().unwrap();
        [
            OperatorMail::Setup { link, deadline: Timestamp::from_millis(1_795_396_500_000) },
            OperatorMail::Changed,
        ]
    }
}
