//! A span, a reference number and the figures of each request.
//!
//! Only the route's pattern is logged, never the path: paths carry interactions and mailed tokens.

use std::{net::SocketAddr, time::Instant};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, Version, header},
    middleware::Next,
    response::Response,
};
use opentelemetry_http::HeaderExtractor;
use tracing::{Instrument as _, field::Empty};

use crate::{
    app::App,
    telemetry::traces::{TARGET, continue_from},
};

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
    let trace = tracing::trace_span!(
        target: TARGET,
        "HTTP",
        otel.kind = "server",
        otel.name = format_args!("{method} {route}"),
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        kenpos.reference = reference,
    );
    if !trace.is_disabled() && is_from_proxy(&app, &request) {
        continue_from(&trace, &HeaderExtractor(request.headers()));
    }
    let under_way = UnderWay::begin();
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).instrument(trace.clone()).await;
    let elapsed = started.elapsed();
    drop(under_way);
    let status = response.status().as_u16();
    trace.record("http.response.status_code", status);
    if status >= 500 {
        trace.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| tracing::info!(status, ms = elapsed.as_secs_f64() * 1000.0, "answered"));
    // Not each status: a bucket of each route would be too many time series.
    let labels =
        [("method", method.to_owned()), ("route", route.clone()), ("class", format!("{}xx", status / 100))];
    metrics::histogram!("http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    if app.is_leaving() && response.version() < Version::HTTP_2 {
        // The proxy keeps no connection to a node that is about to go (RFC 9112 §9.6).
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(value) = HeaderValue::from_str(&reference) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// Whether the request comes from a proxy that is trusted, so that its `traceparent` is believed.
fn is_from_proxy(app: &App, request: &Request) -> bool {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else { return false };
    app.config().server.trusted_proxies.iter().any(|net| net.contains(&peer.ip().to_canonical()))
}

/// A request that is being answered, also when its client goes away.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        metrics::gauge!("http_requests_in_progress").increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics::gauge!("http_requests_in_progress").decrement(1.0);
    }
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
