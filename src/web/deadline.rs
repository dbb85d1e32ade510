//! How long a request may take: its body to come, and all of it to be answered.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time;

/// The times of a request, both from when its head was read.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For its body to come.
    pub body: Duration,
    /// For its answer.
    pub answer: Duration,
}

/// Answers in the place of who is too slow: 408 if that is the client, whose body does not come (RFC 9110
/// §15.5.9), else 503.
pub async fn keep<F>(deadlines: Deadlines, request: Request, answer: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let awaited = Arc::new(AtomicBool::new(false));
    let request = if request.body().is_end_stream() {
        request
    } else {
        request.map(|body| Body::new(Awaited { body, awaited: Arc::clone(&awaited) }))
    };
    let late = async {
        let first = deadlines.body.min(deadlines.answer);
        time::sleep(first).await;
        if !awaited.load(Ordering::Relaxed) {
            time::sleep(deadlines.answer.saturating_sub(first)).await;
        }
        if awaited.load(Ordering::Relaxed) {
            StatusCode::REQUEST_TIMEOUT
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    tokio::select! {
        // The clock of an answer that is there at once is never wound up.
        biased;
        answer = answer(request) => answer,
        status = late => status.into_response(),
    }
}

/// A body that tells whether somebody waits for more of it.
struct Awaited {
    body: Body,
    awaited: Arc<AtomicBool>,
}

impl hyper::body::Body for Awaited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.awaited.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
