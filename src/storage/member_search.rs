//! Tables `roster_person` and `member`: people, found by what an operator knows of them. A search is of one
//! insurer and walks along one index, so that it costs the same at a thousand people and at a million.

use sqlx::AssertSqlSafe;

use super::{
    On, StorageError,
    db::query,
    member::MemberState,
    roster::{self, Person},
};

/// What is known of the person.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// Symbol and number, padded, of now or from before a change of category.
    Number(&'a str, &'a str),
    /// How the name begins, as names are compared.
    Kana(&'a str),
    /// How the address of the account begins, in lower case.
    Email(&'a str),
}

/// Where a page ends: at the person that it ended with.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What the list is ordered by: branch, name as it is compared, or address in lower case.
    pub value: &'a str,
    /// Identifier: of the person, or of the account where addresses are looked for.
    pub id: &'a str,
}

/// A person who was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The person of the roster.
    pub person: Person,
    /// The account, if there is one.
    pub account: Option<Account>,
}

/// What a list shows of an account.
#[derive(Clone)]
pub struct Account {
    /// Subject.
    pub id: String,
    /// Whether it can sign in.
    pub state: MemberState,
    /// Verified e-mail address.
    pub email: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    person: roster::Row,
    member_id: Option<String>,
    member_state: Option<String>,
    member_email: Option<String>,
}

impl TryFrom<Row> for Found {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        let account = match (row.member_id, row.member_state) {
            (Some(id), Some(state)) => {
                let state = MemberState::parse(&state).ok_or_else(|| StorageError::Impossible {
                    table: "member",
                    column: "state",
                    row: id.clone(),
                    reason: "unknown state".to_owned(),
                })?;
                Some(Account { id, state, email: row.member_email })
            }
            _ => None,
        };
        Ok(Self { person: row.person.try_into()?, account })
    }
}

/// What is read of each.
const COLUMNS: &str = "p.id, p.insurer, p.person_key, p.category, p.symbol, p.number, p.branch, p.kana, \
    p.birth_date, p.valid_from, p.valid_until, p.email, p.lost_at, p.temporary_since, p.temporary_void_at, \
    p.former_login, p.stopped_at, m.id as member_id, m.state as member_state, m.email as member_email";

/// The statement of a search. `bytewise` is what the engine is told beside a column that is compared octet by
/// octet; nothing else in it comes from outside.
pub fn statement(key: Key<'_>, bytewise: &str) -> String {
    match key {
        // Two questions: SQLite would answer one with an `or` by reading the whole roster of the insurer.
        Key::Number(..) => format!(
            "select {COLUMNS} from roster_person as p left join member as m on m.person_id = p.id
             where p.id in (
                 select id from roster_person where insurer = $1 and symbol = $2 and number = $3
                 union all
                 select id from roster_person
                 where insurer = $1 and former_symbol = $2 and former_number = $3)
               and (coalesce(p.branch, ''), p.id) > ($4, $5)
             order by coalesce(p.branch, ''), p.id limit $6"
        ),
        Key::Kana(_) => format!(
            "select {COLUMNS} from roster_person as p left join member as m on m.person_id = p.id
             where p.insurer = $1 and (p.kana_folded{bytewise}, p.id) > ($2, $3) and p.kana_folded{bytewise} < $4
             order by p.kana_folded{bytewise}, p.id limit $5"
        ),
        // An address is of one account of the insurer, so it alone is a place.
        Key::Email(_) => format!(
            "select {COLUMNS} from member as m join roster_person as p on p.id = m.person_id
             where m.insurer = $1 and m.email_key{bytewise} >= $2 and m.id <> $3 and m.email_key{bytewise} < $4
             order by m.email_key{bytewise} limit $5"
        ),
    }
}

/// Up to `limit` people of an insurer, after the one at `after`.
pub async fn page(
    on: impl Into<On<'_>>,
    insurer: &str,
    key: Key<'_>,
    after: Option<Place<'_>>,
    limit: i64,
) -> Result<Vec<Found>, StorageError> {
    let on = on.into();
    let statement = AssertSqlSafe(statement(key, on.bytewise()));
    let rows: Vec<Row> = match key {
        Key::Number(symbol, number) => {
            let (value, id) = after.map_or(("", ""), |place| (place.value, place.id));
            query!(on, fetch_all, statement, insurer, symbol, number, value, id, limit)?
        }
        Key::Kana(start) | Key::Email(start) => {
            let (value, id) = after.map_or((start, ""), |place| (place.value, place.id));
            query!(on, fetch_all, statement, insurer, value, id, past(start), limit)?
        }
    };
    rows.into_iter().map(Found::try_from).collect()
}

/// The first text that comes after all that begin with `start`, in the order of octets, which is that of
/// characters too.
fn past(start: &str) -> String {
    let mut text = start.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = char::from_u32(u32::from(last) + 1) {
            text.push(next);
            return text;
        }
    }
    char::MAX.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Db;

    #[test]
    fn a_beginning_is_a_range() {
        assert_eq!(past("ヤマ"), "ヤミ");
        assert_eq!(past("taro@"), "taroA");
        assert_eq!(past("a\u{10ffff}"), "b");
        assert_eq!(past(""), char::MAX.to_string());
        for (start, inside, outside) in [("タケ", "タケンンン", "タコ"), ("a.b", "a.b@x", "a.c")] {
            assert!(start <= inside && inside < past(start).as_str() && outside >= past(start).as_str());
        }
    }

    #[tokio::test]
    async fn every_search_walks_along_its_index() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let plan = async |key| {
            let explain = format!("explain query plan {}", statement(key, ""));
            let steps: Vec<(i64, i64, i64, String)> = query!(&db, fetch_all, AssertSqlSafe(explain)).unwrap();
            steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n")
        };
        let kana = plan(Key::Kana("タ")).await;
        assert!(
            kana.contains("roster_person_by_kana (insurer=? AND (kana_folded,id)>(?,?) AND kana_folded<?)"),
            "{kana}"
        );
        assert!(!kana.contains("TEMP B-TREE"), "it is in order already: {kana}");
        let email = plan(Key::Email("t")).await;
        assert!(email.contains("member_email (insurer=? AND email_key>? AND email_key<?)"), "{email}");
        assert!(!email.contains("TEMP B-TREE"), "{email}");
        let number = plan(Key::Number("091", "200001")).await;
        assert!(number.contains("roster_person_by_number (insurer=? AND symbol=? AND number=?)"), "{number}");
        assert!(number.contains("roster_person_by_former_number (insurer=? AND former_symbol=?"), "{number}");
        for plan in [kana, email, number] {
            assert!(!plan.lines().any(|step| step.starts_with("SCAN")), "{plan}");
        }
    }
}
