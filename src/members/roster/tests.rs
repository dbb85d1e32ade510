use std::time::Duration;

use super::*;
use crate::{
    clock::Timestamp,
    members::{login_id::tests::insurer, roster_csv::HEADER, sample},
    storage::{
        db::{execute, query_scalar},
        roster,
    },
};

const SHORT: &str = "symbol,number,branch,category,kana,birth_date,valid_until,person_key";
const NOW: Timestamp = Timestamp::from_millis(1_782_864_000_000); // 2026-07-01 in Japan

struct Office {
    db: Db,
    clock: Clock,
    entropy: Entropy,
    insurer: Insurer,
}

impl Office {
    async fn open() -> Self {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        Self { db, clock: Clock::manual(NOW), entropy: Entropy::system(), insurer: insurer() }
    }

    fn import(&self, complete: bool) -> RosterImport<'_> {
        RosterImport {
            db: &self.db,
            clock: &self.clock,
            entropy: &self.entropy,
            insurer: &self.insurer,
            file_name: "roster.csv",
            actor: "operator:test",
            complete,
            preview: false,
        }
    }

    async fn rows(&self, complete: bool, rows: &str) -> Report {
        let file = format!("{SHORT}\n{rows}");
        self.import(complete).run(file.as_bytes(), |_, _| {}).await.unwrap()
    }

    async fn insured(&self, number: &str) -> Option<Person> {
        roster::find_insured(&self.db, "7132", "091", number).await.unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        query_scalar!(&self.db, fetch_one, sql).unwrap()
    }

    /// The whole roster as text, to see whether anything changed.
    async fn snapshot(&self) -> Vec<String> {
        query_scalar!(
            &self.db,
            fetch_all,
            "select id || identity || kana || birth_date || coalesce(valid_until, '-')
                    || coalesce(cast(lost_at as text), '-') || temporary_since || updated_at
             from roster_person order by id"
        )
        .unwrap()
    }

    async fn add_member(&self, person: &Person, state: &str) {
        execute!(
            &self.db,
            "insert into member (id, insurer, person_id, state, locale, created_at, updated_at)
             values ($1, '7132', $2, $3, 'ja', 0, 0)",
            format!("member of {}", person.id),
            &person.id,
            state
        )
        .unwrap();
    }

    async fn sessions_valid_from(&self, person: &Person) -> i64 {
        let sql = "select sessions_valid_from from member where person_id = $1";
        query_scalar!(&self.db, fetch_one, sql, &person.id).unwrap()
    }
}

fn counts(added: u64, changed: u64, unchanged: u64, lost: u64) -> Counts {
    Counts { added, changed, unchanged, lost }
}

const ONE: &str = "91,1,,insured,ヤマ アキ,19990121,,\n";
const TWO: &str = "91,2,,insured,カワ ハル,19800303,,\n";
const CHILD: &str = "91,2,1,dependent,カワ ソラ,20150505,,\n";

#[tokio::test]
async fn good_rows_are_applied_and_bad_ones_reported_by_line() {
    let office = Office::open().await;
    let report = office
        .rows(false, &format!("{ONE}91,x,,insured,ヤマ,19990121,,\n\n{TWO}91,3,,insured,山,19990121,,\n"))
        .await;
    assert_eq!(report.outcome, Outcome::Applied);
    assert_eq!((report.counts, report.rows, report.refused), (counts(2, 0, 0, 0), 4, 2));
    assert_eq!(
        report.refusals,
        [
            Refusal { line: 3, reason: Reason::Number { digits: 6 } },
            Refusal { line: 6, reason: Reason::Kana },
        ]
    );
    let person = office.insured("000001").await.unwrap();
    assert_eq!((person.kana.as_str(), person.birth_date.iso().as_str()), ("ヤマ アキ", "1999-01-21"));
    assert_eq!(person.temporary_since, NOW);
    assert_eq!(office.count("select count(*) from roster_staging").await, 0);
    assert_eq!(
        office.count("select count(*) from roster_import where state = 'applied' and refused = 2").await,
        1
    );
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let office = Office::open().await;
    let all = [ONE, TWO, CHILD].concat();
    assert_eq!(office.rows(true, &all).await.counts, counts(3, 0, 0, 0));
    let before = office.snapshot().await;
    office.clock.advance(Duration::from_secs(3600));
    assert_eq!(office.rows(true, &all).await.counts, counts(0, 0, 3, 0));
    assert_eq!(office.snapshot().await, before);
}

#[tokio::test]
async fn a_changed_row_keeps_its_person_and_its_temporary_password() {
    let office = Office::open().await;
    office.rows(false, ONE).await;
    let before = office.insured("000001").await.unwrap();
    roster::note_temporary_failure(&office.db, &before.id, 1, NOW).await.unwrap();
    office.clock.advance(Duration::from_secs(3600));
    let report = office.rows(false, "91,1,,insured,ヤマ アキ,19990122,20270331,\n").await;
    assert_eq!(report.counts, counts(0, 1, 0, 0));
    let after = office.insured("000001").await.unwrap();
    assert_eq!((&after.id, after.temporary_since), (&before.id, NOW));
    assert_eq!(after.temporary_void_at, Some(NOW));
    assert_eq!(after.birth_date.iso(), "1999-01-22");
}

#[tokio::test]
async fn only_a_full_roster_ends_eligibility_and_at_once() {
    let office = Office::open().await;
    office.rows(true, &[ONE, TWO].concat()).await;
    let (one, two) = (office.insured("000001").await.unwrap(), office.insured("000002").await.unwrap());
    office.add_member(&one, "active").await;
    office.add_member(&two, "active").await;
    office.clock.advance(Duration::from_secs(86_400));
    let later = office.clock.now();

    assert_eq!(office.rows(false, TWO).await.counts, counts(0, 0, 1, 0));
    assert!(office.insured("000001").await.unwrap().lost_at.is_none());

    assert_eq!(office.rows(true, TWO).await.counts, counts(0, 0, 1, 1));
    let lost = office.insured("000001").await.unwrap();
    assert_eq!(lost.lost_at, Some(later));
    assert!(!lost.eligible_on(later.day_in_japan(), 0));
    assert!(lost.eligible_on(later.day_in_japan(), 1));
    assert_eq!(office.sessions_valid_from(&one).await, later.millis());
    assert_eq!(office.sessions_valid_from(&two).await, 0);
    // Again: it stays lost, and no second time.
    office.clock.advance(Duration::from_secs(86_400));
    assert_eq!(office.rows(true, TWO).await.counts, counts(0, 0, 1, 0));
    assert_eq!(office.sessions_valid_from(&one).await, later.millis());
}

#[tokio::test]
async fn who_returns_is_eligible_again_and_gets_a_new_first_password_unless_a_member() {
    let office = Office::open().await;
    office.rows(true, &[ONE, TWO, CHILD].concat()).await;
    office.add_member(&office.insured("000002").await.unwrap(), "active").await;
    office.rows(true, CHILD).await;
    office.clock.advance(Duration::from_secs(86_400));
    assert_eq!(office.rows(true, &[ONE, TWO, CHILD].concat()).await.counts, counts(0, 2, 1, 0));
    let (one, two) = (office.insured("000001").await.unwrap(), office.insured("000002").await.unwrap());
    assert!(one.lost_at.is_none() && two.lost_at.is_none());
    assert_eq!(one.temporary_since, office.clock.now());
    assert_eq!(two.temporary_since, NOW);
}

#[tokio::test]
async fn a_last_day_in_the_past_signs_out_at_once() {
    let office = Office::open().await;
    office.rows(false, ONE).await;
    let person = office.insured("000001").await.unwrap();
    office.add_member(&person, "active").await;
    office.rows(false, "91,1,,insured,ヤマ アキ,19990121,2026-07-01,\n").await;
    assert_eq!(office.sessions_valid_from(&person).await, 0, "today is the last day");
    office.rows(false, "91,1,,insured,ヤマ アキ,19990121,2026-06-30,\n").await;
    assert_eq!(office.sessions_valid_from(&person).await, NOW.millis());
}

#[tokio::test]
async fn whoever_the_file_makes_ineligible_is_counted_as_lost() {
    let mut office = Office::open().await;
    office.insurer.policy.grace_days = 3;
    let row = |number: u32, until: &str| format!("91,{number},,insured,ヤマ アキ,19990121,{until},\n");
    office.rows(true, &[row(1, ""), row(2, ""), row(3, ""), row(4, "2026-06-01")].concat()).await;
    // The days of grace of one are over, those of the next are not, and one leaves who had left before.
    let file = [row(1, "2026-06-27"), row(2, "2026-06-28"), row(5, "2026-06-01")].concat();
    assert_eq!(office.rows(false, &file).await.counts, counts(1, 1, 0, 1));
    assert_eq!(office.rows(false, &file).await.counts, counts(0, 0, 3, 0));
    // Who is missing and was eligible is lost, days of grace or not; who returns and is past is not lost again.
    assert_eq!(office.rows(true, &row(2, "2026-06-28")).await.counts, counts(0, 0, 1, 1));
    assert_eq!(
        office.rows(true, &[row(2, ""), row(1, "2026-06-27")].concat()).await.counts,
        counts(0, 2, 0, 0)
    );
    // Days that have not come yet.
    let file =
        "symbol,number,category,kana,birth_date,valid_from\n91,2,insured,ヤマ アキ,19990121,2026-08-01\n";
    let report = office.import(false).run(file.as_bytes(), |_, _| {}).await.unwrap();
    assert_eq!(report.counts, counts(0, 0, 0, 1));
}

#[tokio::test]
async fn a_full_roster_with_a_refused_row_writes_nothing() {
    let office = Office::open().await;
    office.rows(true, &[ONE, TWO].concat()).await;
    let before = office.snapshot().await;
    let report = office.rows(true, &format!("{CHILD}91,1,,insured,山,19990121,,\n")).await;
    assert_eq!((report.outcome, report.counts, report.refused), (Outcome::Refused, counts(0, 0, 0, 0), 1));
    assert_eq!(office.snapshot().await, before);
    assert_eq!(office.count("select count(*) from roster_staging").await, 0);
    assert_eq!(office.count("select count(*) from roster_import where state = 'refused'").await, 1);
}

#[tokio::test]
async fn an_empty_full_roster_is_refused() {
    let office = Office::open().await;
    office.rows(true, ONE).await;
    let file = format!("{SHORT}\n");
    let refused = office.import(true).run(file.as_bytes(), |_, _| {}).await;
    assert!(matches!(refused, Err(ImportError::File(FileError::Empty))));
    assert!(office.insured("000001").await.unwrap().lost_at.is_none());
    assert_eq!(office.rows(false, "").await.counts, Counts::default());
}

#[tokio::test]
async fn a_preview_counts_and_leaves_no_trace() {
    let office = Office::open().await;
    office.rows(true, &[ONE, TWO].concat()).await;
    let before = office.snapshot().await;
    let file = format!("{SHORT}\n{ONE}{CHILD}");
    let import = RosterImport { preview: true, ..office.import(true) };
    let report = import.run(file.as_bytes(), |_, _| {}).await.unwrap();
    assert_eq!((report.outcome, report.counts), (Outcome::Preview, counts(1, 0, 1, 1)));
    assert_eq!(office.snapshot().await, before);
    assert_eq!(office.count("select count(*) from roster_import").await, 1);
    assert_eq!(office.count("select count(*) from roster_staging").await, 0);
}

#[tokio::test]
async fn duplicates_after_normalisation_name_the_earlier_line() {
    let office = Office::open().await;
    let rows = "91,1,,insured,ヤマ アキ,19990121,,\n091,０００００１,,一般被保険者,ﾔﾏ ｱｷ,平成11年1月21日,,\n\
                91,2,,dependent,シヨウ アキ,19990121,,\n91,2,,dependent,ショウアキ,19990121,,\n\
                91,7,,insured,ヤマ,19990121,,K1\n91,8,,insured,ヤマ,19990121,,K1\n\
                91,9,,insured,ヤマ,19990121,,K2\n91,9,,insured,カワ,19990121,,K3\n";
    let report = office.rows(false, rows).await;
    assert_eq!(report.counts, counts(4, 0, 0, 0));
    assert_eq!(
        report.refusals,
        [
            Refusal { line: 3, reason: Reason::Duplicate { earlier: 2 } },
            Refusal { line: 5, reason: Reason::Duplicate { earlier: 4 } },
            Refusal { line: 7, reason: Reason::Duplicate { earlier: 6 } },
            Refusal { line: 9, reason: Reason::NumberTaken { earlier: 8 } },
        ]
    );
    assert_eq!(office.insured("000009").await.unwrap().person_key.as_deref(), Some("K2"));
}

#[tokio::test]
async fn a_person_key_keeps_the_person_through_a_change_of_category() {
    let office = Office::open().await;
    office.rows(false, "91,1,,insured,ヤマ,19660121,,K1\n").await;
    let before = office.insured("000001").await.unwrap();
    assert_eq!(office.rows(true, "900,55,,voluntary,ヤマ,19660121,,K1\n").await.counts, counts(0, 1, 0, 0));
    let after = roster::find(&office.db, &before.id).await.unwrap().unwrap();
    assert_eq!((after.category, after.symbol.as_str()), (Category::Voluntary, "900"));
    assert!(office.insured("000001").await.is_none());
}

#[tokio::test]
async fn keys_and_branches_that_a_file_begins_to_name_keep_the_persons() {
    let office = Office::open().await;
    office.rows(true, &[ONE, "91,2,,dependent,カワ ソラ,20150505,,\n"].concat()).await;
    let before = office.insured("000001").await.unwrap();
    let keyed = "91,1,,insured,ヤマ アキ,19990121,,K1\n91,2,1,dependent,カワ ソラ,20150505,,\n";
    assert_eq!(office.rows(true, keyed).await.counts, counts(0, 2, 0, 0));
    assert_eq!(office.insured("000001").await.unwrap().id, before.id);
    assert_eq!(office.rows(true, keyed).await.counts, counts(0, 0, 2, 0));
    // Another person of the same number is another person, and so is another key.
    let others = "91,1,,insured,ヤマ アキ,19990121,,K2\n91,2,2,dependent,カワ リク,20150505,,\n";
    assert_eq!(office.rows(true, others).await.counts, counts(2, 0, 0, 2));
}

#[tokio::test]
async fn another_insurers_people_are_left_alone() {
    let office = Office::open().await;
    office.rows(true, ONE).await;
    let other = crate::members::login_id::tests::insurer_with("9001", "01040013", 3, 6);
    let file = format!("{SHORT}\n{TWO}");
    let import = RosterImport { insurer: &other, ..office.import(true) };
    assert_eq!(import.run(file.as_bytes(), |_, _| {}).await.unwrap().counts, counts(1, 0, 0, 0));
    assert!(office.insured("000001").await.unwrap().lost_at.is_none());
    assert!(office.insured("000002").await.is_none());
}

#[tokio::test]
async fn rows_of_another_insurer_are_refused() {
    let office = Office::open().await;
    let file = format!(
        "{HEADER}\n06139497,91,1,,insured,ヤマ,19990121,,,,\n01040013,91,2,,insured,カワ,19990121,,,,\n"
    );
    let report = office.import(false).run(file.as_bytes(), |_, _| {}).await.unwrap();
    assert_eq!(report.refusals, [Refusal { line: 3, reason: Reason::Insurer }]);
    assert_eq!(report.counts, counts(1, 0, 0, 0));
}

/// Gives some rows and then fails, like a file on a share that goes away.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("gone")),
            count => Ok(count),
        }
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_applies_nothing() {
    let office = Office::open().await;
    let mut file = Vec::new();
    sample::write_roster(&mut file, &office.insurer, 3_000, 1).unwrap();
    let failed = office.import(true).run(Failing(&file), |_, _| {}).await;
    assert!(matches!(failed, Err(ImportError::Read(_))));
    assert_eq!(office.count("select count(*) from roster_person").await, 0);
    assert_eq!(office.count("select count(*) from roster_staging").await, 0);
    assert_eq!(office.count("select count(*) from roster_import where state = 'refused'").await, 1);
}

#[tokio::test]
async fn a_header_that_is_refused_leaves_no_record() {
    let office = Office::open().await;
    let refused = office.import(false).run("a,b\n1,2\n".as_bytes(), |_, _| {}).await;
    assert!(matches!(refused, Err(ImportError::File(FileError::NoHeader))));
    assert_eq!(office.count("select count(*) from roster_import").await, 0);
}

#[tokio::test]
async fn what_a_cut_off_import_left_is_swept_by_a_later_one() {
    let office = Office::open().await;
    execute!(
        &office.db,
        "insert into roster_import (id, insurer, file_name, actor, complete, state, started_at)
                          values ('x', '7132', 'f', 'a', true, 'staging', 1)"
    )
    .unwrap();
    execute!(
        &office.db,
        "insert into roster_staging (import_id, line, identity, category, symbol, number, kana,
                                                      kana_folded, birth_date)
                          values ('x', 2, 'i', 'insured', '091', '000005', 'ヤマ', 'ヤマ', '1999-01-21')"
    )
    .unwrap();
    assert_eq!(office.rows(true, ONE).await.counts, counts(1, 0, 0, 0));
    assert_eq!(office.count("select count(*) from roster_staging").await, 0);
}

#[tokio::test]
async fn a_sample_of_ten_thousand_imports_clean_in_either_encoding() {
    let office = Office::open().await;
    let mut file = Vec::new();
    let people = sample::write_roster(&mut file, &office.insurer, 10_000, 42).unwrap();
    let mut told = Vec::new();
    let report =
        office.import(true).run(file.as_slice(), |rows, bytes| told.push((rows, bytes))).await.unwrap();
    assert_eq!((report.counts, report.refused), (counts(10_000, 0, 0, 0), 0));
    assert!(told.len() > 5 && told.is_sorted());
    assert_eq!(told.last(), Some(&(10_000, file.len() as u64)));

    let insured = people.iter().find(|person| person.category == Category::Insured).unwrap();
    let found =
        roster::find_insured(&office.db, "7132", &insured.symbol, &insured.number).await.unwrap().unwrap();
    assert!(found.kana == insured.kana && found.birth_date == insured.birth_date);

    let text = String::from_utf8(file).unwrap();
    let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode(&text);
    let report = office.import(true).run(shift_jis.as_ref(), |_, _| {}).await.unwrap();
    assert_eq!((report.counts, report.refused), (counts(0, 0, 10_000, 0), 0));
}

#[tokio::test]
async fn refusals_are_counted_beyond_what_is_listed() {
    let office = Office::open().await;
    let rows = "x\n".repeat(LISTED_REFUSALS + 5);
    let report = office.rows(false, &rows).await;
    assert_eq!((report.refusals.len(), report.refused), (LISTED_REFUSALS, LISTED_REFUSALS as u64 + 5));
}

#[tokio::test]
async fn a_number_that_was_given_to_somebody_else_brings_no_account_along() {
    let office = Office::open().await;
    office.rows(false, "91,200001,,insured,タケダ ハナコ,1999-01-21,,\n").await;
    let before = office.insured("200001").await.unwrap();
    office.add_member(&before, "active").await;

    // Only the name changed: the same person, married.
    office.rows(false, "91,200001,,insured,サトウ ハナコ,1999-01-21,,\n").await;
    assert_eq!(office.insured("200001").await.unwrap().id, before.id);

    let report = office.rows(false, "91,200001,,insured,ヤマダ タロウ,1980-05-05,,\n").await;
    assert_eq!((report.counts.added, report.counts.lost), (1, 1));
    let after = office.insured("200001").await.unwrap();
    assert_ne!(after.id, before.id);
    assert_eq!(after.kana.as_str(), "ヤマダ タロウ");
    assert_eq!(office.sessions_valid_from(&before).await, NOW.millis());
    assert!(crate::storage::member::of_person(&office.db, &after.id).await.unwrap().is_none());
    let again = office.rows(false, "91,200001,,insured,ヤマダ タロウ,1980-05-05,,\n").await;
    assert_eq!(again.counts.unchanged, 1);
}
