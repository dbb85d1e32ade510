//! On PostgreSQL two transactions may each wait for the other; the server then ends one of them, which must be
//! tried again and not be lost.

use kenpos_idp::storage::Db;

use crate::support::{
    app::{Backend, TestApp},
    members::{ICHIRO, ROSTER},
};

/// An import takes persons and then members, an act on an account the other way round.
#[tokio::test]
async fn an_import_that_meets_an_act_on_an_account_is_applied_after_all() {
    let mut app = TestApp::start(Backend::PostgresRedis).await;
    app.activate(&ICHIRO).await;
    let Db::Postgres(pool, _) = app.db().clone() else { panic!("PostgreSQL") };
    let mut act = pool.begin().await.unwrap();
    sqlx::query("update member set updated_at = updated_at + 1").execute(&mut *act).await.unwrap();
    let without_him: Vec<&str> = ROSTER.lines().filter(|line| !line.starts_with("123,")).collect();
    let roster = without_him.join("\n");
    let import = app.import_full_roster(&roster);
    let collision = async {
        let waiting = "select count(*) from pg_stat_activity
                       where wait_event_type = 'Lock' and datname = current_database()";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.unwrap() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let done =
            sqlx::query("update roster_person set updated_at = updated_at + 1").execute(&mut *act).await;
        act.rollback().await.unwrap();
        done.is_ok()
    };
    let ((), survived) = tokio::join!(import, collision);
    assert!(survived, "the import waited first, so it looks for a deadlock first and is the one that ends");
    assert_eq!(app.number("select count(*) from roster_person where lost_at is not null").await, 1);
    app.finish().await;
}
