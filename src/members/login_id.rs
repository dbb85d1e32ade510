//! Login IDs: `{insurer code}-{symbol}{number}` of an insured person, or an e-mail address.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::EmailAddress;
use crate::config::Insurer;

/// Bytes of input that are looked at; an e-mail address typed in full-width letters fits.
const MAX_INPUT_BYTES: usize = 1024;

/// Login ID of an insured person (一般被保険者), such as `7132-091200001`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LoginId {
    insurer: String,
    symbol: String,
    number: String,
}

/// What somebody typed into the login ID box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// An insured person's login ID.
    Number(LoginId),
    /// The e-mail address by which dependents and voluntarily insured persons sign in.
    Email(EmailAddress),
}

impl Typed {
    /// The one form under which attempts are counted: the case of an address makes no other login ID.
    pub fn key(&self) -> String {
        match self {
            Self::Number(id) => id.to_string(),
            Self::Email(email) => email.key(),
        }
    }
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(id) => id.fmt(f),
            Self::Email(email) => f.write_str(email.as_str()),
        }
    }
}

/// Why a login ID is not one. Nothing in it repeats the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginIdError {
    /// Nothing was typed.
    #[error("the login ID is empty")]
    Empty,
    /// Longer than any login ID.
    #[error("the login ID is too long")]
    TooLong,
    /// Not digits, or not one hyphen after the insurer code.
    #[error("the login ID has another form")]
    Format,
    /// No insurer of this provider has that code.
    #[error("the login ID names an unknown insurer")]
    UnknownInsurer,
    /// Without its hyphen the ID could belong to several insurers.
    #[error("the login ID needs its hyphen")]
    Ambiguous,
    /// Symbol and number are not padded to their full digits.
    #[error("a symbol has {symbol} digits and a number {number}")]
    Digits {
        /// Digits of a symbol (記号) of this insurer.
        symbol: usize,
        /// Digits of a number (番号) of this insurer.
        number: usize,
    },
    /// It has an `@` but is no e-mail address.
    #[error("the login ID is not a usable e-mail address")]
    Email,
}

impl LoginIdError {
    /// Name of the text that tells the person.
    pub const fn text_id(&self) -> &'static str {
        match self {
            Self::Empty => "login-id-empty",
            Self::TooLong => "login-id-too-long",
            Self::Format => "login-id-format",
            Self::UnknownInsurer => "login-id-unknown-insurer",
            Self::Ambiguous => "login-id-ambiguous",
            Self::Digits { .. } => "login-id-digits",
            Self::Email => "login-id-email",
        }
    }

    /// Arguments of that text.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        let Self::Digits { symbol, number } = self else { return Vec::new() };
        let digits = if *symbol > 1 { *symbol } else { *number };
        let short = if digits > 2 { "91" } else { "1" };
        vec![
            ("symbol", symbol.to_string()),
            ("number", number.to_string()),
            ("short", short.to_owned()),
            ("padded", format!("{short:0>digits$}")),
        ]
    }
}

impl LoginId {
    /// The login ID of a symbol and a number as they stand on a document: both are padded with zeros.
    pub fn from_parts(insurer: &Insurer, symbol: &str, number: &str) -> Result<Self, LoginIdError> {
        let digits = || LoginIdError::Digits { symbol: insurer.symbol_digits, number: insurer.number_digits };
        Ok(Self {
            insurer: insurer.code.clone(),
            symbol: padded(symbol, insurer.symbol_digits).ok_or_else(digits)?,
            number: padded(number, insurer.number_digits).ok_or_else(digits)?,
        })
    }

    /// Whether a symbol and a number, each by itself, can stand on a document of the insurer.
    pub fn fit(insurer: &Insurer, symbol: &str, number: &str) -> [bool; 2] {
        [padded(symbol, insurer.symbol_digits).is_some(), padded(number, insurer.number_digits).is_some()]
    }

    /// Portal code of the insurer.
    pub fn insurer(&self) -> &str {
        &self.insurer
    }

    /// Symbol (記号), padded.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Number (番号), padded.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Symbol and number from their digits in a row, which must be complete: `914567` could be
    /// 91/4567 as well as 914/567.
    fn split(insurer: &Insurer, digits: &str) -> Result<Self, LoginIdError> {
        let (symbol, number) = (insurer.symbol_digits, insurer.number_digits);
        match digits.split_at_checked(symbol) {
            Some((first, rest)) if rest.len() == number => {
                Ok(Self { insurer: insurer.code.clone(), symbol: first.to_owned(), number: rest.to_owned() })
            }
            _ => Err(LoginIdError::Digits { symbol, number }),
        }
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}{}", self.insurer, self.symbol, self.number)
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-***", self.insurer)
    }
}

/// Reads what was typed into a login ID box: an e-mail address if it has an `@`, otherwise the
/// login ID of an insured person, in full-width or half-width and with any hyphen or none.
pub fn parse(text: &str, insurers: &[Insurer]) -> Result<Typed, LoginIdError> {
    if text.len() > MAX_INPUT_BYTES {
        return Err(LoginIdError::TooLong);
    }
    let text = canonical(text);
    if text.is_empty() {
        return Err(LoginIdError::Empty);
    }
    if text.contains('@') {
        return Ok(Typed::Email(EmailAddress::parse(&text).map_err(|_| LoginIdError::Email)?));
    }
    let text = fold_numeric(&text);
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return Err(LoginIdError::Format);
    }
    match text.split_once('-') {
        Some((code, rest)) if !code.is_empty() && !rest.is_empty() && !rest.contains('-') => {
            let insurer =
                insurers.iter().find(|insurer| insurer.code == code).ok_or(LoginIdError::UnknownInsurer)?;
            LoginId::split(insurer, rest).map(Typed::Number)
        }
        Some(_) => Err(LoginIdError::Format),
        None => without_hyphen(&text, insurers).map(Typed::Number),
    }
}

fn without_hyphen(digits: &str, insurers: &[Insurer]) -> Result<LoginId, LoginIdError> {
    let mut found = None;
    let mut error = LoginIdError::UnknownInsurer;
    for insurer in insurers {
        let Some(rest) = digits.strip_prefix(&insurer.code) else { continue };
        match LoginId::split(insurer, rest) {
            Ok(_) if found.is_some() => return Err(LoginIdError::Ambiguous),
            Ok(login_id) => found = Some(login_id),
            Err(incomplete) => error = incomplete,
        }
    }
    found.ok_or(error)
}

/// The one spelling of what a person typed: no invisible characters, no outer spaces, NFKC.
pub fn canonical(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).nfkc().collect();
    visible.trim().to_owned()
}

/// [`canonical`] for fields of digits: every stroke that looks like a hyphen becomes one.
pub fn fold_numeric(text: &str) -> String {
    canonical(text).chars().map(|c| if is_hyphen(c) { '-' } else { c }).collect()
}

/// The digits of `text` padded with zeros to `digits`; none if there are none, too many, or other
/// characters.
pub fn padded(text: &str, digits: usize) -> Option<String> {
    if text.len() > MAX_INPUT_BYTES {
        return None;
    }
    let text = canonical(text);
    let fits = !text.is_empty() && text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| format!("{text:0>digits$}"))
}

/// What NFKC leaves as it is although a keyboard offers it where a hyphen is meant.
const fn is_hyphen(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff70}' | '\u{2500}')
}

/// Zero-width characters and marks of direction, which copying from documents brings along.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::insurer::Contact,
        texts::{Locale, Texts},
    };

    /// The insurer of the member guide.
    pub(crate) fn insurer() -> Insurer {
        insurer_with("7132", "06139497", 3, 6)
    }

    pub(crate) fn insurer_with(
        code: &str,
        number: &str,
        symbol_digits: usize,
        number_digits: usize,
    ) -> Insurer {
        Insurer {
            code: code.to_owned(),
            number: number.to_owned(),
            name: "見本健康保険組合".to_owned(),
            symbol_digits,
            number_digits,
            contact: Contact { name: "事務局".to_owned(), ..Contact::default() },
            ..Insurer::default()
        }
    }

    fn number(text: &str) -> Result<String, LoginIdError> {
        parse(text, &[insurer()]).map(|typed| match typed {
            Typed::Number(login_id) => login_id.to_string(),
            Typed::Email(_) => panic!("an e-mail address"),
        })
    }

    #[test]
    fn every_width_and_hyphen_is_understood_and_shown_back_in_one_form() {
        for typed in [
            "7132-091200001",
            "７１３２－０９１２００００１",
            "7132ー091200001",
            "7132ｰ091200001",
            "7132091200001",
            "\u{3000}7132‐0912\u{200b}00001\u{feff} ",
            "7132−091200001",
            "7132─091200001",
        ] {
            assert_eq!(number(typed).as_deref(), Ok("7132-091200001"), "{typed}");
        }
    }

    #[test]
    fn what_is_not_padded_is_never_split() {
        let digits = LoginIdError::Digits { symbol: 3, number: 6 };
        for typed in ["7132-91200001", "7132-914567", "713291200001", "7132-0912000010"] {
            assert_eq!(number(typed), Err(digits.clone()), "{typed}");
        }
        let texts = Texts::load().unwrap();
        assert_eq!(
            texts.text(Locale::Ja, digits.text_id(), &digits.args()),
            "記号は3桁、番号は6桁です。桁数に満たない場合は前に0を付けてください(例:91→091)"
        );
    }

    #[test]
    fn other_forms_are_refused_each_with_its_reason() {
        for (typed, error) in [
            ("", LoginIdError::Empty),
            (" \u{3000}\u{200b}", LoginIdError::Empty),
            ("7132-091-200001", LoginIdError::Format),
            ("-091200001", LoginIdError::Format),
            ("7132-", LoginIdError::Format),
            ("7132-09120000a", LoginIdError::Format),
            ("7132 091200001", LoginIdError::Format),
            ("9999-091200001", LoginIdError::UnknownInsurer),
            ("9999091200001", LoginIdError::UnknownInsurer),
            ("a@@example.jp", LoginIdError::Email),
        ] {
            assert_eq!(number(typed), Err(error), "{typed}");
        }
        assert_eq!(number(&"7".repeat(2000)), Err(LoginIdError::TooLong));
    }

    #[test]
    fn an_address_is_an_email_login() {
        let typed = parse("ｔａｒｏ＠Example.JP", &[insurer()]).unwrap();
        assert_eq!(typed, Typed::Email(EmailAddress::parse("taro@example.jp").unwrap()));
    }

    #[test]
    fn without_a_hyphen_the_insurer_must_be_certain() {
        let both = [insurer_with("71", "06139497", 5, 6), insurer()];
        assert_eq!(parse("7132091200001", &both), Err(LoginIdError::Ambiguous));
        let typed = parse("7132-091200001", &both);
        assert!(matches!(typed, Ok(Typed::Number(login_id)) if login_id.insurer() == "7132"));
    }

    #[test]
    fn the_two_boxes_pad() {
        let login_id = LoginId::from_parts(&insurer(), "９１", " 200001").unwrap();
        assert_eq!(login_id.to_string(), "7132-091200001");
        assert_eq!(LoginId::from_parts(&insurer(), "123", "4567").unwrap().to_string(), "7132-123004567");
        assert!(LoginId::from_parts(&insurer(), "1234", "1").is_err());
        assert!(LoginId::from_parts(&insurer(), "", "1").is_err());
        assert!(LoginId::from_parts(&insurer(), "-1", "1").is_err());
        assert_eq!(LoginId::fit(&insurer(), "９１", "1"), [true, true]);
        assert_eq!(LoginId::fit(&insurer(), "1234", "1"), [false, true]);
        assert_eq!(LoginId::fit(&insurer(), "91", "ABC"), [true, false]);
    }

    #[test]
    fn debug_hides_symbol_and_number() {
        let login_id = LoginId::from_parts(&insurer(), "91", "200001").unwrap();
        assert_eq!(format!("{login_id:?}"), "7132-***");
    }

    proptest! {
        #[test]
        fn canonicalisation_is_idempotent(text in any::<String>()) {
            let once = fold_numeric(&text);
            prop_assert_eq!(fold_numeric(&once), once.clone());
            let once = canonical(&text);
            prop_assert_eq!(canonical(&once), once.clone());
        }

        #[test]
        fn arbitrary_text_never_panics_and_never_yields_another_form(text in any::<String>()) {
            if let Ok(Typed::Number(login_id)) = parse(&text, &[insurer()]) {
                prop_assert_eq!(login_id.to_string().len(), 14);
            }
        }

        #[test]
        fn any_variant_of_a_valid_id_is_that_id(
            symbol in "[0-9]{1,3}", number in "[0-9]{1,6}", wide in any::<u16>(),
            hyphen in prop::sample::select(vec!["", "-", "‐", "‑", "–", "—", "―", "−", "ー", "ｰ", "─", "－"]),
            space in prop::sample::select(vec!["", " ", "\u{3000}", "\u{200b}"]),
        ) {
            let id = LoginId::from_parts(&insurer(), &symbol, &number).unwrap();
            let shown = id.to_string();
            prop_assert_eq!(parse(&shown, &[insurer()]), Ok(Typed::Number(id.clone())));
            let widened: String = shown.chars().enumerate().map(|(at, c)| match c {
                '-' => hyphen.to_owned(),
                digit if wide >> at & 1 == 1 => {
                    char::from_u32(u32::from(digit) - u32::from('0') + 0xff10).unwrap().to_string()
                }
                digit => digit.to_string(),
            }).collect();
            prop_assert_eq!(parse(&format!("{space}{widened}{space}"), &[insurer()]), Ok(Typed::Number(id)));
        }
    }
}
