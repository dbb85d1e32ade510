//! Made-up people for benchmarks, the same at each run.

use kenpos_idp::{
    clock::{Clock, Entropy},
    config::Insurer,
    members::{roster::RosterImport, sample::write_roster},
    storage::Db,
};

/// The same seed gives the same people.
pub const SEED: u64 = 1;

/// The insurer of the roster.
pub fn insurer() -> Insurer {
    Insurer {
        code: "7132".to_owned(),
        number: "06139497".to_owned(),
        name: "みほん健康保険組合".to_owned(),
        ..Insurer::default()
    }
}

/// Gives everybody who has none an account with an address of their own.
pub async fn give_accounts(db: &Db) -> Result<(), sqlx::Error> {
    let insert = "insert into member (id, insurer, person_id, state, email, email_key, email_verified_at,
                                      locale, activated_at, created_at, updated_at)
                  select 'm' || id, insurer, id, 'active', address, address, 1, 'ja', 1, 1, 1
                  from (select id, insurer, 'u' || symbol || number || '.' || id || '@mail.example' as address
                        from roster_person) as people
                  where true on conflict do nothing";
    match db {
        Db::Sqlite(pool, _) => {
            sqlx::query(insert).execute(pool).await?;
            sqlx::query("analyze").execute(pool).await?;
        }
        Db::Postgres(pool, _) => {
            sqlx::query(insert).execute(pool).await?;
            sqlx::query("vacuum analyze").execute(pool).await?;
        }
    }
    Ok(())
}

/// Puts so many more people with accounts into a database.
pub async fn enrol(url: &str, count: usize) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let insurer = insurer();
    let mut roster = Vec::new();
    write_roster(&mut roster, &insurer, count, SEED)?;
    // The made-up people have numbers of their own, but for this one, which is that of the member who signs in.
    let roster = String::from_utf8(roster)?;
    let others: Vec<_> = roster.lines().filter(|line| !line.contains(",200001,")).collect();
    let db = Db::open(url, 2).await?;
    let import = RosterImport {
        db: &db,
        clock: &Clock::system(),
        entropy: &Entropy::system(),
        insurer: &insurer,
        file_name: "roster.csv",
        actor: "bench",
        complete: false,
        preview: false,
    };
    import.run(others.join("\n").as_bytes(), |_, _| ()).await?;
    give_accounts(&db).await?;
    db.close().await;
    Ok(())
}
