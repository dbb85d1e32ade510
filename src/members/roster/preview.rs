//! What an import would do, for who decides about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counts, Refusal};
use crate::{
    members::{Members, roster_csv::FileError},
    storage::{
        StorageError, Tx,
        roster_import::{Ended, Import},
        roster_undo::{self, Newcomer, Touched},
    },
};

/// Purpose of the sealed preview.
const PURPOSE: &str = "roster-preview";
/// Persons of a kind that are shown.
const SAMPLES: i64 = 5;
/// Refused rows that are shown; the file to download has more.
pub const SHOWN_REFUSALS: usize = 50;

/// What the check of a file found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Preview {
    /// What would happen to persons.
    pub counts: Counts,
    /// Rows, blank ones not counted.
    pub rows: u64,
    /// Right rows without 個人キー.
    #[serde(default)]
    pub without_key: u64,
    /// Refused rows.
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<Listed>,
    /// Persons who are eligible by the roster before.
    pub eligible: u64,
    /// Some who would be new.
    pub added: Vec<Sample>,
    /// Some who would change.
    pub changed: Vec<Change>,
    /// Some who would lose their eligibility.
    pub lost: Vec<Sample>,
}

/// A person in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Symbol and number.
    pub number: String,
    /// Name.
    pub kana: String,
    /// Category, as in names of texts.
    pub category: String,
}

/// A person and what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The person as before.
    pub person: Sample,
    /// Names of what changes, before and after; empty when it is something that is not shown.
    pub fields: Vec<(String, String, String)>,
}

/// A text with its arguments, and the line that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Line of the file; 0: the file as a whole.
    pub line: u64,
    /// Name of the text.
    pub text: String,
    /// Its arguments.
    pub args: BTreeMap<String, String>,
}

impl Listed {
    fn new(line: u64, text: &str, args: Vec<(&'static str, String)>) -> Self {
        let args = args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { line, text: text.to_owned(), args }
    }
}

impl From<Refusal> for Listed {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.line, refusal.reason.text_id(), refusal.reason.args())
    }
}

impl From<FileError> for Listed {
    fn from(error: FileError) -> Self {
        Self::new(0, error.text_id(), error.args())
    }
}

impl Preview {
    /// More than one in ten would lose the eligibility: more likely a mistake of the file.
    pub const fn is_big_loss(&self) -> bool {
        self.counts.lost * 10 > self.eligible
    }

    /// With persons to show, from inside the transaction that will be rolled back.
    pub(super) async fn with_samples(
        mut self,
        tx: &mut Tx,
        import: &Import<'_>,
        ended: Ended,
    ) -> Result<Self, StorageError> {
        let new = roster_undo::newcomers(tx, (import.id, import.insurer), SAMPLES).await?;
        self.added = new.into_iter().map(Sample::from).collect();
        let changed = roster_undo::touched(tx, (import.id, ended), false, SAMPLES).await?;
        self.changed = changed.into_iter().map(Change::from).collect();
        let lost = roster_undo::touched(tx, (import.id, ended), true, SAMPLES).await?;
        self.lost = lost.iter().map(Sample::from).collect();
        Ok(self)
    }

    pub(super) fn seal(&self, members: &Members, import_id: &str) -> String {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        members.master.seal(PURPOSE, import_id, &plain, &members.entropy)
    }

    pub(super) fn open(members: &Members, import_id: &str, sealed: &str) -> Option<Self> {
        serde_json::from_slice(&members.master.open(PURPOSE, import_id, sealed).ok()?).ok()
    }
}

impl From<Newcomer> for Sample {
    fn from(new: Newcomer) -> Self {
        Self { number: format!("{}-{}", new.symbol, new.number), kana: new.kana, category: new.category }
    }
}

impl From<&Touched> for Sample {
    fn from(touched: &Touched) -> Self {
        Self {
            number: format!("{}-{}", touched.symbol, touched.number),
            kana: touched.kana.clone(),
            category: touched.category.clone(),
        }
    }
}

impl From<Touched> for Change {
    fn from(touched: Touched) -> Self {
        let person = Sample::from(&touched);
        let day = |day: Option<String>| day.unwrap_or_default();
        let pairs = [
            ("number", person.number.clone(), format!("{}-{}", touched.new_symbol, touched.new_number)),
            ("kana", touched.kana, touched.new_kana),
            ("category", touched.category, touched.new_category),
            ("birth_date", touched.birth_date, touched.new_birth_date),
            ("valid_until", day(touched.valid_until), day(touched.new_valid_until)),
            ("lost", if touched.was_lost { "yes" } else { "" }.to_owned(), String::new()),
        ];
        let fields = pairs
            .into_iter()
            .filter(|(_, before, after)| before != after)
            .map(|(name, before, after)| (name.to_owned(), before, after))
            .collect();
        Self { person, fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_ten_is_a_big_loss() {
        let preview = |lost, eligible| Preview {
            counts: Counts { lost, ..Counts::default() },
            eligible,
            ..Preview::default()
        };
        assert!(preview(11, 100).is_big_loss() && preview(1, 1).is_big_loss());
        assert!(!preview(10, 100).is_big_loss() && !preview(0, 0).is_big_loss());
    }
}
