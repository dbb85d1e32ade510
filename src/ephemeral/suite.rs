//! The contract as tests, one a rule, run by every engine on real servers. What an engine does without
//! its server is in `failures.rs`.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    backends::{Postgres, Redis, RedisCluster, RedisSentinel},
    clock::Timestamp,
};

const RACERS: u32 = 50;
pub(super) const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) version: u32,
}

impl Record for Note {
    const KIND: &'static str = "note";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Other(u32);

impl Record for Other {
    const KIND: &'static str = "other";
}

pub(super) fn note(version: u32) -> Note {
    // What an encoding on the way could spoil.
    Note { text: "記号\u{0}\"'\\ \u{1f600}".to_owned(), version }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_750_000_000_000))
}

async fn every_rule(store: &Ephemeral, clock: &Clock) {
    store.ping().await.unwrap();
    a_record_is_what_was_put(store).await;
    insert_is_for_the_absent_only(store).await;
    a_swap_of_what_was_changed_meanwhile_does_nothing(store).await;
    who_replaces_learns_what_was_there(store).await;
    take_and_remove_leave_nothing(store).await;
    of_many_racers_one_wins(store).await;
    every_number_is_counted_once(store).await;
    tags_hold_members(store, clock).await;
    time_ends_everything(store, clock).await;
}

async fn a_record_is_what_was_put(store: &Ephemeral) {
    assert!(store.get::<Note>("put").await.unwrap().is_none());
    store.put("put", &note(1), HOUR).await.unwrap();
    store.put("put", &note(2), HOUR).await.unwrap();
    assert_eq!(store.get::<Note>("put").await.unwrap().unwrap().value, note(2));
    assert!(store.get::<Other>("put").await.unwrap().is_none(), "kinds are apart");
    assert!(store.get::<Note>("pu").await.unwrap().is_none());
}

async fn insert_is_for_the_absent_only(store: &Ephemeral) {
    assert!(store.insert("insert", &note(1), HOUR).await.unwrap());
    assert!(!store.insert("insert", &note(2), HOUR).await.unwrap());
    assert_eq!(store.get::<Note>("insert").await.unwrap().unwrap().version, 1);
    assert!(store.insert("insert", &Other(1), HOUR).await.unwrap());
}

async fn a_swap_of_what_was_changed_meanwhile_does_nothing(store: &Ephemeral) {
    store.put("swap", &note(1), HOUR).await.unwrap();
    let mine = store.get::<Note>("swap").await.unwrap().unwrap();
    let yours = mine.clone();
    assert!(store.swap("swap", &yours, &note(2), HOUR).await.unwrap());
    assert!(!store.swap("swap", &mine, &note(3), HOUR).await.unwrap());
    assert_eq!(store.get::<Note>("swap").await.unwrap().unwrap().version, 2);
    assert!(store.remove::<Note>("swap").await.unwrap());
    assert!(!store.swap("swap", &mine, &note(3), HOUR).await.unwrap(), "a swap brings nothing back");
    assert!(store.get::<Note>("swap").await.unwrap().is_none());
}

async fn who_replaces_learns_what_was_there(store: &Ephemeral) {
    store.put("replace", &note(1), HOUR).await.unwrap();
    let read = store.get::<Note>("replace").await.unwrap().unwrap();
    for (new, before) in [(2, 1), (3, 2)] {
        let found = store.replace("replace", &read, &note(new), HOUR).await.unwrap().unwrap();
        assert_eq!(found.version, before);
        assert_eq!(store.get::<Note>("replace").await.unwrap().unwrap().version, new);
    }
    assert!(store.remove::<Note>("replace").await.unwrap());
    assert!(store.replace("replace", &read, &note(4), HOUR).await.unwrap().is_none());
    assert!(store.get::<Note>("replace").await.unwrap().is_none(), "it brings nothing back");
}

async fn take_and_remove_leave_nothing(store: &Ephemeral) {
    assert!(store.take::<Note>("take").await.unwrap().is_none());
    assert!(!store.remove::<Note>("take").await.unwrap());
    store.put("take", &note(1), HOUR).await.unwrap();
    assert_eq!(store.take::<Note>("take").await.unwrap(), Some(note(1)));
    assert!(store.get::<Note>("take").await.unwrap().is_none());
    assert!(store.insert("take", &note(2), HOUR).await.unwrap());
    assert!(store.remove::<Note>("take").await.unwrap());
    assert!(store.take::<Note>("take").await.unwrap().is_none());
}

/// Runs `RACERS` of a kind at the same time and gives what they got.
async fn race<T: Send + 'static, F>(store: &Ephemeral, racer: impl Fn(Ephemeral, u32) -> F) -> Vec<T>
where
    F: Future<Output = Result<T, EphemeralError>> + Send + 'static,
{
    let racers = (0..RACERS).map(|number| tokio::spawn(racer(store.clone(), number)));
    join_all(racers).await.into_iter().map(|outcome| outcome.unwrap().unwrap()).collect()
}

async fn of_many_racers_one_wins(store: &Ephemeral) {
    let inserted =
        race(store, |store, number| async move { store.insert("race", &note(number), HOUR).await });
    assert_eq!(inserted.await.into_iter().filter(|won| *won).count(), 1);

    let read = Arc::new(store.get::<Note>("race").await.unwrap().unwrap());
    let swapped = race(store, |store, number| {
        let read = Arc::clone(&read);
        async move { Ok((store.swap("race", &read, &note(1000 + number), HOUR).await?, 1000 + number)) }
    });
    let winners: Vec<_> = swapped.await.into_iter().filter(|(won, _)| *won).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(store.get::<Note>("race").await.unwrap().unwrap().version, winners[0].1);

    let read = Arc::new(store.get::<Note>("race").await.unwrap().unwrap());
    let before = race(store, |store, number| {
        let read = Arc::clone(&read);
        async move { store.replace("race", &read, &note(2000 + number), HOUR).await }
    });
    let mut before: Vec<_> = before.await.into_iter().map(|before| before.unwrap().version).collect();
    before.push(store.get::<Note>("race").await.unwrap().unwrap().version);
    before.sort_unstable();
    let all = (0..RACERS).map(|number| 2000 + number);
    assert_eq!(
        before,
        [read.version].into_iter().chain(all).collect::<Vec<_>>(),
        "each came after one other"
    );

    store.put("race", &note(winners[0].1), HOUR).await.unwrap();
    let taken = race(store, |store, _| async move { store.take::<Note>("race").await });
    assert_eq!(taken.await.into_iter().flatten().collect::<Vec<_>>(), [note(winners[0].1)]);
}

async fn every_number_is_counted_once(store: &Ephemeral) {
    assert_eq!(store.counted("count").await.unwrap(), 0);
    let mut counts = race(store, |store, _| async move { store.count("count", HOUR).await }).await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=u64::from(RACERS)).collect::<Vec<_>>());
    assert_eq!(store.counted("count").await.unwrap(), u64::from(RACERS));
    assert_eq!(store.counted("another").await.unwrap(), 0);
    store.forget("count").await.unwrap();
    assert_eq!(store.counted("count").await.unwrap(), 0);
    assert_eq!(store.count("count", HOUR).await.unwrap(), 1);
}

async fn tags_hold_members(store: &Ephemeral, clock: &Clock) {
    assert!(store.tagged("tag").await.unwrap().is_empty());
    for (member, ttl) in [("b", HOUR), ("a", 3 * HOUR), ("記号 c", 2 * HOUR), ("b", 4 * HOUR)] {
        store.tag("tag", member, ttl).await.unwrap();
    }
    store.tag("another", "d", HOUR).await.unwrap();
    assert_eq!(store.tagged("tag").await.unwrap(), ["a", "b", "記号 c"]);
    store.untag("tag", "a").await.unwrap();
    store.untag("tag", "nobody").await.unwrap();
    clock.advance(2 * HOUR);
    assert_eq!(store.tagged("tag").await.unwrap(), ["b"], "a member is there until its own time is over");
    clock.advance(2 * HOUR);
    assert!(store.tagged("tag").await.unwrap().is_empty());
}

/// SQL goes by the clock given, Redis by its own, so the one is moved and the other waited for.
async fn time_ends_everything(store: &Ephemeral, clock: &Clock) {
    let ttl = Duration::from_millis(300);
    store.put("time", &note(1), HOUR).await.unwrap();
    let long = store.get::<Note>("time").await.unwrap().unwrap();
    assert!(store.swap("time", &long, &note(2), ttl).await.unwrap(), "a swap sets the time anew");
    store.put("time, unread", &note(1), ttl).await.unwrap();
    store.put("time, zero", &note(1), Duration::ZERO).await.unwrap();
    store.put("time, endless", &note(1), Duration::MAX).await.unwrap();
    store.count("time", ttl).await.unwrap();
    store.count("time, longer", 3 * HOUR).await.unwrap();
    assert_eq!(store.count("time, longer", ttl).await.unwrap(), 2, "the window is that of the first event");
    clock.advance(ttl);
    eventually(async || store.get::<Note>("time").await.unwrap().is_none()).await;
    eventually(async || store.counted("time").await.unwrap() == 0).await;
    eventually(async || !store.remove::<Note>("time, unread").await.unwrap()).await;
    assert!(store.get::<Note>("time, zero").await.unwrap().is_none());
    assert!(store.take::<Note>("time").await.unwrap().is_none());
    assert!(!store.swap("time", &long, &note(3), HOUR).await.unwrap());
    assert!(store.replace("time", &long, &note(3), HOUR).await.unwrap().is_none());
    assert!(store.insert("time", &note(4), HOUR).await.unwrap());
    assert_eq!(store.count("time", HOUR).await.unwrap(), 1);
    assert_eq!(store.count("time, longer", HOUR).await.unwrap(), 3);
    assert!(store.get::<Note>("time, endless").await.unwrap().is_some());
}

/// Waits, on however busy a machine, until `holds`.
pub(super) async fn eventually(holds: impl AsyncFn() -> bool) {
    for _ in 0..1200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain");
}

pub(super) async fn sql(url: &str) -> (Ephemeral, Clock) {
    let (db, clock) = (Db::open(url, 8).await.unwrap(), clock());
    db.migrate().await.unwrap();
    (Ephemeral::sql(db, clock.clone()), clock)
}

pub(super) fn config(url: String) -> config::Ephemeral {
    config::Ephemeral { url: Some(url.into()), ..config::Ephemeral::default() }
}

pub(super) async fn redis(url: String) -> (Ephemeral, Clock) {
    let clock = clock();
    (Ephemeral::redis(&config(url), clock.clone()).await.unwrap(), clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_every_rule() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = sql(&format!("sqlite://{}/test.sqlite", directory.path().display())).await;
    every_rule(&store, &clock).await;
    assert_eq!(store.engine(), "SQLite");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_every_rule() {
    let (store, clock) = sql(&Postgres::shared().create_database("ephemeral_suite")).await;
    every_rule(&store, &clock).await;
    assert_eq!(store.engine(), "PostgreSQL");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_every_rule() {
    let server = Redis::start();
    let (store, clock) = redis(server.url()).await;
    every_rule(&store, &clock).await;
    assert_eq!(store.engine(), "Redis");
    // Keys begin with the prefix, end on their own, and show no name.
    let keys = server.ask(&["KEYS", "*"]);
    assert!(keys.lines().count() > 3 && keys.lines().all(|key| key.starts_with("kenpos:")), "{keys}");
    assert!(!keys.contains("race") && !keys.contains("endless"), "{keys}");
    assert!(keys.lines().all(|key| server.ask(&["PTTL", key]).trim() != "-1"), "{keys}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_behind_sentinel_keeps_every_rule() {
    let servers = RedisSentinel::start();
    let (store, clock) = redis(servers.url()).await;
    every_rule(&store, &clock).await;
    assert_eq!(store.engine(), "Redis Sentinel");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_cluster_keeps_every_rule() {
    let cluster = RedisCluster::start();
    let (store, clock) = redis(cluster.url()).await;
    every_rule(&store, &clock).await;
    assert_eq!(store.engine(), "Redis Cluster");
    assert!(cluster.nodes.iter().all(|node| node.ask(&["DBSIZE"]).trim() != "0"), "every node has its share");
}

#[tokio::test]
async fn expiry_is_exact_and_the_sweep_takes_only_the_expired() {
    let directory = tempfile::tempdir().unwrap();
    let (store, clock) = sql(&format!("sqlite://{}/test.sqlite", directory.path().display())).await;
    let second = Duration::from_secs(1);
    for number in 0..1_100_u32 {
        store.put(&number.to_string(), &Other(number), second * (1 + number % 2)).await.unwrap();
    }
    store.count("swept", second).await.unwrap();
    store.tag("swept", "a", second).await.unwrap();
    store.tag("swept", "b", HOUR).await.unwrap();
    clock.advance(Duration::from_millis(999));
    assert_eq!(store.sweep().await.unwrap(), 0);
    assert!(store.get::<Other>("0").await.unwrap().is_some());
    clock.advance(Duration::from_millis(1));
    assert!(store.get::<Other>("0").await.unwrap().is_none());
    assert_eq!(store.sweep().await.unwrap(), 550 + 2);
    assert_eq!(store.get::<Other>("1").await.unwrap().unwrap().0, 1);
    assert_eq!(store.tagged("swept").await.unwrap(), ["b"]);
}

#[tokio::test]
async fn a_record_that_does_not_parse_is_named_by_its_kind_only() {
    #[derive(Serialize, Deserialize)]
    struct Older(String);
    impl Record for Older {
        const KIND: &'static str = "note";
    }
    let (store, _) = sql("sqlite::memory:").await;
    store.put("old", &Older("s3cret".to_owned()), HOUR).await.unwrap();
    let error = store.get::<Note>("old").await.unwrap_err();
    assert!(matches!(error, EphemeralError::Corrupt { kind: "note" }));
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    let found = store.get::<Older>("old").await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), "Found(note)");
}
