//! `[[insurers]]`: each health insurance society that this provider serves.

mod contact;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

pub use self::contact::{Contact, MailOrigin, Office};
use super::Problems;
use crate::texts::{Given, Locale};

/// A health insurance society (保険者).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Insurer {
    /// Portal code: the first part of login IDs, such as `7132`.
    pub code: String,
    /// 保険者番号: 8 digits with a check digit.
    pub number: String,
    /// Name on pages and in mails.
    pub name: String,
    /// Name on English pages; the Japanese one if absent.
    #[serde(default)]
    pub name_en: Option<String>,
    /// Digits of a 記号 after padding with zeros.
    #[serde(default = "three")]
    pub symbol_digits: usize,
    /// Digits of a 番号 after padding with zeros.
    #[serde(default = "six")]
    pub number_digits: usize,
    /// Colour of buttons and of the page's head, `#rrggbb`.
    #[serde(default = "default_colour")]
    pub colour: String,
    /// Picture beside the name: a PNG or SVG file.
    #[serde(default)]
    pub logo: Option<PathBuf>,
    /// Host names besides the issuer's under which members of this society begin.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Whom members call (事務局).
    pub contact: Contact,
    /// Whom its mails come from.
    #[serde(default)]
    pub mail: MailOrigin,
    /// The rules that the society may set itself.
    #[serde(default)]
    pub policy: Policy,
    /// Documents to accept at activation, `privacy` and `terms`; absent ones use the built-in texts.
    #[serde(default)]
    pub documents: BTreeMap<String, Document>,
}

/// A text that members accept, in the society's own wording.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Version; a changed text needs a new one.
    pub version: String,
    /// File of the Japanese text: its first line is the title, blank lines part paragraphs.
    pub ja: PathBuf,
    /// File of the English text.
    pub en: PathBuf,
}

/// What a person without an account must know to begin the activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The birth date, as the temporary password.
    #[default]
    Birthdate,
    /// The birth date and the one-time code that the office handed over.
    BirthdateAndCode,
}

/// Who registers without the temporary password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfRegistering {
    /// 被扶養者
    Dependent,
    /// 任意継続被保険者
    Voluntary,
}

/// Rules with the defaults of the service.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What the first sign-in asks for.
    pub activation: Activation,
    /// Who may register by 資格照会.
    pub self_registration: Vec<SelfRegistering>,
    /// Days in which a one-time activation code works.
    pub activation_code_days: u32,
    /// Days from the roster import in which the temporary password works.
    pub temporary_password_days: u32,
    /// Wrong guesses after which the temporary password is void.
    pub temporary_password_failures: u32,
    /// Whether the kana name must be typed at activation and match the roster.
    pub ask_kana_name: bool,
    /// Wrong names after which the temporary password is void.
    pub kana_name_misses: u32,
    /// Wrong passwords after which a login ID pauses.
    pub login_failures: u32,
    /// Minutes of that pause.
    pub login_pause_minutes: u32,
    /// Youngest age, in years, at which a person may register.
    pub minimum_age: u32,
    /// Days after the end of eligibility in which signing in still works.
    pub grace_days: u32,
    /// Fewest characters of a password.
    pub password_min_length: usize,
    /// Least zxcvbn score of a password, 0 to 4.
    pub password_min_score: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            activation: Activation::Birthdate,
            self_registration: vec![SelfRegistering::Dependent, SelfRegistering::Voluntary],
            activation_code_days: 30,
            temporary_password_days: 90,
            temporary_password_failures: 10,
            ask_kana_name: true,
            kana_name_misses: 5,
            login_failures: 5,
            login_pause_minutes: 30,
            minimum_age: 15,
            grace_days: 0,
            password_min_length: 10,
            password_min_score: 3,
        }
    }
}

impl Default for Insurer {
    fn default() -> Self {
        Self {
            code: String::new(),
            number: String::new(),
            name: String::new(),
            name_en: None,
            symbol_digits: three(),
            number_digits: six(),
            colour: default_colour(),
            logo: None,
            hosts: Vec::new(),
            contact: Contact::default(),
            mail: MailOrigin::default(),
            policy: Policy::default(),
            documents: BTreeMap::new(),
        }
    }
}

impl Insurer {
    /// The name for a reader of `locale`.
    pub fn name_in(&self, locale: Locale) -> Given {
        Given::choose(locale, &self.name, self.name_en.as_deref())
    }

    /// Whether login IDs of the two can look the same without their hyphen.
    pub fn can_be_mistaken_for(&self, other: &Self) -> bool {
        let length = |one: &Self| one.code.len() + one.symbol_digits + one.number_digits;
        let begins = self.code.starts_with(&other.code) || other.code.starts_with(&self.code);
        begins && length(self) == length(other)
    }

    /// Says what is wrong with the section at `key`.
    pub fn validate(&self, key: &str, problems: &mut Problems) {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        problems.require(
            digits(&self.code) && self.code.len() <= 8,
            &format!("{key}.code"),
            "must be 1 to 8 digits",
        );
        problems.require(
            is_insurer_number(&self.number),
            &format!("{key}.number"),
            "must be the 8 digits of the 保険者番号, whose last one is its check digit",
        );
        problems.require(!self.name.trim().is_empty(), &format!("{key}.name"), "must not be empty");
        for (name, count) in [("symbol_digits", self.symbol_digits), ("number_digits", self.number_digits)] {
            problems.require((1..=10).contains(&count), &format!("{key}.{name}"), "must be 1 to 10");
        }
        let colour = self
            .colour
            .strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        problems.require(colour, &format!("{key}.colour"), "must look like #0a6b5d");
        problems.require(
            !self.contact.name.trim().is_empty(),
            &format!("{key}.contact.name"),
            "must name the office that members call",
        );
        let host = |name: &String| {
            let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            name.len() <= 253 && name.split('.').all(|label| !label.is_empty() && label.chars().all(letter))
        };
        problems.require(
            self.hosts.iter().all(host),
            &format!("{key}.hosts"),
            "must be host names in lower case, without scheme, port and path",
        );
        self.mail.validate(&format!("{key}.mail"), problems);
        let policy = &self.policy;
        problems.require(
            (8..=64).contains(&policy.password_min_length),
            &format!("{key}.policy.password_min_length"),
            "must be 8 to 64",
        );
        problems.require(
            policy.password_min_score <= 4,
            &format!("{key}.policy.password_min_score"),
            "must be 0 to 4",
        );
        for (name, count) in [
            ("activation_code_days", policy.activation_code_days),
            ("temporary_password_failures", policy.temporary_password_failures),
            ("kana_name_misses", policy.kana_name_misses),
            ("login_failures", policy.login_failures),
            ("login_pause_minutes", policy.login_pause_minutes),
        ] {
            problems.require(count >= 1, &format!("{key}.policy.{name}"), "must be 1 or more");
        }
        for kind in self.documents.keys() {
            problems.require(
                kind == "privacy" || kind == "terms",
                &format!("{key}.documents.{kind}"),
                "must be privacy or terms",
            );
        }
    }
}

/// Whether the text is a 保険者番号: 8 digits, of which the last one checks the others. They are weighted
/// 2, 1, 2, 1… from the right, and the digits of the products add up with it to a multiple of ten.
pub fn is_insurer_number(text: &str) -> bool {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let weighted = text.bytes().rev().zip([1, 2].into_iter().cycle()).map(|(byte, weight)| {
        let product = (byte - b'0') * weight;
        u32::from(product / 10 + product % 10)
    });
    weighted.sum::<u32>() % 10 == 0
}

const fn three() -> usize {
    3
}

const fn six() -> usize {
    6
}

fn default_colour() -> String {
    "#0a6b5d".to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_digit_is_that_of_real_numbers() {
        for number in ["33120015", "06139497", "01040013"] {
            assert!(is_insurer_number(number), "{number}");
        }
        for number in ["", "0613949", "061394970", "0613949x", "０６１３９４９７", "06139498", "60139497"]
        {
            assert!(!is_insurer_number(number), "{number}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_noticed(body in 0_u32..10_000_000, at in 0_usize..8, other in 1_u8..10) {
            let valid: Vec<String> =
                (0..10).map(|check| format!("{body:07}{check}")).filter(|n| is_insurer_number(n)).collect();
            prop_assert_eq!(valid.len(), 1);
            let mut wrong = valid[0].clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + other) % 10;
            prop_assert!(!is_insurer_number(&String::from_utf8(wrong).unwrap()));
        }
    }
}
