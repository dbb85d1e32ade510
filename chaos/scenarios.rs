//! The faults, one scenario each.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    backends::{Redis, RedisCluster, RedisSentinel},
    stage::{Cache, Stage, Wanted},
    verify,
};

/// How long a frozen service stays so.
const FROZEN: Duration = Duration::from_secs(10);
/// How long something stays away that is started again.
const AWAY: Duration = Duration::from_secs(3);
/// How long SQLite may go on in the blocks that it has.
const UNTIL_FULL: Duration = Duration::from_secs(180);
/// The small disk, in megabytes.
const DISK: u32 = 16;

/// Name and meaning of every scenario.
pub const ALL: &[(&str, &str)] = &[
    ("quiet", "nothing breaks"),
    ("node-kill", "kill -9 of one of two nodes, started again after 3 s"),
    ("node-freeze", "a node is frozen for 10 s"),
    ("postgres-restart", "PostgreSQL ends at once and is back after 3 s"),
    ("postgres-freeze", "PostgreSQL is frozen for 10 s"),
    ("redis-restart", "kill -9 of Redis (AOF), started again after 3 s"),
    ("redis-empty", "kill -9 of Redis, started again without its data"),
    ("redis-freeze", "Redis is frozen for 10 s"),
    ("redis-sentinel", "kill -9 of the Redis master; Sentinel promotes the replica"),
    ("redis-cluster", "kill -9 of one of three Redis Cluster masters; its replica takes over"),
    ("smtp-down", "the relay is away for an hour of the nodes' clock"),
    ("clock-jump", "the nodes' clock jumps 5 min ahead, back, 5 min behind, back, 5 s each"),
    (
        "rolling-upgrade",
        "nodes are replaced one after the other; the old one is killed and returns meanwhile",
    ),
    ("sqlite-kill", "one node on SQLite: five times kill -9 while it writes, started again at once"),
    ("sqlite-full", "one node on SQLite: its disk is full for 10 s"),
];

/// Sets up what a scenario wants.
pub async fn build(name: &str, old: Option<&PathBuf>) -> Stage {
    let embedded = name.starts_with("sqlite");
    let upgrade = name == "rolling-upgrade";
    Stage::build(Wanted {
        nodes: if embedded { 1 } else { 2 },
        cache: match name {
            "redis-sentinel" => Cache::Sentinel(Box::new(RedisSentinel::start())),
            "redis-cluster" => Cache::Cluster(RedisCluster::start_with_replicas()),
            _ if embedded => Cache::Embedded,
            _ => Cache::Single(Redis::start_as_documented()),
        },
        postgres: !embedded,
        program: old.filter(|_| upgrade).cloned().unwrap_or_else(|| super::nodes::PROGRAM.into()),
        fake_time: matches!(name, "smtp-down" | "clock-jump"),
        small_disk: (name == "sqlite-full").then_some(DISK),
        mail_patience: Duration::from_secs(if name == "smtp-down" { 180 } else { 8 }),
    })
    .await
}

/// Lets the fault strike; gives the instant from which nothing stands in the way of recovery.
pub async fn strike(name: &str, stage: &mut Stage) -> Instant {
    match name {
        "node-kill" => {
            stage.nodes[0].kill();
            sleep(AWAY).await;
            assert!(stage.nodes[0].start(), "the node starts again");
        }
        "node-freeze" => {
            stage.nodes[0].signal("STOP");
            sleep(FROZEN).await;
            stage.nodes[0].signal("CONT");
        }
        "smtp-down" => relay_down(stage).await,
        "clock-jump" => {
            for seconds in [300, 0, -300, 0] {
                stage.set_clock(seconds);
                sleep(Duration::from_secs(5)).await;
            }
        }
        "rolling-upgrade" => upgrade(stage).await,
        "sqlite-kill" => power_cuts(stage).await,
        "sqlite-full" => disk_full(stage).await,
        _ if name.starts_with("postgres") => postgres(name, stage).await,
        _ if name.starts_with("redis") => return redis(name, stage).await,
        _ => {}
    }
    Instant::now()
}

async fn postgres(name: &str, stage: &mut Stage) {
    if name == "postgres-freeze" {
        stage.postgres().signal("STOP");
        sleep(FROZEN).await;
        stage.postgres().signal("CONT");
    } else {
        stage.postgres().stop();
        sleep(AWAY).await;
        stage.postgres().start_again();
    }
}

async fn redis(name: &str, stage: &mut Stage) -> Instant {
    // A fail-over needs no hands: it counts from the blow.
    let struck = Instant::now();
    match (name, &mut stage.cache) {
        ("redis-sentinel", Cache::Sentinel(redis)) => {
            redis.master.stop();
            sleep(FROZEN).await;
            return struck;
        }
        ("redis-cluster", Cache::Cluster(redis)) => {
            redis.nodes[0].stop();
            sleep(FROZEN).await;
            return struck;
        }
        ("redis-freeze", Cache::Single(redis)) => {
            redis.signal("STOP");
            sleep(FROZEN).await;
            redis.signal("CONT");
        }
        (_, Cache::Single(redis)) => {
            redis.stop();
            if name == "redis-empty" {
                redis.forget();
            }
            sleep(AWAY).await;
            redis.start_again();
        }
        _ => unreachable!("the scenario has its Redis"),
    }
    Instant::now()
}

/// An hour in steps of five minutes; nothing that expires within an hour is used over it.
async fn relay_down(stage: &mut Stage) {
    stage.relay_down();
    for step in 1..=12 {
        sleep(Duration::from_secs(2)).await;
        stage.set_clock(step * 300);
    }
    stage.relay_up().await;
    // The waits have doubled up to an hour; the clock goes on until the next attempts are due.
    for step in 13..=26 {
        sleep(Duration::from_secs(2)).await;
        stage.set_clock(step * 300);
    }
}

async fn upgrade(stage: &mut Stage) {
    stage.nodes[0].end_in_order();
    stage.nodes[0].recipe.program = super::nodes::PROGRAM.into();
    assert!(stage.nodes[0].start(), "the new node starts");
    sleep(Duration::from_secs(6)).await;
    stage.nodes[1].kill();
    sleep(Duration::from_secs(1)).await;
    if stage.nodes[1].start() {
        sleep(Duration::from_secs(6)).await;
        stage.nodes[1].end_in_order();
    } else {
        stage.load.ledger.failed("upgrade: the old node does not start on the new schema".to_owned());
    }
    stage.nodes[1].recipe.program = super::nodes::PROGRAM.into();
    assert!(stage.nodes[1].start(), "the second new node starts");
}

async fn power_cuts(stage: &mut Stage) {
    for _ in 0..5 {
        stage.nodes[0].kill();
        verify::at_rest(stage, &stage.database).await;
        assert!(stage.nodes[0].start(), "the node starts again");
        sleep(Duration::from_secs(2)).await;
    }
}

/// Fills the disk to its last block, and again whenever something was freed. SQLite goes on for a while in the
/// blocks that it has: the time counts from the first request that had to be refused.
async fn disk_full(stage: &Stage) {
    let ledger = &stage.load.ledger;
    let ballast = stage.disk().join("ballast");
    let mut file = fs::File::create(&ballast).expect("a file on the small disk");
    let block = [0_u8; 4096];
    let (began, before) = (Instant::now(), ledger.sums().unavailable());
    let mut full: Option<Instant> = None;
    while full.is_none_or(|since| since.elapsed() < FROZEN) {
        while file.write_all(&block).is_ok() {}
        sleep(Duration::from_millis(200)).await;
        if full.is_none() && ledger.sums().unavailable() > before {
            eprintln!("  SQLite has no block left after {:?}", began.elapsed());
            full = Some(Instant::now());
        }
        if full.is_none() && began.elapsed() > UNTIL_FULL {
            ledger.wrong("the disk never was too full for SQLite");
            break;
        }
    }
    drop(file);
    fs::remove_file(ballast).expect("the ballast");
}
