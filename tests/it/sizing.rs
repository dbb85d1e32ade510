//! What a member takes in PostgreSQL and in Redis: the figures of docs/sizing.md. Run when the schema or a record
//! changed: `cargo test --test it sizing -- --ignored --nocapture`.

use std::collections::BTreeMap;

use kenpos_idp::storage::Db;
use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{
    app::{Backend, TestApp},
    journey::{allow, set_out},
    members::{HANAKO, ICHIRO},
    relying_party::Ask,
};

/// Copies of a row that are made to see what one takes.
const COPIES: i64 = 20_000;

async fn number(pool: &PgPool, statement: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await.unwrap()
}

async fn rows(pool: &PgPool) -> BTreeMap<String, i64> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> '_sqlx_migrations'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = BTreeMap::new();
    for table in tables {
        let count = number(pool, format!("select count(*) from {table}")).await;
        found.insert(table, count);
    }
    found
}

/// Bytes of a row of a table, its indexes included: of copies of the newest one, each with keys of its own.
async fn bytes_of_a_row(pool: &PgPool, table: &str) -> f64 {
    let unique: Vec<(String, String)> = sqlx::query_as(
        "select distinct a.attname::text, a.atttypid::regtype::text from pg_index i
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
         where i.indrelid = $1::regclass and i.indisunique",
    )
    .bind(table)
    .fetch_all(pool)
    .await
    .unwrap();
    let changes: String = unique
        .iter()
        .map(|(column, kind)| match kind.as_str() {
            "text" => format!("'{column}', overlay(r.{column} placing lpad(g::text, 6, '0') from 1 for 6)"),
            _ => format!("'{column}', coalesce(r.{column}, 0) + g * 1000"),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let size = format!("select pg_total_relation_size('{table}')");
    let mut connection = pool.acquire().await.unwrap();
    // Other tables know nothing of the copies.
    sqlx::query("set session_replication_role = replica").execute(&mut *connection).await.unwrap();
    let before = number(pool, size.clone()).await;
    let copy = format!(
        "insert into {table} select (jsonb_populate_record(null::{table}, to_jsonb(r) || jsonb_build_object({changes}))).*
         from (select * from {table} order by ctid desc limit 1) r, generate_series(1, {COPIES}) g
         on conflict do nothing"
    );
    let made = sqlx::query(AssertSqlSafe(copy)).execute(&mut *connection).await.unwrap().rows_affected();
    sqlx::query("set session_replication_role = origin").execute(&mut *connection).await.unwrap();
    let after = number(pool, size).await;
    #[expect(clippy::cast_precision_loss, reason = "a size of some hundred bytes")]
    if made < 1000 { 0.0 } else { (after - before) as f64 / made as f64 }
}

async fn in_redis(app: &TestApp) -> BTreeMap<String, (usize, usize)> {
    let ephemeral = &app.app().config().ephemeral;
    let client = redis::Client::open(ephemeral.url.as_ref().unwrap().expose_secret()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let pattern = format!("{}*", ephemeral.prefix);
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
    let mut found = BTreeMap::<String, (usize, usize)>::new();
    for key in keys {
        let bytes: Option<usize> =
            redis::cmd("MEMORY").arg("USAGE").arg(&key).query_async(&mut connection).await.unwrap();
        let kind = key.trim_start_matches(&*ephemeral.prefix).split(':').next().unwrap().to_owned();
        let sum = found.entry(kind).or_default();
        *sum = (sum.0 + 1, sum.1 + bytes.unwrap_or(0));
    }
    found
}

#[tokio::test]
#[ignore = "measures and asserts nothing: its figures stand in docs/sizing.md"]
async fn what_a_member_takes() {
    let mut app = TestApp::start(Backend::PostgresRedis).await;
    let Db::Postgres(pool, _) = app.db().clone() else { unreachable!("that backend") };
    app.activate(&HANAKO).await;
    let (before, redis) = (rows(&pool).await, in_redis(&app).await);
    let browser = app.activate(&ICHIRO).await;
    let rp = app.relying_party().await;
    let attempt = rp.begin(&Ask::scopes(&["profile", "email", "offline_access"]));
    let callback = allow(&set_out(&browser, &attempt).await).await;
    rp.finish(attempt, &callback).await;
    let after = rows(&pool).await;
    println!("PostgreSQL: rows of one more member with one app, and bytes of a row with its indexes");
    for (table, count) in &after {
        let more = count - before.get(table).copied().unwrap_or(0);
        if more > 0 || table == "roster_person" {
            println!("{table:24} {more:4} × {:6.0}", bytes_of_a_row(&pool, table).await);
        }
    }
    println!("Redis: records more, and bytes of one (MEMORY USAGE)");
    for (kind, (count, bytes)) in in_redis(&app).await {
        let (known, known_bytes) = redis.get(&kind).copied().unwrap_or_default();
        if count > known {
            println!("{kind:24} {:4} × {:6}", count - known, (bytes - known_bytes) / (count - known));
        }
    }
    app.finish().await;
}
