//! What members say about themselves if they like: nickname, gender, telephone number, address.

use unicode_normalization::UnicodeNormalization as _;

use crate::{
    audit::{self, Event},
    fault::Fault,
    members::{Members, login_id::fold_numeric, registration::FieldError},
    storage::{
        member::Member,
        member_change,
        profile::{self, Profile},
    },
};

/// Values of `gender` (OIDC Core §5.1 names the first two and allows more).
pub const GENDERS: [&str; 3] = ["female", "male", "other"];

/// Longest nickname and longest part of an address, in characters.
const LONGEST: (usize, usize) = (40, 100);

/// What was typed; empty means absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    /// Nickname.
    pub nickname: &'a str,
    /// One of [`GENDERS`].
    pub gender: &'a str,
    /// Telephone number, Japanese or international.
    pub phone: &'a str,
    /// Postal code.
    pub postal_code: &'a str,
    /// Prefecture.
    pub region: &'a str,
    /// City.
    pub locality: &'a str,
    /// The rest of the address.
    pub street_address: &'a str,
}

/// Reads what was typed, or says what is wrong with each field.
pub fn read(typed: &Typed<'_>) -> Result<Profile, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut take = |field, read: Result<Option<String>, &'static str>| {
        read.unwrap_or_else(|text| {
            errors.push(FieldError { field, text, args: Vec::new() });
            None
        })
    };
    let profile = Profile {
        nickname: take("nickname", line(typed.nickname, LONGEST.0)),
        gender: take("gender", gender(typed.gender)),
        phone: take("phone", phone(typed.phone)),
        postal_code: take("postal_code", postal_code(typed.postal_code)),
        region: take("region", line(typed.region, LONGEST.1)),
        locality: take("locality", line(typed.locality, LONGEST.1)),
        street_address: take("street_address", line(typed.street_address, LONGEST.1)),
    };
    if errors.is_empty() { Ok(profile) } else { Err(errors) }
}

fn line(typed: &str, longest: usize) -> Result<Option<String>, &'static str> {
    let text: String = typed.trim().nfc().collect();
    if text.chars().count() > longest || text.chars().any(misleads) {
        return Err("account-more-error-line");
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Whether a character breaks the line or turns the direction of reading (Unicode TR 36 §3): apps show these texts
/// beside their own. What joins the parts of an emoji may stay.
fn misleads(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

fn gender(typed: &str) -> Result<Option<String>, &'static str> {
    match typed {
        "" => Ok(None),
        known if GENDERS.contains(&known) => Ok(Some(known.to_owned())),
        _ => Err("account-more-error-gender"),
    }
}

/// E.164; a number that begins with 0 is Japanese.
fn phone(typed: &str) -> Result<Option<String>, &'static str> {
    let folded = fold_numeric(typed);
    let folded = folded.trim();
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let plain = folded.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')' | '.'));
    let international = folded.starts_with('+');
    let sound = plain && folded.matches('+').count() == usize::from(international);
    match digits.as_str() {
        "" if folded.is_empty() => Ok(None),
        digits if sound && international && (8..=15).contains(&digits.len()) && !digits.starts_with('0') => {
            Ok(Some(format!("+{digits}")))
        }
        digits if sound && !international && matches!(digits.len(), 10 | 11) => {
            let rest = digits.strip_prefix('0').filter(|rest| !rest.starts_with('0'));
            rest.map(|rest| Some(format!("+81{rest}"))).ok_or("account-more-error-phone")
        }
        _ => Err("account-more-error-phone"),
    }
}

fn postal_code(typed: &str) -> Result<Option<String>, &'static str> {
    let folded = fold_numeric(typed);
    let digits = folded.trim().trim_start_matches('〒').trim().replace('-', "");
    match digits.len() {
        0 => Ok(None),
        7 if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Some(format!("{}-{}", &digits[..3], &digits[3..])))
        }
        _ => Err("account-more-error-postal-code"),
    }
}

impl Members {
    /// What the member said.
    pub async fn profile(&self, member: &Member) -> Result<Profile, Fault> {
        Ok(profile::find(&self.db, &member.id).await?)
    }

    /// Stores what the member says now. The audit tells that it changed, not what it is.
    pub async fn save_profile(&self, member: &Member, said: &Profile) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if profile::find(&mut tx, &member.id).await? != *said
            && member_change::touch(&mut tx, &member.id, now).await?
        {
            profile::save(&mut tx, &member.id, said, now).await?;
            let event = Event::member("member.profile_changed", member);
            audit::record(&mut tx, &self.entropy, now, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn telephone_numbers_become_international_ones() {
        for (typed, read) in [
            ("03-1234-5678", "+81312345678"),
            ("０９０ー１２３４ー５６７８", "+819012345678"),
            ("(03) 1234.5678", "+81312345678"),
            ("+81 3-1234-5678", "+81312345678"),
            ("+1 (212) 555-0100", "+12125550100"),
        ] {
            assert_eq!(phone(typed), Ok(Some(read.to_owned())), "{typed}");
        }
        assert_eq!(phone("  "), Ok(None));
        for typed in ["1234", "312345678", "0012345678", "+0312345678", "03-1234-567x", "++81312345678", "+"]
        {
            assert!(phone(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn postal_codes_have_seven_digits() {
        for typed in ["1234567", "123-4567", "１２３－４５６７", "〒123-4567"] {
            assert_eq!(postal_code(typed), Ok(Some("123-4567".to_owned())), "{typed}");
        }
        assert_eq!(postal_code(""), Ok(None));
        for typed in ["123456", "12345678", "123-456x"] {
            assert!(postal_code(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let long = "あ".repeat(101);
        let typed = Typed {
            nickname: &long,
            gender: "x",
            phone: "x",
            postal_code: "x",
            region: "a\u{7}",
            locality: &long,
            street_address: &long,
        };
        let named: Vec<_> = read(&typed).unwrap_err().into_iter().map(|error| error.field).collect();
        let all = ["nickname", "gender", "phone", "postal_code", "region", "locality", "street_address"];
        assert_eq!(named, all);
        assert_eq!(read(&Typed::default()), Ok(Profile::default()));
        let turned =
            Typed { nickname: "\u{202e}さくら", locality: "千代\u{2028}田区", ..Typed::default() };
        assert_eq!(read(&turned).unwrap_err().len(), 2);
        assert!(read(&Typed { nickname: "👩\u{200d}💻", ..Typed::default() }).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let typed = Typed { nickname: &text, phone: &text, postal_code: &text, ..Typed::default() };
            let _ = read(&typed);
        }
    }
}
