//! What must hold when all is over: nothing that was said to be done is missing, nothing that was used up
//! is worth anything.

use std::time::{Duration, Instant};

use kenpos_idp::storage::Db;
use tokio::time::sleep;

use super::{
    flows::{redeem, refresh},
    stage::Stage,
};

/// Longest wait for mails that are still in the outbox.
const MAILS: Duration = Duration::from_secs(90);

/// Looks at everything; what is wrong goes into the ledger.
pub async fn all(stage: &Stage) {
    used_up(stage).await;
    let db = Db::open(&stage.database, 2).await.expect("the database");
    mails(stage, &db).await;
    registrations(stage, &db).await;
    acts(stage, &db).await;
    db.close().await;
}

/// The chain of the audit, and the file of SQLite; for a database that nobody writes to any more.
pub async fn at_rest(stage: &Stage, database: &str) {
    let ledger = &stage.load.ledger;
    if database.starts_with("sqlite:") {
        let db = Db::open(database, 1).await.expect("the database");
        let Db::Sqlite(pool, _) = &db else { unreachable!("SQLite") };
        let found: String =
            sqlx::query_scalar("pragma integrity_check").fetch_one(pool).await.expect("a check");
        if found != "ok" {
            ledger.wrong(format!("integrity_check: {found}"));
        }
        let orphans = sqlx::query("pragma foreign_key_check").fetch_all(pool).await.expect("a check");
        if !orphans.is_empty() {
            ledger.wrong("foreign_key_check found rows");
        }
        db.close().await;
    }
    if let Err(said) = stage.recipe.try_command(&["audit", "verify"]) {
        ledger.wrong(format!("audit verify: {said}"));
    }
}

/// Codes and refresh tokens that were used are presented once more.
async fn used_up(stage: &Stage) {
    let load = &stage.load;
    let (codes, retired) = {
        let sums = load.ledger.sums();
        (sums.codes.clone(), sums.retired.clone())
    };
    for used in codes {
        if matches!(redeem(load, None, &used.code, &used.verifier).await, Ok(Some(_))) {
            load.ledger.wrong("a code was honoured again at the end");
        }
    }
    for token in retired {
        if matches!(refresh(load, None, &token).await, Ok(Some(_))) {
            load.ledger.wrong("an old refresh token was honoured at the end");
        }
    }
}

async fn number(db: &Db, statement: &'static str, bind: &str) -> i64 {
    let found = match db {
        Db::Sqlite(pool, _) => sqlx::query_scalar(statement).bind(bind).fetch_one(pool).await,
        Db::Postgres(pool, _) => sqlx::query_scalar(statement).bind(bind).fetch_one(pool).await,
    };
    found.expect("a number")
}

/// Every mail went out, and everybody who was told of one got one.
async fn mails(stage: &Stage, db: &Db) {
    let ledger = &stage.load.ledger;
    let waiting = "select count(*) from outbox where state = $1";
    let began = Instant::now();
    while number(db, waiting, "queued").await > 0 && began.elapsed() < MAILS {
        sleep(Duration::from_millis(200)).await;
    }
    for state in ["queued", "failed"] {
        let left = number(db, waiting, state).await;
        if left > 0 {
            ledger.wrong(format!("{left} mails are {state}"));
        }
    }
    let got = stage.load.received.all();
    let sent = ledger.sums().sent.clone();
    for (address, promised) in sent {
        if promised > 0 && !got.iter().any(|mail| mail.is_for(&address)) {
            ledger.wrong("a mail that was promised did not come");
        }
    }
    let sent_by_sql = number(db, waiting, "sent").await;
    if usize::try_from(sent_by_sql).is_ok_and(|sent| sent > got.len()) {
        ledger.wrong(format!("{sent_by_sql} mails are noted as sent, {} came", got.len()));
    }
}

/// Everybody who was told so is a member, once, with an audit line and the mail that says so.
async fn registrations(stage: &Stage, db: &Db) {
    let ledger = &stage.load.ledger;
    let registered = ledger.sums().registered.clone();
    let members = "select count(*) from member as m join roster_person as p on p.id = m.person_id
                   where p.number = $1 and p.category = 'insured' and m.state in ('active', 'frozen')";
    let lines = "select count(*) from audit as a join member as m on m.id = a.member_id
                 join roster_person as p on p.id = m.person_id
                 where p.number = $1 and p.category = 'insured' and a.action = 'member.activated'";
    let got = stage.load.received.all();
    for one in registered {
        let members = number(db, members, &one.number).await;
        let lines = number(db, lines, &one.number).await;
        let mails = got.iter().filter(|mail| mail.is_for(&one.email)).count();
        if members != 1 || lines != 1 || mails < 2 {
            ledger.wrong(format!("a registration has {members} members, {lines} audit lines, {mails} mails"));
        }
    }
}

/// Every act that was said to be done has its line, and one alone.
async fn acts(stage: &Stage, db: &Db) {
    let acts = stage.load.ledger.sums().acts.clone();
    let lines = "select count(*) from audit where detail like '%\"' || $1 || '\"%'";
    for reason in acts {
        let lines = number(db, lines, &reason).await;
        if lines != 1 {
            stage.load.ledger.wrong(format!("an act of an operator has {lines} audit lines"));
        }
    }
}
