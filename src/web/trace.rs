//! A span, a reference number and the figures of each request.
//!
//! Only the route's pattern is logged, never the path: paths carry interactions and mailed tokens.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use tracing::Instrument as _;

use crate::app::App;

/// Reference number of a request: on error pages, in the answer's `X-Request-Id`, and in every log line.
#[derive(Clone, Debug)]
pub struct Reference(pub String);

/// Wraps every request.
pub async fn request(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let reference = format!("{:016x}", u64::from_be_bytes(app.members.entropy.bytes()));
    request.extensions_mut().insert(Reference(reference.clone()));
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = method_name(request.method());
    let span = tracing::info_span!("request", id = reference, method, route);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(status, ms = elapsed.as_secs_f64() * 1000.0, "answered"));
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&reference) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The method for figures and logs. A client may make up any word, and each would be a time series of its own.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_method_makes_no_time_series() {
        assert_eq!(method_name(&Method::POST), "POST");
        for made_up in ["BREW1", "BREW2", "get", "TRACE"] {
            assert_eq!(method_name(&Method::from_bytes(made_up.as_bytes()).unwrap()), "other");
        }
    }
}
