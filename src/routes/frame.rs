//! What is around every handler, from the outside in: the trace, the headers of every answer, the errors that are
//! written out, the ways in of insurers' hosts.
//!
//! It is one layer: each layer costs every request an allocation and some copies.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt as _;

use crate::{
    admin::api::problem,
    app::App,
    web::{headers, hosts, page_error, trace::Traced},
};

/// Answers a request with all that belongs to every answer.
pub async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let traced = Traced::begin(&app, &mut request);
    let response = traced.watch(answer(&app, request, next)).await;
    traced.end(&app, response)
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let program = problem::Caller::of(&head);
    let reader = page_error::Reader::of(app, &head);
    let response = if let Some(elsewhere) = hosts::lead(app, &head) {
        elsewhere
    } else {
        let handled = next.run(Request::from_parts(head, body));
        let handled = AssertUnwindSafe(handled).catch_unwind().await;
        handled.unwrap_or_else(|cause| page_error::caught_panic(&*cause))
    };
    let response = match program {
        Some(program) => program.explain(app, response),
        None => response,
    };
    let mut response = reader.explain(response);
    headers::secure(app, &mut response);
    response
}
