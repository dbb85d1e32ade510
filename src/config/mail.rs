//! `[mail]`: the relay that takes the mails, and whom they come from.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Problems;

/// How mails leave.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// Host name of the SMTP relay.
    pub host: String,
    /// Its port; by default the one that belongs to `security`: 587, 465 or 25.
    pub port: Option<u16>,
    /// How the conversation is protected.
    pub security: Security,
    /// User name at the relay, for AUTH PLAIN or LOGIN.
    pub username: Option<String>,
    /// Password of `username`.
    #[serde(skip_serializing)]
    pub password: Option<SecretString>,
    /// Sender, as `name@domain` or `Name <name@domain>`; without a name the insurer's is shown.
    pub from: Sender,
    /// Where answers go.
    pub reply_to: Option<Sender>,
    /// Name given in EHLO; the machine's host name if absent.
    pub hello_name: Option<String>,
    /// PEM file of the certificates to trust instead of the system's, for a private relay.
    pub ca_file: Option<PathBuf>,
    /// Seconds for each part of the conversation: connecting, and delivering.
    pub timeout_seconds: u64,
    /// Seconds to wait after the first failure; each further wait is twice as long.
    pub retry_first_seconds: u64,
    /// Seconds of the longest wait between two attempts.
    pub retry_longest_seconds: u64,
    /// Hours after which a mail is given up, unless its content expires earlier.
    pub give_up_hours: u64,
}

/// How the conversation with the relay is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Starts in clear and must be upgraded before anything is said (RFC 3207).
    #[default]
    StartTls,
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// None, for a relay on the same machine.
    None,
}

/// A mailbox to write in From or Reply-To: an address and perhaps a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sender {
    /// Display name.
    pub name: Option<String>,
    /// `local@domain`.
    pub address: String,
}

/// The text is no mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like no-reply@example.jp, or like: Example <no-reply@example.jp>")]
pub struct NoMailbox;

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: None,
            security: Security::default(),
            username: None,
            password: None,
            from: Sender::default(),
            reply_to: None,
            hello_name: None,
            ca_file: None,
            timeout_seconds: 20,
            retry_first_seconds: 30,
            retry_longest_seconds: 3_600,
            give_up_hours: 24,
        }
    }
}

impl MailSettings {
    /// Port of the relay.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::None => 25,
        })
    }

    /// Time for each part of the conversation.
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// How long to wait after `failures` failed attempts: doubling from the first to the longest wait.
    pub fn retry_after(&self, failures: u32) -> Duration {
        doubling(self.retry_first_seconds, self.retry_longest_seconds, failures)
    }

    /// Longest life of a mail that is not out.
    pub const fn give_up_after(&self) -> Duration {
        Duration::from_secs(self.give_up_hours.saturating_mul(3_600))
    }

    /// Says what is wrong with the section at `key`.
    pub fn validate(&self, key: &str, problems: &mut Problems) {
        problems.require(!self.host.trim().is_empty(), &format!("{key}.host"), "must name the SMTP relay");
        problems.require(
            self.security != Security::None || is_loopback(&self.host),
            &format!("{key}.security"),
            "may be \"none\" only for a relay on this machine (localhost)",
        );
        problems.require(
            !self.from.address.is_empty(),
            &format!("{key}.from"),
            "must be the address that mails come from",
        );
        problems.require(
            self.username.is_some() == self.password.is_some(),
            &format!("{key}.username"),
            "and password belong together",
        );
        let name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'[' | b']' | b':'))
        };
        problems.require(
            self.hello_name.as_deref().is_none_or(name),
            &format!("{key}.hello_name"),
            "must be a host name",
        );
        for (name, count, most) in [
            ("timeout_seconds", self.timeout_seconds, 300),
            ("retry_first_seconds", self.retry_first_seconds, 3_600),
            ("retry_longest_seconds", self.retry_longest_seconds, 86_400),
            ("give_up_hours", self.give_up_hours, 120),
        ] {
            problems.require(
                (1..=most).contains(&count),
                &format!("{key}.{name}"),
                format_args!("must be 1 to {most}"),
            );
        }
    }
}

/// A wait that doubles with each failure, from `first` to `longest` seconds.
pub(super) fn doubling(first: u64, longest: u64, failures: u32) -> Duration {
    let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    Duration::from_secs(first.saturating_mul(doubled).min(longest))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl FromStr for Sender {
    type Err = NoMailbox;

    fn from_str(text: &str) -> Result<Self, NoMailbox> {
        let (name, address) = match text.strip_suffix('>').map(|named| named.rsplit_once('<')) {
            Some(named) => named.ok_or(NoMailbox)?,
            None => ("", text),
        };
        let name = name.trim().trim_matches('"');
        let address = address.trim();
        let usable = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';');
        let (local, domain) = address.rsplit_once('@').ok_or(NoMailbox)?;
        if local.is_empty()
            || domain.is_empty()
            || !address.chars().all(usable)
            || name.chars().any(char::is_control)
        {
            return Err(NoMailbox);
        }
        Ok(Self { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() })
    }
}

impl TryFrom<String> for Sender {
    type Error = NoMailbox;

    fn try_from(text: String) -> Result<Self, NoMailbox> {
        // Absent in the defaults; validate() asks for it.
        if text.is_empty() { Ok(Self::default()) } else { text.parse() }
    }
}

impl From<Sender> for String {
    fn from(sender: Sender) -> Self {
        sender.to_string()
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(settings: &MailSettings) -> Vec<String> {
        let mut problems = Problems::default();
        settings.validate("mail", &mut problems);
        problems.into_result().err().unwrap_or_default()
    }

    fn sound() -> MailSettings {
        serde_json::from_value(serde_json::json!({
            "host": "mail.example.jp", "from": "KENPOS <no-reply@example.jp>",
            "username": "kenpos", "password": "hidden-password",
        }))
        .unwrap()
    }

    #[test]
    fn a_sound_section_has_no_problem_and_keeps_its_password_to_itself() {
        let settings = sound();
        assert_eq!(problems(&settings), Vec::<String>::new());
        assert_eq!(settings.port(), 587);
        assert!(!format!("{settings:?}").contains("hidden-password"));
        assert!(!serde_json::to_string(&settings).unwrap().contains("hidden-password"));
    }

    #[test]
    fn clear_text_is_for_this_machine_only() {
        for (host, allowed) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("mail.example.jp", false),
            ("localhost.example.jp", false),
            ("10.0.0.1", false),
        ] {
            let settings = MailSettings { host: host.to_owned(), security: Security::None, ..sound() };
            assert_eq!(problems(&settings).is_empty(), allowed, "{host}");
        }
    }

    #[test]
    fn every_problem_is_named_by_its_key() {
        let empty = MailSettings { username: Some("a".to_owned()), timeout_seconds: 0, ..Default::default() };
        let found = problems(&empty).join("\n");
        for key in ["mail.host", "mail.from", "mail.username", "mail.timeout_seconds"] {
            assert!(found.contains(key), "{key} is missing in {found}");
        }
        let hello = MailSettings { hello_name: Some("a\r\nQUIT".to_owned()), ..sound() };
        assert!(problems(&hello)[0].starts_with("mail.hello_name"));
        assert!(serde_json::from_str::<MailSettings>(r#"{"hots": "x"}"#).is_err());
    }

    #[test]
    fn senders_are_read_with_and_without_a_name() {
        let named: Sender = "健康 窓口 <a@example.jp>".parse().unwrap();
        assert_eq!((named.name.as_deref(), named.address.as_str()), (Some("健康 窓口"), "a@example.jp"));
        assert_eq!("a@example.jp".parse::<Sender>().unwrap().name, None);
        for wrong in ["a", "@b", "a@", "x\r\nBcc: b <a@b>", "a@b\r\nBcc: c@d", "a@b>", "<a@b> c"] {
            assert_eq!(wrong.parse::<Sender>(), Err(NoMailbox), "{wrong:?}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let settings = sound();
        let waits: Vec<u64> = [1, 2, 3, 8, 9, 100].map(|n| settings.retry_after(n).as_secs()).to_vec();
        assert_eq!(waits, [30, 60, 120, 3_600, 3_600, 3_600]);
    }
}
