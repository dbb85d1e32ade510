//! 保険者番号 as people type it.

use super::login_id::{fold_numeric, padded};
use crate::config::insurer::is_insurer_number;

/// Digits of a 保険者番号.
pub const DIGITS: usize = 8;

/// Why a 保険者番号 is not one. Nothing in it repeats the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsurerNumberError {
    /// Nothing was typed.
    #[error("the insurer number is empty")]
    Empty,
    /// Not 8 digits.
    #[error("the insurer number has other than 8 digits")]
    Digits,
    /// The check digit says that a digit is wrong.
    #[error("the check digit of the insurer number does not fit")]
    CheckDigit,
}

impl InsurerNumberError {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Empty => "insurer-number-empty",
            Self::Digits => "insurer-number-digits",
            Self::CheckDigit => "insurer-number-check-digit",
        }
    }
}

/// The 8 digits of a 保険者番号 in any width. Spaces and hyphens between them do not matter, nor does a
/// leading zero that a spreadsheet dropped.
pub fn parse(text: &str) -> Result<String, InsurerNumberError> {
    // Whatever is longer than this is not looked at any further.
    if text.len() > 1024 {
        return Err(InsurerNumberError::Digits);
    }
    let typed: String = fold_numeric(text).chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if typed.is_empty() {
        return Err(InsurerNumberError::Empty);
    }
    let number = padded(&typed, DIGITS).filter(|_| typed.len() >= DIGITS - 1);
    let number = number.ok_or(InsurerNumberError::Digits)?;
    if is_insurer_number(&number) { Ok(number) } else { Err(InsurerNumberError::CheckDigit) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_width_and_grouping_is_understood() {
        for typed in [
            "06139497",
            "０６１３９４９７",
            " 0613 9497\u{200b}",
            "0613-9497",
            "０６１３ー９４９７",
            "6139497",
        ] {
            assert_eq!(parse(typed).as_deref(), Ok("06139497"), "{typed}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (typed, error) in [
            ("", InsurerNumberError::Empty),
            (" \u{3000}-", InsurerNumberError::Empty),
            ("139497", InsurerNumberError::Digits),
            ("061394970", InsurerNumberError::Digits),
            ("0613949七", InsurerNumberError::Digits),
            ("' or 1=1 --", InsurerNumberError::Digits),
            ("06139498", InsurerNumberError::CheckDigit),
            ("60139497", InsurerNumberError::CheckDigit),
        ] {
            assert_eq!(parse(typed), Err(error), "{typed}");
        }
        assert_eq!(parse(&"0".repeat(1_000_000)), Err(InsurerNumberError::Digits));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_yields_eight_digits(text in any::<String>(), near in "[0-9０-９ -]{0,12}") {
            for text in [text, near] {
                if let Ok(number) = parse(&text) {
                    prop_assert!(is_insurer_number(&number));
                    prop_assert_eq!(parse(&number), Ok(number.clone()));
                }
            }
        }
    }
}
