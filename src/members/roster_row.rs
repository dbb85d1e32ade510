//! One row of a roster: fields to a person, or the reason why not.

use jiff::civil::Date;

use super::{
    BirthDate, EmailAddress, KanaName,
    birth_date::parse_date,
    insurer_number,
    login_id::{canonical, padded},
    roster_csv::{Column, Fields, MAX_ROW_BYTES},
};
use crate::{
    config::Insurer,
    storage::{roster::Category, roster_staging::StagedPerson},
};

/// Characters of a person key at most.
const MAX_PERSON_KEY: usize = 64;

/// Why a row is refused. It never repeats what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not in the encoding of the file, or garbled.
    Encoding,
    /// More than [`MAX_ROW_BYTES`].
    TooLong,
    /// A quotation mark is not closed.
    Quotes,
    /// Other than the header's number of cells.
    Columns {
        /// Columns of the header.
        expected: usize,
    },
    /// More cells than any header has.
    TooManyCells,
    /// Of another insurer.
    Insurer,
    /// Not digits, or too many.
    Symbol {
        /// Digits of a symbol.
        digits: usize,
    },
    /// Not digits, or too many.
    Number {
        /// Digits of a number.
        digits: usize,
    },
    /// Not one or two digits.
    Branch,
    /// None of the three.
    Category,
    /// Empty or not kana.
    Kana,
    /// No such day, or in a form that is not understood.
    Date(Column),
    /// Born later than today.
    BornLater,
    /// The eligibility ends before it begins.
    Period,
    /// Other characters than a key has.
    PersonKey,
    /// No e-mail address.
    Email,
    /// The person stands in an earlier line.
    Duplicate {
        /// That line.
        earlier: u64,
    },
    /// An insured person of an earlier line has the same symbol and number.
    NumberTaken {
        /// That line.
        earlier: u64,
    },
}

impl Reason {
    /// Name of the text that tells the operator.
    pub const fn text_id(self) -> &'static str {
        match self {
            Self::Encoding => "roster-row-encoding",
            Self::TooLong => "roster-row-too-long",
            Self::Quotes => "roster-row-quotes",
            Self::Columns { .. } => "roster-row-columns",
            Self::TooManyCells => "roster-row-too-many-cells",
            Self::Insurer => "roster-row-insurer",
            Self::Symbol { .. } => "roster-row-symbol",
            Self::Number { .. } => "roster-row-number",
            Self::Branch => "roster-row-branch",
            Self::Category => "roster-row-category",
            Self::Kana => "roster-row-kana",
            Self::Date(_) => "roster-row-date",
            Self::BornLater => "roster-row-born-later",
            Self::Period => "roster-row-period",
            Self::PersonKey => "roster-row-person-key",
            Self::Email => "roster-row-email",
            Self::Duplicate { .. } => "roster-row-duplicate",
            Self::NumberTaken { .. } => "roster-row-number-taken",
        }
    }

    /// Arguments of that text.
    pub fn args(self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLong => vec![("limit", MAX_ROW_BYTES.to_string())],
            Self::Columns { expected } => vec![("expected", expected.to_string())],
            Self::Symbol { digits } | Self::Number { digits } => vec![("digits", digits.to_string())],
            Self::Date(column) => vec![("column", column.label().to_owned())],
            Self::Duplicate { earlier } | Self::NumberTaken { earlier } => {
                vec![("earlier", earlier.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

/// Checks a row of `insurer`'s roster and brings it into canonical form. `today` is the day in Japan.
pub fn read(fields: &Fields, line: u64, insurer: &Insurer, today: Date) -> Result<StagedPerson, Reason> {
    let cell = |column| fields.get(column).unwrap_or_default();
    if let Some(number) = fields.get(Column::InsurerNumber)
        && padded(number, insurer_number::DIGITS).as_deref() != Some(&insurer.number)
    {
        return Err(Reason::Insurer);
    }
    let (digits, number_digits) = (insurer.symbol_digits, insurer.number_digits);
    let symbol = padded(cell(Column::Symbol), digits).ok_or(Reason::Symbol { digits })?;
    let number =
        padded(cell(Column::Number), number_digits).ok_or(Reason::Number { digits: number_digits })?;
    let branch = optional(cell(Column::Branch), |text| padded(text, 2).ok_or(Reason::Branch))?;
    let category = category(cell(Column::Category)).ok_or(Reason::Category)?;
    let kana = KanaName::parse(cell(Column::Kana)).map_err(|_| Reason::Kana)?;
    let born = BirthDate::parse(cell(Column::BirthDate)).map_err(|_| Reason::Date(Column::BirthDate))?;
    if born.date() > today {
        return Err(Reason::BornLater);
    }
    let (valid_from, valid_until) = period(fields)?;
    let person_key = optional(cell(Column::PersonKey), person_key)?;
    let email = optional(cell(Column::Email), |text| EmailAddress::parse(text).map_err(|_| Reason::Email))?;
    Ok(StagedPerson {
        line: i64::try_from(line).unwrap_or(i64::MAX),
        identity: match (&person_key, category, &branch) {
            (Some(key), ..) => format!("key:{key}"),
            (None, Category::Insured, _) => format!("insured:{symbol}-{number}"),
            (None, _, Some(branch)) => format!("{symbol}-{number}-{branch}"),
            (None, _, None) => format!("{symbol}-{number}:{}:{}", born.iso(), kana.folded()),
        },
        person_key,
        category,
        symbol,
        number,
        branch,
        kana: kana.as_str().to_owned(),
        kana_folded: kana.folded().to_owned(),
        birth_date: born.date(),
        valid_from,
        valid_until,
        email: email.map(String::from),
    })
}

/// First and last day of eligibility. 資格喪失日 is the day after the last one, so one on the day of
/// 資格取得日 is right and leaves no day.
fn period(fields: &Fields) -> Result<(Option<Date>, Option<Date>), Reason> {
    let day = |column| {
        let text = fields.get(column).unwrap_or_default();
        optional(text, |text| parse_date(text).map_err(|_| Reason::Date(column)))
    };
    let from = day(Column::ValidFrom)?;
    let last_before_loss = match day(Column::LostOn)? {
        Some(lost_on) => Some(lost_on.yesterday().map_err(|_| Reason::Date(Column::LostOn))?),
        None => None,
    };
    let until = last_before_loss.or(day(Column::ValidUntil)?);
    if let (Some(from), Some(until)) = (from, until)
        && until < from.yesterday().map_err(|_| Reason::Date(Column::ValidFrom))?
    {
        return Err(Reason::Period);
    }
    Ok((from, until))
}

fn optional<T>(text: &str, read: impl FnOnce(&str) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    if canonical(text).is_empty() { Ok(None) } else { read(text).map(Some) }
}

fn category(text: &str) -> Option<Category> {
    let text = canonical(text).to_ascii_lowercase();
    Category::ALL.into_iter().find(|category| text == category.as_str() || text == category.japanese())
}

fn person_key(text: &str) -> Result<String, Reason> {
    let text = canonical(text);
    let fits = text.len() <= MAX_PERSON_KEY
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if fits { Ok(text) } else { Err(Reason::PersonKey) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        members::{login_id::tests::insurer, roster_csv::RosterCsv},
        texts::{Locale, Texts},
    };

    fn read_line(header: &str, line: &str) -> Result<StagedPerson, Reason> {
        let text = format!("{header}\n{line}\n");
        let mut csv = RosterCsv::open(text.as_bytes()).unwrap().unwrap();
        let record = csv.next_record().unwrap().unwrap();
        read(&record.fields?, record.line, &insurer(), date(2026, 7, 1))
    }

    /// Columns after 保険者番号 to メールアドレス as in the documented header.
    fn row(line: &str) -> Result<StagedPerson, Reason> {
        read_line(super::super::roster_csv::HEADER, line)
    }

    #[test]
    fn a_row_is_kept_in_canonical_form() {
        let person = row("６１３９４９７,９１,200001,1,被扶養者,ﾔﾏﾀﾞ ｼｮｳ,平成11年1月21日,2020/4/1,令和8年10月1日,,Ａ@Example.jp").unwrap();
        assert_eq!((person.symbol.as_str(), person.number.as_str()), ("091", "200001"));
        assert_eq!(person.branch.as_deref(), Some("01"));
        assert_eq!((person.kana.as_str(), person.kana_folded.as_str()), ("ヤマダ ショウ", "ヤマダシヨウ"));
        assert_eq!(person.birth_date, date(1999, 1, 21));
        assert_eq!(person.valid_from, Some(date(2020, 4, 1)));
        assert_eq!(person.valid_until, Some(date(2026, 9, 30)), "資格喪失日 is not a day of eligibility");
        assert_eq!(person.email.as_deref(), Some("A@example.jp"));
        assert!(!format!("{person:?}").contains("091"));
    }

    #[test]
    fn the_english_column_names_the_last_day_itself() {
        let header = "symbol,number,category,kana,birth_date,valid_until";
        let person = read_line(header, "91,1,Insured,ヤマ,19990121,2026-09-30").unwrap();
        assert_eq!(person.valid_until, Some(date(2026, 9, 30)));
    }

    #[test]
    fn identity_comes_from_the_key_then_the_number_then_the_person() {
        let identity = |line: &str| row(line).unwrap().identity;
        assert_eq!(identity("06139497,91,1,,insured,ヤマ,19990121,,,K-1,"), "key:K-1");
        assert_eq!(identity("06139497,91,1,00,insured,ヤマ,19990121,,,,"), "insured:091-000001");
        assert_eq!(identity("06139497,91,1,2,dependent,ヤマ,19990121,,,,"), "091-000001-02");
        assert_eq!(
            identity("06139497,91,1,,voluntary,ヤマ シヨウ,19990121,,,,"),
            "091-000001:1999-01-21:ヤマシヨウ"
        );
    }

    #[test]
    fn each_refusal_names_its_rule_in_both_languages() {
        let texts = Texts::load().unwrap();
        for (line, reason) in [
            ("01040013,91,1,,insured,ヤマ,19990121,,,,", Reason::Insurer),
            (",91,1,,insured,ヤマ,19990121,,,,", Reason::Insurer),
            ("06139497,9100,1,,insured,ヤマ,19990121,,,,", Reason::Symbol { digits: 3 }),
            ("06139497,=91,1,,insured,ヤマ,19990121,,,,", Reason::Symbol { digits: 3 }),
            ("06139497,91,,,insured,ヤマ,19990121,,,,", Reason::Number { digits: 6 }),
            ("06139497,91,1,100,insured,ヤマ,19990121,,,,", Reason::Branch),
            ("06139497,91,1,,本人,ヤマ,19990121,,,,", Reason::Category),
            ("06139497,91,1,,insured,山田,19990121,,,,", Reason::Kana),
            ("06139497,91,1,,insured,=ヤマ,19990121,,,,", Reason::Kana),
            ("06139497,91,1,,insured,・ォ,19990121,,,,", Reason::Kana),
            ("06139497,91,1,,insured,ヤ\u{0}マ,19990121,,,,", Reason::Kana),
            ("06139497,91,1,,insured,,19990121,,,,", Reason::Kana),
            ("06139497,91,1,,insured,ヤマ,19990229,,,,", Reason::Date(Column::BirthDate)),
            ("06139497,91,1,,insured,ヤマ,,,,,", Reason::Date(Column::BirthDate)),
            ("06139497,91,1,,insured,ヤマ,20260702,,,,", Reason::BornLater),
            ("06139497,91,1,,insured,ヤマ,19990121,x,,,", Reason::Date(Column::ValidFrom)),
            ("06139497,91,1,,insured,ヤマ,19990121,20260401,20260331,,", Reason::Period),
            ("06139497,91,1,,insured,ヤマ,19990121,,,@SUM(A1),", Reason::PersonKey),
            ("06139497,91,1,,insured,ヤマ,19990121,,,-1,", Reason::PersonKey),
            ("06139497,91,1,,insured,ヤマ,19990121,,,,taro", Reason::Email),
        ] {
            assert_eq!(row(line).map(|person| person.line), Err(reason), "{line}");
            for locale in Locale::ALL {
                let text = texts.text(locale, reason.text_id(), &reason.args());
                assert!(texts.has(locale, reason.text_id()) && !text.contains('{'), "{text}");
            }
        }
        assert!(row("06139497,91,1,,insured,ヤマ,19990121,20260401,20260401,,").is_ok(), "同日得喪");
    }
}
