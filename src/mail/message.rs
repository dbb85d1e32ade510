//! What is mailed: a kind of mail, to whom, in which language, from which insurer.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};
use url::Url;

pub use super::account::AccountMail;
use super::address::{NotSendable, sendable};
pub use super::operator::OperatorMail;
pub use super::recovery::RecoveryMail;
use crate::{
    clock::Timestamp,
    config::{
        Insurer,
        insurer::{MailOrigin, Office},
    },
    texts::{Given, Locale},
};

/// A mail to one person.
#[derive(Clone)]
pub struct Mail {
    /// The address as the member typed it.
    pub to: String,
    /// Language of the mail: the one that the member was using.
    pub locale: Locale,
    /// Portal code of the insurer in whose name it goes; none: the service itself.
    pub code: Option<String>,
    /// Name of the insurer, in that language.
    pub insurer: Given,
    /// Whom the reader may call.
    pub contact: Office,
    /// Whom it comes from.
    pub origin: MailOrigin,
    /// What it tells.
    pub kind: MailKind,
}

/// What a mail tells. None carries a 記号・番号, a birth date or a name that was not verified.
#[derive(Clone, PartialEq, Eq)]
pub enum MailKind {
    /// The link that ends a first-time registration.
    ConfirmRegistration {
        /// The page that asks for the password; a secret.
        link: Url,
        /// When the link is void.
        deadline: Timestamp,
    },
    /// Someone began a registration with an address that already belongs to an account.
    AddressInUse,
    /// A first-time registration has ended.
    RegistrationCompleted {
        /// Whether the address is the login ID from now on.
        by_address: bool,
    },
    /// To the address that the insurer knows: a first-time registration began, or ended.
    RegistrationNotice {
        /// Whether it ended.
        ended: bool,
        /// The page for those who know nothing of it; a secret.
        link: Url,
    },
    /// Something happened to an account that there is.
    Account(AccountMail),
    /// For someone who forgot something, or whose registration was reset.
    Recovery(RecoveryMail),
    /// For an operator.
    Operator(OperatorMail),
}

impl Mail {
    /// A mail of an insurer.
    pub fn of(insurer: &Insurer, to: &str, locale: Locale, kind: MailKind) -> Self {
        Self {
            to: to.to_owned(),
            locale,
            code: Some(insurer.code.clone()),
            insurer: insurer.name_in(locale),
            contact: insurer.contact.in_locale(locale),
            origin: insurer.mail.clone(),
            kind,
        }
    }

    /// A mail of the service itself, which no one insurer sends.
    pub fn of_service(to: &str, locale: Locale, kind: MailKind) -> Self {
        let name = Given { text: "KENPOS".to_owned(), lang: Locale::En };
        Self {
            to: to.to_owned(),
            locale,
            code: None,
            insurer: name.clone(),
            contact: Office { name, phone: None, email: None, hours: None },
            origin: MailOrigin::default(),
            kind,
        }
    }
}

impl MailKind {
    /// Name in the outbox and in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConfirmRegistration { .. } => "confirm_registration",
            Self::AddressInUse => "address_in_use",
            Self::RegistrationCompleted { .. } => "registration_completed",
            Self::RegistrationNotice { ended: false, .. } => "registration_began",
            Self::RegistrationNotice { ended: true, .. } => "registration_ended",
            Self::Account(mail) => mail.name(),
            Self::Recovery(mail) => mail.name(),
            Self::Operator(mail) => mail.name(),
        }
    }

    /// When the mail is of no more use.
    pub const fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::ConfirmRegistration { deadline, .. } => Some(*deadline),
            Self::AddressInUse | Self::RegistrationCompleted { .. } | Self::RegistrationNotice { .. } => None,
            Self::Account(mail) => mail.deadline(),
            Self::Recovery(mail) => mail.deadline(),
            Self::Operator(mail) => mail.deadline(),
        }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("kind", &self.kind).field("locale", &self.locale).finish_non_exhaustive()
    }
}

impl fmt::Debug for MailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A mail in its final wording; this is what lies sealed in the outbox.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The address as the member typed it.
    pub to: String,
    /// Name shown as the sender unless the configuration sets one.
    pub from_name: String,
    /// Whom it comes from, beside what `[mail]` says.
    #[serde(default)]
    pub origin: MailOrigin,
    /// Subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter")
    }
}

/// Why a letter cannot become a message.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// See [`NotSendable`].
    #[error(transparent)]
    Recipient(#[from] NotSendable),
    /// The sender of the insurer is no address.
    #[error("insurers[].mail has no address that mail can come from: {0}")]
    Sender(#[from] lettre::address::AddressError),
    /// The parts do not fit together.
    #[error("the message cannot be built: {0}")]
    Message(#[from] lettre::error::Error),
}

/// Whom messages come from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Address of the From field and of the envelope.
    pub from: Address,
    /// Name to show instead of the insurer's.
    pub name: Option<String>,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
}

impl Letter {
    /// The message (RFC 5322) of outbox row `id`: each attempt gives the same octets and the same
    /// Message-ID, so that a mail that was delivered twice can be told to be one.
    pub fn compose(&self, origin: &Origin, id: &str, created: Timestamp) -> Result<Message, ComposeError> {
        let since_epoch = Duration::from_millis(u64::try_from(created.millis()).unwrap_or(0));
        let to = sendable(&self.to)?;
        let (from, name) = match &self.origin.from {
            Some(own) => (own.address.parse()?, own.name.as_deref()),
            None => (origin.from.clone(), origin.name.as_deref()),
        };
        let reply_to = match &self.origin.reply_to {
            Some(own) => Some(Mailbox::new(own.name.clone(), own.address.parse()?)),
            None => origin.reply_to.clone(),
        };
        let mut message = Message::builder()
            .from(Mailbox::new(Some(one_line(name.unwrap_or(&self.from_name))), from.clone()))
            .to(Mailbox::new(None, to.clone()))
            // Said here, or lettre would read it out of the header fields, where quotes get lost.
            .envelope(Envelope::new(Some(from.clone()), vec![to])?)
            .subject(one_line(&self.subject))
            .date(SystemTime::UNIX_EPOCH + since_epoch)
            .message_id(Some(format!("<{id}@{}>", from.domain())))
            // RFC 3834 §5: nobody's holiday notice should answer.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = reply_to {
            message = message.reply_to(reply_to);
        }
        // RFC 2046 §5.1.4: the plainest part first.
        let body = MultiPart::alternative()
            .boundary(format!("part-{id}"))
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(self.html.clone()));
        Ok(message.multipart(body)?)
    }
}

/// Without control characters, so that nothing can begin another header field.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::insurer::Contact;

    fn origin() -> Origin {
        Origin { from: "no-reply@idp.example.jp".parse().unwrap(), name: None, reply_to: None }
    }

    fn letter() -> Letter {
        Letter {
            to: "hanako@example.jp".to_owned(),
            from_name: "みほん健康保険組合".to_owned(),
            origin: MailOrigin::default(),
            subject: "【みほん健康保険組合】初回登録のご確認".to_owned(),
            text: format!("https://idp.example.jp/r/{}\n{}\n", "x".repeat(200), "長い文。".repeat(500)),
            html: "<p>本文</p>".to_owned(),
        }
    }

    fn octets(letter: &Letter, id: &str) -> String {
        let message = letter.compose(&origin(), id, Timestamp::from_millis(1_795_396_500_000)).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn an_insurer_may_write_from_its_own_address() {
        let own = MailOrigin {
            from: Some("a-kenpo@a.example.jp".parse().unwrap()),
            reply_to: Some("Office <office@a.example.jp>".parse().unwrap()),
        };
        let message = Letter { origin: own, ..letter() };
        let message = message.compose(&origin(), "id1", Timestamp::default()).unwrap();
        assert_eq!(message.envelope().from().unwrap().to_string(), "a-kenpo@a.example.jp");
        let octets = String::from_utf8(message.formatted()).unwrap();
        for part in ["<a-kenpo@a.example.jp>", "Reply-To: Office <office@a.example.jp>", "<id1@a.example.jp>"]
        {
            assert!(octets.contains(part), "{part} in {octets}");
        }
        assert!(!octets.contains("idp.example.jp>"), "{octets}");
    }

    fn header_names(octets: &str) -> Vec<&str> {
        let head = octets.split("\r\n\r\n").next().unwrap();
        head.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect()
    }

    #[test]
    fn a_message_passes_relays_of_seven_bits() {
        let octets = octets(&letter(), "id-1");
        assert!(octets.is_ascii());
        // RFC 5322 §2.1.1
        assert!(octets.split("\r\n").all(|line| line.len() <= 998));
        assert!(!octets.replace("\r\n", "").contains(['\r', '\n']));
        for field in [
            "Message-ID: <id-1@idp.example.jp>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Mon, 23 Nov 2026 01:15:00 +0000\r\n",
            "To: hanako@example.jp\r\n",
        ] {
            assert!(octets.contains(field), "{field:?} is missing in\n{octets}");
        }
        assert!(octets.find("text/plain").unwrap() < octets.find("text/html").unwrap());
    }

    #[test]
    fn an_attempt_repeats_the_same_octets() {
        assert_eq!(octets(&letter(), "id-1"), octets(&letter(), "id-1"));
    }

    #[test]
    fn no_value_begins_another_header_field() {
        let usual = octets(&letter(), "id-1");
        let hostile = Letter {
            from_name: "A\r\nBcc: x@example.com".to_owned(),
            subject: "S\r\nX-Evil: 1\n\nbody".to_owned(),
            ..letter()
        };
        let hostile = octets(&hostile, "id-1");
        assert_eq!(header_names(&hostile), header_names(&usual));
        let address = Letter { to: "a@example.jp\r\nBcc: x@example.com".to_owned(), ..letter() };
        assert!(address.compose(&origin(), "id-1", Timestamp::default()).is_err());
    }

    #[test]
    fn any_name_of_an_insurer_can_be_shown() {
        for name in ["", " ", "A, \"B\" <c@d>; (e)", "\\", "a@b", "みほん, 健保\u{0}", "é"] {
            let letter = Letter { from_name: name.to_owned(), ..letter() };
            let octets = octets(&letter, "id-1");
            let from = octets.lines().find(|line| line.starts_with("From: ")).unwrap();
            assert!(octets.contains("no-reply@idp.example.jp"), "{from}");
        }
    }

    #[test]
    fn the_envelope_keeps_a_quoted_address() {
        let letter = Letter { to: "a..b.@docomo.ne.jp".to_owned(), ..letter() };
        let message = letter.compose(&origin(), "id-1", Timestamp::default()).unwrap();
        assert_eq!(message.envelope().to()[0].to_string(), "\"a..b.\"@docomo.ne.jp");
        assert!(String::from_utf8(message.formatted()).unwrap().contains("To: \"a..b.\"@docomo.ne.jp\r\n"));
    }

    #[test]
    fn debug_output_tells_neither_address_nor_link() {
        let mail = Mail {
            to: "hanako@example.jp".to_owned(),
            locale: Locale::Ja,
            code: None,
            insurer: Given::choose(Locale::Ja, "みほん", None),
            contact: Contact::default().in_locale(Locale::Ja),
            origin: MailOrigin::default(),
            kind: MailKind::ConfirmRegistration {
                link: "https://idp.example.jp/r/secret".parse().unwrap(),
                deadline: Timestamp::default(),
            },
        };
        let shown = format!("{mail:?} {:?}", letter());
        assert!(!shown.contains("hanako") && !shown.contains("secret"), "{shown}");
    }
}
