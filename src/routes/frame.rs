//! What is around every handler, from the outside in: the trace, the headers of every answer, the errors that are
//! written out, the ways in of insurers' hosts, the deadlines, and which pages may read.
//!
//! It is one layer: each layer costs every request an allocation and some copies.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use futures_util::FutureExt as _;

use crate::{
    admin::api::problem,
    app::App,
    oidc::cors::Readers,
    web::{
        deadline::{self, Deadlines},
        headers, hosts, page_error,
        trace::Traced,
    },
};

/// What is around the handlers of some routes.
#[derive(Clone)]
pub struct Frame {
    app: App,
    /// How much may be sent there.
    limit: DefaultBodyLimit,
    deadlines: Deadlines,
    readers: Readers,
}

impl Frame {
    /// For routes that get what a person types or a program asks.
    pub fn new(app: &App) -> Self {
        let server = &app.config().server;
        let deadlines = Deadlines {
            body: Duration::from_secs(server.body_timeout_seconds),
            answer: Duration::from_secs(server.request_timeout_seconds),
        };
        let limit = DefaultBodyLimit::max(server.body_limit_bytes);
        Self { app: app.clone(), limit, deadlines, readers: Readers::Ours }
    }

    /// For routes that get large files.
    pub fn of_uploads(app: &App) -> Self {
        let roster = &app.config().roster;
        let whole = Duration::from_secs(roster.upload_timeout_seconds);
        let limit = DefaultBodyLimit::max(roster.upload_limit_bytes);
        Self { limit, deadlines: Deadlines { body: whole, answer: whole }, ..Self::new(app) }
    }

    /// The same, whose answers the pages of others may read.
    #[must_use]
    pub fn read_by(self, readers: Readers) -> Self {
        Self { readers, ..self }
    }

    /// Puts it around routes.
    pub fn around(self, routes: Router<App>) -> Router<App> {
        routes.layer(from_fn_with_state(self, respond))
    }
}

/// Answers a request with all that belongs to every answer.
async fn respond(State(frame): State<Frame>, mut request: Request, next: Next) -> Response {
    let traced = Traced::begin(&frame.app, &mut request);
    let response = traced.watch(answer(&frame, request, next)).await;
    traced.end(&frame.app, response)
}

async fn answer(frame: &Frame, request: Request, next: Next) -> Response {
    let app = &frame.app;
    let (head, body) = request.into_parts();
    let program = problem::Caller::of(&head);
    let reader = page_error::Reader::of(app, &head);
    let response = if let Some(elsewhere) = hosts::lead(app, &head) {
        elsewhere
    } else {
        let handled = handle(frame, Request::from_parts(head, body), next);
        let handled = AssertUnwindSafe(handled).catch_unwind().await;
        handled.unwrap_or_else(|cause| page_error::caught_panic(&*cause))
    };
    let response = match program {
        Some(program) => program.explain(app, response),
        None => response,
    };
    let mut response = reader.explain(app, response);
    headers::secure(app, &mut response);
    response
}

/// The handler's answer, within the limits of the route.
async fn handle(frame: &Frame, mut request: Request, next: Next) -> Response {
    frame.limit.apply(&mut request);
    let admitted = |request| frame.readers.admit(&frame.app, request, |request| next.run(request));
    deadline::keep(frame.deadlines, request, admitted).await
}
