//! From a [`Mail`] to its wording: texts from Fluent, laid out by two templates.
//!
//! A mail is a list of blocks. Both the plain text and the HTML are made of that one list, so the two
//! never say different things.

mod account;
mod operator;
mod recovery;

use std::{fmt, slice::from_ref, sync::Arc};

use minijinja::{Environment, UndefinedBehavior, Value, context, value::Serde};

use super::message::{Letter, Mail, MailKind};
use crate::{clock::Timestamp, texts::Texts};

/// A mail cannot be worded: a template is wrong.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template does not parse, or misses a value.
    #[error("a mail template is wrong: {0}")]
    Template(#[from] minijinja::Error),
}

/// Words mails.
pub struct Renderer {
    texts: Arc<Texts>,
    templates: Environment<'static>,
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

/// A part of a mail's body.
enum Block {
    Text(String),
    Strong(String),
    Link { url: String, label: String },
}

impl From<Block> for Value {
    fn from(block: Block) -> Self {
        match block {
            Block::Text(text) => context! { kind => "text", text },
            Block::Strong(text) => context! { kind => "strong", text },
            Block::Link { url, label } => context! { kind => "link", url, label },
        }
    }
}

impl Renderer {
    /// Reads the templates that are compiled in.
    pub fn new(texts: Arc<Texts>) -> Result<Self, RenderError> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // The extension decides: .html is escaped, .txt is not.
        templates.add_template("mail.html", include_str!("../../templates/mail/mail.html"))?;
        templates.add_template("mail.txt", include_str!("../../templates/mail/mail.txt"))?;
        Ok(Self { texts, templates })
    }

    /// The wording of a mail that is sent at `now`.
    pub fn render(&self, mail: &Mail, now: Timestamp) -> Result<Letter, RenderError> {
        let (subject, blocks) = match &mail.kind {
            MailKind::ConfirmRegistration { link, deadline } => {
                let [until, life] = self.deadline(mail, *deadline, now);
                let subject = self.text(mail, "mail-confirm-subject", from_ref(&life));
                let url = link.to_string();
                let blocks = vec![
                    self.block(mail, "mail-confirm-intro"),
                    Block::Strong(self.text(mail, "mail-confirm-unfinished", &[])),
                    self.block(mail, "mail-confirm-how"),
                    Block::Link { url, label: self.text(mail, "mail-confirm-button", &[]) },
                    Block::Strong(self.text(mail, "mail-deadline", &[until, life])),
                    self.block(mail, "mail-confirm-expiry"),
                    self.block(mail, "mail-unexpected"),
                ];
                (subject, blocks)
            }
            MailKind::AddressInUse => {
                let parts =
                    ["mail-in-use-intro", "mail-in-use-own", "mail-in-use-other", "mail-in-use-unexpected"];
                self.plain(mail, "mail-in-use-subject", &parts)
            }
            MailKind::RegistrationCompleted { by_address } => {
                let next = if *by_address { "mail-completed-next-address" } else { "mail-completed-next" };
                let parts = ["mail-completed-intro", next, "mail-completed-unexpected"];
                self.plain(mail, "mail-completed-subject", &parts)
            }
            MailKind::RegistrationNotice { ended, link } => {
                let name = if *ended { "mail-registration-ended" } else { "mail-registration-began" };
                let label = self.text(mail, "mail-registration-not-mine", &[]);
                let blocks = vec![
                    self.block(mail, &format!("{name}-intro")),
                    self.block(mail, "mail-registration-mine"),
                    Block::Strong(self.text(mail, &format!("{name}-unexpected"), &[])),
                    Block::Link { url: link.to_string(), label },
                ];
                (self.text(mail, &format!("{name}-subject"), &[]), blocks)
            }
            MailKind::Account(kind) => self.account(mail, kind, now),
            MailKind::Recovery(kind) => self.recovery(mail, kind, now),
            MailKind::Operator(kind) => self.operator(mail, kind, now),
        };
        let values = context! {
            lang => mail.locale.tag(),
            subject => &subject,
            blocks => blocks.into_iter().map(Value::from).collect::<Vec<_>>(),
            insurer => Serde(&mail.insurer),
            contact => Serde(&mail.contact),
            phone_label => self.text(mail, "mail-phone", &[]),
            hours_label => self.text(mail, "mail-hours", &[]),
            automatic => self.text(mail, "mail-automatic", &[]),
        };
        Ok(Letter {
            to: mail.to.clone(),
            from_name: mail.insurer.text.clone(),
            origin: mail.origin.clone(),
            text: self.templates.get_template("mail.txt")?.render(values.clone())?,
            html: self.templates.get_template("mail.html")?.render(values.clone())?,
            subject,
        })
    }

    /// Until when a link works, and how long that is.
    fn deadline(&self, mail: &Mail, deadline: Timestamp, now: Timestamp) -> [(&'static str, String); 2] {
        let life = self.texts.lifetime(mail.locale, deadline.since(now));
        [("deadline", self.texts.date_time(mail.locale, deadline)), ("life", life)]
    }

    fn plain(&self, mail: &Mail, subject: &str, parts: &[&str]) -> (String, Vec<Block>) {
        (self.text(mail, subject, &[]), parts.iter().map(|id| self.block(mail, id)).collect())
    }

    fn block(&self, mail: &Mail, id: &str) -> Block {
        Block::Text(self.text(mail, id, &[]))
    }

    fn text(&self, mail: &Mail, id: &str, args: &[(&str, String)]) -> String {
        let insurer = [("insurer", mail.insurer.text.clone())];
        self.texts.text(mail.locale, id, &[&insurer, args].concat())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        config::{Insurer, insurer::Contact},
        mail::{account::AccountMail, operator::OperatorMail},
        texts::Locale,
    };

    /// 2026-11-23T10:15:00+09:00, a Monday.
    const DEADLINE: Timestamp = Timestamp::from_millis(1_795_396_500_000);
    const LINK: &str = "https://idp.example.jp/registration/AbC-_123";

    fn mail(locale: Locale, kind: MailKind) -> Mail {
        let contact = Contact {
            name: "事務局".to_owned(),
            phone: Some("03-0000-0000".to_owned()),
            hours: Some("平日9時〜17時".to_owned()),
            ..Contact::default()
        };
        let insurer = Insurer { name: "○○健康保険組合".to_owned(), contact, ..Insurer::default() };
        Mail::of(&insurer, "hanako@example.jp", locale, kind)
    }

    fn confirm() -> MailKind {
        MailKind::ConfirmRegistration { link: LINK.parse().unwrap(), deadline: DEADLINE }
    }

    fn render(mail: &Mail) -> Letter {
        let renderer = Renderer::new(Arc::new(Texts::load().unwrap())).unwrap();
        renderer.render(mail, DEADLINE.minus(Duration::from_secs(86_400))).unwrap()
    }

    #[test]
    fn the_confirmation_says_what_it_must() {
        let letter = render(&mail(Locale::Ja, confirm()));
        assert_eq!(letter.subject, "【○○健康保険組合】初回登録のご確認(24時間以内にお手続きください)");
        for wording in [
            "有効期限:2026年11月23日(月)10時15分まで(24時間)",
            "まだ登録は完了していません",
            "お心当たりのない場合は破棄してください",
            "事務局",
            "03-0000-0000",
            "平日9時〜17時",
        ] {
            assert!(letter.text.contains(wording), "{wording} is missing in\n{}", letter.text);
            assert!(letter.html.contains(wording), "{wording} is missing in\n{}", letter.html);
        }
        assert!(letter.text.lines().any(|line| line == LINK), "{}", letter.text);
    }

    #[test]
    fn the_confirmation_says_it_in_english() {
        let letter = render(&mail(Locale::En, confirm()));
        assert!(letter.subject.contains("within 24 hours"), "{}", letter.subject);
        for wording in [
            "Valid until: Monday, 23 November 2026, 10:15 Japan time (24 hours)",
            "Your registration is not complete yet",
            "please discard it",
        ] {
            assert!(letter.text.contains(wording), "{wording} is missing in\n{}", letter.text);
        }
        assert!(letter.text.lines().any(|line| line == LINK), "{}", letter.text);
    }

    #[test]
    fn the_subject_and_the_deadline_name_one_lifetime() {
        let renderer = Renderer::new(Arc::new(Texts::load().unwrap())).unwrap();
        let link = || LINK.parse().unwrap();
        for (hours, life, kind) in [
            (1, "60 minutes", AccountMail::ConfirmEmail { link: link(), deadline: DEADLINE }),
            (24, "24 hours", AccountMail::CorrectEmail { link: link(), deadline: DEADLINE }),
        ] {
            let sent = DEADLINE.minus(Duration::from_secs(hours * 3_600));
            let letter = renderer.render(&mail(Locale::En, MailKind::Account(kind)), sent).unwrap();
            assert!(letter.subject.contains(&format!("within {life}")), "{}", letter.subject);
            assert!(letter.text.contains(&format!("({life})")), "{}", letter.text);
        }
    }

    #[test]
    fn the_deadline_is_the_calendar_of_tokyo() {
        // 2027-01-01T00:05+09:00 is still 2026 in UTC.
        let deadline = Timestamp::from_millis(1_798_729_500_000);
        let kind = MailKind::ConfirmRegistration { link: LINK.parse().unwrap(), deadline };
        let renderer = Renderer::new(Arc::new(Texts::load().unwrap())).unwrap();
        let sent = deadline.minus(Duration::from_secs(59 * 60));
        let letter = renderer.render(&mail(Locale::Ja, kind), sent).unwrap();
        assert!(letter.text.contains("2027年1月1日(金)0時05分まで(59分)"), "{}", letter.text);
    }

    #[test]
    fn every_kind_is_worded_in_every_language_and_loads_nothing() {
        for locale in Locale::ALL {
            let others = account::tests::every_kind().map(MailKind::Account);
            let completed = [true, false].map(|by_address| MailKind::RegistrationCompleted { by_address });
            let notices = [true, false]
                .map(|ended| MailKind::RegistrationNotice { ended, link: LINK.parse().unwrap() });
            let operators = operator::tests::every_kind().map(MailKind::Operator);
            let usual = [confirm(), MailKind::AddressInUse];
            let usual = usual.into_iter().chain(completed).chain(notices);
            for kind in usual.chain(others).chain(operators) {
                let has_link = matches!(
                    kind,
                    MailKind::ConfirmRegistration { .. }
                        | MailKind::RegistrationNotice { .. }
                        | MailKind::Account(
                            AccountMail::ConfirmEmail { .. } | AccountMail::CorrectEmail { .. }
                        )
                        | MailKind::Operator(OperatorMail::Setup { .. })
                );
                let to_office = kind.name().starts_with("office_");
                let letter = render(&mail(locale, kind));
                let all = [&*letter.subject, &letter.text, &letter.html].concat();
                assert!(!all.contains("mail-") && !all.contains('{'), "{all}");
                assert_eq!(letter.text.contains("http"), has_link, "{}", letter.text);
                for tag in ["<img", "<script", "<link", "url("] {
                    assert!(!letter.html.contains(tag), "{tag} in {}", letter.html);
                }
                assert_eq!(letter.subject.contains("○○健康保険組合"), !to_office);
            }
        }
    }

    #[test]
    fn what_has_no_english_is_marked_as_japanese() {
        let letter = render(&mail(Locale::En, MailKind::AddressInUse));
        for given in ["○○健康保険組合", "事務局", "平日9時〜17時"] {
            assert!(letter.html.contains(&format!("<span lang=\"ja\">{given}</span>")), "{}", letter.html);
        }
    }

    #[test]
    fn values_are_escaped_in_html() {
        let mut hostile = mail(Locale::Ja, MailKind::AddressInUse);
        hostile.insurer.text = "<b>\"A&B\"".to_owned();
        hostile.contact.name.text = "<script>".to_owned();
        let letter = render(&hostile);
        assert!(!letter.html.contains("<b>") && !letter.html.contains("<script>"), "{}", letter.html);
        assert!(letter.text.contains("<b>\"A&B\""), "{}", letter.text);
    }
}
