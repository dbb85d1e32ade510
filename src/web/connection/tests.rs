//! Answers that are taken slowly, or not at all.

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// More than the buffers of both sides take.
const LONG: usize = 32 * 1024 * 1024;

async fn serve(idle: Duration) -> (SocketAddr, CancellationToken) {
    serve_with(idle, idle).await
}

async fn serve_with(head: Duration, idle: Duration) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router =
        Router::new().route("/long", get(|| async { vec![b'x'; LONG] })).route("/", get(|| async {}));
    let patience = Patience { most: 10, head, idle, head_bytes: 16 * 1024, head_fields: 50 };
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

/// Within twice the time for a head, with a wide margin on both sides.
#[tokio::test]
async fn half_a_head_has_the_time_of_a_head_and_no_more() {
    let (head, most) = (Duration::from_secs(6), Duration::from_secs(11));
    let (address, stop) = serve_with(head, Duration::from_secs(600)).await;
    let closed = async |sent: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut came = String::new();
        let closed = time::timeout(most, stream.read_to_string(&mut came)).await;
        assert!(matches!(closed, Ok(Ok(_))), "{sent:?} still waits");
        came
    };
    let whole = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let begun = "GET / HTTP/1.1\r\nHost";
    let [second, third] = [1, 2].map(|before| whole.repeat(before) + begun);
    let came = tokio::join!(closed(begun), closed(&second), closed(&third));
    let answers = <[String; 3]>::from(came).map(|came| came.matches("200 OK").count());
    assert_eq!(answers, [0, 1, 2]);
    stop.cancel();
}

/// What ends with its empty line has begun no other, in one piece or in several.
#[tokio::test]
async fn whole_requests_leave_a_connection_idle() {
    let (address, stop) = serve_with(Duration::from_millis(300), Duration::from_secs(600)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for part in ["GET / HTTP/1.1\r\nHost: x\r\n\r", "\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        stream.write_all(part.as_bytes()).await.unwrap();
        if part.ends_with('\n') {
            let mut answer = [0; 512];
            let octets = stream.read(&mut answer).await.unwrap();
            assert!(answer[..octets].starts_with(b"HTTP/1.1 200 OK"));
            time::sleep(Duration::from_secs(2)).await;
        }
    }
    stop.cancel();
}
