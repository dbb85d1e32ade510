//! Made-up rosters for demonstrations and tests.
//!
//! Names are put together from syllables and belong to nobody; keys, numbers and dates follow from a
//! seed, so the same seed always gives the same roster.

use std::io::{self, Write};

use jiff::{
    SignedDuration,
    civil::{Date, date},
};

use super::{BirthDate, KanaName, roster::Category, roster_csv::HEADER};
use crate::config::Insurer;

const FAMILY: [&str; 12] =
    ["アオ", "ハナ", "ミズ", "ユキ", "ツキ", "ホシ", "カゼ", "クモ", "モリ", "シラ", "タマ", "ウミ"];
const PLACE: [&str; 12] =
    ["ガワ", "ハラ", "ムラ", "サト", "バヤシ", "ミネ", "ザワ", "ノベ", "ハマ", "ミチ", "シマ", "ヅカ"];
const GIVEN: [&str; 10] = ["アキ", "ハル", "ナツ", "フユ", "ソラ", "ヒロ", "トモ", "ミツ", "サト", "リョウ"];
const ENDING: [&str; 8] = ["ト", "コ", "ミ", "ヤ", "カ", "オ", "ノスケ", "エ"];
/// The day that ages are counted from; fixed, so that a roster does not change over night.
const TODAY: Date = date(2026, 1, 1);

/// A person who does not exist.
#[derive(Clone, Debug)]
pub struct SamplePerson {
    /// How the person is insured.
    pub category: Category,
    /// Symbol, padded.
    pub symbol: String,
    /// Number, padded; a dependent has the one of the insured person before.
    pub number: String,
    /// Branch, two digits.
    pub branch: String,
    /// Name.
    pub kana: KanaName,
    /// Day of birth.
    pub birth_date: BirthDate,
    /// First day of eligibility.
    pub valid_from: Date,
    /// Stable key.
    pub person_key: String,
}

/// An endless roster: families of an insured person with up to three dependents, and now and then a
/// voluntarily insured person.
#[derive(Clone, Debug)]
pub struct SamplePeople {
    symbol_digits: usize,
    number_digits: usize,
    random: SplitMix64,
    count: u64,
    household: u64,
    dependents_due: u64,
    head: Option<SamplePerson>,
}

impl SamplePeople {
    /// The people of a seed.
    pub fn new(insurer: &Insurer, seed: u64) -> Self {
        Self {
            symbol_digits: insurer.symbol_digits,
            number_digits: insurer.number_digits,
            random: SplitMix64(seed),
            count: 0,
            household: 0,
            dependents_due: 0,
            head: None,
        }
    }

    fn head_of_household(&mut self) -> SamplePerson {
        self.household += 1;
        self.dependents_due = self.random.below(4);
        let voluntary = self.random.below(10) == 0;
        let (category, symbol, years) =
            if voluntary { (Category::Voluntary, 900, 60) } else { (Category::Insured, 91, 18) };
        let span = if voluntary { 14 } else { 47 };
        let family = format!("{}{}", self.random.pick(&FAMILY), self.random.pick(&PLACE));
        let number = format!("{:0>1$}", 200_000 + self.household, self.number_digits);
        let symbol = format!("{symbol:0>0$}", self.symbol_digits);
        // Short settings keep the last digits, which still count up.
        let symbol = symbol[symbol.len() - self.symbol_digits..].to_owned();
        let number = number[number.len() - self.number_digits..].to_owned();
        self.person(category, (symbol, number, "00".to_owned()), &family, (years, span))
    }

    fn dependent(&mut self, head: &SamplePerson) -> SamplePerson {
        let branch = format!("{:02}", self.dependents_due);
        self.dependents_due -= 1;
        let family = head.kana.as_str().split(' ').next().unwrap_or_default().to_owned();
        self.person(Category::Dependent, (head.symbol.clone(), head.number.clone(), branch), &family, (1, 70))
    }

    fn person(
        &mut self,
        category: Category,
        (symbol, number, branch): (String, String, String),
        family: &str,
        (youngest, span): (u64, u64),
    ) -> SamplePerson {
        self.count += 1;
        let given = format!("{}{}", self.random.pick(&GIVEN), self.random.pick(&ENDING));
        let days_old = 365 * youngest + 10 + self.random.below(365 * span);
        let days_member = 1 + self.random.below(days_old.min(365 * 8));
        SamplePerson {
            category,
            symbol,
            number,
            branch,
            kana: name(family, &given),
            birth_date: days_before(TODAY, days_old).into(),
            valid_from: days_before(TODAY, days_member),
            person_key: format!("S{:08}", self.count),
        }
    }
}

impl Iterator for SamplePeople {
    type Item = SamplePerson;

    fn next(&mut self) -> Option<SamplePerson> {
        let person = match self.head.clone() {
            Some(head) if self.dependents_due > 0 => self.dependent(&head),
            _ => {
                let head = self.head_of_household();
                self.head = Some(head.clone());
                head
            }
        };
        Some(person)
    }
}

/// Writes the roster of `count` people of a seed and gives them back. The columns are those of
/// [`HEADER`].
pub fn write_roster(
    out: impl Write,
    insurer: &Insurer,
    count: usize,
    seed: u64,
) -> io::Result<Vec<SamplePerson>> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(HEADER.split(','))?;
    let people: Vec<SamplePerson> = SamplePeople::new(insurer, seed).take(count).collect();
    for person in &people {
        csv.write_record([
            &insurer.number,
            &person.symbol,
            &person.number,
            &person.branch,
            person.category.japanese(),
            person.kana.as_str(),
            &person.birth_date.iso(),
            &person.valid_from.to_string(),
            "",
            &person.person_key,
            "",
        ])?;
    }
    csv.flush()?;
    Ok(people)
}

fn name(family: &str, given: &str) -> KanaName {
    let text = format!("{family} {given}");
    KanaName::parse(&text).unwrap_or_else(|error| unreachable!("syllables are kana: {error}"))
}

fn days_before(day: Date, days: u64) -> Date {
    let days = i64::try_from(days).unwrap_or(0);
    day.saturating_add(SignedDuration::from_hours(-24 * days))
}

/// `SplitMix64` (Steele, Lea and Flood, 2014): small, and good enough for people who do not exist.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::login_id::tests::{insurer, insurer_with};

    #[test]
    fn a_seed_gives_one_roster_and_another_seed_another() {
        let file = |seed| {
            let mut file = Vec::new();
            write_roster(&mut file, &insurer(), 200, seed).unwrap();
            String::from_utf8(file).unwrap()
        };
        assert_eq!(file(1), file(1));
        assert_ne!(file(1), file(2));
        assert_eq!(file(1).lines().count(), 201);
        assert_eq!(file(1).lines().next(), Some(HEADER));
    }

    #[test]
    fn every_category_is_there_and_ages_are_plausible() {
        let people: Vec<SamplePerson> = SamplePeople::new(&insurer(), 7).take(1_000).collect();
        for category in Category::ALL {
            assert!(people.iter().filter(|person| person.category == category).count() > 20, "{category:?}");
        }
        for person in &people {
            let age = person.birth_date.age_on(TODAY);
            let plausible = match person.category {
                Category::Insured => 18..66,
                Category::Dependent => 0..75,
                Category::Voluntary => 59..75,
            };
            assert!(plausible.contains(&age), "{age} {:?}", person.category);
            assert!(person.birth_date.date() < person.valid_from && person.valid_from < TODAY);
        }
    }

    #[test]
    fn other_digits_are_kept_to() {
        let people = SamplePeople::new(&insurer_with("1", "01040013", 1, 4), 7).take(50);
        for person in people {
            assert_eq!((person.symbol.len(), person.number.len()), (1, 4));
        }
    }
}
