//! Connections: taken up to a cap, over TLS where there is a certificate, in HTTP/1.1 and HTTP/2, and ended
//! when they dawdle over a request's head or idle.

use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::util::ServiceExt as _;

use super::tls::Tls;

/// Requests of one HTTP/2 connection under way at once.
const STREAMS: u32 = 100;
/// Pause after a connection could not be taken, for want of file descriptors for example.
const BREATHER: Duration = Duration::from_millis(100);

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connections at once; one more waits to be taken.
    pub most: usize,
    /// For the TLS handshake, and for the head of a request from its first byte.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
}

/// A site on a listener.
#[derive(Clone)]
pub struct Site {
    /// What answers.
    pub router: Router,
    /// The certificate; plain HTTP without one.
    pub tls: Option<Tls>,
    /// See [`Patience`].
    pub patience: Patience,
}

impl Site {
    /// Takes connections until `stop`, and then waits for the requests under way.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(self.patience.most));
        let connections = TaskTracker::new();
        loop {
            let taken = tokio::select! {
                () = stop.cancelled() => break,
                taken = take(&listener, &permits) => taken,
            };
            match taken {
                Ok((stream, peer, permit)) => {
                    let (site, stop) = (self.clone(), stop.clone());
                    connections.spawn(async move {
                        site.welcome(stream, peer, stop).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    time::sleep(BREATHER).await;
                }
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    async fn welcome(self, stream: TcpStream, peer: SocketAddr, stop: CancellationToken) {
        // Answers are short and whole: waiting to fill packets only delays them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.speak(stream, peer, stop).await };
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        match time::timeout(self.patience.head, handshake).await {
            Ok(Ok(stream)) => self.speak(stream, peer, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    /// Answers the requests of a connection.
    async fn speak<S>(self, stream: S, peer: SocketAddr, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new();
        let (router, requests) = (self.router, activity.clone());
        let service = tower::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (router, under_way) = (router.clone(), requests.begin());
            async move {
                let answer = router.oneshot(request.map(Body::new)).await;
                drop(under_way);
                answer
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().header_read_timeout(None); // Activity is stricter: it also minds the time before
        builder.http2().max_concurrent_streams(STREAMS);
        let io = TokioIo::new(Watched { stream, activity: activity.clone() });
        let mut connection = pin!(builder.serve_connection(io, TowerToHyperService::new(service)));
        let mut tired = pin!(activity.tired(self.patience));
        let ended = tokio::select! {
            ended = connection.as_mut() => return log(ended),
            () = stop.cancelled() => false,
            () = tired.as_mut() => true,
        };
        // What is under way is answered; nothing more is read.
        connection.as_mut().graceful_shutdown();
        if ended {
            // Who does not take the answer, or the goodbye, is left.
            let _ = time::timeout(self.patience.head, connection).await;
        } else {
            log(connection.await);
        }
    }
}

fn log(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn take(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// What a connection is doing; clones share it.
#[derive(Clone)]
struct Activity(Arc<watch::Sender<Doing>>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Doing {
    /// Requests that are being answered.
    under_way: usize,
    /// Whether bytes came that are no whole request yet; so it begins, before the first request.
    reading: bool,
}

impl Activity {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Doing { under_way: 0, reading: true })))
    }

    fn begin(&self) -> UnderWay {
        self.0.send_modify(|doing| *doing = Doing { under_way: doing.under_way + 1, reading: false });
        UnderWay(self.clone())
    }

    /// Bytes came.
    fn read(&self) {
        self.0.send_if_modified(|doing| {
            let news = doing.under_way == 0 && !doing.reading;
            doing.reading |= news;
            news
        });
    }

    /// Waits until nothing was under way for too long.
    async fn tired(&self, patience: Patience) {
        let mut doing = self.0.subscribe();
        loop {
            let Doing { under_way, reading } = *doing.borrow_and_update();
            let limit = if reading { patience.head } else { patience.idle };
            if under_way > 0 {
                let _ = doing.changed().await;
            } else if time::timeout(limit, doing.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// A request that is being answered.
struct UnderWay(Activity);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|doing| doing.under_way -= 1);
    }
}

/// A stream that tells when bytes come.
struct Watched<S> {
    stream: S,
    activity: Activity,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
