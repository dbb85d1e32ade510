//! What a connection is doing, and when it has done nothing for too long.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use hyper::{
    Request, Version,
    body::{Body, Frame, SizeHint},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{self, Instant},
};

use super::Patience;

/// What a connection is doing; clones share it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<Doing>>);

struct Doing {
    /// Requests that are being worked on.
    under_way: usize,
    /// Long answers that the client is still taking.
    being_taken: usize,
    /// Whether octets came that are no whole request yet; so it begins, before the first request.
    reading: bool,
    /// The last octets that came.
    last: [u8; 3],
    /// What the last request was like.
    request: Form,
    /// Since when all of that is so.
    since: Instant,
    /// When the client took the last octet.
    wrote: Instant,
}

/// What the octets of a request look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// There was none.
    None,
    /// Of HTTP/1 and without a body: it ends with an empty line.
    Bare,
    /// Of HTTP/1.
    WithBody,
    /// Of HTTP/2, in which other frames come and go.
    Frames,
}

impl Form {
    pub(super) fn of(request: &Request<impl Body>) -> Self {
        match request.version() {
            Version::HTTP_2 => Self::Frames,
            _ if request.body().is_end_stream() => Self::Bare,
            _ => Self::WithBody,
        }
    }
}

impl Doing {
    /// When the connection has done nothing for too long, unless something changes; never while a request is
    /// worked on.
    fn tires_at(&self, patience: Patience) -> Option<Instant> {
        match self {
            Self { under_way: 1.., .. } => None,
            Self { being_taken: 1.., .. } => Some(self.since.max(self.wrote) + patience.idle),
            Self { reading: true, .. } => Some(self.since + patience.head),
            Self { .. } => Some(self.since + patience.idle),
        }
    }

    /// After an answer: whether octets came with or after the request that are a part of another one (RFC 9112 §9.3.2).
    fn has_begun_another(&self) -> bool {
        self.request == Form::Bare && self.last != *b"\n\r\n" && !self.last.ends_with(b"\n\n")
    }
}

impl Activity {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let doing = Doing {
            under_way: 0,
            being_taken: 0,
            reading: true,
            last: [0; 3],
            request: Form::None,
            since: now,
            wrote: now,
        };
        Self(Arc::new(Mutex::new(doing)))
    }

    /// A request came.
    pub(super) fn begin(&self, request: Form) -> UnderWay {
        self.change(|doing| {
            doing.under_way += 1;
            doing.request = request;
        });
        UnderWay(self.clone())
    }

    /// Whether there is half a head and nothing else, as far as can be told: in HTTP/2 it may be any frame.
    pub(super) fn is_half_a_head(&self) -> bool {
        let doing = self.doing();
        doing.reading && doing.under_way == 0 && doing.being_taken == 0 && doing.request != Form::Frames
    }

    /// Octets came.
    fn read(&self, octets: &[u8]) {
        let mut doing = self.doing();
        for octet in octets.iter().skip(octets.len().saturating_sub(3)) {
            doing.last.rotate_left(1);
            doing.last[2] = *octet;
        }
        if doing.under_way == 0 && doing.being_taken == 0 && !doing.reading {
            doing.reading = true;
            doing.since = Instant::now();
        }
    }

    /// The client took octets.
    fn wrote(&self) {
        self.doing().wrote = Instant::now();
    }

    fn change(&self, change: impl FnOnce(&mut Doing)) {
        let mut doing = self.doing();
        change(&mut doing);
        doing.reading = doing.under_way == 0 && doing.being_taken == 0 && doing.has_begun_another();
        doing.since = Instant::now();
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing was under way for too long, or an answer was not taken.
    ///
    /// It looks now and then instead of being told of each change, which would cost every request a few wake-ups.
    /// That is not late: what begins after a look tires no sooner than the shortest patience after it.
    pub(super) async fn tired(&self, patience: Patience) {
        loop {
            let now = Instant::now();
            let next = now + patience.head.min(patience.idle);
            let tires_at = self.doing().tires_at(patience);
            if tires_at.is_some_and(|at| at <= now) {
                return;
            }
            time::sleep_until(tires_at.map_or(next, |at| at.min(next))).await;
        }
    }
}

/// A request that is being worked on.
pub(super) struct UnderWay(Activity);

impl UnderWay {
    /// Its answer begins, of which more than a packet or two is to come.
    pub(super) fn answered(self) -> BeingTaken {
        self.0.change(|doing| doing.being_taken += 1);
        BeingTaken(self.0.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.change(|doing| doing.under_way -= 1);
    }
}

/// A long answer that the client is taking.
pub(super) struct BeingTaken(Activity);

impl Drop for BeingTaken {
    fn drop(&mut self) {
        self.0.change(|doing| doing.being_taken -= 1);
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
        let came = buf.filled().get(before..).unwrap_or_default();
        if !came.is_empty() {
            self.activity.read(came);
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
