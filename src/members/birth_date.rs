//! Birth dates, in every form that a document or a keyboard gives them.

use std::fmt;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::login_id::fold_numeric;
use crate::clock::Clock;

/// Bytes of input that are looked at.
const MAX_INPUT_BYTES: usize = 100;

/// A day of birth. It is a first password and identifies a person, so `Debug` hides it and there is
/// no `Display`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BirthDate(Date);

/// Why a date is not one. Nothing in it repeats the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Nothing was typed.
    #[error("the date is empty")]
    Empty,
    /// None of the forms that are understood.
    #[error("the date has another form")]
    Format,
    /// No such day, such as 2月30日.
    #[error("there is no such day")]
    NoSuchDay,
    /// The era (元号) does not have that day, such as 昭和64年2月1日.
    #[error("the era does not have that day")]
    OutsideEra,
}

impl DateError {
    /// Name of the text that tells the person.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Empty => "date-empty",
            Self::Format => "date-format",
            Self::NoSuchDay => "date-no-such-day",
            Self::OutsideEra => "date-outside-era",
        }
    }
}

impl BirthDate {
    /// Reads a day in any form of [`parse_date`].
    pub fn parse(text: &str) -> Result<Self, DateError> {
        parse_date(text).map(Self)
    }

    /// The day.
    pub const fn date(self) -> Date {
        self.0
    }

    /// `1999-01-21`, as it is stored.
    pub fn iso(self) -> String {
        self.0.to_string()
    }

    /// `19990121`, as the temporary password has it.
    pub fn compact(self) -> String {
        format!("{:04}{:02}{:02}", self.0.year(), self.0.month(), self.0.day())
    }

    /// Full years of age on a day; 0 before birth.
    pub fn age_on(self, day: Date) -> u32 {
        let before_birthday = (day.month(), day.day()) < (self.0.month(), self.0.day());
        let years = i32::from(day.year()) - i32::from(self.0.year()) - i32::from(before_birthday);
        u32::try_from(years).unwrap_or(0)
    }

    /// The eras (元号) that have the day, with the year in each; two on the first day of 大正 and 昭和.
    pub fn in_eras(self) -> impl Iterator<Item = (&'static Era, i16)> {
        ERAS.iter()
            .filter(move |era| era.first <= self.0 && self.0 <= era.last)
            .map(move |era| (era, self.0.year() - era.first.year() + 1))
    }
}

impl From<Date> for BirthDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(***)")
    }
}

/// Today in Japan.
pub fn today(clock: &Clock) -> Date {
    clock.now().day_in_japan()
}

/// A Japanese era (元号).
#[derive(Debug)]
pub struct Era {
    /// Name, such as 平成.
    pub name: &'static str,
    /// The name in katakana.
    pub reading: &'static str,
    /// Latin initial, such as `H`.
    pub initial: char,
    first: Date,
    last: Date,
}

/// 大正 and 昭和 began on the very day on which the era before them ended, 平成 and 令和 on the day after.
static ERAS: [Era; 5] = [
    Era {
        name: "明治", reading: "メイジ", initial: 'M', first: date(1868, 10, 23), last: date(1912, 7, 30)
    },
    Era {
        name: "大正",
        reading: "タイショウ",
        initial: 'T',
        first: date(1912, 7, 30),
        last: date(1926, 12, 25),
    },
    Era {
        name: "昭和",
        reading: "ショウワ",
        initial: 'S',
        first: date(1926, 12, 25),
        last: date(1989, 1, 7),
    },
    Era {
        name: "平成", reading: "ヘイセイ", initial: 'H', first: date(1989, 1, 8), last: date(2019, 4, 30)
    },
    Era { name: "令和", reading: "レイワ", initial: 'R', first: date(2019, 5, 1), last: Date::MAX },
];

/// Reads a day: `19990121`, `1999-01-21`, `1999/1/21`, `1999.1.21`, `1999年1月21日`, `平成11年1月21日`,
/// `H11.1.21`, `H110121`, `令和元年5月1日`, in full-width or half-width.
pub fn parse_date(text: &str) -> Result<Date, DateError> {
    if text.len() > MAX_INPUT_BYTES {
        return Err(DateError::Format);
    }
    let text: String = fold_numeric(text).chars().filter(|c| !c.is_whitespace()).collect();
    if text.is_empty() {
        return Err(DateError::Empty);
    }
    let era = ERAS.iter().find_map(|era| Some((era, after_era(era, &text)?)));
    let Some((era, rest)) = era else {
        let (year, month, day) = parts(&text, 4).ok_or(DateError::Format)?;
        return day_of(year.parse().map_err(|_| DateError::Format)?, month, day);
    };
    let (year, month, day) = parts(rest, 2).ok_or(DateError::Format)?;
    let year: i16 = if year == "元" { 1 } else { year.parse().map_err(|_| DateError::Format)? };
    let day = day_of(era.first.year() - 1 + year, month, day)?;
    if year < 1 || day < era.first || era.last < day {
        return Err(DateError::OutsideEra);
    }
    Ok(day)
}

/// What follows the name or the initial of the era.
fn after_era<'a>(era: &Era, text: &'a str) -> Option<&'a str> {
    text.strip_prefix(era.name)
        .or_else(|| text.strip_prefix(era.initial))
        .or_else(|| text.strip_prefix(era.initial.to_ascii_lowercase()))
}

/// Year, month and day, each of digits; a year of `year_digits` at most (exactly that many of a
/// Gregorian year), or 元.
fn parts(text: &str, year_digits: usize) -> Option<(&str, &str, &str)> {
    let compact = text.len() == year_digits + 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month, day) = if compact {
        let (year, rest) = text.split_at(year_digits);
        let (month, day) = rest.split_at(2);
        (year, month, day)
    } else if let Some((year, rest)) = text.split_once('年') {
        let (month, day) = rest.strip_suffix('日')?.split_once('月')?;
        (year, month, day)
    } else {
        let separator = ['-', '/', '.'].into_iter().find(|separator| text.contains(*separator))?;
        let (year, rest) = text.split_once(separator)?;
        let (month, day) = rest.split_once(separator)?;
        (year, month, day)
    };
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let year_fits = match year_digits {
        2 => year == "元" || digits(year, 2),
        _ => year.len() == year_digits && digits(year, year_digits),
    };
    (year_fits && digits(month, 2) && digits(day, 2)).then_some((year, month, day))
}

/// A day since the Meiji restoration; what is older is a slip of the hand.
fn day_of(year: i16, month: &str, day: &str) -> Result<Date, DateError> {
    let (Ok(month), Ok(day)) = (month.parse(), day.parse()) else { return Err(DateError::Format) };
    match Date::new(year, month, day) {
        Ok(date) if date.year() >= 1868 => Ok(date),
        _ => Err(DateError::NoSuchDay),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn iso(text: &str) -> Result<String, DateError> {
        BirthDate::parse(text).map(BirthDate::iso)
    }

    #[test]
    fn every_form_of_a_day_is_understood() {
        for text in [
            "19990121",
            "1999-01-21",
            "1999/1/21",
            "1999.1.21",
            "1999年1月21日",
            "平成11年1月21日",
            "H11.1.21",
            "h11/01/21",
            "H110121",
            "Ｈ１１．１．２１",
            "１９９９年０１月２１日",
            " 1999年 1月 21日 ",
            "1999ー01ー21",
            "㍻11年1月21日",
        ] {
            assert_eq!(iso(text).as_deref(), Ok("1999-01-21"), "{text}");
        }
        assert_eq!(iso("令和元年5月1日").as_deref(), Ok("2019-05-01"));
        assert_eq!(iso("R1.5.1").as_deref(), Ok("2019-05-01"));
        assert_eq!(iso("2000年2月29日").as_deref(), Ok("2000-02-29"));
    }

    #[test]
    fn eras_end_where_they_end() {
        for (text, day) in [
            ("昭和64年1月7日", "1989-01-07"),
            ("平成元年1月8日", "1989-01-08"),
            ("平成31年4月30日", "2019-04-30"),
            ("大正15年12月25日", "1926-12-25"),
            ("昭和元年12月25日", "1926-12-25"),
            ("明治45年7月30日", "1912-07-30"),
            ("大正元年7月30日", "1912-07-30"),
        ] {
            assert_eq!(iso(text).as_deref(), Ok(day), "{text}");
        }
        for text in [
            "昭和64年1月8日",
            "平成元年1月7日",
            "平成31年5月1日",
            "令和元年4月30日",
            "大正15年12月26日",
            "昭和元年12月24日",
            "明治45年7月31日",
            "大正元年7月29日",
            "S64.2.1",
            "平成0年1月1日",
            "明治元年1月1日",
        ] {
            assert_eq!(iso(text), Err(DateError::OutsideEra), "{text}");
        }
    }

    #[test]
    fn other_forms_and_days_that_never_were_are_refused() {
        for text in [
            "990121",
            "1999121",
            "1999-01",
            "99/1/21",
            "1999-01/21",
            "1999年1月21",
            "X11.1.21",
            "平成",
            "H",
            "H11",
            "元年1月1日",
            "1999-01-21T00:00",
            "+1999-1-1",
            "1999-1-021",
            "昭和100年1月1日",
            "=19990121",
        ] {
            assert_eq!(iso(text), Err(DateError::Format), "{text}");
        }
        for text in ["19990229", "1999-13-01", "1999/0/1", "平成11年4月31日", "18671231", "00000000"] {
            assert_eq!(iso(text), Err(DateError::NoSuchDay), "{text}");
        }
        assert_eq!(iso(" "), Err(DateError::Empty));
        assert_eq!(iso(&"1".repeat(1000)), Err(DateError::Format));
    }

    #[test]
    fn ages_change_on_the_birthday() {
        let born = BirthDate::parse("20080229").unwrap();
        assert_eq!(born.age_on(date(2023, 2, 28)), 14);
        assert_eq!(born.age_on(date(2023, 3, 1)), 15);
        assert_eq!(born.age_on(date(2024, 2, 29)), 16);
        assert_eq!(born.age_on(date(2000, 1, 1)), 0);
    }

    #[test]
    fn today_is_the_day_in_japan() {
        let clock = Clock::manual(crate::clock::Timestamp::from_millis(1_767_193_200_000));
        assert_eq!(today(&clock), date(2026, 1, 1));
    }

    #[test]
    fn debug_hides_the_day() {
        assert_eq!(format!("{:?}", BirthDate::parse("19990121").unwrap()), "BirthDate(***)");
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in any::<String>(), near in "[MTSHR昭和平成元年月日0-9./-]{1,12}") {
            let _ = parse_date(&text);
            let _ = parse_date(&near);
        }

        #[test]
        fn every_day_reads_back_from_all_its_forms(year in 1869_i16..2100, month in 1_i8..=12, day in 1_i8..=28) {
            let born = BirthDate::from(date(year, month, day));
            prop_assert_eq!(BirthDate::parse(&born.iso()), Ok(born));
            prop_assert_eq!(BirthDate::parse(&born.compact()), Ok(born));
            for (era, year) in born.in_eras().filter(|(_, year)| *year < 100) {
                let (name, initial) = (era.name, era.initial);
                prop_assert_eq!(BirthDate::parse(&format!("{name}{year}年{month}月{day}日")), Ok(born));
                prop_assert_eq!(BirthDate::parse(&format!("{initial}{year:02}{month:02}{day:02}")), Ok(born));
            }
        }
    }
}
