//! The wording of mails to those who forgot something.

use std::slice::from_ref;

use url::Url;

use super::{Block, Renderer};
use crate::{
    clock::Timestamp,
    mail::{message::Mail, recovery::RecoveryMail},
};

impl Renderer {
    /// Subject and blocks of such a mail.
    pub(super) fn recovery(&self, mail: &Mail, kind: &RecoveryMail, now: Timestamp) -> (String, Vec<Block>) {
        match kind {
            RecoveryMail::LoginId { link, deadline } => {
                self.with_link(mail, "mail-forgot-id", link, *deadline, now)
            }
            RecoveryMail::Password { link, deadline } => {
                self.with_link(mail, "mail-forgot-password", link, *deadline, now)
            }
            RecoveryMail::LoginIdIsAddress => self.plain(
                mail,
                "mail-forgot-id-subject-address",
                &["mail-forgot-id-intro", "mail-forgot-id-address", "mail-forgot-unexpected"],
            ),
            RecoveryMail::PasswordReplaced => self.plain(
                mail,
                "mail-replaced-subject",
                &["mail-replaced-intro", "mail-replaced-signed-out", "mail-replaced-unexpected"],
            ),
            RecoveryMail::RegistrationReset => self.plain(
                mail,
                "mail-reset-subject",
                &["mail-reset-intro", "mail-reset-next", "mail-reset-unexpected"],
            ),
        }
    }

    fn with_link(
        &self,
        mail: &Mail,
        texts: &str,
        link: &Url,
        deadline: Timestamp,
        now: Timestamp,
    ) -> (String, Vec<Block>) {
        let [until, life] = self.deadline(mail, deadline, now);
        let named = |part: &str| format!("{texts}-{part}");
        let subject = self.text(mail, &named("subject"), from_ref(&life));
        let label = self.text(mail, &named("button"), &[]);
        let blocks = vec![
            self.block(mail, &named("intro")),
            self.block(mail, &named("how")),
            Block::Link { url: link.to_string(), label },
            Block::Strong(self.text(mail, "mail-deadline", &[until, life])),
            self.block(mail, "mail-forgot-once"),
            self.block(mail, "mail-forgot-unexpected"),
        ];
        (subject, blocks)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        config::{Insurer, insurer::Contact},
        mail::message::{Letter, MailKind},
        texts::{Locale, Texts},
    };

    /// 2026-11-23T10:15:00+09:00, a Monday.
    const DEADLINE: Timestamp = Timestamp::from_millis(1_795_396_500_000);
    const LINK: &str = "https://idp.example.jp/recovery/password/link/AbC-_123";

    fn render(locale: Locale, kind: RecoveryMail) -> Letter {
        let contact = Contact { name: "事務局".to_owned(), ..Contact::default() };
        let insurer = Insurer { name: "○○健康保険組合".to_owned(), contact, ..Insurer::default() };
        let mail = Mail::of(&insurer, "hanako@example.jp", locale, MailKind::Recovery(kind));
        let renderer = Renderer::new(Arc::new(Texts::load().unwrap())).unwrap();
        renderer.render(&mail, DEADLINE.minus(Duration::from_secs(3_600))).unwrap()
    }

    fn every() -> [RecoveryMail; 5] {
        let link: Url = LINK.parse().unwrap();
        [
            RecoveryMail::Password { link: link.clone(), deadline: DEADLINE },
            RecoveryMail::LoginId { link, deadline: DEADLINE },
            RecoveryMail::LoginIdIsAddress,
            RecoveryMail::PasswordReplaced,
            RecoveryMail::RegistrationReset,
        ]
    }

    #[test]
    fn a_link_stands_alone_on_its_line_with_its_deadline() {
        for kind in every() {
            let has_link = kind.deadline().is_some();
            let letter = render(Locale::Ja, kind);
            assert_eq!(letter.text.lines().any(|line| line == LINK), has_link, "{}", letter.text);
            let deadline = "有効期限:2026年11月23日(月)10時15分まで(60分)";
            assert_eq!(letter.text.contains(deadline), has_link, "{}", letter.text);
            assert_eq!(letter.html.contains(deadline), has_link);
        }
    }

    #[test]
    fn every_kind_is_worded_in_every_language() {
        for locale in Locale::ALL {
            for kind in every() {
                let letter = render(locale, kind);
                let all = [&*letter.subject, &letter.text, &letter.html].concat();
                assert!(!all.contains("mail-") && !all.contains('{'), "{all}");
                assert!(letter.subject.contains("○○健康保険組合"));
            }
        }
    }
}
