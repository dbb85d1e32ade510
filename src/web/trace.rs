//! A span, a reference number and the figures of each request.
//!
//! Only the route's pattern is logged, never the path: paths carry interactions and mailed tokens.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, Version, header, request::Parts},
    response::Response,
};
use metrics::{Label, SharedString};
use opentelemetry_http::HeaderExtractor;
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    app::App,
    clock::Entropy,
    telemetry::traces::{TARGET, continue_from},
};

/// Reference number of a request: on error pages, in the answer's `X-Request-Id`, and in every log line.
#[derive(Clone, Debug)]
pub struct Reference(pub String);

/// Makes reference numbers: from a random one on, in steps that come to each number once. So no two requests of a
/// node have the same, and hardly any of two nodes.
#[derive(Debug)]
pub struct References(AtomicU64);

impl References {
    /// 2^64 divided by the golden ratio: odd, and far from one number to the next.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// Begins anywhere.
    pub fn new(entropy: &Entropy) -> Self {
        Self(AtomicU64::new(u64::from_be_bytes(entropy.bytes())))
    }

    fn next(&self) -> Reference {
        Reference(format!("{:016x}", self.0.fetch_add(Self::STEP, Ordering::Relaxed)))
    }
}

/// The reference number of a request.
pub fn reference_of(head: &Parts) -> String {
    head.extensions.get::<Reference>().map(|reference| reference.0.clone()).unwrap_or_default()
}

/// A request that is being answered.
pub struct Traced {
    reference: String,
    method: &'static str,
    route: SharedString,
    span: Span,
    trace: Span,
    started: Instant,
    under_way: UnderWay,
}

impl Traced {
    /// Gives a request its reference number and begins its spans.
    pub fn begin(app: &App, request: &mut Request) -> Self {
        let reference = app.references.next();
        request.extensions_mut().insert(reference.clone());
        let Reference(reference) = reference;
        let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
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
        if !trace.is_disabled() && is_from_proxy(app, request) {
            continue_from(&trace, &HeaderExtractor(request.headers()));
        }
        let route = SharedString::from(Arc::<str>::from(route));
        let under_way = UnderWay::begin();
        Self { reference, method, route, span, trace, started: Instant::now(), under_way }
    }

    /// The work on it, within its spans.
    pub fn watch<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.instrument(self.span.clone()).instrument(self.trace.clone())
    }

    /// Notes how it was answered, and tells the client its reference number.
    pub fn end(self, app: &App, mut response: Response) -> Response {
        let Self { reference, method, route, span, trace, started, under_way } = self;
        let elapsed = started.elapsed();
        drop(under_way);
        let status = response.status().as_u16();
        trace.record("http.response.status_code", status);
        if status >= 500 {
            trace.record("otel.status_code", "ERROR");
        }
        span.in_scope(|| tracing::info!(status, ms = elapsed.as_secs_f64() * 1000.0, "answered"));
        let (method, route) = (Label::from_static_parts("method", method), Label::new("route", route));
        // Not each status: a bucket of each route would be too many time series.
        let class = Label::from_static_parts("class", class_of(status));
        let labels = vec![method.clone(), route.clone(), class];
        metrics::histogram!("http_request_duration_seconds", labels).record(elapsed.as_secs_f64());
        let labels = vec![method, route, Label::new("status", status.to_string())];
        metrics::counter!("http_requests_total", labels).increment(1);
        if app.is_leaving() && response.version() < Version::HTTP_2 {
            // The proxy keeps no connection to a node that is about to go (RFC 9112 §9.6).
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Ok(value) = HeaderValue::try_from(reference) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        response
    }
}

const fn class_of(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
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
    fn no_two_requests_have_the_same_reference() {
        let references = References::new(&Entropy::system());
        let given: std::collections::HashSet<_> = (0..10_000).map(|_| references.next().0).collect();
        assert_eq!(given.len(), 10_000);
        assert!(given.iter().all(|reference| reference.len() == 16));
    }

    #[test]
    fn a_made_up_method_makes_no_time_series() {
        assert_eq!(method_name(&Method::POST), "POST");
        for made_up in ["BREW1", "BREW2", "get", "TRACE"] {
            assert_eq!(method_name(&Method::from_bytes(made_up.as_bytes()).unwrap()), "other");
        }
    }
}
