//! The code that a person carries from a device to the page `/device` (RFC 8628 §6.1).

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::clock::Entropy;

/// Digits of a code. Digits are the same in every language and on every keyboard, and 10⁹ codes are enough
/// where only members who are signed in may guess, a few times each.
const DIGITS: usize = 9;

/// A user code; it is shown in groups of three, `123-456-789`.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A random one.
    pub fn random(entropy: &Entropy) -> Self {
        // The remainder favours no code by more than 1 in 2³⁴.
        let number = u64::from_be_bytes(entropy.bytes()) % 10_u64.pow(9);
        Self(format!("{number:0DIGITS$}"))
    }

    /// What a person typed: digits of any width, with anything between them that is neither digit nor letter.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 200 {
            return None;
        }
        let mut digits = String::with_capacity(DIGITS);
        for c in typed.nfkc() {
            match c {
                '0'..='9' => digits.push(c),
                // The long vowel mark, which Japanese keyboards give for a hyphen, counts as a letter.
                'ー' => {}
                c if c.is_alphanumeric() => return None,
                _ => {}
            }
        }
        (digits.len() == DIGITS).then_some(Self(digits))
    }

    /// The digits alone, which name its record.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", &self.0[..3], &self.0[3..6], &self.0[6..])
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in [
            "123-456-789",
            "123456789",
            "１２３－４５６－７８９",
            " 123 456 789 ",
            "123ー456ー789",
            "123・456.789",
        ] {
            assert_eq!(UserCode::parse(typed).unwrap().to_string(), "123-456-789", "{typed}");
        }
        for typed in ["", "12345678", "1234567890", "123-456-78O", "一二三四五六七八九", &"1".repeat(300)]
        {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
        assert_eq!(UserCode::parse("000-000-001").unwrap().digits(), "000000001");
    }

    #[test]
    fn a_random_code_reads_back_and_is_not_in_debug_output() {
        let entropy = Entropy::system();
        let code = UserCode::random(&entropy);
        assert_eq!(UserCode::parse(&code.to_string()), Some(code.clone()));
        assert!(!format!("{code:?}").contains(code.digits()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_written_the_same(typed in ".{0,40}") {
            if let Some(code) = UserCode::parse(&typed) {
                prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code));
            }
        }
    }
}
