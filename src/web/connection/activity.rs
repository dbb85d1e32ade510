//! What a connection is doing, and when it has done nothing for too long.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    time::{self, Instant},
};

use super::Patience;

/// What a connection is doing; clones share it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Inner>);

struct Inner {
    doing: watch::Sender<Doing>,
    began: Instant,
    /// Milliseconds from the beginning to the last octet that the client took.
    wrote: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Doing {
    /// Requests that are being worked on.
    under_way: usize,
    /// Long answers that the client is still taking.
    being_taken: usize,
    /// Whether octets came that are no whole request yet; so it begins, before the first request.
    reading: bool,
}

impl Activity {
    pub(super) fn new() -> Self {
        let doing = Doing { under_way: 0, being_taken: 0, reading: true };
        Self(Arc::new(Inner {
            doing: watch::Sender::new(doing),
            began: Instant::now(),
            wrote: AtomicU64::new(0),
        }))
    }

    /// A request came.
    pub(super) fn begin(&self) -> UnderWay {
        self.0.doing.send_modify(|doing| {
            doing.under_way += 1;
            doing.reading = false;
        });
        UnderWay(self.clone())
    }

    /// Octets came.
    fn read(&self) {
        self.0.doing.send_if_modified(|doing| {
            let news = doing.under_way == 0 && doing.being_taken == 0 && !doing.reading;
            doing.reading |= news;
            news
        });
    }

    /// The client took octets.
    fn wrote(&self) {
        let since = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.wrote.store(since, Ordering::Relaxed);
    }

    /// Until when the client may leave an answer where it is.
    fn taken_until(&self, idle: Duration) -> Instant {
        self.0.began + Duration::from_millis(self.0.wrote.load(Ordering::Relaxed)) + idle
    }

    /// Waits until nothing was under way for too long, or an answer was not taken.
    pub(super) async fn tired(&self, patience: Patience) {
        let mut doing = self.0.doing.subscribe();
        loop {
            let Doing { under_way, being_taken, reading } = *doing.borrow_and_update();
            if under_way > 0 {
                let _ = doing.changed().await;
                continue;
            }
            let limit = if being_taken == 0 && reading { patience.head } else { patience.idle };
            if time::timeout(limit, doing.changed()).await.is_err() {
                let until = self.taken_until(patience.idle);
                if being_taken == 0 || until <= Instant::now() {
                    return;
                }
                // It goes on taking the answer.
                let _ = time::timeout_at(until, doing.changed()).await;
            }
        }
    }
}

/// A request that is being worked on.
pub(super) struct UnderWay(Activity);

impl UnderWay {
    /// Its answer begins, of which more than a packet or two is to come.
    pub(super) fn answered(self) -> BeingTaken {
        self.0.0.doing.send_modify(|doing| doing.being_taken += 1);
        BeingTaken(self.0.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.doing.send_modify(|doing| doing.under_way -= 1);
    }
}

/// A long answer that the client is taking.
pub(super) struct BeingTaken(Activity);

impl Drop for BeingTaken {
    fn drop(&mut self) {
        self.0.0.doing.send_modify(|doing| doing.being_taken -= 1);
    }
}

/// The body of a long answer.
pub(super) struct LongAnswer {
    pub(super) body: axum::body::Body,
    pub(super) _being_taken: BeingTaken,
}

impl Body for LongAnswer {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells when octets come and go.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) activity: Activity,
}

impl<S> Watched<S> {
    fn told(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.activity.wrote();
        }
        written
    }
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
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.told(written)
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.told(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
