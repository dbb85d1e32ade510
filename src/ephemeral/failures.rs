//! What the engines do when a server is down, silent, demoted, moved or gone in mid-answer.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::Mutex,
};

use super::{
    suite::{HOUR, Note, config, eventually, note, redis, sql},
    *,
};
use crate::{
    backends::{Postgres, Redis, RedisCluster, RedisSentinel, free_port, wait_until},
    clock::Timestamp,
};

/// Every operation, to be run or not.
fn operations(store: &Ephemeral) -> [BoxFuture<'_, Result<(), EphemeralError>>; 14] {
    const FOUND: &Found<Note> =
        &Found { value: Note { text: String::new(), version: 1 }, raw: String::new() };
    const NEW: &Note = &FOUND.value;
    [
        async { store.get::<Note>("outage").await.map(drop) }.boxed(),
        store.put("outage", NEW, HOUR).boxed(),
        async { store.insert("outage", NEW, HOUR).await.map(drop) }.boxed(),
        async { store.swap("outage", FOUND, NEW, HOUR).await.map(drop) }.boxed(),
        async { store.replace("outage", FOUND, NEW, HOUR).await.map(drop) }.boxed(),
        async { store.take::<Note>("outage").await.map(drop) }.boxed(),
        async { store.remove::<Note>("outage").await.map(drop) }.boxed(),
        async { store.count("outage", HOUR).await.map(drop) }.boxed(),
        async { store.counted("outage").await.map(drop) }.boxed(),
        store.forget("outage").boxed(),
        store.tag("outage", "a", HOUR).boxed(),
        store.untag("outage", "a").boxed(),
        async { store.tagged("outage").await.map(drop) }.boxed(),
        store.ping().boxed(),
    ]
}

/// Every operation says that the service is down, and none hangs.
async fn an_outage_is_told(store: &Ephemeral) {
    let outcomes = tokio::time::timeout(Duration::from_secs(60), join_all(operations(store)));
    for (number, outcome) in outcomes.await.unwrap().into_iter().enumerate() {
        assert!(matches!(outcome, Err(EphemeralError::Unavailable(_))), "operation {number}: {outcome:?}");
    }
}

async fn works(store: &Ephemeral) {
    eventually(async || store.put("works", &note(1), HOUR).await.is_ok()).await;
    assert_eq!(store.get::<Note>("works").await.unwrap().unwrap().value, note(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_go_and_come_back() {
    let mut server = Postgres::start();
    let (store, _) = sql(&server.create_database("outage")).await;
    store.put("kept", &note(7), HOUR).await.unwrap();
    server.stop();
    an_outage_is_told(&store).await;
    server.start_again();
    works(&store).await;
    assert_eq!(store.get::<Note>("kept").await.unwrap().unwrap().version, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_down_at_first_and_go_and_come_back() {
    let mut server = Redis::start();
    server.stop();
    let (store, _) = redis(server.url()).await;
    an_outage_is_told(&store).await;
    server.start_again();
    // Nothing was connected, so nothing is in doubt: the first attempt succeeds.
    store.put("kept", &note(7), HOUR).await.unwrap();
    server.stop();
    an_outage_is_told(&store).await;
    server.start_again();
    assert_eq!(store.take::<Note>("kept").await.unwrap().unwrap().version, 7);
    // A restart that nobody noticed costs nobody an error either, though scripts are forgotten.
    assert_eq!(store.count("kept", HOUR).await.unwrap(), 1);
    server.stop();
    server.start_again();
    assert_eq!(store.count("kept", HOUR).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_cluster_may_be_down_at_first_and_go_and_come_back() {
    let mut cluster = RedisCluster::start();
    cluster.stop();
    let (store, _) = redis(cluster.url()).await;
    an_outage_is_told(&store).await;
    cluster.start_again();
    works(&store).await;
    store.put("kept", &note(7), HOUR).await.unwrap();
    cluster.stop();
    an_outage_is_told(&store).await;
    cluster.start_again();
    for name in 0..20 {
        eventually(async || store.put(&name.to_string(), &note(1), HOUR).await.is_ok()).await;
    }
    assert_eq!(store.get::<Note>("kept").await.unwrap().unwrap().version, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_on_its_way_to_another_node_is_followed() {
    let cluster = RedisCluster::start();
    let (store, _) = redis(cluster.url()).await;
    let full = format!("kenpos:{}", key("note", "moving"));
    let slot = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", &full]).trim().to_owned();
    // A node that does not own the slot says who does: `MOVED SLOT HOST:PORT`.
    let moved =
        cluster.nodes.iter().map(|node| node.ask(&["GET", &full])).find(|said| said.contains("MOVED"));
    let address = moved.unwrap().split_whitespace().next_back().unwrap().to_owned();
    let from = cluster.nodes.iter().find(|node| node.address() == address).unwrap();
    let to = cluster.nodes.iter().find(|node| node.address() != address).unwrap();
    let [from_id, to_id] = [from, to].map(|node| node.ask(&["CLUSTER", "MYID"]).trim().to_owned());

    store.ping().await.unwrap();
    to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    assert!(store.insert("moving", &note(1), HOUR).await.unwrap());
    let found = store.get::<Note>("moving").await.unwrap().unwrap();
    assert!(store.swap("moving", &found, &note(2), HOUR).await.unwrap());
    for node in [to, from] {
        node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    eventually(async || store.get::<Note>("moving").await.is_ok()).await;
    assert_eq!(store.take::<Note>("moving").await.unwrap(), Some(note(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_followed_to_the_new_master() {
    let mut servers = RedisSentinel::start();
    let (store, _) = redis(servers.url()).await;
    store.put("kept", &note(7), HOUR).await.unwrap();
    wait_until("the replica has it", || servers.replica.ask(&["DBSIZE"]).trim() == "1");
    servers.master.stop();
    works(&store).await;
    assert!(servers.replica.ask(&["ROLE"]).contains("master"));
    assert_eq!(store.get::<Note>("kept").await.unwrap().unwrap().version, 7);
    // The old master returns as a replica and is left alone.
    servers.master.start_again();
    wait_until("the old master follows", || servers.master.ask(&["ROLE"]).contains("slave"));
    works(&store).await;
    store.put("later", &note(8), HOUR).await.unwrap();
    wait_until("the old master is in step", || servers.master.ask(&["DBSIZE"]).trim() == "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_not_write_is_unavailable_until_it_may() {
    let server = Redis::start();
    let (store, _) = redis(server.url()).await;
    store.put("kept", &note(1), HOUR).await.unwrap();
    server.ask(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let refused = store.put("kept", &note(2), HOUR).await;
    assert!(
        matches!(&refused, Err(EphemeralError::Unavailable(why)) if why.contains("READONLY")),
        "{refused:?}"
    );
    let refused = store.count("kept", HOUR).await;
    assert!(
        matches!(&refused, Err(EphemeralError::Unavailable(why)) if why.contains("READONLY")),
        "{refused:?}"
    );
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(store.count("kept", HOUR).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_used_and_its_lack_is_told() {
    let server = Redis::start_with_password("s3cret");
    let (store, _) = redis(format!("redis://:s3cret@{}", server.address())).await;
    store.put("kept", &note(1), HOUR).await.unwrap();
    for (login, told) in [("", "NOAUTH"), (":wr0ng@", "WRONGPASS")] {
        let (store, _) = redis(format!("redis://{login}{}", server.address())).await;
        let error = store.get::<Note>("kept").await.unwrap_err().to_string();
        assert!(error.contains(told) && !error.contains("wr0ng"), "{error}");
    }
    assert!(!format!("{store:?}").contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_must_come_from_the_authority_that_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, url, certificate) = Redis::start_with_tls(directory.path());
    let trusting = config::Ephemeral { ca_file: Some(certificate), ..config(url.clone()) };
    let clock = Clock::manual(Timestamp::from_millis(0));
    let store = Ephemeral::redis(&trusting, clock.clone()).await.unwrap();
    store.put("kept", &note(1), HOUR).await.unwrap();
    let (store, _) = redis(url).await;
    assert!(matches!(store.get::<Note>("kept").await, Err(EphemeralError::Unavailable(_))));
    let lost = config::Ephemeral { ca_file: Some(directory.path().join("lost.pem")), ..trusting };
    assert!(matches!(Ephemeral::redis(&lost, clock).await, Err(EphemeralError::Authority { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_not_waited_for() {
    // It accepts connections and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let cfg = config::Ephemeral { connect_timeout_ms: 100, response_timeout_ms: 100, ..config(url) };
    let clock = Clock::manual(Timestamp::from_millis(0));
    let store = Ephemeral::redis(&cfg, clock.clone()).await.unwrap();
    an_outage_is_told(&store).await;

    // It falls silent for a while after all was well.
    let server = Redis::start();
    let cfg =
        config::Ephemeral { connect_timeout_ms: 10_000, response_timeout_ms: 200, ..config(server.url()) };
    let store = Ephemeral::redis(&cfg, clock).await.unwrap();
    store.ping().await.unwrap();
    server.ask(&["CLIENT", "PAUSE", "3000", "ALL"]);
    assert!(matches!(store.ping().await, Err(EphemeralError::Unavailable(_))));
    works(&store).await;
}

/// A server that shakes hands and gives each other command the answer of `script`, which is told the
/// number of the connection; without one it hangs up. Its log has the names of the commands.
async fn scripted_server(
    script: impl Fn(usize) -> Option<&'static [u8]> + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let log = Arc::new(Mutex::new(Vec::new()));
    let (heard, script) = (Arc::clone(&log), Arc::new(script));
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (heard, script) = (Arc::clone(&heard), Arc::clone(&script));
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    // Commands are arrays of bulk strings: `*N`, `$LENGTH`, the name, and so on.
                    for name in text.split('*').skip(1).filter_map(|command| command.lines().nth(2)) {
                        let answer = match name {
                            "HELLO" => b"%0\r\n".as_slice(),
                            "CLIENT" => b"+OK\r\n",
                            other => {
                                heard.lock().await.push(other.to_owned());
                                let Some(answer) = script(number) else { return };
                                answer
                            }
                        };
                        stream.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    (url, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_fell_silent_is_given_up() {
    // As when a machine vanishes: the first connection stays open and says nothing more.
    let (url, _) = scripted_server(|connection| Some(if connection == 0 { b"" } else { b"+PONG\r\n" })).await;
    let cfg = config::Ephemeral { response_timeout_ms: 100, ..config(url) };
    let store = Ephemeral::redis(&cfg, Clock::manual(Timestamp::from_millis(0))).await.unwrap();
    assert!(matches!(store.ping().await, Err(EphemeralError::Unavailable(_))));
    eventually(async || store.ping().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_happened_is_not_repeated() {
    let (url, heard) = scripted_server(|_| None).await;
    let (store, _) = redis(url).await;
    for operation in operations(&store) {
        assert!(matches!(operation.await, Err(EphemeralError::Unavailable(_))));
    }
    let heard = heard.lock().await;
    for name in ["DEL", "EVALSHA", "GET", "GETDEL", "PING", "SET", "ZRANGEBYSCORE", "ZREM"] {
        let times = heard.iter().filter(|other| *other == name).count();
        let operations = match name {
            "SET" => 3,
            "DEL" | "GET" => 2,
            _ => 1,
        };
        let expected = match name {
            "EVALSHA" => 3,
            "GET" | "PING" | "ZRANGEBYSCORE" => 3 * operations,
            _ => operations,
        };
        assert_eq!(times, expected, "{name} in {heard:?}");
    }
}
