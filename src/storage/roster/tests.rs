use jiff::civil::date;

use super::*;
use crate::storage::Db;

const NOW: Timestamp = Timestamp::from_millis(1_782_864_000_000); // 2026-07-01 in Japan
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

async fn db() -> Db {
    let db = Db::open("sqlite::memory:", 1).await.unwrap();
    db.migrate().await.unwrap();
    for (id, lost_at, created_at) in [("old", None, 1_i64), ("new", None, 2), ("gone", Some(3_i64), 3)] {
        execute!(
            &db,
            "insert into roster_person (id, insurer, identity, category, symbol, number, kana, kana_folded,
                                        birth_date, lost_at, temporary_since, created_at, updated_at)
             values ($1, '7132', $1, 'insured', '091', '000001', 'ヤマ', 'ヤマ', '1999-01-21', $2, $3, $4, 0)",
            id,
            lost_at,
            NOW.millis(),
            created_at
        )
        .unwrap();
    }
    db
}

async fn person(db: &Db, id: &str) -> Person {
    find(db, id).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_newest_person_of_a_number_who_is_not_lost_comes_first() {
    let db = db().await;
    let found = find_insured(&db, "7132", "091", "000001").await.unwrap().unwrap();
    assert_eq!(found.id, "new");
    assert!(find_insured(&db, "7132", "091", "000002").await.unwrap().is_none());
    assert!(find_insured(&db, "9001", "091", "000001").await.unwrap().is_none());
    assert!(!format!("{found:?}").contains("091"));
}

#[tokio::test]
async fn the_temporary_password_is_void_at_the_limit_and_stays_so() {
    let db = db().await;
    assert!(!note_temporary_failure(&db, "old", 2, NOW).await.unwrap());
    assert_eq!(begin_kana_attempt(&db, "old", 2).await.unwrap(), Some(1), "the two are counted apart");
    assert!(note_temporary_failure(&db, "old", 2, NOW).await.unwrap());
    assert!(note_temporary_failure(&db, "old", 99, NOW.plus(DAY)).await.unwrap());
    assert_eq!(person(&db, "old").await.temporary_void_at, Some(NOW));
    assert_eq!(person(&db, "new").await.temporary_void_at, None);
    assert!(note_temporary_failure(&db, "", 2, NOW).await.is_ok(), "nobody is no error");

    reissue_temporary_password(&db, "old", NOW.plus(DAY)).await.unwrap();
    assert_eq!(begin_kana_attempt(&db, "old", 2).await.unwrap(), Some(1));
    assert_eq!(begin_kana_attempt(&db, "old", 2).await.unwrap(), Some(2));
    assert_eq!(begin_kana_attempt(&db, "old", 2).await.unwrap(), None);
    forgive_kana_attempt(&db, "old").await.unwrap();
    assert_eq!(begin_kana_attempt(&db, "old", 2).await.unwrap(), Some(2));
    end_temporary_password(&db, "new", NOW).await.unwrap();
    assert_eq!(person(&db, "new").await.temporary_void_at, Some(NOW));
}

#[tokio::test]
async fn the_temporary_password_is_open_for_the_days_of_the_policy() {
    let db = db().await;
    let mut person = person(&db, "old").await;
    let policy = Policy { temporary_password_days: 90, ..Policy::default() };
    assert!(person.temporary_password_open(NOW.plus(DAY * 90).minus(DAY / 86_400), &policy));
    assert!(!person.temporary_password_open(NOW.plus(DAY * 90), &policy));
    person.temporary_void_at = Some(NOW);
    assert!(!person.temporary_password_open(NOW, &policy));
}

#[tokio::test]
async fn eligibility_has_its_days_and_the_days_of_grace() {
    let mut person = person(&db().await, "old").await;
    assert!(person.eligible_on(date(1950, 1, 1), 0));
    person.valid_from = Some(date(2020, 4, 1));
    person.valid_until = Some(date(2026, 3, 31));
    assert!(!person.eligible_on(date(2020, 3, 31), 0));
    assert!(person.eligible_on(date(2020, 4, 1), 0));
    assert!(person.eligible_on(date(2026, 3, 31), 0));
    assert!(!person.eligible_on(date(2026, 4, 1), 0));
    assert!(person.eligible_on(date(2026, 4, 10), 10));
    assert!(!person.eligible_on(date(2026, 4, 11), 10));
    assert!(person.eligible_on(date(9999, 12, 31), u32::MAX));
    person.lost_at = Some(NOW);
    person.valid_until = None;
    assert!(person.eligible_on(date(2026, 6, 30), 0));
    assert!(!person.eligible_on(date(2026, 7, 1), 0));
    assert!(person.eligible_on(date(2026, 7, 1), 1));
}

#[tokio::test]
async fn an_impossible_row_names_its_place_and_not_its_value() {
    let db = db().await;
    execute!(&db, "update roster_person set birth_date = '1999-02-31' where id = 'old'").unwrap();
    let error = find(&db, "old").await.unwrap_err().to_string();
    assert!(error.contains("roster_person.birth_date of row old") && !error.contains("1999"), "{error}");
}

#[tokio::test]
async fn a_sign_in_does_not_read_the_whole_roster() {
    let db = db().await;
    let explain = sqlx::AssertSqlSafe(format!("explain query plan {FIND_INSURED}"));
    let steps: Vec<(i64, i64, i64, String)> = query!(&db, fetch_all, explain).unwrap();
    let plan = steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("roster_person_by_number (insurer=? AND symbol=? AND number=?"), "{plan}");
    assert!(plan.contains("roster_person_by_former_number (insurer=? AND former_symbol=?"), "{plan}");
    assert!(!plan.contains("(insurer=?)") && !plan.contains("SCAN roster_person"), "{plan}");
}

#[tokio::test]
async fn an_eligibility_is_over_from_the_day_after_its_last_or_from_the_import_that_lost_it() {
    let db = db().await;
    let vanished = NOW.plus(DAY);
    let ended =
        Person { valid_until: Some(date(2026, 6, 30)), lost_at: Some(vanished), ..person(&db, "old").await };
    assert_eq!(ended.lost_since(vanished), Some(Timestamp::start_of_day_in_japan(date(2026, 7, 1))));
    let lost = Person { valid_until: Some(date(2026, 7, 9)), ..ended };
    assert_eq!(lost.lost_since(NOW), None);
    assert_eq!(lost.lost_since(vanished), Some(vanished));
    assert_eq!(Person { lost_at: None, ..lost }.lost_since(vanished), None);
}
