//! E-mail addresses: addresses of login, of notices and of mailed links.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::login_id::canonical;

/// Characters of an address at most (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_LENGTH: usize = 254;
/// Characters before the `@` at most (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_LENGTH: usize = 64;

/// An address that mail can be sent to. Two addresses are equal when only their case differs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why an address is not one. Nothing in it repeats the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailAddressError {
    /// Nothing was typed.
    #[error("the e-mail address is empty")]
    Empty,
    /// Longer than mail servers accept.
    #[error("the e-mail address is too long")]
    TooLong,
    /// Not one name, one `@` and one domain.
    #[error("the e-mail address has another form")]
    Format,
}

impl EmailAddressError {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Empty => "email-empty",
            Self::TooLong => "email-too-long",
            Self::Format => "email-format",
        }
    }
}

impl EmailAddress {
    /// Reads an address of any width. Dots may stand anywhere before the `@`, as in old addresses
    /// of mobile carriers (`a..b.@docomo.ne.jp`).
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        // Full-width letters have three bytes each.
        if text.len() > MAX_LENGTH * 4 {
            return Err(EmailAddressError::TooLong);
        }
        let text = canonical(text);
        if text.is_empty() {
            return Err(EmailAddressError::Empty);
        }
        let (local, domain) = text.split_once('@').ok_or(EmailAddressError::Format)?;
        let domain = ascii_domain(domain).ok_or(EmailAddressError::Format)?;
        if !is_local_part(local) || !is_domain(&domain) {
            return Err(EmailAddressError::Format);
        }
        let address = Self { text: format!("{local}@{domain}"), at: local.len() };
        if address.text.len() > MAX_LENGTH || local.len() > MAX_LOCAL_LENGTH {
            return Err(EmailAddressError::TooLong);
        }
        Ok(address)
    }

    /// The address that mail goes to: the name in its own case, the domain in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The address in lower case: what is unique within an insurer.
    pub fn key(&self) -> String {
        self.text.to_ascii_lowercase()
    }

    /// The address for a screen that must not tell it: `t***@example.jp`.
    pub fn masked(&self) -> String {
        let first = self.text.chars().next().unwrap_or('*');
        format!("{first}***@{}", self.domain())
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for EmailAddress {}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(***)")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.text
    }
}

/// The domain in lower case; a Japanese one as its `xn--` labels (RFC 5891).
fn ascii_domain(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_ascii_lowercase());
    }
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => Some(ascii),
        _ => None,
    }
}

/// `atext` of RFC 5322 §3.2.3 and dots in any place; no quoted names.
fn is_local_part(local: &str) -> bool {
    !local.is_empty()
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
}

/// Host name labels of RFC 1123 §2.1, two or more, the last one not a number.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.split('.').all(label)
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, top)| top.len() >= 2 && !top.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, EmailAddressError> {
        EmailAddress::parse(text).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn addresses_are_read_in_any_width_and_the_domain_in_lower_case() {
        for (typed, kept) in [
            ("Taro@Example.JP", "Taro@example.jp"),
            ("\u{3000}ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ ", "taro@example.jp"),
            ("a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"),
            (".a-b+c@ezweb.ne.jp", ".a-b+c@ezweb.ne.jp"),
            ("taro@日本語.jp", "taro@xn--wgv71a119e.jp"),
        ] {
            assert_eq!(read(typed).as_deref(), Ok(kept), "{typed}");
        }
    }

    #[test]
    fn case_does_not_make_another_address() {
        let address = EmailAddress::parse("Taro@Example.JP").unwrap();
        assert_eq!(address, EmailAddress::parse("tARO@example.jp").unwrap());
        assert_eq!(address.key(), "taro@example.jp");
        assert_ne!(address, EmailAddress::parse("taro@example.com").unwrap());
    }

    #[test]
    fn other_forms_are_refused() {
        for typed in [
            "taro",
            "@example.jp",
            "taro@",
            "a@b@example.jp",
            "taro@localhost",
            "taro@example..jp",
            "taro@-a.jp",
            "taro@a_b.jp",
            "taro@127.0.0.1",
            "taro@[127.0.0.1]",
            "ta ro@example.jp",
            "taro\r\nBcc: x@example.jp",
            "taro\u{0}@example.jp",
            "\"a b\"@example.jp",
            "<taro@example.jp>",
            "太郎@example.jp",
            "taro@example.jp.",
            "a,b@example.jp",
        ] {
            assert_eq!(read(typed), Err(EmailAddressError::Format), "{typed}");
        }
        assert_eq!(read(" "), Err(EmailAddressError::Empty));
        assert_eq!(read(&format!("{}@example.jp", "a".repeat(65))), Err(EmailAddressError::TooLong));
        assert_eq!(read(&"a".repeat(5000)), Err(EmailAddressError::TooLong));
    }

    #[test]
    fn masks_hide_the_name() {
        let address = EmailAddress::parse("taro@example.jp").unwrap();
        assert_eq!(address.masked(), "t***@example.jp");
        assert!(!format!("{address:?}").contains("example"));
    }

    proptest! {
        #[test]
        fn what_is_kept_reads_back_as_the_same(text in any::<String>(), local in "[a-zA-Z.!+-]{1,20}") {
            for text in [text.clone(), format!("{local}@Example.jp"), format!("{text}@example.jp")] {
                if let Ok(address) = EmailAddress::parse(&text) {
                    let again = EmailAddress::parse(address.as_str()).unwrap();
                    prop_assert_eq!(again.as_str(), address.as_str());
                    prop_assert!(address.as_str().is_ascii());
                }
            }
        }
    }
}
