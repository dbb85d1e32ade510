//! Connections: taken up to a cap, over TLS where there is a certificate, in HTTP/1.1 and HTTP/2, and ended
//! when they dawdle over a request's head, idle, or leave an answer where it is.

mod activity;
mod guests;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
    response::{IntoResponse as _, Response},
};
use hyper::body::{Body as _, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::util::ServiceExt as _;

use self::activity::{Activity, Form, LongAnswer, UnderWay, Watched};
pub use self::guests::Guests;
use super::tls::Tls;

/// Requests of one HTTP/2 connection under way at once.
const STREAMS: u32 = 100;
/// Pause after a connection could not be taken, for want of file descriptors for example.
const BREATHER: Duration = Duration::from_millis(100);
/// Octets of an answer that leave at once: the system's buffers take them, however slow the client is.
const SHORT: u64 = 16 * 1024;

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connections at once; one more waits to be taken.
    pub most: usize,
    /// For the TLS handshake, and for the head of a request from its first byte.
    pub head: Duration,
    /// Between two requests, and for a client to take some more of an answer.
    pub idle: Duration,
    /// Octets that the head of a request may have.
    pub head_bytes: u32,
    /// Header fields that a request may have.
    pub head_fields: usize,
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
    /// How many of one address are taken; who is one too many is hung up on.
    pub guests: Guests,
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
                    let Some(guest) = self.guests.enter(peer.ip()) else {
                        tracing::debug!("an address has too many connections");
                        continue;
                    };
                    let (site, stop) = (self.clone(), stop.clone());
                    connections.spawn(async move {
                        site.welcome(stream, peer, stop).await;
                        drop((guest, permit));
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
        let (router, requests, most_fields) = (self.router, activity.clone(), self.patience.head_fields);
        let service = tower::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (router, under_way) = (router.clone(), requests.begin(Form::of(&request)));
            async move {
                if request.headers().len() > most_fields {
                    return Ok(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response());
                }
                let answer = router.oneshot(request.map(Body::new)).await;
                answer.map(|answer| until_taken(answer, under_way))
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let head_bytes = self.patience.head_bytes;
        builder
            .http1()
            .header_read_timeout(None) // Activity is stricter: it also minds the time before
            .max_buf_size(usize::try_from(head_bytes).unwrap_or(usize::MAX));
        builder.http2().max_concurrent_streams(STREAMS).max_header_list_size(head_bytes);
        let io = TokioIo::new(Watched { stream, activity: activity.clone() });
        let mut connection = pin!(builder.serve_connection(io, TowerToHyperService::new(service)));
        let mut tired = pin!(activity.tired(self.patience));
        let ended = tokio::select! {
            ended = connection.as_mut() => return log(ended),
            () = stop.cancelled() => false,
            () = tired.as_mut() => true,
        };
        if ended && activity.is_half_a_head() {
            // Nothing is to be answered, and it would go on waiting for the rest of the head.
            return tracing::debug!("the head of a request took too long");
        }
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

/// The answer, with which the request ends: at once if it is short, else when it was taken.
fn until_taken(answer: Response, under_way: UnderWay) -> Response {
    if answer.body().size_hint().exact().is_some_and(|octets| octets <= SHORT) {
        return answer;
    }
    let being_taken = under_way.answered();
    answer.map(|body| Body::new(LongAnswer { body, _being_taken: being_taken }))
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
