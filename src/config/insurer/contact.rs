//! `[insurers.contact]` and `[insurers.mail]`: how members reach the office, and whom its mails come from.

use serde::{Deserialize, Serialize};

use crate::{
    config::{Problems, mail::Sender},
    texts::{Given, Locale},
};

/// How members reach the society's office (事務局).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of the office.
    pub name: String,
    /// Name on English pages; the Japanese one if absent.
    #[serde(default)]
    pub name_en: Option<String>,
    /// Telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Opening hours.
    #[serde(default)]
    pub hours: Option<String>,
    /// Opening hours on English pages; the Japanese ones if absent.
    #[serde(default)]
    pub hours_en: Option<String>,
}

/// A [`Contact`] for readers of one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Office {
    /// Name of the office.
    pub name: Given,
    /// Telephone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Opening hours.
    pub hours: Option<Given>,
}

impl Contact {
    /// For readers of `locale`.
    pub fn in_locale(&self, locale: Locale) -> Office {
        Office {
            name: Given::choose(locale, &self.name, self.name_en.as_deref()),
            phone: self.phone.clone(),
            email: self.email.clone(),
            hours: self.hours.as_deref().map(|hours| Given::choose(locale, hours, self.hours_en.as_deref())),
        }
    }
}

/// Whom an insurer's mails come from; what is absent is as in `[mail]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailOrigin {
    /// Sender, as `name@domain` or `Name <name@domain>`; without a name the insurer's is shown.
    pub from: Option<Sender>,
    /// Where answers go.
    pub reply_to: Option<Sender>,
}

impl MailOrigin {
    /// Says what is wrong with the section at `key`.
    pub fn validate(&self, key: &str, problems: &mut Problems) {
        for (name, sender) in [("from", &self.from), ("reply_to", &self.reply_to)] {
            let usable = sender.as_ref().is_none_or(|sender| is_plain(&sender.address));
            problems.require(usable, &format!("{key}.{name}"), "must be an address that a relay takes");
        }
    }
}

/// Whether every relay takes the address: a dot-atom (RFC 5322 §3.2.3) at a host name.
fn is_plain(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let atom = |part: &str, more: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    local.split('.').all(|part| atom(part, "!#$%&'*+-/=?^_`{|}~"))
        && domain.split('.').all(|label| atom(label, "-") && !label.starts_with('-') && !label.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_english_is_known_to_be_japanese() {
        let contact = Contact {
            name: "事務局".to_owned(),
            hours: Some("平日 9:00–17:00".to_owned()),
            hours_en: Some("Weekdays 9:00–17:00".to_owned()),
            ..Contact::default()
        };
        let office = contact.in_locale(Locale::En);
        assert_eq!(office.name, Given { text: "事務局".to_owned(), lang: Locale::Ja });
        let hours = Given { text: "Weekdays 9:00–17:00".to_owned(), lang: Locale::En };
        assert_eq!(office.hours, Some(hours));
        assert_eq!(contact.in_locale(Locale::Ja).hours.map(|hours| hours.lang), Some(Locale::Ja));
        let blank = Contact { name_en: Some(" ".to_owned()), ..contact };
        assert_eq!(blank.in_locale(Locale::En).name.text, "事務局");
    }

    #[test]
    fn senders_are_plain_addresses() {
        for good in ["no-reply@example.jp", "a.b+c@mail.example.jp", "x@localhost"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["", "x", "a..b@example.jp", ".a@example.jp", "a@", "a@-x.jp", "a@x..jp", "\"a b\"@x.jp"] {
            assert!(!is_plain(bad), "{bad}");
        }
    }
}
