//! What is held of a person, table by table, for a disclosure (開示請求). [`TABLES`] names every column; a test
//! compares it with the schema, so that nothing new is forgotten.

use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;

use super::{Db, StorageError, db::query_scalar, from_json};

/// Which identifier the rows are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The person of the roster.
    Person,
    /// The account.
    Member,
}

/// A table with rows about a person.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What its rows are found by.
    pub by: By,
    /// Column of that.
    pub key: &'static str,
    /// The columns that are told.
    pub told: &'static [&'static str],
    /// Those that are not: what opens something or its hash, marks of browsers, and repetitions.
    pub kept: &'static [&'static str],
}

const fn of_person(
    name: &'static str,
    told: &'static [&'static str],
    kept: &'static [&'static str],
) -> Table {
    Table { name, by: By::Person, key: "person_id", told, kept }
}

const fn of_member(
    name: &'static str,
    told: &'static [&'static str],
    kept: &'static [&'static str],
) -> Table {
    Table { name, by: By::Member, key: "member_id", told, kept }
}

/// Every table whose rows are about a person, but [`HISTORY`].
pub const TABLES: [Table; 19] = [
    Table {
        name: "roster_person",
        by: By::Person,
        key: "id",
        told: &[
            "id",
            "insurer",
            "person_key",
            "category",
            "symbol",
            "number",
            "branch",
            "kana",
            "birth_date",
            "valid_from",
            "valid_until",
            "email",
            "lost_at",
            "temporary_since",
            "temporary_failures",
            "temporary_kana_misses",
            "temporary_void_at",
            "former_login",
            "former_symbol",
            "former_number",
            "stopped_at",
            "created_at",
            "updated_at",
        ],
        kept: &["identity", "kana_folded"],
    },
    of_person(
        "member",
        &[
            "id",
            "insurer",
            "state",
            "email",
            "email_verified_at",
            "kana",
            "password_changed_at",
            "sessions_valid_from",
            "locale",
            "activated_by",
            "activated_at",
            "eligibility_lost_at",
            "created_at",
            "updated_at",
        ],
        &["person_id", "email_key", "password_hash"],
    ),
    of_person(
        "registration",
        &[
            "id",
            "insurer",
            "client_id",
            "email",
            "kana",
            "preferences",
            "receipts",
            "locale",
            "misses",
            "sends",
            "created_at",
            "sent_at",
            "expires_at",
        ],
        &["person_id", "person_mark", "token_hash", "browser", "interaction", "email_key", "password_hash"],
    ),
    of_person(
        "roster_before",
        &[
            "import_id",
            "what",
            "person_key",
            "category",
            "symbol",
            "number",
            "branch",
            "kana",
            "birth_date",
            "valid_from",
            "valid_until",
            "email",
            "lost_at",
            "temporary_since",
            "former_login",
            "former_symbol",
            "former_number",
        ],
        &["person_id", "moved_to", "identity", "kana_folded"],
    ),
    of_person("registration_mail", &["id", "sent_at"], &["person_id"]),
    of_person("activation_code", &["misses", "created_at", "expires_at"], &["person_id", "code_hash"]),
    of_person("activation_notice", &["created_at", "expires_at", "used_at"], &["person_id", "token_hash"]),
    of_member(
        "profile",
        &["nickname", "gender", "phone", "postal_code", "region", "locality", "street_address", "updated_at"],
        &["member_id"],
    ),
    of_member("receipt", &["id", "kind", "version", "locale", "hash", "accepted_at"], &["member_id"]),
    of_member("preference", &["topic", "wanted", "wording", "changed_at"], &["member_id"]),
    of_member("preference_change", &["topic", "seq", "wanted", "wording", "changed_at"], &["member_id"]),
    of_member("consent", &["client_id", "scope", "claims", "first_granted_at", "granted_at"], &["member_id"]),
    of_member("pairwise_subject", &["sector", "sub", "created_at"], &["member_id"]),
    of_member(
        "email_change",
        &["email", "locale", "created_at", "expires_at"],
        &["member_id", "token_hash", "email_key"],
    ),
    of_member(
        "recovery",
        &["id", "kind", "locale", "misses", "created_at", "expires_at", "used_at"],
        &["member_id", "token_hash", "browser", "interaction"],
    ),
    of_member("webhook_event", &["id", "type", "insurer", "client_id", "at"], &["member_id"]),
    of_member("deletion_request", &["requested_at"], &["member_id"]),
    of_member("sign_in_failure", &["id", "insurer", "hour", "count", "last_at"], &["member_id", "address"]),
    Table {
        name: "delivery",
        by: By::Member,
        key: "target",
        told: &["id", "kind", "state", "attempts", "created_at", "finished_at"],
        kept: &["target", "sealed", "last_error", "next_attempt_at", "leased_until", "give_up_at"],
    },
];

/// The table that is told as the history of a person, by [`super::audit::of_person`].
pub const HISTORY: &str = "audit";

/// Columns that hold JSON.
const JSON: [&str; 2] = ["preferences", "receipts"];
/// Columns that hold instants, beside those that end with `_at`.
const INSTANTS: [&str; 3] = ["temporary_since", "sessions_valid_from", "at"];

/// The rows of a table about the person or account of `id`, as objects of its columns; instants are ISO texts
/// in UTC.
pub async fn rows(db: &Db, table: &Table, id: &str) -> Result<Vec<Value>, StorageError> {
    let object = match db {
        Db::Sqlite(..) => "json_object",
        Db::Postgres(..) => "json_build_object",
    };
    // Every name comes from the list above.
    let pairs: Vec<String> = table.told.iter().map(|column| format!("'{column}', {column}")).collect();
    let Table { name, key, told, .. } = table;
    let order = told.join(", ");
    let statement = format!(
        "select cast({object}({}) as text) from {name} where {key} = $1 order by {order}",
        pairs.join(", ")
    );
    let texts: Vec<String> = query_scalar!(db, fetch_all, AssertSqlSafe(statement), id)?;
    texts.iter().map(|text| Ok(Value::Object(readable(from_json(name, "(all)", id, text)?)))).collect()
}

/// The same values, as somebody reads them who does not know the schema.
fn readable(row: Map<String, Value>) -> Map<String, Value> {
    row.into_iter()
        .map(|(column, value)| {
            let shown = match &value {
                Value::Number(number) if is_instant(&column) => number.as_i64().and_then(utc),
                // SQLite has no truth values.
                Value::Number(number) if column == "wanted" => Some(Value::Bool(number.as_i64() == Some(1))),
                Value::String(text) if JSON.contains(&column.as_str()) => serde_json::from_str(text).ok(),
                _ => None,
            };
            (column, shown.unwrap_or(value))
        })
        .collect()
}

fn is_instant(column: &str) -> bool {
    column.ends_with("_at") || INSTANTS.contains(&column)
}

fn utc(millis: i64) -> Option<Value> {
    let at = jiff::Timestamp::from_millisecond(millis).ok()?;
    Some(Value::String(at.strftime("%FT%T%.3fZ").to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::storage::db::query;

    /// Every table with its columns.
    async fn schema(db: &Db) -> BTreeMap<String, BTreeSet<String>> {
        let columns: Vec<(String, String)> = query!(
            db,
            fetch_all,
            "select m.name, c.name from sqlite_master as m, pragma_table_info(m.name) as c
             where m.type = 'table'"
        )
        .unwrap();
        let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (table, column) in columns {
            tables.entry(table).or_default().insert(column);
        }
        tables
    }

    #[tokio::test]
    async fn a_disclosure_forgets_no_table_and_no_column() {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        db.migrate().await.unwrap();
        let schema = schema(&db).await;
        for (table, columns) in &schema {
            let about_people = columns.contains("member_id") || columns.contains("person_id");
            let known = TABLES.iter().any(|known| known.name == table) || table == HISTORY;
            assert!(known || !about_people, "add {table} to TABLES: a disclosure must not leave it out");
        }
        for table in TABLES {
            let told: BTreeSet<String> =
                table.told.iter().chain(table.kept).map(|column| (*column).to_owned()).collect();
            let Some(columns) = schema.get(table.name) else { panic!("there is no {}", table.name) };
            assert_eq!(told, *columns, "{}: each column is told, or kept for a reason", table.name);
            assert_eq!(told.len(), table.told.len() + table.kept.len(), "{}", table.name);
            for secret in ["hash", "sealed", "browser"] {
                let leak = table.told.iter().find(|column| column.contains(secret));
                assert!(leak.is_none() || table.name == "receipt", "{}: {leak:?}", table.name);
            }
        }
    }

    #[test]
    fn values_are_readable() {
        let row = serde_json::json!({
            "wanted": 1, "changed_at": 1_795_396_500_000_i64, "receipts": "[{\"kind\":\"terms\"}]", "count": 3,
            "used_at": null,
        });
        let Value::Object(row) = row else { unreachable!() };
        assert_eq!(
            Value::Object(readable(row)),
            serde_json::json!({
                "wanted": true, "changed_at": "2026-11-23T01:15:00.000Z", "receipts": [{ "kind": "terms" }],
                "count": 3, "used_at": null,
            })
        );
    }
}
