//! The audit's way out: every line, in order, after its commit, whatever happens to the receiver or a node.

use std::{net::SocketAddr, time::Duration};

use kenpos_idp::{config::telemetry::AuditTarget, operators::feed::Feed, storage::audit_feed};
use serde_json::Value;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, UnixDatagram},
};

use crate::support::{
    app::{Backend, MINUTE, TestApp, on_both_backends},
    members::{HANAKO, ICHIRO},
};

on_both_backends! {
    every_line_is_sent_once_and_in_order
    one_node_sends_and_another_takes_over
}

/// The message of a frame (RFC 6587 §3.4.1) at the beginning of `octets`, and what comes after it.
fn frame(octets: &[u8]) -> (&str, &[u8]) {
    let space = octets.iter().position(|octet| *octet == b' ').unwrap();
    let length: usize = std::str::from_utf8(&octets[..space]).unwrap().parse().unwrap();
    let (frame, rest) = octets[space + 1..].split_at(length);
    (std::str::from_utf8(frame).unwrap(), rest)
}

/// The JSON of a message of syslog (RFC 5424 §6), its head looked at.
fn object(message: &str) -> Value {
    let parts: Vec<&str> = message.splitn(8, ' ').collect();
    let object: Value = serde_json::from_str(parts[7]).unwrap();
    assert_eq!((parts[0], parts[2], parts[3]), ("<86>1", "127.0.0.1", "kenpos-idp"));
    assert_eq!((parts[1], parts[4], parts[6]), (object["at"].as_str().unwrap(), "-", "-"));
    assert!(parts[5].len() <= 32 && object["action"].as_str().unwrap().starts_with(parts[5]), "{message}");
    object
}

/// What one connection brings until it is closed.
async fn take(listener: &TcpListener) -> Vec<Value> {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).await.unwrap();
    let (mut rest, mut found) = (octets.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (message, more) = frame(rest);
        found.push(object(message));
        rest = more;
    }
    found
}

fn numbers(lines: &[Value]) -> Vec<i64> {
    lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect()
}

async fn sends(feed: &mut Feed, app: &TestApp) -> u64 {
    app.app().operators.link_audit().await.unwrap();
    feed.pass().await.unwrap()
}

async fn every_line_is_sent_once_and_in_order(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tcp = |app: &TestApp, address: SocketAddr| Feed::new(&app.app().members, AuditTarget::Tcp(address));
    app.activate(&HANAKO).await;
    let mut feed = tcp(&app, address);
    let first = sends(&mut feed, &app).await;
    assert_eq!(sends(&mut feed, &app).await, 0, "nothing is new");
    drop(feed);
    let lines = take(&listener).await;
    assert_eq!(numbers(&lines), (1..=i64::try_from(first).unwrap()).collect::<Vec<_>>());
    assert!(lines.iter().any(|line| line["action"] == "member.activated"), "{lines:?}");
    let texts = format!("{lines:?}");
    for never in [HANAKO.login_id, HANAKO.born, HANAKO.kana, HANAKO.email] {
        assert!(!texts.contains(never), "{never}");
    }

    // Without a receiver nothing is sent and nothing lost, also over a restart.
    drop(listener);
    app.clock.advance(MINUTE);
    app.activate(&ICHIRO).await;
    app.app().operators.link_audit().await.unwrap();
    tcp(&app, address).pass().await.unwrap_err();
    let waiting = audit_feed::behind(app.db()).await.unwrap();
    assert!(waiting > 0);
    app.restart().await;
    app.clock.advance(MINUTE);
    let socket = app.directory().join("log");
    let receiver = UnixDatagram::bind(&socket).unwrap();
    app.app().operators.link_audit().await.unwrap();
    // A socket takes only a few before somebody reads.
    let expected = u64::try_from(audit_feed::behind(app.db()).await.unwrap()).unwrap();
    let reader = tokio::spawn(async move {
        let mut buffer = vec![0; 65536];
        for number in first + 1..=first + expected {
            let length = receiver.recv(&mut buffer).await.unwrap();
            let line = object(std::str::from_utf8(&buffer[..length]).unwrap());
            assert_eq!(line["seq"].as_u64(), Some(number));
        }
    });
    let mut feed = Feed::new(&app.app().members, AuditTarget::Unix(socket));
    assert_eq!(feed.pass().await.unwrap(), expected);
    reader.await.unwrap();
    assert_eq!(audit_feed::behind(app.db()).await.unwrap(), 0);
    app.finish().await;
}

async fn one_node_sends_and_another_takes_over(backend: Backend) {
    let mut app = TestApp::start(backend).await;
    app.activate(&HANAKO).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = || Feed::new(&app.app().members, AuditTarget::Tcp(listener.local_addr().unwrap()));
    let (mut one, mut two) = (node(), node());
    assert!(sends(&mut one, &app).await > 0);
    app.activate(&ICHIRO).await;
    assert_eq!(sends(&mut two, &app).await, 0, "the other node is at it");
    // It died; its lease ends.
    app.clock.advance(MINUTE + Duration::from_secs(1));
    assert!(sends(&mut two, &app).await > 0);
    assert_eq!(sends(&mut one, &app).await, 0, "what was thought dead does not send it again");
    drop((one, two));
    let lines = [take(&listener).await, take(&listener).await].concat();
    assert_eq!(numbers(&lines), (1..=i64::try_from(lines.len()).unwrap()).collect::<Vec<_>>());
    app.finish().await;
}
