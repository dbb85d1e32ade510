//! Answers that are taken slowly, or not at all.

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// More than the buffers of both sides take.
const LONG: usize = 32 * 1024 * 1024;

async fn serve(idle: Duration) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/long", get(|| async { vec![b'x'; LONG] }));
    let patience = Patience { most: 10, head: idle, idle, head_bytes: 16 * 1024, head_fields: 50 };
    let site = Site { router, tls: None, patience, guests: Guests::new(10, &[]) };
    let stop = CancellationToken::new();
    tokio::spawn(site.serve(listener, stop.clone()));
    (address, stop)
}

async fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    stream
}

#[tokio::test]
async fn who_takes_an_answer_slowly_gets_all_of_it() {
    let (address, stop) = serve(Duration::from_secs(1)).await;
    let mut stream = ask(address).await;
    let (mut came, mut buffer) = (0, vec![0; 1024 * 1024]);
    loop {
        let octets = stream.read(&mut buffer).await.unwrap();
        came += octets;
        if octets == 0 {
            break;
        }
        // In all, longer than a connection may idle.
        if came % 7 == 0 || came < 8 * 1024 * 1024 {
            time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(came > LONG, "{came}");
    stop.cancel();
}

#[tokio::test]
async fn who_does_not_take_an_answer_is_left() {
    let (address, stop) = serve(Duration::from_millis(300)).await;
    let mut stream = ask(address).await;
    // Time enough for the server to give up; what it wrote before stays in the buffers.
    time::sleep(Duration::from_secs(3)).await;
    let mut came = Vec::new();
    let _ = stream.read_to_end(&mut came).await;
    assert!(came.len() < LONG, "all of it came");
    stop.cancel();
}
